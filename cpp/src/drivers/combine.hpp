// Sums and averages of arrays, and arrays times a number, in place.
#pragma once

#include "lists.hpp"

namespace bridle {

// to = what becomes of it beside `from`, element by element (see ops/combine.hpp), in float, or in
// double where `to` is that. `from` may be of a half type where `to` is float; to scale, it is `to`
// itself. No two arrays share memory else.
BRIDLE_API void combine(Combination combination, double factor, const ListedPair* pairs,
                        std::size_t count) noexcept;

}  // namespace bridle
