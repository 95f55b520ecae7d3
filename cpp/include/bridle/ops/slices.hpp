// Operators of slices: what an element becomes depends on the vector that it belongs to.
//
// `terms` says what an element adds to the sums of its vector. `finish` turns them into the one
// number by which `apply` makes of each element its result. They are given the numbers of the call
// in double; `scale` is a power of two by which the terms are to multiply an element first. It is
// 1, unless squares left the range of double: then all is summed once more with another one.
#pragma once

#include <bridle/ops/math.hpp>
#include <bridle/param.hpp>
#include <bridle/types.hpp>

namespace bridle::inline BRIDLE_ISA::ops {

// The next scale for a sum of squares of elements that were multiplied by `scale`, or 0 where the
// sum is good: with 2⁻⁶⁰⁰ and 2⁶⁰⁰ that of the largest and the smallest numbers is.
inline double next_scale(double sum, double scale) {
  constexpr double small = 0x1p-900;
  if (scale != 1.0 || (sum >= small && sum < __builtin_inf()) || sum != sum) return 0.0;
  return sum < small ? 0x1p600 : 0x1p-600;
}

// x·max(1 − threshold·weight / ‖x‖, 0): the prox of threshold·weight·‖z‖.
struct group_soft_threshold {
  static constexpr const char* name = "group_soft_threshold";
  static constexpr auto params = parameters(Param{"threshold", Rule::non_negative});
  static constexpr int sums = 1;

  template <class T>
  static constexpr void terms(T x, const double*, double scale, T (&term)[1]) {
    const T scaled = x * scale;
    term[0] = scaled * scaled;
  }
  static SliceResult finish(const double* given, double weight, const double* sums, double scale) {
    if (const double next = next_scale(sums[0], scale)) return {SliceResult::again, next, 1.0};
    const double norm = square_root(sums[0]);
    if (norm == 0.0) return {SliceResult::apply, 0.0, 1.0};
    const double factor = 1.0 - product(given[0], weight) * scale / norm;
    if (factor == 1.0) return {SliceResult::unchanged, 1.0, 1.0};
    return {SliceResult::apply, factor < 0.0 ? 0.0 : factor, 1.0};
  }
  template <class T>
  static constexpr T apply(T x, const double*, T factor) {
    return x * factor;
  }
};

// The same of soft_threshold(x, l1): the prox of l1·Σ|z| + group·weight·‖z‖.
struct prox_sparse_group {
  static constexpr const char* name = "prox_sparse_group";
  static constexpr auto params =
      parameters(Param{"l1", Rule::non_negative}, Param{"group", Rule::non_negative});
  static constexpr int sums = 1;

  template <class T>
  static constexpr void terms(T x, const double* given, double scale, T (&term)[1]) {
    const T limit = T{} + given[0];
    group_soft_threshold::terms(x - clamp(x, -limit, limit), given + 1, scale, term);
  }
  static SliceResult finish(const double* given, double weight, const double* sums, double scale) {
    const SliceResult result = group_soft_threshold::finish(given + 1, weight, sums, scale);
    const bool as_it_is = result.kind == SliceResult::unchanged && given[0] > 0.0;
    return as_it_is ? SliceResult{SliceResult::apply, 1.0, 1.0} : result;
  }
  template <class T>
  static constexpr T apply(T x, const double* given, T factor) {
    const T limit = static_cast<T>(given[0]);
    return (x - clamp(x, -limit, limit)) * factor;
  }
};

// Each vector gets the norm rate·clip(norm, minimum, maximum) + (1 − rate)·norm, a zero vector
// stays.
struct scale_norm {
  static constexpr const char* name = "scale_norm";
  static constexpr auto params =
      parameters(Param{"minimum", Rule::non_negative}, Param{"maximum", Rule::non_negative},
                 Param{"rate", Rule::unit_interval});
  static constexpr int sums = 1;

  template <class T>
  static constexpr void terms(T x, const double*, double scale, T (&term)[1]) {
    group_soft_threshold::terms(x, nullptr, scale, term);
  }
  static SliceResult finish(const double* given, double, const double* sums, double scale) {
    if (const double next = next_scale(sums[0], scale)) return {SliceResult::again, next, 1.0};
    const double norm = square_root(sums[0]), rate = given[2];
    const double low = given[0] * scale, high = given[1] * scale;
    const bool inside = (norm >= low && norm <= high) || norm == 0.0 || rate == 0.0;
    if (inside) return {SliceResult::unchanged, 1.0, 1.0};
    const double wanted = norm < low ? given[0] : given[1];
    // The part of the old norm needs no division by it.
    return {SliceResult::apply, rate * (wanted / norm) + (1.0 - rate) / scale, scale};
  }
  template <class T>
  static constexpr T apply(T x, const double*, T factor) {
    return x * factor;
  }
};

}  // namespace bridle::inline BRIDLE_ISA::ops
