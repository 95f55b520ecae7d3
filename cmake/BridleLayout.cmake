# What the extension module and the library agree on: the version, and every header that both may include. Operators,
# element types and structures cross the border as indices and bytes, so a library of another BRIDLE_LAYOUT is none.
file(GLOB_RECURSE headers CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/cpp/include/*.h* ${PROJECT_SOURCE_DIR}/cpp/src/*.hpp)
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${headers})
set(hashes "")
foreach(header IN LISTS headers)
  file(SHA256 ${header} hash)
  string(APPEND hashes ${hash})
endforeach()
string(SHA256 hashes "${hashes}")
string(SUBSTRING ${hashes} 0 16 hash)
set(BRIDLE_LAYOUT ${PROJECT_VERSION}-${hash})
