// The list of the operators of slices.
#include <array>

#include "slices.hpp"
#include "vector_operators.hpp"
#include "weighted_thresholds.hpp"

namespace bridle {
namespace {

using namespace vectors;

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
  return {name,    params,  kParams, beside,  false,        0,
          nullptr, nullptr, whole,   scratch, takes_halves, joins};
}
template <std::size_t kParams>
constexpr SliceOperator measures(const char* name, const Param (&params)[kParams],
                                 double (*whole)(const WholeVector&),
                                 std::size_t (*scratch)(DType, std::size_t), bool takes_halves,
                                 Param beside = kNothing) {
  const std::size_t count = params[0].name ? kParams : 0;
  return {name,    params,  count, beside,  true,         0,
          nullptr, nullptr, whole, scratch, takes_halves, nullptr};
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
constexpr SliceThreshold threshold_of() {
  if constexpr (requires { Op::threshold; }) {
    return Op::threshold;
  } else {
    return nullptr;
  }
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
          threshold_of<Op>(),
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
