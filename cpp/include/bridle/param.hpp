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

}  // namespace bridle
