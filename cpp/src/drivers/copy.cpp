#include <algorithm>
#include <bridle/prefetch.hpp>
#include <cstdint>
#include <cstring>

#include "core.hpp"
#include "dispatch.hpp"
#include "streaming.hpp"
#include "threads/parallel.hpp"

namespace bridle {
namespace {

constexpr std::size_t kPiece = 1024;
constexpr std::size_t kLeastPerThread = 128 * 1024;

void copy_streaming(const char* from, char* to, std::size_t bytes) {
  const std::size_t to_line = (kLine - reinterpret_cast<std::uintptr_t>(to) % kLine) % kLine;
  std::size_t i = std::min(bytes, to_line);
  std::memcpy(to, from, i);
  const Prefetch prefetch(bytes);
  for (; i + kPiece <= bytes; i += kPiece) {
    prefetch(from + i, kPiece);
    kernels().stream(from + i, to + i, kPiece);
  }
  std::memcpy(to + i, from + i, bytes - i);
  fence_streaming_stores();
}

}  // namespace

void copy(const void* x, void* out, std::size_t bytes) noexcept {
  const auto* const from = static_cast<const char*>(x);
  auto* const to = static_cast<char*>(out);
  const bool streaming = worth_streaming(2 * bytes);
  parallel_for(bytes, kPiece, kLeastPerThread, [=](std::size_t begin, std::size_t end) {
    if (streaming) {
      copy_streaming(from + begin, to + begin, end - begin);
    } else {
      std::memcpy(to + begin, from + begin, end - begin);
    }
  });
}

}  // namespace bridle
