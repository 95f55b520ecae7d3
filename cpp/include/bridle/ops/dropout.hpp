// Dropout (Srivastava et al. 2014): what happens to one element once the random bits have decided.
#pragma once

#include <bridle/ops/math.hpp>
#include <bridle/param.hpp>

namespace bridle::inline BRIDLE_ISA::ops {

// A dropped element becomes +0.0 by selection, so that a dropped inf or NaN vanishes too.
template <class T>
struct dropout {
  static constexpr const char* name = "dropout";
  T scale;

  constexpr T operator()(T x, bool keep) const { return keep ? x * scale : T(0); }
};

}  // namespace bridle::inline BRIDLE_ISA::ops
