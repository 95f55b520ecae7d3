// Sums over the chunks of an array, added level by level: the order that the numerical contract
// promises, by any number of threads.
#pragma once

#include <algorithm>
#include <cstddef>

#include "core.hpp"
#include "pairwise.hpp"
#include "threads/parallel.hpp"

namespace bridle {

// Elements from which on a second thread pays, where they are only summed.
inline constexpr std::size_t kLeastForSums = 32 * 1024;

// chunk(begin, size, sums) writes the sums of one chunk. `begin` is a multiple of kChunk.
template <std::size_t kWidth, std::size_t kLevels = kSumLevels, class Chunk>
void sum_range(std::size_t width, std::size_t begin, std::size_t end, const Chunk& chunk,
               double* sums) {
  PairwiseSum<kWidth, kLevels> total(width);
  for (std::size_t i = begin; i < end; i += kChunk) {
    chunk(i, std::min(kChunk, end - i), total.next());
    total.push();
  }
  total.finish(sums);
}

// Its tree takes no room on the stack while the subtrees are computed.
template <std::size_t kWidth>
[[gnu::noinline]] void sum_subtrees(std::size_t width, const double (*partial)[kWidth],
                                    std::size_t subtrees, double* sums) {
  PairwiseSum<kWidth> total(width);
  for (std::size_t t = 0; t < subtrees; ++t) {
    std::copy_n(partial[t], width, total.next());
    total.push();
  }
  total.finish(sums);
}

// Every thread computes whole subtrees, of `least` elements at least in all; their sums meet in the
// same tree again. work: see parallel_for. Not inlined, since callers that call it several times
// would hold as many partial sums.
template <std::size_t kWidth, class Chunk>
[[gnu::noinline]] void sum_parallel(std::size_t width, std::size_t size, std::size_t least,
                                    const Chunk& chunk, const void* work, double* sums) {
  constexpr std::size_t most = kWidth > 4 ? 112 : 256;  // they lie on the stack
  constexpr std::size_t levels = kSumLevels - 5;        // of a subtree: less than a part of 2⁻⁵
  std::size_t elements = kChunk;                        // of one subtree
  while (elements * most < size) elements *= 2;
  const std::size_t subtrees = (size + elements - 1) / elements;
  double partial[most][kWidth];
  parallel_for(
      subtrees, 1, std::max<std::size_t>(1, least / elements),
      [&](std::size_t begin, std::size_t end) {
        for (std::size_t t = begin; t < end; ++t) {
          sum_range<kWidth, levels>(width, t * elements, std::min(size, (t + 1) * elements), chunk,
                                    partial[t]);
        }
      },
      work);
  sum_subtrees(width, partial, subtrees, sums);
}

}  // namespace bridle
