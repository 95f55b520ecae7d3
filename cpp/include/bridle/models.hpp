// Functions on whole models: norms and clipping of gradients, sums, averages, conversions.
//
//   const double scale = bridle::global_norm(gradients).clip_scale(1.0);
//   bridle::adamw_update(w, gradients, m, v, rate, step,
//                        {.grad_scale = scale, .copy_out = half_weights});
//
// What holds for all of them: they take one array or a list of them (array_list.hpp), of any mix of
// float, double, Float16 and BFloat16 that is not ruled out below, and share them out to the
// threads as if they were one. Arrays of two lists that go together have the same shapes; an array
// that is written shares no element with any other. The bits are those of the Python functions.
// Throws std::invalid_argument, with nothing written, if something does not fit, in their words.
#pragma once

#include <bridle/array_list.hpp>
#include <bridle/rounding.hpp>
#include <bridle/span_functions.hpp>

namespace bridle {
inline namespace BRIDLE_ISA {

// What there is to know of all elements of a list of arrays.
struct GlobalNorm {
  double l2;       // √Σx²
  double largest;  // max |x|
  bool finite;     // whether no element is infinite or NaN

  // min(1, max_norm / l2), 1 where l2 is 0: as grad_scale of an update (times the scale of the
  // norm) it clips without writing a gradient. max_norm >= 0. Throws std::invalid_argument also if
  // the norm is not finite.
  double clip_scale(double max_norm) const {
    using Function = int(const bridle_norm*, double, double*);
    static Function* const function = detail::find<Function>("clip_scale", "");
    const bridle_norm norm{sizeof(bridle_norm), finite, l2, largest};
    double scale = 1.0;
    detail::require(function(&norm, max_norm, &scale));
    return scale;
  }

  bool operator==(const GlobalNorm&) const = default;
};

// |scale| times norm and largest magnitude of all elements, in one pass, in double, without over-
// or underflow. A NaN makes both NaN, an infinity both infinite; nothing at all is 0, 0, true.
// Norms of parts are joined by std::hypot. scale is not NaN.
inline GlobalNorm global_norm(const ConstArrays& arrays, double scale = 1.0) {
  using Function = int(const bridle_array*, std::int64_t, double, bridle_norm*);
  static Function* const function = detail::find<Function>("global_norm", "");
  bridle_norm norm = BRIDLE_NORM_INIT;
  const auto count = static_cast<std::int64_t>(arrays.count());
  detail::require(function(arrays.data(), count, scale, &norm));
  return {norm.l2, norm.largest, norm.finite != 0};
}

// Multiplies all elements by clip_scale(max_norm), unless it is 1; returns the norm before.
inline GlobalNorm clip_by_global_norm(const Arrays& arrays, double max_norm) {
  using Function = int(const bridle_array*, std::int64_t, double, bridle_norm*);
  static Function* const function = detail::find<Function>("clip_by_global_norm", "");
  bridle_norm norm = BRIDLE_NORM_INIT;
  const auto count = static_cast<std::int64_t>(arrays.count());
  detail::require(function(arrays.data(), count, max_norm, &norm));
  return {norm.l2, norm.largest, norm.finite != 0};
}

// total ← total + scale·gradient, rounded once each: total of double with a gradient of double, or
// of float with one of any other type. scale is not NaN.
inline void accumulate(const Arrays& total, const ConstArrays& gradient, double scale = 1.0) {
  using Function = int(const bridle_array*, const bridle_array*, std::int64_t, double);
  static Function* const function = detail::find<Function>("accumulate", "");
  detail::check_count("accumulate", "gradient", gradient, "total", total);
  const auto count = static_cast<std::int64_t>(total.count());
  detail::require(function(total.data(), gradient.data(), count, scale));
}

// average ← average + (1 − decay)·(w − average), 0 <= decay <= 1: of double for weights of double,
// of float for those of any other type. In a half type it would not move.
inline void average_update(const Arrays& average, const ConstArrays& w, double decay) {
  using Function = int(const bridle_array*, const bridle_array*, std::int64_t, double);
  static Function* const function = detail::find<Function>("average_update", "");
  detail::check_count("average_update", "w", w, "average", average);
  const auto count = static_cast<std::int64_t>(average.count());
  detail::require(function(average.data(), w.data(), count, decay));
}

// out ← x in the type of out. Rounded at random it must be a half type.
inline void cast(const ConstArrays& x, const Arrays& out, const Rounding& rounding = {}) {
  using Function =
      int(const bridle_array*, const bridle_array*, std::int64_t, const bridle_random_bits*);
  static Function* const function = detail::find<Function>("cast", "");
  detail::check_count("cast", "out", out, "x", x);
  const auto count = static_cast<std::int64_t>(x.count());
  detail::require(function(x.data(), out.data(), count, rounding.random_bits()));
}

}  // namespace BRIDLE_ISA
}  // namespace bridle
