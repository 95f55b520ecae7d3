// The fused updates as C functions.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <iterator>

#include "arguments.hpp"
#include "drivers/update_numbers.hpp"
#include "functions.hpp"
#include "threads/status_flags.hpp"

namespace bridle::c {
namespace {

constexpr bridle_regularization kNothing = BRIDLE_REGULARIZATION_INIT;

// The sizes of the structures in bridle 0.1. A member in their padding would not show in the size.
constexpr std::size_t kFirstRegularization = 48, kFirstSummary = 24;
static_assert(sizeof(bridle_regularization) == offsetof(bridle_regularization, grad_scale) + 8);
static_assert(sizeof(bridle_update_summary) == offsetof(bridle_update_summary, nonzeros) + 8);

// What all updates take; the state is null where an update has none.
template <class T>
struct Operands {
  T* w;
  const T* gradient;
  std::array<T*, 3> state;
  const T* toward;
  std::int64_t n;
  const bridle_regularization* regularization;
  bridle_update_summary* summary;
};

// Whether no array that is written overlaps another one, and all are aligned.
template <class T>
bool fit_together(const Operands<T>& o) {
  constexpr std::size_t written = 4;
  const std::array<const T*, 6> arrays = {o.w,        o.state[0], o.state[1],
                                          o.state[2], o.gradient, o.toward};
  for (std::size_t i = 0; i < arrays.size(); ++i) {
    if (!is_aligned(arrays[i])) return false;
    for (std::size_t j = 0; j < i && j < written; ++j) {
      if (arrays[i] && arrays[j] && !apart(arrays[i], arrays[j], o.n)) return false;
    }
  }
  return true;
}

// Whether arrays that must be there are.
template <class... T>
bool are_given(std::int64_t n, const T*... array) {
  return n == 0 || (array && ...);
}

// There is a buffer if and only if there is a momentum.
bool has_buffer(std::int64_t n, const void* buffer, double momentum) {
  return n == 0 || (buffer != nullptr) == (momentum > 0.0);
}

bool allowed(const bridle_regularization& r, double lr) {
  if (r.decay < BRIDLE_DECAY_DECOUPLED || r.decay > BRIDLE_DECAY_FULL) return false;
  const double rate = ops::decay_rate(static_cast<Decay>(r.decay), lr, r.weight_decay);
  return keeps(Rule::non_negative, r.l1) && keeps(Rule::non_negative, r.l2) &&
         keeps(Rule::non_negative, r.weight_decay) && keeps(Rule::unit_interval, rate) &&
         !std::isnan(r.grad_scale) &&
         (r.prox_step == BRIDLE_PROX_STEP_ADAPTIVE || r.prox_step == BRIDLE_PROX_STEP_SCALAR);
}

template <class Op, std::size_t... P>
bool allowed(const double* numbers, std::index_sequence<P...>) {
  return (keeps(Op::params[P].rule, numbers[P]) && ...);
}

// numbers: those of Op::params. What is said of certain updates alone has been checked.
template <template <class> class Op, class T, std::size_t kCount>
int run(const Operands<T>& o, const std::array<double, kCount>& numbers) {
  static_assert(kCount == Op<T>::params.size());
  const KeepStatusFlags keep;
  if (o.n < 0 || !are_given(o.n, o.w) || !fit_together(o)) return 1;
  bridle_regularization r = kNothing;
  if (!read_structure(o.regularization, kFirstRegularization, r)) return 1;
  if (!is_structure(o.summary, kFirstSummary)) return 1;
  if (!allowed<Op<T>>(numbers.data(), std::make_index_sequence<kCount>{})) return 1;
  if (!allowed(r, numbers[0])) return 1;
  UpdateArray array{};
  array.data[UpdateRole::weights] = o.w;
  array.data[UpdateRole::gradient] = const_cast<T*>(o.gradient);
  std::copy_n(o.state.data(), o.state.size(), array.data + UpdateRole::first_state);
  array.data[UpdateRole::toward] = const_cast<T*>(o.toward);
  array.size = static_cast<std::size_t>(o.n);
  set_numbers<Op>(numbers.data(), array.numbers);
  array.numbers.scale = r.grad_scale;
  array.numbers.cautious = r.cautious != 0;
  array.numbers.l1 = r.l1;
  array.numbers.l2 = r.l2;
  set_decay(static_cast<Decay>(r.decay), numbers[0], r.weight_decay, array.numbers);
  UpdateCall call{};
  call.op = index_in<Op<float>>(UpdateOps{});
  set_types(kDTypeOf<T>, kDTypeOf<T>, call);
  call.adaptive = r.prox_step == BRIDLE_PROX_STEP_ADAPTIVE;
  call.arrays = &array;
  call.count = 1;
  UpdateSums sums;
  update(call, &sums);
  if (o.summary) {
    write_structure({.size = 0,
                     .finite = sums.not_finite == 0,
                     .penalty = penalty_of(array, sums),
                     .nonzeros = static_cast<std::int64_t>(sums.nonzeros)},
                    o.summary);
  }
  return 0;
}

bool is_initial(const bridle_regularization& r) {
  return r.decay == kNothing.decay && r.cautious == kNothing.cautious &&
         r.prox_step == kNothing.prox_step;
}

}  // namespace

template <class T>
int Updates<T>::proximal_step(T* w, double step, const bridle_regularization* regularization,
                              const T* toward, std::int64_t n,
                              bridle_update_summary* summary) noexcept {
  bridle_regularization r = kNothing;
  if (!read_structure(regularization, kFirstRegularization, r)) return 1;
  if (!is_initial(r) || r.grad_scale != kNothing.grad_scale) return 1;
  return run<ops::proximal_step, T>({w, nullptr, {}, toward, n, regularization, summary},
                                    std::array{step});
}

template <class T>
int Updates<T>::sgd_update(T* w, const T* gradient, T* momentum_buffer, double lr, double momentum,
                           int nesterov, const bridle_regularization* regularization,
                           const T* toward, std::int64_t n,
                           bridle_update_summary* summary) noexcept {
  if (!are_given(n, gradient) || !has_buffer(n, momentum_buffer, momentum)) return 1;
  if (nesterov && momentum == 0.0) return 1;
  return run<ops::sgd_update, T>(
      {w, gradient, {momentum_buffer}, toward, n, regularization, summary},
      std::array{lr, momentum, nesterov ? 1.0 : 0.0});
}

template <class T>
int Updates<T>::adamw_update(T* w, const T* gradient, T* first_moment, T* second_moment, double lr,
                             std::int64_t iteration, double beta1, double beta2, double epsilon,
                             const bridle_regularization* regularization, const T* toward,
                             std::int64_t n, bridle_update_summary* summary) noexcept {
  if (!are_given(n, gradient, first_moment, second_moment)) return 1;
  return run<ops::adamw_update, T>(
      {w, gradient, {first_moment, second_moment}, toward, n, regularization, summary},
      std::array{lr, static_cast<double>(iteration), beta1, beta2, epsilon});
}

template <class T>
int Updates<T>::adagrad_update(T* w, const T* gradient, T* accumulator, double lr, double epsilon,
                               const bridle_regularization* regularization, const T* toward,
                               std::int64_t n, bridle_update_summary* summary) noexcept {
  if (!are_given(n, gradient, accumulator)) return 1;
  return run<ops::adagrad_update, T>(
      {w, gradient, {accumulator}, toward, n, regularization, summary}, std::array{lr, epsilon});
}

template <class T>
int Updates<T>::rmsprop_update(T* w, const T* gradient, T* square_average, T* momentum_buffer,
                               T* gradient_average, double lr, double alpha, double epsilon,
                               double momentum, const bridle_regularization* regularization,
                               const T* toward, std::int64_t n,
                               bridle_update_summary* summary) noexcept {
  if (!are_given(n, gradient, square_average)) return 1;
  if (!has_buffer(n, momentum_buffer, momentum)) return 1;
  const Operands<T> operands{w,      gradient, {square_average, momentum_buffer, gradient_average},
                             toward, n,        regularization,
                             summary};
  const std::array numbers{lr, alpha, epsilon, momentum};
  return gradient_average ? run<ops::centered_rmsprop_update>(operands, numbers)
                          : run<ops::rmsprop_update>(operands, numbers);
}

template <class T>
int Updates<T>::lion_update(T* w, const T* gradient, T* momentum_buffer, double lr, double beta1,
                            double beta2, const bridle_regularization* regularization,
                            const T* toward, std::int64_t n,
                            bridle_update_summary* summary) noexcept {
  if (!are_given(n, gradient, momentum_buffer)) return 1;
  return run<ops::lion_update, T>(
      {w, gradient, {momentum_buffer}, toward, n, regularization, summary},
      std::array{lr, beta1, beta2});
}

template <class T>
int Updates<T>::ftrl_update(T* w, const T* gradient, T* linear, T* accumulator, double lr,
                            double beta, const bridle_regularization* regularization,
                            const T* toward, std::int64_t n,
                            bridle_update_summary* summary) noexcept {
  if (!are_given(n, gradient, linear, accumulator)) return 1;
  bridle_regularization r = kNothing;
  if (!read_structure(regularization, kFirstRegularization, r)) return 1;
  if (!is_initial(r) || r.weight_decay != kNothing.weight_decay || toward) return 1;
  return run<ops::ftrl_update, T>(
      {w, gradient, {linear, accumulator}, nullptr, n, regularization, summary},
      std::array{lr, beta});
}

template struct Updates<float>;
template struct Updates<double>;

}  // namespace bridle::c
