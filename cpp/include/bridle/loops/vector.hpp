// Vectors of the width that the instruction set has, as the compilers' own vector types. They are
// used only where gcc was measured to keep accumulators in memory (sums) or not to vectorize at all
// (ChaCha).
#pragma once

#include <bridle/config.hpp>
#include <cstddef>

#if defined(__SSE2__)
#include <immintrin.h>
#endif

namespace bridle::inline BRIDLE_ISA {

#if defined(__AVX512F__)
inline constexpr std::size_t kVectorBytes = 64;
#elif defined(__AVX2__)
inline constexpr std::size_t kVectorBytes = 32;
#else
inline constexpr std::size_t kVectorBytes = 16;
#endif

template <class T, std::size_t kSize = kVectorBytes / sizeof(T)>
struct VectorOf {
  static constexpr std::size_t size = kSize;
  typedef T type __attribute__((vector_size(kSize * sizeof(T))));
};
template <class T, std::size_t kSize = kVectorBytes / sizeof(T)>
using Vector = typename VectorOf<T, kSize>::type;

template <class V, class T>
inline V load(const T* from) {
  V value;
  __builtin_memcpy(&value, from, sizeof value);
  return value;
}

template <class V, class T>
inline void store(const V& value, T* to) {
  __builtin_memcpy(to, &value, sizeof value);
}

// As many elements as there are doubles in a vector. gcc takes __builtin_convertvector apart into
// halves, or numbers, which took a quarter to a half of the time of a sum.
inline Vector<double> load_doubles(const double* from) { return load<Vector<double>>(from); }
inline Vector<double> load_doubles(const float* from) {
#if defined(__AVX512F__)  // the form without a mask makes gcc 12 warn of its own header
  return (Vector<double>)_mm512_maskz_cvtps_pd(0xff, _mm256_loadu_ps(from));
#elif defined(__AVX__)
  return (Vector<double>)_mm256_cvtps_pd(_mm_loadu_ps(from));
#elif defined(__SSE2__)
  return (Vector<double>)_mm_cvtps_pd(
      (__m128)_mm_loadl_epi64(reinterpret_cast<const __m128i*>(from)));
#else
  return __builtin_convertvector((load<Vector<float, VectorOf<double>::size>>(from)),
                                 Vector<double>);
#endif
}

}  // namespace bridle::inline BRIDLE_ISA
