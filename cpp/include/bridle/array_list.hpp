// Arrays as functions on whole models take them: one, or a list of them, of any mix of types.
#pragma once

#include <bridle/c_arrays.h>

#include <bridle/config.hpp>
#include <bridle/errors.hpp>
#include <bridle/types.hpp>
#include <concepts>
#include <cstddef>
#include <initializer_list>
#include <ranges>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

namespace bridle::inline BRIDLE_ISA {
namespace detail {

static_assert(static_cast<int>(DType::float16) == BRIDLE_FLOAT16);
static_assert(static_cast<int>(DType::bfloat16) == BRIDLE_BFLOAT16);
static_assert(static_cast<int>(DType::float32) == BRIDLE_FLOAT32);
static_assert(static_cast<int>(DType::float64) == BRIDLE_FLOAT64);

// What converts to a span of T, const where it is only read.
template <class X, class T, bool kWritten>
concept SpanOf = std::convertible_to<X, std::span<std::conditional_t<kWritten, T, const T>>>;
template <class X, bool kWritten>
concept AnySpan = SpanOf<X, float, kWritten> || SpanOf<X, double, kWritten> ||
                  SpanOf<X, BFloat16, kWritten> || SpanOf<X, Float16, kWritten>;

constexpr std::int32_t dtype_of(const Float16*) { return BRIDLE_FLOAT16; }
constexpr std::int32_t dtype_of(const BFloat16*) { return BRIDLE_BFLOAT16; }
constexpr std::int32_t dtype_of(const float*) { return BRIDLE_FLOAT32; }
constexpr std::int32_t dtype_of(const double*) { return BRIDLE_FLOAT64; }

template <class T>
bridle_array array_of(std::span<T> x) {
  return BRIDLE_ARRAY(const_cast<std::remove_const_t<T>*>(x.data()), dtype_of(x.data()),
                      static_cast<std::int64_t>(x.size()));
}

}  // namespace detail

// One array of float, double, Float16 or BFloat16: a span, or what converts to one (std::vector,
// std::array, arrays). kWritten: of elements that are not const.
template <bool kWritten>
class BasicArray {
 public:
  template <class X>
    requires detail::AnySpan<X, kWritten>
  BasicArray(X&& x) : array_(detail::array_of(span_of(x))) {}
  // Everything that can be written can be read.
  template <bool kOther>
    requires(kOther && !kWritten)
  BasicArray(const BasicArray<kOther>& other) : array_(other.get()) {}

  // A matrix of `count` rows of `length` elements, each of which begins `stride` elements after the
  // one before: some columns of a wider one, say. Throws std::invalid_argument if x is too short.
  template <class X>
    requires detail::AnySpan<X, kWritten>
  static BasicArray rows(X&& x, std::size_t count, std::size_t length, std::size_t stride) {
    BasicArray array(x);
    const auto size = static_cast<std::size_t>(array.array_.length);
    const bool fits =
        count == 0 || (length <= size && (stride == 0 || (size - length) / stride >= count - 1));
    if (!fits) {
      detail::fail("rows", "the last row must end within the span, got " + std::to_string(count) +
                               " of " + std::to_string(length) + " elements, " +
                               std::to_string(stride) + " apart, in " + std::to_string(size));
    }
    array.array_.rows = static_cast<std::int64_t>(count);
    array.array_.length = static_cast<std::int64_t>(length);
    array.array_.stride = static_cast<std::int64_t>(stride);
    return array;
  }

  const bridle_array& get() const { return array_; }

 private:
  template <class T>
  using Span = std::span<std::conditional_t<kWritten, T, const T>>;

  template <class X>
  static auto span_of(X&& x) {
    if constexpr (detail::SpanOf<X, float, kWritten>) {
      return Span<float>(x);
    } else if constexpr (detail::SpanOf<X, double, kWritten>) {
      return Span<double>(x);
    } else if constexpr (detail::SpanOf<X, BFloat16, kWritten>) {
      return Span<BFloat16>(x);
    } else {
      return Span<Float16>(x);
    }
  }

  bridle_array array_;
};

// What a function writes, or reads and writes; and what it only reads.
using Array = BasicArray<true>;
using ConstArray = BasicArray<false>;

// One array, a list of them, or (default) none. A list is any range of what converts to an array:
// std::vector<std::span<float>>, std::vector<Array>, {w1, w2}. The arrays are seen, not copied.
template <bool kWritten>
class BasicArrays {
  using One = BasicArray<kWritten>;

 public:
  BasicArrays() = default;
  template <class X>
    requires std::convertible_to<X, One>
  BasicArrays(X&& x) : kind_(Kind::one), one_(One(x).get()) {}
  template <class List>
    requires(!std::convertible_to<List, One> && std::ranges::input_range<List> &&
             std::convertible_to<std::ranges::range_reference_t<List>, One>)
  BasicArrays(List&& list) : kind_(Kind::list) {
    for (auto&& x : list) list_.push_back(One(x).get());
  }
  BasicArrays(std::initializer_list<One> list) : kind_(Kind::list) {
    for (const One& x : list) list_.push_back(x.get());
  }

  template <bool kOther>
    requires(kOther && !kWritten)
  BasicArrays(const BasicArrays<kOther>& other)
      : kind_(other.is_list()    ? Kind::list
              : other.is_given() ? Kind::one
                                 : Kind::none) {
    if (kind_ == Kind::one) one_ = *other.data();
    if (kind_ == Kind::list) list_.assign(other.data(), other.data() + other.count());
  }

  bool is_given() const { return kind_ != Kind::none; }
  bool is_list() const { return kind_ == Kind::list; }
  std::size_t count() const { return is_list() ? list_.size() : is_given(); }
  // Whether it is none, or one array without elements.
  bool empty() const { return !is_list() && (!is_given() || one_.length * one_.rows == 0); }
  // Null if there is none.
  const bridle_array* data() const {
    return is_list() ? list_.data() : is_given() ? &one_ : nullptr;
  }

 private:
  enum class Kind { none, one, list };

  Kind kind_ = Kind::none;
  bridle_array one_ = {};
  std::vector<bridle_array> list_;
};

using Arrays = BasicArrays<true>;
using ConstArrays = BasicArrays<false>;

namespace detail {

// Whether there is an array for each one of `first`, which is called so.
template <bool kWritten, bool kFirstWritten>
void check_count(const char* function, const char* name, const BasicArrays<kWritten>& arrays,
                 const char* first_name, const BasicArrays<kFirstWritten>& first) {
  if (arrays.count() == first.count() && arrays.is_list() == first.is_list()) return;
  const std::string kind =
      first.is_list() ? "a list of " + std::to_string(first.count()) + " arrays" : "an array";
  const std::string got = !arrays.is_given() ? "none"
                          : arrays.is_list() ? std::to_string(arrays.count()) + " in a list"
                                             : "an array";
  fail(function, std::string(name) + " must be " + kind + ", as " + first_name + " is, got " + got);
}

}  // namespace detail
}  // namespace bridle::inline BRIDLE_ISA
