// The few functions that formulas are made of. Each is total, free of branches once compiled, and
// keeps NaN. T is float, double or a vector of them.
#pragma once

#include <bridle/config.hpp>
#include <cstdint>

namespace bridle::inline BRIDLE_ISA::ops {

// What a type of numbers is made of: `Element`, and `Bits`, the unsigned whole numbers of the same
// shape.
template <class T>
struct Parts {
  using Element = __typeof__(T{}[0] + T{}[0]);
  typedef typename Parts<Element>::Bits Bits __attribute__((vector_size(sizeof(T))));
};
template <>
struct Parts<float> {
  using Element = float;
  using Bits = std::uint32_t;
};
template <>
struct Parts<double> {
  using Element = double;
  using Bits = std::uint64_t;
};
template <class T>
using BitsOf = typename Parts<T>::Bits;

template <class T>
constexpr BitsOf<T> bits_of(T x) {
  return __builtin_bit_cast(BitsOf<T>, x);
}
template <class T>
constexpr T number_of(BitsOf<T> bits) {
  return __builtin_bit_cast(T, bits);
}

// What a comparison gives, and the same as bits: all ones where it holds.
template <class T>
using Condition = decltype(T{} < T{});
template <class T>
constexpr BitsOf<T> mask_of(Condition<T> condition) {
  if constexpr (__is_same(Condition<T>, bool)) {
    return -BitsOf<T>{condition};
  } else {
    return (BitsOf<T>)condition;
  }
}

// x, but +0.0 where the condition holds. By its bits: of a choice between zero and what is still to
// be added or multiplied gcc makes a branch, since that might raise status flags.
template <class T>
constexpr T unless(Condition<T> condition, T x) {
  return number_of<T>(bits_of(x) & ~mask_of<T>(condition));
}

// a where the condition holds, else b, of which both are computed: by their bits where gcc would
// make a branch.
template <class T>
constexpr T select(Condition<T> condition, T a, T b) {
#if defined(__clang__) || defined(__NO_TRAPPING_MATH__)
  return condition ? a : b;
#else
  const BitsOf<T> mask = mask_of<T>(condition);
  return number_of<T>((bits_of(a) & mask) | (bits_of(b) & ~mask));
#endif
}

constexpr float absolute(float x) { return __builtin_fabsf(x); }
constexpr double absolute(double x) { return __builtin_fabs(x); }
template <class Vector>
inline Vector absolute(Vector x) {
  return number_of<Vector>(bits_of(x) & ~bits_of(-Vector{}));  // -0.0 is the sign bit alone
}

// size >= 0 with the sign of x.
template <class T>
constexpr T with_sign_of(T x, T size) {
  return number_of<T>(bits_of(size) | (bits_of(x) & bits_of(-T{})));
}

// x limited to [low, high], low <= high.
template <class T>
constexpr T clamp(T x, T low, T high) {
  const T raised = x < low ? low : x;
  return raised > high ? high : raised;
}

template <class T>
constexpr T largest() {
  return T(sizeof(T) == 8 ? __DBL_MAX__ : double(__FLT_MAX__));
}

template <class T>
constexpr T smallest_normal() {
  return T(sizeof(T) == 8 ? __DBL_MIN__ : double(__FLT_MIN__));
}

// x, but no more than `limit`, which no NaN is. T is double or a vector of doubles.
template <class T>
constexpr T at_most(T x, double limit) {
  const T most = T{} + limit;
#if defined(__AVX512F__) && !defined(__clang__)  // gcc makes a comparison and a masked move of it
  if constexpr (sizeof(T) == 64) return __builtin_ia32_minpd512_mask(most, x, x, 0xff, 4);
#endif
  return x > most ? most : x;
}

constexpr double finite(double x) { return at_most(x, largest<double>()); }

// With clang without errno, whatever the flags of a program are.
#if defined(__clang__) && __has_builtin(__builtin_elementwise_sqrt)
inline float square_root(float x) { return __builtin_elementwise_sqrt(x); }
inline double square_root(double x) { return __builtin_elementwise_sqrt(x); }
#else
inline float square_root(float x) { return __builtin_sqrtf(x); }
inline double square_root(double x) { return __builtin_sqrt(x); }
#endif
template <class Vector>
inline Vector square_root(Vector x) {
  Vector root;
  for (unsigned i = 0; i < sizeof(x) / sizeof(x[0]); ++i) root[i] = square_root(x[i]);
  return root;
}

// -1, 0 or 1 with the sign of x. Neither comparison depends on the other: gcc vectorizes this also
// where a comparison may trap.
template <class T>
constexpr T sign(T x) {
  const T limited = x > T(0) ? T(1) : x;
  return x < T(0) ? T(-1) : limited;
}

// a·b, where a zero of either makes the product zero, whatever the other is: a strength of zero
// means "no penalty", even beside an infinite step or sum.
template <class T>
constexpr T product(T a, T b) {
  return unless((a == T(0)) | (b == T(0)), a * b);
}

// √(a·b) for a, b >= 0, also where a·b is beyond the range of T.
template <class T>
inline T root_of_product(T a, T b) {
  const T both = product(a, b), root = square_root(both);
  const T apart = product(square_root(a), square_root(b));
  const T not_small = both < smallest_normal<T>() ? apart : root;
  return both > largest<T>() ? apart : not_small;
}

}  // namespace bridle::inline BRIDLE_ISA::ops
