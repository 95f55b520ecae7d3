// Cube root and logarithm from additions, multiplications, divisions and whole numbers alone, where
// the functions of a mathematical library depend on the processor and its version. T is float,
// double or a vector of them; nothing branches, so that loops over either are vectorized.
#pragma once

#include <bridle/ops/math.hpp>
#include <cstdint>

namespace bridle::inline BRIDLE_ISA::ops {

template <class T>
inline constexpr bool kIsDouble = sizeof(typename Parts<T>::Element) == sizeof(double);

// The same number in all places, rounded to T.
template <class T>
constexpr T number(double value) {
  return T{} + static_cast<typename Parts<T>::Element>(value);
}
template <class T>
constexpr BitsOf<T> whole(std::uint64_t value) {
  return BitsOf<T>{} + static_cast<BitsOf<typename Parts<T>::Element>>(value);
}

template <class T>
inline constexpr int kFractionBits = kIsDouble<T> ? 52 : 23;
template <class T>
inline constexpr double kTwoToFraction = kIsDouble<T> ? 0x1p52 : 0x1p23;
template <class T>
inline constexpr int kBias = kIsDouble<T> ? 1023 : 127;
// A whole number below 2⁵² (float: 2²³) as T, by its place in the fraction of 2⁵²: AVX2 has no
// instruction for it.
template <class T>
constexpr T from_whole(BitsOf<T> value) {
  const T base = number<T>(kTwoToFraction<T>);
  return number_of<T>(value | bits_of(base)) - base;
}

// 1/∛(1 − h) − 1 for small h, within 0.12·h⁶.
template <class T>
constexpr T inverse_cube_root_beyond_one(T h) {
  T p = number<T>(91.0 / 729);
  p = p * h + number<T>(35.0 / 243);
  p = p * h + number<T>(14.0 / 81);
  p = p * h + number<T>(2.0 / 9);
  p = p * h + number<T>(1.0 / 3);
  return p * h;
}

// 1/∛x within 2·10⁻⁷ for normal x > 0. As in Kahan's cube root, the bits of a number are nearly its
// logarithm, so that a third of them, taken away, is a first approximation within 3.5 %.
template <class T>
constexpr T inverse_cube_root(T x) {
  constexpr int sign_and_exponent = int(8 * sizeof(typename Parts<T>::Element)) - kFractionBits<T>;
  const T base = number<T>(kTwoToFraction<T>);
  const T logarithm = from_whole<T>(bits_of(x) >> sign_and_exponent);
  const T one = number<T>(kTwoToFraction<T> / (1 << sign_and_exponent));  // of that logarithm
  const T first = number<T>(4.0 / 3 * kBias<T> - 0.0662) * one - number<T>(1.0 / 3) * logarithm;
  const T y = number_of<T>(bits_of(first + base) << sign_and_exponent);
  return y + y * inverse_cube_root_beyond_one(number<T>(1) - (x * y) * (y * y));
}

// ∛x for x >= 0, within 0.52 units in the last place. Of x·y² for y near 1/∛x a third of the digits
// is kept, so that its cube and the distance of that from x are exact, and the series adds what is
// missing.
template <class T>
[[gnu::always_inline]] constexpr T cube_root(T x) {
  const auto subnormal = x < number<T>(kIsDouble<T> ? 0x1p-1022 : 0x1p-126);
  const T lifted = subnormal ? x * number<T>(0x1p54) : x;
  const T y = inverse_cube_root(lifted);
  const T left = number<T>(1) - (lifted * y) * (y * y);

  const BitsOf<T> kept = ~whole<T>((std::uint64_t{1} << (kIsDouble<T> ? 36 : 16)) - 1);
  const T root = number_of<T>(bits_of(lifted * y * y) & kept);
  const T missing = (lifted - root * root * root) * y * (y * y);  // of x·y³
  const T result = root + root * inverse_cube_root_beyond_one(missing + missing * left);
  const T lowered = subnormal ? result * number<T>(0x1p-18) : result;
  return x < number<T>(__builtin_inf()) ? lowered : x;
}

// 1 + x for x >= 0, and what that lost by rounding.
template <class T>
struct OnePlus {
  T sum, lost;
  constexpr explicit OnePlus(T x) : sum(number<T>(1) + x) {
    const T one = number<T>(1);
    lost = x < one ? x - (sum - one) : one - (sum - x);
  }
};

// log(x) + small for finite x >= 1 and a small number that the rounding of x left: x = m·2ᵏ with m
// in [√½, √2), and log(m) = 2·artanh(s) for s = (m − 1)/(m + 1), written so that the largest term
// is exact (Ng's arrangement); the polynomial is fitted to 10⁻¹⁷ (float: 10⁻¹⁰).
template <class T>
[[gnu::always_inline]] constexpr T logarithm_with(T x, T small) {
  const BitsOf<T> root_half = whole<T>(kIsDouble<T> ? 0x3fe6a09e667f3bcd : 0x3f3504f3);
  const BitsOf<T> exponent = (bits_of(x) - root_half) >> kFractionBits<T>;
  const T f = number_of<T>(bits_of(x) - (exponent << kFractionBits<T>)) - number<T>(1);
  const T k = from_whole<T>(exponent);

  const T s = f / (f + number<T>(2));
  const T w = s * s;
  T p = number<T>(kIsDouble<T> ? 0x1.2b5b5fb2eac92p-3 : 0.2333096405177204);
  if constexpr (kIsDouble<T>) {
    p = p * w + number<T>(0x1.39fe208c33457p-3);
    p = p * w + number<T>(0x1.7462b69705382p-3);
    p = p * w + number<T>(0x1.c71c62debf86bp-3);
  }
  p = p * w + number<T>(kIsDouble<T> ? 0x1.2492492df6947p-2 : 0.2855080255327671);
  p = p * w + number<T>(kIsDouble<T> ? 0x1.99999999952b2p-2 : 0.4000012200081688);
  p = p * w + number<T>(kIsDouble<T> ? 0x1.5555555555558p-1 : 0.6666666655430018);

  // log 2 in two parts, the upper one so short that k times it is exact.
  const T upper = number<T>(kIsDouble<T> ? 0x1.62e42fefa38p-1 : 0x1.62e4p-1);
  const T lower = number<T>(kIsDouble<T> ? 0x1.ef35793c7673p-45 : 0x1.7f7d1cp-20);
  const T half_square = number<T>(0.5) * f * f;
  const T rest = s * (half_square + w * p) + (k * lower + small);
  return k * upper + (f - (half_square - rest));
}

// log(1 + x) for x >= 0, within 1 unit in the last place.
template <class T>
[[gnu::always_inline]] constexpr T log_of_one_plus(T x) {
  const OnePlus<T> one_plus(x);
  const T result = logarithm_with(one_plus.sum, one_plus.lost / one_plus.sum);
  return x < number<T>(__builtin_inf()) ? result : x;
}

}  // namespace bridle::inline BRIDLE_ISA::ops
