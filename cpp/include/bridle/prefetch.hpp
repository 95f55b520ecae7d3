// Reading ahead of a loop over memory that is too large for the caches.
#pragma once

#include <bridle/config.hpp>
#include <bridle/types.hpp>

namespace bridle::inline BRIDLE_ISA {

// Asks for the lines of `bytes` bytes at `from` + kPrefetchAhead. Loops over large arrays do this a
// kilobyte or less at a time: in bursts of 4 KB it gained nothing, beside 8 to 40 % for sums, work
// in place and streaming.
inline void prefetch_ahead(const void* from, std::size_t bytes) {
  const char* const ahead = static_cast<const char*>(from) + kPrefetchAhead;
  for (std::size_t i = 0; i < bytes; i += kLine) __builtin_prefetch(ahead + i);
}

}  // namespace bridle::inline BRIDLE_ISA
