#include "streaming.hpp"

#include <unistd.h>

#include <cstdint>
#include <cstring>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace bridle {
namespace {

constexpr std::size_t kLine = StreamWriter::kLine;

// Both aligned to a line, a multiple of it long.
void stream_lines(const char* from, char* to, std::size_t bytes) noexcept {
#if defined(__SSE2__)
  for (std::size_t i = 0; i < bytes; i += sizeof(__m128i)) {
    _mm_stream_si128(reinterpret_cast<__m128i*>(to + i),
                     _mm_load_si128(reinterpret_cast<const __m128i*>(from + i)));
  }
#else
  std::memcpy(to, from, bytes);
#endif
}

[[maybe_unused]] std::size_t last_level_cache() noexcept {
#if defined(_SC_LEVEL3_CACHE_SIZE)
  const long size = sysconf(_SC_LEVEL3_CACHE_SIZE);
  if (size > 0) return static_cast<std::size_t>(size);
#endif
  return std::size_t{32} << 20;
}

}  // namespace

#if defined(__SSE2__)
bool worth_streaming(std::size_t bytes) noexcept {
  static const std::size_t least = 2 * last_level_cache();
  return bytes >= least;
}
#else
bool worth_streaming(std::size_t) noexcept { return false; }
#endif

StreamWriter::StreamWriter(void* to) noexcept
    : to_(static_cast<char*>(to)), begin_(reinterpret_cast<std::uintptr_t>(to) % kLine), fill_(begin_) {}

void StreamWriter::commit(std::size_t bytes) noexcept {
  fill_ += bytes;
  const std::size_t whole = fill_ / kLine * kLine;
  if (whole == 0) return;
  std::size_t begin = begin_;
  if (begin > 0) {  // the line that the result shares with what lies before it
    std::memcpy(to_, buffer_ + begin, kLine - begin);
    to_ += kLine - begin;
    begin = kLine;
  }
  stream_lines(buffer_ + begin, to_, whole - begin);
  to_ += whole - begin;
  begin_ = 0;
  fill_ -= whole;
  std::memcpy(buffer_, buffer_ + whole, fill_);
}

void StreamWriter::flush() noexcept {
  std::memcpy(to_, buffer_ + begin_, fill_ - begin_);
#if defined(__SSE2__)
  _mm_sfence();
#endif
}

}  // namespace bridle
