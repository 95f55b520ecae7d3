// Reading ahead of a loop over memory that is too large for the caches.
#pragma once

#include <bridle/export.h>

#include <bridle/config.hpp>
#include <bridle/types.hpp>

namespace bridle {

// How many bytes ahead loops over large arrays read, or 0 where the processor does better by
// itself.
BRIDLE_API std::size_t prefetch_distance() noexcept;

inline namespace BRIDLE_ISA {

// Of one loop. `range` is how much of an array it goes over: a piece of something larger, or as
// much as it is called for, in which case it may lie in the caches and nothing is read ahead.
class Prefetch {
 public:
  explicit Prefetch(std::size_t range)
      : distance_(range > kPiece && range <= kCached ? 0 : prefetch_distance()) {}

  explicit operator bool() const { return distance_ != 0; }

  // Asks for the lines of `bytes` bytes at `from` + the distance: a kilobyte or less at a time; in
  // bursts of 4 KB it gained nothing.
  void operator()(const void* from, std::size_t bytes) const {
    if (distance_ == 0) return;
    const char* const ahead = static_cast<const char*>(from) + distance_;
    for (std::size_t i = 0; i < bytes; i += kLine) __builtin_prefetch(ahead + i);
  }

 private:
  static constexpr std::size_t kPiece = 32 * 1024, kCached = 2 * 1024 * 1024;
  std::size_t distance_;
};

}  // namespace BRIDLE_ISA
}  // namespace bridle
