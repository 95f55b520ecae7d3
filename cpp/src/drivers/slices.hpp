// Operators whose result at an element depends on the vector that it belongs to: an array seen as
// many vectors.
#pragma once

#include <bridle/param.hpp>
#include <span>

#include "core.hpp"

namespace bridle {

// One vector, as an operator sees it that is given the whole of it.
struct WholeVector {
  DType dtype;
  const void* x;
  void* out;         // x, or apart from it
  std::size_t size;  // at least 1
  const double* beside;
  const double* given;
  double weight;
  void* scratch;
};

// An operator of the list. It says what the sums of a vector make of it (`finish`, with one of the
// kinds of SliceElements), or is given vectors as a whole.
struct SliceOperator {
  const char* name;
  std::span<const Param> params;
  ArrayParam beside;  // one number for each element of a vector; null name: none
  bool measures;      // finds a number for each vector, and leaves the elements alone
  bool groups;        // takes weights, offsets and labels
  int divisor;        // the place of the parameter that divides the length of a vector; -1: none
  int elements = 0;
  SliceFinish finish = nullptr;
  SliceThreshold threshold = nullptr;  // of those that shrink by one; null: none
  // Writes out, by all threads where it pays, and returns what it measured.
  double (*whole)(const WholeVector& vector) = nullptr;
  std::size_t (*scratch)(DType dtype, std::size_t size) = nullptr;  // bytes; null: none
  bool takes_halves;                                                // else they are widened before
  // Whether vectors that lie one behind the other may be given as one; null: they may not.
  bool (*joins)(const WholeVector& all) = nullptr;
};

struct SliceOperators {
  const SliceOperator* first;
  std::size_t count;

  const SliceOperator* begin() const { return first; }
  const SliceOperator* end() const { return first + count; }
};
BRIDLE_API SliceOperators slice_operators() noexcept;

// Vector v begins `vectors` of v behind x, its elements lie `elements` of 0 … length behind that,
// both in bytes; likewise out, which is x, element for element, or shares no memory with it. With
// offsets, element j of vector v is element offsets[v] + j of the only vector that there is
// otherwise, and its length is up to offsets[v + 1].
struct SliceCall {
  const SliceOperator* op;
  DType dtype;
  char* x;
  const Walk &x_vectors, &x_elements;
  char* out;
  const Walk &out_vectors, &out_elements;
  std::size_t count, length;
  const std::int64_t* offsets;  // null: none
  const double* given;          // the numbers of the operator
  const double* weights;        // one for each vector; null: 1
  const double* beside;         // one for each element of a vector
  double* numbers;              // one for each vector, of an operator that measures
  Output output = Output::reused;
};

// False, with nothing written, if there is no memory for what is needed beside the arrays.
BRIDLE_API bool apply_to_slices(const SliceCall& call) noexcept;

// The same for the vectors that the labels of elements say: vector v is the elements with label v,
// in order; those with a negative label are in none. `weights` and `numbers` are of `count`
// vectors.
struct LabelCall {
  const SliceOperator* op;
  DType dtype;
  const char* x;  // contiguous, as the others
  char* out;
  std::size_t size;
  const std::int64_t* labels;
  std::size_t count;  // above every label
  const double* given;
  const double* weights;
  double* numbers;
};
BRIDLE_API bool apply_by_labels(const LabelCall& call) noexcept;

// One more than the largest label, at least 0.
BRIDLE_API std::int64_t count_labels(const std::int64_t* labels, std::size_t size) noexcept;

}  // namespace bridle
