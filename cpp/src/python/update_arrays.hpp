// The arrays of a fused update: whether they fit each other, and how they lie.
#pragma once

#include <array>
#include <optional>

#include "array_groups.hpp"

namespace bridle::python {

inline constexpr int kGroups = 6, kWeights = 0, kGradient = 1, kFirstState = 2, kToward = 5;

class UpdateArrays : public ArrayGroups {
 public:
  UpdateArrays(const Names& names, const std::array<PyObject*, kGroups>& objects);

  // How arrays i, which belong together, lie, if they can be walked alike row by row: in C order,
  // or in the order of memory. Rows that are short do not pay.
  std::optional<UpdateRows> rows(std::size_t i, bool in_c_order) const;

 private:
  std::optional<UpdateRows> rows_from(std::size_t i, bool last_axis) const;
};

}  // namespace bridle::python
