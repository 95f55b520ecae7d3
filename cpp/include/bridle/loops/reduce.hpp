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

// The sums of one chunk, gathered row by row of kLanes elements. T is float or double.
template <class Op>
class ChunkSums {
 public:
  template <class T>
  void add_row(const T* x) {
#pragma GCC unroll 16
    for (std::size_t v = 0; v < kLanes / kWidth; ++v) {
      Doubles term[Op::sums];
      Op::terms(load_doubles(x + v * kWidth), term);
      for (int s = 0; s < Op::sums; ++s) accumulator_[s][v] += term[s];
    }
  }

  // Adds the last elements, fewer than a row, and folds the lanes.
  template <class T>
  void finish(const T* x, std::size_t size, double* sums) const {
    alignas(64) double lane[Op::sums][kLanes];
    for (int s = 0; s < Op::sums; ++s) {
#pragma GCC unroll 16
      for (std::size_t v = 0; v < kLanes / kWidth; ++v) {
        store(accumulator_[s][v], &lane[s][v * kWidth]);
      }
    }
    for (std::size_t k = 0; k < size; ++k) {
      double term[Op::sums];
      Op::terms(static_cast<double>(x[k]), term);
      for (int s = 0; s < Op::sums; ++s) lane[s][k] += term[s];
    }
    for (int s = 0; s < Op::sums; ++s) {
      for (std::size_t half = kLanes / 2; half > 0; half /= 2) {
        for (std::size_t k = 0; k < half; ++k) lane[s][k] += lane[s][k + half];
      }
      sums[s] = lane[s][0];
    }
  }

 private:
  static constexpr std::size_t kWidth = VectorOf<double>::size;
  using Doubles = Vector<double>;
  Doubles accumulator_[Op::sums][kLanes / kWidth] = {};
};

// Writes the sums of x[0 … size), one chunk; T is float or double.
template <class Op, class T>
void sum_chunk(const T* x, std::size_t size, double* sums) {
  ChunkSums<Op> chunk;
  const Prefetch prefetch(size * sizeof(T));
  std::size_t i = 0;
  for (; i + kLanes <= size; i += kLanes) {
    prefetch(x + i, kLanes * sizeof(T));
    chunk.add_row(x + i);
  }
  chunk.finish(x + i, size - i, sums);
}

// The sums of one chunk of contiguous elements.
template <class Op, class S>
void reduce_kernel(const void* x, std::size_t size, double* sums) {
  const S* const from = static_cast<const S*>(x);
  if constexpr (sizeof(S) == 2) {
    alignas(64) float wide[kChunk];
    widen_block(from, wide, size);
    sum_chunk<Op>(wide, size, sums);
  } else {
    sum_chunk<Op>(from, size, sums);
  }
}

// The sums of one chunk of each of `columns` neighbouring columns: element i of column c lies at
// x + i·row_stride bytes + c elements. Sum s of column c goes to sums[c·Op::sums + s].
template <class Op, class S>
void reduce_columns_kernel(const void* x, std::ptrdiff_t row_stride, std::size_t size,
                           std::size_t columns, double* sums) {
  alignas(64) double lane[kLanes][Op::sums][kMaxColumns] = {};
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
