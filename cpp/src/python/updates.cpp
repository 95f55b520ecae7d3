#include "updates.hpp"

#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "operators.hpp"
#include "threads/status_flags.hpp"
#include "update_arrays.hpp"

namespace bridle::python {
namespace {

// Number i of a float or a tuple of floats.
class Numbers {
 public:
  explicit Numbers(PyObject* object) : object_(object), tuple_(PyTuple_Check(object)) {
    if (!tuple_) value_ = PyFloat_AsDouble(object);
  }
  std::size_t size() const {
    return tuple_ ? static_cast<std::size_t>(PyTuple_GET_SIZE(object_)) : 1;
  }
  double operator[](std::size_t i) const {
    return tuple_ ? PyFloat_AsDouble(PyTuple_GET_ITEM(object_, static_cast<Py_ssize_t>(i)))
                  : value_;
  }

 private:
  PyObject* object_;
  bool tuple_;
  double value_ = 0.0;
};

void check_rates(const char* name, const char* lr_name, Decay decay, double lr,
                 const Numbers& weight_decay) {
  const std::string factor = decay == Decay::full ? "" : std::string(lr_name) + " * ";
  for (std::size_t i = 0; i < weight_decay.size(); ++i) {
    const double rate = ops::decay_rate(decay, lr, weight_decay[i]);
    if (keeps(Rule::unit_interval, rate)) continue;
    if (PyObject* const shown = PyFloat_FromDouble(rate)) {
      PyErr_Format(PyExc_ValueError, "%s: %sweight_decay must be %s, got %S", name, factor.c_str(),
                   describe_rule(Rule::unit_interval), shown);
      Py_DECREF(shown);
    }
    throw Raised();
  }
}

// None if some of them cannot be worked on where they lie.
std::vector<UpdateArray> arrays_of(const UpdateArrays& given, bool in_c_order, Decay decay,
                                   double lr, const Numbers (&numbers)[3]) {
  std::vector<UpdateArray> arrays(given.count());
  std::uint64_t first = 0;
  for (std::size_t i = 0; i < arrays.size(); ++i) {
    const std::optional<UpdateRows> rows = given.rows(i, in_c_order);
    if (!rows) return {};
    const auto data = [&](int group) -> void* {
      const Facts* const facts = given.get(group, i);
      return facts ? facts->data : nullptr;
    };
    arrays[i] = {{data(0), data(1), {data(2), data(3), data(4)}, data(5)},
                 given.get(kWeights, i)->size,
                 0.0,
                 1.0,
                 numbers[1][i],
                 numbers[2][i],
                 first,
                 *rows};
    set_decay(decay, lr, numbers[0][i], arrays[i]);
    first += arrays[i].size;
  }
  return arrays;
}

// Runs of arrays of the same types are one call each.
template <class Call>
void for_each_run(const UpdateArrays& given, const Call& call) {
  const auto types = [&](std::size_t i) {
    const Facts* const gradient = given.get(kGradient, i);
    return std::pair(*given.get(kWeights, i)->dtype, gradient ? *gradient->dtype : DType::float32);
  };
  for (std::size_t begin = 0; begin < given.count();) {
    std::size_t end = begin + 1;
    while (end < given.count() && types(end) == types(begin)) ++end;
    call(begin, end, types(begin).first, types(begin).second);
    begin = end;
  }
}

PyObject* summary(const std::vector<UpdateArray>& arrays, const std::vector<UpdateSums>& sums) {
  double penalty = 0.0, nonzeros = 0.0;
  bool finite = true;
  for (std::size_t i = 0; i < arrays.size(); ++i) {
    penalty += penalty_of(arrays[i], sums[i]);
    nonzeros += sums[i].nonzeros;
    finite &= sums[i].not_finite == 0;
  }
  return Py_BuildValue("dLN", penalty, static_cast<long long>(nonzeros), PyBool_FromLong(finite));
}

// Numbers that users give, checked already.
void set_numbers(int op, PyObject* tuple, UpdateNumbers& to) {
  double numbers[std::extent_v<decltype(UpdateNumbers::members)>] = {};
  for (Py_ssize_t n = 0; n < PyTuple_GET_SIZE(tuple); ++n) {
    numbers[n] = PyFloat_AsDouble(PyTuple_GET_ITEM(tuple, n));
  }
  if (PyErr_Occurred()) throw Raised();
  kUpdateOperators[static_cast<std::size_t>(op)].set_numbers(numbers, to);
}

// The last of the names is that of the function.
Names names_of(PyObject* names) {
  return {PyUnicode_AsUTF8(PyTuple_GET_ITEM(names, kGroups)), names};
}

std::array<PyObject*, kGroups> objects_of(PyObject* groups) {
  std::array<PyObject*, kGroups> objects;
  for (int g = 0; g < kGroups; ++g) objects[g] = PyTuple_GET_ITEM(groups, g);
  return objects;
}

PyObject* run_update(const char* op, PyObject* const* args) {
  const KeepStatusFlags keep;  // already for the numbers
  PyObject* random;
  UpdateCall call{};
  int cautious, adaptive, kind;
  if (!PyArg_ParseTuple(args[4], "dppiO", &call.numbers.scale, &cautious, &adaptive, &kind,
                        &random)) {
    return nullptr;
  }
  call.op = find_update(op);
  call.adaptive = adaptive;
  call.numbers.cautious = cautious;
  call.stochastic = random != Py_None;
  unsigned long long seed = 0, stream = 0, index = 0;
  if (call.stochastic && !PyArg_ParseTuple(random, "KKK", &seed, &stream, &index)) return nullptr;
  call.key = {seed, stream};
  call.index = index;
  set_numbers(call.op, args[3], call.numbers);

  const Names names = names_of(args[1]);
  const auto decay = static_cast<Decay>(kind);
  const double lr = call.numbers.size;
  const Numbers numbers[] = {Numbers(args[5]), Numbers(args[6]), Numbers(args[7])};
  check_rates(names.function, kUpdateOperators[static_cast<std::size_t>(call.op)].params[0].name,
              decay, lr, numbers[0]);
  const UpdateArrays given(names, objects_of(args[2]));
  const std::vector<UpdateArray> arrays = arrays_of(given, call.stochastic, decay, lr, numbers);
  if (PyErr_Occurred()) return nullptr;
  if (arrays.size() < given.count()) Py_RETURN_NOTIMPLEMENTED;
  std::vector<UpdateSums> sums(arrays.size());
  Py_BEGIN_ALLOW_THREADS;
  for_each_run(given, [&](std::size_t begin, std::size_t end, DType dtype, DType gradient) {
    call.dtype = dtype;
    call.gradient_dtype = gradient;
    call.arrays = arrays.data() + begin;
    call.count = end - begin;
    update(call, sums.data() + begin);
  });
  Py_END_ALLOW_THREADS;
  return summary(arrays, sums);
}

PyObject* update_function(PyObject*, PyObject* const* args, Py_ssize_t nargs) {
  if (nargs != 8) {
    PyErr_Format(PyExc_TypeError, "update: takes 8 arguments, got %zd", nargs);
    return nullptr;
  }
  const char* op = PyUnicode_AsUTF8(args[0]);
  if (!op) return nullptr;
  try {
    return run_update(op, args);
  } catch (const Raised&) {
    return nullptr;
  } catch (const std::bad_alloc&) {
    return PyErr_NoMemory();
  }
}

void release(PyObject* capsule) {
  auto* list = static_cast<ArrayList*>(PyCapsule_GetPointer(capsule, kPreparedCapsule));
  for (const Facts& facts : list->arrays) Py_DECREF(facts.array);
  delete list;
}

PyObject* prepare_function(PyObject*, PyObject* const* args, Py_ssize_t nargs) {
  if (nargs != 3) return PyErr_Format(PyExc_TypeError, "prepare: takes 3 arguments");
  try {
    const Names names{"prepare", args[1], args[2] == Py_None ? nullptr : args[2]};
    auto list = std::make_unique<ArrayList>(look_up(names, 0, args[0]));
    for (const Facts& facts : list->arrays) Py_INCREF(facts.array);
    return PyCapsule_New(list.release(), kPreparedCapsule, release);
  } catch (const Raised&) {
    return nullptr;
  } catch (const std::bad_alloc&) {
    return PyErr_NoMemory();
  }
}

PyObject* check_function(PyObject*, PyObject* const* args, Py_ssize_t nargs) {
  if (nargs != 2) return PyErr_Format(PyExc_TypeError, "check_arrays: takes 2 arguments");
  try {
    const UpdateArrays given(names_of(args[0]), objects_of(args[1]));
    Py_RETURN_NONE;
  } catch (const Raised&) {
    return nullptr;
  } catch (const std::bad_alloc&) {
    return PyErr_NoMemory();
  }
}

PyMethodDef definitions[] = {{"update", as_function(update_function), METH_FASTCALL, nullptr},
                             {"prepare", as_function(prepare_function), METH_FASTCALL, nullptr},
                             {"check_arrays", as_function(check_function), METH_FASTCALL, nullptr},
                             {nullptr, nullptr, 0, nullptr}};

}  // namespace

bool add_updates(PyObject* module) { return PyModule_AddFunctions(module, definitions) == 0; }

}  // namespace bridle::python
