// What becomes of an element beside the one that goes with it: sums and averages of whole arrays.
#pragma once

#include <bridle/config.hpp>

namespace bridle::inline BRIDLE_ISA::ops {

// total + factor·x: one rounding of the product, one of the sum.
template <class T>
struct accumulate {
  T factor;
  constexpr T operator()(T total, T x) const { return total + factor * x; }
};

// average + factor·(x − average), factor = 1 − decay.
template <class T>
struct average {
  T factor;
  constexpr T operator()(T average, T x) const { return average + factor * (x - average); }
};

// factor·x, whatever it replaces.
template <class T>
struct scale {
  T factor;
  constexpr T operator()(T, T x) const { return factor * x; }
};

}  // namespace bridle::inline BRIDLE_ISA::ops
