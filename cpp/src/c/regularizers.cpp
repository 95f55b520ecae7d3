#include "regularizers.hpp"

#include <algorithm>
#include <string_view>

#include "drivers/operators.hpp"
#include "refusal.hpp"

namespace bridle::c {
namespace {

constexpr double kAnyStep = 1.0;

// The place of the parameter that the step size of an element stands for.
int place_of_step(std::span<const Param> params) {
  const auto is_step = [](const Param& param) { return std::string_view(param.name) == "step"; };
  const auto at = std::ranges::find_if(params, is_step);
  return at == params.end() ? -1 : static_cast<int>(at - params.begin());
}

// Writes where the numbers lie, and returns how many there are.
int read_parameters(const Operator& op, int step, const double* given,
                    UpdateParameter* parameters) {
  const std::size_t count = op.params.size();
  if (count > 0 && !given) fail(op.name, "parameters must be given, got null");
  double numbers[UpdateRegularizer::kMost] = {};
  for (std::size_t p = 0; p < count; ++p) {
    numbers[p] = static_cast<int>(p) == step ? kAnyStep : given[p];
    parameters[p] = {given + p, DType::float64, nullptr};
  }
  detail::check_parameters(op.name, op.params, numbers);
  return static_cast<int>(count);
}

template <class Operators>
int checked_place(const char* function, const std::string& name, const char* kind,
                  const Operators& operators, const char* given) {
  const int place = place_of(operators, given);
  const bool known = place < static_cast<int>(operators.size());
  if (known && operators[static_cast<std::size_t>(place)].params.size() <= UpdateRegularizer::kMost)
    return place;
  fail(function, name + " must name " + kind + ", got " + given);
}

}  // namespace

std::optional<UpdateRegularizer> regularizer_of(const char* function, const std::string& name,
                                                const bridle_regularizer& given) {
  if (!given.prox) return std::nullopt;
  UpdateRegularizer result{};
  result.prox = checked_place(function, name, "an elementwise operator", kMapOperators, given.prox);
  const Operator& prox = kMapOperators[static_cast<std::size_t>(result.prox)];
  result.step = place_of_step(prox.params);
  result.prox_count =
      read_parameters(prox, result.step, given.prox_parameters, result.prox_parameters);
  result.penalty = -1;
  if (!given.penalty) return result;
  result.penalty = checked_place(function, name, "a penalty", kPenalties, given.penalty);
  result.penalty_count = read_parameters(kPenalties[static_cast<std::size_t>(result.penalty)], -1,
                                         given.penalty_parameters, result.penalty_parameters);
  return result;
}

}  // namespace bridle::c
