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

namespace detail {
struct Nothing {};
template <class>
struct NoOperator {};
template <template <class> class, template <class> class... Op>
using MapListOf = MapList<Op...>;
template <class, class... Op>
using ReduceListOf = ReduceList<Op...>;
}  // namespace detail

#define BRIDLE_LISTED(name) , ops::name
using MapOps = detail::MapListOf<detail::NoOperator BRIDLE_MAP_OPERATORS(BRIDLE_LISTED)>;
using ReduceOps = detail::ReduceListOf<detail::Nothing BRIDLE_PENALTIES(BRIDLE_LISTED)>;
#undef BRIDLE_LISTED
// What operators of slices do with elements, and those operators.
using SliceElements = SliceList<ops::scaled_by_norm, ops::soft_and_scaled_by_norm>;
using SliceOps =
    SliceList<ops::group_soft_threshold, ops::prox_sparse_group, ops::prox_group_mcp,
              ops::prox_group_scad, ops::prox_l2_norm, ops::project_l2_ball, ops::max_norm,
              ops::unit_norm, ops::min_max_norm, ops::group_l2_penalty, ops::sparse_group_penalty,
              ops::group_mcp_penalty, ops::group_scad_penalty, ops::l2_norm_penalty>;
using UpdateOps = UpdateList<ops::proximal_step, ops::sgd_update, ops::adamw_update,
                             ops::adagrad_update, ops::rmsprop_update, ops::centered_rmsprop_update,
                             ops::lion_update, ops::ftrl_update>;
using NoiseOps =
    NoiseList<ops::dropout, ops::alpha_dropout, ops::gaussian_dropout, ops::gaussian_noise>;

}  // namespace bridle::inline BRIDLE_ISA
