#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN
#include <bridle/export.h>
#include <doctest/doctest.h>

namespace bridle {
BRIDLE_API void require_all_threads(bool required) noexcept;  // of threads/parallel.hpp
}

// Threads are tested also where they do not pay.
[[maybe_unused]] static const bool required = (bridle::require_all_threads(true), true);
