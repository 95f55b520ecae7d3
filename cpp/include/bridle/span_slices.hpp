// How the functions of functions.hpp are made of an operator of slices: what says which elements
// make up a vector, and calls of the C functions, whose refusal an exception explains.
#pragma once

#include <bridle/span_functions.hpp>
#include <new>
#include <string>
#include <type_traits>

namespace bridle::inline BRIDLE_ISA {

// An array of before × length × after elements in C order, whose vectors lie along the middle axis.
struct Slices {
  std::size_t before, length, after;

  static constexpr Slices whole(std::size_t length) { return {1, length, 1}; }
  static constexpr Slices rows(std::size_t height, std::size_t width) { return {height, width, 1}; }
  static constexpr Slices columns(std::size_t height, std::size_t width) {
    return {1, height, width};
  }
};

// Vectors that are groups: slices, what lies between offsets, or what labels say (see c_api.h),
// with a weight >= 0 for each of them; without weights, 1.
class Groups {
 public:
  enum class Kind { slices, offsets, labels };
  using Weights = std::span<const double>;
  using Places = std::span<const std::int64_t>;

  Groups(Slices slices, Weights weights = {})
      : kind(Kind::slices), slices(slices), count(slices.before * slices.after), weights(weights) {}
  static Groups between(Places offsets, Weights weights = {}) {
    return {Kind::offsets, offsets, offsets.empty() ? 0 : offsets.size() - 1, weights};
  }
  // Labels are below count.
  static Groups by_labels(Places labels, std::size_t count, Weights weights = {}) {
    return {Kind::labels, labels, count, weights};
  }

  const Kind kind;
  const Slices slices{};
  const Places places{};  // offsets or labels
  const std::size_t count;
  const Weights weights;

 private:
  Groups(Kind kind, Places places, std::size_t count, Weights weights)
      : kind(kind), places(places), count(count), weights(weights) {}
};

namespace detail {

inline void check_array(const char* function, const ArrayParam& param,
                        std::span<const double> numbers) {
  for (const double number : numbers) check_parameter(function, param, number);
  bool zero = true;
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    zero &= numbers[i] == 0.0;
    if (param.together == Together::not_increasing && i > 0 && numbers[i] > numbers[i - 1]) {
      fail(function, std::string(param.name) + " must not increase, got " +
                         text_of(numbers[i - 1]) + " before " + text_of(numbers[i]));
    }
  }
  if (param.together == Together::not_all_zero && zero) {
    fail(function,
         std::string(param.name) + " must not be zero, got " + text_of(numbers.size()) + " zeros");
  }
}

inline void check_offsets(const char* function, Groups::Places offsets, std::size_t size) {
  const auto last = static_cast<std::int64_t>(size);
  if (offsets.front() != 0 || offsets.back() != last) {
    fail(function, "offsets must go from 0 to " + text_of(last) + ", got " +
                       text_of(offsets.front()) + " to " + text_of(offsets.back()));
  }
  for (std::size_t v = 1; v < offsets.size(); ++v) {
    if (offsets[v] >= offsets[v - 1]) continue;
    fail(function, "offsets must not decrease, got " + text_of(offsets[v - 1]) + " before " +
                       text_of(offsets[v]));
  }
}

inline void check_labels(const char* function, Groups::Places labels, std::size_t count) {
  for (const std::int64_t label : labels) {
    if (label < static_cast<std::int64_t>(count)) continue;
    fail(function, "labels must be below " + text_of(count) + ", got " + text_of(label));
  }
}

template <class Op>
void check_length(const double* parameters, std::size_t length) {
  if constexpr (kDivisor<Op> >= 0) {
    const Param& divisor = Op::params[kDivisor<Op>];
    const double value = parameters[kDivisor<Op>];
    check_parameter(Op::name, {divisor.name, Rule::count}, value);
    if (std::fmod(static_cast<double>(length), value) == 0.0) return;
    fail(Op::name, "the length of a vector must be a multiple of " + std::string(divisor.name) +
                       ", " + text_of(static_cast<std::size_t>(value)) + ", got " +
                       text_of(length));
  }
}

// A call of the C functions of an operator of slices, or the exception that says what is wrong.
template <class Op, class T, class Indices>
class CallOfSlices;
template <class Op, class T, std::size_t... P>
class CallOfSlices<Op, T, std::index_sequence<P...>> {
 public:
  using Result = std::conditional_t<kIsMeasure<Op>, double, T>;
  using Numbers = std::span<const double>;

  static void run(std::span<const T> x, const Slices& slices, Numbers beside, std::span<Result> out,
                  Same<double, P>... parameter) {
    check_extent(x, slices, out);
    if (kArrayOf<Op>.name) {
      check_sizes(Op::name, kArrayOf<Op>.name, beside.size(), "a vector", slices.length);
    }
    explain(along(x, slices, beside, out, parameter...), [&] {
      check_numbers(parameter...);
      const double values[] = {parameter..., 0.0};
      check_length<Op>(values, slices.length);
      check_array(Op::name, kArrayOf<Op>, beside);
    });
  }

  static void run(std::span<const T> x, const Groups& groups, Numbers, std::span<Result> out,
                  Same<double, P>... parameter) {
    if (!groups.weights.empty()) {
      check_sizes(Op::name, "weights", groups.weights.size(), "there are groups", groups.count);
    }
    int status = 0;
    if (groups.kind == Groups::Kind::slices) {
      check_extent(x, groups.slices, out);
      status = along(x, groups.slices, groups.weights, out, parameter...);
    } else {
      const bool offsets = groups.kind == Groups::Kind::offsets;
      check_extent(x, Slices::whole(x.size()), out);
      if (offsets && groups.places.empty()) fail(Op::name, "offsets must not be empty, got 0");
      if (!offsets) {
        check_sizes(Op::name, "labels", groups.places.size(), "x", x.size());
      }
      status = by_places(x, groups, out, parameter...);
    }
    explain(status, [&] {
      check_numbers(parameter...);
      check_array(Op::name, {{"weights", Rule::non_negative}}, groups.weights);
      if (groups.kind == Groups::Kind::offsets) check_offsets(Op::name, groups.places, x.size());
      if (groups.kind == Groups::Kind::labels) check_labels(Op::name, groups.places, groups.count);
    });
  }

 private:
  static std::int64_t as_signed(std::size_t size) { return static_cast<std::int64_t>(size); }

  static void check_extent(std::span<const T> x, const Slices& slices, std::span<Result> out) {
    check_sizes(Op::name, "x", x.size(), "the slices",
                slices.before * slices.length * slices.after);
    if (!kIsMeasure<Op>) check_sizes(Op::name, "out", out.size(), "x", x.size());
  }

  static void check_numbers(Same<double, P>... parameter) {
    const double values[] = {parameter..., 0.0};  // one at least
    check_parameters(Op::name, Op::params, values);
  }

  static int along(std::span<const T> x, const Slices& slices, Numbers array, std::span<Result> out,
                   Same<double, P>... parameter) {
    using Function = int(const T*, std::int64_t, std::int64_t, std::int64_t, Same<double, P>...,
                         const double*, Result*);
    static Function* const function = find<Function>(Op::name, kSuffix<T>);
    return function(x.data(), as_signed(slices.before), as_signed(slices.length),
                    as_signed(slices.after), parameter..., data_of(array), out.data());
  }

  static int by_places(std::span<const T> x, const Groups& groups, std::span<Result> out,
                       Same<double, P>... parameter) {
    using Function = int(const T*, std::int64_t, const std::int64_t*, std::int64_t,
                         Same<double, P>..., const double*, Result*);
    const auto find_form = [](const char* form) {
      return find<Function>(Op::name, (std::string(form) + kSuffix<T>).c_str());
    };
    static Function* const between = find_form("_offsets");
    static Function* const by_labels = find_form("_labels");
    Function* const function = groups.kind == Groups::Kind::offsets ? between : by_labels;
    return function(x.data(), as_signed(x.size()), groups.places.data(), as_signed(groups.count),
                    parameter..., data_of(groups.weights), out.data());
  }

  static const double* data_of(Numbers numbers) {
    return numbers.empty() ? nullptr : numbers.data();
  }

  template <class Check>
  static void explain(int status, const Check& check) {
    if (status == 0) return;
    if (status == 2) throw std::bad_alloc();
    check();
    fail(Op::name, "out must be x or share no memory with what is read");
  }
};

template <class Op>
using HasArray = std::make_index_sequence<kArrayOf<Op>.name ? 1 : 0>;
template <class Op>
using LayoutOf = std::conditional_t<kTakesGroups<Op>, Groups, Slices>;

template <std::size_t>
using Array = std::span<const double>;

inline std::span<const double> joined() { return {}; }
inline std::span<const double> joined(std::span<const double> array) { return array; }

}  // namespace detail

// The type of the functions of slices. A call f(x, vectors, array…, parameters…, out) for spans of
// float or of double writes the result to out, on as many threads as the size is worth; out is x,
// or shares no memory with anything that is read. `vectors`, Slices or, of an operator of groups,
// Groups, may be left out: x is one vector. There is an array, of one number for each element of a
// vector, where the Python function has one.
//
// In the body of bridle_parallel_for a call is the work of its thread alone: a step of one's own on
// some rows, and an operator of slices on them while they are in the cache, are one pass.
//
// Throws std::invalid_argument, with nothing written, if a size does not fit, an array overlaps
// otherwise, or a parameter or a number is not allowed; std::bad_alloc if memory is short.
template <class Op, class Indices = detail::Parameters<Op>, class Arrays = detail::HasArray<Op>>
class OfSlices;

template <class Op, std::size_t... P, std::size_t... A>
class OfSlices<Op, std::index_sequence<P...>, std::index_sequence<A...>> {
 public:
  using Vectors = detail::LayoutOf<Op>;

  void operator()(std::span<const float> x, const Vectors& vectors, detail::Array<A>... array,
                  detail::Same<double, P>... parameter, std::span<float> out) const {
    call<float>(x, vectors, detail::joined(array...), out, parameter...);
  }
  void operator()(std::span<const double> x, const Vectors& vectors, detail::Array<A>... array,
                  detail::Same<double, P>... parameter, std::span<double> out) const {
    call<double>(x, vectors, detail::joined(array...), out, parameter...);
  }
  void operator()(std::span<const float> x, detail::Array<A>... array,
                  detail::Same<double, P>... parameter, std::span<float> out) const {
    call<float>(x, Slices::whole(x.size()), detail::joined(array...), out, parameter...);
  }
  void operator()(std::span<const double> x, detail::Array<A>... array,
                  detail::Same<double, P>... parameter, std::span<double> out) const {
    call<double>(x, Slices::whole(x.size()), detail::joined(array...), out, parameter...);
  }

 private:
  template <class T>
  static void call(std::span<const T> x, const Vectors& vectors, std::span<const double> array,
                   std::span<T> out, detail::Same<double, P>... parameter) {
    detail::CallOfSlices<Op, T, std::index_sequence<P...>>::run(x, vectors, array, out,
                                                                parameter...);
  }
};

// The type of their penalties: f(w, vectors, array…, strengths…) gives one number, added up over
// all vectors. A strength that is the only parameter may be left out; it is 1 then.
template <class Op, class Indices = detail::Parameters<Op>, class Arrays = detail::HasArray<Op>>
class PenaltyOfSlices;

template <class Op, std::size_t... P, std::size_t... A>
class PenaltyOfSlices<Op, std::index_sequence<P...>, std::index_sequence<A...>> {
 public:
  using Vectors = detail::LayoutOf<Op>;

  double operator()(std::span<const float> w, const Vectors& vectors, detail::Array<A>... array,
                    detail::Same<double, P>... strength) const {
    return call<float>(w, vectors, detail::joined(array...), strength...);
  }
  double operator()(std::span<const double> w, const Vectors& vectors, detail::Array<A>... array,
                    detail::Same<double, P>... strength) const {
    return call<double>(w, vectors, detail::joined(array...), strength...);
  }
  double operator()(std::span<const float> w, detail::Array<A>... array,
                    detail::Same<double, P>... strength) const {
    return call<float>(w, Slices::whole(w.size()), detail::joined(array...), strength...);
  }
  double operator()(std::span<const double> w, detail::Array<A>... array,
                    detail::Same<double, P>... strength) const {
    return call<double>(w, Slices::whole(w.size()), detail::joined(array...), strength...);
  }
  double operator()(std::span<const float> w, const Vectors& vectors) const
    requires(sizeof...(P) == 1 && sizeof...(A) == 0)
  {
    return call<float>(w, vectors, {}, detail::Same<double, P>(1)...);
  }
  double operator()(std::span<const double> w, const Vectors& vectors) const
    requires(sizeof...(P) == 1 && sizeof...(A) == 0)
  {
    return call<double>(w, vectors, {}, detail::Same<double, P>(1)...);
  }
  double operator()(std::span<const float> w) const
    requires(sizeof...(P) == 1 && sizeof...(A) == 0)
  {
    return call<float>(w, Slices::whole(w.size()), {}, detail::Same<double, P>(1)...);
  }
  double operator()(std::span<const double> w) const
    requires(sizeof...(P) == 1 && sizeof...(A) == 0)
  {
    return call<double>(w, Slices::whole(w.size()), {}, detail::Same<double, P>(1)...);
  }

 private:
  template <class T>
  static double call(std::span<const T> w, const Vectors& vectors, std::span<const double> array,
                     detail::Same<double, P>... strength) {
    double result = 0.0;
    detail::CallOfSlices<Op, T, std::index_sequence<P...>>::run(
        w, vectors, array, std::span<double>(&result, 1), strength...);
    return result;
  }
};

template <class Op>
using SliceFunction = std::conditional_t<kIsMeasure<Op>, PenaltyOfSlices<Op>, OfSlices<Op>>;

}  // namespace bridle::inline BRIDLE_ISA
