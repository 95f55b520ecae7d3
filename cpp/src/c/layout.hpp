// How the extension module recognizes the library that it was built with
// (cmake/BridleLayout.cmake).
#pragma once

#include <bridle/export.h>

extern "C" {

// The version and the layout of this library.
BRIDLE_API const char* bridle_layout() noexcept;
}
