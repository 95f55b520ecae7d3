#include "catch_up.hpp"

#include <algorithm>
#include <bridle/loops/cast.hpp>
#include <cmath>
#include <limits>

#include "threads/parallel.hpp"

namespace bridle {
namespace {

constexpr std::size_t kLeast = 4 * 1024;  // elements from which on a second thread pays

// First `a`, then `b`.
Repeated then(const Repeated& a, const Repeated& b) {
  return {a.power * b.power, a.total + a.power * b.total};
}

constexpr Repeated kNoStep{{1.0, 0.0}, {0.0, 0.0}};

Repeated many(const RepeatedSteps& steps, std::int64_t count) {
  Repeated result = kNoStep;
  for (int k = 0; count >> k != 0; ++k) {
    if (count >> k & 1) result = then(result, steps.doubled[k]);
  }
  return result;
}

// Rounded once.
template <class S>
void store(double x, S& out) {
  narrow(odd_float(x), out);
}
void store(double x, float& out) { narrow(static_cast<float>(x), out); }
void store(double x, double& out) { narrow(x, out); }

// What steps make of one weight that is drawn by `pull`.
class Weight {
 public:
  Weight(const RepeatedSteps& steps, double pull) : steps_(steps), step_(steps.step), pull_(pull) {}

  // `but_last`: one step fewer than `all`, which are `count` > 0.
  double after(double x, std::int64_t count, const Repeated& all, const Repeated& but_last) const {
    if (!std::isfinite(x) || !std::isfinite(pull_)) return of_infinite(x);
    const int region = next_sign(x);
    const bool stays = region != 0 && next_sign(moved(x, region, but_last)) == region;
    return stays ? moved(x, region, all) : across(x, count);
  }

 private:
  // The sign of the next value: a step is linear where it does not change.
  int next_sign(double x) const {
    const double y = step_.keep * x + pull_;
    return (y > step_.threshold) - (y < -step_.threshold);
  }

  double moved(double x, int region, const Repeated& steps) const {
    const double constant = (pull_ - region * step_.threshold) / step_.divisor;
    return steps.power.high * x + constant * steps.total.high;
  }

  // Any number of steps.
  double of_infinite(double x) const {
    constexpr double nan = std::numeric_limits<double>::quiet_NaN();
    const double y = std::isfinite(pull_) ? step_.keep * x + pull_ : nan;
    return ops::soft_threshold<double>{step_.threshold}(y) / step_.divisor;
  }

  // Steps that change the region: to zero, and away from it if `pull` is strong enough.
  double across(double x, std::int64_t count) const {
    if (std::abs(pull_) <= step_.threshold) return 0.0;
    while (count > 0) {
      const int region = next_sign(x);
      if (region == 0) {
        x = 0.0;
        --count;
      } else {
        x = take_steps(x, region, count);
      }
    }
    return x;
  }

  // Takes those of the next `count` > 0 steps that lead into the region, of which the first is one.
  double take_steps(double x, int region, std::int64_t& count) const {
    Repeated taken = kNoStep;
    std::int64_t further = count - 1;
    for (int k = 62; k >= 0; --k) {
      if (std::int64_t{1} << k > further) continue;
      const Repeated more = then(taken, steps_.doubled[k]);
      if (next_sign(moved(x, region, more)) != region) continue;
      taken = more;
      further -= std::int64_t{1} << k;
    }
    count = further;
    return moved(x, region, then(taken, steps_.doubled[0]));
  }

  const RepeatedSteps& steps_;
  const DecayStep& step_;
  double pull_;
};

template <class S>
void draw_row(const RepeatedSteps& steps, S* w, const S* toward, std::size_t size,
              std::int64_t count) {
  const Repeated all = many(steps, count), but_last = many(steps, count - 1);
  for (std::size_t i = 0; i < size; ++i) {
    const double pull = (1 - steps.step.keep) * static_cast<double>(widen(toward[i]));
    store(Weight(steps, pull).after(widen(w[i]), count, all, but_last), w[i]);
  }
}

template <class S>
void draw_rows(const RepeatedSteps& steps, const MissedRows& m) {
  parallel_for(m.count * m.row_size, 1, kLeast, [&](std::size_t begin, std::size_t end) {
    while (begin < end) {
      const std::size_t i = begin / m.row_size, column = begin % m.row_size;
      const std::size_t size = std::min(m.row_size - column, end - begin);
      auto* const w = reinterpret_cast<S*>(m.table + m.rows[i] * m.stride);
      const auto* const toward = reinterpret_cast<const S*>(m.toward + m.rows[i] * m.toward_stride);
      if (m.missed[i] > 0) draw_row(steps, w + column, toward + column, size, m.missed[i]);
      begin += size;
    }
  });
}

}  // namespace

RepeatedSteps repeated_steps(const DecayStep& step) noexcept {
  RepeatedSteps steps{step, {}};
  steps.doubled[0] = {ops::quotient(step.keep, step.divisor), {1.0, 0.0}};
  for (int k = 1; k < 63; ++k) steps.doubled[k] = then(steps.doubled[k - 1], steps.doubled[k - 1]);
  return steps;
}

Shrinkage shrinkage(const RepeatedSteps& steps, std::int64_t count, DType dtype) noexcept {
  const Repeated together = many(steps, count);
  const double each = steps.step.threshold / steps.step.divisor;  // 0 where that is infinite
  const double least = dtype == DType::float64 ? 0x1p-1074 : 0x1p-149;
  // What is left of an infinite weight is infinite.
  const bool some_left = steps.doubled[0].power.high > 0;
  return {some_left ? std::max(together.power.high, least) : together.power.high,
          each > 0 ? each * together.total.high : 0.0};
}

void draw(const RepeatedSteps& steps, const MissedRows& missed) noexcept {
  switch (missed.dtype) {
    case DType::float16:
      return draw_rows<Float16>(steps, missed);
    case DType::bfloat16:
      return draw_rows<BFloat16>(steps, missed);
    case DType::float32:
      return draw_rows<float>(steps, missed);
    default:
      return draw_rows<double>(steps, missed);
  }
}

}  // namespace bridle
