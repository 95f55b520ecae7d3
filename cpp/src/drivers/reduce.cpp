#include <algorithm>

#include "chunk_sums.hpp"
#include "core.hpp"
#include "dispatch.hpp"
#include "pieces.hpp"
#include "threads/status_flags.hpp"

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
  return {kernels().reduce.of[op][static_cast<int>(dtype)].vector, sum_count(op, ReduceOps{}),
          item_size(dtype)};
}

// The sums of chunks of elements that lie as `walk` says; both must outlive the result.
auto chunks_of(const ReducePlan& plan, const char* data, const Walk& walk) {
  return [&plan, data, &walk](std::size_t begin, std::size_t size, double* sums) {
    alignas(kLine) double lanes[kMaxSums * kLanes] = {};
    std::size_t position = 0;
    const auto add = [&](const void* piece, std::size_t count) {
      plan.kernel(piece, count, position % kLanes, lanes);
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

void reduce_range(const ReducePlan& plan, Operand x, std::size_t size, double* sums) {
  const Walk walk(x.stride, size);
  sum_range<kMaxSums>(plan.sums, 0, size, chunks_of(plan, x.data, walk), sums);
}

void reduce_parallel(const ReducePlan& plan, const char* data, const Walk& walk, std::size_t size,
                     double* sums) {
  sum_parallel<kMaxSums>(plan.sums, size, kLeastForSums, chunks_of(plan, data, walk),
                         work_of(plan.kernel), sums);
}

// Vectors that lie beside each other, like the columns of a C-ordered matrix: rows are read as they
// lie in memory.
void reduce_columns(int op, DType dtype, Operand x, std::size_t size, std::size_t count,
                    double* sums) {
  const std::size_t n = sum_count(op, ReduceOps{});
  const std::size_t item = item_size(dtype);
  const ReduceColumnsKernel kernel = kernels().reduce.of[op][static_cast<int>(dtype)].columns;
  const std::size_t least =
      std::max<std::size_t>(1, kLeastForSums / std::max<std::size_t>(size, 1));
  const std::size_t most = kColumnSums / n;
  const auto sum_columns = [&](std::size_t begin, std::size_t end) {
    for (std::size_t c = begin; c < end; c += most) {
      const std::size_t columns = std::min(most, end - c);
      PairwiseSum<kColumnSums, 28> total(columns * n);  // 10¹² rows
      for (std::size_t i = 0; i < size; i += kChunk) {
        kernel(at(x, i) + c * item, x.stride, std::min(kChunk, size - i), columns, total.next());
        total.push();
      }
      total.finish(sums + c * n);
    }
  };
  parallel_for(count, most, least, sum_columns, work_of(kernel, static_cast<int>(size % kChunk)));
}

}  // namespace

void reduce(int op, DType dtype, const void* x, const Walk& walk, std::size_t size,
            double* sums) noexcept {
  const ReducePlan plan = make_plan(op, dtype);
  const KeepStatusFlags keep;
  reduce_parallel(plan, static_cast<const char*>(x), walk, size, sums);
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
    const KeepStatusFlags keep;
    const Walk walk(x.stride, size);
    for (std::size_t v = 0; v < count; ++v) {
      reduce_parallel(plan, vector(v).data, walk, size, sums + v * plan.sums);
    }
  } else {
    const std::size_t least =
        std::max<std::size_t>(1, kLeastForSums / std::max<std::size_t>(size, 1));
    const auto sum_vectors = [&](std::size_t begin, std::size_t end) {
      for (std::size_t v = begin; v < end; ++v) {
        reduce_range(plan, vector(v), size, sums + v * plan.sums);
      }
    };
    parallel_for(count, 1, least, sum_vectors,
                 work_of(plan.kernel, static_cast<int>(size % kChunk)));
  }
}

}  // namespace bridle
