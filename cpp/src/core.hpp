// The core as its clients see it: whole arrays in any layout, any number of threads.
// Nothing here throws, allocates or prints; hyper-parameters have been checked by the caller.
#pragma once

#include <bridle/ops.hpp>
#include <bridle/types.hpp>

#include "export.hpp"

namespace bridle {

// A one-dimensional operand: element i lies `i * stride` bytes after `data`, aligned to its type.
struct Operand {
  char* data;
  std::ptrdiff_t stride;
};

inline constexpr int kMaxOperands = 8;

constexpr std::size_t item_size(DType dtype) {
  return dtype == DType::float64 ? 8 : dtype == DType::float32 ? 4 : 2;
}
constexpr std::size_t compute_size(DType dtype) { return dtype == DType::float64 ? 8 : 4; }

enum class Output {
  reused,  // memory that was written before: large results bypass the caches
  fresh,   // pages that nobody has touched: the kernel's zeroing has just brought them into the
           // cache
};

// operand[0] is x, operand[1…] the parameters (compute type; stride 0: one number for all), the
// last one out. Where out overlaps another operand otherwise than element for element, one thread
// works in ascending order: NumPy hands over such operands if no element is written before it is
// read that way.
struct MapCall {
  Operand operand[kMaxOperands];
  std::size_t size;
  Output output;
};

BRIDLE_API void map(int op, DType dtype, const MapCall& call) noexcept;

// The sums of a penalty over one vector (see loops/reduce.hpp for the order of summation).
BRIDLE_API void reduce(int op, DType dtype, Operand x, std::size_t size, double* sums) noexcept;

// The same for `count` vectors, the first elements of which lie `vector_stride` bytes apart: the
// sums of vector v go to sums[v·number of sums …].
BRIDLE_API void reduce_many(int op, DType dtype, Operand x, std::size_t size,
                            std::ptrdiff_t vector_stride, std::size_t count, double* sums) noexcept;

BRIDLE_API void dropout(DType dtype, Operand x, Operand out, const MaskCall& call,
                        Output output) noexcept;
BRIDLE_API void dropout_mask(std::uint8_t* keep, const MaskCall& call) noexcept;
BRIDLE_API void dropout_mask_packed(std::uint8_t* bits, const MaskCall& call) noexcept;

// Copies contiguous memory that does not overlap.
BRIDLE_API void copy(const void* x, void* out, std::size_t bytes) noexcept;

}  // namespace bridle
