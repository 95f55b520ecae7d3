#include "update_regularizers.hpp"

#include "drivers/operators.hpp"

namespace bridle::python {

UpdateRegularizers::UpdateRegularizers(PyObject* given) {
  if (given == Py_None) return;
  const auto count = static_cast<std::size_t>(PyTuple_GET_SIZE(given));
  regularizers_.resize(count);
  for (std::size_t i = 0; i < count; ++i) {
    PyObject* const entry = PyTuple_GET_ITEM(given, static_cast<Py_ssize_t>(i));
    if (entry == Py_None) continue;
    const bool same = i > 0 && entry == PyTuple_GET_ITEM(given, static_cast<Py_ssize_t>(i) - 1);
    regularizers_[i] = same ? *regularizers_[i - 1] : parse(entry);
  }
}

UpdateRegularizer UpdateRegularizers::parse(PyObject* entry) {
  const auto item = [entry](Py_ssize_t k) { return PyTuple_GET_ITEM(entry, k); };
  UpdateRegularizer result{};
  result.prox = place_of(kMapOperators, PyUnicode_AsUTF8(item(0)));
  result.prox_count = parse_parameters(item(1), result.prox_parameters);
  result.step = static_cast<int>(PyLong_AsLong(item(2)));
  result.penalty = item(3) == Py_None ? -1 : place_of(kPenalties, PyUnicode_AsUTF8(item(3)));
  result.penalty_count = parse_parameters(item(4), result.penalty_parameters);
  return result;
}

int UpdateRegularizers::parse_parameters(PyObject* tuple, UpdateParameter* parameters) {
  const auto count = static_cast<int>(PyTuple_GET_SIZE(tuple));
  for (int p = 0; p < count; ++p) {
    PyObject* const value = PyTuple_GET_ITEM(tuple, p);
    if (PyArray_Check(value)) {
      auto* const array = reinterpret_cast<PyArrayObject*>(value);
      walks_.push_back(
          std::make_unique<Walk>(PyArray_NDIM(array), PyArray_DIMS(array), PyArray_STRIDES(array)));
      parameters[p] = {PyArray_DATA(array), *dtype_of(array), walks_.back().get()};
    } else {
      numbers_.push_back(std::make_unique<double>(PyFloat_AsDouble(value)));
      parameters[p] = {numbers_.back().get(), DType::float64, nullptr};
    }
  }
  return count;
}

double UpdateRegularizers::penalty(std::size_t i, const UpdateSums& sums) const {
  const UpdateRegularizer* const regularizer = of(i);
  return regularizer ? penalty_of(*regularizer, sums) : 0.0;
}

}  // namespace bridle::python
