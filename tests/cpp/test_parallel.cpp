// Threads: ranges partition the work, nothing is nested, nothing global changes.
#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <mutex>
#include <utility>
#include <vector>

#include "parallel.hpp"

#if defined(_OPENMP)
#include <omp.h>
#endif

namespace bridle::test {
namespace {

using Range = std::pair<std::size_t, std::size_t>;

std::vector<Range> ranges(std::size_t size, std::size_t grain, std::size_t minimum) {
  std::mutex mutex;
  std::vector<Range> result;
  parallel_for(size, grain, minimum, [&](std::size_t begin, std::size_t end) {
    const std::lock_guard lock(mutex);
    result.emplace_back(begin, end);
  });
  std::sort(result.begin(), result.end());
  return result;
}

void check_partition(std::size_t size, std::size_t grain, std::size_t minimum, int threads) {
  CAPTURE(size);
  CAPTURE(grain);
  CAPTURE(minimum);
  CAPTURE(threads);
  const std::vector<Range> parts = ranges(size, grain, minimum);
  REQUIRE(parts.empty() == (size == 0));
  CHECK(parts.size() <= static_cast<std::size_t>(threads));
  std::size_t covered = 0;
  for (const auto& [begin, end] : parts) {
    CHECK(begin == covered);  // once each, without a gap
    CHECK(begin < end);
    CHECK(begin % grain == 0);
    if (minimum % grain == 0 && parts.size() > 1) CHECK(end - begin >= minimum);
    covered = end;
  }
  CHECK(covered == size);
}

TEST_CASE("ranges partition the work") {
  for (int threads = 1; threads <= 4; ++threads) {
    set_num_threads(threads);
    for (const std::size_t grain : {1, 8, 512}) {
      for (const std::size_t minimum : {1, 512, 4096}) {
        for (const std::size_t size :
             {0, 1, 511, 1023, 1024, 1025, 8191, 8192, 8193, 12289, 100000}) {
          check_partition(size, grain, minimum, threads);
        }
      }
    }
  }
  set_num_threads(0);
}

TEST_CASE("the chosen number of threads is used") {
  for (int threads = 1; threads <= 4; ++threads) {
    set_num_threads(threads);
    CHECK(get_num_threads() == (*openmp_runtime() ? threads : 1));
    CHECK(ranges(1 << 20, 1, 1).size() == static_cast<std::size_t>(get_num_threads()));
  }
  set_num_threads(0);
  CHECK(get_num_threads() >= 1);
}

// Run by ctest once with the variable set, once without.
TEST_CASE("BRIDLE_NUM_THREADS is the number to start with" *
          doctest::skip(!std::getenv("BRIDLE_NUM_THREADS"))) {
  if (*openmp_runtime()) CHECK(get_num_threads() == std::atoi(std::getenv("BRIDLE_NUM_THREADS")));
}

#if defined(_OPENMP)

TEST_CASE("inside another parallel region the work is serial, though the host allows nested ones") {
  const int before = omp_get_max_active_levels();
  omp_set_max_active_levels(2);
  set_num_threads(4);
  std::atomic<int> calls{0}, parts{0};
#pragma omp parallel num_threads(2)
  {
    ++calls;
    parts += static_cast<int>(ranges(1 << 20, 1, 1).size());
  }
  set_num_threads(0);
  omp_set_max_active_levels(before);
  CHECK(parts == calls);
}

TEST_CASE("the host's own number of threads stays as it was") {
  const int before = omp_get_max_threads();
  set_num_threads(before + 1);
  ranges(1 << 20, 1, 1);
  CHECK(omp_get_max_threads() == before);
  set_num_threads(0);
  CHECK(get_num_threads() == before);
}

#endif

}  // namespace
}  // namespace bridle::test
