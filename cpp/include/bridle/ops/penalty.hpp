// Penalties: sums over the weights, accumulated in double, times the strengths at the very end.
// `terms` gives what one weight adds to each sum; `finish` makes the penalty of the sums. A
// strength of zero leaves its term out, whatever the sum is.
#pragma once

#include <bridle/ops/math.hpp>
#include <bridle/param.hpp>

namespace bridle::inline BRIDLE_ISA::ops {

// strength·Σ|w|
struct l1_penalty {
  static constexpr const char* name = "l1_penalty";
  static constexpr Param params[] = {{"strength", Rule::non_negative}};
  static constexpr int sums = 1;
  double strength;

  template <class T>
  static constexpr void terms(T w, T (&term)[1]) {
    term[0] = absolute(w);
  }
  constexpr double finish(const double* sum) const { return product(strength, sum[0]); }
};

// strength·Σw²
struct l2_penalty {
  static constexpr const char* name = "l2_penalty";
  static constexpr Param params[] = {{"strength", Rule::non_negative}};
  static constexpr int sums = 1;
  double strength;

  template <class T>
  static constexpr void terms(T w, T (&term)[1]) {
    term[0] = w * w;
  }
  constexpr double finish(const double* sum) const { return product(strength, sum[0]); }
};

// l1·Σ|w| + l2·Σw²
struct elastic_net_penalty {
  static constexpr const char* name = "elastic_net_penalty";
  static constexpr Param params[] = {{"l1", Rule::non_negative}, {"l2", Rule::non_negative}};
  static constexpr int sums = 2;
  double l1, l2;

  template <class T>
  static constexpr void terms(T w, T (&term)[2]) {
    term[0] = absolute(w);
    term[1] = w * w;
  }
  constexpr double finish(const double* sum) const {
    return product(l1, sum[0]) + product(l2, sum[1]);
  }
};

}  // namespace bridle::inline BRIDLE_ISA::ops
