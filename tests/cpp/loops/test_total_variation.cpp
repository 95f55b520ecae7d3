// The prox of total variation against its optimality condition and a slow solver of the dual.
#include "vectors.hpp"

namespace bridle::test {
namespace {

constexpr double kThresholds[] = {1e-3, 0.1, 0.7, 1, 3, 30, 1e4};

template <class T>
std::vector<T> prox(const std::vector<T>& x, double threshold,
                    const Primitives& with = primitives(0)) {
  const VectorKernels<T>& kernels = vector_kernels<T>(with);
  Scratch scratch(kernels.total_variation_scratch(x.size()));
  std::vector<T> out(x.size(), T(7));
  kernels.total_variation(x.data(), x.size(), static_cast<T>(threshold), out.data(), scratch.get());
  return out;
}

// Moves along one coordinate u_k of the dual after the other: z_i = x_i + u_i − u_{i−1}, |u| <= t.
template <class T>
std::vector<long double> dual_solution(const std::vector<T>& x, double threshold) {
  const std::size_t n = x.size();
  const long double t = static_cast<T>(threshold);
  std::vector<long double> z(x.begin(), x.end()), u(n, 0.0L);
  long double change = 1;
  for (int sweep = 0; sweep < 1000000 && change > 1e-17L; ++sweep) {
    change = 0;
    for (std::size_t k = 0; k + 1 < n; ++k) {
      const long double best = std::clamp(u[k] + (z[k + 1] - z[k]) / 2, -t, t);
      const long double move = best - u[k];
      u[k] = best;
      z[k] += move;
      z[k + 1] -= move;
      change = std::max(change, std::fabs(move));
    }
  }
  return z;
}

// By how much the sums of z − x leave the tube, or fail to touch its wall where z jumps, beside the
// rounding of z; the largest of these.
template <class T>
long double violation(const std::vector<T>& x, const std::vector<T>& z, double threshold) {
  const long double t = static_cast<T>(threshold), unit = std::numeric_limits<T>::epsilon();
  long double u = 0, rounding = 0, worst = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    u += static_cast<long double>(z[i]) - x[i];
    rounding += unit * std::fabs(static_cast<long double>(z[i]));
    const bool last = i + 1 == x.size();
    const long double wall = last ? 0 : z[i + 1] > z[i] ? t : z[i + 1] < z[i] ? -t : u;
    const long double outside = std::max(std::fabs(u) - t, std::fabs(u - wall));
    worst = std::max(worst, outside - rounding - 4 * unit * t);
  }
  return worst;
}

TEST_CASE_TEMPLATE("total variation agrees with the solution of the dual", T, float, double) {
  for (const Shape shape : kShapes) {
    for (std::size_t n = 1; n <= 60; n = n * 2 + 1) {
      for (const double threshold : {0.1, 0.7, 3.0}) {
        const std::vector<T> x = vector_of<T>(shape, n, n + 1);
        const std::vector<T> z = prox(x, threshold);
        const std::vector<long double> expected = dual_solution(x, threshold);
        const double unit = std::numeric_limits<T>::epsilon();
        double error = 0;
        for (std::size_t i = 0; i < n; ++i) {
          error = std::max(error, static_cast<double>(std::fabs(z[i] - expected[i])));
        }
        CAPTURE(static_cast<int>(shape));
        CAPTURE(n);
        CAPTURE(threshold);
        CHECK(error <= 1e-12 + unit * largest_magnitude(x));
      }
    }
  }
}

TEST_CASE_TEMPLATE("total variation satisfies the optimality condition", T, float, double) {
  for (const Shape shape : kShapes) {
    for (const std::size_t n : {2, 3, 10, 100, 5000}) {
      for (const double offset : {0.0, 1e6}) {
        for (const double threshold : kThresholds) {
          const std::vector<T> x = vector_of<T>(shape, n, n, offset);
          CAPTURE(static_cast<int>(shape));
          CAPTURE(n);
          CAPTURE(offset);
          CAPTURE(threshold);
          CHECK(violation(x, prox(x, threshold), threshold) <= 0);
        }
      }
    }
  }
}

TEST_CASE("total variation of many elements keeps the digits of each block") {
  for (const Shape shape : {Shape::noise, Shape::steps, Shape::sorted}) {
    for (const double threshold : {1.0, 100.0}) {
      const std::vector<float> x = vector_of<float>(shape, 300000, 5, 1000);
      const std::vector<double> exact_x(x.begin(), x.end());
      CHECK(violation(exact_x, prox(exact_x, threshold), threshold) <= 0);
      const std::vector<double> exact = prox(exact_x, threshold);
      std::vector<float> rounded(exact.begin(), exact.end());
      const std::vector<float> z = prox(x, threshold);
      std::size_t off = 0;  // by one unit in the last place, where the mean lies between two floats
      for (std::size_t i = 0; i < z.size(); ++i) {
        off += z[i] != rounded[i];
        REQUIRE(std::fabs(z[i] - rounded[i]) <= 6.2e-5f);
      }
      CHECK(off < z.size() / 100);
    }
  }
}

TEST_CASE_TEMPLATE("total variation of small elements survives a huge one beside them", T, float,
                   double) {
  const double huge = sizeof(T) == 4 ? 1e37 : 1e300;
  for (const Shape shape : kShapes) {
    std::vector<T> x = vector_of<T>(shape, 200, 3);
    for (const std::size_t i : {20, 21, 90, 91, 150}) x[i] = static_cast<T>(i % 2 ? huge : -huge);
    std::vector<T> endless = x;
    for (T& element : endless)
      element = std::fabs(element) > 1e36 ? element * T(1e30) * T(1e30) : element;
    for (const double threshold : {0.1, 3.0}) {
      const std::vector<T> z = prox(x, threshold), limit = prox(endless, threshold);
      for (std::size_t i = 0; i < x.size(); ++i) {
        if (std::isinf(endless[i])) {
          CHECK(z[i] == x[i]);
          CHECK(limit[i] == endless[i]);
        } else {
          CHECK(z[i] == limit[i]);
        }
      }
    }
  }
}

TEST_CASE_TEMPLATE("total variation knows its limits", T, float, double) {
  const T infinity = std::numeric_limits<T>::infinity(), nan = std::numeric_limits<T>::quiet_NaN();
  const std::vector<T> x = {T(3), T(-0.0), T(-1), T(-0.0), T(8)};
  CHECK(same_bits(prox(x, 0), x));
  CHECK(prox(x, kInfinity) == std::vector<T>(5, T(2)));
  CHECK(prox(x, 1e30) == std::vector<T>(5, T(2)));
  CHECK(prox(std::vector<T>{}, 1).empty());
  CHECK(prox(std::vector<T>{T(4)}, 1) == std::vector<T>{T(4)});
  CHECK(prox(std::vector<T>{T(4), T(1)}, 1) == std::vector<T>{T(3), T(2)});
  CHECK(prox(std::vector<T>{T(1), T(4)}, 2) == std::vector<T>{T(2.5), T(2.5)});
  CHECK(same_bits(prox(std::vector<T>{T(-0.0), T(-0.0)}, 2), std::vector<T>{T(0), T(0)}));
  for (const double threshold : {0.0, 1.0, kInfinity}) {
    CHECK(all_nan(prox(std::vector<T>{T(1), nan, T(4)}, threshold)));
    CHECK(all_nan(prox(std::vector<T>{infinity, T(1), -nan}, threshold)));
  }
  CHECK(prox(std::vector<T>{T(1), infinity, T(4), T(2), -infinity}, 1) ==
        std::vector<T>{T(2), infinity, T(4), T(2), -infinity});
  CHECK(prox(std::vector<T>{infinity, T(4), infinity}, 1) ==
        std::vector<T>{infinity, T(6), infinity});
  CHECK(prox(std::vector<T>{infinity, T(4)}, kInfinity) == std::vector<T>{infinity, infinity});
  CHECK(all_nan(prox(std::vector<T>{infinity, T(4), -infinity}, kInfinity)));
}

TEST_CASE_TEMPLATE("total variation near the ends of the range", T, float, double) {
  const T largest = std::numeric_limits<T>::max(), least = std::numeric_limits<T>::denorm_min();
  const std::vector<T> x = vector_of<T>(Shape::whole, 100, 8);
  const double top = std::ldexp(1.0, std::numeric_limits<T>::max_exponent - 6);
  const double bottom = std::ldexp(static_cast<double>(least), 30);
  for (const double scale : {top, bottom}) {
    std::vector<T> scaled;
    for (const T element : x) scaled.push_back(static_cast<T>(element * scale));
    const std::vector<T> z = prox(x, 1.5), actual = prox(scaled, 1.5 * scale);
    for (std::size_t i = 0; i < x.size(); ++i) {
      CHECK(std::fabs(actual[i] / scale - z[i]) <= (scale < 1 ? 1e-9 : 0));
    }
  }
  CHECK(prox(std::vector<T>(7, largest), 1) == std::vector<T>(7, largest));
  CHECK(prox(std::vector<T>(7, -largest), largest) == std::vector<T>(7, -largest));
  CHECK(prox(std::vector<T>(7, least), largest) == std::vector<T>(7, least));
  // A mean that underflows is a positive zero.
  CHECK(same_bits(prox(std::vector<T>{-least, T(0), T(0)}, 1), std::vector<T>(3, T(0))));
  const T infinity = std::numeric_limits<T>::infinity();
  const std::vector<T> pulled =
      prox(std::vector<T>{infinity, T(0), T(0), T(0), T(0), infinity}, largest);
  CHECK(pulled ==
        std::vector<T>{infinity, largest / 2, largest / 2, largest / 2, largest / 2, infinity});
  CHECK(prox(std::vector<T>{least, 3 * least}, least) == std::vector<T>(2, 2 * least));
}

TEST_CASE_TEMPLATE("total variation keeps equal neighbours equal, and equal vectors as they are", T,
                   float, double) {
  for (const double value : {0.1, 1.0 / 3, 49.0, 1.0 / 49, 1e-30}) {
    for (const std::size_t n : {2, 3, 7, 49, 1000}) {
      const std::vector<T> x(n, static_cast<T>(value));
      for (const double threshold : kThresholds) CHECK(same_bits(prox(x, threshold), x));
    }
  }
  for (const double threshold : kThresholds) {
    const std::vector<T> x = vector_of<T>(Shape::whole, 3000, 4, 0.1), z = prox(x, threshold);
    for (std::size_t i = 1; i < x.size(); ++i) CHECK((x[i] != x[i - 1] || z[i] == z[i - 1]));
  }
}

TEST_CASE_TEMPLATE("total variation of the negated, the scaled and in place: the same bits", T,
                   float, double) {
  for (const Shape shape : kShapes) {
    for (const double threshold : kThresholds) {
      const std::vector<T> x = vector_of<T>(shape, 700, 9, 0.1), z = prox(x, threshold);
      std::vector<T> negated, scaled, in_place = x;
      for (const T element : x) negated.push_back(-element), scaled.push_back(element * T(1024));
      negated = prox(negated, threshold);
      scaled = prox(scaled, threshold * 1024);
      for (std::size_t i = 0; i < x.size(); ++i) {
        CHECK(negated[i] == -z[i]);
        CHECK(scaled[i] == z[i] * T(1024));
      }
      const VectorKernels<T>& kernels = vector_kernels<T>(primitives(0));
      Scratch scratch(kernels.total_variation_scratch(x.size()));
      kernels.total_variation(in_place.data(), x.size(), static_cast<T>(threshold), in_place.data(),
                              scratch.get());
      CHECK(same_bits(in_place, z));
    }
  }
}

TEST_CASE_TEMPLATE("total variation has the same bits with every instruction set and compiler", T,
                   float, double) {
  for_each_primitives([](const Primitives& with) {
    std::uint64_t hash = 0;
    for (const Shape shape : kShapes) {
      for (const double threshold : kThresholds) {
        hash = checksum(prox(vector_of<T>(shape, 1000, 2, 0.3), threshold, with), hash);
      }
    }
    CHECK(hash == (sizeof(T) == 4 ? 14506110332908233178u : 6917069232214828635u));
  });
}

}  // namespace
}  // namespace bridle::test
