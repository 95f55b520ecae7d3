// Thresholds of projections, by sorting in long double; the same bits whatever the instruction set
// and the threads.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "data.hpp"
#include "drivers/thresholds.hpp"
#include "drivers/weighted_thresholds.hpp"
#include "threads/parallel.hpp"

namespace bridle::test {
namespace {

template <class T>
constexpr DType kTypeOf = sizeof(T) == 8 ? DType::float64 : DType::float32;
template <class T>
constexpr T kInfinity = std::numeric_limits<T>::infinity();

template <class T>
ThresholdFound find(const std::vector<T>& x, Measure measure, double radius) {
  std::vector<T> scratch(threshold_scratch(x.size()) + 16, T(-1));
  const ThresholdFound found =
      find_threshold({kTypeOf<T>, measure, x.data(), x.size(), radius, scratch.data()});
  for (std::size_t i = threshold_scratch(x.size()); i < scratch.size(); ++i) {
    REQUIRE(scratch[i] == T(-1));
  }
  return found;
}

// What the elements become.
template <class T>
std::vector<T> project(const std::vector<T>& x, Measure measure, const ThresholdFound& found) {
  const auto cut = ops::cut_of<T>(found.threshold);
  std::vector<T> z(x.size());
  for (std::size_t i = 0; i < x.size(); ++i) {
    const T m = measure == Measure::magnitude ? std::fabs(x[i]) : x[i];
    z[i] = std::max((m - cut.head) - cut.tail, T(0));
  }
  return z;
}

// The projection: a first threshold from the sorted elements, then mended twice by what the sum of
// the excesses lacks. It is the sum of a double and a small rest, so that nothing cancels.
template <class T>
std::vector<long double> exact_projection(const std::vector<T>& x, Measure measure,
                                          long double radius) {
  std::vector<long double> m(x.begin(), x.end());
  if (measure == Measure::magnitude) {
    for (long double& value : m) value = std::fabs(value);
  }
  std::vector<long double> sorted(m);
  std::sort(sorted.rbegin(), sorted.rend());
  const long double most = sorted[0];
  long double sum = 0, depth = 0;
  for (std::size_t k = 0; k < sorted.size(); ++k) {
    sum += most - sorted[k];
    const long double next = (radius + sum) / static_cast<long double>(k + 1);
    if (k > 0 && most - sorted[k] >= next) break;
    depth = next;
  }
  const auto near = static_cast<double>(most - depth);
  long double rest = (most - near) - depth;
  std::vector<long double> z(m.size());
  for (int round = 0; round < 3; ++round) {
    long double excess = -radius, count = 0;
    for (std::size_t i = 0; i < m.size(); ++i) {
      z[i] = std::max((m[i] - near) - rest, 0.0L);
      excess += z[i];
      count += z[i] > 0 ? 1 : 0;
    }
    rest += excess / count;
  }
  return z;
}

template <class T>
long double sum_of(const std::vector<T>& x) {
  long double sum = 0;
  for (const T value : x) sum += value;
  return sum;
}

// What the order of a sum of doubles may cost: 128 of them in a lane.
constexpr long double kSum = 0x1p-47L;

template <class T>
void check(const std::vector<T>& x, Measure measure, double radius) {
  CAPTURE(x.size());
  CAPTURE(radius);
  CAPTURE(sizeof(T));
  CAPTURE(static_cast<int>(measure));
  const long double eps = std::numeric_limits<T>::epsilon();
  const long double tiny = std::numeric_limits<T>::denorm_min();
  const auto n = static_cast<long double>(x.size());
  const ThresholdFound found = find(x, measure, radius);
  std::vector<T> magnitudes(x);
  for (T& m : magnitudes) m = std::fabs(m);
  const long double inside = measure == Measure::magnitude ? sum_of(magnitudes) : radius + 1.0L;
  if (inside <= radius * (1 - 1e-16L)) {
    CHECK(found.projection == Projection::inside);
    return;
  }
  if (found.projection == Projection::inside) {
    CHECK(std::fabs(sum_of(measure == Measure::magnitude ? magnitudes : x) - radius) <=
          1e-15L * radius + n * tiny);
    return;
  }
  REQUIRE(found.projection == Projection::cut);
  const std::vector<T> z = project(x, measure, found);
  const std::vector<long double> expected = exact_projection(x, measure, radius);
  const auto active = static_cast<long double>(
      std::count_if(expected.begin(), expected.end(), [](long double e) { return e > 0; }));
  long double worst = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const long double allowed = 4 * eps * expected[i] + kSum * radius / active + tiny;
    worst = std::max(worst, std::fabs(z[i] - expected[i]) / allowed);
  }
  CHECK(worst <= 1);
  const long double off = std::fabs(sum_of(z) - radius);
  CHECK(off <= (2 * eps + kSum) * radius + n * tiny);
}

double normal(Random& random) {
  const double u = 1 - random.uniform(), v = random.uniform();
  return std::sqrt(-2 * std::log(u)) * std::cos(2 * 3.141592653589793 * v);
}

const char* const kKinds[] = {"normal",     "uniform",
                              "equal",      "few values",
                              "geometric",  "ascending",
                              "descending", "sparse",
                              "heavy",      "factorial",
                              "one large",  "all but one",
                              "close",      "outliers at the end"};
constexpr int kKindCount = sizeof kKinds / sizeof *kKinds;

template <class T>
std::vector<T> vector_of(int kind, std::size_t size, double unit, std::uint64_t seed) {
  Random random(seed);
  std::vector<T> x(size);
  double factorial = 1;
  for (std::size_t i = 0; i < size; ++i) {
    const double at = static_cast<double>(i) / static_cast<double>(size);
    const double gauss = normal(random);
    factorial = factorial > 1e15 ? 1 : factorial * static_cast<double>(i % 20 + 1);
    const double sign = gauss < 0 ? -1 : 1;
    const double values[] = {gauss,
                             random.uniform(),
                             1.0,
                             static_cast<double>(random.below(4)) - 1,
                             sign * std::exp2(-static_cast<double>(i % 100)),
                             at,
                             1 - at,
                             random.below(50) == 0 ? gauss : 0.0,
                             sign * std::pow(random.uniform() + 1e-9, -1.5),
                             1 - factorial * 1e-16,
                             i == size / 2 ? 1.0 : 1e-5 * random.uniform(),
                             i == size / 3 ? 0.25 : 1.0,
                             1 + 1e-6 * gauss,
                             i + 5 > size ? 1 + at : 0.01 * gauss};
    static_assert(sizeof values / sizeof *values == kKindCount);
    x[i] = static_cast<T>(values[kind] * unit);
  }
  return x;
}

template <class T>
void check_kinds(std::size_t size, double unit, std::uint64_t seed) {
  for (int kind = 0; kind < kKindCount; ++kind) {
    CAPTURE(kKinds[kind]);
    CAPTURE(seed);
    const std::vector<T> x = vector_of<T>(kind, size, unit, seed);
    long double sum = 0;
    for (const T value : x) sum += std::fabs(value);
    for (const double share : {1e-30, 1e-9, 1e-4, 0.1, 0.5, 0.99999, 1.0, 2.0}) {
      const double radius = static_cast<double>(sum * share);
      if (!(radius > 0) || std::isinf(radius)) continue;
      check(x, Measure::magnitude, radius);
      check(x, Measure::value, radius);
    }
  }
}

TEST_CASE_TEMPLATE("short vectors become the projection", T, float, double) {
  for (std::size_t size = 1; size <= 20; ++size) {
    for (std::uint64_t seed = 0; seed < 4; ++seed) check_kinds<T>(size, 1.0, seed);
  }
  for (const std::size_t size : {63, 100, 255, 256}) check_kinds<T>(size, 1.0, size);
}

TEST_CASE_TEMPLATE("long vectors become the projection", T, float, double) {
  for (const std::size_t size : {257, 288, 1000, 4096, 4097, 20000, 150001}) {
    check_kinds<T>(size, 1.0, size);
  }
}

TEST_CASE_TEMPLATE("elements near the ends of the range", T, float, double) {
  const double least = std::numeric_limits<T>::denorm_min();
  const double most = std::numeric_limits<T>::max() / (sizeof(T) == 8 ? 128 : 8);
  for (const std::size_t size : {1, 3, 100, 300, 10000}) {
    check_kinds<T>(size, 1e-37, size);
    check_kinds<T>(size, 1e30, size);
    check_kinds<T>(size, least * 1000, size);
  }
  for (const std::size_t size : {1, 3, 100, 300, 10000}) {
    const std::vector<T> x = vector_of<T>(1, size, most, size);
    for (const double radius : {most * 1e-30, most / 2, most, 8 * most}) {
      check(x, Measure::magnitude, radius);
      check(x, Measure::value, radius);
    }
    const std::vector<T> low = vector_of<T>(1, size, -most, size);
    check(low, Measure::value, most);
    const std::vector<T> largest(size, std::numeric_limits<T>::max());
    check(largest, Measure::magnitude, 1.0);
    check(largest, Measure::value, static_cast<double>(std::numeric_limits<T>::max()));
  }
}

template <class T>
bool same(const ThresholdFound& a, const ThresholdFound& b) {
  return a.projection == b.projection &&
         std::memcmp(&a.threshold, &b.threshold, sizeof a.threshold) == 0 && a.share == b.share;
}

TEST_CASE_TEMPLATE("instruction sets and threads do not show in a threshold", T, float, double) {
  for (const std::size_t size : {7, 200, 300, 5000, 140000, 1100000}) {
    for (int kind = 0; kind < kKindCount; ++kind) {
      CAPTURE(kKinds[kind]);
      CAPTURE(size);
      const std::vector<T> x = vector_of<T>(kind, size, 1.0, size);
      for (const Measure measure : {Measure::magnitude, Measure::value}) {
        for (const double radius : {1e-3, 1.0, 0.1 * static_cast<double>(size)}) {
          set_num_threads(1);
          const ThresholdFound expected = find(x, measure, radius);
          for_each_instruction_set([&](const std::string& isa) {
            CAPTURE(isa);
            set_num_threads(1 + static_cast<int>(isa.size() % 3));
            CHECK(same<T>(expected, find(x, measure, radius)));
          });
          for (int threads = 2; threads <= 4; ++threads) {
            set_num_threads(threads);
            CHECK(same<T>(expected, find(x, measure, radius)));
          }
        }
      }
    }
  }
  set_num_threads(0);
}

TEST_CASE_TEMPLATE("NaN, infinity and radius zero", T, float, double) {
  for (const std::size_t size : {1, 5, 256, 257, 5000, 200000}) {
    CAPTURE(size);
    for (const Measure measure : {Measure::magnitude, Measure::value}) {
      std::vector<T> x = vector_of<T>(0, size, 1.0, size);
      CHECK(find(x, measure, 0.0).projection == Projection::zero);
      for (const std::size_t at : {std::size_t{0}, size / 2, size - 1}) {
        std::vector<T> with_nan = x;
        with_nan[at] = std::numeric_limits<T>::quiet_NaN();
        for (const double radius : {0.0, 1.0, 1e9}) {
          CHECK(find(with_nan, measure, radius).projection == Projection::not_a_number);
        }
        with_nan[(at + 1) % size] = kInfinity<T>;
        if (size > 1) CHECK(find(with_nan, measure, 1.0).projection == Projection::not_a_number);
      }
      x[size / 2] = kInfinity<T>;
      const ThresholdFound one = find(x, measure, 3.0);
      CHECK(one.projection == Projection::infinite);
      CHECK(one.share == 3.0);
      if (size > 2) {
        x[0] = kInfinity<T>;
        x[1] = -kInfinity<T>;
        const double infinite = measure == Measure::magnitude ? 3 : 2;
        CHECK(find(x, measure, 3.0).share == 3.0 / infinite);
      }
    }
    std::vector<T> lowest(size, -kInfinity<T>);
    const ThresholdFound all = find(lowest, Measure::value, 3.0);
    CHECK(all.projection == Projection::infinite);
    CHECK(all.share == 3.0 / static_cast<double>(size));
    lowest[size / 2] = 2;
    lowest[size - 1] = 2;
    check(lowest, Measure::value, 3.0);
  }
}

TEST_CASE_TEMPLATE("a vector on the boundary is inside", T, float, double) {
  for (const std::size_t size : {1, 3, 10, 250, 300, 3000, 100000}) {
    CAPTURE(size);
    std::vector<T> x = vector_of<T>(0, size, 1.0, size);
    for (T& value : x) value = std::round(value * 1024) / 1024;  // the sum is exact
    x[0] = 1;
    std::vector<T> positive = x;
    for (T& value : positive) value = std::fabs(value);
    const auto radius = static_cast<double>(sum_of(positive));
    CHECK(find(x, Measure::magnitude, radius).projection == Projection::inside);
    CHECK(find(positive, Measure::value, radius).projection == Projection::inside);
    CHECK(find(x, Measure::magnitude, radius - 0.0625).projection == Projection::cut);
    if (size == 1) continue;
    positive[size - 1] = -positive[size - 1] - 1;
    const double rest = radius + static_cast<double>(positive[size - 1]) + 1;
    const ThresholdFound found = find(positive, Measure::value, rest);
    CHECK(found.projection == Projection::cut);
    CHECK(found.threshold.high == 0.0);
    CHECK(found.threshold.low == 0.0);
  }
}

template <class T>
WeightedFound project_weighted_to(const std::vector<T>& x, const std::vector<T>& weights,
                                  double radius, std::vector<T>& z) {
  std::vector<double> scratch(weighted_scratch(kTypeOf<T>, x.size()) / sizeof(double) + 1);
  const std::vector<double> wide(weights.begin(), weights.end());
  const WeightedCall call{kTypeOf<T>, x.data(), wide.data(), x.size(), radius, scratch.data()};
  const WeightedFound found = find_weighted_threshold(call);
  z = x;
  if (found.projection != Projection::not_a_number) {
    std::vector<T> out(x.size());
    project_weighted(call, found, out.data());
    project_weighted(call, found, z.data());
    REQUIRE(std::memcmp(out.data(), z.data(), x.size() * sizeof(T)) == 0);
  }
  return found;
}

// The condition of the minimum: z = max(|x| − threshold·weight, 0) for one threshold, and the
// weighted sum is the radius.
template <class T>
void check_weighted(const std::vector<T>& x, const std::vector<T>& weights, double radius) {
  CAPTURE(x.size());
  CAPTURE(radius);
  std::vector<T> z;
  const WeightedFound found = project_weighted_to(x, weights, radius, z);
  long double before = 0, after = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const long double w = weights[i];
    before += w * std::fabs(x[i]);
    after += w * std::fabs(z[i]);
  }
  if (before <= radius * (1 - 1e-12L)) {
    CHECK(z == x);
    return;
  }
  const long double eps = std::numeric_limits<T>::epsilon();
  CHECK(std::fabs(after - radius) <= (2 * eps + 8 * kSum) * radius);
  const WeightedCut& cut = found.cut;
  long double threshold = cut.threshold.high;
  if (cut.reference.weight > 0) {
    const long double reference = cut.reference.element;
    threshold = threshold / cut.reference.unit + reference / cut.reference.weight;
  }
  threshold = threshold * cut.scale.weights / cut.scale.elements;
  const long double least = std::numeric_limits<T>::denorm_min();
  std::size_t right = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    if (weights[i] == 0) {
      right += z[i] == x[i];
      continue;
    }
    const long double m = std::fabs(x[i]), limit = threshold * weights[i];
    const long double expected = std::max(m - limit, 0.0L);
    right += std::fabs(std::fabs(z[i]) - expected) <= 8 * eps * (m + limit) + least &&
             std::signbit(z[i]) == (std::signbit(x[i]) && z[i] != 0);
  }
  CHECK(right == x.size());
  CHECK(found.projection == Projection::cut);
}

TEST_CASE_TEMPLATE("weighted balls", T, float, double) {
  for (const std::size_t size : {1, 2, 9, 33, 256, 257, 5000, 100000}) {
    for (int kind = 0; kind < kKindCount; ++kind) {
      CAPTURE(kKinds[kind]);
      for (const double unit : {1.0, 1e30, 1e-30}) {
        const std::vector<T> x = vector_of<T>(kind, size, unit, size);
        std::vector<T> weights = vector_of<T>(kind % 2, size, 2.0, size + 1);
        for (T& w : weights) w = std::fabs(w);
        weights[size / 2] = size > 4 ? 0 : 1;
        long double sum = 0;
        for (std::size_t i = 0; i < size; ++i) sum += weights[i] * std::fabs(x[i]);
        for (const double share : {1e-30, 1e-4, 0.1, 0.9, 1.1}) {
          if (unit * share < 1e-35) continue;  // the result underflows
          if (sum > 0) check_weighted(x, weights, static_cast<double>(sum * share));
        }
      }
    }
  }
}

TEST_CASE("weights of one are no weights") {
  for (const std::size_t size : {5, 100, 3000}) {
    const std::vector<float> x = vector_of<float>(0, size, 1.0, size), ones(size, 1.0f);
    std::vector<float> z;
    project_weighted_to(x, ones, 3.0, z);
    const std::vector<float> expected =
        project(x, Measure::magnitude, find(x, Measure::magnitude, 3.0));
    for (std::size_t i = 0; i < size; ++i) {
      CHECK(std::fabs(z[i]) == doctest::Approx(expected[i]).epsilon(1e-6));
    }
  }
}

TEST_CASE("threads and instruction sets do not show in a weighted ball") {
  for (const std::size_t size : {100, 5000, 300000}) {
    const std::vector<double> x = vector_of<double>(0, size, 1.0, size);
    const std::vector<double> weights = vector_of<double>(1, size, 1.0, size + 1);
    std::vector<double> expected, z;
    for (const double radius : {0.1 * static_cast<double>(size), 1e-20}) {
      set_num_threads(1);
      project_weighted_to(x, weights, radius, expected);
      for_each_instruction_set([&](const std::string& isa) {
        CAPTURE(isa);
        for (int threads = 1; threads <= 3; ++threads) {
          set_num_threads(threads);
          project_weighted_to(x, weights, radius, z);
          CHECK(std::memcmp(z.data(), expected.data(), size * sizeof(double)) == 0);
        }
      });
    }
  }
  set_num_threads(0);
}

TEST_CASE("a weighted ball of hostile elements") {
  const float inf = kInfinity<float>, nan = std::numeric_limits<float>::quiet_NaN();
  std::vector<float> z;
  CHECK(project_weighted_to<float>({1, nan}, {0, 0}, 1.0, z).projection ==
        Projection::not_a_number);
  project_weighted_to<float>({1, -5, 3}, {1, 2, 0}, 0.0, z);
  CHECK(z == std::vector<float>{0, 0, 3});
  project_weighted_to<float>({inf, -inf, 7, inf, inf, inf}, {2, 2, 1, 0, 3, 2}, 12.0, z);
  CHECK(z == std::vector<float>{2, -2, 0, inf, 0, 2});
  project_weighted_to<float>({5, 7}, {0, 0}, 1.0, z);
  CHECK(z == std::vector<float>{5, 7});
  project_weighted_to<float>({3.4e38f, 1e-40f}, {1, 3.4e38f}, 1.0, z);
  CHECK(z[0] == doctest::Approx(1.0));
}

TEST_CASE("halves are what they are as floats") {
  for (const DType dtype : {DType::float16, DType::bfloat16}) {
    for (const std::size_t size : {1, 33, 256, 257, 4100, 70001}) {
      CAPTURE(size);
      const Bytes halves = ordinary_elements(dtype, size, size);
      std::vector<float> wide(size), scratch(size);
      kernels().half[static_cast<int>(dtype)].widen(halves.data(), wide.data(), size);
      for (const double radius : {0.01, 1.0, 1000.0}) {
        for (const Measure measure : {Measure::magnitude, Measure::value}) {
          const ThresholdFound found =
              find_threshold({dtype, measure, halves.data(), size, radius, scratch.data()});
          CHECK(same<float>(found, find(wide, measure, radius)));
        }
      }
    }
  }
}

}  // namespace
}  // namespace bridle::test
