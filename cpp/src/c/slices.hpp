// The C functions of the operators of slices, made of the list.
#pragma once

#include <bridle/ops.hpp>
#include <type_traits>
#include <utility>

#include "arguments.hpp"
#include "drivers/slices.hpp"

namespace bridle::c {

// What all forms of a call have.
struct SliceArguments {
  const SliceOperator& op;
  DType dtype;
  const void* x;
  const double* given;
  const double* array;  // beside the elements of a vector, or the weights of groups
  void* out;            // of a penalty: one double
  // A penalty of all elements that is added, the first of the numbers being its strength; or null.
  double (*of_elements)(const void* x, std::size_t n, double strength);
};

template <class Penalty, class T>
double penalty_of(const T* x, std::size_t n, double strength) {
  double sums[kMaxSums];
  reduce(index_in<Penalty>(ReduceOps{}), kDTypeOf<T>, contiguous_operand(x), n, &strength, sums);
  return Penalty{strength}.finish(sums);
}

// The vectors lie along the middle axis of before × length × after elements; between offsets; or
// are those that labels say. 0; 1 if something is not allowed; 2 if there is no memory.
int call_along(const SliceArguments& arguments, std::int64_t before, std::int64_t length,
               std::int64_t after) noexcept;
int call_between(const SliceArguments& arguments, std::int64_t n, const std::int64_t* offsets,
                 std::int64_t count) noexcept;
int call_by_labels(const SliceArguments& arguments, std::int64_t n, const std::int64_t* labels,
                   std::int64_t count) noexcept;

template <class Op, class T, class Indices = std::make_index_sequence<Op::params.size()>>
struct SliceFunctions;
template <class Op, class T, std::size_t... P>
struct SliceFunctions<Op, T, std::index_sequence<P...>> {
  template <std::size_t>
  using Number = double;
  using Result = std::conditional_t<kIsMeasure<Op>, double, T>;

  static int along(const T* x, std::int64_t before, std::int64_t length, std::int64_t after,
                   Number<P>... parameter, const double* array, Result* out) noexcept {
    const double given[] = {parameter..., 0.0};  // one at least
    return call_along(arguments(x, given, array, out), before, length, after);
  }
  static int between(const T* x, std::int64_t n, const std::int64_t* offsets, std::int64_t count,
                     Number<P>... parameter, const double* weights, Result* out) noexcept {
    const double given[] = {parameter..., 0.0};
    return call_between(arguments(x, given, weights, out), n, offsets, count);
  }
  static int by_labels(const T* x, std::int64_t n, const std::int64_t* labels, std::int64_t count,
                       Number<P>... parameter, const double* weights, Result* out) noexcept {
    const double given[] = {parameter..., 0.0};
    return call_by_labels(arguments(x, given, weights, out), n, labels, count);
  }

 private:
  static SliceArguments arguments(const T* x, const double* given, const double* array,
                                  Result* out) {
    SliceArguments result{slice_operators().first[index_in<Op>(SliceOps{})],
                          kDTypeOf<T>,
                          x,
                          given,
                          array,
                          out,
                          nullptr};
    if constexpr (requires { typename Op::OfElements; }) {
      result.of_elements = [](const void* every, std::size_t n, double strength) {
        return penalty_of<typename Op::OfElements>(static_cast<const T*>(every), n, strength);
      };
    }
    return result;
  }
};

}  // namespace bridle::c
