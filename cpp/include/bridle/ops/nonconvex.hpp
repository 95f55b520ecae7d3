// Penalties that leave large weights alone, and their proximal operators: the global minimizers,
// for every step. Where several are minimal the smallest one is taken.
#pragma once

#include <bridle/ops/math.hpp>
#include <bridle/ops/prox.hpp>
#include <bridle/param.hpp>

namespace bridle::inline BRIDLE_ISA::ops {

// 0 up to the threshold, x above it.
template <class T>
struct hard_threshold {
  static constexpr const char* name = "hard_threshold";
  static constexpr auto params = parameters(Param{"threshold", Rule::non_negative});
  T threshold;

  constexpr T operator()(T x) const { return unless(absolute(x) <= threshold, x); }
};
template <class T>
hard_threshold(T) -> hard_threshold<T>;

// 0 up to `lower`, x above `upper`, between them a straight line of this slope.
template <class T>
struct BentLine {
  T lower, upper, slope;

  constexpr T operator()(T x) const {
    const T size = absolute(x);
    const T line = (size - lower) * slope;
    const T inner = unless(size <= lower, line > size ? size : line);
    return with_sign_of(x, select(size <= upper, inner, size));
  }
};

// Not infinite, since 0 · inf would be NaN; where it is NaN no line is left.
template <class T>
constexpr T finite_slope(T slope) {
  return slope < largest<T>() ? slope : largest<T>();
}

// Firm shrinkage (Gao and Bruce 1997).
template <class T>
struct firm_threshold {
  static constexpr const char* name = "firm_threshold";
  static constexpr auto params =
      parameters(Param{"lower", Rule::non_negative}, Param{"upper", Rule::not_below_previous});
  T lower, upper;

  constexpr BentLine<T> prepared() const {
    const T slope = upper <= largest<T>() ? upper / (upper - lower) : T(1);
    return {lower, upper, finite_slope(slope)};
  }
  constexpr T operator()(T x) const { return prepared()(x); }
};
template <class T>
firm_threshold(T, T) -> firm_threshold<T>;

// P(z) = strength where z ≠ 0: keeping x costs step·strength, dropping it x²/2.
template <class T>
struct prox_l0 {
  static constexpr const char* name = "prox_l0";
  static constexpr auto params =
      parameters(Param{"strength", Rule::non_negative}, Param{"step", Rule::non_negative});
  T strength, step;

  constexpr hard_threshold<T> prepared() const { return {root_of_product(T(2) * step, strength)}; }
  constexpr T operator()(T x) const { return prepared()(x); }
};
template <class T>
prox_l0(T, T) -> prox_l0<T>;

// P(z) = strength·|z| − z²/(2·gamma) up to |z| = gamma·strength, constant from there on (Zhang
// 2010). Where step >= gamma the objective is concave up to there: the minimum is 0, of x²/2, or x,
// of step·gamma·strength²/2.
template <class T>
struct prox_mcp {
  static constexpr const char* name = "prox_mcp";
  static constexpr auto params =
      parameters(Param{"strength", Rule::non_negative}, Param{"gamma", Rule::positive},
                 Param{"step", Rule::non_negative});
  T strength, gamma, step;

  constexpr BentLine<T> prepared() const {
    const bool convex = step < gamma;
    const T crossing = product(strength, root_of_product(step, gamma));
    const T lower = convex ? product(step, strength) : crossing;
    const T upper = convex ? product(gamma, strength) : crossing;
    const T slope = gamma <= largest<T>() ? gamma / (gamma - step) : T(1);
    return {lower, upper, finite_slope(slope)};
  }
  constexpr T operator()(T x) const { return prepared()(x); }
};
template <class T>
prox_mcp(T, T, T) -> prox_mcp<T>;

// Soft thresholding up to a result of `bend`, from there on a line of this slope; x above `end`.
template <class T>
struct TwoLines {
  T threshold, bend, slope, end;

  constexpr T operator()(T x) const {
    const T size = absolute(x);
    const T shrunk = size - threshold, above = size - (bend + threshold);
    const T first = shrunk > bend ? bend : shrunk;
    const T sum = first + unless(above < T(0), above * slope);
    const T limited = sum > size ? size : sum;
    const T inner = unless(shrunk < T(0), limited);
    return with_sign_of(x, select(size <= end, inner, size));
  }
};

// P(z) = strength·|z| up to |z| = strength, constant from gamma·strength on, a parabola between
// (Fan and Li 2001). Where step >= gamma − 1 the objective is concave between: the minimum is that
// of the first piece or x, of step·strength²·(gamma + 1)/2. They cross at a point that is below
// step·strength, where the first piece gives 0, or above.
template <class T>
struct prox_scad {
  static constexpr const char* name = "prox_scad";
  static constexpr auto params =
      parameters(Param{"strength", Rule::non_negative}, Param{"gamma", Rule::above_two},
                 Param{"step", Rule::non_negative});
  T strength, gamma, step;

  constexpr TwoLines<T> prepared() const {
    const T threshold = product(step, strength);
    const bool convex = step < gamma - T(1);
    const T early = root_of_product(step, gamma + T(1));
    const T late = T(0.5) * (gamma + T(1)) + T(0.5) * step;
    const T crossing = gamma + T(1) <= step ? early : late;
    const T end = product(strength, convex ? gamma : crossing);
    const T slope = gamma <= largest<T>() ? (gamma - T(1)) / (gamma - T(1) - step) : T(1);
    const T finite = slope < largest<T>() ? slope : T(0);
    return {threshold, strength, unless(!convex, finite), threshold == T(0) ? T(-1) : end};
  }
  [[gnu::always_inline]] constexpr T operator()(T x) const { return prepared()(x); }
};
template <class T>
prox_scad(T, T, T) -> prox_scad<T>;

// strength times the number of weights that are not zero.
struct l0_penalty {
  static constexpr const char* name = "l0_penalty";
  static constexpr auto params = parameters(Param{"strength", Rule::non_negative});
  static constexpr int sums = 1;
  double strength;

  template <class T>
  constexpr void terms(T w, T (&term)[1]) const {
    const T one = T{} + 1.0;
    const T counted = w == 0.0 ? T{} : one;
    term[0] = w == w ? counted : w;
  }
  constexpr double finish(const double* sum) const { return product(strength, sum[0]); }
};

// Σ of what is written above prox_mcp: strength·z·(1 − z/(2·end)) with z = min(|w|, end), end =
// gamma·strength.
struct mcp_penalty {
  static constexpr const char* name = "mcp_penalty";
  static constexpr auto params =
      parameters(Param{"strength", Rule::non_negative}, Param{"gamma", Rule::positive});
  static constexpr int sums = 1;
  double strength, gamma;

  template <class T>
  constexpr void terms(T w, T (&term)[1]) const {
    const double end = product(gamma, strength);
    const T z = at_most(absolute(w), end);
    // The end may be 0 or infinite.
    term[0] = z * (1.0 - at_most(z, finite(end)) * finite(0.5 / end));
  }
  constexpr double finish(const double* sum) const { return product(strength, sum[0]); }
};

// Σ of what is written above prox_scad: strength·(z − e²/(2·(gamma − 1)·strength)) with z =
// min(|w|, gamma·strength), e = max(z − strength, 0).
struct scad_penalty {
  static constexpr const char* name = "scad_penalty";
  static constexpr auto params =
      parameters(Param{"strength", Rule::non_negative}, Param{"gamma", Rule::above_two});
  static constexpr int sums = 1;
  double strength, gamma;

  template <class T>
  constexpr void terms(T w, T (&term)[1]) const {
    const double end = product(gamma, strength);
    const T z = at_most(absolute(w), end);
    const T above = at_most(z, finite(end)) - strength;
    const T e = above > 0.0 ? above : T{};
    term[0] = z - e * (e * finite(0.5 / product(gamma - 1.0, strength)));
  }
  constexpr double finish(const double* sum) const { return product(strength, sum[0]); }
};

}  // namespace bridle::inline BRIDLE_ISA::ops
