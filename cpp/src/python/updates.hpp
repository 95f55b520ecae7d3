// Fused updates of arrays and of lists of arrays.
#pragma once

#include "numpy.hpp"

namespace bridle::python {

// Adds to the module:
//   prepare(arrays, names, keys) -> capsule     what is known of the arrays of a tuple, looked up
//     once; keys: those of a mapping, or None
//   check_arrays(names, groups, keys, stochastic)     raises what is wrong with the arrays of an
//     update
//   update(operator, names, groups, numbers, settings, weight_decay, l1, l2, rows, regularizers,
//          keys, note)
//     groups: w, gradient, three of state, toward, copy_out; each None, an array, a tuple of
//             arrays, or a capsule. names: how error messages call them, that of the function last.
//     numbers: those of the operator's functor that users give (`params`)
//     settings: (gradient scale, cautious, adaptive, Decay, None or (seed, stream, offset)
//       or (seed, stream, 0, tuple with an offset for each array))
//     weight_decay, l1, l2: a float, or one for each array in a tuple
//     rows, regularizers: None, or for each array the numbers of its rows, and what follows
//     note: None, or (object, name, value) of an attribute that is set once the arrays are written
//   -> (penalty, nonzeros, finite), or NotImplemented for arrays that are no rows of contiguous
//   memory.
bool add_updates(PyObject* module);

// Adds to the module:
//   catch_up(w, toward, rows, missed, step, l1, l2, weight_decay)
//     w and toward (or None): tables, checked, the elements of a row contiguous
//     rows, missed: int64, contiguous, of equal length; rows of the tables, none of them twice
bool add_catch_up(PyObject* module);

// Adds to the module:
//   unfit_row(rows, size) -> None, or one of the rows that is none of so many, or is there twice
//     rows: int64, contiguous
bool add_rows(PyObject* module);

// What the method tables of Python take.
inline PyCFunction as_function(PyObject* (*function)(PyObject*, PyObject* const*, Py_ssize_t)) {
  return reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(function));
}

}  // namespace bridle::python
