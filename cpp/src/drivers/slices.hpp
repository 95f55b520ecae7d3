// Operators whose result at an element depends on the vector that it belongs to: an array seen as
// many vectors.
#pragma once

#include "core.hpp"

namespace bridle {

// Vector v begins `vectors` of v behind x, its elements lie `elements` of 0 … length behind that,
// both in bytes; likewise out, which is x, element for element, or shares no memory with it. With
// offsets, element j of vector v is element offsets[v] + j of the only vector that there is
// otherwise, and its length is up to offsets[v + 1].
struct SliceCall {
  int op;  // of SliceOps
  DType dtype;
  char* x;
  const Walk &x_vectors, &x_elements;
  char* out;
  const Walk &out_vectors, &out_elements;
  std::size_t count, length;
  const std::int64_t* offsets;  // null: none
  const double* given;          // the numbers of the operator
  const double* weights;        // one for each vector; null: 1
};

// False, with nothing written, if there is no memory for a few sums.
BRIDLE_API bool apply_to_slices(const SliceCall& call) noexcept;

}  // namespace bridle
