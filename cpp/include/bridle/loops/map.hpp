// The loop of every elementwise operator: out[i] = op{parameters[i]}(x[i]).
#pragma once

#include <bridle/loops/half.hpp>
#include <bridle/ops.hpp>
#include <bridle/prefetch.hpp>
#include <cstddef>
#include <utility>

namespace bridle::inline BRIDLE_ISA {

template <template <class> class Op>
inline constexpr std::size_t kParams = Op<float>::params.size();

inline constexpr std::size_t kMapBlock = 256;  // elements between two prefetches

template <bool kKeepZeros, class Op, class S>
[[gnu::always_inline]] inline void map_element(const Op& op, const S& x, S& out) {
  narrow<kKeepZeros>(op(widen(x)), out);
}
// Part by part: clang vectorizes no loop that hands over both at once.
template <bool kKeepZeros, class Op, class T>
[[gnu::always_inline]] inline void map_element(const Op& op, const Complex<T>& x, Complex<T>& out) {
  T real = x.real, imaginary = x.imaginary;
  op(real, imaginary);
  narrow<kKeepZeros>(real, out.real);
  narrow<kKeepZeros>(imaginary, out.imaginary);
}

template <class Op>
using PreparedOf = decltype(prepared(Op{}));

// What the loop calls for parameters that are the same for all elements, from one number for each,
// of the compute type of S.
template <template <class> class Op, class S, std::size_t... P>
void prepare_for_loop(void* const* parameter, void* functor, std::index_sequence<P...>) {
  using T = Compute<S>;
  const auto op = prepared(Op<T>{*static_cast<const T*>(parameter[P])...});
  static_assert(sizeof(op) <= kPreparedBytes);
  __builtin_memcpy(functor, &op, sizeof(op));
}
template <template <class> class Op, class S>
void prepare_kernel(void* const* parameter, void* functor) {
  prepare_for_loop<Op, S>(parameter, functor, std::make_index_sequence<kParams<Op>>{});
}

// The elements from which on preparing pays; below, parameters are better given as arrays.
template <class Op>
inline constexpr std::size_t kLeastPrepared = 0;
template <class Op>
  requires(Op::least_prepared > 0)
inline constexpr std::size_t kLeastPrepared<Op> = Op::least_prepared;

// operand[0] is x, the last one out; all contiguous, out is x or overlaps nothing. Between them
// lie, with kArrays, the parameters, of the compute type of S, one per element; otherwise the
// functor that was prepared of them.
template <template <class> class Op, class S, bool kArrays, std::size_t... P>
void map_loop(void* const* operand, std::size_t size, std::index_sequence<P...>) {
  using T = Compute<S>;
  const S* const x = static_cast<const S*>(operand[0]);
  S* const out = static_cast<S*>(operand[kArrays ? 1 + sizeof...(P) : 2]);
  // Not written into the loop, where gcc would keep an array of functors, one for each lane.
  const auto map_at = [=] {
    if constexpr (kArrays) {
      const T* const parameter[] = {static_cast<const T*>(operand[1 + P])...};
      return [=](std::size_t i) __attribute__((always_inline)) {
        map_element<kKeepsZeros<Op<T>>>(Op<T>{parameter[P][i]...}, x[i], out[i]);
      };
    } else {
      return
          [=, op = *static_cast<const PreparedOf<Op<T>>*>(operand[1])](std::size_t i)
              __attribute__((always_inline)) { map_element<kKeepsZeros<Op<T>>>(op, x[i], out[i]); };
    }
  }();
  const Prefetch prefetch(size * sizeof(S));
  // All blocks but the first begin with a cache line of the result.
  const std::size_t in_line = reinterpret_cast<std::uintptr_t>(out) % kLine / sizeof(S);
  for (std::size_t begin = 0, end; begin < size; begin = end) {
    end = begin + kMapBlock - (begin == 0 ? in_line : 0);
    if (end > size) end = size;
    prefetch(x + begin, (end - begin) * sizeof(S));
    if constexpr (kArrays) {
      (prefetch(static_cast<const T*>(operand[1 + P]) + begin, (end - begin) * sizeof(T)), ...);
    }
#pragma omp simd
    for (std::size_t i = begin; i < end; ++i) map_at(i);
  }
}

template <template <class> class Op, class S, bool kArrays>
void map_kernel(void* const* operand, std::size_t size) {
  constexpr std::size_t last = kArrays ? kParams<Op> + 1 : 2;
  if constexpr (!kWidensInBlocks<S>) {
    map_loop<Op, S, kArrays>(operand, size, std::make_index_sequence<kParams<Op>>{});
  } else {
    alignas(64) float wide[kMapBlock];
    void* block[last + 1] = {wide};
    block[last] = wide;
    const Prefetch prefetch(size * sizeof(S));
    for (std::size_t begin = 0; begin < size; begin += kMapBlock) {
      const std::size_t count = size - begin < kMapBlock ? size - begin : kMapBlock;
      for (std::size_t p = 1; p < last; ++p) {
        block[p] = kArrays ? static_cast<float*>(operand[p]) + begin : operand[p];
      }
      const S* const x = static_cast<const S*>(operand[0]) + begin;
      prefetch(x, count * sizeof(S));
      widen_block(x, wide, count);
      map_kernel<Op, float, kArrays>(block, count);
      narrow_block<kKeepsZeros<Op<float>>>(wide, static_cast<S*>(operand[last]) + begin, count);
    }
  }
}

}  // namespace bridle::inline BRIDLE_ISA
