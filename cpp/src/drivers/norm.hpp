// The norm of all elements of a list of arrays.
#pragma once

#include "lists.hpp"

namespace bridle {

struct NormArray {
  Walked array;
  std::size_t size;
  std::size_t first_chunk;  // how many chunks the arrays before it have
};

constexpr std::size_t chunks_of(std::size_t size) { return (size + kChunk - 1) / kChunk; }

// Σx² = squares·4^exponent. A NaN makes both numbers NaN, an infinity both infinite.
struct NormSums {
  double squares, largest;
  int exponent;
};

// Chunks of each array are summed as those of any array, and then added level by level as one
// sequence. Neither over- nor underflows.
BRIDLE_API NormSums norm_sums(const NormArray* arrays, std::size_t count) noexcept;

// |factor|·√Σx², and |factor| times the largest magnitude.
struct Norm {
  double l2, largest;
};
BRIDLE_API Norm norm_of(const NormSums& sums, double factor) noexcept;

}  // namespace bridle
