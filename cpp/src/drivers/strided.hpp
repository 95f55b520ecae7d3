// Between strided memory and the contiguous blocks that kernels work on.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "core.hpp"

namespace bridle {

inline char* at(Operand x, std::size_t i) {
  return x.data + static_cast<std::ptrdiff_t>(i) * x.stride;
}

inline bool is_contiguous(Operand x, std::size_t item) {
  return x.stride == static_cast<std::ptrdiff_t>(item);
}

template <class Word>
void gather_words(Operand x, std::size_t size, void* block) {
  for (std::size_t i = 0; i < size; ++i) {
    std::memcpy(static_cast<char*>(block) + i * sizeof(Word), at(x, i), sizeof(Word));
  }
}

template <class Word>
void scatter_words(const void* block, std::size_t size, Operand x) {
  for (std::size_t i = 0; i < size; ++i) {
    std::memcpy(at(x, i), static_cast<const char*>(block) + i * sizeof(Word), sizeof(Word));
  }
}

// Copies elements of `item` = 2, 4 or 8 bytes into a contiguous block.
inline void gather(Operand x, std::size_t item, std::size_t size, void* block) {
  if (is_contiguous(x, item)) {
    std::memcpy(block, x.data, size * item);
    return;
  }
  switch (item) {
    case 2:
      return gather_words<std::uint16_t>(x, size, block);
    case 4:
      return gather_words<std::uint32_t>(x, size, block);
    default:
      return gather_words<std::uint64_t>(x, size, block);
  }
}

inline void scatter(const void* block, std::size_t item, std::size_t size, Operand x) {
  if (is_contiguous(x, item)) {
    std::memcpy(x.data, block, size * item);
    return;
  }
  switch (item) {
    case 2:
      return scatter_words<std::uint16_t>(block, size, x);
    case 4:
      return scatter_words<std::uint32_t>(block, size, x);
    default:
      return scatter_words<std::uint64_t>(block, size, x);
  }
}

// A contiguous view of elements begin … begin + size of x: x itself, or a copy in `block`.
inline void* contiguous(Operand x, std::size_t item, std::size_t begin, std::size_t size,
                        void* block) {
  const Operand part{at(x, begin), x.stride};
  if (is_contiguous(x, item)) return part.data;
  gather(part, item, size, block);
  return block;
}

}  // namespace bridle
