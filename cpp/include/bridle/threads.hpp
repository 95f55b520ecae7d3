// Threads: one setting for the process, shared by C, C++ and Python.
#pragma once

#include <bridle/c_api.h>

#include <bridle/config.hpp>
#include <bridle/errors.hpp>
#include <string>

namespace bridle::inline BRIDLE_ISA {

// The number of threads that a call on a large array uses: what was set, else BRIDLE_NUM_THREADS,
// else what the OpenMP runtime was told, else the processors that are there for this thread.
// Results never depend on it.
inline int get_num_threads() noexcept { return bridle_get_num_threads(); }

// Throws std::invalid_argument unless 1 <= n <= 65535.
inline void set_num_threads(int n) {
  if (bridle_set_num_threads(n) == 0) return;
  detail::fail("set_num_threads", "n must be between 1 and 65535, got " + std::to_string(n));
}

}  // namespace bridle::inline BRIDLE_ISA
