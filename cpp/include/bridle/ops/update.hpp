// The steps of optimizers, one element at a time. A functor takes the gradient and the state of an
// element, and tells how far the weight goes down, in which direction, which step size the proximal
// operator has there (adaptive: it differs from element to element), and the new state. What
// regularizes the step is written once, in `regularized`. Those that are adaptive tell the step
// size also of the new state alone, for a regularizer that follows.
//
// `params` are the numbers that users give; the first is the step size or learning rate. `of` makes
// the functor of them where its members are others. It is called with doubles, whatever the type of
// the elements: the members are rounded to that afterwards. `state_arrays` are the arrays that
// users give for the state; the functor uses the first `states`.
#pragma once

#include <bridle/ops/math.hpp>
#include <bridle/ops/prox.hpp>
#include <bridle/ops/twofold.hpp>
#include <bridle/param.hpp>
#include <bridle/types.hpp>

namespace bridle::inline BRIDLE_ISA::ops {

template <class T>
struct State {
  T first, second, third;
};

template <class T>
struct Step {
  T down;       // w ← w − down
  T direction;  // a number with the sign of u, also where down underflows
  T size;       // of the proximal step that belongs to it
  State<T> state;
};

// No gradient: the proximal step alone.
template <class T>
struct proximal_step {
  static constexpr const char* name = "proximal_step";
  static constexpr auto params = parameters(Param{"step", Rule::non_negative});
  static constexpr int states = 0;
  static constexpr bool adaptive = false;
  T step;

  constexpr Step<T> operator()(T, State<T> s) const { return {T(0), T(0), step, s}; }
};

// Stochastic gradient descent with momentum b (Polyak 1964) or Nesterov's (Sutskever et al. 2013):
// b ← momentum·b + g; u = b, or g + momentum·b with Nesterov's.
template <class T>
struct sgd_update {
  static constexpr const char* name = "sgd_update";
  static constexpr auto params =
      parameters(Param{"lr", Rule::non_negative}, Param{"momentum", Rule::non_negative},
                 Param{"nesterov", Rule::flag});
  static constexpr StateArray state_arrays[] = {{"momentum_buffer", 1}};
  static constexpr int states = 1;
  static constexpr bool adaptive = false;
  T lr, momentum, from_gradient, from_momentum;  // u = from_gradient·g + from_momentum·b

  static constexpr sgd_update of(T lr, T momentum, T nesterov) {
    if (nesterov == T(0)) return {lr, momentum, T(0), T(1)};
    return {lr, momentum, T(1), momentum};
  }

  constexpr Step<T> operator()(T g, State<T> s) const {
    const T b = momentum * s.first + g;
    const T u = product(from_gradient, g) + from_momentum * b;
    return {lr * u, u, lr, {b, s.second, s.third}};
  }
};

// Adam (Kingma and Ba 2015): first and second moments m and v; correction1 = 1/(1 − β1ᵗ),
// correction2 = 1/√(1 − β2ᵗ), t the iteration.
template <class T>
struct adamw_update {
  static constexpr const char* name = "adamw_update";
  static constexpr auto params =
      parameters(Param{"lr", Rule::non_negative}, Param{"iteration", Rule::count, true},
                 Param{"betas[0]", Rule::below_one}, Param{"betas[1]", Rule::below_one},
                 Param{"epsilon", Rule::non_negative});
  static constexpr StateArray state_arrays[] = {{"first_moment"}, {"second_moment"}};
  static constexpr int states = 2;
  static constexpr bool adaptive = true;
  T lr, beta1, rest1, beta2, rest2, correction1, correction2, epsilon;  // rest = 1 − beta

  static adamw_update of(T lr, T iteration, T beta1, T beta2, T epsilon) {
    const T first = one_minus_power(beta1, iteration), second = one_minus_power(beta2, iteration);
    return {
        lr,     beta1, T(1) - beta1, beta2, T(1) - beta2, T(1) / first, T(1) / square_root(second),
        epsilon};
  }

  constexpr Step<T> operator()(T g, State<T> s) const {
    const T m = beta1 * s.first + rest1 * g;
    const T v = beta2 * s.second + rest2 * (g * g);
    const T size = size_at(v);
    return {size * (m * correction1), m, size, {m, v, s.third}};
  }

  constexpr T size_of(State<T> next) const { return size_at(next.second); }

 private:
  constexpr T size_at(T v) const { return lr / (square_root(v) * correction2 + epsilon); }
};

// Adagrad (Duchi et al. 2011).
template <class T>
struct adagrad_update {
  static constexpr const char* name = "adagrad_update";
  static constexpr auto params =
      parameters(Param{"lr", Rule::non_negative}, Param{"epsilon", Rule::non_negative});
  static constexpr StateArray state_arrays[] = {{"accumulator"}};
  static constexpr int states = 1;
  static constexpr bool adaptive = true;
  T lr, epsilon;

  constexpr Step<T> operator()(T g, State<T> s) const {
    const T a = s.first + g * g;
    const T size = size_at(a);
    return {size * g, g, size, {a, s.second, s.third}};
  }

  constexpr T size_of(State<T> next) const { return size_at(next.first); }

 private:
  constexpr T size_at(T a) const { return lr / (square_root(a) + epsilon); }
};

inline constexpr auto kRmspropParams =
    parameters(Param{"lr", Rule::non_negative}, Param{"alpha", Rule::below_one},
               Param{"epsilon", Rule::non_negative}, Param{"momentum", Rule::non_negative});

// The gradient average makes it the centered form.
inline constexpr StateArray kRmspropState[] = {
    {"square_average"}, {"momentum_buffer", 3}, {"gradient_average", StateArray::optional}};

// RMSProp (Tieleman and Hinton 2012): square average v, momentum b.
template <class T>
struct rmsprop_update {
  static constexpr const char* name = "rmsprop_update";
  static constexpr auto& params = kRmspropParams;
  static constexpr auto& state_arrays = kRmspropState;
  static constexpr int states = 2;
  static constexpr bool adaptive = true;
  T lr, alpha, rest, epsilon, momentum;  // rest = 1 − alpha

  static constexpr rmsprop_update of(T lr, T alpha, T epsilon, T momentum) {
    return {lr, alpha, T(1) - alpha, epsilon, momentum};
  }

  constexpr Step<T> operator()(T g, State<T> s) const {
    const T v = alpha * s.first + rest * (g * g);
    const T inverse = inverse_of(v);
    const T b = momentum * s.second + g * inverse;
    return {lr * b, b, lr * inverse, {v, b, s.third}};
  }

  constexpr T size_of(State<T> next) const { return lr * inverse_of(next.first); }

 private:
  constexpr T inverse_of(T v) const { return T(1) / (square_root(v) + epsilon); }
};

// Centered RMSProp (Graves 2013): gradient average a, d = √(v − a²) + ε. Rounding can make v < a².
template <class T>
struct centered_rmsprop_update {
  static constexpr const char* name = "centered_rmsprop_update";
  static constexpr auto& params = kRmspropParams;
  static constexpr auto& state_arrays = kRmspropState;
  static constexpr int states = 3;
  static constexpr bool adaptive = true;
  T lr, alpha, rest, epsilon, momentum;

  static constexpr centered_rmsprop_update of(T lr, T alpha, T epsilon, T momentum) {
    return {lr, alpha, T(1) - alpha, epsilon, momentum};
  }

  constexpr Step<T> operator()(T g, State<T> s) const {
    const T v = alpha * s.first + rest * (g * g);
    const T a = alpha * s.third + rest * g;
    const T inverse = inverse_of(v, a);
    const T b = momentum * s.second + g * inverse;
    return {lr * b, b, lr * inverse, {v, b, a}};
  }

  constexpr T size_of(State<T> next) const { return lr * inverse_of(next.first, next.third); }

 private:
  constexpr T inverse_of(T v, T a) const {
    const T variance = v - a * a;
    return T(1) / (square_root(variance < T(0) ? T(0) : variance) + epsilon);
  }
};

// Lion (Chen et al. 2023).
template <class T>
struct lion_update {
  static constexpr const char* name = "lion_update";
  static constexpr auto params =
      parameters(Param{"lr", Rule::non_negative}, Param{"betas[0]", Rule::below_one},
                 Param{"betas[1]", Rule::below_one});
  static constexpr StateArray state_arrays[] = {{"momentum_buffer"}};
  static constexpr int states = 1;
  static constexpr bool adaptive = false;
  T lr, beta1, rest1, beta2, rest2;

  static constexpr lion_update of(T lr, T beta1, T beta2) {
    return {lr, beta1, T(1) - beta1, beta2, T(1) - beta2};
  }

  constexpr Step<T> operator()(T g, State<T> s) const {
    const T mean = beta1 * s.first + rest1 * g;
    return {lr * sign(mean), mean, lr, {beta2 * s.first + rest2 * g, s.second, s.third}};
  }
};

template <class T>
struct Updated {
  T weight;
  State<T> state;
};

// FTRL-Proximal (McMahan et al. 2013): the weight follows from linear term z, accumulator a and the
// strengths, and is an exact zero where abs(z) ≤ l1. inverse_lr = 1/lr.
template <class T>
struct ftrl_update {
  static constexpr const char* name = "ftrl_update";
  static constexpr auto params =
      parameters(Param{"lr", Rule::positive}, Param{"beta", Rule::non_negative});
  static constexpr StateArray state_arrays[] = {{"linear"}, {"accumulator"}};
  static constexpr int states = 2;
  static constexpr bool adaptive = false;
  T inverse_lr, beta;

  static constexpr ftrl_update of(T lr, T beta) { return {T(1) / lr, beta}; }

  constexpr Updated<T> weight(T w, T g, State<T> s, T l1, T l2) const {
    const T a = s.second + g * g;
    const T new_root = square_root(a);
    const T z = s.first + g - (new_root - square_root(s.second)) * inverse_lr * w;
    const T shrunk = soft_threshold<T>{l1}(z);
    const T negative = shrunk / ((beta + new_root) * inverse_lr + T(2) * l2);
    return {shrunk == T(0) ? T(0) : -negative, {z, a, s.third}};
  }
};

template <class Op, class T>
concept SolvesForWeight = requires(const Op& op, T x) { op.weight(x, x, State<T>{}, x, x); };

// Of the decay that is not coupled; between 0 and 1.
constexpr double decay_rate(Decay decay, double lr, double weight_decay) {
  if (decay == Decay::coupled) return 0.0;
  return decay == Decay::full ? weight_decay : product(lr, weight_decay);
}

// What regularizes a step. Decay goes towards `toward`: coupled, it is added to the gradient;
// decoupled (Loshchilov and Hutter 2019), the distance is multiplied by `keep` before the update.
// Cautious decay (Chen et al. 2025) spares elements whose update and distance have opposite signs.
// The proximal step comes last.
template <class T>
struct Regularization {
  T scale;    // of the gradient
  T coupled;  // rate of the coupled decay
  T keep;     // 1 − rate of the decoupled decay
  T l1, l2;
  T size;         // of the proximal step, unless it is the update's own
  T spare_above;  // 0 if cautious, −inf if nothing decays, else inf
};

// kAdaptive: the proximal step has the size of the element's own update.
template <bool kAdaptive, class Op, class T>
constexpr Updated<T> regularized(const Op& op, const Regularization<T>& r, T w, T toward,
                                 T gradient, State<T> state) {
  const T distance = w - toward;
  const T scaled = r.scale * gradient;
  const T pulled = scaled + r.coupled * distance;  // NaN if 0 meets an infinite distance
  const Step<T> step = op(r.coupled == T(0) ? scaled : pulled, state);
  const T upwards = step.direction < T(0) ? distance : T(0);
  const T opposition = step.direction > T(0) ? -distance : upwards;  // > 0 where signs are opposite
  const T decayed = opposition > r.spare_above ? w : toward + r.keep * distance;
  const T own = step.size < largest<T>() ? step.size : largest<T>();  // inf · 0 would be NaN
  const T size = kAdaptive ? own : r.size;
  const T threshold = size > T(0) ? size * r.l1 : T(0);  // 0 · inf would be NaN
  const T twice = size > T(0) ? T(2) * size * r.l2 : T(0);
  return {soft_threshold<T>{threshold}(decayed - step.down) / (T(1) + twice), step.state};
}

// The same where there is nothing but decoupled decay towards zero.
template <class Op, class T>
constexpr Updated<T> decayed(const Op& op, const Regularization<T>& r, T w, T gradient,
                             State<T> state) {
  const Step<T> step = op(r.scale * gradient, state);
  return {r.keep * w - step.down, step.state};
}

// And where there are finite penalties beside it. kSquares: l2 is one of them.
template <bool kAdaptive, bool kSquares, class Op, class T>
constexpr Updated<T> penalized(const Op& op, const Regularization<T>& r, T w, T gradient,
                               State<T> state) {
  const Step<T> step = op(r.scale * gradient, state);
  const bool usable = !kSquares || step.size < largest<T>();  // inf · 0 would be NaN
  const T own = usable ? step.size : largest<T>();
  const T size = kAdaptive ? own : r.size;
  const T shrunk = soft_threshold<T>{size * r.l1}(r.keep * w - step.down);
  return {kSquares ? shrunk / (T(1) + T(2) * size * r.l2) : shrunk, step.state};
}

}  // namespace bridle::inline BRIDLE_ISA::ops
