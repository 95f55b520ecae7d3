// Thresholds of a projection onto a simplex or an l1 ball, as numbers of twice the precision.
#pragma once

#include <bridle/config.hpp>
#include <bridle/ops/math.hpp>
#include <bridle/ops/twofold.hpp>
#include <bridle/types.hpp>

namespace bridle::inline BRIDLE_ISA::ops {

// Beyond it doubles are scaled, since sums of them may overflow.
inline constexpr double kHugeElement = 0x1p900, kScaleOfHuge = 0x1p-64;

constexpr Threshold raised(Threshold threshold, double by) {
  const Twofold sum = Twofold{threshold.high, threshold.low} + Twofold{by, 0.0};
  return {sum.high, sum.low};
}

// The nearest number of 24 bits.
constexpr double simple_of(double x) {
  const double far = x * (0x1p29 + 1);
  return far - (far - x);
}

// A threshold as such a number, if it is one to within `margin`.
constexpr Threshold simplified(Threshold threshold, double margin) {
  const double near = simple_of(threshold.high);
  const double off = (threshold.high - near) + threshold.low;
  return -margin <= off && off <= margin ? Threshold{near, 0.0} : threshold;
}

// Newton's method on a sum of excesses, which is convex: it ends where the same elements are above
// as before and the sum is nearly the radius, so that the last step is right to rounding. Where it
// ends near a simple number, that is tried: if it is the threshold, its sum is the radius exactly,
// and elements that equal it become zero.
class Newton {
 public:
  explicit constexpr Newton(double radius) : radius_(radius) {}

  // A step from `threshold`, with `rest` = the excess there − the radius, of `count` > 0 elements.
  // It ends a little too low rather than too high, so that some element stays above.
  constexpr Threshold next(Threshold threshold, double rest, double count) {
    const double step = rest / count, distance = step < 0 ? -step : step;
    const double left = rest < 0 ? -rest : rest;
    near_ = left <= 0x1p-10 * radius_;
    const bool exact = tried_ && left <= 0x1p-49 * radius_;
    const bool last = near_ && (count >= before_ || exact);
    done_ = last || ++steps_ == kMost;
    before_ = count;
    const Threshold found = raised(threshold, step - 0x1p-46 * distance);
    if (!last || tried_) return found;
    tried_ = true;
    const Threshold simple = simplified(found, 0x1p-46 * radius_ / count);
    done_ = simple.high == found.high && simple.low == found.low;
    return simple;
  }
  constexpr bool done() const { return done_; }
  constexpr bool near() const { return near_; }

 private:
  static constexpr int kMost = 1000;  // it was never seen to need a tenth
  double radius_, before_ = __builtin_inf();
  int steps_ = 0;
  bool done_ = false, near_ = false, tried_ = false;
};

// Whether a threshold may differ from zero by rounding alone; `count` elements are above it.
inline bool is_near_zero(const Threshold& threshold, double count, double radius) {
  return absolute(threshold.high) * count <= 1e-13 * radius;
}

// Whether the sum of the elements above zero, nearly exact, makes it zero: whether the vector is
// inside the ball, or has the sum that the simplex has.
constexpr bool touches(const Threshold& sum, double radius, bool magnitude) {
  const double rest = (sum.high - radius) + sum.low;
  return magnitude ? rest <= 0.0 : rest == 0.0;
}

// The threshold in the compute type T.
template <class T>
struct Cut {
  T head, tail;
};
template <class T>
constexpr Cut<T> cut_of(const Threshold& threshold) {
  const T head = static_cast<T>(threshold.high);
  const double rest = (threshold.high - static_cast<double>(head)) + threshold.low;
  return {head, head - head == T(0) ? static_cast<T>(rest) : T(0)};
}

}  // namespace bridle::inline BRIDLE_ISA::ops
