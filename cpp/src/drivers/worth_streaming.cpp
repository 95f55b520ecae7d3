#include "streaming.hpp"
#include "system/system.hpp"

namespace bridle {

bool worth_streaming(std::size_t bytes) noexcept {
#if defined(__SSE2__)
  constexpr bool has_streaming_stores = true;
#else
  constexpr bool has_streaming_stores = false;
#endif
  static const std::size_t known = system::last_level_cache();
  static const std::size_t least = 2 * (known > 0 ? known : 32 * 1024 * 1024);
  return has_streaming_stores && bytes >= least;
}

}  // namespace bridle
