#include "thresholds.hpp"

#include <algorithm>
#include <bridle/ops/threshold.hpp>
#include <cmath>
#include <cstring>
#include <limits>

#include "chunk_sums.hpp"
#include "dispatch.hpp"
#include "threads/status_flags.hpp"

namespace bridle {
namespace {

// The largest number of parts in which a vector is worked on; each writes what it keeps to its own
// place.
constexpr std::size_t kMostParts = 256;

constexpr double kInfinity = std::numeric_limits<double>::infinity();

// Everything is in units of 1/scale, but the limits of Parting.
struct Problem {
  const ThresholdKernels* kernels;  // of the vector
  const ThresholdKernels* list;     // of what was gathered from it
  const HalfKernels* half;          // null if it is no half
  Measure measure;
  const char* x;
  std::size_t size, item;
  double radius, scale;
};

// Elements that are not in the list, known by the sum of what they exceed `shift` by.
struct Base {
  Excess excess;
  double shift;
};

using ops::raised;

Excess excess_of(const ThresholdKernels& kernels, const char* x, std::size_t item, std::size_t size,
                 const Threshold& threshold, double scale) {
  double sums[2];
  const auto chunk = [&](std::size_t begin, std::size_t count, double* to) {
    const Excess excess = kernels.excess(x + begin * item, count, threshold, scale);
    to[0] = excess.sum;
    to[1] = excess.count;
  };
  sum_parallel<2>(2, size, kLeastForSums, chunk, work_of(kernels.excess), sums);
  return {sums[0], sums[1]};
}

// Parts x, by all threads; those between lie in `to` afterwards, in order. Returns how many.
template <class T>
std::size_t part(const ThresholdKernels& kernels, const char* x, std::size_t item, std::size_t size,
                 const Parting& parting, T* to, Parts* parts) {
  std::size_t elements = kChunk;  // of one part
  while (elements * kMostParts < size) elements *= 2;
  const std::size_t count = (size + elements - 1) / elements;
  double partial[kMostParts][3];
  std::size_t kept[kMostParts];
  const auto do_parts = [&](std::size_t begin, std::size_t end) {
    for (std::size_t p = begin; p < end; ++p) {
      T* const first = to + p * elements;
      T* next = first;
      const auto chunk = [&](std::size_t i, std::size_t n, double* sums) {
        Parts found;
        next += kernels.part(x + i * item, n, parting, next, &found);
        sums[0] = found.above.sum;
        sums[1] = found.above.count;
        sums[2] = found.nan ? 1 : 0;
      };
      sum_range<3>(3, p * elements, std::min(size, (p + 1) * elements), chunk, partial[p]);
      kept[p] = static_cast<std::size_t>(next - first);
    }
  };
  parallel_for(count, 1, std::max<std::size_t>(1, kLeastForSums / elements), do_parts,
               work_of(kernels.part));
  PairwiseSum<3> total(3);
  std::size_t end = 0;
  for (std::size_t p = 0; p < count; ++p) {
    std::copy_n(partial[p], 3, total.next());
    total.push();
    if (end != p * elements) std::memmove(to + end, to + p * elements, kept[p] * sizeof(T));
    end += kept[p];
  }
  double sums[3];
  total.finish(sums);
  *parts = {{sums[0], sums[1]}, sums[2] > 0};
  return end;
}

// Whether the elements above zero add up to the radius, or no more, exactly; and whether there are
// others.
struct Touch {
  bool touches, below;
};

Touch touch_of(const Problem& problem) {
  std::size_t elements = kChunk;  // of one part
  while (elements * kMostParts < problem.size) elements *= 2;
  const std::size_t count = (problem.size + elements - 1) / elements;
  Threshold partial[kMostParts];
  bool below[kMostParts];
  const auto do_parts = [&](std::size_t begin, std::size_t end) {
    for (std::size_t p = begin; p < end; ++p) {
      partial[p] = {0.0, 0.0};
      below[p] = false;
      const std::size_t first = p * elements;
      problem.kernels->exact_sum(problem.x + first * problem.item,
                                 std::min(elements, problem.size - first), problem.scale,
                                 &partial[p], &below[p]);
    }
  };
  parallel_for(count, 1, std::max<std::size_t>(1, kLeastForSums / elements), do_parts,
               work_of(problem.kernels->exact_sum));
  ops::Twofold sum{0.0, 0.0};
  bool any_below = false;
  for (std::size_t p = 0; p < count; ++p) {
    sum = sum + ops::Twofold{partial[p].high, partial[p].low};
    any_below |= below[p];
  }
  return {ops::touches({sum.high, sum.low}, problem.radius, problem.measure == Measure::magnitude),
          any_below};
}

// How far a threshold lies above a number.
double distance(const Threshold& threshold, double from) {
  return (threshold.high - from) + threshold.low;
}

template <class T>
class Search {
 public:
  Search(const Problem& problem, T* list) : problem_(problem), list_(list) {}

  ThresholdFound find();
  ThresholdFound find_nothing();
  // Whether numbers have been too large: everything is to be done again in smaller units.
  bool overflows() const { return overflows_; }

 private:
  static constexpr int kAttempts = 8;
  static constexpr T kAll = std::numeric_limits<T>::infinity();

  // What the list and its base exceed a threshold by, less the radius.
  struct Rest {
    double rest, count;
    double listed;  // of the count, those in the list
  };

  double scaled(T value) const { return static_cast<double>(value) * problem_.scale; }
  bool of_magnitudes() const { return problem_.measure == Measure::magnitude; }
  T below(const Threshold& threshold) const;
  Rest rest_of(std::size_t size, const Base& base, const Threshold& at, double radius) const;
  std::size_t keep(std::size_t size, T low, T high, double shift, Excess* above);
  void halve(std::size_t* size, Base* base, Threshold* threshold, double radius);
  Threshold step(const Threshold& from, const Rest& rest) const;
  Threshold solve(std::size_t size, Base* base, Threshold threshold, double radius);
  Threshold solve_sample(std::size_t size, double most, double radius, double* count) const;
  std::size_t sample();
  void choose(std::size_t sampled, double most, T* low, T* high);
  Parts part_vector(T low, T high, std::size_t* kept);
  bool move(double most, const Parts& parts, const Rest& at_low, T* low, T* high);
  Threshold polish(Threshold threshold);
  ThresholdFound find_extreme();
  ThresholdFound finish(Threshold threshold) const;

  const Problem& problem_;
  T* const list_;
  double count_ = 0;  // of the elements above the threshold
  bool overflows_ = false;
  // The threshold lies above the upper limit by so little that no numbers can lie between, as where
  // all elements are equal: nothing is to be gathered.
  bool adjacent_ = false;
  Threshold above_{};
};

// A number of type T that is surely not above, by little.
template <class T>
T Search<T>::below(const Threshold& threshold) const {
  const T near = static_cast<T>((threshold.high + threshold.low) / problem_.scale);
  return std::nextafter(std::nextafter(near, -kAll), -kAll);
}

template <class T>
typename Search<T>::Rest Search<T>::rest_of(std::size_t size, const Base& base, const Threshold& at,
                                            double radius) const {
  const Excess excess = excess_of(*problem_.list, reinterpret_cast<const char*>(list_), sizeof(T),
                                  size, at, problem_.scale);
  double rest = excess.sum - radius;
  if (base.excess.count > 0) rest += base.excess.sum - base.excess.count * distance(at, base.shift);
  return {rest, excess.count + base.excess.count, excess.count};
}

// A step of Newton's method.
template <class T>
Threshold Search<T>::step(const Threshold& from, const Rest& rest) const {
  return ops::Newton(problem_.radius).next(from, rest.rest, rest.count);
}

// Shortens the list to what lies above `low`, but not above `high`.
template <class T>
std::size_t Search<T>::keep(std::size_t size, T low, T high, double shift, Excess* above) {
  Parts parts;
  const Parting parting{static_cast<double>(low), static_cast<double>(high), shift, problem_.scale};
  const std::size_t kept = part(*problem_.list, reinterpret_cast<const char*>(list_), sizeof(T),
                                size, parting, list_, &parts);
  *above = parts.above;
  return kept;
}

// Drops what lies on one side of the middle one of some elements: the side without the threshold.
template <class T>
void Search<T>::halve(std::size_t* size, Base* base, Threshold* threshold, double radius) {
  constexpr std::size_t some = 31;
  T chosen[some];
  for (std::size_t i = 0; i < some; ++i) chosen[i] = list_[(2 * i + 1) * *size / (2 * some)];
  std::nth_element(chosen, chosen + some / 2, chosen + some);
  const T middle = chosen[some / 2];
  const Threshold at{scaled(middle), 0.0};
  const Rest found = rest_of(*size, *base, at, radius);
  Excess above;
  if (found.count > 0 && found.rest >= 0) {
    const Threshold next = step(at, found);
    if (distance(next, threshold->high) > threshold->low) *threshold = next;
    *size = keep(*size, below(*threshold), kAll, 0.0, &above);
  } else {
    if (base->excess.count == 0) base->shift = threshold->high;
    *size = keep(*size, -kAll, middle, base->shift, &above);
    base->excess.sum += above.sum;
    base->excess.count += above.count;
  }
}

// Newton's steps from a threshold that is not too high, on a list that they shorten. Where a step
// drops less than half of it, the list is halved: so the time is linear whatever the elements are.
template <class T>
Threshold Search<T>::solve(std::size_t size, Base* base, Threshold threshold, double radius) {
  for (ops::Newton newton(radius); !newton.done();) {
    const Rest found = rest_of(size, *base, threshold, radius);
    if (found.count == 0) break;
    count_ = found.count;
    threshold = newton.next(threshold, found.rest, found.count);
    if (newton.done() || !std::isfinite(threshold.high)) break;
    const std::size_t whole = size;
    Excess above;
    if (found.listed < 0.75 * static_cast<double>(whole) && !newton.near()) {
      size = keep(size, below(threshold), kAll, 0.0, &above);
    }
    if (size > whole / 2 && size > kShortVector && !newton.near())
      halve(&size, base, &threshold, radius);
  }
  return threshold;
}

// The same for a sample, which stays as it is.
template <class T>
Threshold Search<T>::solve_sample(std::size_t size, double most, double radius,
                                  double* count) const {
  Threshold threshold = raised({most, 0.0}, -radius);
  for (ops::Newton newton(radius); !newton.done();) {
    const Rest found = rest_of(size, Base{}, threshold, radius);
    *count = found.count;
    if (found.count == 0) break;
    threshold = newton.next(threshold, found.rest, found.count);
  }
  return threshold;
}

// Some elements, in the list: from equal parts of the vector, each at a place that looks like
// chance.
template <class T>
std::size_t Search<T>::sample() {
  const std::size_t most = std::max<std::size_t>(8192, problem_.size / 2048);
  const std::size_t count = std::clamp<std::size_t>(problem_.size / 32, 64, most);
  std::uint64_t state = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t begin = i * problem_.size / count;
    const std::size_t width = (i + 1) * problem_.size / count - begin;
    state = state * 6364136223846793005u + 1442695040888963407u;
    const char* const from = problem_.x + (begin + (state >> 33) % width) * problem_.item;
    if (problem_.half) {
      float wide;
      problem_.half->widen(from, &wide, 1);
      list_[i] = static_cast<T>(wide);
    } else {
      std::memcpy(list_ + i, from, sizeof(T));
    }
    if (of_magnitudes()) list_[i] = std::fabs(list_[i]);
  }
  return count;
}

// Limits between which the threshold lies, most likely, by a sample: four standard deviations of
// the sum of excesses to both sides.
template <class T>
void Search<T>::choose(std::size_t sampled, double most, T* low, T* high) {
  constexpr std::size_t few = 16;  // say nothing of the whole
  const double part = static_cast<double>(sampled) / static_cast<double>(problem_.size);
  const double radius = problem_.radius * part;
  double count;
  const Threshold guess = solve_sample(sampled, most, radius, &count);
  double squares = 0;
  for (std::size_t i = 0; i < sampled; ++i) {
    const double share = std::max(0.0, -distance(guess, scaled(list_[i]))) / radius;
    squares += share * share;
  }
  const double margin = 4 * std::sqrt(squares) * radius;
  *high = kAll;
  if (radius > margin) {
    const T upper = below(solve_sample(sampled, most, radius - margin, &count));
    if (count >= few) *high = upper;
  }
  *low = below(solve_sample(sampled, most, radius + margin, &count));
  if (count < few) {
    std::nth_element(list_, list_ + few, list_ + sampled, [](T a, T b) { return a > b; });
    *low = std::min(*low, below({scaled(list_[few]), 0.0}));
  }
  if (of_magnitudes()) {
    *low = std::max(*low, T(0));
    if (guess.high <= 0) *high = 0;  // inside, it seems: nothing is to be gathered
    *high = std::max(*high, *low);
  }
}

template <class T>
Parts Search<T>::part_vector(T low, T high, std::size_t* kept) {
  Parts parts;
  const Parting parting{static_cast<double>(low), static_cast<double>(high), scaled(low),
                        problem_.scale};
  *kept = part(*problem_.kernels, problem_.x, problem_.item, problem_.size, parting, list_, &parts);
  return parts;
}

// Other limits, where the threshold does not lie between these; false where it does.
template <class T>
bool Search<T>::move(double most, const Parts& parts, const Rest& at_low, T* low, T* high) {
  if (at_low.count == 0 || at_low.rest < 0) {
    if (of_magnitudes() && *low == 0) return false;
    const Threshold next = at_low.count > 0 ? step({scaled(*low), 0.0}, at_low)
                                            : raised({most, 0.0}, -problem_.radius);
    *high = *low;
    *low = below(next);
    if (of_magnitudes()) *low = std::max(*low, T(0));
    return true;
  }
  if (parts.above.count == 0) return false;
  const Threshold at_high{scaled(*high), 0.0};
  const double over =
      parts.above.sum - problem_.radius - parts.above.count * distance(at_high, scaled(*low));
  if (over <= 0) return false;
  above_ = step(at_high, {over, parts.above.count, 0.0});
  *low = std::max(*high, below(above_));
  adjacent_ = *low == *high;
  *high = kAll;
  return true;
}

// Where Newton's steps over the whole vector end.
template <class T>
Threshold Search<T>::polish(Threshold threshold) {
  for (ops::Newton newton(problem_.radius); !newton.done();) {
    const Excess excess = excess_of(*problem_.kernels, problem_.x, problem_.item, problem_.size,
                                    threshold, problem_.scale);
    if (excess.count == 0) break;
    count_ = excess.count;
    threshold = newton.next(threshold, excess.sum - problem_.radius, excess.count);
  }
  return threshold;
}

// A vector with infinite elements, or one whose sums overflow.
template <class T>
ThresholdFound Search<T>::find_extreme() {
  std::size_t kept;
  const T largest = std::numeric_limits<T>::max();
  const Parts infinities = part_vector(largest, largest, &kept);
  if (infinities.nan) return {Projection::not_a_number, {}, 0.0};
  const double radius = problem_.radius / problem_.scale;
  if (infinities.above.count > 0) {
    return {Projection::infinite, {}, radius / infinities.above.count};
  }
  part_vector(-kAll, kAll, &kept);
  if (kept == 0) {
    return {Projection::infinite, {}, radius / static_cast<double>(problem_.size)};
  }
  const double most = scaled(*std::max_element(list_, list_ + kept));
  Base base{};
  Threshold from = raised({most, 0.0}, -problem_.radius);
  if (of_magnitudes() && from.high < 0) from = {0.0, 0.0};
  const Threshold threshold = solve(kept, &base, from, problem_.radius);
  overflows_ = !std::isfinite(threshold.high);
  return finish(threshold);
}

template <class T>
ThresholdFound Search<T>::find() {
  const std::size_t sampled = sample();
  double most = -kInfinity;
  for (std::size_t i = 0; i < sampled; ++i) {
    if (std::isnan(list_[i])) return {Projection::not_a_number, {}, 0.0};
    most = std::max(most, scaled(list_[i]));
  }
  if (std::isinf(most)) return find_extreme();
  T low, high;
  choose(sampled, most, &low, &high);
  Base base;
  std::size_t size;
  Rest at_low;
  bool certain = false;
  for (int attempt = 0; attempt < kAttempts && !certain; ++attempt) {
    if (!std::isfinite(low) || std::isnan(high)) return find_extreme();
    const Parts parts = part_vector(low, high, &size);
    if (parts.nan) return {Projection::not_a_number, {}, 0.0};
    base = {parts.above, scaled(low)};
    at_low = rest_of(size, base, {base.shift, 0.0}, problem_.radius);
    if (!std::isfinite(at_low.rest)) return find_extreme();
    certain = !move(most, parts, at_low, &low, &high);
    if (adjacent_) return finish(polish(above_));
  }
  count_ = at_low.count;
  const Threshold at{base.shift, 0.0};
  const Threshold start = at_low.count > 0 ? step(at, at_low) : at;
  if (certain && at_low.rest <= 0) return finish(start);
  const Threshold threshold = solve(size, &base, start, problem_.radius);
  const double moved = base.excess.count * distance(threshold, base.shift);
  const bool exact = certain && !(moved > 8 * problem_.radius);
  // Near a simple number, sums of what elements exceed base.shift by do not tell whether that is
  // the threshold; those of what they exceed it by do.
  const Threshold simple = ops::simplified(threshold, 0x1p-44 * problem_.radius / count_);
  const bool tie = simple.low == 0 && simple.high == ops::simple_of(simple.high);
  return finish(exact && !tie ? threshold : polish(simple));
}

template <class T>
ThresholdFound Search<T>::finish(Threshold threshold) const {
  Projection projection = Projection::cut;
  if (ops::is_near_zero(threshold, count_, problem_.radius)) {
    const Touch touch = touch_of(problem_);
    if (touch.touches) {
      threshold = {0.0, 0.0};
      if (!touch.below) projection = Projection::inside;
    }
  }
  if (of_magnitudes() && threshold.high <= 0) projection = Projection::inside;
  return {projection, {threshold.high / problem_.scale, threshold.low / problem_.scale}, 0.0};
}

// Of a radius of zero.
template <class T>
ThresholdFound Search<T>::find_nothing() {
  std::size_t kept;
  const bool nan = part_vector(kAll, kAll, &kept).nan;
  return {nan ? Projection::not_a_number : Projection::zero, {}, 0.0};
}

template <class T>
ThresholdFound find_in(Problem problem, T* list) {
  Search<T> search(problem, list);
  if (problem.radius == 0) return search.find_nothing();
  const ThresholdFound found = search.find();
  if (!search.overflows()) return found;
  problem.scale = ops::kScaleOfHuge;
  problem.radius *= ops::kScaleOfHuge;
  return Search<T>(problem, list).find();
}

}  // namespace

ThresholdFound find_threshold(const ThresholdCall& call) noexcept {
  const int dtype = static_cast<int>(call.dtype), measure = static_cast<int>(call.measure);
  const ThresholdKernels& kernels_of_x = kernels().thresholds.of[measure][dtype];
  const KeepStatusFlags keep;
  if (call.size <= kShortVector) {
    ThresholdFound found;
    kernels_of_x.of_short(call.x, call.size, call.radius, &found);
    return found;
  }
  const DType compute = call.dtype == DType::float64 ? DType::float64 : DType::float32;
  const bool half = item_size(call.dtype) == 2;
  const Problem problem{
      &kernels_of_x,
      &kernels().thresholds.of[static_cast<int>(Measure::value)][static_cast<int>(compute)],
      half ? &kernels().half[dtype] : nullptr,
      call.measure,
      static_cast<const char*>(call.x),
      call.size,
      item_size(call.dtype),
      call.radius,
      1.0};
  if (call.dtype == DType::float64) return find_in(problem, static_cast<double*>(call.scratch));
  return find_in(problem, static_cast<float*>(call.scratch));
}

}  // namespace bridle
