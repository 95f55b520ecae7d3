// For the tests of what programs include: they see the public headers and the shared library alone.
#pragma once

#include <bridle/bridle.hpp>
#include <cmath>
#include <cstring>
#include <limits>
#include <stdexcept>
#include <string>
#include <vector>

namespace bridle::test {

// Ordinary numbers of either sign, and at every seventh place a special one.
template <class T>
std::vector<T> values(std::size_t size) {
  using Limits = std::numeric_limits<T>;
  const T special[] = {T(0),
                       T(-0.0),
                       Limits::denorm_min(),
                       -Limits::min(),
                       Limits::max(),
                       Limits::infinity(),
                       -Limits::infinity(),
                       Limits::quiet_NaN()};
  std::vector<T> result(size);
  for (std::size_t i = 0; i < size; ++i) {
    const T ordinary = T(std::sin(static_cast<double>(7 * i + 1))) * T(i % 5 + 1);
    result[i] = i % 7 == 3 ? special[i / 7 % std::size(special)] : ordinary;
  }
  return result;
}

// The first index at which two arrays differ, bit for bit but for NaN; the size if they agree.
template <class T>
std::size_t first_difference(const std::vector<T>& a, const std::vector<T>& b) {
  std::size_t i = 0;
  const auto same = [&] {
    return std::memcmp(&a[i], &b[i], sizeof(T)) == 0 || (std::isnan(a[i]) && std::isnan(b[i]));
  };
  while (i < a.size() && i < b.size() && same()) ++i;
  return a.size() == b.size() ? i : 0;
}

// The i-th sample of a parameter, no two alike.
inline double sample(Rule rule, std::size_t i) {
  switch (rule) {
    case Rule::any:
    case Rule::finite:
    case Rule::number:
    case Rule::non_negative:
    case Rule::non_negative_finite:
    case Rule::positive:
    case Rule::not_below_previous:
      return 0.3 + 0.125 * static_cast<double>(i);
    case Rule::above_two:
      return 2.5 + 0.125 * static_cast<double>(i);
    case Rule::unit_interval:
    case Rule::below_one:
      return 0.1 + 0.125 * static_cast<double>(i);
    case Rule::count:
      return 3.0 + static_cast<double>(i);
    case Rule::flag:
      return 1.0;
  }
  return 0.0;
}

// What std::invalid_argument says, or "" if the call throws none.
template <class Call>
std::string refusal(const Call& call) {
  try {
    call();
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
  return "";
}

inline constexpr std::size_t kSizes[] = {0, 1, 2, 3, 7, 15, 64, 65, 255, 257, 1031, 200'003};

}  // namespace bridle::test
