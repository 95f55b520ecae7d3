// Standard normal deviates from 32-bit uniforms by arithmetic that rounds alike everywhere.
#pragma once

#include <bridle/loops/storage.hpp>

namespace bridle::inline BRIDLE_ISA {

// k − log2(x) for normal x > 0, within 1.1e-7 · max(1, abs(k − log2(x))): x = m·2ᵉ with m in
// [√½, √2), and a polynomial in m − 1. k is part of it because log2(x) alone would be rounded at
// its own magnitude, which a difference near 1 would show.
inline float minus_log2_of(float x, std::int32_t k) {
  constexpr std::int32_t root_half = 0x3f3504f3;
  const auto bits = static_cast<std::int32_t>(bits_of(x));
  const std::int32_t exponent = (bits - root_half) >> 23;
  const float f = float_of(static_cast<std::uint32_t>(bits - exponent * (1 << 23))) - 1.0f;
  float p = -0.14574625f;
  p = p * f + 0.23689328f;
  p = p * f - 0.25006968f;
  p = p * f + 0.28670713f;
  p = p * f - 0.36008713f;
  p = p * f + 0.48093945f;
  p = p * f - 0.72135717f;
  p = p * f + 1.4426948f;
  return static_cast<float>(k - exponent) - p * f;
}

// Φ⁻¹((u + ½)/2³²), within 5e-7 · max(1, abs(z)). With t the tail's probability and
// s = √(−log2 t) − 1, which is 0 at the median, abs(z) is a rational function of s, fitted to a
// relative error of 2e-8. The deviates of u and of its complement are opposite.
inline float normal_of(std::uint32_t u) {
  const bool lower = u < 0x80000000u;
  const std::uint32_t tail = lower ? u : ~u;
  const float t = static_cast<float>(static_cast<std::int32_t>(tail)) + 0.5f;  // times 2³²
  const float s = __builtin_sqrtf(minus_log2_of(t, 32)) - 1.0f;
  float numerator = 0.07281736f;
  numerator = numerator * s + 0.7818532f;
  numerator = numerator * s + 2.2259846f;
  numerator = numerator * s + 1.7374613f;
  float denominator = 0.061803043f;
  denominator = denominator * s + 0.6045269f;
  denominator = denominator * s + 1.4743075f;
  denominator = denominator * s + 1.0f;
  const float z = numerator * s / denominator;
  return lower ? -z : z;
}

}  // namespace bridle::inline BRIDLE_ISA
