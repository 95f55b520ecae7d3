#include <algorithm>

#include "chunk_sums.hpp"
#include "core.hpp"
#include "dispatch.hpp"
#include "strided.hpp"

namespace bridle {
namespace {

template <class... Op>
constexpr std::size_t sum_count(int op, ReduceList<Op...>) {
  constexpr std::size_t counts[] = {Op::sums...};
  return counts[op];
}

struct ReducePlan {
  ReduceKernel kernel;
  std::size_t sums;
  std::size_t item;
};

ReducePlan make_plan(int op, DType dtype) {
  return {kernels().reduce[op][static_cast<int>(dtype)], sum_count(op, ReduceOps{}),
          item_size(dtype)};
}

// The sums of each chunk of x, one after the other.
auto chunks_of(const ReducePlan& plan, Operand x) {
  return [=](std::size_t begin, std::size_t size, double* sums) {
    alignas(64) char block[kChunk * sizeof(double)];
    plan.kernel(contiguous(x, plan.item, begin, size, block), size, sums);
  };
}

void reduce_range(const ReducePlan& plan, Operand x, std::size_t size, double* sums) {
  sum_range<kMaxSums>(plan.sums, 0, size, chunks_of(plan, x), sums);
}

void reduce_parallel(const ReducePlan& plan, Operand x, std::size_t size, double* sums) {
  sum_parallel<kMaxSums>(plan.sums, size, kLeastForSums, chunks_of(plan, x), sums);
}

// Vectors that lie beside each other, like the columns of a C-ordered matrix: rows are read as they
// lie in memory.
void reduce_columns(int op, DType dtype, Operand x, std::size_t size, std::size_t count,
                    double* sums) {
  const std::size_t n = sum_count(op, ReduceOps{});
  const std::size_t item = item_size(dtype);
  const ReduceColumnsKernel kernel = kernels().reduce_columns[op][static_cast<int>(dtype)];
  const std::size_t least =
      std::max<std::size_t>(1, kLeastForSums / std::max<std::size_t>(size, 1));
  parallel_for(count, kMaxColumns, least, [&](std::size_t begin, std::size_t end) {
    for (std::size_t c = begin; c < end; c += kMaxColumns) {
      const std::size_t columns = std::min(kMaxColumns, end - c);
      PairwiseSum<kMaxColumns * kMaxSums> total(columns * n);
      for (std::size_t i = 0; i < size; i += kChunk) {
        kernel(at(x, i) + c * item, x.stride, std::min(kChunk, size - i), columns, total.next());
        total.push();
      }
      total.finish(sums + c * n);
    }
  });
}

}  // namespace

void reduce(int op, DType dtype, Operand x, std::size_t size, double* sums) noexcept {
  const ReducePlan plan = make_plan(op, dtype);
  if (size < 2 * kLeastForSums) {
    parallel_for(1, 1, 1, [&](std::size_t, std::size_t) { reduce_range(plan, x, size, sums); });
  } else {
    reduce_parallel(plan, x, size, sums);
  }
}

void reduce_many(int op, DType dtype, Operand x, std::size_t size, std::ptrdiff_t vector_stride,
                 std::size_t count, double* sums) noexcept {
  const ReducePlan plan = make_plan(op, dtype);
  const auto vector = [=](std::size_t v) {
    return Operand{x.data + static_cast<std::ptrdiff_t>(v) * vector_stride, x.stride};
  };
  const bool beside = vector_stride == static_cast<std::ptrdiff_t>(plan.item);
  if (beside && count > 1 && !is_contiguous(x, plan.item)) {
    reduce_columns(op, dtype, x, size, count, sums);
  } else if (size >= 2 * kLeastForSums) {
    for (std::size_t v = 0; v < count; ++v)
      reduce_parallel(plan, vector(v), size, sums + v * plan.sums);
  } else {
    const std::size_t least =
        std::max<std::size_t>(1, kLeastForSums / std::max<std::size_t>(size, 1));
    parallel_for(count, 1, least, [&](std::size_t begin, std::size_t end) {
      for (std::size_t v = begin; v < end; ++v) {
        reduce_range(plan, vector(v), size, sums + v * plan.sums);
      }
    });
  }
}

}  // namespace bridle
