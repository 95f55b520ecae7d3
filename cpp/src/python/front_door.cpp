#include "front_door.hpp"

#include <cmath>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "slices.hpp"
#include "threads/status_flags.hpp"

namespace bridle::python {
namespace {

constexpr npy_intp kReleasesGil =
    16 * 1024;  // elements; below, the work is shorter than the hand-over

PyObject* elementwise_fallback = nullptr;
PyObject* penalty_fallback = nullptr;
PyObject* dropout_fallback = nullptr;

// The front doors take a fixed number of positional arguments; the Python functions give all of
// them.
bool has_arguments(const char* name, Py_ssize_t given, std::size_t wanted) {
  if (given == static_cast<Py_ssize_t>(wanted)) return true;
  PyErr_Format(PyExc_TypeError, "%s: takes %zu arguments, got %zd", name, wanted, given);
  return false;
}

// A Python or NumPy number as double; false, without an exception, if it is anything else.
bool number(PyObject* object, double& value) {
  if (PyFloat_CheckExact(object)) {
    value = PyFloat_AS_DOUBLE(object);
    return true;
  }
  if (PyLong_Check(object) || PyArray_IsScalar(object, Floating) ||
      PyArray_IsScalar(object, Integer)) {
    value = PyFloat_AsDouble(object);
    if (!(value == -1.0 && PyErr_Occurred())) return true;
    PyErr_Clear();
  }
  return false;
}

enum class Parsed { numbers, other, broken };

Parsed parse_parameters(const Operator& op, PyObject* const* args, double* values) {
  for (std::size_t p = 0; p < op.params.size(); ++p) {
    if (!number(args[p], values[p])) return Parsed::other;
  }
  const std::size_t broken = first_broken(op.params, values);
  if (broken == op.params.size()) return Parsed::numbers;
  raise_broken_rule(op, broken, args[broken], broken > 0 ? args[broken - 1] : nullptr);
  return Parsed::broken;
}

constexpr int kContiguous = NPY_ARRAY_C_CONTIGUOUS | NPY_ARRAY_F_CONTIGUOUS;

// An exact array of elements that can be worked on where they lie; complex ones, if those are
// taken.
PyArrayObject* usable_array(PyObject* object, std::optional<DType>& dtype, bool complex = false) {
  if (!PyArray_CheckExact(object)) return nullptr;
  auto* array = as_array(object);
  dtype = complex ? map_dtype_of(array) : dtype_of(array);
  return dtype ? array : nullptr;
}

// One whose elements fill one piece of memory.
PyArrayObject* plain_array(PyObject* object, std::optional<DType>& dtype, bool complex = false) {
  PyArrayObject* const array = usable_array(object, dtype, complex);
  return array && PyArray_FLAGS(array) & kContiguous ? array : nullptr;
}

// Whether the result for x may be written to out directly: same elements in the same places, or no
// common byte.
bool fits(PyArrayObject* x, PyArrayObject* out) {
  if (!PyArray_ISWRITEABLE(out)) return false;
  if (out == x) return true;
  if (PyArray_TYPE(x) != PyArray_TYPE(out) || !PyArray_SAMESHAPE(x, out)) return false;
  if (!(PyArray_FLAGS(x) & PyArray_FLAGS(out) & kContiguous)) return false;
  const char *x_begin = PyArray_BYTES(x), *out_begin = PyArray_BYTES(out);
  const npy_intp bytes = PyArray_NBYTES(x);
  return x_begin == out_begin || x_begin + bytes <= out_begin || out_begin + bytes <= x_begin;
}

template <class Work>
void run(npy_intp size, const Work& work) {
  if (size < kReleasesGil) {
    work();
  } else {
    Py_BEGIN_ALLOW_THREADS;
    work();
    Py_END_ALLOW_THREADS;
  }
}

void map_array(int op, DType dtype, PyArrayObject* x, const double* values, PyArrayObject* out,
               Output output) {
  const std::size_t params = kMapOperators[op].params.size();
  const auto item = static_cast<std::ptrdiff_t>(item_size(dtype));
  const bool wide = compute_size(dtype) == sizeof(double);
  double doubles[kMaxOperands];
  float floats[kMaxOperands];
  MapCall call;
  call.size = static_cast<std::size_t>(PyArray_SIZE(x));
  call.output = output;
  call.operand[0] = {PyArray_BYTES(x), item};
  for (std::size_t p = 0; p < params; ++p) {
    doubles[p] = values[p];
    floats[p] = static_cast<float>(values[p]);
    call.operand[1 + p] = {
        wide ? reinterpret_cast<char*>(&doubles[p]) : reinterpret_cast<char*>(&floats[p]), 0};
  }
  call.operand[1 + params] = {PyArray_BYTES(out), item};
  run(PyArray_SIZE(x), [&] { map(op, dtype, call); });
}

// The parameters as a tuple, and whatever else the fallback takes, to the fallback.
PyObject* fall_back(PyObject* fallback, const Operator& op, PyObject* const* args) {
  const auto params = static_cast<Py_ssize_t>(op.params.size());
  PyObject* tuple = PyTuple_New(params);
  if (!tuple) return nullptr;
  for (Py_ssize_t p = 0; p < params; ++p) PyTuple_SET_ITEM(tuple, p, Py_NewRef(args[1 + p]));
  PyObject* result = PyObject_CallFunction(fallback, "sOOOO", op.name, args[0], tuple,
                                           args[1 + params], args[2 + params]);
  Py_DECREF(tuple);
  return result;
}

template <std::size_t kIndex>
PyObject* elementwise(PyObject*, PyObject* const* args, Py_ssize_t nargs) {
  constexpr const Operator& op = kMapOperators[kIndex];
  constexpr std::size_t params = op.params.size();
  if (!has_arguments(op.name, nargs, params + 3)) return nullptr;
  const KeepStatusFlags keep;
  PyObject *const out_argument = args[1 + params], *const keywords = args[2 + params];
  std::optional<DType> dtype;
  PyArrayObject* x = plain_array(args[0], dtype, op.complex);
  double values[kMaxOperands];
  const Parsed parsed = parse_parameters(op, args + 1, values);
  if (parsed == Parsed::broken) return nullptr;
  if (!x || PyArray_NDIM(x) == 0 || parsed != Parsed::numbers || PyDict_GET_SIZE(keywords) > 0) {
    return fall_back(elementwise_fallback, op, args);
  }
  if (out_argument == Py_None) {
    auto* out = as_array(PyArray_NewLikeArray(x, NPY_KEEPORDER, nullptr, 0));
    if (out) map_array(kIndex, *dtype, x, values, out, Output::fresh);
    return reinterpret_cast<PyObject*>(out);
  }
  std::optional<DType> out_dtype;
  PyArrayObject* out = plain_array(out_argument, out_dtype, op.complex);
  if (!out || !fits(x, out)) return fall_back(elementwise_fallback, op, args);
  map_array(kIndex, *dtype, x, values, out, Output::reused);
  return Py_NewRef(out_argument);
}

template <std::size_t kIndex>
PyObject* whole_penalty(PyObject*, PyObject* const* args, Py_ssize_t nargs) {
  constexpr const PenaltyOperator& op = kPenalties[kIndex];
  constexpr std::size_t params = op.params.size();
  if (!has_arguments(op.name, nargs, params + 3)) return nullptr;
  const KeepStatusFlags keep;
  PyObject *const axis = args[1 + params], *const keepdims = args[2 + params];
  double values[kMaxOperands];
  const Parsed parsed = parse_parameters(op, args + 1, values);
  if (parsed == Parsed::broken) return nullptr;
  std::optional<DType> dtype;
  PyArrayObject* const w = usable_array(args[0], dtype);
  if (!w || parsed != Parsed::numbers || axis != Py_None || keepdims != Py_False) {
    return fall_back(penalty_fallback, op, args);
  }
  double sums[kMaxSums];
  const Walk walk = PyArray_FLAGS(w) & kContiguous
                        ? Walk(static_cast<std::ptrdiff_t>(item_size(*dtype)))
                        : walk_in_memory(w);
  run(PyArray_SIZE(w), [&] {
    reduce(kIndex, *dtype, PyArray_BYTES(w), walk, static_cast<std::size_t>(PyArray_SIZE(w)),
           values, sums);
  });
  double result = op.finish(values, sums);
  PyArray_Descr* descr = PyArray_DescrFromType(NPY_DOUBLE);
  PyObject* scalar = PyArray_Scalar(&result, descr, nullptr);
  Py_DECREF(descr);
  return scalar;
}

// An exact Python integer below 2⁶⁴.
bool counter(PyObject* object, std::uint64_t& value) {
  if (!PyLong_CheckExact(object)) return false;
  value = PyLong_AsUnsignedLongLong(object);
  if (!PyErr_Occurred()) return true;
  PyErr_Clear();
  return false;
}

PyObject* whole_dropout(PyObject*, PyObject* const* args, Py_ssize_t nargs) {
  if (!has_arguments("dropout", nargs, 9)) return nullptr;
  const KeepStatusFlags keep;
  PyObject *const noise_shape = args[5], *const block = args[6], *const inverted = args[7],
                  *const out_argument = args[8];
  std::optional<DType> dtype, out_dtype;
  PyArrayObject* x = plain_array(args[0], dtype);
  PyArrayObject* out = out_argument == Py_None ? nullptr : plain_array(out_argument, out_dtype);
  RandomKey key;
  std::uint64_t offset;
  double p;
  const bool direct = x && PyArray_NDIM(x) > 0 && PyArray_IS_C_CONTIGUOUS(x) &&
                      (out_argument == Py_None || (out && fits(x, out))) && number(args[1], p) &&
                      p >= 0.0 && p <= 1.0 && counter(args[2], key.seed) &&
                      counter(args[3], key.stream) && counter(args[4], offset) &&
                      noise_shape == Py_None && block == Py_None && PyBool_Check(inverted) &&
                      offset <= UINT64_MAX - static_cast<std::uint64_t>(PyArray_SIZE(x));
  if (!direct) {
    return PyObject_Vectorcall(dropout_fallback, args, static_cast<std::size_t>(nargs), nullptr);
  }
  PyObject* result =
      out ? Py_NewRef(out_argument) : PyArray_NewLikeArray(x, NPY_KEEPORDER, nullptr, 0);
  if (!result) return nullptr;
  const ops::KeepNumbers numbers = ops::keep_numbers(p, inverted == Py_True);
  const auto item = static_cast<std::ptrdiff_t>(item_size(*dtype));
  const NoiseCall call{.op = 0,
                       .dtype = *dtype,
                       .members = {numbers.scale},
                       .noise = drawn_noise({key, numbers.threshold}, offset),
                       .identity = p == 0.0,
                       .size = static_cast<std::size_t>(PyArray_SIZE(x)),
                       .x = PyArray_BYTES(x),
                       .x_walk = Walk(item),
                       .out = PyArray_BYTES(as_array(result)),
                       .out_walk = Walk(item),
                       .output = out ? Output::reused : Output::fresh};
  run(PyArray_SIZE(x), [&] { apply_noise(call); });
  return result;
}

std::optional<Operator> find(std::string_view name) {
  for (const Operator& op : kMapOperators) {
    if (op.name == name) return op;
  }
  for (const PenaltyOperator& op : kPenalties) {
    if (op.name == name) return op;
  }
  return find_slice_operator(name);
}

// (operator, place of the parameter, its value[, that of the parameter before it])
PyObject* check_parameter(PyObject*, PyObject* args) {
  const char* name;
  Py_ssize_t index;
  PyObject *object, *before = nullptr;
  const KeepStatusFlags keep;
  if (!PyArg_ParseTuple(args, "snO|O", &name, &index, &object, &before)) return nullptr;
  const std::optional<Operator> op = find(name);
  if (!op || index < 0 || index >= static_cast<Py_ssize_t>(op->params.size())) {
    return PyErr_Format(PyExc_KeyError, "no parameter %zd of %s", index, name);
  }
  const double value = PyFloat_AsDouble(object);
  const double previous = before ? PyFloat_AsDouble(before) : -HUGE_VAL;
  if (PyErr_Occurred()) return nullptr;
  if (keeps(op->params[static_cast<std::size_t>(index)].rule, value, previous)) Py_RETURN_NONE;
  raise_broken_rule(*op, static_cast<std::size_t>(index), object, before);
  return nullptr;
}

// CPython calls a METH_FASTCALL function through the type of a plain one.
PyCFunction as_function(PyObject* (*function)(PyObject*, PyObject* const*, Py_ssize_t)) {
  return reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(function));
}

template <std::size_t... M, std::size_t... P>
PyMethodDef* methods(std::index_sequence<M...>, std::index_sequence<P...>) {
  static PyMethodDef definitions[] = {
      {kMapOperators[M].name, as_function(elementwise<M>), METH_FASTCALL, nullptr}...,
      {kPenalties[P].name, as_function(whole_penalty<P>), METH_FASTCALL, nullptr}...,
      {"dropout", as_function(whole_dropout), METH_FASTCALL, nullptr},
      {"check_parameter", check_parameter, METH_VARARGS, nullptr},
      {nullptr, nullptr, 0, nullptr}};
  return definitions;
}

}  // namespace

void raise_broken_rule(const Operator& op, std::size_t index, PyObject* value, PyObject* previous) {
  const Param& param = op.params[index];
  const char* const before = looks_back(param.rule) ? op.params[index - 1].name : "";
  if (previous && *before && !std::isnan(PyFloat_AsDouble(value))) {
    PyErr_Format(PyExc_ValueError, "%s: %s must be %s%s, got %S with %s %S", op.name, param.name,
                 describe_rule(param.rule), before, value, before, previous);
  } else {
    PyErr_Format(PyExc_ValueError, "%s: %s must be %s%s, got %S", op.name, param.name,
                 describe_rule(param.rule), before, value);
  }
}

bool add_front_doors(PyObject* module) {
  return PyModule_AddFunctions(module, methods(std::make_index_sequence<kMapOperators.size()>{},
                                               std::make_index_sequence<kPenalties.size()>{})) == 0;
}

void set_fallbacks(PyObject* elementwise, PyObject* penalty, PyObject* dropout) {
  Py_XSETREF(elementwise_fallback, Py_NewRef(elementwise));
  Py_XSETREF(penalty_fallback, Py_NewRef(penalty));
  Py_XSETREF(dropout_fallback, Py_NewRef(dropout));
}

}  // namespace bridle::python
