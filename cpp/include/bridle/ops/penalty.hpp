// Penalties: sums over the weights, accumulated in double, times the strengths at the very end.
// A functor holds the parameters. `terms` gives what one weight adds to each sum, T being double or
// a vector of doubles, and nothing for a zero; `finish` makes the penalty of the sums. A strength
// of zero leaves its term out, whatever the sum is. Where `beside` is true the first parameter may
// be an array beside the weights: `terms` gets its element, and `finish` does not see it.
#pragma once

#include <bridle/ops/math.hpp>
#include <bridle/param.hpp>

namespace bridle::inline BRIDLE_ISA::ops {

// strength·Σ|w|
struct l1_penalty {
  static constexpr const char* name = "l1_penalty";
  static constexpr auto params = parameters(Param{"strength", Rule::non_negative});
  static constexpr int sums = 1;
  double strength;

  template <class T>
  constexpr void terms(T w, T (&term)[1]) const {
    term[0] = absolute(w);
  }
  constexpr double finish(const double* sum) const { return product(strength, sum[0]); }
};

// strength·Σw²
struct l2_penalty {
  static constexpr const char* name = "l2_penalty";
  static constexpr auto params = parameters(Param{"strength", Rule::non_negative});
  static constexpr int sums = 1;
  double strength;

  template <class T>
  constexpr void terms(T w, T (&term)[1]) const {
    term[0] = w * w;
  }
  constexpr double finish(const double* sum) const { return product(strength, sum[0]); }
};

// l1·Σ|w| + l2·Σw²
struct elastic_net_penalty {
  static constexpr const char* name = "elastic_net_penalty";
  static constexpr auto params =
      parameters(Param{"l1", Rule::non_negative}, Param{"l2", Rule::non_negative});
  static constexpr int sums = 2;
  double l1, l2;

  template <class T>
  constexpr void terms(T w, T (&term)[2]) const {
    term[0] = absolute(w);
    term[1] = w * w;
  }
  constexpr double finish(const double* sum) const {
    return product(l1, sum[0]) + product(l2, sum[1]);
  }
};

// strength·Σ z·(|w| − z/2) with z = min(|w|, delta)
struct huber_penalty {
  static constexpr const char* name = "huber_penalty";
  static constexpr auto params =
      parameters(Param{"strength", Rule::non_negative}, Param{"delta", Rule::positive});
  static constexpr int sums = 1;
  double strength, delta;

  template <class T>
  constexpr void terms(T w, T (&term)[1]) const {
    const T size = absolute(w);
    const T z = at_most(size, finite(delta));
    term[0] = z * (size - 0.5 * z);
  }
  constexpr double finish(const double* sum) const { return product(strength, sum[0]); }
};

// strength·Σ(w − reference)²
struct l2_sp_penalty {
  static constexpr const char* name = "l2_sp_penalty";
  static constexpr auto params =
      parameters(Param{"reference", Rule::any}, Param{"strength", Rule::non_negative});
  static constexpr int sums = 1;
  static constexpr bool beside = true;
  double reference, strength;

  template <class T>
  constexpr void terms(T w, T beside_it, T (&term)[1]) const {
    const T distance = w - beside_it;
    term[0] = distance * distance;
  }
  constexpr double finish(const double* sum) const { return product(strength, sum[0]); }
};

}  // namespace bridle::inline BRIDLE_ISA::ops
