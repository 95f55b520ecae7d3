#include "update_case.hpp"

#include <cmath>

namespace bridle::test {

UpdateCase::UpdateCase(DType dtype, DType gradient_dtype, std::size_t size, Present present,
                       std::uint64_t seed, std::size_t phase)
    : size_(size),
      type_(dtype == DType::float64),
      weights_(part(dtype, true, seed, phase)),
      gradient_(part(gradient_dtype, present.gradient, seed + 1, phase)),
      toward_(part(dtype, present.toward, seed + 2, phase)) {
  const DType wide = dtype == DType::float64 ? DType::float64 : DType::float32;
  for (int s = 0; s < 3; ++s) {
    state_.push_back(part(wide, s < present.states, seed + 3 + static_cast<unsigned>(s), phase));
  }
}

UpdateCase::Part UpdateCase::part(DType dtype, bool present, std::uint64_t seed,
                                  std::size_t phase) const {
  const std::size_t item = item_size(dtype);
  const Bytes elements = hostile_elements(dtype, present ? size_ : 0, seed);
  return {dtype, Array(item, elements, static_cast<std::ptrdiff_t>(item), phase * item), present};
}

UpdateMemory UpdateCase::memory() {
  const auto data = [](Part& part) { return part.present ? part.array.operand().data : nullptr; };
  return {data(weights_),
          data(gradient_),
          {data(state_[0]), data(state_[1]), data(state_[2])},
          data(toward_)};
}

UpdateArray UpdateCase::array(const UpdateNumbers& numbers, std::uint64_t first) {
  const UpdateMemory m = memory();
  return {{m.weights, const_cast<void*>(m.gradient), m.state[0], m.state[1], m.state[2],
           const_cast<void*>(m.toward)},
          size_,
          &numbers,
          first};
}

std::vector<UpdateElement> UpdateCase::elements() const {
  std::vector<UpdateElement> result(size_);
  const auto read = [&](const Part& part, auto place) {
    if (!part.present) return;
    const Bytes bytes = part.array.elements();
    for (std::size_t i = 0; i < size_; ++i) {
      place(result[i]) = value_of(part.dtype, &bytes[i * item_size(part.dtype)]);
    }
  };
  read(weights_, [](UpdateElement& e) -> double& { return e.weight; });
  read(gradient_, [](UpdateElement& e) -> double& { return e.gradient; });
  read(toward_, [](UpdateElement& e) -> double& { return e.toward; });
  for (std::size_t s = 0; s < 3; ++s) {
    read(state_[s], [s](UpdateElement& e) -> double& { return e.state[s]; });
  }
  return result;
}

std::vector<UpdateElement> UpdateCase::expected(const UpdateOperator& op,
                                                const UpdateNumbers& numbers,
                                                UpdateForm form) const {
  std::vector<UpdateElement> result = elements();
  for (UpdateElement& element : result) op.apply[type_](numbers, form, element);
  return result;
}

bool UpdateCase::gaps_untouched() const {
  bool untouched = weights_.array.gaps_untouched() && gradient_.array.gaps_untouched() &&
                   toward_.array.gaps_untouched();
  for (const Part& part : state_) untouched = untouched && part.array.gaps_untouched();
  return untouched;
}

bool same_number(double a, double b) {
  return (std::isnan(a) && std::isnan(b)) || (a == b && std::signbit(a) == std::signbit(b));
}

std::string difference(const std::vector<UpdateElement>& expected,
                       const std::vector<UpdateElement>& actual, int states) {
  for (std::size_t i = 0; i < expected.size(); ++i) {
    bool same = same_number(expected[i].weight, actual[i].weight);
    for (int s = 0; s < states; ++s) {
      same = same && same_number(expected[i].state[s], actual[i].state[s]);
    }
    if (!same) {
      return "element " + std::to_string(i) + " of " + std::to_string(expected.size()) +
             ": expected weight " + std::to_string(expected[i].weight) + ", got " +
             std::to_string(actual[i].weight);
    }
  }
  return "";
}

}  // namespace bridle::test
