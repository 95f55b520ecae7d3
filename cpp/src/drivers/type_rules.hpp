// Which types the arrays of a call may have, in the words of error messages. A rule says what an
// array of the given type (none: of no type that there is here) must be beside the first one, or
// null where it is right.
#pragma once

#include <bridle/types.hpp>
#include <optional>

namespace bridle {

inline constexpr const char* kAnyFloat = "must be of type float16, bfloat16, float32 or float64";
inline constexpr const char* kMustBeWide =
    "must be float32 unless rounding is 'stochastic', since rounding to nearest loses small "
    "changes";
inline constexpr const char* kNothingToRound =
    "rounding must be 'nearest' unless w, state or copy_out is float16 or bfloat16, got "
    "'stochastic'";

inline bool is_half(DType dtype) { return dtype == DType::float16 || dtype == DType::bfloat16; }
inline bool is_state(int role) {
  return role >= UpdateRole::first_state && role < UpdateRole::toward;
}
inline bool is_written(int role) {
  return role != UpdateRole::gradient && role != UpdateRole::toward;
}

inline bool fits_update(int role, DType weights, DType given) {
  const bool is_double = weights == DType::float64;
  switch (role) {
    case UpdateRole::weights:
    case UpdateRole::toward:
      return given == weights;
    case UpdateRole::gradient:
      return is_double || given != DType::float64;
    case UpdateRole::copy_out:
      return weights == DType::float32 && given != DType::float64;
    default:
      if (is_double) return given == DType::float64;
      return given == DType::float32 || given == DType::bfloat16;
  }
}

// role: of UpdateRole, the first of which are the weights.
inline const char* update_rule(int role, DType weights, std::optional<DType> given) {
  if (given && fits_update(role, weights, *given)) return nullptr;
  const bool is_double = weights == DType::float64;
  switch (role) {
    case UpdateRole::weights:
      return kAnyFloat;
    case UpdateRole::toward:
      return "must have the type of w";
    case UpdateRole::gradient:
      return is_double ? kAnyFloat
                       : "must be of type float16, bfloat16 or float32, as w is not float64";
    case UpdateRole::copy_out:
      return weights == DType::float32 ? "must be of type float16, bfloat16 or float32"
                                       : "must be None unless w is float32";
    default:
      return is_double ? "must have the type of w" : "must be float32 or bfloat16";
  }
}

inline const char* any_float_rule(int, DType, std::optional<DType> given) {
  return given ? nullptr : kAnyFloat;
}

// Of what is rounded at random, and where it is written.
inline const char* into_halves_rule(int position, DType, std::optional<DType> given) {
  if (!given) return kAnyFloat;
  return position == 0 || is_half(*given)
             ? nullptr
             : "must be float16 or bfloat16 where rounding is 'stochastic'";
}

// What is added up or averaged, beside the wide type that this is done in.
inline const char* beside_wide(DType wide, std::optional<DType> given, const char* other) {
  const bool is_double = wide == DType::float64;
  return given && (*given == DType::float64) == is_double ? nullptr : other;
}

inline bool is_wide(DType dtype) { return dtype == DType::float32 || dtype == DType::float64; }

inline const char* sum_rule(int position, DType total, std::optional<DType> given) {
  if (position == 0) return given && is_wide(*given) ? nullptr : "must be float32 or float64";
  return beside_wide(total, given,
                     total == DType::float64
                         ? "must be float64, as total is"
                         : "must be float16, bfloat16 or float32, as total is float32");
}

inline const char* average_rule(int position, DType average, std::optional<DType> given) {
  if (position == 0) {
    if (given && is_wide(*given)) return nullptr;
    return given ? "must be float32 or float64, as a half loses the small steps of an average"
                 : "must be float32 or float64";
  }
  return beside_wide(average, given,
                     average == DType::float64
                         ? "must be float64, as average is"
                         : "must be float16, bfloat16 or float32, as average is float32");
}

using TypeRule = const char* (*)(int position, DType first, std::optional<DType> given);

inline TypeRule rule_of(Combination combination) {
  constexpr TypeRule rules[] = {sum_rule, average_rule, any_float_rule};
  return rules[static_cast<int>(combination)];
}

}  // namespace bridle
