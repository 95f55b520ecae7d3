// The facts about the operators as C and Python need them, made from the list in ops.hpp.
#pragma once

#include <algorithm>
#include <array>
#include <bridle/ops.hpp>
#include <span>
#include <string_view>
#include <type_traits>
#include <utility>

#include "update_numbers.hpp"

namespace bridle {

struct Operator {
  const char* name;
  std::span<const Param> params;
  bool complex = false;  // it takes complex numbers, too
};

struct FusedUpdate : Operator {
  std::span<const StateArray> state;
  bool has_gradient;
  bool solves;  // for the weight, so that nothing follows that
  void (*set_numbers)(const double* numbers, UpdateNumbers& to);  // see update_numbers.hpp
};

struct PenaltyOperator : Operator {
  int sums;
  bool beside;  // the first parameter may be an array beside the weights
  double (*finish)(const double* params, const double* sums);
};

template <class Op, std::size_t... P>
double finish_penalty(const double* params, const double* sums, std::index_sequence<P...>) {
  return Op{params[P]...}.finish(sums);
}

template <class Op>
constexpr PenaltyOperator describe_penalty() {
  return {{Op::name, Op::params},
          Op::sums,
          kHasBeside<Op>,
          [](const double* params, const double* sums) {
            return finish_penalty<Op>(params, sums, std::make_index_sequence<Op::params.size()>{});
          }};
}

template <template <class> class Op>
constexpr FusedUpdate describe_update() {
  std::span<const StateArray> state;
  if constexpr (requires { Op<float>::state_arrays; }) state = Op<float>::state_arrays;
  return {{Op<float>::name, Op<float>::params},
          state,
          !std::is_same_v<Op<float>, ops::proximal_step<float>>,
          ops::SolvesForWeight<Op<float>, float>,
          set_numbers<Op>};
}

template <template <class> class... Op>
constexpr auto describe(MapList<Op...>) {
  return std::array{Operator{Op<float>::name, Op<float>::params, kTakesComplex<Op>}...};
}
template <template <class> class... Op>
constexpr auto describe(UpdateList<Op...>) {
  return std::array{describe_update<Op>()...};
}
template <template <class> class... Op>
constexpr auto describe(NoiseList<Op...>) {
  return std::array{std::string_view(Op<float>::name)...};
}
template <class... Op>
constexpr auto describe(ReduceList<Op...>) {
  return std::array{describe_penalty<Op>()...};
}

inline constexpr auto kMapOperators = describe(MapOps{});
inline constexpr auto kPenalties = describe(ReduceOps{});
inline constexpr auto kUpdateOperators = describe(UpdateOps{});
inline constexpr auto kNoiseOperators = describe(NoiseOps{});

// The place of an operator in such a list; the size of that if it is not there.
template <class Operators>
constexpr int place_of(const Operators& operators, std::string_view name) {
  const auto at = std::ranges::find_if(operators, [&](const auto& op) { return name == op.name; });
  return static_cast<int>(at - operators.begin());
}
constexpr int find_update(std::string_view name) { return place_of(kUpdateOperators, name); }

// What weights cost beside their elastic net, of which these are the sums.
inline double penalty_of(const UpdateRegularizer& regularizer, const UpdateSums& sums) {
  if (regularizer.penalty < 0) return 0.0;
  if (is_penalty_of_arrays(regularizer)) return sums.regularizer[0];
  double numbers[UpdateRegularizer::kMost];
  for (int p = 0; p < regularizer.penalty_count; ++p) {
    numbers[p] = *static_cast<const double*>(regularizer.penalty_parameters[p].data);
  }
  return kPenalties[static_cast<std::size_t>(regularizer.penalty)].finish(numbers,
                                                                          sums.regularizer);
}

}  // namespace bridle
