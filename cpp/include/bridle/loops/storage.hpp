// The four element types, and how each is widened to the type that formulas compute in and narrowed
// back. Halves compute in float and round once, to nearest even. The conversions are integer
// arithmetic, so that they vectorize on every instruction set and give the same bits on all of
// them, subnormals and NaN included.
#pragma once

#include <bridle/config.hpp>
#include <bridle/types.hpp>

namespace bridle::inline BRIDLE_ISA {

template <class S>
struct ComputeType {
  using type = float;
};
template <>
struct ComputeType<double> {
  using type = double;
};
template <class T>
struct ComputeType<Complex<T>> {
  using type = T;
};
template <class S>
using Compute = typename ComputeType<S>::type;

template <class S>
struct UnsignedOfSize {
  using type = std::uint16_t;
};
template <>
struct UnsignedOfSize<float> {
  using type = std::uint32_t;
};
template <>
struct UnsignedOfSize<double> {
  using type = std::uint64_t;
};
template <class S>
using UnsignedOf = typename UnsignedOfSize<S>::type;

// The bits of +infinity: all finite magnitudes are below.
template <class S>
constexpr UnsignedOf<S> infinity_bits() {
  if constexpr (sizeof(S) == 8) return 0x7ff0000000000000u;
  if constexpr (sizeof(S) == 4) return 0x7f800000u;
  return __is_same(S, Float16) ? 0x7c00u : 0x7f80u;
}

inline std::uint32_t bits_of(float x) { return __builtin_bit_cast(std::uint32_t, x); }
inline float float_of(std::uint32_t bits) { return __builtin_bit_cast(float, bits); }

inline float widen(float x) { return x; }
inline double widen(double x) { return x; }
inline float widen(BFloat16 x) { return float_of(std::uint32_t{x.bits} << 16); }

inline float widen(Float16 x) {
  constexpr std::uint32_t smallest_normal = 113u << 23;  // 2⁻¹⁴
  const std::uint32_t magnitude = (x.bits & 0x7fffu) << 13;
  const std::uint32_t exponent = magnitude & 0x0f800000u;
  const std::uint32_t rebased = magnitude + (112u << 23);
  // A subnormal gets the exponent of the smallest normal, whose implicit one is then subtracted.
  const float subnormal = float_of(rebased + (1u << 23)) - float_of(smallest_normal);
  std::uint32_t result = exponent == 0x0f800000u ? rebased + (112u << 23) : rebased;
  result = exponent == 0 ? bits_of(subnormal) : result;
  return float_of(result | (x.bits & 0x8000u) << 16);
}

inline constexpr std::uint32_t kNegativeZero = 0x80000000u;  // the bits of a float

// narrow also turns −0.0 into +0.0, after rounding: every zero that bridle produces is +0.0. With
// kKeepZeros an x that is −0.0 itself stays so.
template <bool kKeepZeros = false>
inline void narrow(float x, float& out) {
  out = kKeepZeros ? x : x + 0.0f;
}
template <bool kKeepZeros = false>
inline void narrow(double x, double& out) {
  out = kKeepZeros ? x : x + 0.0;
}

inline std::uint16_t positive_zero(std::uint32_t bits) {
  return static_cast<std::uint16_t>(bits == 0x8000u ? 0u : bits);
}
template <bool kKeepZeros>
inline std::uint16_t zero_of(float x, std::uint32_t bits) {
  if (!kKeepZeros) return positive_zero(bits);
  const std::uint32_t zero = bits_of(x) & kNegativeZero & -std::uint32_t{x == 0.0f};
  return static_cast<std::uint16_t>(positive_zero(bits) | zero >> 16);
}

// The bits of a half, in the lower 16, that is nearest to x; zeros keep the sign of x.
template <class S>
std::uint32_t half_bits(float x);
template <>
inline std::uint32_t half_bits<BFloat16>(float x) {
  const std::uint32_t bits = bits_of(x);
  const std::uint32_t rounded = bits + 0x7fffu + (bits >> 16 & 1u);
  const std::uint32_t quiet_nan = bits | 0x00400000u;
  const bool is_nan = (bits & 0x7fffffffu) > 0x7f800000u;
  return (is_nan ? quiet_nan : rounded) >> 16;
}
template <>
inline std::uint32_t half_bits<Float16>(float x) {
  constexpr std::uint32_t infinity = 0x7f800000u;
  const std::uint32_t magnitude = bits_of(x) & 0x7fffffffu;
  const std::uint32_t sign = bits_of(x) >> 16 & 0x8000u;
  const std::uint32_t rebased = magnitude - (112u << 23);
  const std::uint32_t normal = (rebased + 0xfffu + (rebased >> 13 & 1u)) >> 13;
  // Adding ½ leaves a subnormal's bits, rounded to nearest even, at the bottom of the sum.
  const std::uint32_t subnormal = bits_of(float_of(magnitude) + 0.5f) - bits_of(0.5f);
  std::uint32_t result = magnitude < (113u << 23) ? subnormal : normal;
  result = magnitude >= (143u << 23) ? 0x7c00u : result;  // 2¹⁶ and more, and infinity
  result = magnitude > infinity ? 0x7e00u | (magnitude >> 13 & 0x3ffu) : result;
  return result | sign;
}

template <bool kKeepZeros = false>
inline void narrow(float x, BFloat16& out) {
  out.bits = zero_of<kKeepZeros>(x, half_bits<BFloat16>(x));
}
template <bool kKeepZeros = false>
inline void narrow(float x, Float16& out) {
  out.bits = zero_of<kKeepZeros>(x, half_bits<Float16>(x));
}

// The bits of the float from which on a finite number is nearer to the infinity of a half type.
template <class S>
constexpr std::uint32_t nearer_to_infinity() {
  return __is_same(S, Float16) ? 0x477ff000u : 0x7f7f8000u;  // 65520
}

// The bits of the BFloat16 below or above x in magnitude, neither of which is infinite if that of x
// has bits below these.
inline constexpr std::uint32_t kFarFromInfinity = 0x7f7f0000u;
inline std::uint32_t neighbour_randomly(float x, std::uint16_t u) { return (bits_of(x) + u) >> 16; }

// Rounds to one of the two neighbours at random, up with the probability that makes the mean exact;
// u is a uniform 16-bit number, the high half of u(i). A finite number becomes infinite if, and
// only if, it is nearer to that. With kKeepSigns zeros have the sign of x.
template <bool kKeepSigns = false>
inline void narrow_randomly(float x, std::uint16_t u, BFloat16& out) {
  BFloat16 nearest;
  narrow(x, nearest);
  const std::uint32_t up = neighbour_randomly(x, u);
  const bool in_range = (bits_of(x) & 0x7fffffffu) < nearer_to_infinity<BFloat16>();
  const bool plain = in_range & ((up & 0x7fffu) < 0x7f80u);
  const std::uint16_t rounded = kKeepSigns ? static_cast<std::uint16_t>(up) : positive_zero(up);
  out.bits = plain ? rounded : nearest.bits;
}

template <bool kKeepSigns = false>
inline void narrow_randomly(float x, std::uint16_t u, Float16& out) {
  constexpr std::uint32_t infinity = 0x7f800000u;
  const std::uint32_t magnitude = bits_of(x) & 0x7fffffffu;
  const std::uint32_t sign = bits_of(x) >> 16 & 0x8000u;
  const std::uint32_t normal = (magnitude - (112u << 23) + (u >> 3)) >> 13;
  // Subnormal: a random part of the unit 2⁻²⁴, between -1/2 and 1/2, before rounding to nearest at
  // the bottom of 0.75. With 13 bits, as above, what is a multiple of the unit stays as it is.
  const float part = static_cast<float>(static_cast<std::int32_t>(u >> 3)) - 4095.5f;
  const float dithered = float_of(magnitude) + part * 0x1p-37f;
  const std::uint32_t subnormal = bits_of(dithered + 0.75f) - bits_of(0.75f);
  std::uint32_t result = magnitude < (113u << 23) ? subnormal : normal;
  result = result > 0x7bffu ? 0x7bffu : result;
  result = magnitude >= nearer_to_infinity<Float16>() ? 0x7c00u : result;
  result = magnitude > infinity ? 0x7e00u | (magnitude >> 13 & 0x3ffu) : result;
  out.bits = kKeepSigns ? static_cast<std::uint16_t>(result | sign) : positive_zero(result | sign);
}

// One of the two floats beside x in the same way, by the lower 16 bits of u, which rounding it to
// the half type S by u does not look at: the mean stays exact. It is never nearer to infinity than
// x.
template <class S>
inline float float_randomly(double x, std::uint32_t u) {
  const auto size = [](float y) { return static_cast<double>(float_of(bits_of(y) & 0x7fffffffu)); };
  const double wanted = x < 0 ? -x : x;
  const float nearest = static_cast<float>(x);
  const std::uint32_t inner = bits_of(nearest) - std::uint32_t{size(nearest) > wanted};
  const std::uint32_t outer = inner + 1;
  const double least = static_cast<double>(static_cast<std::int32_t>(0x10000u - (u & 0xffffu)));
  const double below = size(float_of(inner)), unit = size(float_of(outer)) - below;
  const bool out = wanted - below >= unit * (least * 0x1p-16);
  const bool allowed = (outer & 0x7fffffffu) != nearer_to_infinity<S>();
  return float_of((out & allowed) ? outer : inner);
}

}  // namespace bridle::inline BRIDLE_ISA
