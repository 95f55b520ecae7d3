#include "slices.hpp"

#include <pybind11/stl.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "drivers/selection.hpp"
#include "drivers/slices.hpp"
#include "front_door.hpp"
#include "numpy.hpp"

namespace py = pybind11;

namespace bridle::python {
namespace {

const SliceOperator* find(std::string_view name) {
  for (const SliceOperator& op : slice_operators()) {
    if (op.name == name) return &op;
  }
  return nullptr;
}

const SliceOperator& find_operator(const std::string& name) {
  const SliceOperator* const op = find(name);
  if (!op) throw py::key_error("no operator of slices " + name);
  return *op;
}

DType type_of(py::handle array) {
  const auto dtype = dtype_of(as_array(array.ptr()));
  if (!dtype) throw py::type_error("arrays of this type are not supported");
  return *dtype;
}

template <class Number>
const Number* data_of(const py::object& array) {
  return array.is_none() ? nullptr
                         : static_cast<const Number*>(PyArray_DATA(as_array(array.ptr())));
}

std::size_t size_of(py::handle array) {
  return static_cast<std::size_t>(PyArray_SIZE(as_array(array.ptr())));
}

// An array along some of its axes, or along the others.
Walk walk_along(PyArrayObject* array, const std::vector<int>& axes, bool these) {
  std::vector<npy_intp> lengths, strides;
  for (int axis = 0; axis < PyArray_NDIM(array); ++axis) {
    if ((std::ranges::find(axes, axis) != axes.end()) != these) continue;
    lengths.push_back(PyArray_DIM(array, axis));
    strides.push_back(PyArray_STRIDE(array, axis));
  }
  return {static_cast<int>(lengths.size()), lengths.data(), strides.data()};
}

void apply(const std::string& name, py::handle x, py::handle out, const std::vector<int>& axes,
           const std::vector<double>& numbers, const py::object& weights, const py::object& offsets,
           const py::object& beside, bool fresh) {
  const SliceOperator& op = find_operator(name);
  PyArrayObject* const from = as_array(x.ptr());
  PyArrayObject* const to = op.measures ? from : as_array(out.ptr());
  std::size_t count = 1, length = 1;
  for (int axis = 0; axis < PyArray_NDIM(from); ++axis) {
    const bool inside = std::ranges::find(axes, axis) != axes.end();
    (inside ? length : count) *= static_cast<std::size_t>(PyArray_DIM(from, axis));
  }
  if (!offsets.is_none()) count = size_of(offsets) - 1;
  const Walk x_vectors = walk_along(from, axes, false), x_elements = walk_along(from, axes, true);
  const Walk out_vectors = walk_along(to, axes, false), out_elements = walk_along(to, axes, true);
  const SliceCall call{
      .op = &op,
      .dtype = type_of(x),
      .x = PyArray_BYTES(from),
      .x_vectors = x_vectors,
      .x_elements = x_elements,
      .out = PyArray_BYTES(to),
      .out_vectors = out_vectors,
      .out_elements = out_elements,
      .count = count,
      .length = length,
      .offsets = data_of<std::int64_t>(offsets),
      .given = numbers.data(),
      .weights = data_of<double>(weights),
      .beside = data_of<double>(beside),
      .numbers = op.measures ? static_cast<double*>(PyArray_DATA(as_array(out.ptr()))) : nullptr,
      .output = fresh ? Output::fresh : Output::reused};
  const py::gil_scoped_release release;
  if (!apply_to_slices(call)) throw std::bad_alloc();
}

void apply_labels(const std::string& name, py::handle x, py::handle out, const py::object& labels,
                  const std::vector<double>& numbers, const py::object& weights,
                  std::size_t count) {
  const SliceOperator& op = find_operator(name);
  const LabelCall call{
      .op = &op,
      .dtype = type_of(x),
      .x = PyArray_BYTES(as_array(x.ptr())),
      .out = PyArray_BYTES(as_array(out.ptr())),
      .size = size_of(x),
      .labels = data_of<std::int64_t>(labels),
      .count = count,
      .given = numbers.data(),
      .weights = data_of<double>(weights),
      .numbers = op.measures ? static_cast<double*>(PyArray_DATA(as_array(out.ptr()))) : nullptr};
  const py::gil_scoped_release release;
  if (!apply_by_labels(call)) throw std::bad_alloc();
}

SelectionArray selection_array(py::handle x) {
  return {type_of(x), PyArray_DATA(as_array(x.ptr())), size_of(x)};
}

py::tuple select(const std::vector<py::object>& arrays, std::size_t k) {
  std::vector<SelectionArray> list;
  for (const py::object& array : arrays) list.push_back(selection_array(array));
  const std::unique_ptr<std::uint64_t[]> scratch(
      new std::uint64_t[selection_scratch() / sizeof(std::uint64_t)]);
  Selection found;
  {
    const py::gil_scoped_release release;
    found = select_largest(list.data(), list.size(), k, scratch.get());
  }
  return py::make_tuple(found.nan, found.threshold, found.kept_ties());
}

std::size_t keep(py::handle x, py::handle out, double threshold, std::size_t ties) {
  const SelectionArray array = selection_array(x);
  void* const to = PyArray_DATA(as_array(out.ptr()));
  const py::gil_scoped_release release;
  return keep_selected(array, to, threshold, ties);
}

void check_beside(const std::string& name, const py::float_& value) {
  const SliceOperator& op = find_operator(name);
  if (keeps(op.beside.rule, value)) return;
  const Param param = op.beside;
  raise_broken_rule({op.name, {&param, 1}}, 0, value.ptr(), nullptr);
  throw py::error_already_set();
}

py::dict operators() {
  using namespace py::literals;
  py::dict facts;
  for (const SliceOperator& op : slice_operators()) {
    py::list params, whole;
    for (const Param& param : op.params) {
      params.append(param.name);
      if (param.whole) whole.append(param.name);
    }
    const py::object beside = op.beside.name ? py::object(py::str(op.beside.name)) : py::none();
    const py::object divisor = op.divisor < 0 ? py::object(py::none()) : py::int_(op.divisor);
    facts[op.name] =
        py::dict("params"_a = py::tuple(params), "whole"_a = py::tuple(whole), "beside"_a = beside,
                 "measures"_a = op.measures, "groups"_a = op.groups, "divisor"_a = divisor);
  }
  return facts;
}

}  // namespace

std::optional<Operator> find_slice_operator(std::string_view name) {
  const SliceOperator* const op = find(name);
  if (!op) return {};
  return Operator{op->name, op->params};
}

void add_slices(py::module_& module) {
  module.attr("slice_operators") = operators();
  module.def("check_beside", check_beside);
  module.def("apply_to_slices", apply);
  module.def("apply_by_labels", apply_labels);
  module.def("count_labels", [](const py::object& labels) {
    const std::int64_t* const data = data_of<std::int64_t>(labels);
    const std::size_t size = size_of(labels);
    const py::gil_scoped_release release;
    return count_labels(data, size);
  });
  module.def("select_largest", select);
  module.def("keep_selected", keep);
}

}  // namespace bridle::python
