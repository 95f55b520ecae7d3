// Projections of each element on an interval. What lies inside keeps its bits, −0.0 too.
#pragma once

#include <bridle/ops/math.hpp>
#include <bridle/param.hpp>

namespace bridle::inline BRIDLE_ISA::ops {

// The nearest number of [lower, upper].
template <class T>
struct project_box {
  static constexpr const char* name = "project_box";
  static constexpr auto params =
      parameters(Param{"lower", Rule::number}, Param{"upper", Rule::not_below_previous});
  static constexpr bool keeps_zeros = true;
  T lower, upper;

  // A bound of −0.0 gives +0.0.
  constexpr T operator()(T x) const { return clamp(x, lower + T(0), upper + T(0)); }
};
template <class T>
project_box(T, T) -> project_box<T>;

// The nearest number that is not negative.
template <class T = double>
struct project_nonnegative {
  static constexpr const char* name = "project_nonnegative";
  static constexpr auto params = parameters();
  static constexpr bool keeps_zeros = true;

  constexpr T operator()(T x) const { return x < T(0) ? T(0) : x; }
};

}  // namespace bridle::inline BRIDLE_ISA::ops
