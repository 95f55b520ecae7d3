// Proximal operators: prox(x) = argmin_z ½(z − x)² + step·P(z), element by element.
// A functor holds the parameters of one element and maps x to its result; drivers turn −0.0 into
// +0.0. One that maps complex numbers, too, given by their parts, has loops over them. Where
// `prepared` makes a shorter functor of the parameters, loops call that.
#pragma once

#include <bridle/ops/complex.hpp>
#include <bridle/ops/math.hpp>
#include <bridle/param.hpp>

namespace bridle::inline BRIDLE_ISA::ops {

// P(z) = |z|, step = threshold: moves x towards zero by threshold and stops there.
template <class T>
struct soft_threshold {
  static constexpr const char* name = "soft_threshold";
  static constexpr auto params = parameters(Param{"threshold", Rule::non_negative});
  T threshold;

  constexpr T operator()(T x) const { return x - clamp(x, -threshold, threshold); }

  // The same for complex numbers, |z| being the modulus: x·max(1 − threshold/|x|, 0). Each part is
  // within 4 units in the last place (float: 0.52), and where |x| is so near the threshold that
  // less is left, within 2⁻¹⁰⁰ times itself before. A part that is NaN makes both NaN, whatever the
  // other is. An infinite modulus leaves x as it is where the threshold is finite, and makes both
  // parts NaN where that is infinite, too.
  [[gnu::always_inline]] void operator()(T& real, T& imaginary) const {
    const double factor = shrinkage_factor(real, imaginary, threshold);
    real = static_cast<T>(real * factor);
    imaginary = static_cast<T>(imaginary * factor);
  }
};
template <class T>
soft_threshold(T) -> soft_threshold<T>;

// P(z) = strength·z².
template <class T>
struct prox_l2 {
  static constexpr const char* name = "prox_l2";
  static constexpr auto params =
      parameters(Param{"strength", Rule::non_negative}, Param{"step", Rule::non_negative});
  T strength, step;

  constexpr T operator()(T x) const { return x / (T(1) + T(2) * product(step, strength)); }
};
template <class T>
prox_l2(T, T) -> prox_l2<T>;

// P(z) = l1·|z| + l2·z²: the two above, one after the other.
template <class T>
struct prox_elastic_net {
  static constexpr const char* name = "prox_elastic_net";
  static constexpr auto params =
      parameters(Param{"l1", Rule::non_negative}, Param{"l2", Rule::non_negative},
                 Param{"step", Rule::non_negative});
  T l1, l2, step;

  constexpr T operator()(T x) const {
    return prox_l2<T>{l2, step}(soft_threshold<T>{product(step, l1)}(x));
  }
};
template <class T>
prox_elastic_net(T, T, T) -> prox_elastic_net<T>;

// P(z) = strength·z²/2 up to |z| = delta, from there on strength·delta·(|z| − delta/2) (Huber
// 1964).
template <class T>
struct prox_huber {
  static constexpr const char* name = "prox_huber";
  static constexpr auto params =
      parameters(Param{"strength", Rule::non_negative}, Param{"delta", Rule::positive},
                 Param{"step", Rule::non_negative});
  T strength, delta, step;

  constexpr T operator()(T x) const {
    const T weight = product(step, strength);
    const T near = x / (T(1) + weight);
    const T far = soft_threshold<T>{product(weight, delta)}(x);
    return select(absolute(near) > delta, far, near);
  }
};
template <class T>
prox_huber(T, T, T) -> prox_huber<T>;

// P(z) = strength·(z − reference)²: the mean of x and the reference, weighed 1 : 2·step·strength.
template <class T>
struct prox_l2_sp {
  static constexpr const char* name = "prox_l2_sp";
  static constexpr auto params =
      parameters(Param{"reference", Rule::any}, Param{"strength", Rule::non_negative},
                 Param{"step", Rule::non_negative});
  T reference, strength, step;

  constexpr T operator()(T x) const {
    const T weight = T(2) * product(step, strength);
    const T quotient = weight / (T(1) + weight);
    const T moved = (weight > largest<T>() ? T(1) : quotient) * reference;
    return x / (T(1) + weight) + (weight == T(0) ? T(0) : moved);
  }
};
template <class T>
prox_l2_sp(T, T, T) -> prox_l2_sp<T>;

}  // namespace bridle::inline BRIDLE_ISA::ops
