// What the tests of kernels of whole vectors share.
#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

#include "data.hpp"
#include "primitives.hpp"

namespace bridle::test {

inline constexpr double kInfinity = std::numeric_limits<double>::infinity();

// Calls test(primitives) with each instruction set that this machine has.
template <class Test>
void for_each_primitives(Test test) {
  for (int i = 0; i < instruction_set_count(); ++i) {
    if (!instruction_set(i).supported()) continue;
    CAPTURE(std::string(instruction_set(i).name));
    test(primitives(i));
  }
}

// Memory of exactly that many bytes; what lies behind is watched.
class Scratch {
 public:
  explicit Scratch(std::size_t bytes)
      : bytes_(bytes), memory_((bytes + 7) / 8 + kMargin, kUntouched) {}
  ~Scratch() {
    const char* const memory = reinterpret_cast<const char*>(memory_.data());
    const char* const end = memory + memory_.size() * sizeof(std::uint64_t);
    CHECK(std::all_of(memory + bytes_, end, [](char byte) { return byte == '\xa5'; }));
  }
  void* get() { return memory_.data(); }

 private:
  static constexpr std::size_t kMargin = 32;
  static constexpr std::uint64_t kUntouched = 0xa5a5a5a5a5a5a5a5u;

  std::size_t bytes_;
  std::vector<std::uint64_t> memory_;
};

template <class T>
bool same_bits(const std::vector<T>& a, const std::vector<T>& b) {
  return a.size() == b.size() &&
         (a.empty() || std::memcmp(a.data(), b.data(), a.size() * sizeof(T)) == 0);
}

template <class T>
bool all_nan(const std::vector<T>& x) {
  return std::all_of(x.begin(), x.end(), [](T element) { return std::isnan(element); });
}

template <class T>
double largest_magnitude(const std::vector<T>& x) {
  double largest = 0;
  for (const T element : x) largest = std::max(largest, std::fabs(static_cast<double>(element)));
  return largest;
}

// FNV-1a: results are the same wherever they are computed, so a number may be written down.
template <class T>
std::uint64_t checksum(const std::vector<T>& x, std::uint64_t hash = 0xcbf29ce484222325u) {
  const auto* const bytes = reinterpret_cast<const unsigned char*>(x.data());
  for (std::size_t i = 0; i < x.size() * sizeof(T); ++i) hash = (hash ^ bytes[i]) * 0x100000001b3u;
  return hash;
}

// Whole numbers have ties; the others are nearly normal.
inline double nearly_normal(Random& random) {
  double sum = -6;
  for (int i = 0; i < 12; ++i) sum += random.uniform();
  return sum;
}

enum class Shape { noise, whole, ramp, falling, alternating, walk, equal, steps, sorted, parabola };
inline constexpr Shape kShapes[] = {
    Shape::noise, Shape::whole, Shape::ramp,  Shape::falling, Shape::alternating,
    Shape::walk,  Shape::equal, Shape::steps, Shape::sorted,  Shape::parabola};

template <class T>
std::vector<T> vector_of(Shape shape, std::size_t n, std::uint64_t seed, double offset = 0) {
  Random random(seed);
  std::vector<T> x(n);
  double walk = 0;
  for (std::size_t i = 0; i < n; ++i) {
    const double normal = nearly_normal(random), at = static_cast<double>(i);
    walk += normal;
    const double element = shape == Shape::whole         ? std::round(2 * normal)
                           : shape == Shape::ramp        ? 0.25 * at
                           : shape == Shape::falling     ? -0.3 * at
                           : shape == Shape::alternating ? (i % 2 == 0 ? 1.5 : -1.5)
                           : shape == Shape::walk        ? walk
                           : shape == Shape::equal       ? 0.1
                           : shape == Shape::steps    ? normal + 5 * static_cast<double>(i / 9 % 4)
                           : shape == Shape::parabola ? at * at / 64 - at
                                                      : normal;
    x[i] = static_cast<T>(element + offset);
  }
  if (shape == Shape::sorted) std::sort(x.begin(), x.end());
  return x;
}

}  // namespace bridle::test
