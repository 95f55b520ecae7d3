// The loop of every fused update: one pass over weights, gradient and state.
#pragma once

#include <bridle/ops/update.hpp>
#include <bridle/prefetch.hpp>
#include <bridle/storage.hpp>
#include <cstddef>
#include <utility>

namespace bridle::inline BRIDLE_ISA {

// Elements between two prefetches: with 256, the bursts kept the processor waiting.
inline constexpr std::size_t kUpdateBlock = 64;

// A functor made of the first of some numbers; it is an aggregate of T alone.
template <class Op, class T, std::size_t... I>
inline Op from_numbers(const double* numbers, std::index_sequence<I...>) {
  return Op{static_cast<T>(numbers[I])...};
}
template <class Op, class T>
inline Op from_numbers(const double* numbers) {
  return from_numbers<Op, T>(numbers, std::make_index_sequence<sizeof(Op) / sizeof(T)>{});
}

template <class T>
inline ops::Regularization<T> regularization(const UpdateNumbers& n) {
  const auto t = [](double x) { return static_cast<T>(x); };
  const T infinity = static_cast<T>(__builtin_inf());
  const T spare_above = n.keep == 1 ? -infinity : n.cautious ? T(0) : infinity;
  return {t(n.scale), t(n.coupled), t(n.keep), t(n.l1), t(n.l2), t(n.size), spare_above};
}

// Elements begin … of an array, or what stands in for one that is null.
template <class T>
inline T* update_block(const void* array, std::size_t begin, std::size_t size, T* instead) {
  if (array == nullptr) return instead;
  T* const at = static_cast<T*>(const_cast<void*>(array)) + begin;
  prefetch_ahead(at, size * sizeof(T));
  return at;
}

// Renews weights and state; no two of the arrays overlap.
template <template <class> class Op, class T, UpdateKind kKind, bool kAdaptive>
void update_kernel(const UpdateMemory& memory, const UpdateNumbers& numbers, std::size_t size) {
  constexpr int states = Op<T>::states;
  const Op<T> op = from_numbers<Op<T>, T>(numbers.members);
  const ops::Regularization<T> r = regularization<T>(numbers);
  alignas(64) T zeros[kUpdateBlock] = {};
  alignas(64) T forgotten[kUpdateBlock];
  for (std::size_t begin = 0; begin < size; begin += kUpdateBlock) {
    const std::size_t count = size - begin < kUpdateBlock ? size - begin : kUpdateBlock;
    const auto from = [&](const void* array) { return update_block(array, begin, count, zeros); };
    const auto to = [&](void* array) { return array ? static_cast<T*>(array) + begin : forgotten; };
    T* const w = from(memory.weights);
    const T *const g = from(memory.gradient), *const toward = from(memory.toward);
    const T *const old0 = states > 0 ? from(memory.state[0]) : zeros,
                   *const old1 = states > 1 ? from(memory.state[1]) : zeros,
                   *const old2 = states > 2 ? from(memory.state[2]) : zeros;
    T *const new0 = to(memory.state[0]), *const new1 = to(memory.state[1]),
             *const new2 = to(memory.state[2]);
    const auto updated = [=](std::size_t i) {
      const ops::State<T> state{old0[i], old1[i], old2[i]};
      if constexpr (ops::SolvesForWeight<Op<T>, T>) {
        return op.weight(w[i], r.scale * g[i], state);
      } else if constexpr (kKind == UpdateKind::plain) {
        return ops::decayed(op, r, w[i], g[i], state);
      } else if constexpr (kKind == UpdateKind::sparse) {
        return ops::sparse<kAdaptive>(op, r, w[i], g[i], state);
      } else {
        return ops::regularized<kAdaptive>(op, r, w[i], toward[i], g[i], state);
      }
    };
#pragma omp simd
    for (std::size_t i = 0; i < count; ++i) {
      const ops::Updated<T> result = updated(i);
      narrow(result.weight, w[i]);
      if constexpr (states > 0) new0[i] = result.state.first;
      if constexpr (states > 1) new1[i] = result.state.second;
      if constexpr (states > 2) new2[i] = result.state.third;
    }
  }
}

// counts[0] += elements that are not zero, counts[1] += those that are not finite; size <= kChunk.
template <class S>
void count_kernel(const void* x, std::size_t size, double* counts) {
  using Bits = UnsignedOf<S>;
  constexpr Bits sign = Bits(1) << (8 * sizeof(S) - 1);
  constexpr Bits infinity = infinity_bits<S>();
  Bits zeros = 0, others = 0;
  const Bits* const bits = static_cast<const Bits*>(x);
#pragma omp simd reduction(+ : zeros, others)
  for (std::size_t i = 0; i < size; ++i) {
    const Bits magnitude = static_cast<Bits>(bits[i] & static_cast<Bits>(~sign));
    zeros = static_cast<Bits>(zeros + (magnitude == 0));
    others = static_cast<Bits>(others + (magnitude >= infinity));
  }
  counts[0] += static_cast<double>(size) - static_cast<double>(zeros);
  counts[1] += static_cast<double>(others);
}

}  // namespace bridle::inline BRIDLE_ISA
