# The instruction sets and their flags. What lies in kernels/ is compiled once for each.
if(CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|AMD64)$")
  if(NOT DEFINED BRIDLE_X86_64)  # how the compiler writes it
    set(BRIDLE_X86_64 x86-64-)
  endif()
  set(BRIDLE_ISAS baseline avx2 avx512)
  set(BRIDLE_FLAGS_baseline -march=${BRIDLE_X86_64}v2)
  set(BRIDLE_FLAGS_avx2 -march=${BRIDLE_X86_64}v3)
  set(BRIDLE_FLAGS_avx512 -march=${BRIDLE_X86_64}v4 -mprefer-vector-width=512)
else()
  set(BRIDLE_ISAS baseline)  # NEON is the baseline of aarch64
  set(BRIDLE_FLAGS_baseline "")
endif()

# What every loop needs to vectorize; none of it changes a result (there is no fast-math here). -fno-math-errno
# and -fno-trapping-math only drop errno and the order of status flags.
set(BRIDLE_KERNEL_FLAGS ${BRIDLE_F}no-math-errno ${BRIDLE_F}no-trapping-math ${BRIDLE_F}openmp-simd)
if(CMAKE_CXX_COMPILER_ID STREQUAL GNU)
  list(APPEND BRIDLE_KERNEL_FLAGS $<$<CONFIG:Release,RelWithDebInfo>:-O3>)
  if(MINGW)  # gcc does not align the stack of Windows for wide vectors, and moves them as if it did (its bug 54412)
    list(APPEND BRIDLE_KERNEL_FLAGS -Wa,-muse-unaligned-vector-move)
  endif()
endif()

set(BRIDLE_KERNEL_UNITS map reduce slices thresholds vectors selections noise update lists table)
list(TRANSFORM BRIDLE_KERNEL_UNITS REPLACE "(.+)" "${PROJECT_SOURCE_DIR}/cpp/src/kernels/\\1.cpp")

function(bridle_add_kernels target)
  foreach(isa IN LISTS BRIDLE_ISAS)
    set(kernels ${target}_kernels_${isa})
    add_library(${kernels} OBJECT ${BRIDLE_KERNEL_UNITS})
    bridle_configure_target(${kernels})
    target_include_directories(${kernels} PRIVATE ${PROJECT_SOURCE_DIR}/cpp/include ${PROJECT_SOURCE_DIR}/cpp/src)
    target_compile_definitions(${kernels} PRIVATE BRIDLE_ISA=${isa})
    target_compile_options(${kernels} PRIVATE ${BRIDLE_KERNEL_FLAGS} ${BRIDLE_FLAGS_${isa}})
    target_link_libraries(${target} PRIVATE ${kernels})
  endforeach()
endfunction()
