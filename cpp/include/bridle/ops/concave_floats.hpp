// The minimizers of concave.hpp for floats, where they are not zero.
//
// x − z, or z, is found in float within 2⁻¹⁵, and what it leaves of its equation in double, where
// products of floats are exact; one of Newton's steps takes that away. All numbers are scaled by a
// power of two first, so that squares and cubes of them are floats, too. Above `far` the result is
// x to less than a quarter of a unit in the last place; it is −1 where there is no penalty.
#pragma once

#include <bridle/ops/roots.hpp>
#include <bridle/ops/scaled.hpp>

namespace bridle::inline BRIDLE_ISA::ops {

constexpr float float_power_of_two(std::int64_t n) {
  return static_cast<float>(power_of_two(n, -1000, 1000));
}
// Floored, for n >= −2¹².
constexpr std::int64_t half_of(std::int64_t n) {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(n + 4096) >> 1) - 2048;
}
// 2ⁿ, but at most the largest float, and −1 where there is no penalty.
constexpr float far_from(std::int64_t n, bool none) {
  const double far = power_of_two(n, -1000, 1000);
  const double most = far > largest<float>() ? largest<float>() : far;
  return static_cast<float>(none ? -1.0 : most);
}

// The result for every x, given that for sizes above the jump.
template <class Root>
struct ZeroUpTo {
  Root root;
  float jump;

  [[gnu::always_inline]] float operator()(float x) const {
    const float size = absolute(x);
    return unless(size <= jump, with_sign_of(x, root(size)));
  }
};

// The largest float for which zero(x) holds: it does for 0 and up to there. Looked for from a guess
// on, in steps that grow, and by halves where that leaves less.
template <class Zero>
float last_zero(double guess, const Zero& zero) {
  if (zero(__builtin_inf())) return __builtin_inff();
  std::uint32_t low = 0, high = bits_of(__builtin_inff());
  std::uint32_t at =
      bits_of(guess < largest<float>() ? static_cast<float>(guess) : largest<float>());
  for (std::uint32_t step = 1; high - low > 1; step |= step * 8) {
    const bool below = zero(number_of<float>(at));
    (below ? low : high) = at;
    const std::uint32_t half = (high - low) / 2, next = step < half ? step : half;
    at = below ? low + next : high - next;
  }
  return number_of<float>(low);
}

// c = (m/x^(k+1))^(1/k), as in concave.hpp, and 1/v as a polynomial of it within 2.5·10⁻⁵.
template <int k>
struct PowerStart;

template <>
struct PowerStart<2> {
  static float ratio(float x, float root) {
    const float y = 1.0f / x;
    return (root * square_root(x)) * (y * y);
  }
  static constexpr float share(float c) {
    const float upper = -15.2108496f + 40.1881306f * c, middle = 0.401515365f + 4.00593378f * c;
    const float square = c * c;
    return (0.999975328f + 0.505877425f * c) + square * (middle + square * upper);
  }
};

template <>
struct PowerStart<3> {
  static float ratio(float x, float root) {
    const float y = inverse_cube_root(x), square = y * y;
    return root * (square * square);
  }
  static constexpr float share(float c) {
    const float square = c * c;
    const float low = 0.999980115f + 0.339052273f * c, next = 0.0656372729f + 5.12967317f * c;
    const float third = -38.7260885f + 171.388994f * c, last = -368.728737f + 327.888842f * c;
    return (low + square * next) + (square * square) * (third + square * last);
  }
};

// x − d for the smaller d with dᵏ·(x − d) = m = (p·weight)ᵏ.
template <int k>
struct PowerRootOfFloats {
  double m, unscale;
  float root, scale, far;  // root: the k-th one of m

  // The scale is 2^(−k·n), n about log2(weight)/(k + 1), so that m becomes m·2^(k·(k + 1)·n).
  constexpr PowerRootOfFloats(double weight, double p) {
    const std::uint64_t u = bits_of(weight) >> 52;  // log2(weight) + 1023, or less by one
    const std::uint64_t share = k == 2 ? (u >> 2) + (u >> 4) + (u >> 6) + (u >> 8) : u >> 2;
    const std::int64_t exponent = static_cast<std::int64_t>(share) - (k == 2 ? 337 : 255);
    const std::int64_t n = limited(exponent, -126 / k, 126 / k);
    const double scaled = p * weight * power_of_two(-(k + 1) * n, -1000, 1000);
    m = k == 2 ? scaled * scaled : scaled * scaled * scaled;
    root = static_cast<float>(scaled);
    scale = float_power_of_two(-k * n);
    unscale = power_of_two(k * n, -1000, 1000);
    far = far_from(k * exponent + (k == 2 ? 22 : 23), weight == 0.0);
  }

  [[gnu::always_inline]] float operator()(float size) const {
    const float x = size * scale;
    const float c = PowerStart<k>::ratio(x, root);
    const float d = x * (c * PowerStart<k>::share(c));
    const double wide = d, z = x - wide, square = wide * wide;
    const float left = static_cast<float>((k == 2 ? square : square * wide) * z - m);
    const float slope = (k == 2 ? d : d * d) * (float(k) * x - float(k + 1) * d);
    const float result = static_cast<float>((z + left / slope) * unscale);
    return size > far ? size : result;
  }
};

// The larger root z of z² − a·z − n for a = x − epsilon, n = x·epsilon − weight.
struct LogSumRootOfFloats {
  double epsilon, weight;
  float near_epsilon, four_epsilon, threshold, rest;  // n is (x − threshold − rest)·epsilon
  float scale, unscale, half_unscale, far;

  // Where epsilon is far above √weight, z is x − weight/epsilon, so that both may be lowered alike;
  // where it is far below, it may be raised.
  constexpr LogSumRootOfFloats(double given_epsilon, double given_weight) {
    const std::int64_t of_epsilon = exponent_of(given_epsilon);
    const std::int64_t of_weight = exponent_of(given_weight);
    const std::int64_t ratio = 2 * of_epsilon - of_weight;
    const std::int64_t lowered = ratio > 40 ? ratio - 40 : 0;
    const std::int64_t raised = ratio < -60 ? -60 - ratio : 0;
    const std::int64_t half = half_of(of_weight - lowered);
    const std::int64_t moved = half_of(raised) - lowered;
    const std::int64_t size =
        limited(half > of_epsilon + moved ? half : of_epsilon + moved, -125, 125);
    epsilon = given_epsilon * power_of_two(moved - size, -1000, 1000);
    weight = given_weight * power_of_two(-lowered - 2 * size, -1000, 1000);
    near_epsilon = static_cast<float>(epsilon);
    four_epsilon = 4.0f * near_epsilon;
    threshold = static_cast<float>(weight / epsilon);
    rest = static_cast<float>((weight - threshold * epsilon) / epsilon);
    scale = float_power_of_two(-size);
    unscale = float_power_of_two(size);
    half_unscale = 0.5f * unscale;
    far = far_from(half + 16, (given_weight == 0.0) | (given_epsilon > largest<float>()));
  }

  [[gnu::always_inline]] float operator()(float size) const {
    const float x = size * scale;
    const float near_a = x - near_epsilon;
    const float four_n = ((x - threshold) - rest) * four_epsilon;
    const float slope = square_root(near_a * near_a + four_n);
    const float sum = slope + absolute(near_a), inverse = 1.0f / slope;
    const float near = (near_a < 0.0f ? four_n / sum : sum) * half_unscale, z = near * scale;

    const double wide = z, a = x - epsilon, n = x * epsilon - weight;
    const float excess = static_cast<float>(wide * (wide - a) - n) * inverse;
    // Rounded once, also where that is subnormal.
    const float result = near < 0x1.8p-126f ? near - excess * unscale : (z - excess) * unscale;
    return size > far ? size : result;
  }
};

}  // namespace bridle::inline BRIDLE_ISA::ops
