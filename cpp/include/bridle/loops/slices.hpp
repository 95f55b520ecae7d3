// The loops of operators of slices: contiguous elements of one vector, or rows of a block of
// vectors that lie beside each other. Sums have the order of loops/reduce.hpp.
#pragma once

#include <bridle/loops/map.hpp>
#include <bridle/loops/reduce.hpp>
#include <bridle/ops/slices.hpp>
#include <utility>

namespace bridle::inline BRIDLE_ISA {

// The terms of elements as loops/reduce.hpp wants them.
template <class Op>
struct SliceTerms {
  static constexpr int sums = Op::sums;
  const double* given = nullptr;
  double scale = 1.0;

  template <class T>
  void terms(T x, T (&term)[sums]) const {
    Op::terms(x, given, scale, term);
  }
};

// A number that is zero or NaN is itself the result, whatever the element: zeros come also of
// infinities, and a NaN has one sign on every instruction set.
template <class Op, class T>
inline T apply_number(T x, const double* given, T number) {
  const T result = Op::apply(x, given, number);
  const bool multiplies = (number > T(0)) | (number < T(0));
  return multiplies ? result : number;
}

// Adds `size` elements of one chunk of a vector to its lanes, the first one to lane `lane`.
template <class Op, class S>
void slice_gather_kernel(const void* x, std::size_t size, std::size_t lane, const double* given,
                         double scale, double* lanes) {
  reduce_with<S>(SliceTerms<Op>{given, scale}, x, nullptr, size, lane, lanes);
}

// out = apply(x, number). Elements and number are multiplied as numbers of T, or, with kWide, of
// double and x by `scale` before: where the number, or the product, leaves the range of T.
template <class Op, class S, bool kWide>
void slice_apply_kernel(const void* x, void* out, std::size_t size, const double* given,
                        double number, double scale) {
  using T = Compute<S>;
  const S* const from = static_cast<const S*>(x);
  S* const to = static_cast<S*>(out);
  const auto result = [=](T value) {
    if constexpr (kWide) {
      return static_cast<T>(apply_number<Op>(static_cast<double>(value) * scale, given, number));
    } else {
      return apply_number<Op>(value, given, static_cast<T>(number));
    }
  };
  if constexpr (sizeof(S) == 2) {
    alignas(64) float wide[kMapBlock];
    for (std::size_t i = 0; i < size; i += kMapBlock) {
      const std::size_t count = size - i < kMapBlock ? size - i : kMapBlock;
      widen_block(from + i, wide, count);
#pragma omp simd
      for (std::size_t k = 0; k < count; ++k) wide[k] = result(wide[k]);
      narrow_block(wide, to + i, count);
    }
  } else {
    const Prefetch prefetch(size * sizeof(S));
    for (std::size_t i = 0; i < size; i += kMapBlock) {
      const std::size_t count = size - i < kMapBlock ? size - i : kMapBlock;
      prefetch(from + i, count * sizeof(S));
#pragma omp simd
      for (std::size_t k = i; k < i + count; ++k) narrow(result(from[k]), to[k]);
    }
  }
}

// The elements of a vector of fewer than a row of lanes that there are, the others zero. What lies
// behind them up to `end` may be read.
template <class T, class V>
inline V load_some(const T* x, std::size_t size, const T* end) {
  constexpr std::size_t width = sizeof(V) / sizeof(T);
  using Bits = decltype(V{} < V{});
  if (size >= width) return load<V>(x);
  if (size == 0) return V{};
  if (static_cast<std::size_t>(end - x) < width) {
    T some[width] = {};
    for (std::size_t i = 0; i < size; ++i) some[i] = x[i];
    return load<V>(some);
  }
  Bits index;
  for (std::size_t i = 0; i < width; ++i) index[i] = static_cast<decltype(index[0] + 0)>(i);
  const Bits present = index < Bits{} + static_cast<decltype(index[0] + 0)>(size);
  return (V)((Bits)load<V>(x) & present);
}

template <class Op>
inline Vector<double> term_of(Vector<double> x, const double* given) {
  Vector<double> term[1];
  Op::terms(x, given, 1.0, term);
  return term[0];
}

// What is left of a vector after whole rows of lanes. `only`: there were none.
template <class T>
struct LastRow {
  const T* x;
  std::size_t size;
  bool only;
  const T* end;  // see load_some
};

// The sum of vectors kFirst, kFirst + kStep, … of a row of lanes, folded in halves, to which the
// last row is added.
template <class Op, std::size_t kFirst, std::size_t kStep, class T>
[[gnu::always_inline]] inline Vector<double> fold_terms(const Vector<double>* sums,
                                                        const LastRow<T>& last,
                                                        const double* given) {
  constexpr std::size_t width = VectorOf<double>::size;
  if constexpr (kStep * width == kLanes) {
    if (kFirst * width >= last.size) return sums[kFirst];
    using Some = Vector<T, width>;
    const std::size_t i = kFirst * width;
    const Some some = load_some<T, Some>(last.x + i, last.size - i, last.end);
    return sums[kFirst] + term_of<Op>(load_doubles(reinterpret_cast<const T*>(&some)), given);
  } else {
    const auto first = fold_terms<Op, kFirst, 2 * kStep>(sums, last, given);
    if (last.only && (kFirst + kStep) * width >= last.size) return first;
    return first + fold_terms<Op, kFirst + kStep, 2 * kStep>(sums, last, given);
  }
}

// The terms of one vector of at most a chunk, in as many lanes as a vector of doubles has: folded
// 16, 8, … down to these.
template <class Op, class T>
inline Vector<double> slice_terms(const T* x, std::size_t size, const double* given, const T* end) {
  static_assert(Op::sums == 1);
  constexpr std::size_t width = VectorOf<double>::size, vectors = kLanes / width;
  Vector<double> sums[vectors] = {};
  std::size_t i = 0;
  for (; i + kLanes <= size; i += kLanes) {
#pragma GCC unroll 16
    for (std::size_t v = 0; v < vectors; ++v) {
      sums[v] += term_of<Op>(load_doubles(x + i + v * width), given);
    }
  }
  return fold_terms<Op, 0, 1>(sums, LastRow<T>{x + i, size - i, i == 0, end}, given);
}

// Of two vectors of lanes, in groups of 2·kHalf, the lower or upper half of each group.
template <std::size_t kHalf, std::size_t kUpper, std::size_t... K>
inline Vector<double> halves_of(Vector<double> a, Vector<double> b, std::index_sequence<K...>) {
  return __builtin_shufflevector(a, b, (K / kHalf * 2 * kHalf + K % kHalf + kUpper * kHalf)...);
}

// Folds the lanes of as many vectors as a vector of doubles has lanes: lane k of the result is the
// sum of vector k.
template <std::size_t kHalf = VectorOf<double>::size / 2>
inline void fold_vectors(Vector<double>* x) {
  constexpr auto lanes = std::make_index_sequence<VectorOf<double>::size>{};
#pragma GCC unroll 8
  for (std::size_t i = 0; i < kHalf; ++i) {
    const Vector<double> a = x[2 * i], b = x[2 * i + 1];
    x[i] = halves_of<kHalf, 0>(a, b, lanes) + halves_of<kHalf, 1>(a, b, lanes);
  }
  if constexpr (kHalf > 1) fold_vectors<kHalf / 2>(x);
}

inline constexpr std::size_t kRowsAtATime = 16;

// The results of up to kRowsAtATime vectors of an operator that shrinks them, as `finish` finds
// them; false if one wants a scale.
template <class Op>
inline bool shrink_vectors(const SliceRows& rows, std::size_t first, const double* sums,
                           std::size_t count, const double* given, SliceResult* found) {
  double thresholds[kRowsAtATime], factors[kRowsAtATime];
  double bad = 0.0;
#pragma omp simd reduction(+ : bad)
  for (std::size_t v = 0; v < count; ++v) {
    const bool good = (sums[v] >= ops::kSmallSum) & (sums[v] < __builtin_inf());
    bad += good ? 0.0 : 1.0;
  }
  if (bad > 0.0) return false;
  thresholds[0] = rows.threshold(given, 1.0);
  for (std::size_t v = 0; v < count; ++v) {
    thresholds[v] = rows.weights ? rows.threshold(given, rows.weights[first + v]) : thresholds[0];
  }
#pragma omp simd
  for (std::size_t v = 0; v < count; ++v) {
    factors[v] = ops::shrinking_factor(thresholds[v], ops::square_root(sums[v]));
  }
  const bool keeps = Op::keeps_by_one(given);
  for (std::size_t v = 0; v < count; ++v) {
    const bool unchanged = keeps && factors[v] == 1.0;
    found[v] = {unchanged ? SliceResult::unchanged : SliceResult::apply, factors[v], 1.0};
  }
  return true;
}

// Contiguous vectors of float or double of at most kChunk elements each, one behind the other: of
// `size` elements or, with offsets, of offsets[v + 1] − offsets[v]. out = apply(x, number of its
// vector), or, where there are `numbers`, these alone are written. Returns how many were done
// before one that is longer, or needs a scale or numbers of a wider type.
template <class Op, class T>
std::size_t slice_rows_kernel(const SliceRows& rows, SliceFinish finish, const double* given) {
  const T* const from = static_cast<const T*>(rows.x);
  T* const to = static_cast<T*>(rows.out);
  const auto first = [&](std::size_t v) -> std::size_t {
    return rows.offsets ? static_cast<std::size_t>(rows.offsets[v] - rows.offsets[0])
                        : rows.size * v;
  };
  const std::size_t count = rows.count;
  const T* const end = from + first(count);
  const Prefetch prefetch(first(count) * sizeof(T));
  // Several at a time, so that none has to wait for the square root and the division of another.
  constexpr std::size_t most = kRowsAtATime, elements = 2048;
  constexpr std::size_t width = VectorOf<double>::size;
  Vector<double> terms[most] = {};
  double sums[most];
  SliceResult found[most];
  std::size_t batch;
  for (std::size_t begin = 0; begin < count; begin += batch) {
    batch = 0;
    const std::size_t start = first(begin);
    for (std::size_t v = begin; batch < most && v < count; ++v, ++batch) {
      const std::size_t size = first(v + 1) - first(v);
      if (size > kChunk || (batch > 0 && first(v + 1) - start > elements)) break;
      prefetch(from + first(v), size * sizeof(T));
      terms[batch] = slice_terms<Op>(from + first(v), size, given, end);
    }
    if (batch == 0) return begin;
    for (std::size_t v = 0; v < batch; v += width) {
      fold_vectors(terms + v);
      store(terms[v], sums + v);
    }
    const bool shrunk =
        rows.threshold && shrink_vectors<Op>(rows, begin, sums, batch, given, found);
    for (std::size_t v = 0; v < batch && !shrunk; ++v) {
      found[v] = finish(given, rows.weights ? rows.weights[begin + v] : 1.0, sums + v, 1.0);
    }
    for (std::size_t v = 0; v < batch; ++v) {
      const std::size_t place = first(begin + v), size = first(begin + v + 1) - place;
      const T* const row = from + place;
      if (found[v].kind == SliceResult::again) return begin + v;
      if (rows.numbers) {
        rows.numbers[begin + v] = found[v].number;
      } else if (found[v].kind == SliceResult::unchanged) {
        if (from != to) __builtin_memcpy(to + place, row, size * sizeof(T));
      } else if (found[v].fits(sizeof(T) == 8)) {
        const T number = static_cast<T>(found[v].number);
        T* const result = to + place;
#pragma omp simd
        for (std::size_t i = 0; i < size; ++i) {
          narrow(apply_number<Op>(row[i], given, number), result[i]);
        }
      } else {
        return begin + v;
      }
    }
  }
  return count;
}

// Asks for a row of a block that is needed soon: no processor foresees a stride of many lines.
inline void fetch_ahead(const void* row, std::ptrdiff_t stride, std::size_t bytes) {
  constexpr std::ptrdiff_t rows = 12;
  const char* const ahead = static_cast<const char*>(row) + rows * stride;
  for (std::size_t i = 0; i < bytes; i += kLine) __builtin_prefetch(ahead + i);
}

// Adds the terms of elements of kRows rows, `apart` bytes from each other, to lane[column].
template <class Op, class S, std::size_t kRows>
inline void add_rows_to_lane(const void* x, std::ptrdiff_t apart, std::size_t columns,
                             const double* given, double* lane) {
  const S* row[kRows];
  for (std::size_t r = 0; r < kRows; ++r) {
    row[r] = reinterpret_cast<const S*>(static_cast<const char*>(x) +
                                        static_cast<std::ptrdiff_t>(r) * apart);
  }
#pragma omp simd
  for (std::size_t c = 0; c < columns; ++c) {
    double sum = lane[c];
#pragma GCC unroll 8
    for (std::size_t r = 0; r < kRows; ++r) {
      double term[1];
      Op::terms(static_cast<double>(widen(row[r][c])), given, 1.0, term);
      sum += term[0];
    }
    lane[c] = sum;
  }
}

// Of `size` rows of `columns` vectors, the first one with index `first`: adds their terms to
// lanes[index % kLanes · width + column].
template <class Op, class S>
void slice_gather_columns_kernel(const void* x, std::ptrdiff_t row_stride, std::size_t first,
                                 std::size_t size, std::size_t columns, const double* given,
                                 double* lanes, std::size_t width) {
  static_assert(Op::sums == 1);
  // Several rows of a lane at a time, so that it is loaded and stored once for all of them.
  constexpr std::size_t together = 4;
  constexpr std::ptrdiff_t lane_rows = kLanes;
  const auto row = [=](std::size_t i) {
    return static_cast<const char*>(x) + static_cast<std::ptrdiff_t>(i) * row_stride;
  };
  // Rows and lanes without gaps: those of all lanes are one.
  const bool joined = row_stride == static_cast<std::ptrdiff_t>(columns * sizeof(S)) &&
                      width == columns && first % kLanes == 0;
  std::size_t i = 0;
  for (; i + together * kLanes <= size; i += together * kLanes) {
    if (joined) {
      add_rows_to_lane<Op, S, together>(row(i), lane_rows * row_stride, kLanes * columns, given,
                                        lanes);
      continue;
    }
    for (std::size_t k = i; k < i + kLanes; ++k) {
      for (std::size_t r = 0; r < together; ++r) {
        fetch_ahead(row(k + r * kLanes), row_stride, columns * sizeof(S));
      }
      add_rows_to_lane<Op, S, together>(row(k), lane_rows * row_stride, columns, given,
                                        lanes + (first + k) % kLanes * width);
    }
  }
  for (; i < size; ++i) {
    fetch_ahead(row(i), row_stride, columns * sizeof(S));
    add_rows_to_lane<Op, S, 1>(row(i), 0, columns, given, lanes + (first + i) % kLanes * width);
  }
}

// The lanes of `size` rows become the sums of their columns, of which there are `width`, and are
// cleared.
inline void slice_fold_columns_kernel(double* lanes, std::size_t size, std::size_t width,
                                      double* sums) {
  const std::size_t used = size < kLanes ? size : kLanes;  // the others are zero
  for (std::size_t half = kLanes / 2; half > 0; half /= 2) {
    for (std::size_t k = 0; k < half && k + half < used; ++k) {
      double* const to = lanes + k * width;
      const double* const from = to + half * width;
#pragma omp simd
      for (std::size_t i = 0; i < width; ++i) to[i] += from[i];
    }
  }
  for (std::size_t i = 0; i < width; ++i) sums[i] = lanes[i];
  for (std::size_t i = 0; i < used * width; ++i) lanes[i] = 0.0;
}

// out = apply(x, number of its column) for rows of vectors; or x where `kept`, if there is such a
// list, is not 0. Numbers are of the compute type.
template <class Op, class S>
void slice_apply_columns_kernel(const void* x, std::ptrdiff_t x_stride, void* out,
                                std::ptrdiff_t out_stride, std::size_t size, std::size_t columns,
                                const double* given, const void* numbers, const bool* kept) {
  using T = Compute<S>;
  const T* const number = static_cast<const T*>(numbers);
  for (std::size_t i = 0; i < size; ++i) {
    const auto row = static_cast<std::ptrdiff_t>(i);
    const S* const from = reinterpret_cast<const S*>(static_cast<const char*>(x) + row * x_stride);
    S* const to = reinterpret_cast<S*>(static_cast<char*>(out) + row * out_stride);
    fetch_ahead(from, x_stride, columns * sizeof(S));
    if (kept == nullptr) {
#pragma omp simd
      for (std::size_t c = 0; c < columns; ++c) {
        narrow(apply_number<Op>(widen(from[c]), given, number[c]), to[c]);
      }
    } else {
      for (std::size_t c = 0; c < columns; ++c) {
        S result;
        narrow(apply_number<Op>(widen(from[c]), given, number[c]), result);
        to[c] = kept[c] ? from[c] : result;
      }
    }
  }
}

// Elements with labels are worked on in blocks of kLanes. Some blocks before, they and their labels
// are asked for: beside accesses all over a table no processor sees that these are read in order.
template <class T>
inline void fetch_block(const T* block) {
  constexpr std::size_t blocks = 12, bytes = kLanes * sizeof(T);
  const char* const ahead = reinterpret_cast<const char*>(block) + blocks * bytes;
  for (std::size_t i = 0; i < bytes; i += kLine) __builtin_prefetch(ahead + i);
}

// Negative labels have the place behind the last, and so have labels that were not there when they
// were counted: another thread may write to them.
inline std::size_t place_of_label(std::int64_t label, std::size_t groups) {
  const auto place = static_cast<std::size_t>(label);
  return place < groups ? place : groups;
}

// Whether all labels of a block are one.
inline bool is_one_label(const std::int64_t* labels) {
  if (labels[0] != labels[kLanes - 1]) return false;
  std::int64_t differences = 0;
#pragma omp simd reduction(| : differences)
  for (std::size_t k = 0; k < kLanes; ++k) differences |= labels[k] ^ labels[0];
  return differences == 0;
}

// Adds the terms of elements to sums[place of the label], one after the other, but those of a whole
// block of one label as their sum, folded as lanes are: else each had to wait for the one before.
template <class Op, class S>
void label_gather_kernel(const void* x, const std::int64_t* labels, std::size_t size,
                         std::size_t groups, const double* given, double scale, double* sums) {
  static_assert(Op::sums == 1);
  const S* const from = static_cast<const S*>(x);
  double terms[kLanes];
  for (std::size_t i = 0; i < size; i += kLanes) {
    const std::size_t count = size - i < kLanes ? size - i : kLanes;
    fetch_block(from + i);
    fetch_block(labels + i);
#pragma omp simd
    for (std::size_t k = 0; k < count; ++k) {
      double term[1];
      Op::terms(static_cast<double>(widen(from[i + k])), given, scale, term);
      terms[k] = term[0];
    }
    if (count == kLanes && is_one_label(labels + i)) {
      for (std::size_t half = kLanes / 2; half > 0; half /= 2) {
        for (std::size_t k = 0; k < half; ++k) terms[k] += terms[k + half];
      }
      sums[place_of_label(labels[i], groups)] += terms[0];
      continue;
    }
    for (std::size_t k = 0; k < count; ++k) {
      sums[place_of_label(labels[i + k], groups)] += terms[k];
    }
  }
}

// out = apply(x, number at the place of its label), of the compute type, or x where that is
// infinite.
template <class Op, class S>
void label_apply_kernel(const void* x, void* out, const std::int64_t* labels, std::size_t size,
                        std::size_t groups, const double* given, const void* numbers) {
  using T = Compute<S>;
  const S* const from = static_cast<const S*>(x);
  S* const to = static_cast<S*>(out);
  const T* const number = static_cast<const T*>(numbers);
  T chosen[kLanes];
  for (std::size_t i = 0; i < size; i += kLanes) {
    const std::size_t count = size - i < kLanes ? size - i : kLanes;
    fetch_block(from + i);
    fetch_block(labels + i);
    for (std::size_t k = 0; k < count; ++k) {
      chosen[k] = number[place_of_label(labels[i + k], groups)];
    }
#pragma omp simd
    for (std::size_t k = 0; k < count; ++k) {
      const T value = widen(from[i + k]);
      const T result = apply_number<Op>(value, given, chosen[k]) + T(0);
      narrow<true>(chosen[k] > ops::largest<T>() ? value : result, to[i + k]);
    }
  }
}

}  // namespace bridle::inline BRIDLE_ISA
