#include "update_arrays.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace bridle::python {
namespace {

std::array<ArrayGroups::Group, kGroups> groups_of(const std::array<PyObject*, kGroups>& objects,
                                                  bool rows) {
  std::array<ArrayGroups::Group, kGroups> groups;
  for (int g = 0; g < kGroups; ++g) {
    groups[static_cast<std::size_t>(g)] = {objects[static_cast<std::size_t>(g)],
                                           bridle::is_written(g),
                                           rows && g == UpdateRole::gradient};
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

UpdateArrays::UpdateArrays(const Names& names, const std::array<PyObject*, kGroups>& objects,
                           bool stochastic, PyObject* chosen)
    : ArrayGroups(names, groups_of(objects, chosen && chosen != Py_None), update_rule),
      chosen_(chosen == Py_None ? nullptr : chosen) {
  check_rounding(stochastic);
  for (std::size_t i = 0; chosen_ && i < count(); ++i) check_chosen_rows(i);
}

void UpdateArrays::check_chosen_rows(std::size_t i) const {
  const Facts &facts = *get(UpdateRole::gradient, i), &w = *get(UpdateRole::weights, i);
  const int dimensions = PyArray_NDIM(w.array);
  const npy_intp* const shape = PyArray_DIMS(facts.array);
  if (PyArray_NDIM(facts.array) == dimensions && shape[0] == PyArray_SIZE(chosen(i)) &&
      std::equal(shape + 1, shape + dimensions, PyArray_DIMS(w.array) + 1)) {
    return;
  }
  fail(PyExc_ValueError, UpdateRole::gradient, i,
       "must have one row for each of rows, of the shape of those of w", description(facts));
}

PyArrayObject* UpdateArrays::chosen(std::size_t i) const {
  if (!chosen_) return nullptr;
  return as_array(PyTuple_GET_ITEM(chosen_, static_cast<Py_ssize_t>(i)));
}

std::size_t UpdateArrays::size(std::size_t i) const {
  return get(chosen_ ? UpdateRole::gradient : UpdateRole::weights, i)->size;
}

// At random only where something is rounded; and always where the next step needs what rounding to
// nearest would lose.
void UpdateArrays::check_rounding(bool stochastic) const {
  bool rounds = count() == 0;
  for (int g = 0; g < kGroups; ++g) {
    if (!is_written(g)) continue;
    for (std::size_t i = 0; i < count(); ++i) {
      const Facts* const facts = get(g, i);
      if (!facts || !is_half(*facts->dtype)) continue;
      rounds = true;
      if (is_state(g) && !stochastic) {
        fail(PyExc_ValueError, g, i, kMustBeWide, description(*facts));
      }
    }
  }
  if (stochastic && !rounds) {
    PyErr_Format(PyExc_ValueError, "%s: %s", names().function, kNothingToRound);
    throw Raised();
  }
}

bool UpdateArrays::in_one_row(std::size_t i) const {
  if (chosen_) return size(i) == 0;
  for (int g = 0; g < kGroups; ++g) {
    if (get(g, i) && !PyArray_IS_C_CONTIGUOUS(get(g, i)->array)) return size(i) == 0;
  }
  return true;
}

std::optional<UpdateRows> UpdateArrays::rows_from(std::size_t i, bool last_axis) const {
  constexpr std::size_t short_row = 3;  // elements
  const Axes weights(get(UpdateRole::weights, i)->array, last_axis);
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
  UpdateRows rows{.length = length};
  for (int g = 0; g < kGroups; ++g) {
    if (!get(g, i)) continue;
    const Axes axes(get(g, i)->array, last_axis);
    if (!axes.one_from(inner)) return std::nullopt;
    rows.apart[g] = axes.stride[inner];
  }
  return rows;
}

std::optional<UpdateRows> UpdateArrays::chosen_rows(std::size_t i) const {
  UpdateRows rows{.length = 1, .chosen = static_cast<std::int64_t*>(PyArray_DATA(chosen(i)))};
  PyArrayObject* const w = get(UpdateRole::weights, i)->array;
  for (int axis = 1; axis < PyArray_NDIM(w); ++axis) {
    rows.length *= static_cast<std::size_t>(PyArray_DIM(w, axis));
  }
  for (int g = 0; g < kGroups; ++g) {
    if (!get(g, i)) continue;
    PyArrayObject* const array = get(g, i)->array;
    npy_intp next = PyArray_ITEMSIZE(array);
    for (int axis = PyArray_NDIM(array) - 1; axis > 0; --axis) {
      if (PyArray_DIM(array, axis) > 1 && PyArray_STRIDE(array, axis) != next) return std::nullopt;
      next *= PyArray_DIM(array, axis);
    }
    rows.apart[g] = PyArray_STRIDE(array, 0);
  }
  return rows;
}

std::optional<UpdateRows> UpdateArrays::rows(std::size_t i, bool in_c_order) const {
  if (chosen(i)) return chosen_rows(i);
  const std::optional<UpdateRows> found = rows_from(i, true);
  return found || in_c_order ? found : rows_from(i, false);
}

}  // namespace bridle::python
