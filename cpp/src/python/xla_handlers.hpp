// The operators as functions that programs compiled by XLA call (JAX's foreign-function interface).
// They need no Python. Python tells XLA of them, see python/bridle/jax/_calls.py.
#pragma once

#include <pybind11/pybind11.h>

namespace bridle::python {

// {name: capsule of an xla::Handler}. The operands, the first of which may be the result's memory:
//   elementwise   x, its parameters in the type that x computes in: one number, as many as x has
//                 elements, or one for each row (see Numbers)
//   penalties     w, strength; one result for each row, float32, or float64 for float64
//   dropout       x, p, seed, stream, offset; the attribute `noise` has int64 numbers: whether it
//                 is inverted, the index of the first decision before `offset`, and how far those
//                 of neighbours lie apart along each of the last dimensions of x: those before
//                 make rows
// A value that is not allowed, and a call that fits no operator, are errors of the program, with
// nothing written.
pybind11::dict xla_handlers();

}  // namespace bridle::python
