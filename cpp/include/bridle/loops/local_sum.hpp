// Sums and means of blocks of neighbours, for the loops that pool elements (total variation,
// SLOPE). A block has a sum of its own, never the difference of two running sums, so that what lies
// before it, however large, costs it no digits. Floats are summed in double, doubles in twice their
// precision.
#pragma once

#include <bridle/loops/storage.hpp>
#include <bridle/ops/math.hpp>
#include <bridle/ops/twofold.hpp>
#include <cstddef>

namespace bridle::inline BRIDLE_ISA {

template <class T>
struct LocalSumOf {
  using type = double;
};
template <>
struct LocalSumOf<double> {
  using type = ops::Twofold;
};
template <class T>
using LocalSum = typename LocalSumOf<T>::type;

template <class T>
LocalSum<T> local_sum(double x) {
  if constexpr (sizeof(T) == sizeof(double)) {
    return {x, 0.0};
  } else {
    return x;
  }
}

// sum + shift, rounded.
inline double total(double sum, double shift) { return sum + shift; }
inline double total(ops::Twofold sum, double shift) { return (sum.high + shift) + sum.low; }

// (sum + shift) / count, rounded about once: the mean of equal elements is that element.
inline double mean(double sum, double shift, double count) { return (sum + shift) / count; }
inline double mean(ops::Twofold sum, double shift, double count) {
  const ops::Twofold shifted = sum + ops::Twofold{shift, 0.0};
  const double quotient = shifted.high / count;
  const ops::Twofold product = ops::exact_product(quotient, count);
  return quotient + (((shifted.high - product.high) - product.low) + shifted.low) / count;
}

// Magnitudes up to kSummable, and thresholds up to kBoundless, can be summed and multiplied by
// counts without an overflow, whatever the number of elements is; larger magnitudes are scaled
// before. What exceeds kBoundless exceeds every sum of magnitudes, too, and how far is all one.
inline constexpr double kSummable = 0x1p800, kBoundless = 0x1p860;
inline double summable_scale(double largest) { return largest > kSummable ? 0x1p-256 : 1.0; }

template <class T>
UnsignedOf<T> magnitude_bits(T x) {
  return __builtin_bit_cast(UnsignedOf<T>, x) & ~(UnsignedOf<T>{1} << (8 * sizeof(T) - 1));
}

// The bits of the largest magnitude: above those of infinity if there is a NaN.
template <class T>
UnsignedOf<T> largest_magnitude_bits(const T* x, std::size_t n) {
  UnsignedOf<T> largest = 0;
#pragma omp simd reduction(max : largest)
  for (std::size_t i = 0; i < n; ++i) {
    const UnsignedOf<T> bits = magnitude_bits(x[i]);
    largest = bits > largest ? bits : largest;
  }
  return largest;
}

template <class T>
void fill(T* out, std::size_t n, T value) {
  for (std::size_t i = 0; i < n; ++i) out[i] = value;
}

}  // namespace bridle::inline BRIDLE_ISA
