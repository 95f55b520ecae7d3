// The facts about an operator that stand beside its formula: its name, and its parameters with
// their rules.
#pragma once

#include <cstddef>

namespace bridle {

// What a hyper-parameter may be. NaN breaks every rule but `any`.
enum class Rule {
  any,
  number,
  finite,
  non_negative,
  non_negative_finite,
  positive,
  above_two,
  unit_interval,
  below_one,
  count,
  flag,
  not_below_previous,  // the parameter before it
};

struct Param {
  const char* name;
  Rule rule;
  bool whole = false;  // it counts something
};

// What the numbers of an array keep together, each of which keeps a rule of its own.
enum class Together { any, not_increasing, not_all_zero };

// An array of one number for each element of a vector.
struct ArrayParam : Param {
  Together together = Together::any;
};
inline constexpr ArrayParam kNoArray{{nullptr, Rule::any}};

// An array of the state of an optimizer, by its name. One that goes with a parameter is there if
// and only if the one at that place is not 0.
struct StateArray {
  static constexpr int always = -1, optional = -2;
  const char* name;
  int with = always;
};

// The parameters of an operator, of which there may be none.
template <std::size_t kCount>
struct ParamList {
  Param values[kCount == 0 ? 1 : kCount];

  static constexpr std::size_t size() { return kCount; }
  constexpr const Param* data() const { return values; }
  constexpr const Param* begin() const { return values; }
  constexpr const Param* end() const { return values + kCount; }
  constexpr const Param& operator[](std::size_t index) const { return values[index]; }
};

template <class... P>
constexpr ParamList<sizeof...(P)> parameters(P... param) {
  return {{param...}};
}

// Whether a rule is about the parameter before it, too.
constexpr bool looks_back(Rule rule) { return rule == Rule::not_below_previous; }

// Without `previous`, what looks back is judged by its own value alone.
constexpr bool keeps(Rule rule, double value, double previous = -__builtin_inf()) {
  switch (rule) {
    case Rule::any:
      return true;
    case Rule::number:
      return value == value;
    case Rule::finite:
      return value - value == 0.0;
    case Rule::non_negative:
      return value >= 0.0;
    case Rule::non_negative_finite:
      return value >= 0.0 && value < __builtin_inf();
    case Rule::positive:
      return value > 0.0;
    case Rule::above_two:
      return value > 2.0;
    case Rule::unit_interval:
      return value >= 0.0 && value <= 1.0;
    case Rule::below_one:
      return value >= 0.0 && value < 1.0;
    case Rule::count:
      return value >= 1.0;
    case Rule::flag:
      return value == 0.0 || value == 1.0;
    case Rule::not_below_previous:
      return value >= previous;
  }
  return false;
}

constexpr bool is_whole(double value) {
  return value - value == 0.0 && __builtin_floor(value) == value;
}

// The place of the first value that breaks its rule, or is not whole though it counts; the number
// of parameters if there is none.
template <class Params, class T>
constexpr std::size_t first_broken(const Params& params, const T* values) {
  for (std::size_t p = 0; p < params.size(); ++p) {
    const auto value = static_cast<double>(values[p]);
    const bool kept = p > 0 ? keeps(params[p].rule, value, static_cast<double>(values[p - 1]))
                            : keeps(params[p].rule, value);
    if (!kept || (params[p].whole && !is_whole(value))) return p;
  }
  return params.size();
}

// As error messages say it: "threshold must be …"; that of a rule that looks back ends with the
// name of the parameter before.
constexpr const char* describe_rule(Rule rule) {
  switch (rule) {
    case Rule::any:
      return "anything";
    case Rule::number:
      return "a number";
    case Rule::finite:
      return "finite";
    case Rule::non_negative:
      return ">= 0";
    case Rule::non_negative_finite:
      return ">= 0 and finite";
    case Rule::positive:
      return "> 0";
    case Rule::above_two:
      return "> 2";
    case Rule::unit_interval:
      return "between 0 and 1";
    case Rule::below_one:
      return ">= 0 and < 1";
    case Rule::count:
      return ">= 1";
    case Rule::flag:
      return "0 or 1";
    case Rule::not_below_previous:
      return ">= ";
  }
  return "";
}

}  // namespace bridle
