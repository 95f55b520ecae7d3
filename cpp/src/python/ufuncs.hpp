// Every operator of the list as a NumPy ufunc, every penalty as a generalized one.
#pragma once

#include "numpy.hpp"

namespace bridle::python {

// Adds the ufuncs to a dictionary under their names; false with a Python exception set if that
// fails.
bool add_ufuncs(PyObject* dictionary);

}  // namespace bridle::python
