# The C++ package: the library, what its users include, and what find_package(bridle) reads. All of
# it may be moved as a whole, and lies in wheels as well.
include(CMakePackageConfigHelpers)
set(BRIDLE_INSTALL_CMAKEDIR ${CMAKE_INSTALL_LIBDIR}/cmake/bridle)

# The link without a version is for those who do not use CMake; in a wheel it would be a second copy.
# On Windows, where a library is found beside what is linked with it, it lies beside the extension module.
if(BRIDLE_PYTHON)
  set(runtime .)
else()
  set(runtime ${CMAKE_INSTALL_BINDIR})
endif()
install(TARGETS bridle EXPORT bridleTargets LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT devel
        NAMELINK_COMPONENT namelink RUNTIME DESTINATION ${runtime} COMPONENT devel
        ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT devel)
install(DIRECTORY ${PROJECT_SOURCE_DIR}/cpp/include/bridle DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
        COMPONENT devel PATTERN loops EXCLUDE)

write_basic_package_version_file(${PROJECT_BINARY_DIR}/bridleConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_SOURCE_DIR}/cmake/bridleConfig.cmake ${PROJECT_BINARY_DIR}/bridleConfigVersion.cmake
        DESTINATION ${BRIDLE_INSTALL_CMAKEDIR} COMPONENT devel)
install(EXPORT bridleTargets NAMESPACE bridle:: DESTINATION ${BRIDLE_INSTALL_CMAKEDIR} COMPONENT devel)
