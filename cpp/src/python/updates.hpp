// Fused updates of arrays and of lists of arrays.
#pragma once

#include "numpy.hpp"

namespace bridle::python {

// Adds to the module:
//   prepare(arrays) -> capsule     what is known of the arrays of a list or tuple, looked up once
//   update(operator, names, groups, numbers, settings, weight_decay, l1, l2)
//     groups: w, gradient, three of state, toward; each None, an array, a list or tuple of arrays,
//             or a capsule. names: how error messages call them.
//     numbers: those of the operator's functor that users give (`params`)
//     settings: (gradient scale, cautious, adaptive, Decay, None or (seed, stream, offset))
//     weight_decay, l1, l2: a float, or one for each array in a tuple
//   -> (penalty, nonzeros, finite), or NotImplemented for arrays that are not contiguous.
bool add_updates(PyObject* module);

}  // namespace bridle::python
