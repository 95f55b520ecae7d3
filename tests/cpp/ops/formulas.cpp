#include "formulas.hpp"

#include <bridle/loops/vector.hpp>
#include <bridle/ops/concave.hpp>
#include <bridle/ops/prox.hpp>

namespace bridle::inline BRIDLE_ISA {
namespace {

template <class T>
struct CubeRoot {
  static T at(T x, T, T, T) { return ops::cube_root(x); }
};
template <class T>
struct LogOfOnePlus {
  static T at(T x, T, T, T) { return ops::log_of_one_plus(x); }
};
template <class T>
struct LHalf {
  static T at(T x, T strength, T step, T) { return ops::prox_l_half<T>{strength, step}(x); }
};
template <class T>
struct LTwoThirds {
  static T at(T x, T strength, T step, T) { return ops::prox_l_two_thirds<T>{strength, step}(x); }
};
template <class T>
struct LogSum {
  static T at(T x, T strength, T step, T epsilon) {
    return ops::prox_log_sum<T>{strength, epsilon, step}(x);
  }
};
template <class T>
struct ComplexReal {
  static T at(T x, T threshold, T imaginary, T) {
    ops::soft_threshold<T>{threshold}(x, imaginary);
    return x + T(0);
  }
};
template <class T>
struct ComplexImaginary {
  static T at(T x, T threshold, T imaginary, T) {
    ops::soft_threshold<T>{threshold}(x, imaginary);
    return imaginary + T(0);
  }
};

template <template <class> class Of, class T>
void formula(const T* const* argument, T* out, std::size_t size) {
  const T *const a = argument[0], *const b = argument[1], *const c = argument[2],
                 *const d = argument[3];
#pragma omp simd
  for (std::size_t i = 0; i < size; ++i) out[i] = Of<T>::at(a[i], b[i], c[i], d[i]);
}

}  // namespace

extern const test::Formulas test_formulas = {
    {formula<CubeRoot, float>, formula<LogOfOnePlus, float>, formula<LHalf, float>,
     formula<LTwoThirds, float>, formula<LogSum, float>, formula<ComplexReal, float>,
     formula<ComplexImaginary, float>},
    {formula<CubeRoot, double>, formula<LogOfOnePlus, double>, formula<LHalf, double>,
     formula<LTwoThirds, double>, formula<LogSum, double>, formula<ComplexReal, double>,
     formula<ComplexImaginary, double>}};

}  // namespace bridle::inline BRIDLE_ISA
