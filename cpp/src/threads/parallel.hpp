// Threads: one job per call, all of it behind this header.
#pragma once

#include <bridle/export.h>

#include <cstddef>

#include "team.hpp"

namespace bridle {

inline constexpr int kMaxThreads = 65535;

BRIDLE_API int get_num_threads() noexcept;
// n >= 1, or 0 for the default: BRIDLE_NUM_THREADS, else what the OpenMP runtime was told
// (OMP_NUM_THREADS, threadpoolctl), else the processors that are there for this process.
BRIDLE_API void set_num_threads(int n) noexcept;
// For tests: calls that could be shared out are, in equal shares, and wait for every thread, so
// that what threads do is seen also where they do not pay.
BRIDLE_API void require_all_threads(bool required) noexcept;
// The file name of the OpenMP runtime that is loaded, or "" without one.
BRIDLE_API const char* openmp_runtime() noexcept;

BRIDLE_API void parallel_ranges(std::size_t size, std::size_t grain, std::size_t minimum,
                                RangeFunction function, const void* body,
                                const void* work) noexcept;

// Calls body(begin, end) for ranges that partition [0, size), by as many threads at a time as there
// are and are worth it: where each gets `minimum` elements or more. Inner bounds are multiples of
// `grain`, and no range but the last is shorter than a quarter of `minimum`. Serial, in one range,
// inside another call, in a parallel region of OpenMP, and while other threads keep the workers
// busy. Floating-point status flags are left as they were found. `work` tells bodies of one type
// apart that take different times for an element: by the kernel that they call, say.
template <class Body>
void parallel_for(std::size_t size, std::size_t grain, std::size_t minimum, const Body& body,
                  const void* work = nullptr) noexcept {
  parallel_ranges(
      size, grain, minimum,
      [](const void* context, std::size_t begin, std::size_t end) {
        (*static_cast<const Body*>(context))(begin, end);
      },
      &body, work);
}

// The address of a kernel, and how it is used.
template <class Kernel>
const void* work_of(Kernel kernel, int variant = 0) noexcept {
  return reinterpret_cast<const char*>(kernel) + variant;
}

}  // namespace bridle
