// Memory between two pages that nobody may touch.
#pragma once

#include <cstddef>

namespace bridle::test {

class GuardedMemory {
 public:
  explicit GuardedMemory(std::size_t pages);
  ~GuardedMemory();
  GuardedMemory(const GuardedMemory&) = delete;
  GuardedMemory& operator=(const GuardedMemory&) = delete;

  char* begin() const { return begin_; }
  char* end() const { return begin_ + size_; }

 private:
  std::size_t page_, size_;
  char* begin_;
};

}  // namespace bridle::test
