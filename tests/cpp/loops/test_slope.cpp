// The prox of SLOPE against isotonic regression by brute force and the optimality condition.
#include <numeric>

#include "vectors.hpp"

namespace bridle::test {
namespace {

template <class T>
std::vector<T> prox(const std::vector<T>& x, const std::vector<double>& strengths, double step,
                    const Primitives& with = primitives(0)) {
  const VectorKernels<T>& kernels = vector_kernels<T>(with);
  Scratch scratch(kernels.slope_scratch(x.size()));
  std::vector<T> out(x.size(), T(7));
  kernels.slope(x.data(), x.size(), strengths.data(), step, out.data(), scratch.get());
  return out;
}

enum class Strengths { falling, equal, steep, noisy, two, none };
constexpr Strengths kStrengths[] = {Strengths::falling, Strengths::equal, Strengths::steep,
                                    Strengths::noisy,   Strengths::two,   Strengths::none};

std::vector<double> strengths_of(Strengths kind, std::size_t n) {
  Random random(n);
  std::vector<double> strengths(n);
  for (std::size_t i = 0; i < n; ++i) {
    const double part = static_cast<double>(n - i) / static_cast<double>(n);
    strengths[i] = kind == Strengths::falling ? 2 * part
                   : kind == Strengths::equal ? 0.7
                   : kind == Strengths::steep ? 3 / (1 + static_cast<double>(i))
                   : kind == Strengths::noisy ? std::fabs(nearly_normal(random))
                   : kind == Strengths::two   ? (i < n / 3 ? 1.0 : 0.25)
                                              : 0.0;
  }
  std::sort(strengths.rbegin(), strengths.rend());
  return strengths;
}

// The places of the elements by falling magnitude.
template <class T>
std::vector<std::size_t> order_of(const std::vector<T>& x) {
  std::vector<std::size_t> order(x.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    const T one = std::fabs(x[a]), other = std::fabs(x[b]);
    return one > other || (one == other && a < b);
  });
  return order;
}

template <class T>
std::vector<long double> rests_of(const std::vector<T>& x, const std::vector<std::size_t>& order,
                                  const std::vector<double>& strengths, double step) {
  std::vector<long double> rests;
  for (std::size_t i = 0; i < x.size(); ++i) {
    rests.push_back(std::fabs(static_cast<long double>(x[order[i]])) -
                    static_cast<long double>(step) * strengths[i]);
  }
  return rests;
}

// The least mean over all begins of the greatest mean over all ends, no less than zero.
template <class T>
std::vector<long double> brute_force(const std::vector<T>& x, const std::vector<double>& strengths,
                                     double step) {
  const std::size_t n = x.size();
  const std::vector<std::size_t> order = order_of(x);
  const std::vector<long double> rests = rests_of(x, order, strengths, step);
  std::vector<long double> z(n);
  for (std::size_t i = 0; i < n; ++i) {
    long double least = std::numeric_limits<long double>::infinity();
    for (std::size_t begin = 0; begin <= i; ++begin) {
      long double sum = 0, greatest = -std::numeric_limits<long double>::infinity();
      for (std::size_t end = begin; end < n; ++end) {
        sum += rests[end];
        if (end >= i)
          greatest = std::max(greatest, sum / static_cast<long double>(end - begin + 1));
      }
      least = std::min(least, greatest);
    }
    z[order[i]] = std::copysign(std::max(least, 0.0L), static_cast<long double>(x[order[i]]));
  }
  return z;
}

// By how much z misses: falling in the order of x, the sums of what it leaves of the rests nowhere
// positive and zero where it falls, beside the rounding of z; the largest of these.
template <class T>
long double violation(const std::vector<T>& x, const std::vector<T>& z,
                      const std::vector<double>& strengths, double step) {
  const std::vector<std::size_t> order = order_of(x);
  const std::vector<long double> rests = rests_of(x, order, strengths, step);
  const long double unit = std::numeric_limits<T>::epsilon();
  long double sum = 0, rounding = 0, worst = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const T magnitude = std::fabs(z[order[i]]);
    const T next = i + 1 < x.size() ? std::fabs(z[order[i + 1]]) : T(0);
    if (next > magnitude || z[order[i]] * x[order[i]] < 0) return 1e9L;
    if (std::fabs(x[order[i]]) == std::fabs(x[order[i > 0 ? i - 1 : 0]]) &&
        magnitude != std::fabs(z[order[i > 0 ? i - 1 : 0]])) {
      return 1e9L;
    }
    sum += rests[i] - static_cast<long double>(magnitude);
    const long double strength = static_cast<long double>(step) * strengths[i];
    rounding +=
        unit * static_cast<long double>(magnitude) + 0x1p-52L * (std::fabs(rests[i]) + strength);
    worst = std::max(worst, (magnitude > next ? std::fabs(sum) : sum) - rounding);
  }
  return worst;
}

template <class T, class Test>
void for_each_case(std::initializer_list<std::size_t> sizes, Test test) {
  for (const Shape shape : kShapes) {
    for (const Strengths kind : kStrengths) {
      for (const std::size_t n : sizes) {
        for (const double step : {0.1, 1.0}) {
          CAPTURE(static_cast<int>(shape));
          CAPTURE(static_cast<int>(kind));
          CAPTURE(n);
          CAPTURE(step);
          test(vector_of<T>(shape, n, n + 1), strengths_of(kind, n), step);
        }
      }
    }
  }
}

TEST_CASE_TEMPLATE("SLOPE agrees with isotonic regression by brute force", T, float, double) {
  for_each_case<T>({1, 2, 3, 10, 60}, [](const auto& x, const auto& strengths, double step) {
    const std::vector<T> z = prox(x, strengths, step);
    const std::vector<long double> expected = brute_force(x, strengths, step);
    double error = 0;
    bool positive_zeros = true;
    for (std::size_t i = 0; i < x.size(); ++i) {
      error = std::max(error, static_cast<double>(std::fabs(z[i] - expected[i])));
      positive_zeros &= z[i] != 0 || !std::signbit(z[i]);
    }
    CHECK(error <= std::numeric_limits<T>::epsilon() * (1 + largest_magnitude(x)));
    CHECK(positive_zeros);
  });
}

// Below, at and above the sizes where another way of sorting begins.
TEST_CASE_TEMPLATE("SLOPE satisfies the optimality condition", T, float, double) {
  for_each_case<T>({47, 48, 49, 1000, 4096, 4097, 20000},
                   [](const auto& x, const auto& strengths, double step) {
                     CHECK(violation(x, prox(x, strengths, step), strengths, step) <= 0);
                   });
}

TEST_CASE_TEMPLATE("SLOPE with equal strengths is the soft threshold, with none the identity", T,
                   float, double) {
  const std::vector<T> x = vector_of<T>(Shape::noise, 5000, 3);
  const std::vector<double> strengths(x.size(), 0.5);
  const std::vector<T> z = prox(x, strengths, 1);
  for (std::size_t i = 0; i < x.size(); ++i) {
    const T left = std::max(std::fabs(x[i]) - T(0.5), T(0));
    CHECK(z[i] == std::copysign(left, left > 0 ? x[i] : T(1)));
  }
  std::vector<T> with_zeros = x;
  with_zeros[7] = T(-0.0);
  CHECK(same_bits(prox(with_zeros, strengths, 0), with_zeros));
  CHECK(same_bits(prox(with_zeros, std::vector<double>(x.size(), 0.0), kInfinity), with_zeros));
}

TEST_CASE_TEMPLATE("SLOPE of the permuted, the negated, the scaled and in place: the same bits", T,
                   float, double) {
  for_each_case<T>({10, 48, 300, 5000}, [](const auto& x, const auto& strengths, double step) {
    const std::size_t n = x.size();
    const std::vector<T> z = prox(x, strengths, step);
    Random random(n);
    std::vector<std::size_t> from(n);
    std::iota(from.begin(), from.end(), std::size_t{0});
    for (std::size_t i = n; i-- > 1;) std::swap(from[i], from[random.below(i + 1)]);
    std::vector<T> permuted(n), scaled(n), in_place = x;
    for (std::size_t i = 0; i < n; ++i) {
      permuted[i] = i % 3 == 0 ? -x[from[i]] : x[from[i]];
      scaled[i] = x[i] * T(1024);
    }
    permuted = prox(permuted, strengths, step);
    scaled = prox(scaled, strengths, step * 1024);
    bool agree = true;
    for (std::size_t i = 0; i < n; ++i) {
      agree &=
          permuted[i] == (i % 3 == 0 ? -z[from[i]] : z[from[i]]) && scaled[i] == z[i] * T(1024);
    }
    CHECK(agree);
    const VectorKernels<T>& kernels = vector_kernels<T>(primitives(0));
    Scratch scratch(kernels.slope_scratch(n));
    kernels.slope(in_place.data(), n, strengths.data(), step, in_place.data(), scratch.get());
    CHECK(same_bits(in_place, z));
  });
}

TEST_CASE("SLOPE tells doubles apart that agree in one half of their bits") {
  Random random(6);
  const std::size_t n = 3000;
  std::vector<double> upper(n), lower(n);
  for (std::size_t i = 0; i < n; ++i) {
    upper[i] = 1 + static_cast<double>(random.below(1 << 20)) * 0x1p-52;
    lower[i] = std::ldexp(1 + static_cast<double>(random.below(8)) / 8, -static_cast<int>(i % 40));
  }
  std::vector<double> strengths(n);
  for (std::size_t i = 0; i < n; ++i) strengths[i] = 0.5 - static_cast<double>(i) * 0x1p-54;
  CHECK(violation(upper, prox(upper, strengths, 1), strengths, 1) <= 0);
  CHECK(violation(lower, prox(lower, strengths, 1), strengths, 1) <= 0);
  const std::vector<double> nothing(n, 0x1p-1074);
  CHECK(same_bits(prox(upper, nothing, 1), upper));
}

TEST_CASE_TEMPLATE("SLOPE takes strengths of its own type", T, float, double) {
  const std::vector<T> x = vector_of<T>(Shape::noise, 200, 3);
  std::vector<T> strengths;
  for (const double strength : strengths_of(Strengths::noisy, x.size())) {
    strengths.push_back(static_cast<T>(strength));
  }
  const VectorKernels<T>& kernels = vector_kernels<T>(primitives(0));
  Scratch scratch(kernels.slope_scratch(x.size()));
  std::vector<T> z(x.size());
  kernels.slope_of_equal_types(x.data(), x.size(), strengths.data(), 0.7, z.data(), scratch.get());
  CHECK(same_bits(z, prox(x, std::vector<double>(strengths.begin(), strengths.end()), 0.7)));
}

TEST_CASE_TEMPLATE("SLOPE knows its limits", T, float, double) {
  const T infinity = std::numeric_limits<T>::infinity(), nan = std::numeric_limits<T>::quiet_NaN();
  const T largest = std::numeric_limits<T>::max(), least = std::numeric_limits<T>::denorm_min();
  using Vector = std::vector<T>;
  CHECK(prox(Vector{}, {}, 1).empty());
  CHECK(prox(Vector{T(-4)}, {1}, 1) == Vector{T(-3)});
  CHECK(prox(Vector{T(1), T(-4)}, {3, 0}, 1) == Vector{T(1), T(-1)});
  CHECK(prox(Vector{T(1), T(-4)}, {4, 0}, 1) == Vector{T(0.5), T(-0.5)});
  CHECK(all_nan(prox(Vector{T(1), nan, infinity}, {1, 1, 1}, 1)));
  CHECK(all_nan(prox(Vector{T(1), -nan, T(0)}, {1, 1, 1}, 0)));
  CHECK(prox(Vector{T(5), -infinity, T(4)}, {9, 2, 1}, 1) == Vector{T(3), -infinity, T(3)});
  CHECK(same_bits(prox(Vector{T(-5), T(4)}, {kInfinity, 1}, 1), Vector{T(0), T(0)}));
  CHECK(same_bits(prox(Vector{T(-5), T(4)}, {2, 1}, kInfinity), Vector{T(0), T(0)}));
  CHECK(all_nan(prox(Vector{T(-5), infinity}, {kInfinity, 1}, 1)));
  CHECK(prox(Vector(9, largest), std::vector<double>(9, 0x1p-20), 1) == Vector(9, largest));
  CHECK(prox(Vector(9, -largest), {8, 7, 6, 5, 4, 3, 2, 1, 0}, 1) == Vector(9, -largest));
  CHECK(prox(Vector(3, 7 * least), {3.0 * least, 2.0 * least, 1.0 * least}, 1) ==
        Vector(3, 5 * least));
  // What is finite is not scaled because something else is infinite.
  CHECK(prox(Vector{infinity, 3 * least}, {1.0 * least, 1.0 * least}, 1) ==
        Vector{infinity, 2 * least});
  const double half = static_cast<double>(largest) / 2;
  CHECK(prox(Vector(3, largest), std::vector<double>(3, half), 1) == Vector(3, largest / 2));
  CHECK(same_bits(prox(Vector(3, -least), std::vector<double>(3, half), 1), Vector(3, T(0))));
}

TEST_CASE_TEMPLATE("SLOPE has the same bits with every instruction set and compiler", T, float,
                   double) {
  for_each_primitives([](const Primitives& with) {
    std::uint64_t hash = 0;
    for_each_case<T>({30, 300, 5000}, [&](const auto& x, const auto& strengths, double step) {
      hash = checksum(prox(x, strengths, step, with), hash);
    });
    CHECK(hash == (sizeof(T) == 4 ? 10099403219041789557u : 3910247776739273u));
  });
}

}  // namespace
}  // namespace bridle::test
