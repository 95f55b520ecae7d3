#include "update_arrays.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace bridle::python {
namespace {

bool is_half(DType dtype) { return dtype == DType::float16 || dtype == DType::bfloat16; }
bool is_written(int group) { return group != kGradient && group != kToward; }

bool fits_type(int group, DType weights, DType given) {
  const bool same = given == weights;
  const bool wide = given == DType::float32;
  if (group == kWeights || group == kToward || !is_half(weights)) return same;
  return group == kGradient ? same || wide : wide;
}

const char* type_rule(int group, DType weights) {
  if (group == kWeights) return "must be of type float16, bfloat16, float32 or float64";
  if (group == kToward || !is_half(weights)) return "must have the type of w";
  return group == kGradient ? "must have the type of w or float32"
                            : "must be float32, as w is a half";
}

const char* broken_rule(int group, DType weights, std::optional<DType> given) {
  return given && fits_type(group, weights, *given) ? nullptr : type_rule(group, weights);
}

std::array<ArrayGroups::Group, kGroups> groups_of(const std::array<PyObject*, kGroups>& objects) {
  std::array<ArrayGroups::Group, kGroups> groups;
  for (int g = 0; g < kGroups; ++g) {
    groups[static_cast<std::size_t>(g)] = {objects[static_cast<std::size_t>(g)], is_written(g)};
  }
  return groups;
}

// The axes of an array that are longer than one element, the innermost first.
struct Axes {
  int count = 0;
  std::size_t length[kMaxDimensions];
  std::ptrdiff_t stride[kMaxDimensions];

  Axes(PyArrayObject* array, bool last_is_innermost) {
    const int dimensions = PyArray_NDIM(array);
    for (int k = 0; k < dimensions; ++k) {
      const int axis = last_is_innermost ? dimensions - 1 - k : k;
      if (PyArray_DIM(array, axis) == 1) continue;
      length[count] = static_cast<std::size_t>(PyArray_DIM(array, axis));
      stride[count++] = PyArray_STRIDE(array, axis);
    }
  }

  // How many of them are contiguous memory.
  int contiguous(std::ptrdiff_t item) const {
    int k = 0;
    for (std::ptrdiff_t next = item; k < count && stride[k] == next; ++k) {
      next *= static_cast<std::ptrdiff_t>(length[k]);
    }
    return k;
  }

  // Whether the axes from `first` on are one.
  bool one_from(int first) const {
    for (int k = first + 1; k < count; ++k) {
      if (stride[k] != stride[k - 1] * static_cast<std::ptrdiff_t>(length[k - 1])) return false;
    }
    return true;
  }
};

}  // namespace

UpdateArrays::UpdateArrays(const Names& names, const std::array<PyObject*, kGroups>& objects)
    : ArrayGroups(names, groups_of(objects), broken_rule) {}

std::optional<UpdateRows> UpdateArrays::rows_from(std::size_t i, bool last_axis) const {
  constexpr std::size_t short_row = 64;  // elements
  const Axes weights(get(kWeights, i)->array, last_axis);
  int inner = weights.count;
  for (int g = 0; g < kGroups; ++g) {
    if (!get(g, i)) continue;
    PyArrayObject* const array = get(g, i)->array;
    inner = std::min(inner, Axes(array, last_axis).contiguous(PyArray_ITEMSIZE(array)));
  }
  if (inner == weights.count) return UpdateRows{};
  std::size_t length = 1;
  for (int k = 0; k < inner; ++k) length *= weights.length[k];
  if (length < short_row) return std::nullopt;
  std::array<std::ptrdiff_t, kGroups> apart{};
  for (int g = 0; g < kGroups; ++g) {
    if (!get(g, i)) continue;
    const Axes axes(get(g, i)->array, last_axis);
    if (!axes.one_from(inner)) return std::nullopt;
    apart[static_cast<std::size_t>(g)] = axes.stride[inner];
  }
  return UpdateRows{length, apart[0], apart[1], {apart[2], apart[3], apart[4]}, apart[5]};
}

std::optional<UpdateRows> UpdateArrays::rows(std::size_t i, bool in_c_order) const {
  if (get(kWeights, i)->size == 0) return UpdateRows{};
  const std::optional<UpdateRows> found = rows_from(i, true);
  return found || in_c_order ? found : rows_from(i, false);
}

}  // namespace bridle::python
