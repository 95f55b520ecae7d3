// What the C functions check of their arguments, and where an operator stands in its list.
#pragma once

#include <cstdint>
#include <type_traits>

#include "core.hpp"

namespace bridle::c {

template <class T>
constexpr DType kDTypeOf = sizeof(T) == 8 ? DType::float64 : DType::float32;

template <class T>
bool is_aligned(const T* x) {
  return reinterpret_cast<std::uintptr_t>(x) % alignof(T) == 0;
}

// Whether n elements at x may be read (or written).
template <class T>
bool is_array(const T* x, std::int64_t n) {
  return n == 0 || (n > 0 && x && is_aligned(x));
}

template <class T>
bool apart(const T* x, const T* out, std::int64_t n) {
  const auto a = reinterpret_cast<std::uintptr_t>(x), b = reinterpret_cast<std::uintptr_t>(out);
  const auto distance = a < b ? b - a : a - b;
  return distance / sizeof(T) >= static_cast<std::uint64_t>(n);
}

template <class Wanted, template <template <class> class...> class List,
          template <class> class... Op>
constexpr int index_in(List<Op...>) {
  int index = 0;
  (void)((std::is_same_v<Wanted, Op<float>> || (++index, false)) || ...);
  return index;
}
template <class Wanted, class... Op>
constexpr int index_in(ReduceList<Op...>) {
  int index = 0;
  (void)((std::is_same_v<Wanted, Op> || (++index, false)) || ...);
  return index;
}

}  // namespace bridle::c
