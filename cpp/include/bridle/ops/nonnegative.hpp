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
    return x <= threshold ? T(0) : x - threshold;
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

// What a weight that is negative adds to a second sum.
template <class T>
constexpr T infinite_if_negative(T w) {
  return w < 0.0 ? T{} + __builtin_inf() : T{};
}
template <class T>
constexpr T zero_if_negative(T w) {
  return w < 0.0 ? T{} : w;
}

// strength·Σw, inf if a weight is negative
struct nonnegative_l1_penalty {
  static constexpr const char* name = "nonnegative_l1_penalty";
  static constexpr auto params = parameters(Param{"strength", Rule::non_negative});
  static constexpr int sums = 2;
  double strength;

  template <class T>
  constexpr void terms(T w, T (&term)[2]) const {
    term[0] = zero_if_negative(w);
    term[1] = infinite_if_negative(w);
  }
  constexpr double finish(const double* sum) const { return product(strength, sum[0]) + sum[1]; }
};

// strength·Σw², inf if a weight is negative
struct nonnegative_l2_penalty {
  static constexpr const char* name = "nonnegative_l2_penalty";
  static constexpr auto params = parameters(Param{"strength", Rule::non_negative});
  static constexpr int sums = 2;
  double strength;

  template <class T>
  constexpr void terms(T w, T (&term)[2]) const {
    const T positive = zero_if_negative(w);
    term[0] = positive * positive;
    term[1] = infinite_if_negative(w);
  }
  constexpr double finish(const double* sum) const { return product(strength, sum[0]) + sum[1]; }
};

}  // namespace bridle::inline BRIDLE_ISA::ops
