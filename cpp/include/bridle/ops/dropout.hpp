// The dropout family: what happens to one element once its random number is known. `keep` is a
// decision, `z` a standard normal deviate; both are functions of seed, stream and index alone.
#pragma once

#include <bridle/ops/math.hpp>
#include <bridle/param.hpp>
#include <bridle/types.hpp>

namespace bridle::inline BRIDLE_ISA::ops {

// Of a probability p between 0 and 1 of dropping an element, realised as a multiple of 2⁻³²: the
// threshold below which a random number keeps it, and what those that are kept are multiplied by.
struct KeepNumbers {
  std::uint64_t threshold;
  double scale;
};
inline KeepNumbers keep_numbers(double p, bool inverted) {
  constexpr double all = 4294967296.0;  // 2³²
  const double threshold = __builtin_nearbyint((1.0 - p) * all);
  const bool scales = inverted && threshold > 0.0;
  return {static_cast<std::uint64_t>(threshold), scales ? all / threshold : 1.0};
}

// Dropout (Srivastava et al. 2014). A dropped element becomes +0.0 by selection, so that a dropped
// inf or NaN vanishes too.
template <class T>
struct dropout {
  static constexpr const char* name = "dropout";
  static constexpr auto params = parameters(Param{"p", Rule::unit_interval});
  using Noise = bool;
  T scale;

  constexpr T operator()(T x, bool keep) const { return keep ? x * scale : T(0); }
};

// Alpha dropout (Klambauer et al. 2017): dropped elements get the value α′ at which SELU saturates,
// and a·(·) + b restores mean 0 and variance 1. `dropped` is a·α′ + b.
template <class T>
struct alpha_dropout {
  static constexpr const char* name = "alpha_dropout";
  using Noise = bool;
  T a, b, dropped;

  constexpr T operator()(T x, bool keep) const { return keep ? a * x + b : dropped; }
};

// Multiplicative Gaussian noise (Srivastava et al. 2014, section 10): x·N(1, deviation²).
template <class T>
struct gaussian_dropout {
  static constexpr const char* name = "gaussian_dropout";
  using Noise = float;
  T deviation;

  constexpr T operator()(T x, T z) const { return x * (T(1) + deviation * z); }
};

// Additive Gaussian noise: x + N(0, deviation²).
template <class T>
struct gaussian_noise {
  static constexpr const char* name = "gaussian_noise";
  using Noise = float;
  T deviation;

  constexpr T operator()(T x, T z) const { return x + deviation * z; }
};

}  // namespace bridle::inline BRIDLE_ISA::ops
