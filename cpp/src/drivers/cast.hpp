// Conversions of arrays from one element type to another.
#pragma once

#include "lists.hpp"

namespace bridle {

struct CastCall {
  const ListedPair* pairs;  // arrays that share no memory
  std::size_t count;
  bool stochastic;  // to halves, rounded at random with u(index + position in the list)
  RandomKey key;
  std::uint64_t index;
};

// to = from, rounded to nearest even once, as NumPy does; or at random to one of the two
// neighbours, so that the mean is exact. Zeros keep their signs.
BRIDLE_API void cast(const CastCall& call) noexcept;

}  // namespace bridle
