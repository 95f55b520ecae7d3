// The facts about an operator that stand beside its formula: its name and the rules of its
// parameters.
#pragma once

namespace bridle {

// What a hyper-parameter may be. NaN breaks every rule.
enum class Rule { non_negative, positive, unit_interval, below_one, count, flag };

struct Param {
  const char* name;
  Rule rule;
};

constexpr bool keeps(Rule rule, double value) {
  switch (rule) {
    case Rule::non_negative:
      return value >= 0.0;
    case Rule::positive:
      return value > 0.0;
    case Rule::unit_interval:
      return value >= 0.0 && value <= 1.0;
    case Rule::below_one:
      return value >= 0.0 && value < 1.0;
    case Rule::count:
      return value >= 1.0;
    case Rule::flag:
      return value == 0.0 || value == 1.0;
  }
  return false;
}

// As error messages say it: "threshold must be …".
constexpr const char* describe_rule(Rule rule) {
  switch (rule) {
    case Rule::non_negative:
      return ">= 0";
    case Rule::positive:
      return "> 0";
    case Rule::unit_interval:
      return "between 0 and 1";
    case Rule::below_one:
      return ">= 0 and < 1";
    case Rule::count:
      return ">= 1";
    case Rule::flag:
      return "0 or 1";
  }
  return "";
}

// The rule to name to somebody whose value breaks one: it must not be negative before anything
// else.
constexpr Rule broken_rule(Rule rule, double value) {
  return rule == Rule::positive && !(value >= 0.0) ? Rule::non_negative : rule;
}

}  // namespace bridle
