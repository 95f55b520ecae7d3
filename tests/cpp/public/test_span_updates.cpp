// The fused updates of the C++ package against their formulas, one element after another.
#include <doctest/doctest.h>

#include <algorithm>

#include "public.hpp"
#include "reference.hpp"

namespace bridle::test {
namespace {

constexpr double kLr = 0.05;

template <class T>
struct Operands {
  std::vector<T> w, gradient, toward, state[3];

  explicit Operands(std::size_t size) : w(size), gradient(size), toward(size) {
    const auto fill = [&](std::vector<T>& array, double phase) {
      array.resize(size);
      for (std::size_t i = 0; i < size; ++i) {
        array[i] = T(std::sin(phase + 3.0 * static_cast<double>(i)));
      }
    };
    fill(w, 1.0), fill(gradient, 2.0), fill(toward, 3.0);
    for (int s = 0; s < 3; ++s) {
      fill(state[s], 4.0 + s);
      for (T& x : state[s]) x = std::abs(x) + T(0.1);
    }
    for (T& x : state[2]) x = x / T(4);  // an average, the square of which is below that of squares
  }

  bool operator==(const Operands&) const = default;
};

template <class T>
struct Case {
  const char* name;
  std::vector<double> members;  // of the functor
  UpdateSummary (*update)(Operands<T>&, const UpdateOptions&);
};

// The members written down once more.
template <class T>
const std::vector<Case<T>>& cases() {
  using A = Operands<T>;
  using O = UpdateOptions;
  constexpr double b1 = 0.8, b2 = 0.95;
  static const std::vector<Case<T>> all = {
      {"sgd_update",
       {kLr, 0, 0, 1},
       [](A& a, const O& o) { return sgd_update(a.w, a.gradient, {}, kLr, o); }},
      {"sgd_update",
       {kLr, 0.7, 0, 1},
       [](A& a, const O& o) {
         return sgd_update(a.w, a.gradient, a.state[0], kLr, o, {.momentum = 0.7});
       }},
      {"sgd_update",
       {kLr, 0.7, 1, 0.7},
       [](A& a, const O& o) {
         return sgd_update(a.w, a.gradient, a.state[0], kLr, o,
                           {.momentum = 0.7, .nesterov = true});
       }},
      {"adamw_update",
       {kLr, b1, 1 - b1, b2, 1 - b2, 1 / (1 - std::pow(b1, 7)), 1 / std::sqrt(1 - std::pow(b2, 7)),
        1e-3},
       [](A& a, const O& o) {
         return adamw_update(a.w, a.gradient, a.state[0], a.state[1], kLr, 7, o,
                             {.betas = {b1, b2}, .epsilon = 1e-3});
       }},
      {"adagrad_update",
       {kLr, 1e-3},
       [](A& a, const O& o) {
         return adagrad_update(a.w, a.gradient, a.state[0], kLr, o, {.epsilon = 1e-3});
       }},
      {"rmsprop_update",
       {kLr, 0.9, 1 - 0.9, 1e-3, 0},
       [](A& a, const O& o) {
         return rmsprop_update(a.w, a.gradient, a.state[0], {}, {}, kLr, o,
                               {.alpha = 0.9, .epsilon = 1e-3});
       }},
      {"centered_rmsprop_update",
       {kLr, 0.9, 1 - 0.9, 1e-3, 0.7},
       [](A& a, const O& o) {
         return rmsprop_update(a.w, a.gradient, a.state[0], a.state[1], a.state[2], kLr, o,
                               {.alpha = 0.9, .epsilon = 1e-3, .momentum = 0.7});
       }},
      {"lion_update",
       {kLr, b1, 1 - b1, b2, 1 - b2},
       [](A& a, const O& o) {
         return lion_update(a.w, a.gradient, a.state[0], kLr, o, {.betas = {b1, b2}});
       }},
  };
  return all;
}

const UpdateOperator& find_operator(std::string_view name) {
  return *std::find_if(update_operators().begin(), update_operators().end(),
                       [&](const UpdateOperator& op) { return op.name == name; });
}

template <class T>
UpdateNumbers numbers_of(const Case<T>& test, const UpdateOptions& options) {
  UpdateNumbers numbers{};
  std::copy(test.members.begin(), test.members.end(), numbers.members);
  numbers.scale = options.grad_scale;
  const double rate = (options.decay == Decay::full ? 1.0 : kLr) * options.weight_decay;
  numbers.coupled = options.decay == Decay::coupled ? options.weight_decay : 0.0;
  numbers.keep = options.decay == Decay::coupled ? 1.0 : 1.0 - rate;
  numbers.l1 = options.l1;
  numbers.l2 = options.l2;
  numbers.size = kLr;
  numbers.cautious = options.cautious;
  return numbers;
}

// What becomes of the arrays, with the least that a kernel must do for the options. Without a
// buffer its momentum is zero, and forgotten.
template <class T>
Operands<T> expected_of(const Case<T>& test, const UpdateOptions& options,
                        const Operands<T>& before, const Operands<T>& touched) {
  Operands<T> arrays = before;
  const bool full = !options.toward.empty() || options.cautious || options.decay == Decay::coupled;
  const UpdateKind kind = full              ? UpdateKind::full
                          : options.l2 != 0 ? UpdateKind::elastic
                          : options.l1 != 0 ? UpdateKind::sparse
                                            : UpdateKind::plain;
  const UpdateOperator& op = find_operator(test.name);
  const UpdateForm form{kind, options.prox_step == ProxStep::adaptive};
  bool given[3];
  for (int s = 0; s < 3; ++s) given[s] = touched.state[s] != arrays.state[s];
  for (std::size_t i = 0; i < arrays.w.size(); ++i) {
    UpdateElement element{arrays.w[i],
                          arrays.gradient[i],
                          options.toward.empty() ? 0.0 : double(before.toward[i]),
                          {}};
    for (int s = 0; s < 3; ++s) {
      element.state[s] = given[s] ? double(arrays.state[s][i]) : 0.0;
    }
    op.apply[sizeof(T) == 8](numbers_of(test, options), form, element);
    arrays.w[i] = static_cast<T>(element.weight);
    for (int s = 0; s < 3; ++s) {
      if (given[s]) arrays.state[s][i] = static_cast<T>(element.state[s]);
    }
  }
  return arrays;
}

template <class T>
std::vector<UpdateOptions> option_sets(const Operands<T>& arrays) {
  return {{},
          {.l1 = 0.4, .weight_decay = 0.6},
          {.l1 = 0.2, .l2 = 0.3, .weight_decay = 0.6, .decay = Decay::full, .grad_scale = 0.5},
          {.l2 = 0.7, .prox_step = ProxStep::scalar},
          {.l1 = 0.2, .weight_decay = 0.3, .decay = Decay::coupled, .toward = arrays.toward},
          {.l1 = 0.2, .weight_decay = 0.3, .cautious = true, .toward = arrays.toward}};
}

template <class T>
void check_summary(const UpdateSummary& summary, const std::vector<T>& w,
                   const UpdateOptions& options) {
  const double penalty = elastic_net_penalty(w, options.l1, options.l2);
  CHECK(summary ==
        UpdateSummary{penalty,
                      static_cast<std::int64_t>(w.size()) - std::count(w.begin(), w.end(), T(0)),
                      true});
}

template <class T>
void check_updates(std::size_t size) {
  for (const Case<T>& test : cases<T>()) {
    CAPTURE(test.name);
    const Operands<T> before(size);
    for (const UpdateOptions& options : option_sets(before)) {
      Operands<T> arrays = before;
      const UpdateSummary summary = test.update(arrays, options);
      const Operands<T> expected = expected_of(test, options, before, arrays);
      CHECK(first_difference(arrays.w, expected.w) == size);
      for (int s = 0; s < 3; ++s) {
        CHECK(first_difference(arrays.state[s], expected.state[s]) == size);
      }
      CHECK(arrays.gradient == before.gradient);
      check_summary(summary, arrays.w, options);
    }
  }
}

TEST_CASE("updates give the bits of the formulas, for any number of threads") {
  for (const int threads : {1, 2, 3}) {
    set_num_threads(threads);
    for (const std::size_t size : {0, 1, 4097, 40'001}) {
      CAPTURE(size);
      check_updates<float>(size);
      check_updates<double>(size);
    }
  }
}

TEST_CASE("the proximal step and FTRL give the bits of the formulas") {
  Operands<float> a(4097);
  const Operands<float> before = a;
  const UpdateOptions options{.l1 = 0.4, .l2 = 0.1, .weight_decay = 0.6, .toward = before.toward};
  check_summary(proximal_step(a.w, kLr, options), a.w, options);
  const Case<float> step{"proximal_step", {kLr}, nullptr};
  CHECK(first_difference(a.w, expected_of(step, options, before, before).w) == a.w.size());
  a = before;
  const UpdateOptions strengths{.l1 = 0.4, .l2 = 0.1, .grad_scale = 0.5};
  const UpdateSummary summary =
      ftrl_update(a.w, a.gradient, a.state[0], a.state[1], kLr, strengths, {.beta = 0.3});
  check_summary(summary, a.w, strengths);
  const Case<float> ftrl{"ftrl_update", {1 / kLr, 0.3}, nullptr};
  const Operands<float> expected = expected_of(ftrl, strengths, before, a);
  CHECK(first_difference(a.w, expected.w) == a.w.size());
  CHECK(first_difference(a.state[0], expected.state[0]) == a.w.size());
  CHECK(first_difference(a.state[1], expected.state[1]) == a.w.size());
}

TEST_CASE("arrays, spans and temporary spans are taken as they come") {
  double w[] = {1.0, -0.05, 0.5};
  CHECK(proximal_step(w, 0.1, {.l1 = 1.0, .weight_decay = 1.0}) == UpdateSummary{1.15, 2, true});
  std::array<float, 2> weights = {1.0f, 2.0f}, accumulator = {};
  const float gradient[] = {3.0f, -1.0f};
  adagrad_update(std::span(weights), gradient, accumulator, 0.5);
  CHECK(weights == std::array{0.5f, 2.5f});
}

}  // namespace
}  // namespace bridle::test
