// The loops of the projection onto a weighted l1 ball: z = max(|x| − threshold·weight, 0), where
// the sum of weight·z is the radius. Newton's method as in loops/threshold.hpp; its slope is the
// sum of the squares of the weights. Elements and weights are scaled by powers of two to below 2.
// Elements of weight zero take no part. T is float or double; weights are doubles.
//
// Where the radius is small beside the elements, |x| and threshold·weight are nearly equal, beyond
// what a threshold of twice the precision can tell. There elements are compared with one of them,
// the reference: |x|·its weight − its magnitude·weight is right to rounding however much cancels,
// and all that follows is of the size of the radius.
#pragma once

#include <bridle/loops/threshold.hpp>

namespace bridle::inline BRIDLE_ISA {

// a·b = product + rest, without an error.
template <class V>
inline void split_product(const V& a, double b, V* product, V* rest) {
  const V far = a * (0x1p27 + 1), upper = far - (far - a), lower = a - upper;
  const double head = ops::upper_half(b), tail = b - head;
  *product = a * b;
  *rest = ((upper * head - *product) + upper * tail + lower * head) + lower * tail;
}

// What m exceeds threshold·weight by, right to a few roundings also where nearly all cancels.
template <class V>
inline void weighted_excess(const V& m, const V& weight, const Threshold& threshold, V* excess) {
  V product, rest;
  split_product(weight, threshold.high, &product, &rest);
  *excess = ((m - product) - rest) - weight * threshold.low;
}

// m·reference.weight − reference.element·weight, right to a few roundings however much cancels:
// where nearly all does, no difference here has an error.
template <class V>
inline void compare(const V& m, const V& weight, const WeightedReference& reference, V* ahead) {
  V own, own_rest, other, other_rest;
  split_product(m, reference.weight, &own, &own_rest);
  split_product(weight, reference.element, &other, &other_rest);
  *ahead = ((own - other) + own_rest) - other_rest;
}

// What the measures of a cut exceed its threshold by; m and weight are scaled.
template <bool kReferred, class V>
inline void excess_of_cut(const V& m, const V& weight, const WeightedCut& cut, V* excess) {
  if constexpr (kReferred) {
    V ahead;
    compare(m, weight, cut.reference, &ahead);
    const V measure = ahead * (cut.reference.unit / cut.reference.weight);
    weighted_excess(measure, weight, cut.threshold, excess);
  } else {
    weighted_excess(m, weight, cut.threshold, excess);
  }
}

template <class T, bool kReferred>
WeightedExcess weighted_excess_kernel(const void* x, const double* weights, std::size_t size,
                                      const WeightedCut& cut) {
  using Doubles = Vector<double>;
  constexpr std::size_t width = VectorOf<double>::size;
  const T* const from = static_cast<const T*>(x);
  MaskedSum excess, squares;
  const auto add = [&](const T* values, const double* their_weights) {
    for (std::size_t v = 0; v < kLanes / width; ++v) {
      const Doubles m = ops::absolute(load_doubles(values + v * width)) * cut.scale.elements;
      const Doubles w = load_doubles(their_weights + v * width) * cut.scale.weights;
      Doubles z;
      excess_of_cut<kReferred>(m, w, cut, &z);
      const auto active = (z > 0.0) & (w > 0.0);
      excess.add(v, z * w, active);
      squares.add(v, w * w, active);
    }
  };
  std::size_t i = 0;
  for (; i + kLanes <= size; i += kLanes) add(from + i, weights + i);
  if (i < size) add(NanRow<T>(from + i, size - i).x, PaddedRow<double>(weights + i, size - i, 0).x);
  return {excess.finish().sum, squares.finish().sum};
}

// The extent of a chunk of elements whose weight is not zero.
template <class T>
void weighted_extent_kernel(const void* x, const double* weights, std::size_t size,
                            WeightedExtent* extent) {
  const T* const from = static_cast<const T*>(x);
  double most = 0, most_weight = 0;
  std::uint64_t nan = 0;  // of the width of the others, or gcc does not vectorize the loop
#if !defined(__clang__)   // which has no vectors for a maximum that minds NaN
#pragma omp simd reduction(max : most, most_weight) reduction(| : nan)
#endif
  for (std::size_t i = 0; i < size; ++i) {
    const double value = static_cast<double>(from[i]);
    const double m = weights[i] > 0 ? ops::absolute(value) : 0.0;
    most = m > most ? m : most;
    most_weight = weights[i] > most_weight ? weights[i] : most_weight;
    nan |= static_cast<std::uint64_t>(value != value);
  }
  *extent = {most, most_weight, nan != 0};
}

// Writes the elements and weights above a threshold one after the other, and returns how many they
// are; the outputs may be the inputs.
template <class T>
std::size_t keep_weighted(const void* x, const double* weights, std::size_t size, double threshold,
                          WeightedScale scale, void* kept, double* kept_weights) {
  const T* const from = static_cast<const T*>(x);
  T* const to = static_cast<T*>(kept);
  std::size_t count = 0;
  for (std::size_t i = 0; i < size; ++i) {
    const T m = ops::absolute(from[i]);
    const double w = weights[i], limit = w * scale.weights * threshold;
    to[count] = m;
    kept_weights[count] = w;
    count += (static_cast<double>(m) * scale.elements > limit) & (w > 0);
  }
  return count;
}

// Makes the element of the largest quotient by its weight, if it is larger than that of `found`,
// what was found.
template <class T>
void find_foremost(const void* x, const double* weights, std::size_t size, WeightedScale scale,
                   WeightedReference* found) {
  const T* const from = static_cast<const T*>(x);
  for (std::size_t i = 0; i < size; ++i) {
    const double m = static_cast<double>(ops::absolute(from[i])) * scale.elements;
    const double w = weights[i] * scale.weights;
    double ahead;
    compare(m, w, *found, &ahead);
    if (w > 0 && (found->weight == 0 || ahead > 0)) {
      found->element = m;
      found->weight = w;
    }
  }
}

// The same for the element of the largest weight that is above a cut with a reference; of equal
// weights, the larger element.
template <class T>
void find_heaviest(const void* x, const double* weights, std::size_t size, const WeightedCut& cut,
                   WeightedReference* found) {
  const T* const from = static_cast<const T*>(x);
  for (std::size_t i = 0; i < size; ++i) {
    const double m = static_cast<double>(ops::absolute(from[i])) * cut.scale.elements;
    const double w = weights[i] * cut.scale.weights;
    double z;
    excess_of_cut<true>(m, w, cut, &z);
    const bool heavier = w > found->weight || (w == found->weight && m > found->element);
    if (w > 0 && z > 0 && heavier) {
      found->element = m;
      found->weight = w;
    }
  }
}

// out = the projection; out is x or does not overlap it.
template <class T, bool kReferred>
void cut_weighted_kernel(const void* x, const double* weights, void* out, std::size_t size,
                         const WeightedCut& cut) {
  const T* const from = static_cast<const T*>(x);
  T* const to = static_cast<T*>(out);
#pragma omp simd
  for (std::size_t i = 0; i < size; ++i) {
    const double w = weights[i] * cut.scale.weights;
    const double m = static_cast<double>(ops::absolute(from[i])) * cut.scale.elements;
    double z;
    excess_of_cut<kReferred>(m, w, cut, &z);
    const double kept = z > cut.least * w ? z : 0.0;
    const double large = kept / cut.scale.elements;
    const T positive = static_cast<T>(kReferred ? large / cut.reference.unit : large);
    const T result = (from[i] < 0 ? -positive : positive) + T(0);
    to[i] = weights[i] > 0 ? result : from[i];
  }
}

}  // namespace bridle::inline BRIDLE_ISA
