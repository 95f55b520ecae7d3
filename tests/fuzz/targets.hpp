// What the parts of the target for the C interface give each other.
#pragma once

#include <bridle/c_api.h>

#include <cmath>
#include <cstring>
#include <vector>

#include "input.hpp"

namespace fuzz {

constexpr int kMostParameters = 8;

// Every operator that bridle_find finds.
const std::vector<const bridle_operator*>& operators();

inline std::vector<double> numbers_of(Input& input, int count) {
  std::vector<double> numbers(kMostParameters);
  std::generate_n(numbers.begin(), count, [&] { return input.number(); });
  return numbers;
}

template <class T>
bool same_number(T a, T b) {
  return std::memcmp(&a, &b, sizeof(T)) == 0 || (std::isnan(a) && std::isnan(b));
}

// In updates.cpp.
void update(Input& input, const bridle_operator& op);
template <class T>
void plain_update(Input& input, const bridle_operator& op);
template <class T>
void dropout(Input& input);
void clip_scale(Input& input);
void lists(Input& input);

}  // namespace fuzz
