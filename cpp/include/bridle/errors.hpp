// The messages of bad arguments: those of the Python functions, word for word.
#pragma once

#include <bridle/config.hpp>
#include <bridle/param.hpp>
#include <charconv>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <functional>
#include <stdexcept>
#include <string>

namespace bridle::inline BRIDLE_ISA::detail {

template <std::integral T>
std::string text_of(T value) {
  return std::to_string(value);
}

// As Python prints it: the shortest digits that give the number again.
template <std::floating_point T>
std::string text_of(T value) {
  if (std::isnan(value)) return "nan";
  const T size = std::abs(value);
  const bool plain = size == T(0) || (size >= T(1e-4) && size < T(1e16));
  char digits[64];
  const std::to_chars_result end =
      std::to_chars(digits, digits + sizeof digits, value,
                    plain ? std::chars_format::fixed : std::chars_format::scientific);
  std::string text(digits, end.ptr);
  if (plain && text.find('.') == std::string::npos) text += ".0";
  return text;
}

[[noreturn]] inline void fail(const char* function, const std::string& what) {
  throw std::invalid_argument(std::string(function) + ": " + what);
}

// What counts is shown as an integer.
template <class T>
std::string text_of(const Param& param, T value) {
  const auto number = static_cast<double>(value);
  if (!param.whole || !is_whole(number) || std::fabs(number) > 0x1p62) return text_of(value);
  return std::to_string(static_cast<long long>(number));
}

// A parameter that no rule compares with the one before it.
template <class T>
void check_parameter(const char* function, const Param& param, T value) {
  if (keeps(param.rule, static_cast<double>(value))) return;
  fail(function, std::string(param.name) + " must be " + describe_rule(param.rule) + ", got " +
                     text_of(param, value));
}

template <class Params, class T>
void check_parameters(const char* function, const Params& params, const T* values) {
  const std::size_t p = first_broken(params, values);
  if (p == params.size()) return;
  if (params[p].whole && !is_whole(static_cast<double>(values[p]))) {
    fail(function,
         std::string(params[p].name) + " must be a whole number, got " + text_of(values[p]));
  }
  if (p == 0 || !looks_back(params[p].rule)) return check_parameter(function, params[p], values[p]);
  std::string what = std::string(params[p].name) + " must be " + describe_rule(params[p].rule) +
                     params[p - 1].name + ", got " + text_of(values[p]);
  if (!std::isnan(values[p])) {
    what += std::string(" with ") + params[p - 1].name + " " + text_of(values[p - 1]);
  }
  fail(function, what);
}

inline void check_sizes(const char* function, const char* array, std::size_t size,
                        const char* other, std::size_t wanted) {
  if (size == wanted) return;
  fail(function, std::string(array) + " must have as many elements as " + other + ", got " +
                     std::to_string(size) + " and " + std::to_string(wanted));
}

// Whether two arrays of n elements are one array, or share no element.
template <class T>
bool same_or_apart(const T* a, const T* b, std::size_t n) {
  const std::less<const T*> before;
  return a == b || !before(a, b + n) || !before(b, a + n);
}

}  // namespace bridle::inline BRIDLE_ISA::detail
