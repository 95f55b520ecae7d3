// What formulas of complex numbers share.
#pragma once

#include <bridle/ops/scaled.hpp>
#include <bridle/ops/twofold.hpp>

namespace bridle::inline BRIDLE_ISA::ops {

// max(1 − t/r, 0) for r = √(a² + b²), NaN if a or b is. Where t is near r, the difference comes
// from squares that are exact. The larger of a and b is scaled to 2¹⁰⁰, so that r neither overflows
// nor underflows; a threshold far above that counts as less there.
[[gnu::always_inline]] inline double shrinkage_factor(double real, double imaginary,
                                                      double threshold) {
  const double larger = absolute(real) > absolute(imaginary) ? absolute(real) : absolute(imaginary);
  const double scale = power_of_two(100 - exponent_of(larger), -1000, 1000);
  const double a = real * scale, b = imaginary * scale, t = threshold * scale;
  const double limited = t < 0x1p200 ? t : 0x1p200;
  const Twofold a_square = exact_product(a, a), b_square = exact_product(b, b);
  const Twofold t_square = exact_product(limited, limited);

  const Twofold square = a_square + b_square;
  const double r = square_root(a_square.high + b_square.high);
  const double difference = (square + Twofold{-t_square.high, -t_square.low}).high;
  const double near = unless(difference <= 0.0, difference / (square.high + r * limited));
  return 2.0 * limited < r ? 1.0 - t / r : near;
}

// The same of floats, whose squares are exact and in range as they are.
[[gnu::always_inline]] inline double shrinkage_factor(float real, float imaginary,
                                                      float threshold) {
  const double a = real, b = imaginary, t = threshold;
  const Twofold square = exact_sum(a * a, b * b);
  const double r = square_root(square.high);
  const double difference = (square.high - t * t) + square.low;
  const double near = unless(difference <= 0.0, difference / (square.high + r * t));
  return 2.0 * t < r ? 1.0 - t / r : near;
}

}  // namespace bridle::inline BRIDLE_ISA::ops
