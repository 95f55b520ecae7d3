// Penalties of weights that must not be negative, and their proximal operators.
#pragma once

#include <bridle/ops/math.hpp>
#include <bridle/ops/prox.hpp>
#include <bridle/param.hpp>

namespace bridle::inline BRIDLE_ISA::ops {

// P(z) = strength·z where z >= 0, else inf.
template <class T>
struct prox_nonnegative_l1 {
  static constexpr const char* name = "prox_nonnegative_l1";
  static constexpr auto params =
      parameters(Param{"strength", Rule::non_negative}, Param{"step", Rule::non_negative});
  T strength, step;

  constexpr T operator()(T x) const {
    const T threshold = product(step, strength);
    return unless(x <= threshold, x - threshold);
  }
};
template <class T>
prox_nonnegative_l1(T, T) -> prox_nonnegative_l1<T>;

// P(z) = strength·z² where z >= 0, else inf.
template <class T>
struct prox_nonnegative_l2 {
  static constexpr const char* name = "prox_nonnegative_l2";
  static constexpr auto params =
      parameters(Param{"strength", Rule::non_negative}, Param{"step", Rule::non_negative});
  T strength, step;

  constexpr T operator()(T x) const { return prox_l2<T>{strength, step}(x < T(0) ? T(0) : x); }
};
template <class T>
prox_nonnegative_l2(T, T) -> prox_nonnegative_l2<T>;

// What a weight adds whose penalty is strength·cost: infinity if it is negative, whatever the
// strength is.
template <class T>
constexpr T cost_unless_negative(T w, T cost, double strength) {
  const T counted = unless((T{} + strength) == 0.0, cost);
  const T infinity = T{} + (strength + __builtin_inf());  // of the constant gcc makes branches
  return w < 0.0 ? infinity : counted;
}
constexpr double sum_or_infinity(double strength, double sum) {
  return product(strength, sum) + unless(strength != 0.0, sum);
}

// strength·Σw, inf if a weight is negative
struct nonnegative_l1_penalty {
  static constexpr const char* name = "nonnegative_l1_penalty";
  static constexpr auto params = parameters(Param{"strength", Rule::non_negative});
  static constexpr int sums = 1;
  double strength;

  template <class T>
  constexpr void terms(T w, T (&term)[1]) const {
    term[0] = cost_unless_negative(w, w, strength);
  }
  constexpr double finish(const double* sum) const { return sum_or_infinity(strength, sum[0]); }
};

// strength·Σw², inf if a weight is negative
struct nonnegative_l2_penalty {
  static constexpr const char* name = "nonnegative_l2_penalty";
  static constexpr auto params = parameters(Param{"strength", Rule::non_negative});
  static constexpr int sums = 1;
  double strength;

  template <class T>
  constexpr void terms(T w, T (&term)[1]) const {
    term[0] = cost_unless_negative(w, w * w, strength);
  }
  constexpr double finish(const double* sum) const { return sum_or_infinity(strength, sum[0]); }
};

}  // namespace bridle::inline BRIDLE_ISA::ops
