// What operators that are given whole vectors do with them by all threads.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>

#include "chunk_sums.hpp"
#include "dispatch.hpp"
#include "slices.hpp"

namespace bridle::vectors {

inline constexpr double kInfinity = std::numeric_limits<double>::infinity();
inline constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

inline const VectorKernels& kernels_of(DType dtype) {
  return kernels().vectors.of[dtype == DType::float64 ? 1 : 0];
}

// part(x, out, begin, size) for parts of a vector, by all threads.
template <class Part>
void for_each_part(const WholeVector& vector, const void* work, const Part& part) {
  const std::size_t item = item_size(vector.dtype);
  parallel_for(
      vector.size, 256, kLeastForSums,
      [&](std::size_t begin, std::size_t end) {
        part(static_cast<const char*>(vector.x) + begin * item,
             static_cast<char*>(vector.out) + begin * item, begin, end - begin);
      },
      work);
}

// Calls use(number) with the number as one of the type of the elements.
template <class Use>
void as_element(DType dtype, double number, const Use& use) {
  if (dtype == DType::float64) return use(number);
  const auto single = static_cast<float>(number);
  if (dtype == DType::float32) return use(single);
  std::uint16_t half;
  kernels().half[static_cast<int>(dtype)].narrow(&single, &half, 1);
  use(half);
}

// The sums of chunk(begin, size, sums).
template <std::size_t kSums, class Chunk>
void sum(std::size_t size, const void* work, const Chunk& chunk, double* sums) {
  sum_parallel<kSums>(kSums, size, kLeastForSums, chunk, work, sums);
}

// The elements stay as they are.
void keep(const WholeVector& vector);

void fill(const WholeVector& vector, double number);

// The largest magnitude, or NaN where there is one.
double largest(const WholeVector& vector);

}  // namespace bridle::vectors
