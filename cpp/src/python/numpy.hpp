// NumPy's C API, and the little that this module adds to it.
#pragma once

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#define NPY_NO_DEPRECATED_API NPY_2_0_API_VERSION
#define NPY_TARGET_VERSION NPY_2_0_API_VERSION
#define PY_ARRAY_UNIQUE_SYMBOL bridle_array_api
#define PY_UFUNC_UNIQUE_SYMBOL bridle_ufunc_api
#ifndef BRIDLE_IMPORTS_NUMPY
#define NO_IMPORT_ARRAY
#define NO_IMPORT_UFUNC
#endif
#include <numpy/arrayobject.h>
#include <numpy/ufuncobject.h>

#include <optional>

#include "drivers/core.hpp"

namespace bridle::python {

// Imports NumPy and ml_dtypes; false with a Python exception set if that fails.
bool import_numpy();

inline PyArrayObject* as_array(PyObject* object) {
  return reinterpret_cast<PyArrayObject*>(object);
}

// NumPy's number of an element type; bfloat16 has got its number from ml_dtypes.
int type_number(DType dtype);

// The element type of an array, if it is one of the four that are real, in native byte order and
// aligned; map_dtype_of: or complex.
std::optional<DType> dtype_of(PyArrayObject* array);
std::optional<DType> map_dtype_of(PyArrayObject* array);

// Axes from the outermost to the innermost.
struct AxisOrder {
  int axis[kMaxDimensions];
};

AxisOrder axes_in_order(PyArrayObject* array);  // as they are
// The order in which NumPy visits memory (ravel with order "K"): by falling strides, where a stride
// of zero tells nothing.
AxisOrder axes_in_memory(PyArrayObject* array);

// The elements of an array in such an order, in bytes.
Walk walk_along(PyArrayObject* array, const AxisOrder& order);
Walk walk_in_memory(PyArrayObject* array);

}  // namespace bridle::python
