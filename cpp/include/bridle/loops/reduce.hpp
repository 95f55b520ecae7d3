// The loops of every penalty. What is summed in which order is fixed by the position of an element
// alone: a chunk is 4096 elements, element j of it goes to lane j mod 32, and the lanes are folded
// 16, 8, 4, 2, 1.
#pragma once

#include <bridle/loops/half.hpp>
#include <bridle/loops/vector.hpp>
#include <bridle/ops.hpp>
#include <bridle/prefetch.hpp>
#include <cstddef>
#include <utility>

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

// Elements that are fewer than a row of lanes, filled up with zeros, which add nothing to a sum.
template <class T>
struct PaddedRow {
  alignas(64) T x[kLanes] = {};

  // The first one belongs to lane `lane`.
  PaddedRow(const T* from, std::size_t size, std::size_t lane) {
    __builtin_memcpy(x + lane, from, size * sizeof(T));
  }
};

// What one weight, or a vector of them, adds to each sum of a penalty.
template <class Op, class T>
inline void find_terms(const Op& op, T w, T beside, T (&term)[Op::sums]) {
  if constexpr (kHasBeside<Op>) {
    op.terms(w, beside, term);
  } else {
    op.terms(w, term);
  }
}

template <class Op, std::size_t... P>
inline Op penalty_of(const double* parameters, std::index_sequence<P...>) {
  return {parameters[P]...};
}
template <class Op>
inline Op penalty_of(const double* parameters) {
  return penalty_of<Op>(parameters, std::make_index_sequence<Op::params.size()>{});
}

// The sums of a chunk, gathered row by row of kLanes elements: element j of the chunk in lane
// j mod kLanes.
template <class Op>
class ChunkSums {
 public:
  ChunkSums() = default;
  // Goes on where another one left off.
  explicit ChunkSums(const double* lanes, const Op& op = {}) : op_(op) {
    for_each_vector([&](Doubles& sum, std::size_t at) { sum = load<Doubles>(lanes + at); });
  }
  void store_to(double* lanes) {
    for_each_vector([&](Doubles& sum, std::size_t at) { store(sum, lanes + at); });
  }

  // T is float or double; beside is null where nothing lies beside x.
  template <class T>
  void add_row(const T* x, const double* beside = nullptr) {
#pragma GCC unroll 16
    for (std::size_t v = 0; v < kLanes / kWidth; ++v) {
      Doubles term[Op::sums];
      Doubles second = {};
      if constexpr (kHasBeside<Op>) second = load_doubles(beside + v * kWidth);
      find_terms(op_, load_doubles(x + v * kWidth), second, term);
      for (int s = 0; s < Op::sums; ++s) accumulator_[s][v] += term[s];
    }
  }

 private:
  static constexpr std::size_t kWidth = VectorOf<double>::size;
  using Doubles = Vector<double>;

  template <class Visit>
  void for_each_vector(const Visit& visit) {
    for (std::size_t s = 0; s < static_cast<std::size_t>(Op::sums); ++s) {
#pragma GCC unroll 16
      for (std::size_t v = 0; v < kLanes / kWidth; ++v) {
        visit(accumulator_[s][v], s * kLanes + v * kWidth);
      }
    }
  }

  Op op_ = {};
  Doubles accumulator_[Op::sums][kLanes / kWidth] = {};
};

// Calls row(x) for whole rows of lanes of size elements, the first of which belongs to lane `lane`,
// and part(padded, count) for what comes before and after.
template <class T, class Row, class Part>
inline void for_each_row_of_lanes(const T* x, std::size_t size, std::size_t lane, const Row& row,
                                  const Part& part) {
  std::size_t i = 0;
  if (lane > 0) {
    i = kLanes - lane < size ? kLanes - lane : size;
    part(PaddedRow<T>(x, i, lane).x, i);
  }
  for (; i + kLanes <= size; i += kLanes) row(x + i);
  if (i < size) part(PaddedRow<T>(x + i, size - i, 0).x, size - i);
}

// The same for two arrays beside each other: row(x, beside).
template <class T, class Row>
inline void for_each_pair_of_rows(const T* x, const double* beside, std::size_t size,
                                  std::size_t lane, const Row& row) {
  std::size_t i = 0;
  const auto part = [&](std::size_t count, std::size_t first) {
    row(PaddedRow<T>(x + i, count, first).x, PaddedRow<double>(beside + i, count, first).x);
    i += count;
  };
  if (lane > 0) part(kLanes - lane < size ? kLanes - lane : size, lane);
  for (; i + kLanes <= size; i += kLanes) row(x + i, beside + i);
  if (i < size) part(size - i, 0);
}

// Adds contiguous elements of one chunk to its lanes, the first one to lane `lane`; T is float or
// double.
template <class Op, class T>
void add_to_lanes(const Op& op, const T* x, [[maybe_unused]] const double* beside, std::size_t size,
                  std::size_t lane, double* lanes) {
  ChunkSums<Op> chunk(lanes, op);
  const Prefetch prefetch(size * sizeof(T));
  if constexpr (kHasBeside<Op>) {
    for_each_pair_of_rows(x, beside, size, lane, [&](const T* row, const double* other) {
      prefetch(row, kLanes * sizeof(T));
      chunk.add_row(row, other);
    });
  } else {
    for_each_row_of_lanes(
        x, size, lane,
        [&](const T* row) {
          prefetch(row, kLanes * sizeof(T));
          chunk.add_row(row);
        },
        [&](const T* padded, std::size_t) { chunk.add_row(padded); });
  }
  chunk.store_to(lanes);
}

// The same for elements of any type.
template <class S, class Op>
void reduce_with(const Op& op, const void* x, const double* beside, std::size_t size,
                 std::size_t lane, double* lanes) {
  const S* const from = static_cast<const S*>(x);
  if constexpr (sizeof(S) == 2) {
    constexpr std::size_t block = 16 * kLanes;
    alignas(64) float wide[block];
    const Prefetch prefetch(size * sizeof(S));
    for (std::size_t i = 0; i < size; i += block) {
      const std::size_t count = size - i < block ? size - i : block;
      prefetch(from + i, count * sizeof(S));
      widen_block(from + i, wide, count);
      // A block is a multiple of kLanes.
      add_to_lanes(op, wide, kHasBeside<Op> ? beside + i : nullptr, count, lane, lanes);
    }
  } else {
    add_to_lanes(op, from, beside, size, lane, lanes);
  }
}

// beside: as many elements as x, where the penalty takes them. parameters: one of each.
template <class Op, class S>
void reduce_kernel(const void* x, const double* beside, const double* parameters, std::size_t size,
                   std::size_t lane, double* lanes) {
  reduce_with<S>(penalty_of<Op>(parameters), x, beside, size, lane, lanes);
}

// The sums of one chunk of each of `columns` <= kColumnSums / Op::sums neighbouring columns:
// element i of column c lies at x + i·row_stride bytes + c elements. Sum s of column c goes to
// sums[c·Op::sums + s]; parameter p of column c is parameters[p·kColumnSums + c]. What lies beside
// element i of column c, if anything does, is at beside + i·beside_stride bytes + c elements.
template <class Op, class S, std::size_t... P>
void reduce_columns(const void* x, std::ptrdiff_t row_stride, const void* beside,
                    std::ptrdiff_t beside_stride, const double* parameters, std::size_t size,
                    std::size_t columns, double* sums, std::index_sequence<P...>) {
  alignas(64) double lane[kLanes][Op::sums][kColumnSums / Op::sums] = {};
  for (std::size_t i = 0; i < size; ++i) {
    const S* const row = reinterpret_cast<const S*>(static_cast<const char*>(x) +
                                                    static_cast<std::ptrdiff_t>(i) * row_stride);
    const double* const other = reinterpret_cast<const double*>(
        static_cast<const char*>(beside) + static_cast<std::ptrdiff_t>(i) * beside_stride);
    auto& sum = lane[i % kLanes];
    // Not written into the loop, where gcc would keep an array of functors, one for each lane.
    const auto add_column = [&](std::size_t c) __attribute__((always_inline)) {
      double term[Op::sums];
      find_terms(Op{parameters[P * kColumnSums + c]...}, static_cast<double>(widen(row[c])),
                 kHasBeside<Op> ? other[c] : 0.0, term);
      for (int s = 0; s < Op::sums; ++s) sum[s][c] += term[s];
    };
#pragma omp simd
    for (std::size_t c = 0; c < columns; ++c) add_column(c);
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

template <class Op, class S>
void reduce_columns_kernel(const void* x, std::ptrdiff_t row_stride, const void* beside,
                           std::ptrdiff_t beside_stride, const double* parameters, std::size_t size,
                           std::size_t columns, double* sums) {
  reduce_columns<Op, S>(x, row_stride, beside, beside_stride, parameters, size, columns, sums,
                        std::make_index_sequence<Op::params.size()>{});
}

// The penalty of each element by itself, with parameters of its own.
template <class Op, class S, std::size_t... P>
void penalize_each(const void* x, const double* const* parameter, std::size_t size, double* costs,
                   std::index_sequence<P...>) {
  const S* const from = static_cast<const S*>(x);
  const double* const own[] = {parameter[P]...};
  const auto cost_at = [&](std::size_t i) __attribute__((always_inline)) {
    const Op op{own[P][i]...};
    double term[Op::sums];
    find_terms(op, static_cast<double>(widen(from[i])), own[0][i], term);
    return op.finish(term);
  };
#pragma omp simd
  for (std::size_t i = 0; i < size; ++i) costs[i] = cost_at(i);
}

template <class Op, class S>
void penalize_each_kernel(const void* x, const double* const* parameter, std::size_t size,
                          double* costs) {
  penalize_each<Op, S>(x, parameter, size, costs, std::make_index_sequence<Op::params.size()>{});
}

// A sum of numbers as they are.
struct Total {
  static constexpr auto params = parameters();
  static constexpr int sums = 1;

  template <class T>
  constexpr void terms(T x, T (&term)[1]) const {
    term[0] = x;
  }
};

}  // namespace bridle::inline BRIDLE_ISA
