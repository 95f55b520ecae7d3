// Threads: one OpenMP region per call, all of it behind this header.
#pragma once

#include <bridle/export.h>

#include <cstddef>

namespace bridle {

inline constexpr int kMaxThreads = 65535;

BRIDLE_API int get_num_threads() noexcept;
// n >= 1, or 0 for the runtime's own choice (OMP_NUM_THREADS, threadpoolctl, the affinity mask).
BRIDLE_API void set_num_threads(int n) noexcept;
// The file name of the OpenMP runtime that is loaded, or "" without one.
BRIDLE_API const char* openmp_runtime() noexcept;

using RangeFunction = void (*)(const void* body, std::size_t begin, std::size_t end);
void parallel_ranges(std::size_t size, std::size_t grain, std::size_t minimum,
                     RangeFunction function, const void* body) noexcept;

// Calls body(begin, end) for ranges that partition [0, size), one a thread; inner bounds are
// multiples of `grain`, and no thread gets less than `minimum` elements. Runs serially inside
// another parallel region and in a forked child, where libgomp would hang. Floating-point status
// flags are left as they were found.
template <class Body>
void parallel_for(std::size_t size, std::size_t grain, std::size_t minimum,
                  const Body& body) noexcept {
  parallel_ranges(
      size, grain, minimum,
      [](const void* context, std::size_t begin, std::size_t end) {
        (*static_cast<const Body*>(context))(begin, end);
      },
      &body);
}

}  // namespace bridle
