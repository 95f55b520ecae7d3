#include "core.hpp"
#include "parallel.hpp"
#include "streaming.hpp"

#include <algorithm>
#include <cstring>

namespace bridle {

void copy(const void* x, void* out, std::size_t bytes) noexcept {
  constexpr std::size_t piece = StreamWriter::kPiece;
  const auto* const from = static_cast<const char*>(x);
  auto* const to = static_cast<char*>(out);
  const bool streaming = worth_streaming(2 * bytes);
  parallel_for(bytes, piece, 128 * 1024, [=](std::size_t begin, std::size_t end) {
    if (!streaming) {
      std::memcpy(to + begin, from + begin, end - begin);
      return;
    }
    StreamWriter writer(to + begin);
    for (std::size_t i = begin; i < end; i += piece) {
      const std::size_t size = std::min(piece, end - i);
      std::memcpy(writer.next(), from + i, size);
      writer.commit(size);
    }
    writer.flush();
  });
}

}  // namespace bridle
