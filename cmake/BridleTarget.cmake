# What every target of this project is compiled with.
if(CMAKE_CXX_COMPILER_FRONTEND_VARIANT STREQUAL MSVC)  # clang-cl: what it does not know itself goes to clang
  set(BRIDLE_F /clang:-f)
  set(BRIDLE_WARNINGS /W4 -Wpedantic)
else()
  set(BRIDLE_F -f)
  set(BRIDLE_WARNINGS -Wall -Wextra -Wpedantic)
endif()
if(WIN32 OR APPLE)
  set(BRIDLE_ELF OFF)
else()
  set(BRIDLE_ELF ON)
endif()

function(bridle_configure_target target)
  target_compile_features(${target} PRIVATE cxx_std_20)
  set_target_properties(${target} PROPERTIES CXX_EXTENSIONS OFF CXX_VISIBILITY_PRESET hidden
                                             VISIBILITY_INLINES_HIDDEN ON
                                             POSITION_INDEPENDENT_CODE ON)
  # No contraction to fused multiply-add: the same bits on every machine.
  target_compile_options(${target} PRIVATE ${BRIDLE_WARNINGS} ${BRIDLE_F}fp-contract=off)
  # gcc takes a register of MMX for an integer now and then, and leaves those of long double full: the next of its
  # numbers anywhere in the thread would be NaN.
  if(CMAKE_CXX_COMPILER_ID STREQUAL GNU AND CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|AMD64)$")
    target_compile_options(${target} PRIVATE -mno-mmx)
  endif()
  if(BRIDLE_WARNINGS_AS_ERRORS)
    target_compile_options(${target} PRIVATE -Werror)
  endif()
endfunction()

# What a library shows. Where there are no such maps, it is what is marked BRIDLE_API.
function(bridle_limit_exports target map)
  if(BRIDLE_ELF)
    set_property(TARGET ${target} APPEND PROPERTY LINK_DEPENDS ${map})
    target_link_options(${target} PRIVATE LINKER:--version-script=${map})
  endif()
endfunction()
