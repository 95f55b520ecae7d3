// What the drivers are compared with: every operator of the list, one element at a time, exactly as
// its formula is written down. Made from the list, so that a new operator is tested without a new
// line.
#pragma once

#include <bridle/types.hpp>
#include <cstddef>
#include <string>
#include <vector>

#include "drivers/core.hpp"

namespace bridle::test {

inline constexpr DType kAllTypes[] = {DType::float16, DType::bfloat16, DType::float32,
                                      DType::float64};

std::string name_of(DType dtype);

struct MapOperator {
  std::string name;
  std::vector<Rule> rules;  // of its parameters
  // out = op{parameters}(x) for one element of each type; parameters have the compute type.
  void (*apply[kDTypes])(const void* x, const void* const* parameters, void* out);
};

struct ReduceOperator {
  std::string name;
  std::size_t sums;
  std::vector<double> parameters;  // good ones
  void (*terms)(const double* parameters, double w, double* term);
};

// One element of an update; a float is held as the double of the same value.
struct UpdateElement {
  double weight, gradient, toward, state[3];
};

// Which kernel: what surrounds the step, and whether the proximal step has the update's own size.
struct UpdateForm {
  UpdateKind kind;
  bool adaptive;
};

struct UpdateOperator {
  std::string name;
  int states;
  // Renews weight and state, computed in float and in double.
  void (*apply[2])(const UpdateNumbers& numbers, UpdateForm form, UpdateElement& element);
};

// Good parameters for as many vectors.
std::vector<double> parameters_of(const ReduceOperator& op, std::size_t vectors);

const std::vector<MapOperator>& map_operators();
const std::vector<ReduceOperator>& reduce_operators();
const std::vector<UpdateOperator>& update_operators();

// One element as a number.
double value_of(DType dtype, const void* element);

// The sums of a penalty in the order that DESIGN promises: chunks of 4096, 32 lanes, folds, levels.
std::vector<double> reference_sums(const ReduceOperator& op, const std::vector<double>& w);

// What an operator of the dropout family makes of one element; noise is the decision or the
// standard normal deviate.
void apply_noise_to_one(int op, DType dtype, const void* x, const double* members, float noise,
                        void* out);

}  // namespace bridle::test
