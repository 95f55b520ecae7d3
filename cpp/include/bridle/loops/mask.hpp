// The loops of dropout: draw the random bits of a superblock, decide, and apply or store the
// decisions. A threshold of 0 or 2³² needs no draws and never comes here.
#pragma once

#include <bridle/half.hpp>
#include <bridle/loops/chacha.hpp>
#include <bridle/ops/dropout.hpp>
#include <bridle/prefetch.hpp>

namespace bridle::inline BRIDLE_ISA {

// The least draw that is dropped, once settle_ties has run.
inline std::uint16_t draw_limit(std::uint64_t threshold) {
  const std::uint64_t high = threshold >> 16;
  return static_cast<std::uint16_t>(high > 0 ? high : 1);
}

// A draw that equals the high half of the threshold leaves the decision to the low half: one in
// 65536. It is replaced by 0 (keep) or 65535 (drop), so that draw < draw_limit decides everywhere.
inline void settle_ties(const MaskCall& call, std::uint64_t superblock, std::uint16_t* draws) {
  constexpr std::size_t size = kInterleaved * kDraws;
  const auto high = static_cast<std::uint16_t>(call.threshold >> 16);
  const auto low = static_cast<std::uint16_t>(call.threshold & 0xffffu);
  if (low == 0) return;          // the draw equal to the high half is dropped, as draw_limit says
  std::uint16_t least = 0xffff;  // 0 exactly if some draw is a tie; two instructions a vector
#pragma omp simd reduction(min : least)
  for (std::size_t j = 0; j < size; ++j) {
    const auto difference = static_cast<std::uint16_t>(draws[j] ^ high);
    least = difference < least ? difference : least;
  }
  if (least != 0) return;
  alignas(64) std::uint16_t low_draws[size];
  draw_superblocks(call.key, 1, superblock, low_draws);
  for (std::size_t j = 0; j < size; ++j) {
    if (draws[j] == high) draws[j] = low_draws[j] < low ? 0 : 0xffff;
  }
}

inline constexpr std::size_t kMaskRun = kInterleaved * kDraws;
inline constexpr std::size_t kMaskBlock = 128;  // elements between two prefetches

// Calls body(draws, position, count) for runs of at most kMaskRun elements that partition the call.
template <class Body>
inline void for_each_run(const MaskCall& call, Body body) {
  alignas(64) std::uint16_t draws[kMaskRun];
  std::size_t position = 0;
  while (position < call.size) {
    const std::uint64_t index = call.index + position;
    const std::size_t first = index % kDraws;
    const std::size_t left = call.size - position;
    const std::size_t count = kMaskRun - first < left ? kMaskRun - first : left;
    draw_superblocks(call.key, 0, index / kDraws, draws);
    settle_ties(call, index / kDraws, draws);
    body(draws + first, position, count);
    position += count;
  }
}

// to[i] = op(from[i], kept), element by element.
template <class Op, class S>
inline void apply_draws(Op op, const std::uint16_t* draws, std::uint16_t limit, const S* from,
                        S* to, std::size_t size) {
  if constexpr (kWidensInBlocks<S>) {
    alignas(64) float wide[kMaskBlock];
    widen_block(from, wide, size);
    apply_draws(op, draws, limit, wide, wide, size);
    narrow_block(wide, to, size);
  } else {
#pragma omp simd
    for (std::size_t i = 0; i < size; ++i) narrow(op(widen(from[i]), draws[i] < limit), to[i]);
  }
}

// out[i] = op{scale}(x[i], kept(i)). out is x or overlaps nothing.
template <template <class> class Op, class S>
void mask_kernel(const void* x, void* out, const MaskCall& call) {
  const Op<Compute<S>> op{static_cast<Compute<S>>(call.scale)};
  const std::uint16_t limit = draw_limit(call.threshold);
  for_each_run(call, [=](const std::uint16_t* draws, std::size_t position, std::size_t count) {
    const S* const from = static_cast<const S*>(x) + position;
    S* const to = static_cast<S*>(out) + position;
    for (std::size_t i = 0; i < count; i += kMaskBlock) {
      const std::size_t size = count - i < kMaskBlock ? count - i : kMaskBlock;
      prefetch_ahead(from + i, size * sizeof(S));
      apply_draws(op, draws + i, limit, from + i, to + i, size);
    }
  });
}

// keep[i] = 1 if kept, else 0.
inline void mask_bytes_kernel(std::uint8_t* keep, const MaskCall& call) {
  const std::uint16_t limit = draw_limit(call.threshold);
  for_each_run(call, [=](const std::uint16_t* draws, std::size_t position, std::size_t count) {
    std::uint8_t* const to = keep + position;
#pragma omp simd
    for (std::size_t i = 0; i < count; ++i) to[i] = draws[i] < limit;
  });
}

// Bit i % 8 of byte i / 8 = 1 if kept, i counted from the first element; the last byte is filled up
// with 0.
inline void mask_bits_kernel(std::uint8_t* bits, const MaskCall& call) {
  constexpr std::size_t batch = 4096;
  alignas(64) std::uint8_t keep[batch];
  for (std::size_t begin = 0; begin < call.size; begin += batch) {
    MaskCall part = call;
    part.index = call.index + begin;
    part.size = call.size - begin < batch ? call.size - begin : batch;
    mask_bytes_kernel(keep, part);
    for (std::size_t i = part.size; i % 8 != 0; ++i) keep[i] = 0;
    for (std::size_t byte = 0; 8 * byte < part.size; ++byte) {
      // The product gathers the lowest bit of each of eight bytes in its highest byte.
      const auto bytes = load<std::uint64_t>(keep + 8 * byte);
      bits[begin / 8 + byte] = static_cast<std::uint8_t>(bytes * 0x0102040810204080u >> 56);
    }
  }
}

}  // namespace bridle::inline BRIDLE_ISA
