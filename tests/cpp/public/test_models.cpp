// Whole models in C++: lists of arrays of several types in updates, norms, sums, averages, casts.
#include <doctest/doctest.h>

#include <algorithm>

#include "public.hpp"

namespace bridle::test {
namespace {

constexpr double kLr = 0.05;
constexpr std::size_t kSize = 5000;

std::vector<float> ordinary(std::size_t size, double phase) {
  std::vector<float> result(size);
  for (std::size_t i = 0; i < size; ++i) {
    result[i] = static_cast<float>(std::sin(phase + 3.0 * static_cast<double>(i)));
  }
  return result;
}

template <class To, class From>
std::vector<To> converted(const std::vector<From>& x, const Rounding& rounding = {}) {
  std::vector<To> result(x.size());
  cast(x, result, rounding);
  return result;
}

template <class T>
bool same(const std::vector<T>& a, const std::vector<T>& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(T)) == 0;
}

struct State {
  std::vector<float> first, second, third;

  explicit State(std::size_t size)
      : first(ordinary(size, 4)), second(ordinary(size, 5)), third(ordinary(size, 6)) {
    for (float& x : first) x = std::abs(x) + 0.5f;
    for (float& x : second) x = std::abs(x) + 0.5f;
    for (float& x : third) x *= 0.25f;
  }
};

using Update = UpdateSummary (*)(const Arrays& w, const ConstArrays& gradient, const Arrays& first,
                                 const Arrays& second, const Arrays& third,
                                 const UpdateOptions& options);

// Those that take every option, with all of the state that they have.
const Update kUpdates[] = {
    [](const Arrays& w, const ConstArrays& g, const Arrays& b, const Arrays&, const Arrays&,
       const UpdateOptions& o) { return sgd_update(w, g, b, kLr, o, {.momentum = 0.7}); },
    [](const Arrays& w, const ConstArrays& g, const Arrays& m, const Arrays& v, const Arrays&,
       const UpdateOptions& o) { return adamw_update(w, g, m, v, kLr, 7, o); },
    [](const Arrays& w, const ConstArrays& g, const Arrays& a, const Arrays&, const Arrays&,
       const UpdateOptions& o) { return adagrad_update(w, g, a, kLr, o); },
    [](const Arrays& w, const ConstArrays& g, const Arrays& v, const Arrays& b, const Arrays& a,
       const UpdateOptions& o) {
      return rmsprop_update(w, g, v, b, a, kLr, o, {.alpha = 0.9, .momentum = 0.7});
    },
    [](const Arrays& w, const ConstArrays& g, const Arrays& b, const Arrays&, const Arrays&,
       const UpdateOptions& o) { return lion_update(w, g, b, kLr, o); },
};

template <class Gradient, class Copy>
void check_types(Update update, const Rounding& rounding) {
  const auto gradient = converted<Gradient>(ordinary(kSize, 2));
  std::vector<float> w = ordinary(kSize, 1), expected = w;
  std::vector<Copy> copy(kSize);
  State state(kSize), wide(kSize);
  UpdateOptions options{.l1 = 0.1, .l2 = 0.2, .weight_decay = 0.5};
  const UpdateSummary wanted =
      update(expected, converted<float>(gradient), wide.first, wide.second, wide.third, options);
  options.copy_out = copy;
  options.rounding = rounding;
  CHECK(update(w, gradient, state.first, state.second, state.third, options) == wanted);
  CHECK(same(w, expected));
  CHECK(same(copy, converted<Copy>(expected, rounding)));
  CHECK(same(state.first, wide.first));
  CHECK(same(state.second, wide.second));
  CHECK(same(state.third, wide.third));
}

TEST_CASE("gradients and copies of any type are widened and rounded in the same pass") {
  const Rounding random = Rounding::stochastic(3, 5, 1ull << 40);
  for (const int threads : {1, 2}) {
    set_num_threads(threads);
    for (const Update update : kUpdates) {
      check_types<float, float>(update, {});
      for (const Rounding& rounding : {Rounding(), random}) {
        check_types<BFloat16, BFloat16>(update, rounding);
        check_types<Float16, BFloat16>(update, rounding);
        check_types<float, Float16>(update, rounding);
      }
    }
  }
}

TEST_CASE("half weights and state are rounded at random, each array for itself") {
  const Rounding random = Rounding::stochastic(3, 5, 7);
  auto w = converted<BFloat16>(ordinary(kSize, 1)), m = converted<BFloat16>(ordinary(kSize, 4));
  auto expected = converted<float>(w), moment = converted<float>(m);
  std::vector<float> v(kSize, 0.5f), square = v;
  const std::vector<float> gradient = ordinary(kSize, 2);
  adamw_update(w, gradient, m, v, kLr, 7, {.rounding = random});
  adamw_update(expected, gradient, moment, square, kLr, 7);
  CHECK(same(w, converted<BFloat16>(expected, random)));
  CHECK(same(v, square));
  const auto nearest = converted<BFloat16>(moment);
  std::size_t moved = 0;
  for (std::size_t i = 0; i < kSize; ++i) {
    CHECK(std::abs(int{m[i].bits} - int{nearest[i].bits}) <= 1);
    moved += m[i].bits != nearest[i].bits;
  }
  CHECK(moved > kSize / 10);
}

TEST_CASE("a list is its arrays one by one, each with numbers of its own") {
  const double rates[] = {0.1, 0.02}, l1[] = {0.0, 0.3}, l2[] = {0.1, 0.0}, decay[] = {0.5, 0.0};
  std::vector<std::vector<float>> w = {ordinary(kSize, 1), ordinary(70, 2)}, one = w;
  const std::vector<float> toward[] = {ordinary(kSize, 7), ordinary(70, 8)};
  const auto half = converted<BFloat16>(ordinary(kSize, 3));
  const std::vector<float> gradient = ordinary(70, 4);
  std::vector<std::vector<float>> b = {ordinary(kSize, 5), ordinary(70, 6)}, buffer = b;
  const UpdateSummary summary = lion_update(
      w, {half, gradient}, {b[0], b[1]}, 1e9,
      {.toward = toward, .each = {.lr = rates, .l1 = l1, .l2 = l2, .weight_decay = decay}});
  UpdateSummary wanted{0.0, 0, true};
  for (const std::size_t i : {0, 1}) {
    const UpdateOptions options{
        .l1 = l1[i], .l2 = l2[i], .weight_decay = decay[i], .toward = toward[i]};
    const ConstArrays own = i == 0 ? ConstArrays(half) : ConstArrays(gradient);
    const UpdateSummary part = lion_update(one[i], own, buffer[i], rates[i], options);
    wanted.penalty += part.penalty;
    wanted.nonzeros += part.nonzeros;
    CHECK(same(w[i], one[i]));
    CHECK(same(b[i], buffer[i]));
  }
  CHECK(summary == wanted);
}

TEST_CASE("the columns of a wider matrix are worked on where they lie") {
  constexpr std::size_t rows = 9, length = 70, stride = 75;
  std::vector<float> matrix = ordinary(rows * stride, 1), w, gradient = ordinary(rows * length, 2);
  const std::vector<float> before = matrix;
  for (std::size_t i = 0; i < rows; ++i) {
    w.insert(w.end(), &matrix[i * stride], &matrix[i * stride] + length);
  }
  const Array seen = Array::rows(matrix, rows, length, stride);
  CHECK(global_norm(seen) == global_norm(w));
  sgd_update(seen, ConstArray::rows(gradient, rows, length, length), {}, kLr, {.l1 = 0.1});
  sgd_update(w, gradient, {}, kLr, {.l1 = 0.1});
  for (std::size_t i = 0; i < rows * stride; ++i) {
    const std::size_t row = i / stride, column = i % stride;
    CHECK(matrix[i] == (column < length ? w[row * length + column] : before[i]));
  }
  CHECK(refusal([&] { Array::rows(matrix, rows, length, stride + 1); }) ==
        "rows: the last row must end within the span, got 9 of 70 elements, 76 apart, in 675");
}

TEST_CASE("a regularizer follows the update") {
  std::vector<float> w = ordinary(kSize, 1), expected = w;
  const std::vector<float> gradient = ordinary(kSize, 2);
  const Regularizer mcp[] = {{"prox_mcp", {0.5, 3.0, NAN}, "mcp_penalty", {0.5, 3.0}}};
  const UpdateSummary summary = sgd_update(w, gradient, {}, kLr, {.regularizer = mcp});
  sgd_update(expected, gradient, {}, kLr);
  prox_mcp(expected, 0.5f, 3.0f, static_cast<float>(kLr), expected);
  CHECK(same(w, expected));
  CHECK(summary.penalty == mcp_penalty(w, 0.5, 3.0));
  CHECK(refusal([&] {
          const Regularizer two[2] = {mcp[0], mcp[0]};
          sgd_update(w, gradient, {}, kLr, {.regularizer = two});
        }) == "sgd_update: regularizer must be one for each array, got 2 for 1");
}

TEST_CASE("a norm is that of all arrays, and clips without writing") {
  const std::vector<double> x = {3.0, 0.0};
  const auto half = converted<Float16>(std::vector<float>{-4.0f});
  const GlobalNorm norm = global_norm({x, half});
  CHECK(norm == GlobalNorm{5.0, 4.0, true});
  CHECK(norm.clip_scale(1.0) == 0.2);
  CHECK(norm.clip_scale(5.0) == 1.0);
  CHECK(global_norm({x, half}, -2.0) == GlobalNorm{10.0, 8.0, true});
  CHECK(global_norm(ConstArrays{}) == GlobalNorm{0.0, 0.0, true});
  const GlobalNorm infinite = global_norm(std::vector<float>{1.0f, -INFINITY});
  CHECK_FALSE(infinite.finite);
  CHECK(refusal([&] { infinite.clip_scale(1.0); }) ==
        "clip_scale: the norm must be finite, got inf");
  CHECK(refusal([&] { norm.clip_scale(NAN); }) == "clip_scale: max_norm must be >= 0, got nan");
  CHECK(refusal([&] { global_norm(x, NAN); }) == "global_norm: scale must not be NaN, got nan");
}

TEST_CASE("clipping writes where the norm is too large") {
  std::vector<double> x = {3.0}, y = {4.0};
  CHECK(clip_by_global_norm({x, y}, 5.0).l2 == 5.0);
  CHECK(x[0] == 3.0);
  CHECK(clip_by_global_norm({x, y}, 1.0).l2 == 5.0);
  CHECK(x[0] == 3.0 * 0.2);
  CHECK(y[0] == 4.0 * 0.2);
  x[0] = NAN;
  CHECK(refusal([&] { clip_by_global_norm({x, y}, 1.0); }) ==
        "clip_by_global_norm: the norm must be finite, got nan");
}

TEST_CASE("sums, averages and casts") {
  std::vector<float> total = {1.0f, 2.0f};
  const auto half = converted<BFloat16>(std::vector<float>{4.0f, -2.0f});
  accumulate(total, half, 0.5);
  CHECK(total == std::vector{3.0f, 1.0f});
  average_update(total, half, 0.75);
  CHECK(total == std::vector{3.25f, 0.25f});
  std::vector<double> wide(2);
  std::vector<Float16> narrow(2);
  cast({half, total}, {wide, narrow});
  CHECK(wide == std::vector{4.0, -2.0});
  CHECK(narrow[0].bits == 0x4280);  // 3.25
  CHECK(narrow[1].bits == 0x3400);  // 0.25
}

TEST_CASE("what does not fit is refused in the words of Python, and nothing is written") {
  std::vector<float> x(7, 1.0f), y = x;
  std::vector<double> d(7, 1.0);
  std::vector<BFloat16> half(7);
  const auto list = [](auto&... array) { return Arrays{array...}; };
  CHECK(refusal([&] { accumulate(list(x, y), list(d)); }) ==
        "accumulate: gradient must be a list of 2 arrays, as total is, got 1 in a list");
  CHECK(refusal([&] { accumulate(x, list(y)); }) ==
        "accumulate: gradient must be an array, as total is, got 1 in a list");
  CHECK(refusal([&] { accumulate(list(x, y), half); }) ==
        "accumulate: gradient must be a list of 2 arrays, as total is, got an array");
  CHECK(refusal([&] { accumulate(x, d); }) ==
        "accumulate: gradient must be float16, bfloat16 or float32, as total is float32, got "
        "float64 of shape (7,)");
  CHECK(refusal([&] { accumulate(x, y, NAN); }) == "accumulate: scale must not be NaN, got nan");
  CHECK(refusal([&] { average_update(half, x, 0.5); }) ==
        "average_update: average must be float32 or float64, as a half loses the small steps of "
        "an average, got bfloat16 of shape (7,)");
  CHECK(refusal([&] { average_update(x, y, 1.5); }) ==
        "average_update: decay must be >= 0 and <= 1, got 1.5");
  CHECK(refusal([&] { cast(x, y, Rounding::stochastic(1, 2)); }) ==
        "cast: out must be float16 or bfloat16 where rounding is 'stochastic', got float32 of "
        "shape (7,)");
  CHECK(refusal([&] { cast(x, x); }) ==
        "cast: out must share no memory with x, got arrays that overlap");
  CHECK(refusal([&] { sgd_update(x, d, {}, 1); }) ==
        "sgd_update: gradient must be of type float16, bfloat16 or float32, as w is not float64, "
        "got float64 of shape (7,)");
  CHECK(refusal([&] { lion_update(x, y, half, 1); }) ==
        "lion_update: momentum_buffer must be float32 unless rounding is 'stochastic', since "
        "rounding to nearest loses small changes, got bfloat16 of shape (7,)");
  CHECK(refusal([&] { sgd_update(x, y, {}, 1, {.rounding = Rounding::stochastic(1, 2)}); }) ==
        "sgd_update: rounding must be 'nearest' unless w, state or copy_out is float16 or "
        "bfloat16, got 'stochastic'");
  const double two[] = {0.1, -1.0};
  CHECK(refusal([&] { sgd_update(x, y, {}, 1, {.each = {.l1 = two}}); }) ==
        "sgd_update: l1 must be a number, or one for each array of a list, got 2 for one array");
  std::vector<float> z = x;
  CHECK(refusal([&] { sgd_update(list(x, y), {z, half}, {}, 1, {.each = {.lr = two}}); }) ==
        "sgd_update: lr[1] must be >= 0, got -1.0");
  CHECK(x == std::vector<float>(7, 1.0f));
}

}  // namespace
}  // namespace bridle::test
