#include "layout.hpp"

const char* bridle_layout() noexcept { return BRIDLE_LAYOUT; }
