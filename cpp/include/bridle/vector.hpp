// Vectors of the width that the instruction set has, as the compilers' own vector types. They are
// used only where gcc was measured to keep accumulators in memory (sums) or not to vectorize at all
// (ChaCha).
#pragma once

#include <bridle/config.hpp>
#include <cstddef>

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

}  // namespace bridle::inline BRIDLE_ISA
