// The direct path of the public functions: exact arrays of a supported type, aligned and
// contiguous, and numbers as parameters. It costs a quarter of a ufunc call; everything else goes
// to the Python fallbacks.
#pragma once

#include "drivers/operators.hpp"
#include "numpy.hpp"

namespace bridle::python {

// Adds one builtin function an operator to the module:
//   operator(x, *parameters, out, keywords)      keywords: the ufunc's own, as a dictionary
//   penalty(w, *parameters, axis, keepdims)
//   dropout(x, p, seed, stream, offset, noise_shape, block, inverted, out)
// and check_parameter(operator, index, value), which raises ValueError where the parameter's rule
// is broken.
bool add_front_doors(PyObject* module);

// Sets ValueError. previous: the value of the parameter before it, if it is known.
void raise_broken_rule(const Operator& op, std::size_t index, PyObject* value, PyObject* previous);

// What is called with the same arguments where the direct path does not apply; elementwise
// operators and penalties put their name in front and the parameters into a tuple.
void set_fallbacks(PyObject* elementwise, PyObject* penalty, PyObject* dropout);

}  // namespace bridle::python
