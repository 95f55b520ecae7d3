// The functions of the C++ package, all of the list, against loops over the formulas.
#include <doctest/doctest.h>

#include "public.hpp"

namespace bridle::test {
namespace {

template <template <class> class Op, class T, std::size_t... P>
void check_elementwise(std::index_sequence<P...>) {
  const Op<T> op{static_cast<T>(sample(Op<T>::params[P].rule, P))...};
  const auto function = [](std::span<const T> x, std::span<T> out) {
    Elementwise<Op>{}(x, static_cast<T>(sample(Op<T>::params[P].rule, P))..., out);
  };
  CAPTURE(Op<T>::name);
  for (const std::size_t size : kSizes) {
    CAPTURE(size);
    const std::vector<T> x = values<T>(size);
    std::vector<T> expected(size), out(size), in_place = x;
    for (std::size_t i = 0; i < size; ++i) {
      expected[i] = kKeepsZeros<Op<T>> ? op(x[i]) : op(x[i]) + T(0);
    }
    function(x, out);
    CHECK(first_difference(out, expected) == size);
    function(in_place, in_place);
    CHECK(first_difference(in_place, expected) == size);
  }
}

template <class Op>
void add_terms(const Op& op, double w, double (&term)[Op::sums]) {
  if constexpr (kHasBeside<Op>) {
    op.terms(w, sample(Op::params[0].rule, 0), term);
  } else {
    op.terms(w, term);
  }
}

template <class Op, class T, std::size_t... P>
void check_penalty(std::index_sequence<P...>) {
  const Op op{sample(Op::params[P].rule, P)...};
  CAPTURE(Op::name);
  for (const std::size_t size : kSizes) {
    CAPTURE(size);
    std::vector<T> w(size);
    for (std::size_t i = 0; i < size; ++i) w[i] = T(i % 9) - T(4);
    double sums[Op::sums] = {}, term[Op::sums];
    for (const T weight : w) {
      add_terms(op, static_cast<double>(weight), term);
      for (int s = 0; s < Op::sums; ++s) sums[s] += term[s];
    }
    const double expected = op.finish(sums);  // but for the order of addition
    const double actual = Penalty<Op>{}(w, sample(Op::params[P].rule, P)...);
    CHECK((actual == expected || std::abs(actual - expected) <= 1e-10 * std::abs(expected)));
  }
}

// Every bad number of each parameter, the others being good.
template <template <class> class Op, class T, std::size_t... P>
void check_bad_parameters(std::index_sequence<P...>) {
  const std::vector<T> before = values<T>(70);
  const T nan = std::numeric_limits<T>::quiet_NaN();
  for (std::size_t bad = 0; bad < sizeof...(P); ++bad) {
    const Param& param = Op<T>::params[bad];
    for (const auto& [number, text] : {std::pair(T(-0.5), "-0.5"), {T(-2), "-2.0"}, {nan, "nan"}}) {
      if (keeps(param.rule, static_cast<double>(number), 0.3)) continue;
      std::vector<T> w = before;
      const std::string message = refusal([&] {
        Elementwise<Op>{}(w, (P == bad ? number : T(sample(Op<T>::params[P].rule, P)))..., w);
      });
      std::string before_it, its_value;
      if (looks_back(param.rule)) {
        const Param& previous = Op<T>::params[bad - 1];
        before_it = previous.name;
        const auto value = static_cast<T>(sample(previous.rule, bad - 1));
        if (!std::isnan(number)) its_value = " with " + before_it + " " + detail::text_of(value);
      }
      CHECK(message == std::string(Op<T>::name) + ": " + param.name + " must be " +
                           describe_rule(param.rule) + before_it + ", got " + text + its_value);
      CHECK(first_difference(w, before) == w.size());
    }
  }
}

template <template <class> class... Op>
void for_each_type(MapList<Op...>, const auto& check) {
  (check.template operator()<Op, float>(detail::Parameters<Op<float>>{}), ...);
  (check.template operator()<Op, double>(detail::Parameters<Op<double>>{}), ...);
}

template <class... Op>
void check_penalties(ReduceList<Op...>) {
  (check_penalty<Op, float>(detail::Parameters<Op>{}), ...);
  (check_penalty<Op, double>(detail::Parameters<Op>{}), ...);
}

TEST_CASE("elementwise functions give the bits of the formula, in place and out of place") {
  for (const int threads : {1, 2, 3}) {
    set_num_threads(threads);
    for_each_type(MapOps{}, []<template <class> class Op, class T>(auto parameters) {
      check_elementwise<Op, T>(parameters);
    });
  }
}

TEST_CASE("penalties are the sums of the terms") { check_penalties(ReduceOps{}); }

TEST_CASE("a bad parameter is named, and nothing is written") {
  for_each_type(MapOps{}, []<template <class> class Op, class T>(auto parameters) {
    check_bad_parameters<Op, T>(parameters);
  });
  const std::vector<float> w(3, 1.0f);
  CHECK(refusal([&] { l1_penalty(w, -1e-5); }) == "l1_penalty: strength must be >= 0, got -1e-05");
  CHECK(refusal([&] { elastic_net_penalty(w, 1.0, NAN); }) ==
        "elastic_net_penalty: l2 must be >= 0, got nan");
}

TEST_CASE("vectors, arrays, spans and numbers of another type are taken as they come") {
  std::vector<float> w = {-3.0f, 0.5f, 2.0f};
  soft_threshold(w, 1.0f, w);
  CHECK(w == std::vector<float>{-2.0f, 0.0f, 1.0f});
  double array[] = {1.0, -2.0}, out[2];
  prox_elastic_net(array, 0.5, 1, 0.5f, out);
  CHECK(out[0] == 0.375);
  CHECK(l1_penalty(w) == 3.0);
  CHECK(l2_penalty(std::span<const double>(array)) == 5.0);
  CHECK(elastic_net_penalty(array, 2, 1) == 11.0);
}

TEST_CASE("a strength of zero leaves its term out, whatever the sum") {
  const std::vector<double> w = {1e200, -INFINITY, NAN};
  for (std::size_t size = 1; size <= w.size(); ++size) {
    const std::span<const double> part(w.data(), size);
    CHECK(l1_penalty(part, 0) == 0.0);
    CHECK(l2_penalty(part, 0) == 0.0);
    CHECK(elastic_net_penalty(part, 0, 0) == 0.0);
  }
  CHECK(elastic_net_penalty(std::span(w).first(1), 0.5, 0) == 5e199);
}

TEST_CASE("out is x or apart from it, and as large") {
  const std::vector<double> before = values<double>(100);
  std::vector<double> w = before;
  const std::span<double> all(w);
  for (const std::size_t begin : {1u, 7u, 49u}) {
    const std::string said = refusal([&] { decay(all.first(50), 0.5, all.subspan(begin, 50)); });
    CHECK(said == "decay: out must be x or share no element with it");
    CHECK(refusal([&] { decay(all.subspan(begin, 50), 0.5, all.first(50)); }) == said);
  }
  CHECK(refusal([&] { decay(all.first(3), 0.5, all.last(4)); }) ==
        "decay: out must have as many elements as x, got 4 and 3");
  CHECK(first_difference(w, before) == w.size());
  CHECK(refusal([&] { decay(all.first(50), 0.5, all.last(50)); }) == "");
}

TEST_CASE("the message prints a number as Python does") {
  std::vector<double> w(1);
  const auto printed = [&](double bad) {
    const std::string message = refusal([&] { decay(w, bad, w); });
    return message.substr(message.find("got ") + 4);
  };
  CHECK(printed(2) == "2.0");
  CHECK(printed(-0.1) == "-0.1");
  CHECK(printed(-100000) == "-100000.0");
  CHECK(printed(1e15) == "1000000000000000.0");
  CHECK(printed(1e16) == "1e+16");
  CHECK(printed(-0.0001) == "-0.0001");
  CHECK(printed(-0.00001234) == "-1.234e-05");
  CHECK(printed(-5e-324) == "-5e-324");
  CHECK(printed(-INFINITY) == "-inf");
  CHECK(printed(-NAN) == "nan");
}

TEST_CASE("threads are one setting for the process") {
  set_num_threads(3);
  CHECK(get_num_threads() == 3);
  CHECK(refusal([] { set_num_threads(0); }) ==
        "set_num_threads: n must be between 1 and 65535, got 0");
  CHECK(refusal([] { set_num_threads(65536); }) != "");
  CHECK(get_num_threads() == 3);
}

}  // namespace
}  // namespace bridle::test
