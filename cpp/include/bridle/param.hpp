// The facts about an operator that stand beside its formula: its name and the rules of its
// parameters.
#pragma once

namespace bridle {

// What a hyper-parameter may be. NaN breaks every rule.
enum class Rule { non_negative, unit_interval };

struct Param {
  const char* name;
  Rule rule;
};

constexpr bool keeps(Rule rule, double value) {
  switch (rule) {
    case Rule::non_negative:
      return value >= 0.0;
    case Rule::unit_interval:
      return value >= 0.0 && value <= 1.0;
  }
  return false;
}

// As error messages say it: "threshold must be …".
constexpr const char* describe_rule(Rule rule) {
  switch (rule) {
    case Rule::non_negative:
      return ">= 0";
    case Rule::unit_interval:
      return "between 0 and 1";
  }
  return "";
}

}  // namespace bridle
