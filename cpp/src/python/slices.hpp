// Operators of slices.
#pragma once

#include <pybind11/pybind11.h>

#include <optional>
#include <string_view>

#include "drivers/operators.hpp"

namespace bridle::python {

std::optional<Operator> find_slice_operator(std::string_view name);

// Adds to the module:
//   check_beside(name, value) raises what is wrong with a number that lies beside an element
//   slice_operators: {name: facts}, as in drivers/slices.hpp: `params` are names, `whole` those of
//     parameters that count, `beside` a name or None, `divisor` a place or None
//   apply_to_slices(name, x, out, axes, numbers, weights, offsets, beside, fresh)
//     x, out: as dtype_of wants them, equal in shape and type; out is x, element for element, or
//             shares no memory with it; of an operator that measures it is the float64 array of the
//             results, one for each vector
//     weights: None or float64, one for each vector; offsets: None or int64; beside: None or
//              float64, one for each element of a vector; all contiguous and checked
//     fresh: nobody has touched the memory of out
//   apply_by_labels(name, x, out, labels, numbers, weights, count): everything contiguous, labels
//     int64 below `count`
//   count_labels(labels) -> one more than the largest
//   select_largest(arrays, k) -> (nan, threshold, ties): see drivers/selection.hpp
//   keep_selected(x, out, threshold, ties) -> ties left
void add_slices(pybind11::module_& module);

}  // namespace bridle::python
