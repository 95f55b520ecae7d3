// Numbers of twice the precision of double, each the sum of two doubles that are not added up
// (Dekker 1971). They are made of additions, multiplications and divisions alone: where the
// functions of a mathematical library depend on the processor, these give the same bits everywhere.
#pragma once

#include <bridle/config.hpp>

namespace bridle::inline BRIDLE_ISA::ops {

struct Twofold {
  double high, low;  // |low| is at most half a unit in the last place of high
};

// a + b without an error, where |a| >= |b|.
constexpr Twofold ordered_sum(double a, double b) {
  const double sum = a + b;
  return {sum, b - (sum - a)};
}

// a + b without an error (Knuth).
constexpr Twofold exact_sum(double a, double b) {
  const double sum = a + b, of_b = sum - a;
  return {sum, (a - (sum - of_b)) + (b - of_b)};
}

// The upper half of the digits of a number below 2⁹⁹⁶.
constexpr double upper_half(double x) {
  const double far = (0x1p27 + 1) * x;
  return far - (far - x);
}

// a·b without an error, unless that underflows.
constexpr Twofold exact_product(double a, double b) {
  const double product = a * b;
  const double a_upper = upper_half(a), a_lower = a - a_upper;
  const double b_upper = upper_half(b), b_lower = b - b_upper;
  const double rest = a_upper * b_upper - product + a_upper * b_lower + a_lower * b_upper;
  return {product, rest + a_lower * b_lower};
}

constexpr Twofold operator+(Twofold a, Twofold b) {
  const Twofold sum = exact_sum(a.high, b.high);
  return ordered_sum(sum.high, sum.low + (a.low + b.low));
}

constexpr Twofold operator*(Twofold a, Twofold b) {
  const Twofold product = exact_product(a.high, b.high);
  return ordered_sum(product.high, product.low + (a.high * b.low + a.low * b.high));
}

// a/b for 0 <= a <= 1 <= b; one double where b is not below 2⁹⁹⁶.
constexpr Twofold quotient(double a, double b) {
  const double high = a / b;
  if (!(b < 0x1p996)) return {high, 0.0};
  const Twofold product = exact_product(high, b);
  return ordered_sum(high, ((a - product.high) - product.low) / b);
}

// 1 − baseᵏ, rounded about once, for 0 <= base < 1 and a whole k from 0 to 2⁶³.
constexpr double one_minus_power(double base, double k) {
  Twofold power{1.0, 0.0}, square{base, 0.0};
  for (auto left = static_cast<unsigned long long>(k); left != 0; left >>= 1) {
    if (left & 1) power = power * square;
    square = square * square;
  }
  return (Twofold{1.0, 0.0} + Twofold{-power.high, -power.low}).high;
}

}  // namespace bridle::inline BRIDLE_ISA::ops
