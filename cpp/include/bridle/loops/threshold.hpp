// The loops that look for the threshold of a projection onto a simplex or an l1 ball: with which
// the excesses max(m − threshold, 0) add up to the radius, where m is |x| or x. Newton's method on
// the sum of excesses, which is convex: from wherever it starts, it never goes beyond the threshold
// again. Sums have an order fixed by positions alone (loops/reduce.hpp).
//
// A threshold is the sum of two doubles, and (m − high) − low is right to its last bits also where
// the elements exceed the radius by far.
#pragma once

#include <bridle/loops/half.hpp>
#include <bridle/loops/reduce.hpp>
#include <bridle/loops/storage.hpp>
#include <bridle/loops/vector.hpp>
#include <bridle/ops/math.hpp>
#include <bridle/ops/threshold.hpp>
#include <bridle/ops/twofold.hpp>
#include <bridle/prefetch.hpp>
#include <cstddef>

namespace bridle::inline BRIDLE_ISA {

// A row of lanes filled up with NaN, which exceeds nothing.
template <class T>
struct NanRow {
  alignas(64) T x[kLanes];

  NanRow(const T* from, std::size_t size) {
    for (T& value : x) value = static_cast<T>(__builtin_nan(""));
    __builtin_memcpy(x, from, size * sizeof(T));
  }
};

template <class T, bool kMagnitude>
inline Vector<double> measure_of(const T* x) {
  const Vector<double> value = load_doubles(x);
  return kMagnitude ? ops::absolute(value) : value;
}

// Calls row(x) for rows of kLanes elements of a chunk of S as its compute type, the last one filled
// up with NaN.
template <class S, class Row>
inline void for_each_nan_row(const S* x, std::size_t size, const Row& row) {
  if constexpr (sizeof(S) == 2) {
    alignas(64) float wide[kLanes];
    std::size_t i = 0;
    for (; i + kLanes <= size; i += kLanes) {
      widen_block(x + i, wide, kLanes);
      row(static_cast<const float*>(wide), kLanes);
    }
    widen_block(x + i, wide, size - i);
    if (i < size) row(static_cast<const float*>(NanRow<float>(wide, size - i).x), size - i);
  } else {
    const Prefetch prefetch(size * sizeof(S));
    std::size_t i = 0;
    for (; i + kLanes <= size; i += kLanes) {
      prefetch(x + i, kLanes * sizeof(S));
      row(x + i, kLanes);
    }
    if (i < size) row(static_cast<const S*>(NanRow<S>(x + i, size - i).x), size - i);
  }
}

// The sum and the number of what is added where a mask is set, in 32 lanes.
class MaskedSum {
 public:
  using Doubles = Vector<double>;
  using Mask = decltype(Doubles{} > Doubles{});
  static constexpr std::size_t kWidth = VectorOf<double>::size;

  void add(std::size_t v, Doubles term, Mask mask) {
    sum_[v] += (Doubles)((Mask)term & mask);
    count_[v] -= mask;
  }
  Excess finish() const {
    alignas(64) double lanes[kLanes];
    double sum;
    Mask count = {};
    for (std::size_t v = 0; v < kLanes / kWidth; ++v) {
      store(sum_[v], lanes + v * kWidth);
      count += count_[v];
    }
    fold_lanes(lanes, 1, &sum);
    double total = 0;
    for (std::size_t k = 0; k < kWidth; ++k) total += static_cast<double>(count[k]);
    return {sum, total};
  }

 private:
  Doubles sum_[kLanes / kWidth] = {};
  Mask count_[kLanes / kWidth] = {};
};

// What the elements of a chunk exceed a threshold by.
template <class S, bool kMagnitude>
Excess excess_kernel(const void* x, std::size_t size, const Threshold& threshold, double scale) {
  using Doubles = Vector<double>;
  constexpr std::size_t width = VectorOf<double>::size;
  const double high = threshold.high, low = threshold.low;
  MaskedSum total;
  for_each_nan_row(static_cast<const S*>(x), size, [&](const auto* row, std::size_t) {
#pragma GCC unroll 16
    for (std::size_t v = 0; v < kLanes / width; ++v) {
      Doubles m = measure_of<Compute<S>, kMagnitude>(row + v * width);
      if constexpr (sizeof(S) == 8) m *= scale;
      const Doubles term = (m - high) - low;
      total.add(v, term, term > 0.0);
    }
  });
  return total.finish();
}

// Writes the elements of a row of `size` that are above `low`, but not above `high`, one after the
// other, and returns the end. No more than kLanes of them are read before they are written: `to`
// may lie in front of x, or be x.
template <class T, bool kMagnitude>
inline T* keep_between(const T* x, std::size_t size, T low, T high, T* to) {
#if defined(__AVX512F__)
  if (size == kLanes) {
    constexpr std::size_t width = VectorOf<T>::size;
    for (std::size_t i = 0; i < kLanes; i += width) {
      Vector<T> m = load<Vector<T>>(x + i);
      if constexpr (kMagnitude) m = ops::absolute(m);
      if constexpr (sizeof(T) == 4) {
        const auto value = (__m512)m;
        const __mmask16 mask =
            _mm512_mask_cmp_ps_mask(_mm512_cmp_ps_mask(value, _mm512_set1_ps(low), _CMP_GT_OQ),
                                    value, _mm512_set1_ps(high), _CMP_LE_OQ);
        store(_mm512_maskz_compress_ps(mask, value), to);
        to += __builtin_popcount(mask);
      } else {
        const auto value = (__m512d)m;
        const __mmask8 mask =
            _mm512_mask_cmp_pd_mask(_mm512_cmp_pd_mask(value, _mm512_set1_pd(low), _CMP_GT_OQ),
                                    value, _mm512_set1_pd(high), _CMP_LE_OQ);
        store(_mm512_maskz_compress_pd(mask, value), to);
        to += __builtin_popcount(mask);
      }
    }
    return to;
  }
#endif
  const auto measure = [=](std::size_t i) { return kMagnitude ? ops::absolute(x[i]) : x[i]; };
  int any = 0;
#pragma omp simd reduction(| : any)
  for (std::size_t i = 0; i < size; ++i) {
    const T m = measure(i);
    any |= static_cast<int>(m > low) & static_cast<int>(m <= high);
  }
  if (any == 0) return to;
  for (std::size_t i = 0; i < size; ++i) {
    const T m = measure(i);
    const bool keep = (m > low) & (m <= high);
    *to = m;  // at the end of `to`, it may be overwritten once more
    to += keep;
  }
  return to;
}

// Whether an element of some rows of kLanes is NaN.
template <class T>
class NanFlag {
 public:
  // The first `size` elements of a row count.
  void add(const T* row, std::size_t size) {
    if (size == kLanes) {
      for (std::size_t v = 0; v < kLanes; v += VectorOf<T>::size) {
        const Values value = load<Values>(row + v);
        found_ |= value != value;
      }
    } else {
      for (std::size_t i = 0; i < size; ++i) found_[0] |= row[i] != row[i];
    }
  }
  bool found() const {
    bool any = false;
    for (std::size_t k = 0; k < VectorOf<T>::size; ++k) any |= found_[k] != 0;
    return any;
  }

 private:
  using Values = Vector<T>;
  decltype(Values{} != Values{}) found_ = {};
};

// Parts a chunk: writes those between to `between`, in order, and returns how many they are.
// `between` has room for size elements, and may be x where S is the compute type.
template <class S, bool kMagnitude>
std::size_t part_kernel(const void* x, std::size_t size, const Parting& parting, void* between,
                        Parts* parts) {
  using T = Compute<S>;
  using Doubles = Vector<double>;
  constexpr std::size_t width = VectorOf<double>::size;
  const T low = static_cast<T>(parting.low), high = static_cast<T>(parting.high);
  const double above = parting.high, shift = parting.shift, scale = parting.scale;
  const bool keeps = low < high, sums = above < __builtin_inf();
  MaskedSum total;
  NanFlag<T> nans;
  T* const begin = static_cast<T*>(between);
  T* to = begin;
  for_each_nan_row(static_cast<const S*>(x), size, [&](const auto* row, std::size_t count) {
    nans.add(row, count);
    if (sums) {
#pragma GCC unroll 16
      for (std::size_t v = 0; v < kLanes / width; ++v) {
        const Doubles m = measure_of<T, kMagnitude>(row + v * width);
        const Doubles scaled = sizeof(S) == 8 ? m * scale : m;
        total.add(v, scaled - shift, m > above);
      }
    }
    if (keeps) to = keep_between<T, kMagnitude>(row, count, low, high, to);
  });
  *parts = {total.finish(), nans.found()};
  return static_cast<std::size_t>(to - begin);
}

// The exact sum, nearly, of what a chunk exceeds zero by, and whether an element is below zero.
template <class S, bool kMagnitude>
void add_exactly(const void* x, std::size_t size, double scale, Threshold* sum, bool* below) {
  const S* const from = static_cast<const S*>(x);
  ops::Twofold total{sum->high, sum->low};
  for (std::size_t i = 0; i < size; ++i) {
    const double value = static_cast<double>(widen(from[i]));
    const double m = kMagnitude ? ops::absolute(value) : value;
    *below |= m < 0.0;
    if (m > 0.0) total = total + ops::Twofold{m * scale, 0.0};
  }
  *sum = {total.high, total.low};
}

// out = max(m − threshold, 0), with the sign of x.
template <class S, bool kMagnitude>
void cut_kernel(const void* x, void* out, std::size_t size, const Threshold& threshold) {
  using T = Compute<S>;
  const S* const from = static_cast<const S*>(x);
  S* const to = static_cast<S*>(out);
  const auto cut = ops::cut_of<T>(threshold);
#pragma omp simd
  for (std::size_t i = 0; i < size; ++i) {
    const T value = widen(from[i]);
    const T excess = ((kMagnitude ? ops::absolute(value) : value) - cut.head) - cut.tail;
    const T kept = excess > T(0) ? excess : T(0);
    narrow(kMagnitude && value < T(0) ? -kept : kept, to[i]);
  }
}

// A vector of at most kShortVector elements, in 8 lanes.
class ShortVector {
 public:
  template <class S, bool kMagnitude>
  void read(const S* x, std::size_t size, double scale) {
    rows_ = (size + kWidth - 1) / kWidth;
    for (std::size_t i = size; i < rows_ * kWidth; ++i) at(i) = -__builtin_inf();
#pragma omp simd
    for (std::size_t i = 0; i < size; ++i) {
      const double value = static_cast<double>(widen(x[i]));
      at(i) = (kMagnitude ? ops::absolute(value) : value) * scale;
    }
  }

  Excess excess(Threshold threshold) const {
    Row sum = {};
    Mask count = {};
    for (std::size_t r = 0; r < rows_; ++r) {
      const Row term = (row(r) - threshold.high) - threshold.low;
      const Mask active = term > 0.0;
      sum += (Row)((Mask)term & active);
      count -= active;
    }
    long long total = 0;
    for (std::size_t k = 0; k < kWidth; ++k) total += count[k];
    const double a = sum[0] + sum[4], b = sum[1] + sum[5], c = sum[2] + sum[6], d = sum[3] + sum[7];
    return {(a + c) + (b + d), static_cast<double>(total)};
  }

  // NaN if an element is.
  double maximum() const {
    Row most = row(0);
    Mask nans = most != most;
    for (std::size_t r = 1; r < rows_; ++r) {
      const Row m = row(r);
      nans |= m != m;
      most = m > most ? m : most;
    }
    double result = most[0];
    long long nan = 0;
    for (std::size_t k = 0; k < kWidth; ++k) {
      result = most[k] > result ? most[k] : result;
      nan |= nans[k];
    }
    return nan != 0 ? __builtin_nan("") : result;
  }

  double infinities() const {
    double count = 0;
    for (std::size_t i = 0; i < rows_ * kWidth; ++i) {
      count += row(i / kWidth)[i % kWidth] == __builtin_inf() ? 1.0 : 0.0;
    }
    return count;
  }

 private:
  static constexpr std::size_t kWidth = 8;
  using Row = Vector<double, kWidth>;
  using Mask = decltype(Row{} > Row{});

  // Not by load: where the vector is wider than those of the instruction set, gcc warns of a
  // function that returns it.
  const Row& row(std::size_t r) const { return m_[r]; }
  double& at(std::size_t i) { return reinterpret_cast<double*>(m_)[i]; }

  std::size_t rows_ = 0;
  Row m_[kShortVector / kWidth];
};

// The threshold of a vector of 1 to kShortVector elements; 0 <= radius < infinity.
template <class S, bool kMagnitude>
void short_threshold_kernel(const void* x, std::size_t size, double radius, ThresholdFound* found) {
  const S* const from = static_cast<const S*>(x);
  ShortVector vector;
  vector.read<S, kMagnitude>(from, size, 1.0);
  double most = vector.maximum();
  *found = {Projection::not_a_number, {0.0, 0.0}, 0.0};
  if (most != most) return;
  found->projection = Projection::zero;
  if (radius == 0.0) return;
  found->projection = Projection::infinite;
  if (ops::absolute(most) == __builtin_inf()) {
    found->share = radius / (most > 0.0 ? vector.infinities() : static_cast<double>(size));
    return;
  }
  double scale = 1.0;
  if (sizeof(S) == 8 && (ops::absolute(most) > ops::kHugeElement || radius > ops::kHugeElement)) {
    scale = ops::kScaleOfHuge;
    vector.read<S, kMagnitude>(from, size, scale);
    most *= scale;
    radius *= scale;
  }
  Threshold threshold = ops::raised({most, 0.0}, -radius);
  if (kMagnitude && threshold.high < 0.0) threshold = {0.0, 0.0};
  double count = 1;
  for (ops::Newton newton(radius); !newton.done();) {
    const Excess excess = vector.excess(threshold);
    if (excess.count == 0.0) break;
    count = excess.count;
    threshold = newton.next(threshold, excess.sum - radius, count);
    if (kMagnitude && threshold.high < 0.0) break;
  }
  found->projection = Projection::cut;
  if (ops::is_near_zero(threshold, count, radius)) {
    Threshold sum = {0.0, 0.0};
    bool below = false;
    add_exactly<S, kMagnitude>(x, size, scale, &sum, &below);
    if (ops::touches(sum, radius, kMagnitude)) {
      threshold = {0.0, 0.0};
      if (!below) found->projection = Projection::inside;
    }
  }
  if (kMagnitude && threshold.high <= 0.0) found->projection = Projection::inside;
  found->threshold = {threshold.high / scale, threshold.low / scale};
}

}  // namespace bridle::inline BRIDLE_ISA
