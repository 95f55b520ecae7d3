// Penalties that are concave in |z|, and their proximal operators
//   prox(x) = argmin_z ½(z − x)² + step·P(z),
// always the global minimum, and the one of smallest magnitude where two are equal. It is zero up
// to a threshold of |x|, where it may jump. The threshold is compared in double, without a
// tolerance: an x that is a few units in the last place of double away from it may get either side,
// and there the two objectives agree to rounding.
//
// The result is within 0.52 units in the last place of the exact minimizer of the given numbers: it
// is found to a few digits less than that, what it leaves of its equation is found in twice the
// precision, and taken away by one more of Newton's steps. For floats that is double
// (concave_floats.hpp); doubles lose their exponents first, so that nothing overflows or
// underflows.
//
// A strength or step of zero gives x, whatever the other is; otherwise one that is infinite gives
// zero, and an infinite x is left as it is, as is any x where epsilon is infinite. NaN stays NaN.
#pragma once

#include <bridle/ops/concave_floats.hpp>
#include <bridle/ops/roots.hpp>
#include <bridle/ops/scaled.hpp>
#include <bridle/ops/twofold.hpp>
#include <bridle/param.hpp>

namespace bridle::inline BRIDLE_ISA::ops {

// strength·step: infinity outweighs the largest x, and zero outweighs infinity.
struct Weight {
  Twofold mantissa;
  std::int64_t exponent;
};
constexpr std::int64_t weighty(std::int64_t exponent) {
  return exponent + where(exponent >= kExponentOfInfinity, 8 * kExponentOfInfinity);
}
constexpr Weight weight_of(double strength, double step) {
  const Scaled a = scaled(strength), b = scaled(step);
  return {exact_product(a.mantissa, b.mantissa), weighty(a.exponent) + weighty(b.exponent)};
}
constexpr double weight_of(float strength, float step) {
  return unless((strength == 0.0f) | (step == 0.0f), double(strength) * double(step));
}

// The result for x, given that for its magnitude unless it is NaN.
template <class T>
constexpr T result_for(T x, T size) {
  const T moved = x < T(0) ? T(0) - size : size;
  return x == x ? moved : x;
}

// P(z) = strength·|z|ᵖ for p = 1 − 1/k: k = 2 (Xu, Chang, Xu, Zhang 2012) and k = 3 (Cao, Sun, Xu
// 2013). For x > 0 and w = p·step·strength, a minimizer z > 0 has z − x + w·z^(p−1) = 0, so that
// d = x − z fulfils dᵏ·(x − d) = wᵏ =: m. The larger root is a minimum, and below the objective at
// zero iff d < x·p/(2 − p), which `zero` denies in terms of m.
template <int k>
struct PowerPenalty;

template <>
struct PowerPenalty<2> {
  static constexpr Twofold p{0.5, 0.0};
  static constexpr bool zero(double m, double x) { return 27.0 * m >= 2.0 * (x * x * x); }
  static double jump(double m) { return cube_root(13.5 * m); }
  static double root(double q) { return square_root(q); }
  static constexpr double start[] = {-14.438198,  4.8702541,   -1.4524805,
                                     -0.30844937, -0.50162265, 1.0000062};
};

template <>
struct PowerPenalty<3> {
  static constexpr Twofold p{0x1.5555555555555p-1, 0x1.5555555555555p-55};
  static constexpr bool zero(double m, double x) { return 16.0 * m >= x * x * (x * x); }
  static double jump(double m) { return 2.0 * square_root(square_root(m)); }
  // Up to rounding; of no use for subnormal q, which changes no x.
  static constexpr double root(double q) {
    const double y = inverse_cube_root(q);
    return q * (y * y) * (1.0 + (2.0 / 3) * (1.0 - (q * y) * (y * y)));
  }
  static constexpr double start[] = {-392.557078,  496.731652,   -264.081358,
                                     72.4522164,   -11.5382382,  0.684230161,
                                     -0.259936559, -0.332758107, 0.999998584};
};

template <int k>
constexpr double power(double x) {
  return k == 2 ? x * x : x * x * x;
}

struct PowerRoot {
  double c, v;
};

// With v = (z/x)^(1/k) and c = (m/x^(k+1))^(1/k) the equation is v^(k+1) − v + c = 0, so that z is
// x·vᵏ and d is x·c/v. Up to the jump the polynomial in c is within 2·10⁻⁵ of v; the function is
// convex there, its slope at least 1 and its curvature over twice that at most 3.8, so one of
// Newton's steps is within 10⁻⁹.
template <int k>
[[gnu::always_inline]] inline PowerRoot power_root(double x, double m) {
  const double c = PowerPenalty<k>::root(m / (power<k>(x) * x));
  double v = 0.0;
  for (const double coefficient : PowerPenalty<k>::start) v = v * c + coefficient;
  const double above = (power<k>(v) - 1.0) * v + c;
  return {c, v - above / (double(k + 1) * power<k>(v) - 1.0)};
}

// For floats.
template <int k>
struct PowerProx {
  double weight;  // step·strength

  constexpr PowerProx(float strength, float step) : weight(weight_of(strength, step)) {}
  constexpr double m() const { return power<k>(PowerPenalty<k>::p.high * weight); }
  constexpr PowerRootOfFloats<k> root() const { return {weight, PowerPenalty<k>::p.high}; }

  [[gnu::always_inline]] float operator()(float x) const {
    const float size = absolute(x);
    return unless(PowerPenalty<k>::zero(m(), size), with_sign_of(x, root()(size)));
  }
  ZeroUpTo<PowerRootOfFloats<k>> prepared() const {
    const double all = m();
    const auto zero = [all](double x) { return PowerPenalty<k>::zero(all, x); };
    return {root(), last_zero(PowerPenalty<k>::jump(all), zero)};
  }
};

template <int k>
[[gnu::always_inline]] inline double power_prox(double size, double strength, double step) {
  const Scaled x = scaled(size);
  const Weight weight = weight_of(strength, step);
  const Twofold w = PowerPenalty<k>::p * weight.mantissa;
  const Twofold m = (k == 2 ? w * w : w * w * w) *
                    power_of_two(k * weight.exponent - (k + 1) * x.exponent, -300, 300);

  // Newton's step for dᵏ·(x − d) − m, where x − d is held without an error.
  const PowerRoot root = power_root<k>(x.mantissa, m.high);
  const double d = x.mantissa * (root.c / root.v);
  const Twofold z = ordered_sum(x.mantissa, -d), square = exact_product(d, d);
  const Twofold left = (k == 2 ? square : square * Twofold{d, 0.0}) * z;
  const double slope = (k == 2 ? d : d * d) * (double(k) * x.mantissa - double(k + 1) * d);
  const double excess = ((left.high - m.high) + (left.low - m.low)) / slope;
  const double result = rescaled(z.high + (z.low + excess), size);
  return unless(PowerPenalty<k>::zero(m.high, x.mantissa), result);
}

// P(z) = strength·√|z|.
template <class T>
struct prox_l_half {
  static constexpr const char* name = "prox_l_half";
  static constexpr auto params =
      parameters(Param{"strength", Rule::non_negative}, Param{"step", Rule::non_negative});
  T strength, step;

  [[gnu::always_inline]] T operator()(T x) const {
    if constexpr (kIsDouble<T>) {
      return result_for(x, power_prox<2>(absolute(x), strength, step));
    } else {
      return PowerProx<2>(strength, step)(x);
    }
  }
  auto prepared() const
    requires(!kIsDouble<T>)
  {
    return PowerProx<2>(strength, step).prepared();
  }
};
template <class T>
prox_l_half(T, T) -> prox_l_half<T>;

// P(z) = strength·|z|^(2/3).
template <class T>
struct prox_l_two_thirds {
  static constexpr const char* name = "prox_l_two_thirds";
  static constexpr auto params =
      parameters(Param{"strength", Rule::non_negative}, Param{"step", Rule::non_negative});
  T strength, step;

  [[gnu::always_inline]] T operator()(T x) const {
    if constexpr (kIsDouble<T>) {
      return result_for(x, power_prox<3>(absolute(x), strength, step));
    } else {
      return PowerProx<3>(strength, step)(x);
    }
  }
  auto prepared() const
    requires(!kIsDouble<T>)
  {
    return PowerProx<3>(strength, step).prepared();
  }
};
template <class T>
prox_l_two_thirds(T, T) -> prox_l_two_thirds<T>;

// P(z) = strength·log(1 + |z|/epsilon) (Candès, Wakin, Boyd 2008). For x > 0 and
// w = step·strength, a minimizer z > 0 has z − x + w/(z + epsilon) = 0, so that
// z² − a·z − n = 0 with a = x − epsilon, n = x·epsilon − w. If n > 0 the objective falls at zero,
// and z is the only positive root. Otherwise there are two or none, the larger one is the minimum,
// and whether that is global the objective must say.
struct Quadratic {
  double a, n;

  double discriminant() const { return a * a + 4.0 * n; }
  // The larger root, without cancellation.
  double root() const {
    const double sum = square_root(discriminant()) + absolute(a);
    return (a < 0.0 ? 2.0 * n : sum * 0.5) / (a < 0.0 ? sum : 1.0);
  }
};

// What z gains over zero, ½z² − w·(log(1 + z/epsilon) − z/(z + epsilon)). `beyond` is added to the
// logarithm.
[[gnu::always_inline]] inline double log_sum_gain(double z, double w, double inverse,
                                                  double beyond) {
  const double t = z * inverse;
  const OnePlus<double> one_plus(t);
  const double share = 1.0 / one_plus.sum;
  const double logarithm = logarithm_with(one_plus.sum, one_plus.lost * share) + beyond;
  return 0.5 * (z * z) - w * (logarithm - t * share);
}

// Whether zero is no worse than z, or z is none.
[[gnu::always_inline]] inline bool log_sum_zero(Quadratic q, double gain) {
  return !((q.n > 0.0) | ((q.a > 0.0) & (gain > 0.0)));
}

// For floats.
struct LogSumProx {
  double epsilon, weight;

  constexpr LogSumProx(float strength, float given_epsilon, float step)
      : epsilon(given_epsilon), weight(weight_of(strength, step)) {}

  // Both products are exact.
  constexpr Quadratic at(double x) const { return {x - epsilon, x * epsilon - weight}; }
  [[gnu::always_inline]] double gain(Quadratic q) const {
    return log_sum_gain(q.root(), weight, 1.0 / epsilon, 0.0);
  }
  [[gnu::always_inline]] float operator()(float x) const {
    const float size = absolute(x);
    const Quadratic q = at(size);
    const LogSumRootOfFloats root(epsilon, weight);
    return unless(log_sum_zero(q, gain(q)) & (x == x), with_sign_of(x, root(size)));
  }

  // About where the jump is. The gain is convex in x, with the slope z, so that Newton's steps come
  // down to its zero.
  double jump() const {
    double x = weight / epsilon;
    if (!(weight > epsilon * epsilon)) return x;
    const double logarithm = log_of_one_plus(square_root(weight) / epsilon);
    const double above = square_root(2.0 * weight * (1.0 + logarithm));
    x = above < x ? above : x;
    for (int n = 0; n < 4; ++n) x -= gain(at(x)) / at(x).root();
    return x;
  }
  ZeroUpTo<LogSumRootOfFloats> prepared() const {
    const auto zero = [this](double x) { return log_sum_zero(at(x), gain(at(x))); };
    return {LogSumRootOfFloats(epsilon, weight), last_zero(jump(), zero)};
  }
};

[[gnu::always_inline]] inline double log_sum_prox(double size, double strength, double epsilon,
                                                  double step) {
  const Scaled x = scaled(size), e = scaled(epsilon);
  const Weight weight = weight_of(strength, step);
  // Where epsilon is far above x, z is x − w/epsilon, so that both may be lowered alike; where it
  // is far below, only the logarithm sees it.
  const std::int64_t ratio = e.exponent - x.exponent;
  const std::int64_t lowered = ratio > 200 ? ratio - 200 : 0;
  const std::int64_t raised = ratio < -300 ? -300 - ratio : 0;
  const double small = e.mantissa * power_of_two(ratio, -300, 200);
  const Twofold w =
      weight.mantissa * power_of_two(weight.exponent - 2 * x.exponent - lowered, -700, 600);

  const Twofold product = exact_product(x.mantissa, small);
  const Twofold difference = exact_sum(x.mantissa, -small);
  const Twofold rest = product + Twofold{-w.high, -w.low};
  const Quadratic q{difference.high, rest.high};
  const double z = q.root();
  const Twofold square = exact_product(z, z);
  const Twofold line = difference * Twofold{z, 0.0} + rest;
  const Twofold left = square + Twofold{-line.high, -line.low};
  const double result = rescaled(z - left.high / square_root(q.discriminant()), size);

  const double beyond =
      0x1.62e42fefa39efp-1 * from_whole<double>(static_cast<std::uint64_t>(raised));
  return unless(log_sum_zero(q, log_sum_gain(z, w.high, 1.0 / small, beyond)), result);
}

template <class T>
struct prox_log_sum {
  static constexpr const char* name = "prox_log_sum";
  static constexpr auto params =
      parameters(Param{"strength", Rule::non_negative}, Param{"epsilon", Rule::positive},
                 Param{"step", Rule::non_negative});
  static constexpr int least_prepared = kIsDouble<T> ? 0 : 64;
  T strength, epsilon, step;

  [[gnu::always_inline]] T operator()(T x) const {
    if constexpr (kIsDouble<T>) {
      return result_for(x, log_sum_prox(absolute(x), strength, epsilon, step));
    } else {
      return LogSumProx(strength, epsilon, step)(x);
    }
  }
  auto prepared() const
    requires(!kIsDouble<T>)
  {
    return LogSumProx(strength, epsilon, step).prepared();
  }
};
template <class T>
prox_log_sum(T, T, T) -> prox_log_sum<T>;

// strength·Σ√|w|
struct l_half_penalty {
  static constexpr const char* name = "l_half_penalty";
  static constexpr auto params = parameters(Param{"strength", Rule::non_negative});
  static constexpr int sums = 1;
  double strength;

  template <class T>
  void terms(T w, T (&term)[1]) const {
    term[0] = square_root(absolute(w));
  }
  constexpr double finish(const double* sum) const { return product(strength, sum[0]); }
};

// strength·Σ|w|^(2/3), each term within 2 units in the last place.
struct l_two_thirds_penalty {
  static constexpr const char* name = "l_two_thirds_penalty";
  static constexpr auto params = parameters(Param{"strength", Rule::non_negative});
  static constexpr int sums = 1;
  double strength;

  template <class T>
  void terms(T w, T (&term)[1]) const {
    const T root = cube_root(absolute(w));
    term[0] = root * root;
  }
  constexpr double finish(const double* sum) const { return product(strength, sum[0]); }
};

// strength·Σlog(1 + |w|/epsilon), each term within 2 units in the last place. A quotient that may
// exceed all numbers is replaced by its square root, 2³⁰⁰ times too small.
struct log_sum_penalty {
  static constexpr const char* name = "log_sum_penalty";
  static constexpr auto params =
      parameters(Param{"strength", Rule::non_negative}, Param{"epsilon", Rule::positive});
  static constexpr int sums = 1;
  double strength, epsilon;

  template <class T>
  void terms(T w, T (&term)[1]) const {
    const T size = absolute(w);
    const auto far = size > number<T>(epsilon * 0x1p1000);
    const T above = far ? square_root(size) * number<T>(0x1p-300) : size;
    const T below = far ? number<T>(square_root(epsilon)) : number<T>(epsilon);
    const T logarithm = log_of_one_plus(above / below);
    const T of_far = number<T>(2.0) * logarithm + number<T>(600.0 * 0x1.62e42fefa39efp-1);
    term[0] = far ? of_far : logarithm;
  }
  constexpr double finish(const double* sum) const { return product(strength, sum[0]); }
};

}  // namespace bridle::inline BRIDLE_ISA::ops
