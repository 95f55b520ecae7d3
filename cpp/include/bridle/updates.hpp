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
// What holds for all of them: they take one array or a list of them (array_list.hpp), a whole
// model, say, and with each array of weights w those that go with it, of its shape. w is of float,
// double, Float16 or BFloat16, the gradient of any of these but of double, which goes with w of
// double only, toward of the type of w. State has the type of w or, where that is a half type, of
// float; it may be of BFloat16 where w is not of double and rounding is stochastic. Everything is
// computed in float, or in double where w is that, and rounded once. Weights and state are read and
// written, by as many threads as the sizes are worth; gradient and toward are read. An array that
// is written shares no element with any other. Numbers are double; the bits are those of the Python
// functions. lr >= 0, in the units of weights over gradient. Throws std::invalid_argument, with
// nothing written, if shapes or types do not fit, arrays overlap, or a number is outside its range
// or NaN; in the words of the Python functions.
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
// weight_decay, toward and regularizer.
inline UpdateSummary proximal_step(const Arrays& w, double step,
                                   const UpdateOptions& options = {}) {
  return detail::run_update("proximal_step", w, {}, {}, {step}, options);
}

// Stochastic gradient descent: b ← momentum·b + g; u = b, or (Nesterov) g + momentum·b. The buffer
// b, zeros at first, is empty if and only if there is no momentum.
inline UpdateSummary sgd_update(const Arrays& w, const ConstArrays& gradient,
                                const Arrays& momentum_buffer, double lr,
                                const UpdateOptions& options = {}, const SgdOptions& sgd = {}) {
  return detail::run_update("sgd_update", w, gradient, {{"momentum_buffer", momentum_buffer}},
                            {lr, sgd.momentum, sgd.nesterov ? 1.0 : 0.0}, options);
}

// Adam, or with decoupled decay AdamW: m ← β1·m + (1 − β1)·g; v ← β2·v + (1 − β2)·g²;
// u = m / (1 − β1ᵗ) / (√v / √(1 − β2ᵗ) + epsilon), t = iteration >= 1. The moments m and v are
// zeros at first.
inline UpdateSummary adamw_update(const Arrays& w, const ConstArrays& gradient,
                                  const Arrays& first_moment, const Arrays& second_moment,
                                  double lr, std::int64_t iteration,
                                  const UpdateOptions& options = {},
                                  const AdamwOptions& adamw = {}) {
  return detail::run_update(
      "adamw_update", w, gradient,
      {{"first_moment", first_moment}, {"second_moment", second_moment}},
      {lr, static_cast<double>(iteration), adamw.betas[0], adamw.betas[1], adamw.epsilon}, options);
}

// Adagrad: a ← a + g²; u = g / (√a + epsilon), a the accumulator.
inline UpdateSummary adagrad_update(const Arrays& w, const ConstArrays& gradient,
                                    const Arrays& accumulator, double lr,
                                    const UpdateOptions& options = {},
                                    const AdagradOptions& adagrad = {}) {
  return detail::run_update("adagrad_update", w, gradient, {{"accumulator", accumulator}},
                            {lr, adagrad.epsilon}, options);
}

// RMSProp: v ← alpha·v + (1 − alpha)·g²; b ← momentum·b + g / d; u = b. d = √v + epsilon or,
// centered, with a gradient average a ← alpha·a + (1 − alpha)·g that is not empty,
// d = √(v − a²) + epsilon. The buffer b is empty if and only if there is no momentum.
inline UpdateSummary rmsprop_update(const Arrays& w, const ConstArrays& gradient,
                                    const Arrays& square_average, const Arrays& momentum_buffer,
                                    const Arrays& gradient_average, double lr,
                                    const UpdateOptions& options = {},
                                    const RmspropOptions& rmsprop = {}) {
  return detail::run_update("rmsprop_update", w, gradient,
                            {{"square_average", square_average},
                             {"momentum_buffer", momentum_buffer},
                             {"gradient_average", gradient_average}},
                            {lr, rmsprop.alpha, rmsprop.epsilon, rmsprop.momentum}, options);
}

// Lion: u = sign(β1·b + (1 − β1)·g); b ← β2·b + (1 − β2)·g, b the momentum buffer.
inline UpdateSummary lion_update(const Arrays& w, const ConstArrays& gradient,
                                 const Arrays& momentum_buffer, double lr,
                                 const UpdateOptions& options = {}, const LionOptions& lion = {}) {
  return detail::run_update("lion_update", w, gradient, {{"momentum_buffer", momentum_buffer}},
                            {lr, lion.betas[0], lion.betas[1]}, options);
}

// FTRL-Proximal, which gives exact zeros online: z ← z + g − (√(a + g²) − √a) / lr·w; a ← a + g²;
// w = 0 where |z| <= l1, else −(z − sign(z)·l1) / ((beta + √a) / lr + 2·l2), z the linear term and
// a the accumulator, zeros at first. lr > 0. Of the options takes l1, l2 and grad_scale.
inline UpdateSummary ftrl_update(const Arrays& w, const ConstArrays& gradient, const Arrays& linear,
                                 const Arrays& accumulator, double lr,
                                 const UpdateOptions& options = {}, const FtrlOptions& ftrl = {}) {
  return detail::run_update("ftrl_update", w, gradient,
                            {{"linear", linear}, {"accumulator", accumulator}}, {lr, ftrl.beta},
                            options);
}

}  // namespace BRIDLE_ISA
}  // namespace bridle
