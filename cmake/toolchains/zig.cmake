# clang, its C++ library and the C libraries of other systems, as one package of PyPI (pip install ziglang), for the target of
# zig's that BRIDLE_ZIG_TARGET names: x86_64-linux-musl, aarch64-macos.11.0.
set(CMAKE_TRY_COMPILE_PLATFORM_VARIABLES BRIDLE_ZIG_TARGET)
if(BRIDLE_ZIG_TARGET MATCHES "^([^-]+)-linux-")
  set(CMAKE_SYSTEM_NAME Linux)
  set(CMAKE_SYSTEM_PROCESSOR ${CMAKE_MATCH_1})
elseif(BRIDLE_ZIG_TARGET MATCHES "^aarch64-macos")
  set(CMAKE_SYSTEM_NAME Darwin)
  set(CMAKE_SYSTEM_PROCESSOR arm64)
  set(CMAKE_INSTALL_NAME_TOOL /bin/false)  # CMake insists on one; only an installation would need it
else()
  message(FATAL_ERROR "BRIDLE_ZIG_TARGET must be a target of zig's for Linux or macOS, got '${BRIDLE_ZIG_TARGET}'")
endif()
find_program(BRIDLE_PYTHON_WITH_ZIG NAMES python3 python NO_CMAKE_FIND_ROOT_PATH)
execute_process(COMMAND ${BRIDLE_PYTHON_WITH_ZIG} -c "import ziglang; print(ziglang.__path__[0])"
                OUTPUT_VARIABLE zig OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
set(CMAKE_C_COMPILER ${zig}/zig cc -target ${BRIDLE_ZIG_TARGET})
set(CMAKE_CXX_COMPILER ${zig}/zig c++ -target ${BRIDLE_ZIG_TARGET})
foreach(language IN ITEMS C CXX)
  set(CMAKE_${language}_FLAGS_INIT -fno-sanitize=undefined)  # zig has one in what is not optimized, for a newer musl
  # CMAKE_AR would be one word.
  set(CMAKE_${language}_ARCHIVE_CREATE "${zig}/zig ar qc <TARGET> <OBJECTS>")
  set(CMAKE_${language}_ARCHIVE_APPEND "${zig}/zig ar q <TARGET> <OBJECTS>")
  set(CMAKE_${language}_ARCHIVE_FINISH "${zig}/zig ranlib <TARGET>")
endforeach()
set(BRIDLE_X86_64 x86_64_)  # its names of processors have no "-"
