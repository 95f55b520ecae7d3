#include "streaming.hpp"

#include <cstdint>
#include <cstring>

#include "dispatch.hpp"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace bridle {

void fence_streaming_stores() noexcept {
#if defined(__SSE2__)
  _mm_sfence();
#endif
}

LineWriter::LineWriter(void* to, char* buffer) noexcept
    : to_(static_cast<char*>(to)),
      begin_(reinterpret_cast<std::uintptr_t>(to) % kLine),
      fill_(begin_),
      buffer_(buffer) {}

void LineWriter::commit(std::size_t bytes) noexcept {
  fill_ += bytes;
  const std::size_t whole = fill_ / kLine * kLine;
  if (whole == 0) return;
  std::size_t begin = begin_;
  if (begin > 0) {  // the line that the result shares with what lies before it
    std::memcpy(to_, buffer_ + begin, kLine - begin);
    to_ += kLine - begin;
    begin = kLine;
  }
  kernels().stream(buffer_ + begin, to_, whole - begin);
  to_ += whole - begin;
  begin_ = 0;
  fill_ -= whole;
  std::memcpy(buffer_, buffer_ + whole, fill_);
}

void LineWriter::flush() noexcept {
  std::memcpy(to_, buffer_ + begin_, fill_ - begin_);
  fence_streaming_stores();
}

}  // namespace bridle
