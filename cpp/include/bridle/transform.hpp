// transform: several operations on every weight in one pass over memory, threaded by the library
// and vectorized where it is called.
//
// Compile with -O2 -march=native, or for what you target. Of what you write, gcc vectorizes what
// selects between things still to be computed (x > t ? x - t : x / 2, say) with -fno-trapping-math
// only, which is clang's default, changes nothing but status flags, and is for the program to
// decide. Operators of bridle need no such flag, but those that select need SSE4.2 for doubles, and
// prox_l_half, prox_l_two_thirds and prox_log_sum need AVX2 and -fno-math-errno. They give the bits
// here that their functions give, one after the other: nothing is contracted to fused multiply-add,
// and every zero of theirs is +0.0. (Except under -ffast-math, which promises no bits at all.)
#pragma once

#include <bridle/c_api.h>

#include <array>
#include <bit>
#include <bridle/config.hpp>
#include <bridle/errors.hpp>
#include <bridle/ops.hpp>
#include <bridle/prefetch.hpp>
#include <cstddef>
#include <iterator>
#include <span>
#include <tuple>
#include <type_traits>
#include <utility>

namespace bridle::inline BRIDLE_ISA {
namespace detail {

inline constexpr std::size_t kTransformBlock = 256;  // elements between two prefetches
inline constexpr std::size_t kTransformGrain = 1024;
inline constexpr std::size_t kTransformLeast = 32 * 1024;  // elements of a thread

template <class Op>
inline constexpr bool kIsOperator = false;
template <template <class> class Op, class T>
inline constexpr bool kIsOperator<Op<T>> = requires {
  Op<T>::name;
  Op<T>::params;
};

// The parameters of an operator of bridle.
template <template <class> class Op, class U>
auto members_of(const Op<U>& op) {
  return std::bit_cast<std::array<U, Op<U>::params.size()>>(op);
}

template <class Op>
void check_operation(const Op&) {}
template <template <class> class Op, class U>
  requires kIsOperator<Op<U>>
void check_operation(const Op<U>& op) {
  using Shown = std::conditional_t<std::is_floating_point_v<U>, U, double>;
  if constexpr (Op<U>::params.size() > 0) {
    const auto shown = [](auto... member) { return std::array{static_cast<Shown>(member)...}; };
    check_parameters(Op<U>::name, Op<U>::params, std::apply(shown, members_of(op)).data());
  }
}

// An operator of bridle for weights of type T.
template <class T, template <class> class Op, class U>
Op<T> with_type(const Op<U>& op) {
  if constexpr (Op<U>::params.size() == 0) {
    return {};
  } else {
    return std::apply([](auto... member) { return Op<T>{static_cast<T>(member)...}; },
                      members_of(op));
  }
}

// What the loop calls.
template <class T, class Op>
Op operation(const Op& op) {
  return op;
}
template <class T, template <class> class Op, class U>
  requires kIsOperator<Op<U>>
auto operation(const Op<U>& op) {
  return [ready = prepared(with_type<T>(op))](T w) {
    return kKeepsZeros<Op<T>> ? ready(w) : ready(w) + T(0);
  };
}

template <class T, class Op, class... X>
constexpr T apply(const Op& op, T w, X&... x) {
  if constexpr (std::is_invocable_r_v<T, const Op&, T, X&...>) {
    return static_cast<T>(op(w, x...));
  } else {
    static_assert(std::is_invocable_r_v<T, const Op&, T>,
                  "transform: after the arrays come operations that take the weight, or the weight "
                  "and one element of each array");
    return static_cast<T>(op(w));
  }
}

// Everything that is called is inlined here, under the flags of this function.
template <class T, class Operations, class... X>
#if !defined(__clang__)
[[gnu::optimize("O3", "fp-contract=off")]]
#endif
[[gnu::flatten]] void transform_range(const Operations& operations, std::size_t begin,
                                      std::size_t end, T* w, X*... x) noexcept {
  const auto step = operations();  // in the environment of the core, which keeps subnormals
  const Prefetch prefetch((end - begin) * sizeof(T));
  for (; begin < end; begin += kTransformBlock) {
    const std::size_t stop = end - begin < kTransformBlock ? end : begin + kTransformBlock;
    prefetch(w + begin, (stop - begin) * sizeof(T));
    (prefetch(x + begin, (stop - begin) * sizeof(T)), ...);
#if !defined(__clang__)
#pragma GCC ivdep
#endif
    for (std::size_t i = begin; i < stop; ++i) w[i] = step(w[i], x[i]...);
  }
}

template <class T, class Operations, class... X>
void transform_arrays(const Operations& operations, std::size_t size, T* w, X*... x) {
  const auto body = [=, &operations](std::size_t begin, std::size_t end) {
    transform_range(operations, begin, end, w, x...);
  };
  using Body = decltype(body);
  bridle_parallel_for(
      size, kTransformGrain, kTransformLeast,
      [](const void* context, std::size_t begin, std::size_t end) {
        (*static_cast<Body*>(context))(begin, end);
      },
      &body);
}

template <class T, std::size_t kArrays>
void check_arrays(const std::array<std::span<const T>, kArrays>& arrays) {
  for (std::size_t i = 0; i < kArrays; ++i) {
    check_sizes("transform", "every array", arrays[i].size(), "the first", arrays[0].size());
    for (std::size_t j = 0; j < i; ++j) {
      if (!same_or_apart(arrays[j].data(), arrays[i].data(), arrays[0].size())) {
        fail("transform", "two arrays must be one or share no element");
      }
    }
  }
}

// Where a mutable and where a read-only view of an argument is to be had.
template <class T, class Argument>
using ElementOf = std::conditional_t<std::is_convertible_v<Argument, std::span<T>>, T, const T>;
template <class T, class Argument>
inline constexpr bool kIsArray = std::is_convertible_v<Argument, std::span<ElementOf<T, Argument>>>;

template <class T, class... Argument>
constexpr std::size_t count_arrays() {
  std::size_t count = 0;
  (void)((kIsArray<T, Argument> && (++count, true)) && ...);
  return count;
}

template <class T, class... Argument, std::size_t... X, std::size_t... Op>
void transform_split(std::span<T> w, std::tuple<Argument...> arguments, std::index_sequence<X...>,
                     std::index_sequence<Op...>) {
  using Arguments = std::tuple<Argument...>;
  (check_operation(std::get<sizeof...(X) + Op>(arguments)), ...);
  const auto operations = [&arguments] {
    return [... op = operation<T>(std::get<sizeof...(X) + Op>(arguments))](T weight, auto&... x) {
      ((weight = apply(op, weight, x...)), ...);
      return weight;
    };
  };
  const std::tuple arrays{
      std::span<ElementOf<T, std::tuple_element_t<X, Arguments>>>(std::get<X>(arguments))...};
  check_arrays(std::array<std::span<const T>, 1 + sizeof...(X)>{w, std::get<X>(arrays)...});
  transform_arrays(operations, w.size(), w.data(), std::get<X>(arrays).data()...);
}

template <class T, class... Argument>
void transform_any(std::span<T> w, Argument&&... argument) {
  constexpr std::size_t arrays = count_arrays<T, Argument...>();
  static_assert(arrays < sizeof...(Argument), "transform: there is no operation");
  transform_split(w, std::tuple<Argument&&...>(std::forward<Argument>(argument)...),
                  std::make_index_sequence<arrays>{},
                  std::make_index_sequence<sizeof...(Argument) - arrays>{});
}

}  // namespace detail

// The type of transform.
class Transform {
 public:
  template <class... Argument>
  void operator()(std::span<float> w, Argument&&... argument) const {
    detail::transform_any(w, std::forward<Argument>(argument)...);
  }
  template <class... Argument>
  void operator()(std::span<double> w, Argument&&... argument) const {
    detail::transform_any(w, std::forward<Argument>(argument)...);
  }
};

// transform(w, arrays…, operations…): w[i] becomes …operation2(operation1(w[i])), in one pass.
//
// An operation is an operator of bridle, ops::decay{rate} or ops::soft_threshold{threshold}, say,
// or anything that can be called: as T(T w), or as T(T w, T x…) with element i of each of the
// arrays. An array of elements that are not const is handed over by reference, so that an operation
// that takes T& changes it: the velocity of SGD, the moments of Adam.
//
// Arrays are spans, or what converts to them, as large as w; two of them are one array, or share no
// element. Operations are copied, called by several threads at a time, in no order, and must not
// throw. Throws std::invalid_argument, with nothing written, if sizes differ, arrays overlap
// otherwise, or a parameter of an operator is outside its range or NaN.
inline constexpr Transform transform;

}  // namespace bridle::inline BRIDLE_ISA
