// Float16 in blocks. gcc does not vectorize its own half type, and the integer conversions cost
// three times the instruction that F16C has for them, so float16 loops widen a block, work on
// floats and narrow it back.
#pragma once

#include <bridle/loops/storage.hpp>
#include <bridle/loops/vector.hpp>

#if defined(__F16C__)
#include <immintrin.h>
#endif

namespace bridle::inline BRIDLE_ISA {

template <class S>
inline constexpr bool kWidensInBlocks = false;
template <>
inline constexpr bool kWidensInBlocks<Float16> = true;

// The first elements, as many as fill vectors for the instruction; returns how many.
inline std::size_t widen_vectors([[maybe_unused]] const Float16* x, [[maybe_unused]] float* wide,
                                 [[maybe_unused]] std::size_t size) {
  std::size_t i = 0;
#if defined(__AVX512F__)
  for (; i + 16 <= size; i += 16)
    store(_mm512_maskz_cvtph_ps(0xffff, load<__m256i>(x + i)), wide + i);
#elif defined(__F16C__)
  for (; i + 8 <= size; i += 8) store(_mm256_cvtph_ps(load<__m128i>(x + i)), wide + i);
#endif
  return i;
}

inline void widen_block(const Float16* x, float* wide, std::size_t size) {
  const std::size_t done = widen_vectors(x, wide, size);
#pragma omp simd
  for (std::size_t i = done; i < size; ++i) wide[i] = widen(x[i]);
}

inline void widen_block(const BFloat16* x, float* wide, std::size_t size) {
#pragma omp simd
  for (std::size_t i = 0; i < size; ++i) wide[i] = widen(x[i]);
}

// A multiple of 16 elements.
template <std::size_t kSize, class S>
inline void widen_row(const S* x, float* wide) {
  static_assert(kSize % 16 == 0);
#if defined(__F16C__)
  if constexpr (__is_same(S, Float16)) {
    widen_vectors(x, wide, kSize);
    return;
  }
#endif
  widen_block(x, wide, kSize);
}

// Rounds to nearest even. Zeros keep their signs, or are all positive.
template <bool kPositiveZeros>
inline void round_block(const float* wide, BFloat16* out, std::size_t size) {
#pragma omp simd
  for (std::size_t i = 0; i < size; ++i) {
    const std::uint32_t bits = half_bits<BFloat16>(wide[i]);
    out[i].bits = kPositiveZeros ? positive_zero(bits) : static_cast<std::uint16_t>(bits);
  }
}

template <bool kPositiveZeros>
inline void round_block(const float* wide, Float16* out, std::size_t size) {
  std::size_t i = 0;
#if defined(__AVX512F__)
  for (; i + 16 <= size; i += 16) {
    const auto bits =
        (Vector<std::uint16_t, 16>)_mm512_maskz_cvtps_ph(0xffff, load<__m512>(wide + i), 0);
    store(kPositiveZeros ? bits & (Vector<std::uint16_t, 16>)(bits != 0x8000) : bits, out + i);
  }
#elif defined(__F16C__)
  for (; i + 8 <= size; i += 8) {
    const auto bits = (Vector<std::uint16_t, 8>)_mm256_cvtps_ph(load<__m256>(wide + i), 0);
    store(kPositiveZeros ? bits & (Vector<std::uint16_t, 8>)(bits != 0x8000) : bits, out + i);
  }
#endif
#pragma omp simd
  for (std::size_t j = i; j < size; ++j) {
    const std::uint32_t bits = half_bits<Float16>(wide[j]);
    out[j].bits = kPositiveZeros ? positive_zero(bits) : static_cast<std::uint16_t>(bits);
  }
}

template <bool kKeepZeros = false, class S>
inline void narrow_block(const float* wide, S* out, std::size_t size) {
  round_block<!kKeepZeros>(wide, out, size);
  if constexpr (kKeepZeros) {  // what has become −0.0 only now
#pragma omp simd
    for (std::size_t i = 0; i < size; ++i) out[i].bits = zero_of<true>(wide[i], out[i].bits);
  }
}

template <class S>
void widen_kernel(const void* x, float* wide, std::size_t size) {
  widen_block(static_cast<const S*>(x), wide, size);
}
// With kKeepZeros a −0.0 stays.
template <class S, bool kKeepZeros>
void narrow_kernel(const float* wide, void* out, std::size_t size) {
  narrow_block<kKeepZeros>(wide, static_cast<S*>(out), size);
}

// With one uniform 16-bit number an element; all zeros are positive.
template <class S>
void narrow_randomly_kernel(const float* wide, const std::uint16_t* u, void* out,
                            std::size_t size) {
  S* const to = static_cast<S*>(out);
  if constexpr (__is_same(S, BFloat16)) {  // in half the time, unless one is close to infinity
    std::uint32_t largest = 0;
#pragma omp simd reduction(max : largest)
    for (std::size_t i = 0; i < size; ++i) {
      const std::uint32_t magnitude = bits_of(wide[i]) & 0x7fffffffu;
      largest = magnitude > largest ? magnitude : largest;
      to[i].bits = positive_zero(neighbour_randomly(wide[i], u[i]));
    }
    if (largest < kFarFromInfinity) return;
  }
#pragma omp simd
  for (std::size_t i = 0; i < size; ++i) narrow_randomly(wide[i], u[i], to[i]);
}

// The same of floats and doubles; zeros keep their signs.
template <class From, class S>
void round_randomly_kernel(const void* x, const std::uint32_t* u, void* out, std::size_t size) {
  const From* const from = static_cast<const From*>(x);
  S* const to = static_cast<S*>(out);
  const auto as_float = [=](std::size_t i) {
    if constexpr (sizeof(From) == 8) {
      return float_randomly<S>(from[i], u[i]);
    } else {
      return from[i];
    }
  };
#pragma omp simd
  for (std::size_t i = 0; i < size; ++i)
    narrow_randomly<true>(as_float(i), static_cast<std::uint16_t>(u[i] >> 16), to[i]);
}

}  // namespace bridle::inline BRIDLE_ISA
