// Lists of arrays of any layouts and types, worked on by all threads as if they were one.
#pragma once

#include <algorithm>
#include <cstdint>

#include "core.hpp"

namespace bridle {

// The elements of an array in the order of a walk over bytes; null: they are contiguous.
struct Walked {
  char* data;
  DType dtype;
  const Walk* walk;
};

inline const Walk& walk_of(const Walked& array) {
  static const Walk contiguous[] = {Walk(2), Walk(2), Walk(4), Walk(8)};
  return array.walk ? *array.walk : contiguous[static_cast<int>(array.dtype)];
}

// An array of a list that is written, and the one of as many elements that goes with it.
struct ListedPair {
  Walked from, to;
  std::size_t size;
  std::uint64_t first;  // position of its first element in the list
};

inline std::size_t size_of(const ListedPair* pairs, std::size_t count) {
  return count == 0 ? 0 : pairs[count - 1].first + pairs[count - 1].size;
}

// Calls part(pair, begin, end) for the elements of each pair that make up begin … end of the list.
template <class Part>
void for_each_part(const ListedPair* pairs, std::size_t count, std::size_t begin, std::size_t end,
                   const Part& part) {
  const auto starts_behind = [](std::size_t position, const ListedPair& pair) {
    return position < pair.first;
  };
  const ListedPair* pair = std::upper_bound(pairs, pairs + count, begin, starts_behind) - 1;
  for (; pair < pairs + count && pair->first < end; ++pair) {
    const std::size_t from = begin > pair->first ? begin - pair->first : 0;
    const std::size_t to = std::min<std::size_t>(end - pair->first, pair->size);
    if (from < to) part(*pair, from, to);
  }
}

}  // namespace bridle
