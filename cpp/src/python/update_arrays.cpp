#include "update_arrays.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>
#include <utility>

namespace bridle::python {
namespace {

bool is_half(DType dtype) { return dtype == DType::float16 || dtype == DType::bfloat16; }
bool is_written(int group) { return group != kGradient && group != kToward; }

[[noreturn]] void raise(PyObject* error, const Names& names, const std::string& name,
                        const char* rule, const std::string& got) {
  PyErr_Format(error, "%s: %s %s, got %s", names.function, name.c_str(), rule, got.c_str());
  throw Raised();
}

std::string group_name(const Names& names, int group) {
  return PyUnicode_AsUTF8(PyTuple_GET_ITEM(names.groups, group));
}

std::string element_name(const Names& names, int group, std::size_t i) {
  return group_name(names, group) + "[" + std::to_string(i) + "]";
}

// As Python's __name__, which in types of C follows the name of a module.
const char* type_name(PyObject* object) {
  const char* const name = Py_TYPE(object)->tp_name;
  const char* const dot = std::strrchr(name, '.');
  return dot ? dot + 1 : name;
}

bool is_masked(PyObject* array) {
  if (PyArray_CheckExact(array)) return false;
  PyObject* const module = PyImport_ImportModule("numpy.ma");
  PyObject* const type = module ? PyObject_GetAttrString(module, "MaskedArray") : nullptr;
  const int answer = type ? PyObject_IsInstance(array, type) : -1;
  Py_XDECREF(type);
  Py_XDECREF(module);
  if (answer < 0) throw Raised();
  return answer == 1;
}

void add(ArrayList& list, const Names& names, PyObject* object) {
  if (is_masked(object)) {
    PyErr_Format(PyExc_TypeError,
                 "%s: masked arrays are not supported; fill or compress them first",
                 names.function);
    throw Raised();
  }
  auto* const array = as_array(object);
  char* const data = PyArray_BYTES(array);
  const char *begin = data, *end = data + PyArray_NBYTES(array);
  if (!PyArray_ISONESEGMENT(array)) {
    end = data + PyArray_ITEMSIZE(array);
    for (int d = 0; d < PyArray_NDIM(array); ++d) {
      const npy_intp last = (PyArray_DIM(array, d) - 1) * PyArray_STRIDE(array, d);
      (last < 0 ? begin : end) += last;
    }
  }
  const auto size = static_cast<std::size_t>(PyArray_SIZE(array));
  if (size > 0) list.extents.push_back({begin, end, list.arrays.size()});
  list.arrays.push_back({array, data, size, dtype_of(array)});
}

std::string description(const Facts& facts) {
  PyObject* const array = reinterpret_cast<PyObject*>(facts.array);
  PyObject* const dtype = PyObject_GetAttrString(array, "dtype");
  PyObject* const shape = PyObject_GetAttrString(array, "shape");
  PyObject* const text =
      dtype && shape ? PyUnicode_FromFormat("%S of shape %S", dtype, shape) : nullptr;
  std::string result = text ? PyUnicode_AsUTF8(text) : "?";
  if (!PyArray_ISALIGNED(facts.array)) result += " that is not aligned";
  Py_XDECREF(dtype);
  Py_XDECREF(shape);
  Py_XDECREF(text);
  return result;
}

// Whether an array that was looked up earlier still has its memory and type: a resized one has not.
bool is_as_found(const Facts& facts) {
  return PyArray_BYTES(facts.array) == facts.data &&
         static_cast<std::size_t>(PyArray_SIZE(facts.array)) == facts.size &&
         dtype_of(facts.array) == facts.dtype;
}

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

// Whether each element surely lies apart from the others: every stride leads over all that the
// smaller ones reach.
bool is_apart_from_itself(PyArrayObject* array) {
  if (PyArray_ISONESEGMENT(array)) return true;
  std::vector<std::pair<npy_intp, npy_intp>> steps;  // stride and length
  for (int d = 0; d < PyArray_NDIM(array); ++d) {
    if (PyArray_DIM(array, d) > 1) {
      steps.emplace_back(std::abs(PyArray_STRIDE(array, d)), PyArray_DIM(array, d));
    }
  }
  std::sort(steps.begin(), steps.end());
  npy_intp reach = PyArray_ITEMSIZE(array);
  for (const auto& [stride, length] : steps) {
    if (stride < reach) return false;
    reach += stride * (length - 1);
  }
  return true;
}

// Of arrays whose extents overlap. Elements that are not contiguous may lie between each other.
bool share_memory(PyArrayObject* a, PyArrayObject* b) {
  if (PyArray_ISONESEGMENT(a) && PyArray_ISONESEGMENT(b)) return true;
  PyObject* const numpy = PyImport_ImportModule("numpy");
  PyObject* const answer =
      numpy ? PyObject_CallMethod(numpy, "shares_memory", "OO", a, b) : nullptr;
  Py_XDECREF(numpy);
  if (!answer) throw Raised();
  const bool result = PyObject_IsTrue(answer);
  Py_DECREF(answer);
  return result;
}

}  // namespace

ArrayList look_up(const Names& names, int group, PyObject* tuple) {
  ArrayList result;
  const Py_ssize_t count = PyTuple_GET_SIZE(tuple);
  result.arrays.reserve(static_cast<std::size_t>(count));
  result.extents.reserve(static_cast<std::size_t>(count));
  for (Py_ssize_t i = 0; i < count; ++i) {
    PyObject* const item = PyTuple_GET_ITEM(tuple, i);
    if (!PyArray_Check(item)) {
      raise(PyExc_TypeError, names, element_name(names, group, static_cast<std::size_t>(i)),
            "must be an array", type_name(item));
    }
    add(result, names, item);
  }
  const auto before = [](const Extent& a, const Extent& b) { return a.begin < b.begin; };
  std::sort(result.extents.begin(), result.extents.end(), before);
  return result;
}

// An extent among those of other groups.
struct UpdateArrays::Place {
  Extent extent;
  int group;
};

UpdateArrays::UpdateArrays(const Names& names, const std::array<PyObject*, kGroups>& objects)
    : names_(names) {
  for (int g = 0; g < kGroups; ++g) {
    parse(g, objects[g]);
    check_length(g);
  }
  for (std::size_t i = 0; i < count(); ++i) check_array(i);
  check_overlap();
}

void UpdateArrays::parse(int group, PyObject* object) {
  if (object == Py_None && group != kWeights) return;
  single_[group] = PyArray_Check(object);
  if (PyCapsule_IsValid(object, kPreparedCapsule)) {
    lists_[group] = static_cast<ArrayList*>(PyCapsule_GetPointer(object, kPreparedCapsule));
    return;
  }
  if (single_[group]) {
    add(own_[group].emplace(), names_, object);
  } else if (PyTuple_Check(object)) {
    own_[group] = look_up(names_, group, object);
  } else {
    raise(PyExc_TypeError, names_, group_name(names_, group),
          "must be an array, or a list or tuple of arrays", type_name(object));
  }
  lists_[group] = &*own_[group];
}

void UpdateArrays::check_length(int group) const {
  if (!lists_[group]) return;
  const std::size_t length = lists_[group]->arrays.size();
  if (length == count() && single_[group] == single_[kWeights]) return;
  const std::string rule =
      single_[kWeights] ? std::string("must be an array, as w is")
                        : "must be a list of " + std::to_string(count()) + " arrays, as w is";
  raise(PyExc_ValueError, names_, group_name(names_, group), rule.c_str(),
        single_[group] ? "an array" : std::to_string(length) + " in a list");
}

void UpdateArrays::check_array(std::size_t i) const {
  const Facts& w = *get(kWeights, i);
  const DType type = w.dtype.value_or(DType::float32);
  for (int g = 0; g < kGroups; ++g) {
    if (!lists_[g]) continue;
    const Facts& facts = *get(g, i);
    if (!is_as_found(facts)) {
      fail(PyExc_ValueError, g, i, "must be as it was when it was prepared",
           description(facts) + " that has changed");
    }
    if (!facts.dtype || !fits_type(g, type, *facts.dtype)) {
      fail(PyExc_TypeError, g, i, type_rule(g, type), description(facts));
    }
    if (!PyArray_SAMESHAPE(facts.array, w.array)) {
      fail(PyExc_ValueError, g, i, "must have the shape of w", description(facts));
    }
    if (is_written(g) && !PyArray_ISWRITEABLE(facts.array)) {
      fail(PyExc_ValueError, g, i, "must be writeable", description(facts));
    }
    if (is_written(g) && facts.size > 1 && !is_apart_from_itself(facts.array)) {
      fail(PyExc_ValueError, g, i, "must have elements that share no memory", "some that do");
    }
  }
}

// What is written shares no memory with anything: two threads would meet there.
void UpdateArrays::check_overlap() const {
  std::vector<Place> places;
  places.reserve(kGroups * count());
  const auto before = [](const Place& a, const Place& b) {
    return a.extent.begin < b.extent.begin;
  };
  for (int g = 0; g < kGroups; ++g) {
    if (!lists_[g]) continue;
    const auto middle = static_cast<std::ptrdiff_t>(places.size());
    for (const Extent& extent : lists_[g]->extents) places.push_back({extent, g});
    std::inplace_merge(places.begin(), places.begin() + middle, places.end(), before);
  }
  std::vector<const Place*> open;  // those that reach the address arrived at
  for (const Place& place : places) {
    std::erase_if(open, [&](const Place* p) { return p->extent.end <= place.extent.begin; });
    for (const Place* other : open) {
      if (!is_written(place.group) && !is_written(other->group)) continue;
      const auto [first, second] = std::minmax(place, *other, [](const Place& a, const Place& b) {
        return std::pair(a.group, a.extent.index) < std::pair(b.group, b.extent.index);
      });
      if (!share_memory(get(first.group, first.extent.index)->array,
                        get(second.group, second.extent.index)->array)) {
        continue;
      }
      const std::string rule =
          "must share no memory with " + name_of(first.group, first.extent.index);
      fail(PyExc_ValueError, second.group, second.extent.index, rule.c_str(),
           "arrays that overlap");
    }
    open.push_back(&place);
  }
}

std::string UpdateArrays::name_of(int group, std::size_t i) const {
  return single_[group] ? group_name(names_, group) : element_name(names_, group, i);
}

void UpdateArrays::fail(PyObject* error, int group, std::size_t i, const char* rule,
                        const std::string& got) const {
  raise(error, names_, name_of(group, i), rule, got);
}

namespace {

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

std::optional<UpdateRows> UpdateArrays::rows_from(std::size_t i, bool last_axis) const {
  constexpr std::size_t short_row = 64;  // elements
  const Axes weights(get(kWeights, i)->array, last_axis);
  int inner = weights.count;
  for (int g = 0; g < kGroups; ++g) {
    if (!lists_[g]) continue;
    PyArrayObject* const array = get(g, i)->array;
    inner = std::min(inner, Axes(array, last_axis).contiguous(PyArray_ITEMSIZE(array)));
  }
  if (inner == weights.count) return UpdateRows{};
  std::size_t length = 1;
  for (int k = 0; k < inner; ++k) length *= weights.length[k];
  if (length < short_row) return std::nullopt;
  std::array<std::ptrdiff_t, kGroups> apart{};
  for (int g = 0; g < kGroups; ++g) {
    if (!lists_[g]) continue;
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
