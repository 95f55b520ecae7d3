// Places of which each is one thread's at a time, such as its share of scratch memory.
#pragma once

#include <atomic>
#include <cstdint>

namespace bridle {

class Slots {
 public:
  static constexpr int kMost = 64;

  explicit Slots(int count = kMost) noexcept : free_(~std::uint64_t{0} >> (kMost - count)) {}

  // The lowest place that is free; waits for one if there is none.
  int take() noexcept {
    for (;;) {
      std::uint64_t free = free_.load(std::memory_order_relaxed);
      if (free == 0) continue;
      const int slot = __builtin_ctzll(free);
      if (free_.compare_exchange_weak(free, free & (free - 1), std::memory_order_acquire)) {
        return slot;
      }
    }
  }
  void give_back(int slot) noexcept {
    free_.fetch_or(std::uint64_t{1} << slot, std::memory_order_release);
  }

 private:
  std::atomic<std::uint64_t> free_;
};

}  // namespace bridle
