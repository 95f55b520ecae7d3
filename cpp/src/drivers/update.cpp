#include <cmath>

#include "chunk_sums.hpp"
#include "core.hpp"
#include "dispatch.hpp"
#include "noise_reader.hpp"
#include "threads/parallel.hpp"

namespace bridle {
namespace {

constexpr int kL1 = 0, kElasticNet = 2;  // in ReduceOps
constexpr double kUnused[2] = {};        // strengths, which multiply sums afterwards
constexpr std::size_t kWidth = sizeof(UpdateSums) / sizeof(double);
constexpr std::size_t kLeast = 8 * 1024;  // elements from which on a second thread pays
constexpr std::size_t kStage = 512;       // elements of a half type that are widened at a time

template <class Void>
Void* at(Void* array, std::size_t bytes) {
  using Byte = std::conditional_t<std::is_const_v<Void>, const char, char>;
  return array ? static_cast<Byte*>(array) + bytes : nullptr;
}

// Row `row` of every array.
UpdateMemory row_of(const UpdateMemory& memory, const UpdateRows& rows, std::size_t row) {
  const auto apart = [row](std::ptrdiff_t stride) {
    return static_cast<std::size_t>(static_cast<std::ptrdiff_t>(row) * stride);
  };
  UpdateMemory part;
  part.weights = at(memory.weights, apart(rows.weights));
  part.gradient = at(memory.gradient, apart(rows.gradient));
  for (int s = 0; s < 3; ++s) part.state[s] = at(memory.state[s], apart(rows.state[s]));
  part.toward = at(memory.toward, apart(rows.toward));
  return part;
}

// Elements begin … of every array.
UpdateMemory shifted(const UpdateMemory& memory, std::size_t begin, std::size_t item,
                     std::size_t gradient_item, std::size_t state_item) {
  UpdateMemory part;
  part.weights = at(memory.weights, begin * item);
  part.gradient = at(memory.gradient, begin * gradient_item);
  for (int s = 0; s < 3; ++s) part.state[s] = at(memory.state[s], begin * state_item);
  part.toward = at(memory.toward, begin * item);
  return part;
}

// One array, as its threads see it.
class Update {
 public:
  Update(const UpdateCall& call, const UpdateArray& array)
      : call_(call),
        array_(array),
        memory_(array.memory),
        numbers_(call.numbers),
        item_(item_size(call.dtype)),
        gradient_item_(item_size(call.gradient_dtype)) {
    numbers_.coupled = array.coupled;
    numbers_.keep = array.keep;
    numbers_.l1 = array.l1;
    numbers_.l2 = array.l2;
    if (array.keep == 1 && array.coupled == 0) memory_.toward = nullptr;  // nothing decays
    const auto is_infinite = [&](double strength) {  // once it has the type computed in
      return std::isinf(item_ == 8 ? strength : static_cast<float>(strength));
    };
    const bool full = memory_.toward != nullptr || numbers_.cautious || array.coupled != 0 ||
                      is_infinite(array.l1) || is_infinite(array.l2);
    const UpdateKind kind = full              ? UpdateKind::full
                            : array.l2 != 0.0 ? UpdateKind::elastic
                            : array.l1 != 0.0 ? UpdateKind::sparse
                                              : UpdateKind::plain;
    kernel_ = kernels().update.of[call.op][call.dtype == DType::float64][call.adaptive]
                                 [static_cast<int>(kind)];
  }

  // What tells it from others; see parallel_for.
  const void* work() const { return work_of(kernel_, static_cast<int>(call_.dtype)); }

  // Elements of one chunk; the sums are those of UpdateSums.
  void operator()(std::size_t begin, std::size_t size, double* sums) const {
    ChunkState chunk;
    chunk.position = 0;
    chunk.counts[0] = chunk.counts[1] = 0.0;
    if (item_ == 2) std::fill_n(chunk.lanes, kMaxSums * kLanes, 0.0);
    for_each_row(begin, size,
                 [&](const UpdateMemory& here, std::size_t position, std::size_t count) {
                   if (item_ > 2) {
                     kernel_(here, numbers_, count, &chunk);
                   } else {
                     update_halves(here, position, count, chunk);
                   }
                 });
    const std::size_t penalties = array_.l2 != 0 ? 2 : array_.l1 != 0 ? 1 : 0;
    std::fill_n(sums, kMaxSums, 0.0);
    kernels().reduce.fold_lanes(chunk.lanes, penalties, sums);
    std::copy_n(chunk.counts, 2, sums + kMaxSums);
  }

 private:
  // Elements begin … of every array, of which all up to there lie in one row.
  UpdateMemory shifted(const UpdateMemory& memory, std::size_t begin) const {
    return bridle::shifted(memory, begin, item_, gradient_item_, compute_size(call_.dtype));
  }

  // Calls row(memory, position, count) for what lies beside each other in every array.
  template <class Row>
  void for_each_row(std::size_t begin, std::size_t size, const Row& row) const {
    const std::size_t length = array_.rows.length;
    if (length == 0) return row(shifted(memory_, begin), begin, size);
    while (size > 0) {
      const std::size_t column = begin % length, count = std::min(size, length - column);
      row(shifted(row_of(memory_, array_.rows, begin / length), column), begin, count);
      begin += count;
      size -= count;
    }
  }

  // position: that of the first element in the array.
  void update_halves(const UpdateMemory& memory, std::size_t position, std::size_t size,
                     ChunkState& chunk) const {
    for (std::size_t i = 0, count; i < size; i += count) {
      count = std::min(kStage, size - i);
      const UpdateMemory here = shifted(memory, i);
      update_stage(here, position + i, count);
      summarize(here.weights, count, chunk);
    }
  }

  void update_stage(const UpdateMemory& here, std::size_t position, std::size_t size) const {
    const HalfKernels& half = kernels().half[static_cast<int>(call_.dtype)];
    alignas(kLine) float weights[kStage], gradient[kStage], toward[kStage];
    UpdateMemory wide = here;
    half.widen(here.weights, weights, size);
    wide.weights = weights;
    if (here.gradient && gradient_item_ == 2) {
      half.widen(here.gradient, gradient, size);
      wide.gradient = gradient;
    }
    if (here.toward) {
      half.widen(here.toward, toward, size);
      wide.toward = toward;
    }
    kernel_(wide, numbers_, size, nullptr);
    if (call_.stochastic) {
      round_randomly(weights, here.weights, position, size);
    } else {
      half.narrow(weights, here.weights, size);
    }
  }

  // Of halves, those that were rounded.
  void summarize(const void* weights, std::size_t size, ChunkState& chunk) const {
    const int dtype = static_cast<int>(call_.dtype);
    if (array_.l1 != 0 || array_.l2 != 0) {
      kernels().reduce.of[array_.l2 != 0 ? kElasticNet : kL1][dtype].vector(
          weights, nullptr, kUnused, size, chunk.position % kLanes, chunk.lanes);
    }
    kernels().count[dtype](weights, size, chunk.counts);
    chunk.position += size;
  }

  void round_randomly(const float* weights, void* out, std::size_t position,
                      std::size_t size) const {
    const NoiseSource source = drawn_noise({call_.key, 0}, call_.index + array_.first + position);
    NoiseReader<std::uint32_t> uniforms(source);
    const HalfKernels& half = kernels().half[static_cast<int>(call_.dtype)];
    for (std::size_t i = 0; i < size;) {
      std::size_t count = size - i;
      const std::uint32_t* const u = uniforms.read(i, count);
      half.narrow_randomly(weights + i, u, at(out, 2 * i), count);
      i += count;
    }
  }

  const UpdateCall& call_;
  const UpdateArray& array_;
  UpdateMemory memory_;
  UpdateNumbers numbers_;
  std::size_t item_, gradient_item_;
  UpdateKernel kernel_;
};

void store(const double (&from)[kWidth], UpdateSums& to) {
  to = {from[0], from[1], from[2], from[3]};
}

// Arrays first … last, each by one thread.
void update_small(const UpdateCall& call, std::size_t first, std::size_t last, UpdateSums* sums) {
  const std::uint64_t origin = call.arrays[first].first;
  const UpdateArray& end_array = call.arrays[last - 1];
  const std::size_t total = end_array.first + end_array.size - origin;
  const auto update_range = [&](std::size_t begin, std::size_t end) {
    const auto lies_before = [origin](const UpdateArray& array, std::size_t position) {
      return array.first - origin < position;
    };
    const UpdateArray* const from =
        std::lower_bound(call.arrays + first, call.arrays + last, begin, lies_before);
    for (std::size_t a = static_cast<std::size_t>(from - call.arrays); a < last; ++a) {
      const UpdateArray& array = call.arrays[a];
      if (array.first - origin >= end) break;
      if (array.size == 0) continue;
      double result[kWidth];
      sum_range<kWidth>(kWidth, 0, array.size, Update(call, array), result);
      store(result, sums[a]);
    }
  };
  parallel_for(total, 1, kLeast, update_range, Update(call, call.arrays[first]).work());
}

}  // namespace

void update(const UpdateCall& call, UpdateSums* sums) noexcept {
  std::fill_n(sums, call.count, UpdateSums{});
  const auto is_large = [&](std::size_t a) { return call.arrays[a].size >= 2 * kLeast; };
  for (std::size_t a = 0; a < call.count;) {
    const std::size_t first = a;
    while (a < call.count && !is_large(a)) ++a;
    if (a > first) {
      update_small(call, first, a, sums);
    } else {
      double result[kWidth];
      const Update array(call, call.arrays[a]);
      sum_parallel<kWidth>(kWidth, call.arrays[a].size, kLeast, array, array.work(), result);
      store(result, sums[a++]);
    }
  }
}

}  // namespace bridle
