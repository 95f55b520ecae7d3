// fork(): the workers are gone in the child, which starts its own.
#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <mutex>
#include <set>
#include <thread>

#include "data.hpp"
#include "reference.hpp"
#include "threads/parallel.hpp"

namespace bridle::test {
namespace {

constexpr std::size_t kSize = 8 * 32 * 1024;

std::size_t threads_at_work() {
  std::mutex mutex;
  std::set<std::thread::id> threads;
  parallel_for(kSize, 1, 1, [&](std::size_t, std::size_t) {
    const std::lock_guard lock(mutex);
    threads.insert(std::this_thread::get_id());
  });
  return threads.size();
}

double penalty(const Bytes& elements) {
  double sums[kMaxSums];
  Array w(sizeof(float), elements, sizeof(float));
  const double strength = 1.0;
  reduce(0, DType::float32, w.operand(), kSize, &strength, sums);
  return sums[0];
}

// The exit status of a child that runs `work`, −1 if it had to be killed.
template <class Work>
int status_of_child(Work work) {
  const pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    alarm(20);
    _exit(work());
  }
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST_CASE("a child works by as many threads, with the same results, and so does its own child") {
  set_num_threads(4);
  const Bytes elements = ordinary_elements(DType::float32, kSize, 1);
  const double expected = penalty(elements);  // the workers have started now
  const auto works = [&] {
    const bool all = threads_at_work() == 4 && get_num_threads() == 4;
    return all && penalty(elements) == expected ? 0 : 1;
  };
  CHECK(status_of_child(works) == 0);
  CHECK(status_of_child([&] { return works() + status_of_child(works); }) == 0);
  CHECK(works() == 0);  // the parent goes on as before
  set_num_threads(0);
}

TEST_CASE("a child of a process whose other threads are at work does not wait for their job") {
  set_num_threads(4);
  std::atomic<bool> over{false};
  std::thread other([&] {
    while (!over) threads_at_work();
  });
  for (int i = 0; i < 20; ++i) {
    CHECK(status_of_child([] { return threads_at_work() == 4 ? 0 : 1; }) == 0);
  }
  over = true;
  other.join();
  set_num_threads(0);
}

}  // namespace
}  // namespace bridle::test
