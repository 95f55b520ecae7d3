// Roots, logarithms, and the operators made of them: exact to rounding, the global minimum, and the
// same bits everywhere.
#include <doctest/doctest.h>

#include <bridle/loops/vector.hpp>
#include <bridle/ops.hpp>
#include <bridle/ops/concave.hpp>
#include <bridle/ops/prox.hpp>
#include <cmath>
#include <limits>
#include <vector>

#include "data.hpp"
#include "formulas.hpp"

namespace bridle::test {
namespace {

template <class T>
long double unit_of(long double value) {
  const int digits = std::numeric_limits<T>::digits;
  const int lowest = std::numeric_limits<T>::min_exponent;
  const int exponent = value == 0 ? lowest : std::max(std::ilogb(value) + 1, lowest);
  return std::ldexp(1.0L, exponent - digits);
}
// How many units in the last place of T a result is away.
template <class T>
long double units(T result, long double exact) {
  return std::fabs(result - exact) / unit_of<T>(exact);
}

// A number from 2^-exponents to 2^exponents.
template <class T>
T any_size(Random& random, int exponents) {
  const double mantissa = 1.0 + random.uniform();
  const int exponent = static_cast<int>(random.below(2 * static_cast<std::size_t>(exponents)));
  return static_cast<T>(std::ldexp(mantissa, exponent - exponents));
}

// Every number >= 0 is as likely as its bits.
template <class T>
T any_number(Random& random) {
  const auto bits = static_cast<ops::BitsOf<T>>(random.next());
  const T size = ops::absolute(ops::number_of<T>(bits));
  return size <= ops::largest<T>() ? size : T(1);
}

TEST_CASE_TEMPLATE("cube roots and logarithms are exact to rounding", T, float, double) {
  Random random(1);
  long double worst_root = 0, worst_logarithm = 0;
  for (int i = 0; i < 100000; ++i) {
    const T x = i % 2 ? any_number<T>(random) : any_size<T>(random, 6);
    worst_root = std::max(worst_root, units(ops::cube_root(x), std::cbrt((long double)x)));
    worst_logarithm =
        std::max(worst_logarithm, units(ops::log_of_one_plus(x), std::log1p((long double)x)));
  }
  CHECK(worst_root < 0.52L);
  CHECK(worst_logarithm < 1.0L);

  const T infinity = std::numeric_limits<T>::infinity();
  for (const T x : {T(0), infinity}) {
    CHECK(ops::cube_root(x) == x);
    CHECK(ops::log_of_one_plus(x) == x);
  }
  CHECK(std::isnan(ops::cube_root(std::numeric_limits<T>::quiet_NaN())));
  CHECK(std::isnan(ops::log_of_one_plus(std::numeric_limits<T>::quiet_NaN())));
}

struct Row {
  int k;
  double x, strength, step, epsilon, result;
};
constexpr Row kMinimizers[] = {
#include "minimizers.inc"
};

double minimizer(const Row& row, double x) {
  if (row.k == 2) return ops::prox_l_half{row.strength, row.step}(x);
  if (row.k == 3) return ops::prox_l_two_thirds{row.strength, row.step}(x);
  return ops::prox_log_sum{row.strength, row.epsilon, row.step}(x);
}

TEST_CASE("minimizers of doubles are exact to rounding where formulas lose digits") {
  for (const Row& row : kMinimizers) {
    CAPTURE(row.k);
    CAPTURE(row.x);
    CHECK(minimizer(row, row.x) == row.result);
    CHECK(minimizer(row, -row.x) == -row.result);
  }
}

// An operator and its penalty of one number z >= 0, without strength.
template <class T>
struct Case {
  T (*prox)(T x, T strength, T epsilon, T step);
  long double (*penalty)(long double z, long double epsilon);
  long double (*interesting)(long double weight, long double epsilon);  // an x near the threshold
};

template <class T>
constexpr Case<T> kCases[] = {
    {[](T x, T strength, T, T step) { return ops::prox_l_half<T>{strength, step}(x); },
     [](long double z, long double) { return std::sqrt(z); },
     [](long double w, long double) { return 1.5L * std::cbrt(w * w); }},
    {[](T x, T strength, T, T step) { return ops::prox_l_two_thirds<T>{strength, step}(x); },
     [](long double z, long double) { return std::cbrt(z * z); },
     [](long double w, long double) { return 2 * std::pow(2 * w / 3, 0.75L); }},
    {[](T x, T strength, T e, T step) { return ops::prox_log_sum<T>{strength, e, step}(x); },
     [](long double z, long double e) { return std::log1p(z / e); },
     [](long double w, long double e) {
       return std::min(w / e, std::sqrt(2 * w * (1 + std::log1p(std::sqrt(w) / e))));
     }},
};

TEST_CASE_TEMPLATE("no other point has a smaller objective", T, float, double) {
  constexpr int points = 64;
  Random random(2);
  const int exponents = std::numeric_limits<T>::max_exponent / 4;
  for (int i = 0; i < 6000; ++i) {
    const Case<T>& with = kCases<T>[i % 3];
    const int range = i % 2 ? 4 : exponents;
    const T strength = any_size<T>(random, range), step = any_size<T>(random, range);
    const long double weight = (long double)strength * step;
    const T epsilon = i % 4 == 0 ? any_size<T>(random, range)
                                 : static_cast<T>(std::sqrt(weight) * any_size<T>(random, 4));
    const T x = static_cast<T>(with.interesting(weight, epsilon) * any_size<T>(random, 2));
    if (!(x > T(0) && x <= ops::largest<T>() && epsilon > T(0))) continue;
    const auto objective = [&](long double z) {  // less ½x²
      return z * (0.5L * z - x) + weight * with.penalty(z, epsilon);
    };
    const T result = with.prox(x, strength, epsilon, step);
    const long double least = objective(result);
    const long double rounding = std::numeric_limits<T>::epsilon() * ((long double)x * x);
    CAPTURE(i);
    REQUIRE(result >= T(0));
    REQUIRE(result <= x);
    REQUIRE(least <= rounding);  // that of zero
    for (int p = 1; p <= points; ++p) {
      const long double z = p * (long double)x / points;
      REQUIRE(least <= objective(z) + rounding);
      REQUIRE(least <= objective(std::fabs(result + (z - x / 2) / (1 << p % 16))) + rounding);
    }
  }
}

TEST_CASE_TEMPLATE("a larger x has no smaller minimizer, and zero ends at the threshold", T, float,
                   double) {
  Random random(3);
  for (int i = 0; i < 600; ++i) {
    const Case<T>& with = kCases<T>[i % 3];
    const T strength = any_size<T>(random, 8), step = any_size<T>(random, 8);
    const T epsilon = any_size<T>(random, 8);
    T low = 0, high = T(4) * (with.interesting((long double)strength * step, epsilon) + epsilon);
    const auto result = [&](T x) { return with.prox(x, strength, epsilon, step); };
    REQUIRE(result(high) > T(0));
    for (T middle = high / 2; middle > low && middle < high; middle = low + (high - low) / 2) {
      (result(middle) == T(0) ? low : high) = middle;
    }
    T x = low, before = 0;
    for (int n = 0; n < 20; ++n) x = std::nextafter(x, T(0));
    for (int n = 0; n < 40; ++n) {
      const T now = result(x);
      REQUIRE(now >= before);
      if (now == T(0)) REQUIRE(x <= low);
      before = now;
      x = std::nextafter(x, high * 2);
    }
  }
}

// What the loop calls for one number for each parameter, and the exact minimizer.
template <template <class> class Op, class... P>
void check_floats(Random& random, P... params) {
  const Op<float> op{params...};
  const Op<double> exact{params...};
  const auto ready = prepared(op);
  const auto bits_of_jump = ops::bits_of(ready.jump);
  for (int n = 0; n < 24; ++n) {
    const auto bits = bits_of_jump + static_cast<std::uint32_t>(n) - 4;
    const float near =
        n < 8 ? ops::number_of<float>(bits) : ready.jump * any_size<float>(random, 12);
    const float x = n < 16 ? ops::absolute(near) : any_number<float>(random);
    if (!(x <= ops::largest<float>())) continue;
    CAPTURE(x);
    REQUIRE(ops::bits_of(ready(x) + 0.0f) == ops::bits_of(op(x) + 0.0f));
    REQUIRE(ready(-x) == -op(x));
    const double z = exact(x);
    REQUIRE((ready(x) == 0.0f) == (static_cast<float>(z) == 0.0f));
    REQUIRE(units(ready(x), z) < 0.51L);
  }
}

TEST_CASE("floats over all exponents: exact to rounding, and the jump is the same once prepared") {
  Random random(7);
  for (int i = 0; i < 6000; ++i) {
    const auto any = [&] {
      return i % 2 ? any_size<float>(random, i % 4 == 1 ? 4 : 60) : any_number<float>(random);
    };
    const float strength = any(), step = any();
    // Where the objective begins not to be convex: epsilon² = step·strength.
    const double bend = std::sqrt(double(strength) * step) * any_size<double>(random, 1 + i % 6);
    const float epsilon = i % 3 ? static_cast<float>(bend) : any();
    CAPTURE(i);
    CAPTURE(strength);
    CAPTURE(step);
    CAPTURE(epsilon);
    check_floats<ops::prox_l_half>(random, strength, step);
    check_floats<ops::prox_l_two_thirds>(random, strength, step);
    if (!(epsilon > 0.0f && epsilon <= ops::largest<float>())) continue;
    check_floats<ops::prox_log_sum>(random, strength, epsilon, step);
  }
}

TEST_CASE_TEMPLATE("ties, zeros, infinities and NaN", T, float, double) {
  const T infinity = std::numeric_limits<T>::infinity();
  CHECK(ops::prox_l_half<T>{1, 1}(T(1.5)) == T(0));
  CHECK(ops::prox_l_half<T>{1, 1}(std::nextafter(T(1.5), T(2))) > T(0.99));
  CHECK(ops::prox_l_two_thirds<T>{T(1.5), 1}(T(2)) == T(0));
  CHECK(ops::prox_l_two_thirds<T>{T(1.5), 1}(std::nextafter(T(2), T(3))) > T(0.99));
  CHECK(ops::prox_log_sum<T>{1, 1, 1}(T(1)) == T(0));
  const T numbers[] = {T(0), std::numeric_limits<T>::denorm_min(), T(1) / 3, ops::largest<T>(),
                       infinity};
  for (const Case<T>& with : kCases<T>) {
    for (const T x : numbers) {
      for (const T other : {T(0), T(1), ops::largest<T>(), infinity}) {
        CHECK(with.prox(x, 0, 1, other) == x);
        CHECK(with.prox(-x, other, 1, 0) == -x);
        CHECK(with.prox(-x, infinity, 1, other) == (other == T(0) ? -x : T(0)));
        CHECK_FALSE(std::signbit(with.prox(-x, infinity, 1, 1)));
      }
      CHECK(with.prox(infinity, x, 1, 1) == (x == infinity ? T(0) : infinity));
    }
    for (const T strength : numbers) {
      CHECK(std::isnan(with.prox(std::numeric_limits<T>::quiet_NaN(), strength, 1, 1)));
    }
  }
  for (const T x : numbers) CHECK(ops::prox_log_sum<T>{1, infinity, 1}(x) == x);
}

TEST_CASE("terms of penalties are exact to rounding, alone and in vectors") {
  Random random(4);
  using Doubles = Vector<double>;
  const auto check = [](auto penalty, double w, long double exact) {
    double term[1];
    Doubles terms[1];
    penalty.terms(-w, term);
    penalty.terms(Doubles{} - w, terms);
    CHECK(units(term[0], exact) < 2.0L);
    const double of_vector = terms[0][0];
    CHECK(of_vector == term[0]);
  };
  for (int i = 0; i < 3000; ++i) {
    const double w = i % 2 ? any_number<double>(random) : any_size<double>(random, 20);
    const double e = i % 2 ? any_number<double>(random) : any_size<double>(random, 20);
    const long double root = std::cbrt((long double)w);
    check(ops::l_half_penalty{1}, w, std::sqrt((long double)w));
    check(ops::l_two_thirds_penalty{1}, w, root * root);
    check(ops::log_sum_penalty{1, e}, w, std::log1p((long double)w / e));
  }
}

template <class T>
Complex<T> shrink(T threshold, T real, T imaginary) {
  ops::soft_threshold<T>{threshold}(real, imaginary);
  return {real + T(0), imaginary + T(0)};  // as drivers do
}

TEST_CASE_TEMPLATE("complex numbers are shortened by the threshold", T, float, double) {
  Random random(5);
  for (int i = 0; i < 20000; ++i) {
    const T a = i % 2 ? any_number<T>(random) : any_size<T>(random, 3);
    const T b = i % 2 ? any_number<T>(random) : any_size<T>(random, 3);
    const long double r = std::hypot((long double)a, (long double)b);
    const T t = static_cast<T>(r * any_size<double>(random, 1));
    if (!(t <= ops::largest<T>())) continue;
    const long double factor = std::max(0.0L, 1 - t / r);
    if (factor > 0 && factor < 0x1p-7L) continue;  // where long double is not exact enough
    const Complex<T> z = shrink(t, a, -b);
    const long double limit = sizeof(T) == 8 ? 4.2L : 0.52L;
    CHECK(units(z.real, factor * a) < limit);
    CHECK(units(z.imaginary, factor * -b) < limit);
  }
}

TEST_CASE_TEMPLATE("complex zeros, infinities, NaN and the threshold itself", T, float, double) {
  const T infinity = std::numeric_limits<T>::infinity();
  const T nan = std::numeric_limits<T>::quiet_NaN();
  for (const T t : {T(0), T(5), infinity}) {
    for (const auto& [a, b] : {std::pair{nan, T(1)}, {T(1), nan}, {infinity, nan}}) {
      CHECK(std::isnan(shrink(t, a, b).real));
      CHECK(std::isnan(shrink(t, a, b).imaginary));
    }
    CHECK(shrink(t, T(0), T(-0.0)).real == T(0));
  }
  CHECK(shrink(T(0), T(3), T(-4)).imaginary == T(-4));
  CHECK(shrink(T(5), T(3), T(-4)).real == T(0));
  CHECK_FALSE(std::signbit(shrink(T(5), T(3), T(-4)).imaginary));
  const T below = std::nextafter(T(5), T(0));
  CHECK(units(shrink(below, T(3), T(-4)).real, (5.0L - below) / 5 * 3) < 4.2L);
  CHECK(shrink(T(5), infinity, T(-4)).real == infinity);
  CHECK(shrink(T(5), infinity, T(-4)).imaginary == T(-4));
  CHECK(shrink(infinity, T(3), T(-4)).real == T(0));
  CHECK(std::isnan(shrink(infinity, infinity, T(-4)).real));
}

template <class T>
struct Arguments {
  std::vector<T> array[4];
  Arguments() {
    Random random(6);
    for (int i = 0; i < 3001; ++i) {
      const bool any = i % 3 == 0;
      for (auto& values : array) {
        values.push_back(any ? any_number<T>(random) : any_size<T>(random, 2));
      }
      if (i % 2) array[0].back() = -array[0].back();
    }
  }
};

template <class T>
std::vector<ops::BitsOf<T>> bits_of_results(Formula<T> formula, int name) {
  static const Arguments<T> arguments;
  std::vector<T> x = arguments.array[0];
  if (name <= kLogOfOnePlus) {
    for (T& value : x) value = ops::absolute(value);
  }
  const T* const argument[] = {x.data(), arguments.array[1].data(), arguments.array[2].data(),
                               arguments.array[3].data()};
  std::vector<T> out(x.size());
  formula(argument, out.data(), out.size());
  std::vector<ops::BitsOf<T>> bits;
  for (const T value : out) bits.push_back(ops::bits_of(value));
  return bits;
}

template <class T>
Formula<T> formula_of(const Formulas& with, int name) {
  if constexpr (sizeof(T) == 4) {
    return with.of_floats[name];
  } else {
    return with.of_doubles[name];
  }
}

// What the bits of all results must be, with every compiler and processor: those that gcc 12 gave.
template <class T>
constexpr std::uint64_t kFingerprint = sizeof(T) == 4 ? 5258090442358124857u : 6276790017099270093u;

TEST_CASE_TEMPLATE("the same bits with every instruction set, compiler and optimization", T, float,
                   double) {
  std::uint64_t fingerprint = 0;
  for (int name = 0; name < kFormulas; ++name) {
    CAPTURE(name);
    const auto expected = bits_of_results(formula_of<T>(unoptimized_formulas(), name), name);
    for (const auto bits : expected) fingerprint = fingerprint * 0x9e3779b97f4a7c15 + bits;
    for (int i = 0; i < instruction_set_count(); ++i) {
      if (!instruction_set(i).supported()) continue;
      CAPTURE(std::string(instruction_set(i).name));
      CHECK(bits_of_results(formula_of<T>(formulas(i), name), name) == expected);
    }
  }
  CHECK(fingerprint == kFingerprint<T>);
}

}  // namespace
}  // namespace bridle::test
