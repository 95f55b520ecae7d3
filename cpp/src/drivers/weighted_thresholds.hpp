// The projection onto a weighted l1 ball: the sum of weight·|z| is at most the radius. Elements of
// weight zero are left alone.
#pragma once

#include <bridle/types.hpp>

#include "core.hpp"

namespace bridle {

// Contiguous vectors of at least one element of float32 or float64 (halves are widened before);
// weights >= 0 and finite, 0 <= radius < infinity. Weights, and elements, that are less than 2⁻⁵⁰⁰
// of the largest are taken for zero where their products underflow.
struct WeightedCall {
  DType dtype;
  const void* x;
  const double* weights;
  std::size_t size;
  double radius;
  void* scratch;  // weighted_scratch bytes, aligned as double is
};

constexpr std::size_t weighted_scratch(DType dtype, std::size_t size) {
  return size > kShortVector ? (sizeof(double) + item_size(dtype)) * size : 0;
}

struct WeightedFound {
  // cut, inside and not_a_number as in thresholds.hpp; zero: of a radius of zero, all of weight
  // > 0; infinite: elements of infinite magnitude and the least weight that such ones have become
  // `share`, others of weight > 0 zero.
  Projection projection;
  // The weighted sum of what is cut is the radius to 2⁻²² (float) or 2⁻⁴³ (double) of it, however
  // large the elements are; what an element is short of the exact one by, times its weight, is no
  // more than that either.
  WeightedCut cut;
  double share, least_weight;
};
WeightedFound find_weighted_threshold(const WeightedCall& call) noexcept;

// out = the projection of what was found, of cut, zero, infinite and inside; out is x or does not
// overlap it.
void project_weighted(const WeightedCall& call, const WeightedFound& found, void* out) noexcept;

}  // namespace bridle
