// fork(): the workers are gone in the child, so it works alone, and does not wait for them for
// ever.
#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>

#include "data.hpp"
#include "parallel.hpp"
#include "reference.hpp"

namespace bridle::test {
namespace {

constexpr std::size_t kSize = 8 * 32 * 1024;

int parts_of_work() {
  std::atomic<int> parts{0};
  parallel_for(kSize, 1, 1, [&](std::size_t, std::size_t) { ++parts; });
  return parts;
}

double penalty(const Bytes& elements) {
  double sums[kMaxSums];
  Array w(sizeof(float), elements, sizeof(float));
  reduce(0, DType::float32, w.operand(), kSize, sums);
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

TEST_CASE("a child works serially, with the same results, and so does its own child") {
  set_num_threads(4);
  const Bytes elements = ordinary_elements(DType::float32, kSize, 1);
  const double expected = penalty(elements);  // the workers have started now
  const auto works = [&] { return parts_of_work() == 1 && penalty(elements) == expected ? 0 : 1; };
  CHECK(status_of_child(works) == 0);
  CHECK(status_of_child([&] { return works() + status_of_child(works); }) == 0);
  CHECK(parts_of_work() == get_num_threads());  // the parent goes on as before
  set_num_threads(0);
}

}  // namespace
}  // namespace bridle::test
