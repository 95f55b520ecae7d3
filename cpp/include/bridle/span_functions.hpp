// How the functions of functions.hpp are made of an operator of the list: a call finds the C
// function of that name in the library, and has its refusal explained by an exception.
#pragma once

#include <bridle/c_api.h>

#include <bridle/config.hpp>
#include <bridle/errors.hpp>
#include <cstdint>
#include <iterator>
#include <new>
#include <span>
#include <utility>

namespace bridle::inline BRIDLE_ISA {
namespace detail {

template <class T, std::size_t>
using Same = T;  // for one T of each parameter

template <class Op>
using Parameters = std::make_index_sequence<Op::params.size()>;

template <class T>
inline constexpr const char* kSuffix = sizeof(T) == 8 ? "_f64" : "_f32";

template <class Function>
Function* find(const char* name, const char* suffix) {
  const std::string full = std::string(name) + suffix;
  if (const auto function = reinterpret_cast<Function*>(bridle_function(full.c_str()))) {
    return function;
  }
  throw std::runtime_error("bridle: the library that was found has no " + full);
}

// Throws what a function of lists has refused.
inline void require(int result) {
  if (result == 0) return;
  if (result == 2) throw std::bad_alloc();
  using Function = const char*();
  static Function* const last_error = find<Function>("last_error", "");
  throw std::invalid_argument(last_error());
}

}  // namespace detail

// The type of the elementwise functions. A call f(x, parameters…, out) for spans of float or of
// double (or what converts to them: std::vector, std::array, arrays) writes the result for x[i] to
// out[i], on as many threads as the size is worth. out is x, or shares no element with it.
// Throws std::invalid_argument, with nothing written, if the sizes differ, out overlaps x
// otherwise, or a parameter is outside its range or NaN.
template <template <class> class Op, class Indices = detail::Parameters<Op<float>>>
class Elementwise;

template <template <class> class Op, std::size_t... P>
class Elementwise<Op, std::index_sequence<P...>> {
 public:
  void operator()(std::span<const float> x, detail::Same<float, P>... parameter,
                  std::span<float> out) const {
    call(x, out, parameter...);
  }
  void operator()(std::span<const double> x, detail::Same<double, P>... parameter,
                  std::span<double> out) const {
    call(x, out, parameter...);
  }

 private:
  template <class T>
  static void call(std::span<const T> x, std::span<T> out, detail::Same<T, P>... parameter) {
    using Function = int(const T*, detail::Same<T, P>..., T*, std::int64_t);
    static Function* const function = detail::find<Function>(Op<T>::name, detail::kSuffix<T>);
    detail::check_sizes(Op<T>::name, "out", out.size(), "x", x.size());
    const auto size = static_cast<std::int64_t>(x.size());
    if (function(x.data(), parameter..., out.data(), size) == 0) return;
    const T values[] = {parameter..., T(0)};  // one at least
    detail::check_parameters(Op<T>::name, Op<T>::params, values);
    detail::fail(Op<T>::name, "out must be x or share no element with it");
  }
};

// The type of the penalties. A call f(w, strengths…) for a span of float or of double gives the
// penalty, accumulated in double, on as many threads as the size is worth; 0 for no elements.
// A strength that is the only parameter may be left out; it is 1 then.
// Throws std::invalid_argument if a parameter is outside its range or NaN.
template <class Op, class Indices = detail::Parameters<Op>>
class Penalty;

template <class Op, std::size_t... P>
class Penalty<Op, std::index_sequence<P...>> {
 public:
  double operator()(std::span<const float> w, detail::Same<double, P>... parameter) const {
    return call(w, parameter...);
  }
  double operator()(std::span<const double> w, detail::Same<double, P>... parameter) const {
    return call(w, parameter...);
  }
  double operator()(std::span<const float> w) const
    requires(sizeof...(P) == 1)
  {
    return call(w, detail::Same<double, P>(1)...);
  }
  double operator()(std::span<const double> w) const
    requires(sizeof...(P) == 1)
  {
    return call(w, detail::Same<double, P>(1)...);
  }

 private:
  template <class T>
  static double call(std::span<const T> w, detail::Same<double, P>... parameter) {
    using Function = int(const T*, detail::Same<double, P>..., std::int64_t, double*);
    static Function* const function = detail::find<Function>(Op::name, detail::kSuffix<T>);
    double result = 0.0;
    if (function(w.data(), parameter..., static_cast<std::int64_t>(w.size()), &result) != 0) {
      const double values[] = {parameter..., 0.0};
      detail::check_parameters(Op::name, Op::params, values);
      detail::fail(Op::name, "w must be aligned to its type");
    }
    return result;
  }
};

}  // namespace bridle::inline BRIDLE_ISA
