// The loop of the norm of many arrays: sums of squares, in the order of every sum, and the largest
// magnitude.
#pragma once

#include <bridle/loops/reduce.hpp>
#include <bridle/loops/storage.hpp>

namespace bridle::inline BRIDLE_ISA {

template <class S>
struct SignedOfSize {
  using type = std::int16_t;
};
template <>
struct SignedOfSize<float> {
  using type = std::int32_t;
};
template <>
struct SignedOfSize<double> {
  using type = std::int64_t;
};

// The largest magnitude by its bits, of which those of NaN are the largest.
template <class S>
class LargestBits {
 public:
  void add_row(const S* x) {
#pragma GCC unroll 16
    for (std::size_t v = 0; v < kLanes; v += kWidth) {
      const Lanes magnitude = load<Lanes>(x + v) & kMagnitude;
      Lanes& most = most_[v / kWidth % kApart];
      most = magnitude > most ? magnitude : most;
    }
  }

  // The larger of that and `largest`.
  double with(double largest) const {
    Bits most = 0;
    for (std::size_t a = 0; a < kApart; ++a) {
      for (std::size_t k = 0; k < kWidth; ++k) most = most_[a][k] > most ? most_[a][k] : most;
    }
    const double found = static_cast<double>(widen(__builtin_bit_cast(S, most)));
    return found > largest || found != found ? found : largest;
  }

 private:
  using Bits = typename SignedOfSize<S>::type;  // signed ones are compared by all instruction sets
  static constexpr std::size_t kWidth = VectorOf<Bits>::size, kApart = 2;
  using Lanes = Vector<Bits, kWidth>;
  static constexpr Bits kMagnitude = static_cast<Bits>(static_cast<UnsignedOf<S>>(~0ull) >> 1);

  Lanes most_[kApart] = {};
};

// sum + x·x for numbers that are floats: their squares are exact in double, so that one instruction
// gives the bits of a product and a sum.
inline Vector<double> add_square_of_float(const Vector<double>& sum, const Vector<double>& x) {
#if defined(__AVX512F__)
  return (Vector<double>)_mm512_fmadd_pd((__m512d)x, (__m512d)x, (__m512d)sum);
#elif defined(__FMA__)
  return (Vector<double>)_mm256_fmadd_pd((__m256d)x, (__m256d)x, (__m256d)sum);
#else
  return sum + x * x;
#endif
}

// Halves as doubles, straight from memory; with the narrower vectors of AVX2 that gained nothing.
#if defined(__AVX512F__)
inline Vector<double> load_doubles(const Float16* from) {
  return (Vector<double>)_mm512_maskz_cvtps_pd(0xff, _mm256_cvtph_ps(load<__m128i>(from)));
}
inline Vector<double> load_doubles(const BFloat16* from) {
  const __m256i bits = _mm256_slli_epi32(_mm256_cvtepu16_epi32(load<__m128i>(from)), 16);
  return (Vector<double>)_mm512_maskz_cvtps_pd(0xff, (__m256)bits);
}
#endif

// The lanes of a chunk, to which squares are added row by row.
template <class T>
class SquareSums {
 public:
  explicit SquareSums(const double* lanes) {
    for (std::size_t v = 0; v < kVectors; ++v) sums_[v] = load<Doubles>(lanes + v * kWidth);
  }
  void store_to(double* lanes) const {
    for (std::size_t v = 0; v < kVectors; ++v) store(sums_[v], lanes + v * kWidth);
  }

  void add_row(const T* x) {
#pragma GCC unroll 16
    for (std::size_t v = 0; v < kVectors; ++v) {
      const Doubles wide = load_doubles(x + v * kWidth);
      if constexpr (sizeof(T) <= sizeof(float)) {
        sums_[v] = add_square_of_float(sums_[v], wide);
      } else {
        sums_[v] += wide * wide;
      }
    }
  }

 private:
  using Doubles = Vector<double>;
  static constexpr std::size_t kWidth = VectorOf<double>::size, kVectors = kLanes / kWidth;

  Doubles sums_[kVectors];
};

// Adds the squares of contiguous elements of one chunk to its lanes, the first one to lane `lane`;
// T is float or double. Returns the larger of the largest magnitude and `largest`.
template <class T>
double add_squares(const T* x, std::size_t size, std::size_t lane, double* lanes, double largest) {
  SquareSums<T> sums(lanes);
  LargestBits<T> most;
  const Prefetch prefetch(size * sizeof(T));
  const auto add = [&](const T* row) {
    sums.add_row(row);
    most.add_row(row);
  };
  for_each_row_of_lanes(
      x, size, lane,
      [&](const T* row) {
        prefetch(row, kLanes * sizeof(T));
        add(row);
      },
      [&](const T* padded, std::size_t) { add(padded); });
  sums.store_to(lanes);
  return most.with(largest);
}

// The magnitudes of halves are compared before they are widened, twice as many at a time. They are
// widened row by row: in longer blocks reading and computing took turns, which took half as long
// again.
template <class S>
double add_squares_of_halves(const S* x, std::size_t size, std::size_t lane, double* lanes,
                             double largest) {
#if defined(__AVX512F__)
  return add_squares(x, size, lane, lanes, largest);
#else
  SquareSums<float> sums(lanes);
  LargestBits<S> most;
  const Prefetch prefetch(size * sizeof(S));
  const auto add = [&](const S* row) {
    alignas(64) float wide[kLanes];
    widen_row<kLanes>(row, wide);
    sums.add_row(wide);
    most.add_row(row);
  };
  for_each_row_of_lanes(
      x, size, lane,
      [&](const S* row) {
        prefetch(row, kLanes * sizeof(S));
        add(row);
      },
      [&](const S* padded, std::size_t) { add(padded); });
  sums.store_to(lanes);
  return most.with(largest);
#endif
}

// The same of elements times a power of two, whose squares would not fit else, without the largest.
template <class S>
void add_scaled_squares(const S* x, std::size_t size, std::size_t lane, double scale,
                        double* lanes) {
  SquareSums<double> sums(lanes);
  const auto add = [&](const S* row) {
    alignas(64) double scaled[kLanes];
    for (std::size_t k = 0; k < kLanes; ++k) scaled[k] = scale * static_cast<double>(widen(row[k]));
    sums.add_row(scaled);
  };
  for_each_row_of_lanes(x, size, lane, add, [&](const S* padded, std::size_t) { add(padded); });
  sums.store_to(lanes);
}

// Elements of any type. scale = 1: as they are, which gives the largest magnitude, too.
template <class S>
double norm_kernel(const void* x, std::size_t size, std::size_t lane, double scale, double* lanes,
                   double largest) {
  const S* const from = static_cast<const S*>(x);
  if (scale != 1.0) {
    add_scaled_squares(from, size, lane, scale, lanes);
    return largest;
  }
  if constexpr (sizeof(S) == 2) {
    return add_squares_of_halves(from, size, lane, lanes, largest);
  } else {
    return add_squares(from, size, lane, lanes, largest);
  }
}

}  // namespace bridle::inline BRIDLE_ISA
