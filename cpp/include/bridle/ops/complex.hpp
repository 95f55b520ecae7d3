// Formulas of complex numbers: two parts in, two parts out.
#pragma once

#include <bridle/ops/scaled.hpp>
#include <bridle/ops/twofold.hpp>
#include <bridle/param.hpp>

namespace bridle::inline BRIDLE_ISA::ops {

template <class T>
struct Complex {
  T real, imaginary;
};

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

// P(z) = |z|, the modulus: x·max(1 − threshold/|x|, 0). Each part is within 4 units in the last
// place (float: 0.52), and where |x| is so near the threshold that less is left, within 2⁻¹⁰⁰ times
// itself before. A part that is NaN makes both NaN, whatever the other is. An infinite modulus
// leaves x as it is where the threshold is finite, and makes both parts NaN where that is infinite
// too.
template <class T>
struct complex_soft_threshold {
  static constexpr const char* name = "soft_threshold";
  static constexpr auto params = parameters(Param{"threshold", Rule::non_negative});
  T threshold;

  [[gnu::always_inline]] Complex<T> operator()(Complex<T> x) const {
    const double factor = shrinkage_factor(x.real, x.imaginary, threshold);
    // −0.0 + 0.0 is +0.0.
    return {static_cast<T>(x.real * factor + 0.0), static_cast<T>(x.imaginary * factor + 0.0)};
  }
};
template <class T>
complex_soft_threshold(T) -> complex_soft_threshold<T>;

}  // namespace bridle::inline BRIDLE_ISA::ops
