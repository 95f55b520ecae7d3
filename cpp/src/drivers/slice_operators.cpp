// The list of the operators of slices, and those of them that are given whole vectors.
#include <algorithm>
#include <array>
#include <atomic>
#include <cmath>
#include <cstring>
#include <limits>
#include <string_view>

#include "chunk_sums.hpp"
#include "dispatch.hpp"
#include "selection.hpp"
#include "slices.hpp"
#include "thresholds.hpp"
#include "weighted_thresholds.hpp"

namespace bridle {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

const VectorKernels& kernels_of(DType dtype) {
  return kernels().vectors.of[dtype == DType::float64 ? 1 : 0];
}

// part(x, out, begin, size) for parts of a vector, by all threads.
template <class Part>
void for_each_part(const WholeVector& vector, const void* work, const Part& part) {
  const std::size_t item = item_size(vector.dtype);
  parallel_for(
      vector.size, 256, kLeastForSums,
      [&](std::size_t begin, std::size_t end) {
        part(static_cast<const char*>(vector.x) + begin * item,
             static_cast<char*>(vector.out) + begin * item, begin, end - begin);
      },
      work);
}

void keep(const WholeVector& vector) {
  if (vector.x != vector.out) copy(vector.x, vector.out, vector.size * item_size(vector.dtype));
}

// Calls use(number) with the number as one of the type of the elements.
template <class Use>
void as_element(DType dtype, double number, const Use& use) {
  if (dtype == DType::float64) return use(number);
  const auto single = static_cast<float>(number);
  if (dtype == DType::float32) return use(single);
  std::uint16_t half;
  kernels().half[static_cast<int>(dtype)].narrow(&single, &half, 1);
  use(half);
}

void fill(const WholeVector& vector, double number) {
  as_element(vector.dtype, number, [&](auto element) {
    using Element = decltype(element);
    for_each_part(vector, nullptr, [=](const char*, char* out, std::size_t, std::size_t size) {
      std::fill_n(reinterpret_cast<Element*>(out), size, element);
    });
  });
}

double largest(const WholeVector& vector) {
  const auto kernel = kernels().vectors.largest[static_cast<int>(vector.dtype)];
  // The sums of a maximum: NaN where there is one.
  std::atomic<std::uint64_t> most = 0;  // the bits of a magnitude, which are ordered as it is
  for_each_part(vector, work_of(kernel), [&](const char* x, char*, std::size_t, std::size_t size) {
    const auto bits = __builtin_bit_cast(std::uint64_t, kernel(x, size));
    std::uint64_t before = most;
    while (before < bits && !most.compare_exchange_weak(before, bits)) {
    }
  });
  return __builtin_bit_cast(double, most.load());
}

// The sums of chunk(begin, size, sums).
template <std::size_t kSums, class Chunk>
void sum(std::size_t size, const void* work, const Chunk& chunk, double* sums) {
  sum_parallel<kSums>(kSums, size, kLeastForSums, chunk, work, sums);
}

template <template <class> class... Op>
constexpr int place_of(MapList<Op...>, std::string_view name) {
  int place = 0;
  bool found = false;
  ((found = found || name == Op<float>::name, place += found ? 0 : 1), ...);
  return place;
}

// out = x limited to [−limit, limit].
void limit_to(const WholeVector& vector, double limit) {
  constexpr int op = place_of(MapOps{}, "project_box");
  const auto kernel = kernels().map.of[op][static_cast<int>(vector.dtype)].scalar;
  const auto clamp = [&](auto high) {
    decltype(high) low = 0 - high;
    for_each_part(vector, work_of(kernel),
                  [&](const char* x, char* out, std::size_t, std::size_t size) {
                    void* operand[] = {const_cast<char*>(x), &low, &high, out};
                    kernel(operand, size);
                  });
  };
  if (vector.dtype == DType::float64) return clamp(limit);
  clamp(static_cast<float>(limit));
}

ThresholdFound threshold_of(const WholeVector& vector, Measure measure, double radius) {
  return find_threshold({vector.dtype, measure, vector.x, vector.size, radius, vector.scratch});
}

// The share of a radius for each element that is infinite, or, where all are −infinity, for each.
void share_out(const WholeVector& vector, bool of_magnitudes, double share) {
  const auto is_chosen = [&](double x) { return std::isinf(x) && (of_magnitudes || x > 0); };
  const auto assign = [&](auto* out, const auto& element) {
    bool any = false;
    for (std::size_t i = 0; i < vector.size; ++i) any |= is_chosen(element(i));
    for (std::size_t i = 0; i < vector.size; ++i) {
      const double x = element(i);
      const double value = !any || is_chosen(x) ? share : 0.0;
      as_element(vector.dtype, of_magnitudes && value > 0 ? std::copysign(value, x) : value,
                 [&](auto result) { std::memcpy(out + i, &result, sizeof(result)); });
    }
  };
  if (vector.dtype == DType::float64) {
    return assign(static_cast<double*>(vector.out),
                  [&](std::size_t i) { return static_cast<const double*>(vector.x)[i]; });
  }
  if (vector.dtype == DType::float32) {
    return assign(static_cast<float*>(vector.out),
                  [&](std::size_t i) { return double{static_cast<const float*>(vector.x)[i]}; });
  }
  assign(static_cast<std::uint16_t*>(vector.out), [&](std::size_t i) {
    float wide;
    kernels().half[static_cast<int>(vector.dtype)].widen(
        static_cast<const std::uint16_t*>(vector.x) + i, &wide, 1);
    return double{wide};
  });
}

void cut(const WholeVector& vector, Measure measure, double radius) {
  const ThresholdFound found = threshold_of(vector, measure, radius);
  switch (found.projection) {
    case Projection::inside:
      return keep(vector);
    case Projection::zero:
      return fill(vector, 0.0);
    case Projection::not_a_number:
      return fill(vector, kNan);
    case Projection::infinite:
      return share_out(vector, measure == Measure::magnitude, found.share);
    case Projection::cut:
      break;
  }
  const auto kernel =
      kernels().thresholds.of[static_cast<int>(measure)][static_cast<int>(vector.dtype)].cut;
  for_each_part(vector, work_of(kernel), [&](const char* x, char* out, std::size_t, std::size_t n) {
    kernel(x, out, n, found.threshold);
  });
}

std::size_t scratch_of_thresholds(DType dtype, std::size_t size) {
  return threshold_scratch(size) * compute_size(dtype);
}

double project_simplex(const WholeVector& vector) {
  cut(vector, Measure::value, vector.given[0]);
  return 0.0;
}

double project_l1_ball(const WholeVector& vector) {
  if (vector.given[0] < kInfinity) {
    cut(vector, Measure::magnitude, vector.given[0]);
  } else if (std::isnan(largest(vector))) {
    fill(vector, kNan);
  } else {
    keep(vector);
  }
  return 0.0;
}

// x less its projection onto the l1 ball of this radius.
void shrink_largest(const WholeVector& vector, double radius) {
  if (radius == kInfinity) return fill(vector, std::isnan(largest(vector)) ? kNan : 0.0);
  const ThresholdFound found = threshold_of(vector, Measure::magnitude, radius);
  switch (found.projection) {
    case Projection::inside:
      return fill(vector, 0.0);
    case Projection::not_a_number:
      return fill(vector, kNan);
    case Projection::zero:
    case Projection::infinite:
      return keep(vector);
    case Projection::cut:
      return limit_to(vector, found.threshold.high + found.threshold.low);
  }
}

double prox_linf_norm(const WholeVector& vector) {
  shrink_largest(vector, ops::product(vector.given[0], vector.given[1]));
  return 0.0;
}

double prox_group_linf(const WholeVector& vector) {
  const double strength = ops::product(vector.given[0], vector.weight);
  shrink_largest(vector, ops::product(strength, vector.given[1]));
  return 0.0;
}

double project_linf_ball(const WholeVector& vector) {
  const double radius = vector.given[0];
  if (const double norm = largest(vector); std::isnan(norm)) {
    fill(vector, kNan);
  } else if (radius == 0) {
    fill(vector, 0.0);
  } else if (norm <= radius) {
    keep(vector);
  } else {
    limit_to(vector, radius);
  }
  return 0.0;
}

double project_weighted_l1_ball(const WholeVector& vector) {
  const double radius = std::min(vector.given[0], std::numeric_limits<double>::max());
  const WeightedCall call{vector.dtype, vector.x, vector.beside,
                          vector.size,  radius,   vector.scratch};
  const WeightedFound found = find_weighted_threshold(call);
  if (found.projection == Projection::not_a_number) {
    fill(vector, kNan);
  } else {
    project_weighted(call, found, vector.out);
  }
  return 0.0;
}

// Up to so many elements a vector is looked through as often as its magnitudes have bits: the
// tables of select_largest take longer.
constexpr std::size_t kFewToSelect = 32 * 1024;

double project_l0_ball(const WholeVector& vector) {
  const double given = vector.given[0];
  const std::size_t k =
      given < static_cast<double>(vector.size) ? static_cast<std::size_t>(given) : vector.size;
  bool nan;
  if (vector.size <= kFewToSelect) {
    nan = keep_largest(vector.dtype, vector.x, vector.out, vector.size, k);
  } else {
    const SelectionArray array{vector.dtype, vector.x, vector.size};
    const Selection found = select_largest(&array, 1, k, vector.scratch);
    nan = found.nan;
    if (!nan) keep_selected(array, vector.out, found.threshold, found.kept_ties());
  }
  if (nan) fill(vector, kNan);
  return 0.0;
}

std::size_t scratch_of_selection(DType, std::size_t size) {
  return size <= kFewToSelect ? 0 : selection_scratch();
}

// A NaN spoils its own vector alone.
bool has_no_nan(const WholeVector& vector) { return !std::isnan(largest(vector)); }

double project_n_m(const WholeVector& vector) {
  const auto n = static_cast<std::size_t>(vector.given[0]);
  const auto m = static_cast<std::size_t>(vector.given[1]);
  if (keep_n_of_m(vector.dtype, vector.x, vector.out, vector.size, n, m)) fill(vector, kNan);
  return 0.0;
}

// A power of two that brings numbers of this size near to 1, where their squares would leave the
// range of double.
double scale_for_squares(double size) {
  const bool fits = (size > 0x1p-400 && size < 0x1p400) || size == 0.0 || !(size < kInfinity);
  return fits ? 1.0 : std::ldexp(1.0, std::min(-std::ilogb(size), 1000));
}

// x − max(<x, normal> − offset, 0) / ‖normal‖² · normal; for a plane without the maximum.
void project_plane(const WholeVector& vector, bool half_space) {
  const auto* const normal = vector.beside;
  const VectorKernels& kernels = kernels_of(vector.dtype);
  const std::size_t item = item_size(vector.dtype);
  const auto product = [&](double scale, double normal_scale, double* sums) {
    sum<2>(
        vector.size, work_of(kernels.inner_product),
        [&](std::size_t begin, std::size_t size, double* to) {
          kernels.inner_product(static_cast<const char*>(vector.x) + begin * item, normal + begin,
                                size, scale, normal_scale, to);
        },
        sums);
  };
  double scale = 1.0, normal_scale = 1.0, sums[2];
  product(scale, normal_scale, sums);
  if (!(std::fabs(sums[0]) < kInfinity && sums[1] > 0x1p-800 && sums[1] < 0x1p800)) {
    WholeVector numbers = vector;
    numbers.dtype = DType::float64;
    numbers.x = normal;
    normal_scale = scale_for_squares(largest(numbers));
    scale = scale_for_squares(largest(vector));
    product(scale, normal_scale, sums);
  }
  const double offset = vector.given[0] * normal_scale * scale;
  if (half_space ? sums[0] <= offset : sums[0] == offset) return keep(vector);
  const double factor = (sums[0] - offset) / sums[1] / scale;  // of the normal as it is scaled
  if (!(std::fabs(factor) < kInfinity)) return fill(vector, kNan);
  for_each_part(vector, work_of(kernels.subtract),
                [&](const char* x, char* out, std::size_t begin, std::size_t size) {
                  kernels.subtract(x, normal + begin, normal_scale, out, size, factor);
                });
}

double project_halfspace(const WholeVector& vector) {
  project_plane(vector, true);
  return 0.0;
}
double project_hyperplane(const WholeVector& vector) {
  project_plane(vector, false);
  return 0.0;
}

double prox_total_variation(const WholeVector& vector) {
  kernels_of(vector.dtype)
      .total_variation(vector.x, vector.size, ops::product(vector.given[0], vector.given[1]),
                       vector.out, vector.scratch);
  return 0.0;
}

std::size_t scratch_of_variation(DType dtype, std::size_t size) {
  return kernels_of(dtype).total_variation_scratch(size);
}

double total_variation_penalty(const WholeVector& vector) {
  const VectorKernels& kernels = kernels_of(vector.dtype);
  const std::size_t item = item_size(vector.dtype);
  double total;
  sum<1>(
      vector.size - 1, work_of(kernels.differences),
      [&](std::size_t begin, std::size_t size, double* to) {
        constexpr std::size_t block = 8 * kLanes;
        alignas(kLine) double lanes[kLanes] = {};
        double differences[block];
        for (std::size_t i = 0; i < size; i += block) {
          const std::size_t count = std::min(block, size - i);
          kernels.differences(static_cast<const char*>(vector.x) + (begin + i) * item, count,
                              differences);
          bridle::kernels().reduce.total(differences, nullptr, nullptr, count, 0, lanes);
        }
        bridle::kernels().reduce.fold_lanes(lanes, 1, to);
      },
      &total);
  return ops::product(vector.given[0], total);
}

double prox_slope(const WholeVector& vector) {
  kernels_of(vector.dtype)
      .slope(vector.x, vector.size, vector.beside, vector.given[0], vector.out, vector.scratch);
  return 0.0;
}

std::size_t scratch_of_slope(DType dtype, std::size_t size) {
  return kernels_of(dtype).slope_scratch(size);
}

double slope_penalty(const WholeVector& vector) {
  if (std::isnan(largest(vector))) return kNan;
  auto* const terms = static_cast<double*>(vector.scratch);
  kernels_of(vector.dtype)
      .slope_terms(vector.x, vector.size, vector.beside, terms, terms + vector.size);
  double total;
  sum<1>(
      vector.size, nullptr,
      [&](std::size_t begin, std::size_t size, double* to) {
        alignas(kLine) double lanes[kLanes] = {};
        kernels().reduce.total(terms + begin, nullptr, nullptr, size, 0, lanes);
        kernels().reduce.fold_lanes(lanes, 1, to);
      },
      &total);
  return total;
}

std::size_t scratch_of_slope_penalty(DType dtype, std::size_t size) {
  return size * sizeof(double) + scratch_of_slope(dtype, size);
}

double linf_norm_penalty(const WholeVector& vector) {
  return ops::product(vector.given[0], largest(vector));
}
double group_linf_penalty(const WholeVector& vector) {
  return ops::product(vector.given[0], ops::product(vector.weight, largest(vector)));
}

// What lies beside the elements, and the parameters, which many operators share.
constexpr Param kNothing{nullptr, Rule::any}, kWeights{"weights", Rule::non_negative_finite},
    kNormal{"normal", Rule::finite}, kStrengths{"strengths", Rule::non_negative};
constexpr Param kNoParams[] = {kNothing};
constexpr Param kRadius[] = {{"radius", Rule::non_negative}};
constexpr Param kFiniteRadius[] = {{"radius", Rule::non_negative_finite}};
constexpr Param kStrength[] = {{"strength", Rule::non_negative}};
constexpr Param kStrengthAndStep[] = {{"strength", Rule::non_negative},
                                      {"step", Rule::non_negative}};
constexpr Param kStep[] = {{"step", Rule::non_negative}};
constexpr Param kOffset[] = {{"offset", Rule::number}},
                kFiniteOffset[] = {{"offset", Rule::finite}};
constexpr Param kCount[] = {{"k", Rule::non_negative}};
constexpr Param kCounts[] = {{"n", Rule::non_negative}, {"m", Rule::not_below_previous}};

template <std::size_t kParams>
constexpr SliceOperator changes(const char* name, const Param (&params)[kParams],
                                double (*whole)(const WholeVector&),
                                std::size_t (*scratch)(DType, std::size_t), bool takes_halves,
                                Param beside = kNothing,
                                bool (*joins)(const WholeVector&) = nullptr) {
  return {name, params, kParams, beside, false, 0, nullptr, whole, scratch, takes_halves, joins};
}
template <std::size_t kParams>
constexpr SliceOperator measures(const char* name, const Param (&params)[kParams],
                                 double (*whole)(const WholeVector&),
                                 std::size_t (*scratch)(DType, std::size_t), bool takes_halves,
                                 Param beside = kNothing) {
  const std::size_t count = params[0].name ? kParams : 0;
  return {name, params, count, beside, true, 0, nullptr, whole, scratch, takes_halves, nullptr};
}

template <class Op>
constexpr bool kMeasures = false;
template <class Op>
  requires(Op::measures)
constexpr bool kMeasures<Op> = true;

template <class Elements, class... Kind>
constexpr int place_of(SliceList<Kind...>) {
  int place = 0;
  bool found = false;
  ((found = found || __is_same(Elements, Kind), place += found ? 0 : 1), ...);
  return place;
}

template <class Op>
constexpr SliceOperator by_sums() {
  return {Op::name,
          Op::params.data(),
          Op::params.size(),
          kNothing,
          kMeasures<Op>,
          place_of<typename Op::Elements>(SliceElements{}),
          Op::finish,
          nullptr,
          nullptr,
          true,
          nullptr};
}

// The list.
template <class... Op>
constexpr auto list(SliceList<Op...>) {
  return std::array{
      by_sums<Op>()...,
      changes("prox_group_linf", kStrengthAndStep, prox_group_linf, scratch_of_thresholds, true),
      changes("prox_linf_norm", kStrengthAndStep, prox_linf_norm, scratch_of_thresholds, true),
      changes("prox_slope", kStep, prox_slope, scratch_of_slope, false, kStrengths),
      changes("prox_total_variation", kStrengthAndStep, prox_total_variation, scratch_of_variation,
              false),
      changes("project_simplex", kFiniteRadius, project_simplex, scratch_of_thresholds, true),
      changes("project_l1_ball", kRadius, project_l1_ball, scratch_of_thresholds, true),
      changes("project_weighted_l1_ball", kRadius, project_weighted_l1_ball, weighted_scratch,
              false, kWeights),
      changes("project_linf_ball", kRadius, project_linf_ball, nullptr, true),
      changes("project_l0_ball", kCount, project_l0_ball, scratch_of_selection, true),
      changes("project_n_m", kCounts, project_n_m, nullptr, true, kNothing, has_no_nan),
      changes("project_halfspace", kOffset, project_halfspace, nullptr, false, kNormal),
      changes("project_hyperplane", kFiniteOffset, project_hyperplane, nullptr, false, kNormal),
      measures("group_linf_penalty", kStrength, group_linf_penalty, nullptr, true),
      measures("linf_norm_penalty", kStrength, linf_norm_penalty, nullptr, true),
      measures("slope_penalty", kNoParams, slope_penalty, scratch_of_slope_penalty, false,
               kStrengths),
      measures("total_variation_penalty", kStrength, total_variation_penalty, nullptr, false)};
}
constexpr auto kOperators = list(SliceOps{});

}  // namespace

SliceOperators slice_operators() noexcept { return {kOperators.data(), kOperators.size()}; }

}  // namespace bridle
