// Threads: ranges partition the work, nothing is nested, nothing global changes.
#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <mutex>
#include <set>
#include <thread>
#include <utility>
#include <vector>

#include "threads/parallel.hpp"

#if defined(__linux__)
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif
#if defined(_OPENMP)
#include <omp.h>
#endif

namespace bridle::test {
namespace {

using Range = std::pair<std::size_t, std::size_t>;

struct Parts {
  std::vector<Range> ranges;
  std::set<std::thread::id> threads;
};

Parts parts(std::size_t size, std::size_t grain, std::size_t minimum) {
  std::mutex mutex;
  Parts result;
  parallel_for(size, grain, minimum, [&](std::size_t begin, std::size_t end) {
    const std::lock_guard lock(mutex);
    result.ranges.emplace_back(begin, end);
    result.threads.insert(std::this_thread::get_id());
  });
  std::sort(result.ranges.begin(), result.ranges.end());
  return result;
}

void check_partition(std::size_t size, std::size_t grain, std::size_t minimum, int threads) {
  CAPTURE(size);
  CAPTURE(grain);
  CAPTURE(minimum);
  CAPTURE(threads);
  const Parts all = parts(size, grain, minimum);
  REQUIRE(all.ranges.empty() == (size == 0));
  const std::size_t wanted =
      std::min({static_cast<std::size_t>(threads), size / minimum, (size + grain - 1) / grain});
  CHECK(all.threads.size() == (size == 0 ? 0 : std::max<std::size_t>(wanted, 1)));
  std::size_t covered = 0;
  for (const auto& [begin, end] : all.ranges) {
    CHECK(begin == covered);  // once each, without a gap
    CHECK(begin < end);
    CHECK(begin % grain == 0);
    if (end != size) CHECK(end - begin >= minimum / 4);
    covered = end;
  }
  CHECK(covered == size);
}

TEST_CASE("ranges partition the work, and every thread gets some") {
  for (const bool required : {true, false}) {
    for (int threads = 1; threads <= 4; ++threads) {
      set_num_threads(threads);
      for (const std::size_t grain : {1, 8, 512}) {
        for (const std::size_t minimum : {1, 512, 4096}) {
          for (const std::size_t size :
               {0, 1, 511, 1023, 1024, 1025, 8191, 8192, 8193, 12289, 100000, 3000000}) {
            require_all_threads(true);
            if (required) check_partition(size, grain, minimum, threads);
            require_all_threads(false);
            std::size_t covered = 0;
            for (const auto& [begin, end] : parts(size, grain, minimum).ranges) {
              REQUIRE(begin == covered);
              covered = end;
            }
            REQUIRE(covered == size);
          }
        }
      }
    }
  }
  require_all_threads(true);
  set_num_threads(0);
}

// Whether a worker comes in one of up to `calls` calls of `size` ranges that take a while: a
// millisecond each, since less is no time at all by gcc's library for Windows.
bool a_worker_comes(std::size_t size, int calls) {
  const auto caller = std::this_thread::get_id();
  std::atomic<bool> came = false;
  for (int i = 0; i < calls && !came; ++i) {
    parallel_for(size, 1, 1, [&](std::size_t begin, std::size_t end) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1) * (end - begin));
      if (std::this_thread::get_id() != caller) came = true;
    });
  }
  return came;
}

TEST_CASE("workers come where they pay, without being required: to a long call at once") {
  require_all_threads(false);
  set_num_threads(2);
  bool brief = false, lasting = false;
  std::thread([&] { brief = a_worker_comes(16, 10000); }).join();  // callers without a past
  std::thread([&] { lasting = a_worker_comes(200, 1); }).join();
  CHECK(brief);
  CHECK(lasting);
  set_num_threads(0);
  require_all_threads(true);
}

// Run by ctest once with the variable set, once without.
TEST_CASE("BRIDLE_NUM_THREADS is the number to start with" *
          doctest::skip(!std::getenv("BRIDLE_NUM_THREADS"))) {
  CHECK(get_num_threads() == std::atoi(std::getenv("BRIDLE_NUM_THREADS")));
}

TEST_CASE("inside another call the work is serial") {
  set_num_threads(3);
  std::atomic<int> calls{0}, inner{0};
  parallel_for(3, 1, 1, [&](std::size_t, std::size_t) {
    ++calls;
    inner += static_cast<int>(parts(1 << 20, 1, 1).ranges.size());
  });
  CHECK(inner == calls);
  set_num_threads(0);
}

TEST_CASE("calls of several threads at a time are all done") {
  set_num_threads(3);
  std::atomic<std::size_t> covered{0};
  std::vector<std::thread> callers;
  for (int t = 0; t < 4; ++t) {
    callers.emplace_back([&] {
      for (int i = 0; i < 100; ++i) {
        parallel_for(1000, 1, 10,
                     [&](std::size_t begin, std::size_t end) { covered += end - begin; });
      }
    });
  }
  for (std::thread& caller : callers) caller.join();
  CHECK(covered == 4 * 100 * 1000);
  set_num_threads(0);
}

#if defined(__linux__)

cpu_set_t processors_of(pid_t thread) {
  cpu_set_t mask;
  CPU_ZERO(&mask);
  sched_getaffinity(thread, sizeof mask, &mask);
  return mask;
}

bool may_run_on(const cpu_set_t& processors, pid_t thread = 0) {
  const cpu_set_t mask = processors_of(thread);
  return CPU_EQUAL(&processors, &mask);
}

TEST_CASE("no affinity mask is another one after a call, the caller's and those of workers") {
  set_num_threads(4);
  const cpu_set_t before = processors_of(0);
  std::mutex mutex;
  std::set<pid_t> threads;
  for (int i = 0; i < 50; ++i) {
    // After a pause in which they fall asleep.
    if (i % 10 == 0) std::this_thread::sleep_for(std::chrono::milliseconds(5));
    std::atomic<int> others{0};
    parallel_for(4, 1, 1, [&](std::size_t, std::size_t) {
      others += !may_run_on(before);
      const std::lock_guard lock(mutex);
      threads.insert(static_cast<pid_t>(syscall(SYS_gettid)));
    });
    CHECK(others == 0);
    for (const pid_t thread : threads) CHECK(may_run_on(before, thread));
  }
  CHECK(threads.size() == 4);
  // Also where calls begin while workers go to sleep or get up, and do not wait for them.
  require_all_threads(false);
  for (int i = 0; i < 2000; ++i) {
    std::this_thread::sleep_for(std::chrono::microseconds(i % 20 * 10));
    parallel_for(200, 1, 1, [](std::size_t, std::size_t) {});
  }
  require_all_threads(true);
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  parallel_for(4, 1, 1, [](std::size_t, std::size_t) {});  // they have run
  for (const pid_t thread : threads) CHECK(may_run_on(before, thread));
  set_num_threads(0);
}

#endif

#if defined(_OPENMP)

TEST_CASE("inside a parallel region the work is serial, though the host allows nested ones") {
  const int before = omp_get_max_active_levels();
  omp_set_max_active_levels(2);
  set_num_threads(4);
  std::atomic<int> calls{0}, ranges{0};
#pragma omp parallel num_threads(2)
  {
    ++calls;
    ranges += static_cast<int>(parts(1 << 20, 1, 1).ranges.size());
  }
  set_num_threads(0);
  omp_set_max_active_levels(before);
  CHECK(ranges == calls);
}

TEST_CASE("what the OpenMP runtime is told holds until a number is set, and stays as it was") {
  const int before = omp_get_max_threads();
  omp_set_num_threads(before + 1);
  CHECK(get_num_threads() == before + 1);
  set_num_threads(before + 2);
  parts(1 << 20, 1, 1);
  CHECK(get_num_threads() == before + 2);
  CHECK(omp_get_max_threads() == before + 1);
  omp_set_num_threads(before);
  set_num_threads(0);
  CHECK(get_num_threads() >= 1);
}

#endif

}  // namespace
}  // namespace bridle::test
