// The C functions that are written out one by one; c_api.h says what they do. T is float or double.
#pragma once

#include <bridle/c_api.h>

namespace bridle::c {

template <class T>
int dropout(const T* x, double p, std::uint64_t seed, std::uint64_t stream, std::uint64_t offset,
            T* out, std::int64_t n) noexcept;
int dropout_mask(double p, std::uint64_t seed, std::uint64_t stream, std::uint64_t offset,
                 std::uint8_t* keep, std::int64_t n) noexcept;

template <class T>
struct Updates {
  static int proximal_step(T* w, double step, const bridle_regularization* regularization,
                           const T* toward, std::int64_t n,
                           bridle_update_summary* summary) noexcept;
  static int sgd_update(T* w, const T* gradient, T* momentum_buffer, double lr, double momentum,
                        int nesterov, const bridle_regularization* regularization, const T* toward,
                        std::int64_t n, bridle_update_summary* summary) noexcept;
  static int adamw_update(T* w, const T* gradient, T* first_moment, T* second_moment, double lr,
                          std::int64_t iteration, double beta1, double beta2, double epsilon,
                          const bridle_regularization* regularization, const T* toward,
                          std::int64_t n, bridle_update_summary* summary) noexcept;
  static int adagrad_update(T* w, const T* gradient, T* accumulator, double lr, double epsilon,
                            const bridle_regularization* regularization, const T* toward,
                            std::int64_t n, bridle_update_summary* summary) noexcept;
  static int rmsprop_update(T* w, const T* gradient, T* square_average, T* momentum_buffer,
                            T* gradient_average, double lr, double alpha, double epsilon,
                            double momentum, const bridle_regularization* regularization,
                            const T* toward, std::int64_t n,
                            bridle_update_summary* summary) noexcept;
  static int lion_update(T* w, const T* gradient, T* momentum_buffer, double lr, double beta1,
                         double beta2, const bridle_regularization* regularization, const T* toward,
                         std::int64_t n, bridle_update_summary* summary) noexcept;
  static int ftrl_update(T* w, const T* gradient, T* linear, T* accumulator, double lr, double beta,
                         const bridle_regularization* regularization, const T* toward,
                         std::int64_t n, bridle_update_summary* summary) noexcept;
};

}  // namespace bridle::c
