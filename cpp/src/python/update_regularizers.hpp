// The regularizers of a fused update, one for each array.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "drivers/core.hpp"
#include "numpy.hpp"

namespace bridle::python {

// Made of None, or of a tuple with one entry for each array: None, or (name of the proximal
// operator, its parameters, place of the step or −1, name of the penalty or None, its parameters).
// A parameter is a float or an array of the shape of the weights, maybe by strides of 0. All of it
// has been checked.
class UpdateRegularizers {
 public:
  explicit UpdateRegularizers(PyObject* given);

  // Null: none.
  const UpdateRegularizer* of(std::size_t i) const {
    return i < regularizers_.size() && regularizers_[i] ? &*regularizers_[i] : nullptr;
  }
  bool has_arrays() const { return !walks_.empty(); }
  // What the weights of array i cost, of which these are the sums.
  double penalty(std::size_t i, const UpdateSums& sums) const;

 private:
  UpdateRegularizer parse(PyObject* entry);
  int parse_parameters(PyObject* tuple, UpdateParameter* parameters);

  std::vector<std::optional<UpdateRegularizer>> regularizers_;
  std::vector<std::unique_ptr<Walk>> walks_;
  std::vector<std::unique_ptr<double>> numbers_;
};

}  // namespace bridle::python
