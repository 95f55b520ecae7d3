// The facts about the operators as Python needs them, made from the list in ops.hpp.
#pragma once

#include <algorithm>
#include <array>
#include <bridle/ops.hpp>
#include <span>
#include <string_view>
#include <utility>

#include "drivers/update_numbers.hpp"

namespace bridle::python {

struct Operator {
  const char* name;
  std::span<const Param> params;
  bool complex = false;  // it takes complex numbers, too
};

struct FusedUpdate : Operator {
  void (*set_numbers)(const double* numbers, UpdateNumbers& to);  // see drivers/update_numbers.hpp
};

struct Penalty : Operator {
  int sums;
  bool beside;  // the first parameter may be an array beside the weights
  double (*finish)(const double* params, const double* sums);
};

template <class Op, std::size_t... P>
double finish_penalty(const double* params, const double* sums, std::index_sequence<P...>) {
  return Op{params[P]...}.finish(sums);
}

template <class Op>
constexpr Penalty describe_penalty() {
  return {{Op::name, Op::params},
          Op::sums,
          kHasBeside<Op>,
          [](const double* params, const double* sums) {
            return finish_penalty<Op>(params, sums, std::make_index_sequence<Op::params.size()>{});
          }};
}

template <template <class> class... Op>
constexpr auto describe(MapList<Op...>) {
  return std::array{Operator{Op<float>::name, Op<float>::params, kTakesComplex<Op>}...};
}
template <template <class> class... Op>
constexpr auto describe(UpdateList<Op...>) {
  return std::array{FusedUpdate{{Op<float>::name, Op<float>::params}, set_numbers<Op>}...};
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

// The place of an update in its list.
constexpr int find_update(std::string_view name) {
  const auto at = std::ranges::find(kUpdateOperators, name, &FusedUpdate::name);
  return static_cast<int>(at - kUpdateOperators.begin());
}

}  // namespace bridle::python
