// Loops over one contiguous vector, for operators that are given it as a whole. T is float or
// double; numbers beside the elements are doubles.
#pragma once

#include <bridle/loops/local_sum.hpp>
#include <bridle/loops/reduce.hpp>
#include <bridle/loops/slope.hpp>
#include <bridle/loops/storage.hpp>
#include <bridle/loops/total_variation.hpp>
#include <cstddef>

namespace bridle::inline BRIDLE_ISA {

// The largest magnitude; NaN if there is one.
template <class S>
double largest_kernel(const void* x, std::size_t size) {
  const S* const from = static_cast<const S*>(x);
  UnsignedOf<S> largest;
  if constexpr (sizeof(S) == 2) {
    constexpr std::uint16_t magnitude = 0x7fff;
    largest = 0;
#pragma omp simd reduction(max : largest)
    for (std::size_t i = 0; i < size; ++i) {
      const auto bits = static_cast<std::uint16_t>(from[i].bits & magnitude);
      largest = bits > largest ? bits : largest;
    }
  } else {
    largest = largest_magnitude_bits(from, size);
  }
  return static_cast<double>(widen(__builtin_bit_cast(S, largest)));
}

// What an element adds to <x, normal> and to the square of the norm of the normal, after both have
// been scaled by a power of two.
struct InnerProduct {
  static constexpr int sums = 2;
  static constexpr bool beside = true;
  static constexpr auto params = parameters();
  double scale = 1.0, normal_scale = 1.0;

  template <class V>
  void terms(V x, V normal, V (&term)[2]) const {
    const V scaled = normal * normal_scale;
    term[0] = x * scale * scaled;
    term[1] = scaled * scaled;
  }
};

// The sums of a chunk.
template <class T>
void inner_product_kernel(const void* x, const double* normal, std::size_t size, double scale,
                          double normal_scale, double* sums) {
  alignas(64) double lanes[InnerProduct::sums * kLanes] = {};
  reduce_with<T>(InnerProduct{scale, normal_scale}, x, normal, size, 0, lanes);
  fold_lanes(lanes, InnerProduct::sums, sums);
}

// out = x − factor·(normal·scale), rounded once.
template <class T>
void subtract_kernel(const void* x, const double* normal, double scale, void* out, std::size_t size,
                     double factor) {
  const T* const from = static_cast<const T*>(x);
  T* const to = static_cast<T*>(out);
#pragma omp simd
  for (std::size_t i = 0; i < size; ++i) {
    const double result = static_cast<double>(from[i]) - factor * (normal[i] * scale);
    narrow(static_cast<T>(result), to[i]);
  }
}

// What `size` elements differ by from those behind them.
template <class T>
void differences_kernel(const void* x, std::size_t size, double* differences) {
  const T* const from = static_cast<const T*>(x);
#pragma omp simd
  for (std::size_t i = 0; i < size; ++i) {
    differences[i] = ops::absolute(static_cast<double>(from[i + 1]) - static_cast<double>(from[i]));
  }
}

template <class T>
void total_variation_kernel(const void* x, std::size_t size, double threshold, void* out,
                            void* scratch) {
  prox_total_variation(static_cast<const T*>(x), size, static_cast<T>(threshold),
                       static_cast<T*>(out), scratch);
}

template <class T>
void slope_kernel(const void* x, std::size_t size, const double* strengths, double step, void* out,
                  void* scratch) {
  prox_slope(static_cast<const T*>(x), size, strengths, step, static_cast<T*>(out), scratch);
}

template <class T, class Index>
void slope_terms(const T* x, std::size_t size, const double* strengths, double* terms,
                 const SlopeScratch<T, Index>& scratch) {
  for (std::size_t i = 0; i < size; ++i) {
    scratch.records[i] = {upper_key(x[i]), static_cast<Index>(i)};
  }
  const SortRecord<Index>* const sorted = sort_by_magnitude(x, size, scratch);
  for (std::size_t i = 0; i < size; ++i) {
    __builtin_prefetch(x + sorted[i + kAhead < size ? i + kAhead : i].place);
    terms[i] = ops::product(strengths[i], static_cast<double>(magnitude_of(sorted[i], x)));
  }
}

// Each strength times the magnitude that has its rank; there is no NaN.
template <class T>
void slope_terms_kernel(const void* x, std::size_t size, const double* strengths, double* terms,
                        void* scratch) {
  const T* const from = static_cast<const T*>(x);
  if (size < kShortPlaces) {
    slope_terms(from, size, strengths, terms, SlopeScratch<T, std::uint32_t>(scratch, size));
  } else {
    slope_terms(from, size, strengths, terms, SlopeScratch<T, std::uint64_t>(scratch, size));
  }
}

}  // namespace bridle::inline BRIDLE_ISA
