// The fused updates of one array, and others of its type, as C functions: a list of one.
#include <array>
#include <cstddef>

#include "arguments.hpp"
#include "functions.hpp"
#include "lists.hpp"

namespace bridle::c {
namespace {

// What all of them take; null where an update has none.
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

template <class T, std::size_t kCount>
int run(const char* name, const Operands<T>& o, const std::array<double, kCount>& numbers) {
  const auto array = [&](const T* data) -> bridle_array {
    constexpr auto dtype = static_cast<std::int32_t>(kDTypeOf<T>);
    return BRIDLE_ARRAY(const_cast<T*>(data), dtype, o.n);
  };
  const bridle_array w = array(o.w), gradient = array(o.gradient), toward = array(o.toward);
  const std::array state = {array(o.state[0]), array(o.state[1]), array(o.state[2])};
  bridle_update update = BRIDLE_UPDATE_INIT;
  update.name = name;
  update.numbers = numbers.data();
  update.count = o.n == 0 ? 0 : 1;
  update.w = &w;
  if (o.gradient) update.gradient = &gradient;
  for (std::size_t s = 0; s < state.size(); ++s) {
    if (o.state[s]) update.state[s] = &state[s];
  }
  if (o.toward) update.toward = &toward;
  update.regularization = o.regularization;
  return update_arrays(&update, o.summary);
}

}  // namespace

template <class T>
int Updates<T>::proximal_step(T* w, double step, const bridle_regularization* regularization,
                              const T* toward, std::int64_t n,
                              bridle_update_summary* summary) noexcept {
  return run<T>("proximal_step", {w, nullptr, {}, toward, n, regularization, summary},
                std::array{step});
}

template <class T>
int Updates<T>::sgd_update(T* w, const T* gradient, T* momentum_buffer, double lr, double momentum,
                           int nesterov, const bridle_regularization* regularization,
                           const T* toward, std::int64_t n,
                           bridle_update_summary* summary) noexcept {
  return run<T>("sgd_update", {w, gradient, {momentum_buffer}, toward, n, regularization, summary},
                std::array{lr, momentum, nesterov ? 1.0 : 0.0});
}

template <class T>
int Updates<T>::adamw_update(T* w, const T* gradient, T* first_moment, T* second_moment, double lr,
                             std::int64_t iteration, double beta1, double beta2, double epsilon,
                             const bridle_regularization* regularization, const T* toward,
                             std::int64_t n, bridle_update_summary* summary) noexcept {
  return run<T>("adamw_update",
                {w, gradient, {first_moment, second_moment}, toward, n, regularization, summary},
                std::array{lr, static_cast<double>(iteration), beta1, beta2, epsilon});
}

template <class T>
int Updates<T>::adagrad_update(T* w, const T* gradient, T* accumulator, double lr, double epsilon,
                               const bridle_regularization* regularization, const T* toward,
                               std::int64_t n, bridle_update_summary* summary) noexcept {
  return run<T>("adagrad_update", {w, gradient, {accumulator}, toward, n, regularization, summary},
                std::array{lr, epsilon});
}

template <class T>
int Updates<T>::rmsprop_update(T* w, const T* gradient, T* square_average, T* momentum_buffer,
                               T* gradient_average, double lr, double alpha, double epsilon,
                               double momentum, const bridle_regularization* regularization,
                               const T* toward, std::int64_t n,
                               bridle_update_summary* summary) noexcept {
  const Operands<T> operands{w,      gradient, {square_average, momentum_buffer, gradient_average},
                             toward, n,        regularization,
                             summary};
  return run<T>("rmsprop_update", operands, std::array{lr, alpha, epsilon, momentum});
}

template <class T>
int Updates<T>::lion_update(T* w, const T* gradient, T* momentum_buffer, double lr, double beta1,
                            double beta2, const bridle_regularization* regularization,
                            const T* toward, std::int64_t n,
                            bridle_update_summary* summary) noexcept {
  return run<T>("lion_update", {w, gradient, {momentum_buffer}, toward, n, regularization, summary},
                std::array{lr, beta1, beta2});
}

template <class T>
int Updates<T>::ftrl_update(T* w, const T* gradient, T* linear, T* accumulator, double lr,
                            double beta, const bridle_regularization* regularization,
                            const T* toward, std::int64_t n,
                            bridle_update_summary* summary) noexcept {
  return run<T>("ftrl_update",
                {w, gradient, {linear, accumulator}, toward, n, regularization, summary},
                std::array{lr, beta});
}

template struct Updates<float>;
template struct Updates<double>;

}  // namespace bridle::c
