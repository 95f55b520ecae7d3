// The operators as functions on spans of float or double: every one of the lists in ops.hpp has a
// function of its name. What it computes and what its parameters may be stands in ops/, above its
// formula; what holds for all (aliasing, threads, exceptions), beside their types in
// span_functions.hpp.
//
//   soft_threshold(x, threshold, out);   an elementwise operator: x, its parameters, out
//   l1_penalty(w, strength);             a penalty: w, its parameters
//   project_simplex(x, radius, out);     an operator of slices: x as one vector,
//   project_simplex(x, Slices::rows(height, width), radius, out);    or as several;
//   prox_slope(x, strengths, step, out);       with an array for the elements of a vector;
//   group_l2_penalty(w, Groups::between(offsets), strength);         with groups; a penalty of them
//
// Parameters have the type of the elements, those of penalties and of slices are double.
#pragma once

#include <bridle/ops.hpp>
#include <bridle/span_functions.hpp>
#include <bridle/span_slices.hpp>

namespace bridle::inline BRIDLE_ISA {

#define BRIDLE_FUNCTION(name) inline constexpr Elementwise<ops::name> name;
BRIDLE_MAP_OPERATORS(BRIDLE_FUNCTION)
#undef BRIDLE_FUNCTION

#define BRIDLE_FUNCTION(name) inline constexpr Penalty<ops::name> name;
BRIDLE_PENALTIES(BRIDLE_FUNCTION)
#undef BRIDLE_FUNCTION

#define BRIDLE_FUNCTION(name) inline constexpr SliceFunction<ops::name> name;
BRIDLE_SLICE_OPERATORS(BRIDLE_FUNCTION)
#undef BRIDLE_FUNCTION

}  // namespace bridle::inline BRIDLE_ISA
