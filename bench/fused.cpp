// A peer: one pass over memory as trainers publish it for the optimizer step of offloaded training
// (a multi-tensor AdamW for the processor, for one of which see bench/README.md), written anew.
// Gradients of bfloat16 are widened, the step is one of float32 without fused multiply-add, and the
// new weights are also written in bfloat16; grains of 32 Ki elements are shared out to the threads.
#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>

namespace {

constexpr std::size_t kGrain = 32 * 1024;

inline float widened(std::uint16_t half) {
  return std::bit_cast<float>(static_cast<std::uint32_t>(half) << 16);
}

// The nearest one, of two the even one; NaN stays NaN.
inline std::uint16_t narrowed(float x) {
  const auto bits = std::bit_cast<std::uint32_t>(x);
  const std::uint32_t rounded = (bits + 0x7fffu + (bits >> 16 & 1u)) >> 16;
  return static_cast<std::uint16_t>(x == x ? rounded : 0x7fc0u);
}

}  // namespace

extern "C" void bench_fused_adamw(float* __restrict w, const std::uint16_t* __restrict gradient,
                                  float* __restrict m, float* __restrict v,
                                  std::uint16_t* __restrict copy, std::size_t size, float lr,
                                  float weight_decay, int iteration, int threads) {
  constexpr float kFirst = 0.9f, kSecond = 0.999f, kEpsilon = 1e-8f;
  constexpr float kFirstNew = 0.1f, kSecondNew = 0.001f;
  const double first_left = 1 - std::pow(0.9, iteration);
  const double second_left = 1 - std::pow(0.999, iteration);
  const float step = static_cast<float>(lr / first_left);
  const float root = static_cast<float>(std::sqrt(second_left));
  const float kept = 1 - lr * weight_decay;
#pragma omp parallel for num_threads(threads) schedule(static)
  for (std::size_t begin = 0; begin < size; begin += kGrain) {
    const std::size_t end = std::min(begin + kGrain, size);
#pragma omp simd
    for (std::size_t i = begin; i < end; ++i) {
      const float g = widened(gradient[i]);
      m[i] = kFirst * m[i] + kFirstNew * g;
      v[i] = kSecond * v[i] + kSecondNew * g * g;
      w[i] = kept * w[i] - step * m[i] / (std::sqrt(v[i]) / root + kEpsilon);
      copy[i] = narrowed(w[i]);
    }
  }
}
