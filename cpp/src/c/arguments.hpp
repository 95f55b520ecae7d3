// What the C functions check of their arguments, and where an operator stands in its list.
#pragma once

#include <cstdint>
#include <cstring>
#include <type_traits>

#include "drivers/core.hpp"

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
Operand contiguous_operand(const T* x) {
  return {reinterpret_cast<char*>(const_cast<T*>(x)), sizeof(T)};
}

template <class T>
bool apart(const T* x, const T* out, std::int64_t n) {
  const auto a = reinterpret_cast<std::uintptr_t>(x), b = reinterpret_cast<std::uintptr_t>(out);
  const auto distance = a < b ? b - a : a - b;
  return distance / sizeof(T) >= static_cast<std::uint64_t>(n);
}

// Whether a structure of the caller, or null, has a size that it had once: `first` in its first
// version. Its members begin with that size.
template <class S>
bool is_structure(const S* structure, std::size_t first) {
  if (!structure) return true;
  return is_aligned(structure) && structure->size % alignof(S) == 0 && structure->size >= first &&
         structure->size <= sizeof(S);
}

// Members that a structure of the caller lacks stay as they are in `to`.
template <class S>
bool read_structure(const S* structure, std::size_t first, S& to) {
  if (!is_structure(structure, first)) return false;
  if (structure) std::memcpy(&to, structure, structure->size);
  return true;
}

// Writes the members that the structure of the caller has, all but the size.
template <class S>
void write_structure(S from, S* structure) {
  from.size = structure->size;
  std::memcpy(structure, &from, from.size);
}

template <class Wanted, template <template <class> class...> class List,
          template <class> class... Op>
constexpr int index_in(List<Op...>) {
  int index = 0;
  (void)((std::is_same_v<Wanted, Op<float>> || (++index, false)) || ...);
  return index;
}
template <class Wanted, template <class...> class List, class... Op>
constexpr int index_in(List<Op...>) {
  int index = 0;
  (void)((std::is_same_v<Wanted, Op> || (++index, false)) || ...);
  return index;
}

}  // namespace bridle::c
