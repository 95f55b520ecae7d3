// When help is asked for: the loss is bounded, and a quiet machine is found to be quiet again.
#include <doctest/doctest.h>

#include <initializer_list>

#include "threads/judge.hpp"

namespace bridle::test {
namespace {

constexpr std::int64_t kMicrosecond = 1'000, kMillisecond = 1'000'000;

void some_function(const void*, std::size_t, std::size_t) {}

constexpr Judge::Kind brief{some_function, nullptr, 100'000, true};
constexpr Judge::Kind lasting{some_function, nullptr, 10'000'000, false};

// A machine where a call takes `alone`, and with help what `help(now)` says.
struct Machine {
  Judge judge;
  std::int64_t now = 0, calls = 0, helped = 0;

  template <class Help>
  void run(const Judge::Kind& kind, std::int64_t alone, std::int64_t until, const Help& help) {
    for (; now < until; ++calls) {
      const bool by_itself = judge.prefers_alone(kind);
      const std::int64_t time = by_itself ? alone : help(now);
      if (by_itself) {
        judge.worked_alone(kind, time);
      } else {
        judge.worked_together(kind, time, alone);
        ++helped;
      }
      now += time;
    }
  }
};

TEST_CASE("where help pays, nearly all calls have it") {
  Machine machine;
  machine.run(brief, 8 * kMicrosecond, 100 * kMillisecond,
              [](std::int64_t) { return 5 * kMicrosecond; });
  CHECK(static_cast<double>(machine.helped) > 0.95 * static_cast<double>(machine.calls));
}

TEST_CASE("a brief call is measured alone before anything else, a lasting one soon") {
  Judge judge;
  CHECK(judge.prefers_alone(brief));
  CHECK_FALSE(judge.prefers_alone(lasting));
  Machine machine;
  // The estimate is wrong: what it takes alone is half of it.
  machine.run(lasting, kMillisecond, 20 * kMillisecond,
              [](std::int64_t) { return 1900 * kMicrosecond; });
  machine.judge = Judge();
  for (int i = 0; i < 8; ++i) machine.judge.worked_together(lasting, 19, 20);
  CHECK(machine.judge.prefers_alone(lasting));
}

TEST_CASE("what takes different times is told apart") {
  Machine machine;
  const int other = 0;
  const Judge::Kind slow{some_function, &other, 100'000, true};
  for (int i = 0; i < 1000; ++i) {  // in turn, as in a training loop
    machine.run(brief, 10 * kMicrosecond, machine.now + 1,
                [](std::int64_t) { return 6 * kMicrosecond; });
    machine.run(slow, 100 * kMicrosecond, machine.now + 1,
                [](std::int64_t) { return 60 * kMicrosecond; });
  }
  CHECK(static_cast<double>(machine.helped) > 0.95 * static_cast<double>(machine.calls));
}

TEST_CASE("where help always costs, the loss is a small part of all time") {
  for (const Judge::Kind& kind : {brief, lasting}) {
    for (const std::int64_t cost : {3, 50, 4000}) {
      Machine machine;
      constexpr std::int64_t alone = 10 * kMicrosecond, all = 2000 * kMillisecond;
      machine.run(kind, alone, all, [&](std::int64_t) { return alone + cost * kMicrosecond; });
      CHECK(machine.now - machine.calls * alone < all / 25);
    }
  }
}

TEST_CASE("where a worker is interrupted every few milliseconds, the mean is nearly that of one") {
  for (const std::int64_t alone : {8 * kMicrosecond, 70 * kMicrosecond, 1100 * kMicrosecond}) {
    Machine machine;
    std::int64_t last = 0;  // interruption
    constexpr std::int64_t all = 5000 * kMillisecond;
    machine.run(brief, alone, all, [&](std::int64_t now) {
      const bool interrupted = now - last > 4 * kMillisecond;
      if (interrupted) last = now;
      return alone / 2 + interrupted * 4 * kMillisecond;
    });
    CHECK(machine.now < 1.05 * static_cast<double>(machine.calls * alone));
  }
}

TEST_CASE("when the machine is quiet again, help comes back by itself") {
  Machine machine;
  constexpr std::int64_t alone = 10 * kMicrosecond;
  const auto costs = [](std::int64_t) { return 4 * kMillisecond; };
  const auto pays = [](std::int64_t) { return 6 * kMicrosecond; };
  machine.run(brief, alone, 10'000 * kMillisecond, costs);
  machine.run(brief, alone, machine.now + 2000 * kMillisecond, pays);
  machine.helped = machine.calls = 0;
  machine.run(brief, alone, machine.now + 100 * kMillisecond, pays);
  CHECK(static_cast<double>(machine.helped) > 0.95 * static_cast<double>(machine.calls));
}

TEST_CASE("a long interruption is forgotten after half a second") {
  Judge judge;
  judge.worked_together(lasting, 100'000 * kMillisecond, kMillisecond);
  CHECK(judge.prefers_alone(lasting));
  judge.worked_alone(lasting, 499 * kMillisecond);
  CHECK(judge.prefers_alone(lasting));
  judge.worked_alone(lasting, kMillisecond);
  CHECK_FALSE(judge.prefers_alone(lasting));
}

}  // namespace
}  // namespace bridle::test
