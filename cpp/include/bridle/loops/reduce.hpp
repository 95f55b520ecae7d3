// The loops of every penalty. What is summed in which order is fixed by the position of an element
// alone: a chunk is 4096 elements, element j of it goes to lane j mod 32, and the lanes are folded
// 16, 8, 4, 2, 1.
#pragma once

#include <bridle/half.hpp>
#include <bridle/ops.hpp>
#include <bridle/prefetch.hpp>
#include <bridle/vector.hpp>
#include <cstddef>

namespace bridle::inline BRIDLE_ISA {

// What the lanes of a chunk hold, lane by lane for one sum after the other, becomes its sums.
inline void fold_lanes(double* lanes, std::size_t count, double* sums) {
  for (std::size_t s = 0; s < count; ++s) {
    double* const lane = lanes + s * kLanes;
    for (std::size_t half = kLanes / 2; half > 0; half /= 2) {
      for (std::size_t k = 0; k < half; ++k) lane[k] += lane[k + half];
    }
    sums[s] = lane[0];
  }
}

// The lanes of one chunk, filled row by row of kLanes elements.
template <class Op>
class ChunkSums {
 public:
  ChunkSums() = default;
  // Goes on where another one left off.
  explicit ChunkSums(const double* lanes) {
    for (int s = 0; s < Op::sums; ++s) {
#pragma GCC unroll 16
      for (std::size_t v = 0; v < kLanes / kWidth; ++v) {
        accumulator_[s][v] =
            load<Doubles>(lanes + static_cast<std::size_t>(s) * kLanes + v * kWidth);
      }
    }
  }

  // T is float or double.
  template <class T>
  void add_row(const T* x) {
#pragma GCC unroll 16
    for (std::size_t v = 0; v < kLanes / kWidth; ++v) {
      Doubles term[Op::sums];
      Op::terms(load_doubles(x + v * kWidth), term);
      for (int s = 0; s < Op::sums; ++s) accumulator_[s][v] += term[s];
    }
  }

  // Writes the lanes, with the last elements of a chunk, fewer than a row, added.
  template <class T>
  void finish(const T* x, std::size_t size, double* lanes) const {
    for (int s = 0; s < Op::sums; ++s) {
#pragma GCC unroll 16
      for (std::size_t v = 0; v < kLanes / kWidth; ++v) {
        store(accumulator_[s][v], lanes + static_cast<std::size_t>(s) * kLanes + v * kWidth);
      }
    }
    for (std::size_t k = 0; k < size; ++k) {
      double term[Op::sums];
      Op::terms(static_cast<double>(x[k]), term);
      for (int s = 0; s < Op::sums; ++s) lanes[static_cast<std::size_t>(s) * kLanes + k] += term[s];
    }
  }

 private:
  static constexpr std::size_t kWidth = VectorOf<double>::size;
  using Doubles = Vector<double>;
  Doubles accumulator_[Op::sums][kLanes / kWidth] = {};
};

// Adds contiguous elements of one chunk to its lanes; T is float or double. `size` is a multiple of
// kLanes, unless they are the last ones.
template <class Op, class T>
void add_to_lanes(const T* x, std::size_t size, double* lanes) {
  ChunkSums<Op> chunk(lanes);
  const Prefetch prefetch(size * sizeof(T));
  std::size_t i = 0;
  for (; i + kLanes <= size; i += kLanes) {
    prefetch(x + i, kLanes * sizeof(T));
    chunk.add_row(x + i);
  }
  chunk.finish(x + i, size - i, lanes);
}

template <class Op, class S>
void reduce_kernel(const void* x, std::size_t size, double* lanes) {
  const S* const from = static_cast<const S*>(x);
  if constexpr (sizeof(S) == 2) {
    constexpr std::size_t block = 16 * kLanes;
    alignas(64) float wide[block];
    for (std::size_t i = 0; i < size; i += block) {
      const std::size_t count = size - i < block ? size - i : block;
      widen_block(from + i, wide, count);
      add_to_lanes<Op>(wide, count, lanes);
    }
  } else {
    add_to_lanes<Op>(from, size, lanes);
  }
}

// The sums of one chunk of each of `columns` <= kColumnSums / Op::sums neighbouring columns:
// element i of column c lies at x + i·row_stride bytes + c elements. Sum s of column c goes to
// sums[c·Op::sums + s].
template <class Op, class S>
void reduce_columns_kernel(const void* x, std::ptrdiff_t row_stride, std::size_t size,
                           std::size_t columns, double* sums) {
  alignas(64) double lane[kLanes][Op::sums][kColumnSums / Op::sums] = {};
  for (std::size_t i = 0; i < size; ++i) {
    const S* const row = reinterpret_cast<const S*>(static_cast<const char*>(x) +
                                                    static_cast<std::ptrdiff_t>(i) * row_stride);
    auto& sum = lane[i % kLanes];
#pragma omp simd
    for (std::size_t c = 0; c < columns; ++c) {
      double term[Op::sums];
      Op::terms(static_cast<double>(widen(row[c])), term);
      for (int s = 0; s < Op::sums; ++s) sum[s][c] += term[s];
    }
  }
  for (std::size_t half = kLanes / 2; half > 0; half /= 2) {
    for (std::size_t k = 0; k < half; ++k) {
      for (int s = 0; s < Op::sums; ++s) {
#pragma omp simd
        for (std::size_t c = 0; c < columns; ++c) lane[k][s][c] += lane[k + half][s][c];
      }
    }
  }
  for (std::size_t c = 0; c < columns; ++c) {
    for (int s = 0; s < Op::sums; ++s) sums[c * Op::sums + s] = lane[0][s][c];
  }
}

}  // namespace bridle::inline BRIDLE_ISA
