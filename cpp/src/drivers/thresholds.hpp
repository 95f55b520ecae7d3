// The threshold of a projection onto the simplex or the l1 ball: with which the excesses
// max(m − threshold, 0) of a vector add up to a radius, where m is x (simplex) or |x| (ball). In
// expected linear time, without sorting: about one pass over a long vector.
#pragma once

#include <bridle/ops/threshold.hpp>
#include <bridle/types.hpp>

#include "core.hpp"

namespace bridle {

// A contiguous vector of at least one element; 0 <= radius < infinity.
struct ThresholdCall {
  DType dtype;
  Measure measure;
  const void* x;
  std::size_t size;
  double radius;
  // Memory of threshold_scratch(size) elements of the compute type, little of which is touched in
  // general; it shares none with x.
  void* scratch;
};

constexpr std::size_t threshold_scratch(std::size_t size) { return size > kShortVector ? size : 0; }

// What is to be done with the vector:
// - cut: z = max((m − head) − tail, 0) with the sign of x, computed in the compute type, for the
//   numbers of `ops::cut_of`. No z is negative, each is right to two roundings, and they add up to
//   the radius to 2⁻²² (float) or 2⁻⁴⁶ (double) of it, whatever their number and the size of the
//   elements.
// - inside: the vector is in its set and stays as it is, bit for bit. Sums within 10⁻¹³ of the
//   radius are taken exactly.
// - zero: the radius is zero, all become +0.0.
// - not_a_number: an element is.
// - infinite: the limit of what large equal elements become, `share` each where m is +infinity, and
//   zero elsewhere; a vector all of -infinity becomes `share` everywhere.
// The same bits whatever the threads and the instruction set. Inside a parallel_for: by one thread.
ThresholdFound find_threshold(const ThresholdCall& call) noexcept;

}  // namespace bridle
