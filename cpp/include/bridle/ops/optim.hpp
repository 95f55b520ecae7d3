// What an optimizer adds to its own step: decoupled weight decay, and the gradient of a penalty.
#pragma once

#include <bridle/ops/math.hpp>
#include <bridle/param.hpp>

namespace bridle::inline BRIDLE_ISA::ops {

// Decoupled weight decay (Loshchilov and Hutter 2019); rate = learning rate × decay.
template <class T>
struct decay {
  static constexpr const char* name = "decay";
  static constexpr auto params = parameters(Param{"rate", Rule::unit_interval});
  T rate;

  constexpr T operator()(T w) const { return w * (T(1) - rate); }
};
template <class T>
decay(T) -> decay<T>;

// The subgradient of least norm of l1·Σ|w| + l2·Σw²: sign(0) = 0.
template <class T>
struct elastic_net_gradient {
  static constexpr const char* name = "elastic_net_gradient";
  static constexpr auto params =
      parameters(Param{"l1", Rule::non_negative}, Param{"l2", Rule::non_negative});
  T l1, l2;

  constexpr T operator()(T w) const { return l1 * sign(w) + T(2) * l2 * w; }
};
template <class T>
elastic_net_gradient(T, T) -> elastic_net_gradient<T>;

}  // namespace bridle::inline BRIDLE_ISA::ops
