// Whether the help of other threads is worth its time.
//
// Where other processes hold the processors, a worker is interrupted in the middle of its share,
// and the caller waits for it: some milliseconds for a call of some microseconds. So a caller
// measures its calls against what it takes alone, and keeps account of what help saved and what it
// cost. Once that is a loss, the caller works alone until the loss has become a small part of all
// its time, and then tries again. So the loss is bounded whatever the machine does, and nothing
// needs to be known of it.
#pragma once

#include <cstddef>
#include <cstdint>

namespace bridle {

using RangeFunction = void (*)(const void* body, std::size_t begin, std::size_t end);

// Of one thread that calls. Times are in nanoseconds.
class Judge {
 public:
  // A kind of call, of which all take about the same time.
  struct Kind {
    RangeFunction function;
    const void* work;
    std::size_t size;
    bool brief;  // so that it can be measured alone before anything else is tried
  };

  // Whether the next call should be the caller's alone.
  bool prefers_alone(const Kind& kind) noexcept;

  // What a call took. estimate: what it would have taken alone, if it is not brief, by the caller's
  // share of it; too high where the threads share the memory's bandwidth.
  void worked_alone(const Kind& kind, std::int64_t time) noexcept;
  void worked_together(const Kind& kind, std::int64_t time, std::int64_t estimate) noexcept;

 private:
  // What a kind of call takes alone, while nobody interrupts it.
  struct Usual {
    RangeFunction function = nullptr;
    const void* work = nullptr;
    std::size_t size = 0;
    std::int64_t alone = 0;   // 0: not known
    std::uint32_t calls = 0;  // with help, since it was measured
    bool was_alone = false;   // the last one: after it the data lie in the caller's cache
  };

  static constexpr std::size_t kUsuals = 64;

  Usual& usual(const Kind& kind) noexcept;
  static std::int64_t trial_of(std::int64_t call) noexcept;

  // How many times as long as what was lost the caller works alone: so the loss is a small part of
  // all time. At first little, since the machine may have been interrupted as a whole; twice as
  // much after each trial that fails.
  static constexpr std::int64_t kPatience = 10, kMostPatience = 80;
  // And no more than this: what happened then is past.
  static constexpr std::int64_t kMostOwed = 500'000'000;
  // What a trial may lose: workers that sleep are late for the first few calls. Of long calls an
  // eighth, by which they differ from each other.
  static constexpr std::int64_t kTrial = 50'000, kShareOfCall = 8;
  // Savings that are remembered.
  static constexpr std::int64_t kMost = 200'000;
  // With help for so long without a loss, all is well again.
  static constexpr std::int64_t kWell = 50'000'000;
  // After so many calls with help, what a call takes alone is measured (again).
  static constexpr std::uint32_t kFirstCalls = 8, kCallsBetween = 128;

  Usual usual_[kUsuals];
  std::int64_t balance_ = kTrial;
  std::int64_t owed_ = 0;  // time to be worked alone
  std::int64_t patience_ = kPatience;
  std::int64_t together_ = 0;  // time since the last loss
};

}  // namespace bridle
