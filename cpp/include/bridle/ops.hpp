// The list of operators. Kernel tables, ufuncs, C functions, tests and benchmarks are made from it.
#pragma once

// Formulas are not contracted to fused multiply-add, also where a program that includes them does
// that with its own. For gcc, which knows no such pragma, transform.hpp has an attribute.
#if defined(__clang__)
#pragma float_control(push)
#pragma clang fp contract(off)
#endif
#include <bridle/ops/dropout.hpp>
#include <bridle/ops/optim.hpp>
#include <bridle/ops/penalty.hpp>
#include <bridle/ops/prox.hpp>
#include <bridle/ops/update.hpp>
#if defined(__clang__)
#pragma float_control(pop)
#endif

namespace bridle::inline BRIDLE_ISA {

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

using MapOps = MapList<ops::soft_threshold, ops::prox_elastic_net, ops::prox_l2, ops::decay,
                       ops::elastic_net_gradient>;
using ReduceOps = ReduceList<ops::l1_penalty, ops::l2_penalty, ops::elastic_net_penalty>;
using UpdateOps = UpdateList<ops::proximal_step, ops::sgd_update, ops::adamw_update,
                             ops::adagrad_update, ops::rmsprop_update, ops::centered_rmsprop_update,
                             ops::lion_update, ops::ftrl_update>;
using NoiseOps =
    NoiseList<ops::dropout, ops::alpha_dropout, ops::gaussian_dropout, ops::gaussian_noise>;

}  // namespace bridle::inline BRIDLE_ISA
