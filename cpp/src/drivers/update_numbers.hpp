// From the numbers that users give to those that an update takes, in double.
#pragma once

#include <cstring>
#include <iterator>
#include <utility>

#include "core.hpp"

namespace bridle {

template <class Op, std::size_t... P>
Op made_of(const double* numbers, std::index_sequence<P...>) {
  if constexpr (requires { Op::of(numbers[P]...); }) {
    return Op::of(numbers[P]...);
  } else {
    return Op{numbers[P]...};
  }
}

// numbers: one for each of Op::params.
template <template <class> class Op>
void set_numbers(const double* numbers, UpdateNumbers& to) {
  using Double = Op<double>;
  const auto op = made_of<Double>(numbers, std::make_index_sequence<Double::params.size()>{});
  static_assert(sizeof op <= sizeof to.members);
  std::memcpy(to.members, &op, sizeof op);
  to.size = numbers[0];
}

// The rate has been checked.
inline void set_decay(Decay decay, double lr, double weight_decay, UpdateNumbers& to) {
  to.coupled = decay == Decay::coupled ? weight_decay : 0.0;
  to.keep = 1.0 - ops::decay_rate(decay, lr, weight_decay);
}

// Of the new weights, of which these are the sums.
inline double penalty_of(const UpdateArray& array, const UpdateSums& sums) {
  const double both[] = {sums.absolute, sums.squares};
  return ops::elastic_net_penalty{array.numbers->l1, array.numbers->l2}.finish(both);
}

}  // namespace bridle
