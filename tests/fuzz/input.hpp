// What a fuzzer gives, as numbers and arrays of exactly the size that is told, so that a sanitizer
// sees each access beyond them.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <iterator>
#include <memory>

namespace fuzz {

// Bytes one after the other; beyond the last one zeros.
class Input {
 public:
  Input(const std::uint8_t* data, std::size_t size) : next_(data), left_(size) {}

  template <class T>
  T take() {
    T value{};
    const std::size_t count = std::min(left_, sizeof(T));
    if (count > 0) std::memcpy(&value, next_, count);
    next_ += count;
    left_ -= count;
    return value;
  }
  // One of 0, …, count - 1.
  std::size_t below(std::size_t count) { return take<std::uint32_t>() % count; }
  bool one_of(std::size_t count) { return below(count) == 0; }

  // A length: short ones are frequent, and so are those about a vector or a chunk long.
  std::int64_t length() {
    constexpr std::int64_t about[] = {0, 1, 8, 16, 32, 64, 128, 4096};
    return std::max<std::int64_t>(about[below(std::size(about))] + take<std::int8_t>() / 16, 0);
  }
  // A parameter: ordinary ones are frequent, but every bit pattern is possible.
  double number() {
    constexpr double ordinary[] = {0.0, 1.0, 0.5, 0.1, 1e-3, 2.0, 3.7, 0.999, 1e-8, 100.0};
    return one_of(8) ? take<double>() : ordinary[below(std::size(ordinary))];
  }
  void fill(void* data, std::size_t bytes, std::size_t item) {
    auto* const out = static_cast<std::uint8_t*>(data);
    const bool ordinary = !one_of(4);  // about 1, of any type: the leading bits are those of 1
    const std::uint64_t key = take<std::uint64_t>() | 1;
    std::uint64_t state = key;
    for (std::size_t i = 0; i < bytes; ++i) {
      state = state * 6364136223846793005u + key;
      out[i] = static_cast<std::uint8_t>(state >> 56);
      if (ordinary && i % item == item - 1) out[i] = (state >> 55 & 1) ? 0x3f : 0xbf;
    }
  }

 private:
  const std::uint8_t* next_;
  std::size_t left_;
};

// Memory of this many bytes and no more.
class Memory {
 public:
  explicit Memory(std::size_t bytes) : bytes_(bytes), data_(new char[bytes]) {}
  Memory(const Memory& other) : Memory(other.bytes_) {
    std::copy_n(other.data_.get(), bytes_, data_.get());
  }
  Memory& operator=(const Memory&) = delete;
  char* data() const { return data_.get(); }
  std::size_t bytes() const { return bytes_; }
  template <class T>
  T* as() const {
    return reinterpret_cast<T*>(data_.get());
  }

 private:
  std::size_t bytes_;
  std::unique_ptr<char[]> data_;
};

// What must hold does not: the input is one that a maintainer wants to see.
inline void require(bool holds) {
  if (!holds) std::abort();
}

inline void require_same_bytes(const Memory& a, const Memory& b) {
  require(a.bytes() == b.bytes() && std::equal(a.data(), a.data() + a.bytes(), b.data()));
}

}  // namespace fuzz
