// The loops of sums and averages of arrays.
#pragma once

#include <bridle/loops/storage.hpp>
#include <bridle/ops/combine.hpp>
#include <cstddef>

namespace bridle::inline BRIDLE_ISA {

// to[i] = op(to[i], x[i]); x is `to` or overlaps nothing.
template <template <class> class Op, class T>
void combine_kernel(const void* x, void* to, double factor, std::size_t size) {
  const Op<T> op{static_cast<T>(factor)};
  const T* const from = static_cast<const T*>(x);
  T* const out = static_cast<T*>(to);
#pragma omp simd
  for (std::size_t i = 0; i < size; ++i) narrow(op(out[i], from[i]), out[i]);
}

}  // namespace bridle::inline BRIDLE_ISA
