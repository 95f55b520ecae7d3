#include <algorithm>

#include "streaming.hpp"
#include "system/system.hpp"

namespace bridle {

bool worth_streaming(std::size_t bytes) noexcept {
#if defined(__SSE2__)
  constexpr bool has_streaming_stores = true;
#else
  constexpr bool has_streaming_stores = false;
#endif
  // Emerald Rapids reports 300 MB, which virtual machines share: there, with 2 threads and with 16,
  // stores that bypass the caches gain from 120 MB on, also with a pass over the result after them.
  constexpr std::size_t most = 128 * 1024 * 1024;
  static const std::size_t known = system::last_level_cache();
  static const std::size_t least = std::min(2 * (known > 0 ? known : 32 * 1024 * 1024), most);
  return has_streaming_stores && bytes >= least;
}

}  // namespace bridle
