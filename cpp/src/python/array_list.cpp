#include "array_list.hpp"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <span>
#include <utility>

namespace bridle::python {
namespace {

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

}  // namespace

void raise(PyObject* error, const Names& names, const std::string& name, const char* rule,
           const std::string& got) {
  PyErr_Format(error, "%s: %s %s, got %s", names.function, name.c_str(), rule, got.c_str());
  throw Raised();
}

std::string group_name(const Names& names, int group) {
  return PyUnicode_AsUTF8(PyTuple_GET_ITEM(names.groups, group));
}

std::string element_name(const Names& names, int group, std::size_t i) {
  if (!names.keys) return group_name(names, group) + "[" + std::to_string(i) + "]";
  PyObject* const shown = PyObject_Repr(PyTuple_GET_ITEM(names.keys, static_cast<Py_ssize_t>(i)));
  const char* const text = shown ? PyUnicode_AsUTF8(shown) : nullptr;
  const std::string result = group_name(names, group) + "[" + (text ? text : "") + "]";
  Py_XDECREF(shown);
  if (!text) throw Raised();
  return result;
}

std::string advice(const char* function, PyObject* object) {
  PyObject* const module = PyImport_ImportModule("bridle._containers");
  PyObject* const text = module ? PyObject_CallMethod(module, function, "O", object) : nullptr;
  const char* const words = text ? PyUnicode_AsUTF8(text) : nullptr;
  std::string result = words ? words : "";
  PyErr_Clear();
  Py_XDECREF(text);
  Py_XDECREF(module);
  return result;
}

std::string type_name(PyObject* object) {
  const char* const name = Py_TYPE(object)->tp_name;
  const char* const dot = std::strrchr(name, '.');
  return (dot ? dot + 1 : name) + advice("instead", object);
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
  const std::size_t size = size_of(array);
  if (size > 0) list.extents.push_back({begin, end, list.arrays.size()});
  list.arrays.push_back({array, data, size, PyArray_DESCR(array), dtype_of(array)});
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

bool is_apart_from_itself(PyArrayObject* array) noexcept {
  if (PyArray_ISONESEGMENT(array)) return true;
  std::pair<npy_intp, npy_intp> steps[kMaxDimensions];  // stride and length
  std::size_t count = 0;
  for (int d = 0; d < PyArray_NDIM(array); ++d) {
    if (PyArray_DIM(array, d) > 1) {
      steps[count++] = {std::abs(PyArray_STRIDE(array, d)), PyArray_DIM(array, d)};
    }
  }
  std::sort(steps, steps + count);
  npy_intp reach = PyArray_ITEMSIZE(array);
  for (const auto& [stride, length] : std::span(steps, count)) {
    if (stride < reach) return false;
    reach += stride * (length - 1);
  }
  return true;
}

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
  if (!std::ranges::is_sorted(result.extents, begins_before))
    std::ranges::sort(result.extents, begins_before);
  return result;
}

}  // namespace bridle::python
