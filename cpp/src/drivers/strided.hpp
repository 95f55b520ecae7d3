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
inline void transfer_words(Operand from, Operand to, std::size_t size) {
  for (std::size_t i = 0; i < size; ++i) std::memcpy(at(to, i), at(from, i), sizeof(Word));
}

struct TwoWords {
  std::uint64_t words[2];
};

// Copies elements of `item` = 2, 4, 8 or 16 bytes.
inline void transfer(Operand from, Operand to, std::size_t item, std::size_t size) {
  switch (item) {
    case 2:
      return transfer_words<std::uint16_t>(from, to, size);
    case 4:
      return transfer_words<std::uint32_t>(from, to, size);
    case 8:
      return transfer_words<std::uint64_t>(from, to, size);
    default:
      return transfer_words<TwoWords>(from, to, size);
  }
}

// From and to a contiguous block.
inline void gather(Operand x, std::size_t item, std::size_t size, void* block) {
  if (is_contiguous(x, item)) {
    std::memcpy(block, x.data, size * item);
    return;
  }
  switch (item) {  // each with a stride that is known
    case 2:
      return transfer_words<std::uint16_t>(x, {static_cast<char*>(block), 2}, size);
    case 4:
      return transfer_words<std::uint32_t>(x, {static_cast<char*>(block), 4}, size);
    case 8:
      return transfer_words<std::uint64_t>(x, {static_cast<char*>(block), 8}, size);
    default:
      return transfer_words<TwoWords>(x, {static_cast<char*>(block), 16}, size);
  }
}

inline void scatter(const void* block, std::size_t item, std::size_t size, Operand x) {
  if (is_contiguous(x, item)) {
    std::memcpy(x.data, block, size * item);
    return;
  }
  char* const from = static_cast<char*>(const_cast<void*>(block));
  switch (item) {
    case 2:
      return transfer_words<std::uint16_t>({from, 2}, x, size);
    case 4:
      return transfer_words<std::uint32_t>({from, 4}, x, size);
    case 8:
      return transfer_words<std::uint64_t>({from, 8}, x, size);
    default:
      return transfer_words<TwoWords>({from, 16}, x, size);
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
