#include <cmath>

#include "chunk_sums.hpp"
#include "core.hpp"
#include "dispatch.hpp"
#include "noise_reader.hpp"
#include "threads/parallel.hpp"

namespace bridle {
namespace {

constexpr int kL1 = 0, kElasticNet = 2;  // in ReduceOps
constexpr std::size_t kWidth = sizeof(UpdateSums) / sizeof(double);
constexpr std::size_t kLeast = 8 * 1024;     // elements from which on a second thread pays
constexpr std::size_t kStage = kNoiseBlock;  // elements of a half type that are widened at a time

template <class Void>
Void* at(Void* array, std::size_t bytes) {
  using Byte = std::conditional_t<std::is_const_v<Void>, const char, char>;
  return array ? static_cast<Byte*>(array) + bytes : nullptr;
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
        item_(item_size(call.dtype)) {
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
    kernel_ =
        kernels()
            .update[call.op][call.dtype == DType::float64][call.adaptive][static_cast<int>(kind)];
  }

  // The sums are those of UpdateSums.
  void operator()(std::size_t begin, std::size_t size, double* sums) const {
    if (item_ > 2) {
      kernel_(shifted(memory_, begin, item_, item_, item_), numbers_, size, sums);
      if (array_.l2 == 0) sums[1] = 0;
      if (array_.l2 == 0 && array_.l1 == 0) sums[0] = 0;
      return;
    }
    for (std::size_t i = begin; i < begin + size; i += kStage) {
      update_halves(i, std::min(kStage, begin + size - i));
    }
    // Of the rounded weights.
    const void* const weights = at(array_.memory.weights, begin * item_);
    const int dtype = static_cast<int>(call_.dtype);
    std::fill_n(sums, kWidth, 0.0);
    if (array_.l1 != 0 || array_.l2 != 0) {
      alignas(kLine) double lanes[kMaxSums * kLanes] = {};
      const bool both = array_.l2 != 0;
      kernels().reduce[both ? kElasticNet : kL1][dtype](weights, size, lanes);
      kernels().fold_lanes(lanes, both ? 2 : 1, sums);
    }
    kernels().count[dtype](weights, size, sums + 2);
  }

 private:
  void update_halves(std::size_t begin, std::size_t size) const {
    const HalfKernels& half = kernels().half[static_cast<int>(call_.dtype)];
    const bool half_gradient = call_.gradient_dtype != DType::float32;
    const UpdateMemory here =
        shifted(memory_, begin, 2, half_gradient ? 2 : sizeof(float), sizeof(float));
    alignas(kLine) float weights[kStage], gradient[kStage], toward[kStage];
    UpdateMemory wide = here;
    half.widen(here.weights, weights, size);
    wide.weights = weights;
    if (here.gradient && half_gradient) {
      half.widen(here.gradient, gradient, size);
      wide.gradient = gradient;
    }
    if (here.toward) {
      half.widen(here.toward, toward, size);
      wide.toward = toward;
    }
    kernel_(wide, numbers_, size, nullptr);
    if (call_.stochastic) {
      round_randomly(weights, here.weights, begin, size);
    } else {
      half.narrow(weights, here.weights, size);
    }
  }

  void round_randomly(const float* weights, void* out, std::size_t begin, std::size_t size) const {
    const NoiseSource source = drawn_noise({call_.key, 0}, call_.index + array_.first + begin);
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
  std::size_t item_;
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
  parallel_for(total, 1, kLeast, [&](std::size_t begin, std::size_t end) {
    for (std::size_t a = first; a < last; ++a) {
      const UpdateArray& array = call.arrays[a];
      const std::size_t start = array.first - origin;
      if (array.size == 0 || start < begin || start >= end) continue;
      double result[kWidth];
      sum_range<kWidth>(kWidth, 0, array.size, Update(call, array), result);
      store(result, sums[a]);
    }
  });
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
      sum_parallel<kWidth>(kWidth, call.arrays[a].size, kLeast, Update(call, call.arrays[a]),
                           result);
      store(result, sums[a++]);
    }
  }
}

}  // namespace bridle
