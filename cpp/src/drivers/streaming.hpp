// Stores that bypass the caches: a result too large for them would otherwise be read before it is
// written.
#pragma once

#include <bridle/types.hpp>

namespace bridle {

// True where x and out together are so large that nothing of the result would still be cached, and
// the machine has stores that bypass the caches.
bool worth_streaming(std::size_t bytes) noexcept;

// Makes streaming stores of this thread visible to the others, in order. Needed after the last of
// them.
void fence_streaming_stores() noexcept;

// Takes a contiguous result in pieces and writes it to `to` in whole cache lines.
// Usage: write n bytes to next(), then commit(n), n <= the largest piece, for which, and a line,
// the buffer has room; flush() at the end. It is fast where n is what best_size() says.
class LineWriter {
 public:
  // The buffer begins with a cache line.
  LineWriter(void* to, char* buffer) noexcept;
  void* next() noexcept { return buffer_ + fill_; }
  // How many of `bytes` bytes to write next: those that complete a line, then all. A line that is
  // read from the buffer while two stores to it are under way waits for both, which halved the
  // speed.
  std::size_t best_size(std::size_t bytes) const noexcept {
    const std::size_t missing = (kLine - fill_ % kLine) % kLine;
    return missing > 0 && missing < bytes ? missing : bytes;
  }
  void commit(std::size_t bytes) noexcept;
  void flush() noexcept;

 private:
  char* to_;           // where buffer_[begin_] belongs; to_ and buffer_ + begin_ agree modulo kLine
  std::size_t begin_;  // the first byte of the buffer that holds a result, < kLine
  std::size_t fill_;
  char* buffer_;
};

// One with a buffer of its own, where the stack has room for it.
class StreamWriter : public LineWriter {
 public:
  static constexpr std::size_t kPiece = 8192;

  explicit StreamWriter(void* to) noexcept : LineWriter(to, room_) {}

 private:
  alignas(kLine) char room_[kPiece + kLine];
};

}  // namespace bridle
