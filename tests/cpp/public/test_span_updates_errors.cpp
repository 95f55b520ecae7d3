// What the fused updates of the C++ package refuse: in the words of the Python functions, and with
// nothing written.
#include <doctest/doctest.h>

#include "public.hpp"

namespace bridle::test {
namespace {

struct Operands {
  std::vector<double> w = std::vector<double>(70, 1.0), gradient = w, toward = w, state[2] = {w, w};
  bool operator==(const Operands&) const = default;
};

using A = Operands;
using O = UpdateOptions;

// The message of a call that must write nothing.
template <class Call>
std::string said(const Call& call) {
  A arrays;
  const A before = arrays;
  std::string message = refusal([&] { call(arrays); });
  CHECK(arrays == before);
  return message;
}

std::string said_of_options(const O& options) {
  return said([&](A& a) { lion_update(a.w, a.gradient, a.state[0], 0.5, options); });
}

TEST_CASE("a bad number is named in the words of Python, and nothing is written") {
  CHECK(said([](A& a) { proximal_step(a.w, -1); }) == "proximal_step: step must be >= 0, got -1.0");
  const auto adamw = [](double lr, std::int64_t t, const AdamwOptions& options) {
    return said(
        [&](A& a) { adamw_update(a.w, a.gradient, a.state[0], a.state[1], lr, t, {}, options); });
  };
  CHECK(adamw(NAN, 1, {}) == "adamw_update: lr must be >= 0, got nan");
  CHECK(adamw(1, 0, {}) == "adamw_update: iteration must be >= 1, got 0");
  CHECK(adamw(1, 1, {.betas = {1.0, 0.5}}) ==
        "adamw_update: betas[0] must be >= 0 and < 1, got 1.0");
  CHECK(adamw(1, 1, {.betas = {0.5, -0.1}}) ==
        "adamw_update: betas[1] must be >= 0 and < 1, got -0.1");
  CHECK(adamw(1, 1, {.epsilon = -1}) == "adamw_update: epsilon must be >= 0, got -1.0");
  const auto ftrl = [](double lr, double beta) {
    return said([&](A& a) {
      ftrl_update(a.w, a.gradient, a.state[0], a.state[1], lr, {}, {.beta = beta});
    });
  };
  CHECK(ftrl(0, 1) == "ftrl_update: lr must be > 0, got 0.0");
  CHECK(ftrl(-0.5, 1) == "ftrl_update: lr must be >= 0, got -0.5");
  CHECK(ftrl(1, -1) == "ftrl_update: beta must be >= 0, got -1.0");
}

TEST_CASE("a bad option is named, and nothing is written") {
  CHECK(said_of_options({.l1 = -0.5}) == "lion_update: l1 must be >= 0, got -0.5");
  CHECK(said_of_options({.l2 = NAN}) == "lion_update: l2 must be >= 0, got nan");
  CHECK(said_of_options({.weight_decay = -1}) ==
        "lion_update: weight_decay must be >= 0, got -1.0");
  CHECK(said_of_options({.weight_decay = 4}) ==
        "lion_update: lr * weight_decay must be between 0 and 1, got 2.0");
  CHECK(said_of_options({.weight_decay = 1.5, .decay = Decay::full}) ==
        "lion_update: weight_decay must be between 0 and 1, got 1.5");
  CHECK(said_of_options({.grad_scale = NAN}) == "lion_update: grad_scale must not be NaN, got nan");
  for (const auto& [options, name] : {std::pair(O{.weight_decay = 1}, "weight_decay"),
                                      {O{.decay = Decay::full}, "decay"},
                                      {O{.cautious = true}, "cautious"},
                                      {O{.prox_step = ProxStep::scalar}, "prox_step"}}) {
    CHECK(said([&](A& a) { ftrl_update(a.w, a.gradient, a.state[0], a.state[1], 0.5, options); }) ==
          std::string("ftrl_update: ") + name + " must not be given");
  }
  CHECK(said([](A& a) { proximal_step(a.w, 0.5, {.grad_scale = 2}); }) ==
        "proximal_step: grad_scale must not be given");
}

TEST_CASE("a momentum and its buffer belong together") {
  CHECK(said([](A& a) { sgd_update(a.w, a.gradient, {}, 1, {}, {.momentum = 0.5}); }) ==
        "sgd_update: momentum_buffer must be given for momentum 0.5, got None");
  CHECK(said([](A& a) { sgd_update(a.w, a.gradient, a.state[0], 1); }) ==
        "sgd_update: momentum_buffer must be None for momentum 0.0, got one");
  CHECK(said([](A& a) { sgd_update(a.w, a.gradient, {}, 1, {}, {.nesterov = true}); }) ==
        "sgd_update: nesterov must be False without momentum, got True");
  CHECK(said([](A& a) { rmsprop_update(a.w, a.gradient, a.state[0], a.state[1], {}, 1); }) ==
        "rmsprop_update: momentum_buffer must be None for momentum 0.0, got one");
}

TEST_CASE("sizes must agree, and an array that is written overlaps no other") {
  CHECK(said([](A& a) { lion_update(a.w, std::span(a.gradient).first(69), a.state[0], 1); }) ==
        "lion_update: gradient must have the shape of w, got float64 of shape (69,)");
  CHECK(said([](A& a) { proximal_step(a.w, 1, {.toward = std::span(a.toward).first(1)}); }) ==
        "proximal_step: toward must have the shape of w, got float64 of shape (1,)");
  CHECK(said([](A& a) { lion_update(a.w, a.w, a.state[0], 1); }) ==
        "lion_update: gradient must share no memory with w, got arrays that overlap");
  CHECK(said([](A& a) {
          const std::span all(a.w);
          adagrad_update(all.first(40), std::span(a.gradient).first(40), all.last(40), 1);
        }) == "adagrad_update: accumulator must share no memory with w, got arrays that overlap");
  CHECK(said([](A& a) { proximal_step(a.w, 1, {.weight_decay = 0.5, .toward = a.w}); }) ==
        "proximal_step: toward must share no memory with w, got arrays that overlap");
  A a;
  CHECK(refusal([&] { lion_update(a.w, a.toward, a.state[0], 1, {.toward = a.toward}); }) == "");
}

}  // namespace
}  // namespace bridle::test
