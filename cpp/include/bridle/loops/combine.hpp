// The loops of sums and averages of arrays.
#pragma once

#include <bridle/loops/half.hpp>
#include <bridle/loops/storage.hpp>
#include <bridle/ops/combine.hpp>
#include <bridle/prefetch.hpp>
#include <cstddef>

namespace bridle::inline BRIDLE_ISA {

// In blocks so short that reading and computing overlap.
inline constexpr std::size_t kCombineBlock = 64;

template <class Op, class T>
inline void combine_block(Op op, const T* x, T* to, std::size_t size) {
#pragma omp simd
  for (std::size_t i = 0; i < size; ++i) narrow(op(to[i], x[i]), to[i]);
}

// to[i] = op(to[i], x[i]), in the type that x computes in; x is `to` or overlaps nothing.
template <template <class> class Op, class S>
void combine_kernel(const void* x, void* to, double factor, std::size_t size) {
  using T = Compute<S>;
  const Op<T> op{static_cast<T>(factor)};
  const S* const from = static_cast<const S*>(x);
  T* const out = static_cast<T*>(to);
  const Prefetch prefetch(size * sizeof(T));
  for (std::size_t i = 0; i < size; i += kCombineBlock) {
    const std::size_t count = size - i < kCombineBlock ? size - i : kCombineBlock;
    prefetch(from + i, count * sizeof(S));
    prefetch(out + i, count * sizeof(T));
    if constexpr (sizeof(S) == 2) {
      alignas(64) float wide[kCombineBlock];
      widen_block(from + i, wide, count);
      combine_block(op, wide, out + i, count);
    } else {
      combine_block(op, from + i, out + i, count);
    }
  }
}

// to[i] = factor·x[i], in the type of x.
template <class S>
void scale_kernel(const void* x, void* to, double factor, std::size_t size) {
  if constexpr (sizeof(S) == 2) {
    const ops::scale<float> op{static_cast<float>(factor)};
    const S* const from = static_cast<const S*>(x);
    const Prefetch prefetch(size * sizeof(S));
    for (std::size_t i = 0; i < size; i += kCombineBlock) {
      alignas(64) float wide[kCombineBlock];
      const std::size_t count = size - i < kCombineBlock ? size - i : kCombineBlock;
      prefetch(from + i, count * sizeof(S));
      widen_block(from + i, wide, count);
      combine_block(op, wide, wide, count);
      narrow_block(wide, static_cast<S*>(to) + i, count);
    }
  } else {
    combine_kernel<ops::scale, S>(x, to, factor, size);
  }
}

}  // namespace bridle::inline BRIDLE_ISA
