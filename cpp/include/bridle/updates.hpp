// Fused updates: a step of an optimizer with decay, proximal operator and a summary of the new
// weights, in place, in one pass over memory.
//
// With g the gradient times grad_scale, lr the learning rate and t = `toward`, or 0, a step is
//   decay:           w ← t + (1 − lr·weight_decay)·(w − t)     (Decay::decoupled)
//   update:          w ← w − lr·u                              u and the state as below
//   proximal step:   w ← prox_elastic_net(w, l1, l2, s)        s = lr, or as ProxStep tells
// With Decay::full the rate of the decay is weight_decay itself; with Decay::coupled it is
// g ← g + weight_decay·(w − t) instead.
//
// What holds for all of them: w is a mutable span of float or double, or what converts to one
// (std::vector, std::array, arrays); the other arrays have its type and size. Weights and state are
// read and written, by as many threads as the size is worth; gradient and toward are read. An array
// that is written shares no element with any other. Numbers are double; the bits are those of the
// Python functions. lr >= 0, in the units of weights over gradient.
// Throws std::invalid_argument, with nothing written, if sizes differ, arrays overlap, or a number
// is outside its range or NaN.
#pragma once

#include <bridle/span_updates.hpp>

namespace bridle {

struct SgdOptions {
  double momentum = 0.0;  // >= 0
  bool nesterov = false;  // needs a momentum
};

struct AdamwOptions {
  std::array<double, 2> betas = {0.9, 0.999};  // each >= 0 and < 1
  double epsilon = 1e-8;                       // >= 0
};

struct AdagradOptions {
  double epsilon = 1e-10;  // >= 0
};

struct RmspropOptions {
  double alpha = 0.99;    // >= 0 and < 1
  double epsilon = 1e-8;  // >= 0
  double momentum = 0.0;  // >= 0
};

struct LionOptions {
  std::array<double, 2> betas = {0.9, 0.99};  // each >= 0 and < 1
};

struct FtrlOptions {
  double beta = 1.0;  // smooths the first steps; >= 0
};

inline namespace BRIDLE_ISA {

// No gradient, u = 0: decay and proximal step of size step >= 0 alone. Of the options takes l1, l2,
// weight_decay and toward.
template <detail::Weights W, class T = detail::WeightOf<W>>
UpdateSummary proximal_step(W&& w, double step, const detail::Options<T>& options = {}) {
  using Op = ops::proximal_step<T>;
  return detail::run_update<Op, T>(w, options, std::tuple{}, std::tuple{step}, [&] {
    detail::check_not_given(Op::name, "decay", options.decay != Decay::decoupled);
    detail::check_not_given(Op::name, "cautious", options.cautious);
    detail::check_not_given(Op::name, "prox_step", options.prox_step != ProxStep::adaptive);
    detail::check_not_given(Op::name, "grad_scale", options.grad_scale != 1.0);
  });
}

// Stochastic gradient descent: b ← momentum·b + g; u = b, or (Nesterov) g + momentum·b. The buffer
// b, zeros at first, is empty if and only if there is no momentum.
template <detail::Weights W, class T = detail::WeightOf<W>>
UpdateSummary sgd_update(W&& w, detail::Read<T> gradient, detail::Written<T> momentum_buffer,
                         double lr, const detail::Options<T>& options = {},
                         const SgdOptions& sgd = {}) {
  using Op = ops::sgd_update<T>;
  const std::tuple others{
      detail::Operand{"gradient", gradient},
      detail::Operand{"momentum_buffer", momentum_buffer, detail::Need::optional}};
  const std::tuple numbers{lr, sgd.momentum, static_cast<int>(sgd.nesterov)};
  return detail::run_update<Op, T>(w, options, others, numbers, [&] {
    detail::check_buffer(Op::name, sgd.momentum, !momentum_buffer.empty());
    if (sgd.nesterov && sgd.momentum == 0.0) {
      detail::fail(Op::name, "nesterov must be False without momentum, got True");
    }
  });
}

// Adam, or with decoupled decay AdamW: m ← β1·m + (1 − β1)·g; v ← β2·v + (1 − β2)·g²;
// u = m / (1 − β1ᵗ) / (√v / √(1 − β2ᵗ) + epsilon), t = iteration >= 1. The moments m and v are
// zeros at first.
template <detail::Weights W, class T = detail::WeightOf<W>>
UpdateSummary adamw_update(W&& w, detail::Read<T> gradient, detail::Written<T> first_moment,
                           detail::Written<T> second_moment, double lr, std::int64_t iteration,
                           const detail::Options<T>& options = {}, const AdamwOptions& adamw = {}) {
  const std::tuple others{detail::Operand{"gradient", gradient},
                          detail::Operand{"first_moment", first_moment},
                          detail::Operand{"second_moment", second_moment}};
  const std::tuple numbers{lr, iteration, adamw.betas[0], adamw.betas[1], adamw.epsilon};
  return detail::run_update<ops::adamw_update<T>, T>(w, options, others, numbers, [] {});
}

// Adagrad: a ← a + g²; u = g / (√a + epsilon), a the accumulator.
template <detail::Weights W, class T = detail::WeightOf<W>>
UpdateSummary adagrad_update(W&& w, detail::Read<T> gradient, detail::Written<T> accumulator,
                             double lr, const detail::Options<T>& options = {},
                             const AdagradOptions& adagrad = {}) {
  const std::tuple others{detail::Operand{"gradient", gradient},
                          detail::Operand{"accumulator", accumulator}};
  const std::tuple numbers{lr, adagrad.epsilon};
  return detail::run_update<ops::adagrad_update<T>, T>(w, options, others, numbers, [] {});
}

// RMSProp: v ← alpha·v + (1 − alpha)·g²; b ← momentum·b + g / d; u = b. d = √v + epsilon or,
// centered, with a gradient average a ← alpha·a + (1 − alpha)·g that is not empty,
// d = √(v − a²) + epsilon. The buffer b is empty if and only if there is no momentum.
template <detail::Weights W, class T = detail::WeightOf<W>>
UpdateSummary rmsprop_update(W&& w, detail::Read<T> gradient, detail::Written<T> square_average,
                             detail::Written<T> momentum_buffer,
                             detail::Written<T> gradient_average, double lr,
                             const detail::Options<T>& options = {},
                             const RmspropOptions& rmsprop = {}) {
  using Op = ops::rmsprop_update<T>;
  const std::tuple others{
      detail::Operand{"gradient", gradient}, detail::Operand{"square_average", square_average},
      detail::Operand{"momentum_buffer", momentum_buffer, detail::Need::optional},
      detail::Operand{"gradient_average", gradient_average, detail::Need::optional}};
  const std::tuple numbers{lr, rmsprop.alpha, rmsprop.epsilon, rmsprop.momentum};
  return detail::run_update<Op, T>(w, options, others, numbers, [&] {
    detail::check_buffer(Op::name, rmsprop.momentum, !momentum_buffer.empty());
  });
}

// Lion: u = sign(β1·b + (1 − β1)·g); b ← β2·b + (1 − β2)·g, b the momentum buffer.
template <detail::Weights W, class T = detail::WeightOf<W>>
UpdateSummary lion_update(W&& w, detail::Read<T> gradient, detail::Written<T> momentum_buffer,
                          double lr, const detail::Options<T>& options = {},
                          const LionOptions& lion = {}) {
  const std::tuple others{detail::Operand{"gradient", gradient},
                          detail::Operand{"momentum_buffer", momentum_buffer}};
  const std::tuple numbers{lr, lion.betas[0], lion.betas[1]};
  return detail::run_update<ops::lion_update<T>, T>(w, options, others, numbers, [] {});
}

// FTRL-Proximal, which gives exact zeros online: z ← z + g − (√(a + g²) − √a) / lr·w; a ← a + g²;
// w = 0 where |z| <= l1, else −(z − sign(z)·l1) / ((beta + √a) / lr + 2·l2), z the linear term and
// a the accumulator, zeros at first. lr > 0. Of the options takes l1, l2 and grad_scale.
template <detail::Weights W, class T = detail::WeightOf<W>>
UpdateSummary ftrl_update(W&& w, detail::Read<T> gradient, detail::Written<T> linear,
                          detail::Written<T> accumulator, double lr,
                          const detail::Options<T>& options = {}, const FtrlOptions& ftrl = {}) {
  using Op = ops::ftrl_update<T>;
  const std::tuple others{detail::Operand{"gradient", gradient}, detail::Operand{"linear", linear},
                          detail::Operand{"accumulator", accumulator}};
  return detail::run_update<Op, T>(w, options, others, std::tuple{lr, ftrl.beta}, [&] {
    detail::check_not_given(Op::name, "weight_decay", options.weight_decay != 0.0);
    detail::check_not_given(Op::name, "decay", options.decay != Decay::decoupled);
    detail::check_not_given(Op::name, "cautious", options.cautious);
    detail::check_not_given(Op::name, "prox_step", options.prox_step != ProxStep::adaptive);
    detail::check_not_given(Op::name, "toward", !options.toward.empty());
  });
}

}  // namespace BRIDLE_ISA
}  // namespace bridle
