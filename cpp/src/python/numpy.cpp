#define BRIDLE_IMPORTS_NUMPY
#include "numpy.hpp"

#include <algorithm>
#include <cstdlib>
#include <numeric>

namespace bridle::python {
namespace {

int bfloat16_number = -1;

int find_bfloat16() {
  PyObject* module = PyImport_ImportModule("ml_dtypes");
  if (!module) return -1;
  PyObject* type = PyObject_GetAttrString(module, "bfloat16");
  Py_DECREF(module);
  if (!type) return -1;
  PyArray_Descr* descr = PyArray_DescrFromTypeObject(type);
  Py_DECREF(type);
  if (!descr) return -1;
  const int number = descr->type_num;
  Py_DECREF(descr);
  return number;
}

}  // namespace

bool import_numpy() {
  if (PyArray_ImportNumPyAPI() < 0 || PyUFunc_ImportUFuncAPI() < 0) return false;
  bfloat16_number = find_bfloat16();
  return bfloat16_number >= 0;
}

int type_number(DType dtype) {
  switch (dtype) {
    case DType::float16:
      return NPY_HALF;
    case DType::bfloat16:
      return bfloat16_number;
    case DType::float32:
      return NPY_FLOAT;
    case DType::complex64:
      return NPY_CFLOAT;
    case DType::complex128:
      return NPY_CDOUBLE;
    default:
      return NPY_DOUBLE;
  }
}

std::optional<DType> dtype_of(PyArrayObject* array) {
  if (!PyArray_ISALIGNED(array) || !PyArray_ISNOTSWAPPED(array)) return std::nullopt;
  const int number = PyArray_TYPE(array);
  if (number == NPY_FLOAT) return DType::float32;
  if (number == NPY_DOUBLE) return DType::float64;
  if (number == NPY_HALF) return DType::float16;
  if (number == bfloat16_number) return DType::bfloat16;
  return std::nullopt;
}

std::optional<DType> map_dtype_of(PyArrayObject* array) {
  const int number = PyArray_TYPE(array);
  if (number != NPY_CFLOAT && number != NPY_CDOUBLE) return dtype_of(array);
  if (!PyArray_ISALIGNED(array) || !PyArray_ISNOTSWAPPED(array)) return std::nullopt;
  return number == NPY_CFLOAT ? DType::complex64 : DType::complex128;
}

AxisOrder axes_in_order(PyArrayObject* array) {
  AxisOrder order;
  std::iota(order.axis, order.axis + PyArray_NDIM(array), 0);
  return order;
}

AxisOrder axes_in_memory(PyArrayObject* array) {
  const int dimensions = PyArray_NDIM(array);
  int axes[kMaxDimensions];  // the innermost first
  for (int axis = dimensions - 1, sorted = 0; axis >= 0; --axis, ++sorted) {
    int position = sorted;
    for (int k = sorted - 1; k >= 0; --k) {
      const npy_intp one = std::abs(PyArray_STRIDE(array, axis));
      const npy_intp other = std::abs(PyArray_STRIDE(array, axes[k]));
      if (one == 0 || other == 0) continue;
      if (one >= other) break;
      position = k;
    }
    std::copy_backward(axes + position, axes + sorted, axes + sorted + 1);
    axes[position] = axis;
  }
  AxisOrder order;
  std::reverse_copy(axes, axes + dimensions, order.axis);
  return order;
}

Walk walk_along(PyArrayObject* array, const AxisOrder& order) {
  const int dimensions = PyArray_NDIM(array);
  npy_intp lengths[kMaxDimensions], strides[kMaxDimensions];
  for (int k = 0; k < dimensions; ++k) {
    lengths[k] = PyArray_DIM(array, order.axis[k]);
    strides[k] = PyArray_STRIDE(array, order.axis[k]);
  }
  return {dimensions, lengths, strides};
}

Walk walk_in_memory(PyArrayObject* array) { return walk_along(array, axes_in_memory(array)); }

}  // namespace bridle::python
