// The vectors of a call of an operator of slices.
#pragma once

#include "slices.hpp"

namespace bridle {

inline constexpr std::size_t kLeastSlicePart = 16 * 1024;  // elements for each thread

// One vector: element i lies elements(first + i) behind x and out.
struct SliceVector {
  char *x, *out;
  std::size_t first, length;
};

inline SliceVector slice_vector(const SliceCall& call, std::size_t v) {
  if (call.offsets) {
    const auto first = static_cast<std::size_t>(call.offsets[v]);
    return {call.x, call.out, first, static_cast<std::size_t>(call.offsets[v + 1]) - first};
  }
  return {call.x + call.x_vectors.first_row(v, 1).offset,
          call.out + call.out_vectors.first_row(v, 1).offset, 0, call.length};
}

inline std::size_t slice_elements(const SliceCall& call) {
  return call.offsets ? static_cast<std::size_t>(call.offsets[call.count] - call.offsets[0])
                      : call.length * call.count;
}

// Whether neighbouring vectors begin at neighbouring elements, in both arrays.
inline bool are_beside(const SliceCall& call) {
  if (call.offsets || call.count < 2) return false;
  const auto beside = static_cast<std::ptrdiff_t>(item_size(call.dtype));
  const Walk::Row x = call.x_vectors.first_row(0, call.count);
  const Walk::Row out = call.out_vectors.first_row(0, call.count);
  return x.stride == beside && out.stride == beside && x.count >= 8 && out.count >= 8;
}

// Whether the vectors are contiguous and lie one behind the other, in both arrays.
inline bool are_rows(const SliceCall& call) {
  const auto item = static_cast<std::ptrdiff_t>(item_size(call.dtype));
  const auto bytes = static_cast<std::ptrdiff_t>(call.length) * item;
  return call.x_elements.is_row(item) && call.out_elements.is_row(item) &&
         (call.offsets || (call.x_vectors.is_row(bytes) && call.out_vectors.is_row(bytes)));
}

// Writes the number of a vector, of the compute type, to its place in a list.
inline void set_number(DType dtype, char* numbers, std::size_t place, double number) {
  if (dtype == DType::float64) {
    reinterpret_cast<double*>(numbers)[place] = number;
  } else {
    reinterpret_cast<float*>(numbers)[place] = static_cast<float>(number);
  }
}

// Of operators that are given vectors as a whole.
bool apply_to_whole_vectors(const SliceCall& call) noexcept;

}  // namespace bridle
