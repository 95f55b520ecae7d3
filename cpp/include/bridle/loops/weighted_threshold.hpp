// The loops of the projection onto a weighted l1 ball: z = max(|x| − threshold·weight, 0), where
// the sum of weight·z is the radius. Newton's method as in loops/threshold.hpp; its slope is the
// sum of the squares of the weights. Elements and weights are scaled by powers of two to below 2.
// Elements of weight zero take no part. T is float or double.
#pragma once

#include <bridle/loops/threshold.hpp>

namespace bridle::inline BRIDLE_ISA {

// What x exceeds threshold·weight by, right to a few roundings also where nearly all cancels.
template <class V>
inline void weighted_excess(const V& m, const V& weight, const Threshold& threshold, V* excess) {
  const V far = weight * (0x1p27 + 1), upper = far - (far - weight), lower = weight - upper;
  const double head = ops::upper_half(threshold.high), tail = threshold.high - head;
  const V product = weight * threshold.high;
  const V rest = ((upper * head - product) + upper * tail + lower * head) + lower * tail;
  *excess = ((m - product) - rest) - weight * threshold.low;
}

template <class T>
WeightedExcess weighted_excess_kernel(const void* x, const void* weights, std::size_t size,
                                      const Threshold& threshold, WeightedScale scale) {
  using Doubles = Vector<double>;
  constexpr std::size_t width = VectorOf<double>::size;
  const T* const from = static_cast<const T*>(x);
  const T* const weight = static_cast<const T*>(weights);
  MaskedSum excess, squares;
  const auto add = [&](const T* values, const T* their_weights) {
    for (std::size_t v = 0; v < kLanes / width; ++v) {
      const Doubles m = ops::absolute(load_doubles(values + v * width)) * scale.elements;
      const Doubles w = load_doubles(their_weights + v * width) * scale.weights;
      Doubles z;
      weighted_excess(m, w, threshold, &z);
      const auto active = (z > 0.0) & (w > 0.0);
      excess.add(v, z * w, active);
      squares.add(v, w * w, active);
    }
  };
  std::size_t i = 0;
  for (; i + kLanes <= size; i += kLanes) add(from + i, weight + i);
  if (i < size) add(NanRow<T>(from + i, size - i).x, PaddedRow<T>(weight + i, size - i, 0).x);
  return {excess.finish().sum, squares.finish().sum};
}

// The extent of a chunk of elements whose weight is not zero.
template <class T>
void weighted_extent_kernel(const void* x, const void* weights, std::size_t size,
                            WeightedExtent* extent) {
  const T* const from = static_cast<const T*>(x);
  const T* const weight = static_cast<const T*>(weights);
  T most = 0, most_weight = 0;
  UnsignedOf<T> nan = 0;  // of the elements' width, or gcc does not vectorize the loop
#if !defined(__clang__)   // which has no vectors for a maximum that minds NaN
#pragma omp simd reduction(max : most, most_weight) reduction(| : nan)
#endif
  for (std::size_t i = 0; i < size; ++i) {
    const T m = weight[i] > 0 ? ops::absolute(from[i]) : T(0);
    most = m > most ? m : most;
    most_weight = weight[i] > most_weight ? weight[i] : most_weight;
    nan |= static_cast<UnsignedOf<T>>(from[i] != from[i]);
  }
  *extent = {static_cast<double>(most), static_cast<double>(most_weight), nan != 0};
}

// Writes the elements and weights above a threshold one after the other, and returns how many they
// are; the outputs may be the inputs.
template <class T>
std::size_t keep_weighted(const void* x, const void* weights, std::size_t size, double threshold,
                          WeightedScale scale, void* kept, void* kept_weights) {
  const T* const from = static_cast<const T*>(x);
  const T* const weight = static_cast<const T*>(weights);
  T* const to = static_cast<T*>(kept);
  T* const to_weight = static_cast<T*>(kept_weights);
  std::size_t count = 0;
  for (std::size_t i = 0; i < size; ++i) {
    const T m = ops::absolute(from[i]), w = weight[i];
    const double limit = static_cast<double>(w) * scale.weights * threshold;
    to[count] = m;
    to_weight[count] = w;
    count += (static_cast<double>(m) * scale.elements > limit) & (w > 0);
  }
  return count;
}

// out = the projection; out is x or does not overlap it.
template <class T>
void cut_weighted_kernel(const void* x, const void* weights, void* out, std::size_t size,
                         const Threshold& threshold, WeightedScale scale) {
  const T* const from = static_cast<const T*>(x);
  const T* const weight = static_cast<const T*>(weights);
  T* const to = static_cast<T*>(out);
#pragma omp simd
  for (std::size_t i = 0; i < size; ++i) {
    const double w = static_cast<double>(weight[i]) * scale.weights;
    const double m = static_cast<double>(ops::absolute(from[i])) * scale.elements;
    double z;
    weighted_excess(m, w, threshold, &z);
    const T positive = static_cast<T>((z > 0.0 ? z : 0.0) / scale.elements);
    const T cut = (from[i] < 0 ? -positive : positive) + T(0);
    to[i] = weight[i] > 0 ? cut : from[i];
  }
}

}  // namespace bridle::inline BRIDLE_ISA
