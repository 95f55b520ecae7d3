// Operators in which it counts which element is before another: by place, or by magnitude.
#include <algorithm>
#include <cmath>

#include "vector_operators.hpp"
#include "vector_parts.hpp"

namespace bridle::vectors {

double prox_total_variation(const WholeVector& vector) {
  kernels_of(vector.dtype)
      .total_variation(vector.x, vector.size, ops::product(vector.given[0], vector.given[1]),
                       vector.out, vector.scratch);
  return 0.0;
}

std::size_t scratch_of_variation(DType dtype, std::size_t size) {
  return kernels_of(dtype).total_variation_scratch(size);
}

double total_variation_penalty(const WholeVector& vector) {
  const VectorKernels& kernels = kernels_of(vector.dtype);
  const std::size_t item = item_size(vector.dtype);
  double total;
  sum<1>(
      vector.size - 1, work_of(kernels.differences),
      [&](std::size_t begin, std::size_t size, double* to) {
        constexpr std::size_t block = 8 * kLanes;
        alignas(kLine) double lanes[kLanes] = {};
        double differences[block];
        for (std::size_t i = 0; i < size; i += block) {
          const std::size_t count = std::min(block, size - i);
          kernels.differences(static_cast<const char*>(vector.x) + (begin + i) * item, count,
                              differences);
          bridle::kernels().reduce.total(differences, nullptr, nullptr, count, 0, lanes);
        }
        bridle::kernels().reduce.fold_lanes(lanes, 1, to);
      },
      &total);
  return ops::product(vector.given[0], total);
}

double prox_slope(const WholeVector& vector) {
  kernels_of(vector.dtype)
      .slope(vector.x, vector.size, vector.beside, vector.given[0], vector.out, vector.scratch);
  return 0.0;
}

std::size_t scratch_of_slope(DType dtype, std::size_t size) {
  return kernels_of(dtype).slope_scratch(size);
}

double slope_penalty(const WholeVector& vector) {
  if (std::isnan(largest(vector))) return kNan;
  auto* const terms = static_cast<double*>(vector.scratch);
  kernels_of(vector.dtype)
      .slope_terms(vector.x, vector.size, vector.beside, terms, terms + vector.size);
  double total;
  sum<1>(
      vector.size, nullptr,
      [&](std::size_t begin, std::size_t size, double* to) {
        alignas(kLine) double lanes[kLanes] = {};
        kernels().reduce.total(terms + begin, nullptr, nullptr, size, 0, lanes);
        kernels().reduce.fold_lanes(lanes, 1, to);
      },
      &total);
  return total;
}

std::size_t scratch_of_slope_penalty(DType dtype, std::size_t size) {
  return size * sizeof(double) + scratch_of_slope(dtype, size);
}

}  // namespace bridle::vectors
