// Numbers taken apart into mantissa and exponent, so that products of them neither overflow nor
// underflow, without branches.
#pragma once

#include <bridle/ops/roots.hpp>
#include <bridle/ops/twofold.hpp>

namespace bridle::inline BRIDLE_ISA::ops {

// A number >= 0 as mantissa·2ᵉˣᵖᵒⁿᵉⁿᵗ, 1 <= mantissa < 2. The exponents of zero and infinity are so
// far off that they decide whatever finite ones are added to them.
struct Scaled {
  double mantissa;
  std::int64_t exponent;
};
inline constexpr std::int64_t kExponentOfInfinity = 1 << 14, kExponentOfZero = -(1 << 20);

// n where a condition holds, else 0, free of branches.
constexpr std::int64_t where(bool condition, std::int64_t n) {
  return n & -static_cast<std::int64_t>(condition);
}

// x·2ⁿ, n so that no part of a product of it is lost.
constexpr std::int64_t lift_of(double x) { return where(x < 0x1p-900, 120); }
constexpr double lifted(double x) {
  return x * number_of<double>(static_cast<std::uint64_t>(lift_of(x) + 1023) << 52);
}

// Of a number >= 2⁻¹⁰²²; −1023 below.
constexpr std::int64_t exponent_of(double x) {
  return static_cast<std::int64_t>(bits_of(x) >> 52) - 1023;
}

constexpr Scaled scaled(double x) {
  const std::uint64_t fraction = bits_of(lifted(x)) & 0x000fffffffffffff;
  const std::int64_t exponent = exponent_of(lifted(x)) - lift_of(x) +
                                where(x > largest<double>(), kExponentOfInfinity) +
                                where(x == 0.0, kExponentOfZero);
  return {number_of<double>(fraction | bits_of(1.0)), exponent};
}

// mantissa·2ᵉˣᵖᵒⁿᵉⁿᵗ of x for another mantissa, which is not below 2⁻¹¹⁰; 0 of 0, infinity of that.
constexpr double rescaled(double mantissa, double x) {
  const double power = number_of<double>(bits_of(lifted(x)) & 0x7ff0000000000000);
  return mantissa * power * number_of<double>(static_cast<std::uint64_t>(1023 - lift_of(x)) << 52);
}

// n limited to [low, high].
constexpr std::int64_t limited(std::int64_t n, std::int64_t low, std::int64_t high) {
  const std::int64_t raised = n < low ? low : n;
  return raised > high ? high : raised;
}

// 2ⁿ, n limited to [low, high].
constexpr double power_of_two(std::int64_t n, std::int64_t low, std::int64_t high) {
  return number_of<double>(static_cast<std::uint64_t>(limited(n, low, high) + 1023) << 52);
}

// A twofold number times a power of two.
constexpr Twofold operator*(Twofold a, double scale) { return {a.high * scale, a.low * scale}; }

}  // namespace bridle::inline BRIDLE_ISA::ops
