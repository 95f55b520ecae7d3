// Norms, sums, averages and conversions of lists of arrays.
#pragma once

#include "numpy.hpp"

namespace bridle::python {

// Adds to the module, where arrays are an array, a tuple of arrays or a capsule of them, `names`
// say how error messages call them and the function, and keys are those of a mapping, or None:
//   global_norm(names, arrays, keys, factor, written) -> (l2, largest, finite)
//     written: whether the arrays are to be such as can be written
//   combine(combination, names, to, beside, keys, factor)
//     combination: a Combination by its number; beside: None to scale
//   cast(names, x, out, keys, None or (seed, stream, offset))
bool add_lists(PyObject* module);

}  // namespace bridle::python
