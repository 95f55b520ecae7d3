// The functions of slices of the C++ package, all of the list, against the driver.
#include <doctest/doctest.h>

#include <algorithm>

#include "drivers/slices.hpp"
#include "public.hpp"

namespace bridle::test {
namespace {

using Numbers = std::vector<double>;
using Places = std::vector<std::int64_t>;

double sample_of(const Param& param, std::size_t i) {
  return param.whole ? 2.0 * static_cast<double>(i + 1) : sample(param.rule, i);
}

// One that keeps the rules of all arrays.
Numbers array_of(const ArrayParam& param, std::size_t length) {
  Numbers numbers(param.name ? length : 0);
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    numbers[i] = 1.5 - static_cast<double>(i) / static_cast<double>(length);
  }
  return numbers;
}

template <class T>
std::vector<T> ordinary(std::size_t size) {
  std::vector<T> x(size);
  for (std::size_t i = 0; i < size; ++i) x[i] = T(std::sin(static_cast<double>(7 * i + 1)) * 2);
  return x;
}

template <class Op, class T, class Indices = detail::Parameters<Op>>
struct Tried;
template <class Op, class T, std::size_t... P>
struct Tried<Op, T, std::index_sequence<P...>> {
  static constexpr SliceFunction<Op> function{};
  static constexpr bool measures = kIsMeasure<Op>;
  static constexpr bool has_array = kArrayOf<Op>.name != nullptr;

  // Writes out, or returns the penalty.
  template <class Vectors>
  static double call(const std::vector<T>& x, const Vectors& vectors, const Numbers& array,
                     std::vector<T>& out) {
    return call_with(x, vectors, array, out, sample_of(Op::params[P], P)...);
  }
  template <class Vectors>
  static double call_with(const std::vector<T>& x, const Vectors& vectors, const Numbers& array,
                          std::vector<T>& out, detail::Same<double, P>... parameter) {
    if constexpr (measures && has_array) {
      return function(x, vectors, array, parameter...);
    } else if constexpr (measures) {
      return function(x, vectors, parameter...);
    } else if constexpr (has_array) {
      return function(x, vectors, array, parameter..., out), 0.0;
    } else {
      return function(x, vectors, parameter..., out), 0.0;
    }
  }
  static double call_whole(const std::vector<T>& x, const Numbers& array, std::vector<T>& out) {
    if constexpr (measures && has_array) {
      return function(x, array, sample_of(Op::params[P], P)...);
    } else if constexpr (measures) {
      return function(x, sample_of(Op::params[P], P)...);
    } else if constexpr (has_array) {
      return function(x, array, sample_of(Op::params[P], P)..., out), 0.0;
    } else {
      return function(x, sample_of(Op::params[P], P)..., out), 0.0;
    }
  }

  static const SliceOperator& listed() {
    const SliceOperators all = slice_operators();
    return *std::ranges::find(all.begin(), all.end(), std::string_view(Op::name),
                              [](const SliceOperator& op) { return op.name; });
  }

  // What was found of the vectors, added up, and what all elements add to it.
  static double added_up(const std::vector<T>& x, const Numbers& found) {
    double total = 0.0;
    for (const double number : found) total += number;
    if constexpr (requires { typename Op::OfElements; }) {
      total += l1_penalty(x, sample_of(Op::params[0], 0));
    }
    return total;
  }

  static void check(double penalty, const std::vector<T>& out, const std::vector<T>& x,
                    const Numbers& found, const std::vector<T>& expected) {
    if (measures) {
      const double total = added_up(x, found);
      CHECK(std::abs(penalty - total) <= 1e-12 * total);
    } else {
      CHECK(first_difference(out, expected) == expected.size());
    }
  }

  static void check_slices(const Slices& slices) {
    CAPTURE(Op::name);
    const std::size_t size = slices.before * slices.length * slices.after;
    const std::vector<T> x = ordinary<T>(size);
    const Numbers array = array_of(kArrayOf<Op>, slices.length);
    const double given[] = {sample_of(Op::params[P], P)..., 0.0};
    const auto item = static_cast<std::ptrdiff_t>(sizeof(T));
    const std::size_t lengths[] = {slices.before, slices.after};
    const std::size_t strides[] = {slices.length * slices.after * sizeof(T), sizeof(T)};
    const Walk vectors(2, lengths, strides);
    const Walk elements(static_cast<std::ptrdiff_t>(slices.after) * item, slices.length);
    std::vector<T> expected = x, out(size), in_place = x;
    Numbers found(measures ? slices.before * slices.after : 0);
    char* const data = reinterpret_cast<char*>(expected.data());
    REQUIRE(apply_to_slices({.op = &listed(),
                             .dtype = sizeof(T) == 4 ? DType::float32 : DType::float64,
                             .x = data,
                             .x_vectors = vectors,
                             .x_elements = elements,
                             .out = data,
                             .out_vectors = vectors,
                             .out_elements = elements,
                             .count = slices.before * slices.after,
                             .length = slices.length,
                             .offsets = nullptr,
                             .given = given,
                             .weights = nullptr,
                             .beside = array.data(),
                             .numbers = measures ? found.data() : nullptr}));
    check(call(x, slices, array, out), out, x, found, expected);
    check(call(in_place, slices, array, in_place), in_place, x, found, expected);
    if (slices.before * slices.after > 1) return;
    std::fill(out.begin(), out.end(), T(9));
    check(call_whole(x, array, out), out, x, found, expected);
  }

  // Groups, which are the rows of a matrix, one of them left out by labels.
  static void check_groups() {
    CAPTURE(Op::name);
    constexpr std::size_t height = 30, width = 12;
    std::vector<T> x = ordinary<T>(height * width);
    for (std::size_t i = 0; i < x.size(); ++i) x[i] /= T(1 + i / width);  // long and short groups
    Places offsets, labels;
    Numbers weights;
    for (std::size_t i = 0; i <= height; ++i) {
      offsets.push_back(static_cast<std::int64_t>(i * width));
      if (i == height) break;
      weights.push_back(0.25 * static_cast<double>(i % 7));
      for (std::size_t j = 0; j < width; ++j) labels.push_back(static_cast<std::int64_t>(i));
    }
    const Slices rows = Slices::rows(height, width);
    for (const bool weighted : {false, true}) {
      const std::span<const double> given(weights.data(), weighted ? height : 0);
      std::vector<T> expected(x.size()), out(x.size());
      const double penalty = call(x, Groups(rows, given), {}, expected);
      CHECK(call(x, Groups::between(offsets, given), {}, out) == penalty);
      if (!measures) CHECK(first_difference(out, expected) == out.size());
      const double other = call(x, Groups::by_labels(labels, height, given), {}, out);
      CHECK(std::abs(other - penalty) <= 1e-12 * penalty);
      for (std::size_t i = 0; i < x.size() && !measures; ++i) {
        CHECK(std::abs(out[i] - expected[i]) <= std::abs(expected[i]) * T(1e-6));
      }
    }
    std::vector<T> weighted(x.size()), plain(x.size());
    const double some = call(x, Groups(rows, weights), {}, weighted);
    CHECK((some != call(x, rows, {}, plain) || weighted != plain));
  }

  static void check_refused() {
    CAPTURE(Op::name);
    const std::vector<T> before = ordinary<T>(24);
    const Slices rows = Slices::rows(2, 12);
    const Numbers array = array_of(kArrayOf<Op>, 12);
    std::vector<T> w = before;
    for (std::size_t bad = 0; bad < sizeof...(P); ++bad) {
      const Param& param = Op::params[bad];
      for (const double number : {-0.5, -2.0, double{NAN}, 2.5}) {
        double numbers[] = {sample_of(Op::params[P], P)..., 0.0};
        numbers[bad] = number;
        if (first_broken(Op::params, numbers) != bad) continue;
        const bool whole = param.whole && number != -2.0;
        const std::string said = refusal([&] { call_with(w, rows, array, w, numbers[P]...); });
        CHECK(said.find(std::string(Op::name) + ": " + param.name + " must be " +
                        (whole ? "a whole number" : describe_rule(param.rule))) == 0);
        CHECK(said.find(", got " + detail::text_of(param, number)) != std::string::npos);
        CHECK(first_difference(w, before) == w.size());
      }
    }
    const std::string name = std::string(Op::name) + ": ";
    CHECK(refusal([&] { call(w, Slices::rows(2, 8), array_of(kArrayOf<Op>, 8), w); }) ==
          name + "x must have as many elements as the slices, got 24 and 16");
    if (has_array) {
      CHECK(refusal([&] { call(w, rows, Numbers(11), w); }) ==
            name + kArrayOf<Op>.name + " must have as many elements as a vector, got 11 and 12");
    }
    CHECK(first_difference(w, before) == w.size());
  }
};

template <class... Op>
void for_each(SliceList<Op...>, const auto& check) {
  (check.template operator()<Tried<Op, float>>(), ...);
  (check.template operator()<Tried<Op, double>>(), ...);
}

template <class... Op>
void for_each_of_groups(SliceList<Op...>, const auto& check) {
  const auto tried = [&]<class One>() {
    if constexpr (kTakesGroups<One>) {
      check.template operator()<Tried<One, float>>();
      check.template operator()<Tried<One, double>>();
    }
  };
  (tried.template operator()<Op>(), ...);
}

TEST_CASE("functions of slices give the bits of the driver, in place and out of place") {
  for (const int threads : {1, 3}) {
    set_num_threads(threads);
    for (const Slices slices : {Slices::whole(0), Slices::whole(12), Slices::rows(9, 8),
                                Slices::columns(8, 9), Slices{3, 4, 5}, Slices::rows(3000, 40),
                                Slices::columns(40, 3000), Slices::whole(80'000)}) {
      for_each(SliceOps{}, [&]<class One>() {
        if (slices.length > 0 || !One::has_array) One::check_slices(slices);
      });
    }
  }
}

TEST_CASE("groups are slices, lie between offsets, or have labels") {
  for_each_of_groups(SliceOps{}, []<class One>() { One::check_groups(); });
}

TEST_CASE("what is not allowed is named, and nothing is written") {
  for_each(SliceOps{}, []<class One>() { One::check_refused(); });
}

TEST_CASE("messages of arrays, groups and lengths") {
  std::vector<double> x = {3.0, 4.0, 0.0, 1.0};
  const std::vector<double> before = x;
  const auto said = [&](const auto& call) {
    const std::string message = refusal(call);
    CHECK(x == before);
    return message;
  };
  CHECK(said([&] { prox_slope(x, Numbers{2, 1, 1.5, 0}, 1, x); }) ==
        "prox_slope: strengths must not increase, got 1.0 before 1.5");
  CHECK(said([&] { prox_slope(x, Numbers{2, 1, 1, -1}, 1, x); }) ==
        "prox_slope: strengths must be >= 0, got -1.0");
  CHECK(said([&] { project_halfspace(x, Numbers(4), 1, x); }) ==
        "project_halfspace: normal must not be zero, got 4 zeros");
  CHECK(said([&] { project_n_m(x, Slices::rows(2, 2), 2, 4, x); }) ==
        "project_n_m: the length of a vector must be a multiple of m, 4, got 2");
  CHECK(said([&] { project_n_m(x, 0, 0, x); }) == "project_n_m: m must be >= 1, got 0.0");
  const auto shrunk = [&](const Groups& groups) {
    return said([&] { group_soft_threshold(x, groups, 1, x); });
  };
  CHECK(shrunk({Slices::rows(2, 2), Numbers{1, -2}}) ==
        "group_soft_threshold: weights must be >= 0, got -2.0");
  CHECK(shrunk({Slices::rows(2, 2), Numbers{1}}) ==
        "group_soft_threshold: weights must have as many elements as there are groups, got 1 and "
        "2");
  CHECK(shrunk(Groups::between({})) == "group_soft_threshold: offsets must not be empty, got 0");
  CHECK(shrunk(Groups::between(Places{0, 3})) ==
        "group_soft_threshold: offsets must go from 0 to 4, got 0 to 3");
  CHECK(shrunk(Groups::between(Places{0, 3, 2, 4})) ==
        "group_soft_threshold: offsets must not decrease, got 3 before 2");
  CHECK(shrunk(Groups::by_labels(Places{0, 1, -1, 2}, 2)) ==
        "group_soft_threshold: labels must be below 2, got 2");
  CHECK(shrunk(Groups::by_labels(Places{0, 1, 1}, 2)) ==
        "group_soft_threshold: labels must have as many elements as x, got 3 and 4");
  const std::string overlaps =
      "group_soft_threshold: out must be x or share no memory with what "
      "is read";
  const std::span<double> all(x);
  CHECK(said([&] { group_soft_threshold(all.first(3), 1, all.last(3)); }) == overlaps);
  CHECK(said([&] {
          group_soft_threshold(all.first(2), Groups(Slices::rows(1, 2), all.last(1)), 1,
                               all.last(2));
        }) == overlaps);
  CHECK(said([&] { group_soft_threshold(all.first(3), 1, all.last(2)); }) ==
        "group_soft_threshold: out must have as many elements as x, got 2 and 3");
}

TEST_CASE("a step of one's own and an operator of slices are one pass over ranges of rows") {
  constexpr std::size_t height = 4000, width = 50;
  const std::vector<float> gradient = ordinary<float>(height * width);
  std::vector<float> expected(gradient.size(), 0.5f), w = expected;
  for (std::size_t i = 0; i < w.size(); ++i) expected[i] -= 0.25f * gradient[i];
  group_soft_threshold(expected, Slices::rows(height, width), 0.3, expected);
  const auto body = [&](std::size_t begin, std::size_t end) {
    const std::span<float> rows = std::span(w).subspan(begin * width, (end - begin) * width);
    for (std::size_t i = 0; i < rows.size(); ++i) rows[i] -= 0.25f * gradient[begin * width + i];
    group_soft_threshold(rows, Slices::rows(end - begin, width), 0.3, rows);
  };
  set_num_threads(3);
  bridle_parallel_for(
      height, 16, 300,
      [](const void* context, std::size_t begin, std::size_t end) {
        (*static_cast<decltype(body)*>(context))(begin, end);
      },
      &body);
  CHECK(first_difference(w, expected) == w.size());
}

TEST_CASE("a strength that is the only number of a penalty may be left out") {
  const std::vector<float> w = {3.0f, 4.0f, 0.0f, -2.0f};
  CHECK(l2_norm_penalty(w, Slices::rows(2, 2)) == 7.0);
  CHECK(group_l2_penalty(w, Groups::between(Places{0, 2, 4})) == 7.0);
  CHECK(total_variation_penalty(w) == 7.0);
  CHECK(linf_norm_penalty(w) == 4.0);
}

}  // namespace
}  // namespace bridle::test
