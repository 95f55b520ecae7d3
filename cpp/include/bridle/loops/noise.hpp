// The loops of the dropout family: make the random numbers of a piece, and apply them or store the
// decisions.
#pragma once

#include <bridle/loops/chacha.hpp>
#include <bridle/loops/half.hpp>
#include <bridle/loops/normal.hpp>
#include <bridle/ops/dropout.hpp>
#include <utility>

namespace bridle::inline BRIDLE_ISA {

inline constexpr std::size_t kDrawn = kInterleaved * kDraws;  // random numbers made at once
static_assert(kDrawn <= kNoiseBlock);

// The decisions of a threshold other than 0 and 2³², which need no draws: values[j] < draw_limit
// iff element j of the superblocks is kept. A draw that equals the high half of the threshold
// leaves the decision to the low half: one in 65536. It is replaced by 0 (keep) or 65535 (drop).
inline void draw_decisions_kernel(const RandomDraws& from, std::uint64_t superblock,
                                  std::uint16_t* values, const Soon& soon) {
  const auto high = static_cast<std::uint16_t>(from.threshold >> 16);
  const auto low = static_cast<std::uint16_t>(from.threshold & 0xffffu);
  const bool tie = draw_superblocks<true>(from.key, from.domain, superblock, values, soon, high);
  if (!tie || low == 0) return;  // for low = 0 the tie is dropped, as the limit says
  alignas(64) std::uint16_t low_draws[kDrawn];
  draw_superblocks(from.key, from.domain + 1, superblock, low_draws);
#pragma omp simd
  for (std::size_t j = 0; j < kDrawn; ++j) {
    const auto settled = static_cast<std::uint16_t>(low_draws[j] < low ? 0 : 0xffff);
    values[j] = values[j] == high ? settled : values[j];
  }
}

// values[j] = the high half of u(j), which is all that rounding to a half needs.
inline void draw_high_halves_kernel(const RandomDraws& from, std::uint64_t superblock,
                                    std::uint16_t* values, const Soon& soon) {
  draw_superblocks(from.key, from.domain, superblock, values, soon);
}

// values[j] = u(j), the uniform 32-bit number of element j of the superblocks.
inline void draw_uniforms_kernel(const RandomDraws& from, std::uint64_t superblock,
                                 std::uint32_t* values, const Soon& soon) {
  alignas(64) std::uint16_t high[kDrawn], low[kDrawn];
  draw_superblocks(from.key, from.domain, superblock, high, soon);
  draw_superblocks(from.key, from.domain + 1, superblock, low);
#pragma omp simd
  for (std::size_t j = 0; j < kDrawn; ++j) values[j] = std::uint32_t{high[j]} << 16 | low[j];
}

// values[j] = the standard normal deviate of element j of the superblocks.
inline void draw_normals_kernel(const RandomDraws& from, std::uint64_t superblock, float* values,
                                const Soon& soon) {
  alignas(64) std::uint32_t uniforms[kDrawn];
  draw_uniforms_kernel(from, superblock, uniforms, soon);
#pragma omp simd
  for (std::size_t j = 0; j < kDrawn; ++j) values[j] = normal_of(uniforms[j]);
}

inline bool noise_of(std::uint16_t draw, std::uint16_t limit) { return draw < limit; }
inline float noise_of(float deviate, std::uint16_t) { return deviate; }

// to[i] = op(from[i], noise[i]), element by element.
template <class Op, class S, class Value>
inline void apply_noise(Op op, const Value* noise, std::uint16_t limit, const S* from, S* to,
                        std::size_t size) {
  if constexpr (kWidensInBlocks<S>) {
    for (std::size_t begin = 0; begin < size; begin += kNoiseStep) {
      alignas(64) float wide[kNoiseStep];
      const std::size_t step = size - begin < kNoiseStep ? size - begin : kNoiseStep;
      widen_block(from + begin, wide, step);
      apply_noise(op, noise + begin, limit, wide, wide, step);
      narrow_block(wide, to + begin, step);
    }
  } else {
    const auto result_at = [=](std::size_t i) {
      return op(widen(from[i]), noise_of(noise[i], limit));
    };
#pragma omp simd
    for (std::size_t i = 0; i < size; ++i) narrow(result_at(i), to[i]);
  }
}

template <class Op, std::size_t... I>
inline Op with_members(const double* members, std::index_sequence<I...>) {
  using T = decltype(Op{}(0, {}));
  return Op{static_cast<T>(members[I])...};
}

// out[i] = op{members}(x[i], noise[i]). Decisions are draws, kept below the limit. out is x or
// overlaps nothing.
template <template <class> class Op, class S>
void noise_kernel(const void* x, void* out, const void* noise, const NoiseArguments& arguments,
                  std::size_t size) {
  using T = Compute<S>;
  using Value = NoiseValue<typename Op<T>::Noise>;
  // The functors are aggregates of T alone.
  constexpr std::size_t members = sizeof(Op<T>) / sizeof(T);
  const auto op = with_members<Op<T>>(arguments.members, std::make_index_sequence<members>{});
  apply_noise(op, static_cast<const Value*>(noise), arguments.limit, static_cast<const S*>(x),
              static_cast<S*>(out), size);
}

// keep[i] = 1 if kept, else 0.
inline void mask_bytes_kernel(const std::uint16_t* draws, std::uint16_t limit, std::uint8_t* keep,
                              std::size_t size) {
#pragma omp simd
  for (std::size_t i = 0; i < size; ++i) keep[i] = draws[i] < limit;
}

// Bit i % 8 of byte i / 8 = keep[i]; the last byte is filled up with 0, and keep is as long as
// that.
inline void pack_bits(std::uint8_t* keep, std::size_t size, std::uint8_t* bits) {
  for (std::size_t i = size; i % 8 != 0; ++i) keep[i] = 0;
  for (std::size_t byte = 0; 8 * byte < size; ++byte) {
    // The product gathers the lowest bit of each of eight bytes in its highest byte.
    const auto bytes = load<std::uint64_t>(keep + 8 * byte);
    bits[byte] = static_cast<std::uint8_t>(bytes * 0x0102040810204080u >> 56);
  }
}

// draws[i] = 0 where bit i is set, else 65535: decisions for the limit 1. Whole bytes of bits are
// read, and size is at most kNoiseBlock.
inline void unpack_bits_kernel(const std::uint8_t* bits, std::size_t size, std::uint16_t* draws,
                               const Soon& soon) {
  for (std::size_t begin = 0; begin < size; begin += kNoiseStep) {
    for (std::size_t i = 0; i < soon.bytes * kNoiseStep / kDrawn; i += kLine) {
      ask_for_line(soon, soon.bytes * begin / kDrawn + i);
    }
    alignas(64) std::uint8_t set[kNoiseStep];  // not 0 where the bit is set
    const std::size_t step = size - begin < kNoiseStep ? size - begin : kNoiseStep;
    for (std::size_t byte = 0; 8 * byte < step; ++byte) {
      store(bits[begin / 8 + byte] * 0x0101010101010101u & 0x8040201008040201u, set + 8 * byte);
    }
#pragma omp simd
    for (std::size_t i = 0; i < step; ++i) {
      draws[begin + i] = static_cast<std::uint16_t>(set[i] != 0 ? 0 : 0xffff);
    }
  }
}

}  // namespace bridle::inline BRIDLE_ISA
