// The list of the operators of slices.
#include <array>

#include "slices.hpp"
#include "vector_operators.hpp"
#include "weighted_thresholds.hpp"

namespace bridle {
namespace {

using namespace vectors;

// What the operators that are given whole vectors do with one: see SliceOperator.
struct Whole {
  double (*apply)(const WholeVector&);
  std::size_t (*scratch)(DType, std::size_t) = nullptr;
  bool takes_halves = false;
  bool (*joins)(const WholeVector&) = nullptr;
};
template <class Op>
constexpr Whole kWhole = Op::has_no_function_here;  // an operator of the list has its own, below
template <>
constexpr Whole kWhole<ops::prox_group_linf>{prox_group_linf, scratch_of_thresholds, true};
template <>
constexpr Whole kWhole<ops::prox_linf_norm>{prox_linf_norm, scratch_of_thresholds, true};
template <>
constexpr Whole kWhole<ops::prox_slope>{prox_slope, scratch_of_slope};
template <>
constexpr Whole kWhole<ops::prox_total_variation>{prox_total_variation, scratch_of_variation};
template <>
constexpr Whole kWhole<ops::project_simplex>{project_simplex, scratch_of_thresholds, true};
template <>
constexpr Whole kWhole<ops::project_l1_ball>{project_l1_ball, scratch_of_thresholds, true};
template <>
constexpr Whole kWhole<ops::project_weighted_l1_ball>{project_weighted_l1_ball, weighted_scratch};
template <>
constexpr Whole kWhole<ops::project_linf_ball>{project_linf_ball, nullptr, true};
template <>
constexpr Whole kWhole<ops::project_l0_ball>{project_l0_ball, scratch_of_selection, true};
template <>
constexpr Whole kWhole<ops::project_n_m>{project_n_m, nullptr, true, has_no_nan};
template <>
constexpr Whole kWhole<ops::project_halfspace>{project_halfspace};
template <>
constexpr Whole kWhole<ops::project_hyperplane>{project_hyperplane};
template <>
constexpr Whole kWhole<ops::group_linf_penalty>{group_linf_penalty, nullptr, true};
template <>
constexpr Whole kWhole<ops::linf_norm_penalty>{linf_norm_penalty, nullptr, true};
template <>
constexpr Whole kWhole<ops::slope_penalty>{slope_penalty, scratch_of_slope_penalty};
template <>
constexpr Whole kWhole<ops::total_variation_penalty>{total_variation_penalty};

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
constexpr SliceOperator describe() {
  SliceOperator op{.name = Op::name,
                   .params = {Op::params.data(), Op::params.size()},
                   .beside = kArrayOf<Op>,
                   .measures = kIsMeasure<Op>,
                   .groups = kTakesGroups<Op>,
                   .divisor = kDivisor<Op>,
                   .takes_halves = true};
  if constexpr (kSeesWhole<Op>) {
    constexpr Whole whole = kWhole<Op>;
    op.whole = whole.apply;
    op.scratch = whole.scratch;
    op.takes_halves = whole.takes_halves;
    op.joins = whole.joins;
  } else {
    op.elements = place_of<typename Op::Elements>(SliceElements{});
    op.finish = Op::finish;
    op.threshold = threshold_of<Op>();
  }
  return op;
}

template <class... Op>
constexpr auto describe_all(SliceList<Op...>) {
  return std::array{describe<Op>()...};
}
constexpr auto kOperators = describe_all(SliceOps{});

}  // namespace

SliceOperators slice_operators() noexcept { return {kOperators.data(), kOperators.size()}; }

}  // namespace bridle
