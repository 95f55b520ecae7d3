// The list of operators. Kernel tables, ufuncs, C functions, tests and benchmarks are made from it.
#pragma once

// Formulas are not contracted to fused multiply-add, also where a program that includes them does
// that with its own. For gcc, which knows no such pragma, transform.hpp has an attribute.
#if defined(__clang__)
#pragma float_control(push)
#pragma clang fp contract(off)
#endif
#include <bridle/ops/concave.hpp>
#include <bridle/ops/dropout.hpp>
#include <bridle/ops/nonconvex.hpp>
#include <bridle/ops/nonnegative.hpp>
#include <bridle/ops/optim.hpp>
#include <bridle/ops/penalty.hpp>
#include <bridle/ops/project.hpp>
#include <bridle/ops/prox.hpp>
#include <bridle/ops/slices.hpp>
#include <bridle/ops/update.hpp>
#include <bridle/ops/vectors.hpp>
#if defined(__clang__)
#pragma float_control(pop)
#endif

namespace bridle::inline BRIDLE_ISA {

// Whether the zeros of an elementwise operator are final: a −0.0 of x that stays, stays as it is,
// and those that the formula makes are +0.0. Of all others drivers turn −0.0 into +0.0.
template <class Op>
inline constexpr bool kKeepsZeros = false;
template <class Op>
  requires(Op::keeps_zeros)
inline constexpr bool kKeepsZeros<Op> = true;

// What a loop calls where the parameters are the same for all elements.
template <class Op>
constexpr auto prepared(const Op& op) {
  if constexpr (requires { op.prepared(); }) {
    return op.prepared();
  } else {
    return op;
  }
}

// Whether an elementwise operator takes complex numbers.
template <template <class> class Op>
inline constexpr bool kTakesComplex = requires(Op<float> op, float& part) { op(part, part); };

// Whether the first parameter of a penalty may be an array beside the weights.
template <class Op>
inline constexpr bool kHasBeside = false;
template <class Op>
  requires(Op::beside)
inline constexpr bool kHasBeside<Op> = true;

// Whether an operator of slices finds a number for each vector, and leaves the elements alone.
template <class Op>
inline constexpr bool kIsMeasure = false;
template <class Op>
  requires(Op::measures)
inline constexpr bool kIsMeasure<Op> = true;

// Whether it takes a weight for each vector, and vectors between offsets or by labels.
template <class Op>
inline constexpr bool kTakesGroups = false;
template <class Op>
  requires(Op::groups)
inline constexpr bool kTakesGroups<Op> = true;

// Its array of one number for each element of a vector.
template <class Op>
inline constexpr ArrayParam kArrayOf = kNoArray;
template <class Op>
  requires requires { Op::beside.together; }
inline constexpr ArrayParam kArrayOf<Op> = Op::beside;

// The place of the parameter of which the length of a vector is a multiple, -1 if there is none.
template <class Op>
inline constexpr int kDivisor = -1;
template <class Op>
  requires(Op::divisor >= 0)
inline constexpr int kDivisor<Op> = Op::divisor;

// Whether it is given vectors as a whole.
template <class Op>
inline constexpr bool kSeesWhole = !requires { typename Op::Elements; };

template <template <class> class... Op>
struct MapList {
  static constexpr int size = sizeof...(Op);
};
template <template <class> class... Op>
struct NoiseList {
  static constexpr int size = sizeof...(Op);
};
template <template <class> class... Op>
struct UpdateList {
  static constexpr int size = sizeof...(Op);
};
template <class... Op>
struct ReduceList {
  static constexpr int size = sizeof...(Op);
};
template <class... Op>
struct SliceList {
  static constexpr int size = sizeof...(Op);
};

// The elementwise operators.
#define BRIDLE_MAP_OPERATORS(X) \
  X(soft_threshold)             \
  X(prox_elastic_net)           \
  X(prox_l2)                    \
  X(decay)                      \
  X(elastic_net_gradient)       \
  X(hard_threshold)             \
  X(firm_threshold)             \
  X(prox_l0)                    \
  X(prox_mcp)                   \
  X(prox_scad)                  \
  X(prox_huber)                 \
  X(prox_nonnegative_l1)        \
  X(prox_nonnegative_l2)        \
  X(prox_l2_sp)                 \
  X(project_box)                \
  X(project_nonnegative)        \
  X(prox_l_half)                \
  X(prox_l_two_thirds)          \
  X(prox_log_sum)

// The penalties.
#define BRIDLE_PENALTIES(X) \
  X(l1_penalty)             \
  X(l2_penalty)             \
  X(elastic_net_penalty)    \
  X(l0_penalty)             \
  X(mcp_penalty)            \
  X(scad_penalty)           \
  X(huber_penalty)          \
  X(nonnegative_l1_penalty) \
  X(nonnegative_l2_penalty) \
  X(l2_sp_penalty)          \
  X(l_half_penalty)         \
  X(l_two_thirds_penalty)   \
  X(log_sum_penalty)

// The operators of slices: those that need sums alone, and those that are given whole vectors.
#define BRIDLE_SLICE_OPERATORS(X) \
  X(group_soft_threshold)         \
  X(prox_sparse_group)            \
  X(prox_group_mcp)               \
  X(prox_group_scad)              \
  X(prox_l2_norm)                 \
  X(project_l2_ball)              \
  X(max_norm)                     \
  X(unit_norm)                    \
  X(min_max_norm)                 \
  X(group_l2_penalty)             \
  X(sparse_group_penalty)         \
  X(group_mcp_penalty)            \
  X(group_scad_penalty)           \
  X(l2_norm_penalty)              \
  X(prox_group_linf)              \
  X(prox_linf_norm)               \
  X(prox_slope)                   \
  X(prox_total_variation)         \
  X(project_simplex)              \
  X(project_l1_ball)              \
  X(project_weighted_l1_ball)     \
  X(project_linf_ball)            \
  X(project_l0_ball)              \
  X(project_n_m)                  \
  X(project_halfspace)            \
  X(project_hyperplane)           \
  X(group_linf_penalty)           \
  X(linf_norm_penalty)            \
  X(slope_penalty)                \
  X(total_variation_penalty)

namespace detail {
struct Nothing {};
template <class>
struct NoOperator {};
template <template <class> class, template <class> class... Op>
using MapListOf = MapList<Op...>;
template <class, class... Op>
using ReduceListOf = ReduceList<Op...>;
template <class, class... Op>
using SliceListOf = SliceList<Op...>;
}  // namespace detail

#define BRIDLE_LISTED(name) , ops::name
using MapOps = detail::MapListOf<detail::NoOperator BRIDLE_MAP_OPERATORS(BRIDLE_LISTED)>;
using ReduceOps = detail::ReduceListOf<detail::Nothing BRIDLE_PENALTIES(BRIDLE_LISTED)>;
using SliceOps = detail::SliceListOf<detail::Nothing BRIDLE_SLICE_OPERATORS(BRIDLE_LISTED)>;
#undef BRIDLE_LISTED
// What operators of slices do with elements, those that need sums.
using SliceElements = SliceList<ops::scaled_by_norm, ops::soft_and_scaled_by_norm>;
using UpdateOps = UpdateList<ops::proximal_step, ops::sgd_update, ops::adamw_update,
                             ops::adagrad_update, ops::rmsprop_update, ops::centered_rmsprop_update,
                             ops::lion_update, ops::ftrl_update>;
using NoiseOps =
    NoiseList<ops::dropout, ops::alpha_dropout, ops::gaussian_dropout, ops::gaussian_noise>;

}  // namespace bridle::inline BRIDLE_ISA
