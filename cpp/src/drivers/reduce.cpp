#include <algorithm>

#include "chunk_sums.hpp"
#include "core.hpp"
#include "dispatch.hpp"
#include "pieces.hpp"
#include "threads/status_flags.hpp"

namespace bridle {
namespace {

constexpr std::size_t kBlock = 256;  // elements, where something lies beside them

// What the driver knows of a penalty.
struct Facts {
  std::size_t sums, parameters;
  bool beside;
};

template <class... Op>
constexpr Facts facts_of(int op, ReduceList<Op...>) {
  static_assert(((Op::sums <= kMaxSums && Op::params.size() <= kMaxStrengths) && ...));
  constexpr Facts facts[] = {{Op::sums, Op::params.size(), kHasBeside<Op>}...};
  return facts[op];
}

struct ReducePlan : Facts {
  ReducePlan(int op, DType dtype)
      : Facts(facts_of(op, ReduceOps{})),
        kernels(bridle::kernels().reduce.of[op][static_cast<int>(dtype)]),
        item(item_size(dtype)) {}

  const ReduceKernels& kernels;
  std::size_t item;
};

// What one vector takes beside its elements.
struct Arguments {
  const double* parameters;
  Operand beside;
};

// Adds contiguous elements begin … begin + size of a vector to the lanes of their chunk.
void add_piece(const ReducePlan& plan, const Arguments& arguments, const void* piece,
               std::size_t begin, std::size_t size, double* lanes) {
  const std::size_t lane = begin % kLanes;
  if (!plan.beside) {
    plan.kernels.vector(piece, nullptr, arguments.parameters, size, lane, lanes);
    return;
  }
  double block[kBlock];
  if (!arguments.beside.data) std::fill_n(block, kBlock, arguments.parameters[0]);
  for (std::size_t i = 0, count; i < size; i += count) {
    count = std::min(kBlock, size - i);
    const void* const beside = arguments.beside.data ? contiguous(arguments.beside, sizeof(double),
                                                                  begin + i, count, block)
                                                     : block;
    plan.kernels.vector(static_cast<const char*>(piece) + i * plan.item,
                        static_cast<const double*>(beside), arguments.parameters, count,
                        (lane + i) % kLanes, lanes);
  }
}

// The sums of chunks of elements that lie as `walk` says; all must outlive the result.
auto chunks_of(const ReducePlan& plan, const Arguments& arguments, const char* data,
               const Walk& walk) {
  return [&plan, &arguments, data, &walk](std::size_t begin, std::size_t size, double* sums) {
    alignas(kLine) double lanes[kMaxSums * kLanes] = {};
    std::size_t position = begin;
    const auto add = [&](const void* piece, std::size_t count) {
      add_piece(plan, arguments, piece, position, count, lanes);
      position += count;
    };
    if (walk.is_row(static_cast<std::ptrdiff_t>(plan.item))) {
      add(data + begin * plan.item, size);
    } else {
      for_each_piece(data, walk, plan.item, begin, size, add);
    }
    kernels().reduce.fold_lanes(lanes, plan.sums, sums);
  };
}

void reduce_range(const ReducePlan& plan, const Arguments& arguments, Operand x, std::size_t size,
                  double* sums) {
  const Walk walk(x.stride, size);
  sum_range<kMaxSums>(plan.sums, 0, size, chunks_of(plan, arguments, x.data, walk), sums);
}

void reduce_parallel(const ReducePlan& plan, const Arguments& arguments, const char* data,
                     const Walk& walk, std::size_t size, double* sums) {
  sum_parallel<kMaxSums>(plan.sums, size, kLeastForSums, chunks_of(plan, arguments, data, walk),
                         work_of(plan.kernels.vector), sums);
}

// Whether vectors, and what lies beside their elements, are beside each other like the columns of a
// C-ordered matrix. A number beside all elements is one of these, too.
bool are_columns(const ReducePlan& plan, const Vectors& vectors) {
  const auto [x, size, apart, count, beside, beside_apart] = vectors;
  const bool neighbours = apart == static_cast<std::ptrdiff_t>(plan.item);
  const bool number = beside.stride == 0 && beside_apart == 0;
  const bool rows = beside.data && (number || beside_apart == sizeof(double));
  return neighbours && count > 1 && !is_contiguous(x, plan.item) && (rows || !plan.beside);
}

// Of these vectors rows are read as they lie in memory.
void reduce_columns(const ReducePlan& plan, const Vectors& vectors, const double* parameters,
                    double* sums) {
  const std::size_t size = vectors.size, n = plan.sums;
  const std::size_t least =
      std::max<std::size_t>(1, kLeastForSums / std::max<std::size_t>(size, 1));
  const std::size_t most = kColumnSums / n;
  const auto sum_columns = [&](std::size_t begin, std::size_t end) {
    for (std::size_t c = begin; c < end; c += most) {
      const std::size_t columns = std::min(most, end - c);
      double own[kMaxStrengths * kColumnSums], numbers[kColumnSums];
      Operand beside = vectors.beside;
      if (plan.beside && vectors.beside_apart == 0) {
        std::fill_n(numbers, kColumnSums,
                    size > 0 ? *reinterpret_cast<const double*>(beside.data) : 0.0);
        beside.data = reinterpret_cast<char*>(numbers);
      } else if (plan.beside) {
        beside.data += c * sizeof(double);
      }
      for (std::size_t k = 0; k < columns; ++k) {
        for (std::size_t p = 0; p < plan.parameters; ++p) {
          own[p * kColumnSums + k] = parameters[(c + k) * plan.parameters + p];
        }
      }
      PairwiseSum<kColumnSums, 27> total(columns * n);  // 5·10¹¹ rows
      for (std::size_t i = 0; i < size; i += kChunk) {
        plan.kernels.columns(at(vectors.x, i) + c * plan.item, vectors.x.stride,
                             plan.beside ? at(beside, i) : nullptr, beside.stride, own,
                             std::min(kChunk, size - i), columns, total.next());
        total.push();
      }
      total.finish(sums + c * n);
    }
  };
  parallel_for(vectors.count, most, least, sum_columns,
               work_of(plan.kernels.columns, static_cast<int>(size % kChunk)));
}

// Elements begin … begin + size of what lies as a walk says: where it lies, or a copy in `block`.
const void* walked(const void* data, const Walk& walk, std::size_t item, std::size_t begin,
                   std::size_t size, void* block) {
  const char* const bytes = static_cast<const char*>(data);
  if (walk.is_row(static_cast<std::ptrdiff_t>(item))) return bytes + begin * item;
  char* to = static_cast<char*>(block);
  walk.for_each_row(begin, size,
                    [&](std::ptrdiff_t offset, std::ptrdiff_t stride, std::size_t count) {
                      gather({const_cast<char*>(bytes) + offset, stride}, item, count, to);
                      to += count * item;
                    });
  return block;
}

}  // namespace

void reduce(int op, DType dtype, const void* x, const Walk& walk, std::size_t size,
            const double* parameters, double* sums) noexcept {
  const ReducePlan plan(op, dtype);
  const KeepStatusFlags keep;
  reduce_parallel(plan, {parameters, {nullptr, 0}}, static_cast<const char*>(x), walk, size, sums);
}

void reduce_many(int op, DType dtype, const Vectors& vectors, const double* parameters,
                 double* sums) noexcept {
  const ReducePlan plan(op, dtype);
  const auto [x, size, apart, count, beside, beside_apart] = vectors;
  const auto vector = [=](std::size_t v) {
    return Operand{x.data + static_cast<std::ptrdiff_t>(v) * apart, x.stride};
  };
  const auto arguments = [=, &plan](std::size_t v) {
    Arguments own{parameters + v * plan.parameters, beside};
    if (beside.data) own.beside.data += static_cast<std::ptrdiff_t>(v) * beside_apart;
    return own;
  };
  if (are_columns(plan, vectors)) {
    reduce_columns(plan, vectors, parameters, sums);
  } else if (size >= 2 * kLeastForSums) {
    const KeepStatusFlags keep;
    const Walk walk(x.stride, size);
    for (std::size_t v = 0; v < count; ++v) {
      reduce_parallel(plan, arguments(v), vector(v).data, walk, size, sums + v * plan.sums);
    }
  } else {
    const std::size_t least =
        std::max<std::size_t>(1, kLeastForSums / std::max<std::size_t>(size, 1));
    const auto sum_vectors = [&](std::size_t begin, std::size_t end) {
      for (std::size_t v = begin; v < end; ++v) {
        reduce_range(plan, arguments(v), vector(v), size, sums + v * plan.sums);
      }
    };
    parallel_for(count, 1, least, sum_vectors,
                 work_of(plan.kernels.vector, static_cast<int>(size % kChunk)));
  }
}

double reduce_each(int op, DType dtype, const void* x, const Walk& walk, std::size_t size,
                   const WalkedDoubles* parameters) noexcept {
  const ReducePlan plan(op, dtype);
  const auto chunk = [&](std::size_t begin, std::size_t length, double* sum) {
    alignas(kLine) double block[kBlock], own[kMaxStrengths][kBlock], costs[kBlock];
    alignas(kLine) double lanes[kLanes] = {};
    const double* parameter[kMaxStrengths];
    for (std::size_t i = 0, count; i < length; i += count) {
      count = std::min(kBlock, length - i);
      for (std::size_t p = 0; p < plan.parameters; ++p) {
        const auto [data, where] = parameters[p];
        parameter[p] = static_cast<const double*>(
            walked(data, where, sizeof(double), begin + i, count, own[p]));
      }
      plan.kernels.each(walked(x, walk, plan.item, begin + i, count, block), parameter, count,
                        costs);
      kernels().reduce.total(costs, nullptr, nullptr, count, 0, lanes);
    }
    kernels().reduce.fold_lanes(lanes, 1, sum);
  };
  const KeepStatusFlags keep;
  double sum;
  sum_parallel<1>(1, size, kLeastForSums, chunk, work_of(plan.kernels.each), &sum);
  return sum;
}

}  // namespace bridle
