// The direct path of the public functions: exact arrays of a supported type, aligned and contiguous, and
// numbers as parameters. It costs a quarter of a ufunc call; everything else goes to the Python fallbacks.
#pragma once

#include "numpy.hpp"

namespace bridle::python {

// Adds one builtin function an operator to the module:
//   operator(x, *parameters, out, keywords)      keywords: the ufunc's own, as a dictionary
//   penalty(w, *parameters, axis, keepdims)
// and check_parameter(operator, index, value), which raises ValueError where the parameter's rule is broken.
bool add_front_doors(PyObject* module);

// What is called with the operator's name and the same arguments (parameters as a tuple) where the direct
// path does not apply.
void set_fallbacks(PyObject* elementwise, PyObject* penalty);

}  // namespace bridle::python
