// Conversions between the element types as NumPy has them: to nearest even, once; zeros keep their
// signs, and what is beyond the range becomes infinite.
#pragma once

#include <bridle/loops/half.hpp>
#include <bridle/prefetch.hpp>

namespace bridle::inline BRIDLE_ISA {

inline constexpr std::size_t kCastBlock = 256;

// A float that rounds to the half to which x does: inexact ones get an odd last bit, which no half
// takes for a tie.
inline float odd_float(double x) {
  const float nearest = static_cast<float>(x);
  const double back = static_cast<double>(nearest);
  const bool outwards = (back < 0 ? -back : back) > (x < 0 ? -x : x);
  const bool inexact = (back < x) | (back > x);
  const std::uint32_t odd = (bits_of(nearest) - std::uint32_t{outwards}) | 1u;
  return float_of(inexact ? odd : bits_of(nearest));
}

template <class From>
inline void to_floats(const From* x, float* wide, std::size_t size) {
  if constexpr (sizeof(From) == 2) {
    widen_block(x, wide, size);
  } else {
#pragma omp simd
    for (std::size_t i = 0; i < size; ++i) wide[i] = odd_float(x[i]);
  }
}

// At most kCastBlock elements.
template <class From, class To>
inline void cast_block(const From* x, To* out, std::size_t size) {
  if constexpr (sizeof(From) >= 4 && sizeof(To) >= 4) {
#pragma omp simd
    for (std::size_t i = 0; i < size; ++i) out[i] = static_cast<To>(x[i]);
  } else if constexpr (sizeof(From) == 2 && __is_same(To, float)) {
    widen_block(x, out, size);
  } else if constexpr (__is_same(From, float)) {
    round_block<false>(x, out, size);
  } else {
    alignas(64) float wide[kCastBlock];
    to_floats(x, wide, size);
    cast_block(wide, out, size);
  }
}

template <class From, class To>
void cast_kernel(const void* x, void* out, std::size_t size) {
  const From* const from = static_cast<const From*>(x);
  const Prefetch prefetch(size * sizeof(From));
  for (std::size_t i = 0; i < size; i += kCastBlock) {
    const std::size_t count = size - i < kCastBlock ? size - i : kCastBlock;
    prefetch(from + i, count * sizeof(From));
    cast_block(from + i, static_cast<To*>(out) + i, count);
  }
}
template <std::size_t kBytes>
void copy_elements(const void* x, void* out, std::size_t size) {
  __builtin_memcpy(out, x, size * kBytes);
}

}  // namespace bridle::inline BRIDLE_ISA
