// The arrays of a fused update: whether they fit each other, and how they lie.
#pragma once

#include <array>
#include <optional>

#include "array_groups.hpp"
#include "drivers/core.hpp"

namespace bridle::python {

inline constexpr int kGroups = UpdateRole::count;

class UpdateArrays : public ArrayGroups {
 public:
  // `stochastic`: halves are rounded at random. `chosen`: null, None, or a tuple of numbers of rows
  // (arrays of int64, checked), of which alone there are gradients.
  UpdateArrays(const Names& names, const std::array<PyObject*, kGroups>& objects,
               bool stochastic = false, PyObject* chosen = nullptr);

  // Whether arrays i, which belong together, are all in C order, and all of each is updated.
  bool in_one_row(std::size_t i) const;
  // How they lie, if they can be walked alike row by row: in C order, or in the order of memory.
  // Rows that are short do not pay.
  std::optional<UpdateRows> rows(std::size_t i, bool in_c_order) const;
  // The number of elements that are updated.
  std::size_t size(std::size_t i) const;

 private:
  std::optional<UpdateRows> rows_from(std::size_t i, bool last_axis) const;
  std::optional<UpdateRows> chosen_rows(std::size_t i) const;
  // Null where all rows are updated.
  PyArrayObject* chosen(std::size_t i) const;
  void check_rounding(bool stochastic) const;
  void check_chosen_rows(std::size_t i) const;

  PyObject* chosen_;
};

}  // namespace bridle::python
