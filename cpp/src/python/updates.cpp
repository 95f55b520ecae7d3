#include "updates.hpp"

#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "drivers/operators.hpp"
#include "threads/status_flags.hpp"
#include "update_arrays.hpp"
#include "update_regularizers.hpp"

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

void check_rates(const char* name, const char* lr_name, Decay decay, const Numbers& lr,
                 const Numbers& weight_decay) {
  const std::string factor = decay == Decay::full ? "" : std::string(lr_name) + " * ";
  for (std::size_t i = 0; i < std::max(lr.size(), weight_decay.size()); ++i) {
    const double rate = ops::decay_rate(decay, lr[i], weight_decay[i]);
    if (keeps(Rule::unit_interval, rate)) continue;
    if (PyObject* const shown = PyFloat_FromDouble(rate)) {
      PyErr_Format(PyExc_ValueError, "%s: %sweight_decay must be %s, got %S", name, factor.c_str(),
                   describe_rule(Rule::unit_interval), shown);
      Py_DECREF(shown);
    }
    throw Raised();
  }
}

// The numbers of an operator: the first one, its step size, may be one for each array.
class OperatorNumbers {
 public:
  OperatorNumbers(const FusedUpdate& op, PyObject* tuple)
      : op_(op), step_size_(PyTuple_GET_ITEM(tuple, 0)) {
    for (Py_ssize_t n = 1; n < PyTuple_GET_SIZE(tuple); ++n) {
      numbers_[n] = PyFloat_AsDouble(PyTuple_GET_ITEM(tuple, n));
    }
    if (PyErr_Occurred()) throw Raised();
  }
  const Numbers& step_size() const { return step_size_; }

  void set(std::size_t i, UpdateNumbers& to) {
    numbers_[0] = step_size_[i];
    op_.set_numbers(numbers_, to);
  }

 private:
  const FusedUpdate& op_;
  Numbers step_size_;
  double numbers_[std::extent_v<decltype(UpdateNumbers::members)>] = {};
};

// Of one call, and one for each array or for all.
struct Strengths {
  Decay decay;
  Numbers weight_decay, l1, l2;
};

// Those of every array, or one for all where they are the same. common: what always is.
std::vector<UpdateNumbers> numbers_of(std::size_t count, const UpdateNumbers& common,
                                      OperatorNumbers& operator_numbers,
                                      const Strengths& strengths) {
  const auto each = {operator_numbers.step_size().size(), strengths.weight_decay.size(),
                     strengths.l1.size(), strengths.l2.size()};
  const bool differ = std::ranges::any_of(each, [](std::size_t size) { return size != 1; });
  std::vector<UpdateNumbers> numbers(differ ? count : 1, common);
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    operator_numbers.set(i, numbers[i]);
    numbers[i].l1 = strengths.l1[i];
    numbers[i].l2 = strengths.l2[i];
    set_decay(strengths.decay, numbers[i].size, strengths.weight_decay[i], numbers[i]);
  }
  return numbers;
}

// The arrays of a call, and how they lie where they point to it.
struct ListedArrays {
  std::vector<UpdateArray> arrays;  // none if some of them cannot be worked on where they lie
  std::vector<UpdateRows> rows;     // none if all lie in one row
};

// `starts`: null, or a tuple of the index of each array's first random number.
ListedArrays arrays_of(const UpdateArrays& given, bool in_c_order,
                       const std::vector<UpdateNumbers>& numbers,
                       const UpdateRegularizers& regularizers, PyObject* starts) {
  ListedArrays list{std::vector<UpdateArray>(given.count()), {}};
  std::uint64_t first = 0;
  for (std::size_t i = 0; i < list.arrays.size(); ++i) {
    UpdateArray& array = list.arrays[i];
    if (!given.in_one_row(i)) {
      const std::optional<UpdateRows> rows = given.rows(i, in_c_order);
      if (!rows) return {};
      if (list.rows.empty()) list.rows.resize(given.count());
      list.rows[i] = *rows;
      array.rows = &list.rows[i];
    }
    for (int role = 0; role < UpdateRole::count; ++role) {
      const Facts* const facts = given.get(role, i);
      array.data[role] = facts ? facts->data : nullptr;
    }
    array.size = given.size(i);
    array.numbers = &numbers[numbers.size() > 1 ? i : 0];
    array.first = first;
    array.regularizer = regularizers.of(i);
    if (starts) {
      PyObject* const start = PyTuple_GET_ITEM(starts, static_cast<Py_ssize_t>(i));
      array.ahead = PyLong_AsUnsignedLongLong(start) - first;
    }
    first += given.get(UpdateRole::weights, i)->size;
  }
  return list;
}

// Runs of arrays of the same types are one call each.
template <class Call>
void for_each_run(const UpdateArrays& given, const Call& call) {
  using Types = std::array<DType, UpdateRole::count>;
  const auto types_of = [&](std::size_t i) {
    Types types{};
    for (int role = 0; role < UpdateRole::count; ++role) {
      if (const Facts* const facts = given.get(role, i)) types[role] = *facts->dtype;
    }
    return types;
  };
  for (std::size_t begin = 0; begin < given.count();) {
    const Types types = types_of(begin);
    std::size_t end = begin + 1;
    while (end < given.count() && types_of(end) == types) ++end;
    call(begin, end, types);
    begin = end;
  }
}

PyObject* summary(const std::vector<UpdateArray>& arrays, const std::vector<UpdateSums>& sums,
                  const UpdateRegularizers& regularizers) {
  double penalty = 0.0, nonzeros = 0.0;
  bool finite = true;
  for (std::size_t i = 0; i < arrays.size(); ++i) {
    penalty += penalty_of(arrays[i], sums[i]) + regularizers.penalty(i, sums[i]);
    nonzeros += sums[i].nonzeros;
    finite &= sums[i].not_finite == 0;
  }
  return Py_BuildValue("dLN", penalty, static_cast<long long>(nonzeros), PyBool_FromLong(finite));
}

// The last of the names is that of the function.
Names names_of(PyObject* names, PyObject* keys) {
  return {PyUnicode_AsUTF8(PyTuple_GET_ITEM(names, kGroups)), names,
          keys == Py_None ? nullptr : keys};
}

std::array<PyObject*, kGroups> objects_of(PyObject* groups) {
  std::array<PyObject*, kGroups> objects;
  for (int g = 0; g < kGroups; ++g) objects[g] = PyTuple_GET_ITEM(groups, g);
  return objects;
}

// Sets an attribute that tells of the update: note is (owner, name, value) or None. No signal
// handler runs between the last array and this.
void take_note(PyObject* note) {
  if (note == Py_None) return;
  PyObject *owner, *name, *value;
  if (!PyArg_ParseTuple(note, "OUO", &owner, &name, &value)) throw Raised{};
  // Not PyObject_SetAttr, which would run the __setattr__ of a subclass.
  if (PyObject_GenericSetAttr(owner, name, value) < 0) throw Raised{};
}

PyObject* run_update(const char* op, PyObject* const* args) {
  const KeepStatusFlags keep;  // already for the numbers
  PyObject *random, *starts = nullptr;
  UpdateCall call{};
  UpdateNumbers common{};
  int cautious, adaptive, kind;
  if (!PyArg_ParseTuple(args[4], "dppiO", &common.scale, &cautious, &adaptive, &kind, &random)) {
    return nullptr;
  }
  call.op = find_update(op);
  call.adaptive = adaptive;
  common.cautious = cautious;
  call.stochastic = random != Py_None;
  unsigned long long seed = 0, stream = 0, index = 0;
  if (call.stochastic && !PyArg_ParseTuple(random, "KKK|O", &seed, &stream, &index, &starts)) {
    return nullptr;
  }
  call.key = {seed, stream};
  call.index = index;
  const FusedUpdate& facts = kUpdateOperators[static_cast<std::size_t>(call.op)];
  OperatorNumbers operator_numbers(facts, args[3]);
  const Strengths strengths{static_cast<Decay>(kind), Numbers(args[5]), Numbers(args[6]),
                            Numbers(args[7])};
  const Names names = names_of(args[1], args[10]);
  check_rates(names.function, facts.params[0].name, strengths.decay, operator_numbers.step_size(),
              strengths.weight_decay);
  const UpdateArrays given(names, objects_of(args[2]), call.stochastic, args[8]);
  const UpdateRegularizers regularizers(args[9]);
  const bool in_c_order = call.stochastic || regularizers.has_arrays();
  const std::vector<UpdateNumbers> numbers =
      numbers_of(given.count(), common, operator_numbers, strengths);
  const ListedArrays list = arrays_of(given, in_c_order, numbers, regularizers, starts);
  const std::vector<UpdateArray>& arrays = list.arrays;
  if (PyErr_Occurred()) return nullptr;
  if (arrays.size() < given.count()) Py_RETURN_NOTIMPLEMENTED;
  std::vector<UpdateSums> sums(arrays.size());
  Py_BEGIN_ALLOW_THREADS;
  for_each_run(given, [&](std::size_t begin, std::size_t end, const auto& types) {
    std::copy(types.begin(), types.end(), call.types);
    call.arrays = arrays.data() + begin;
    call.count = end - begin;
    update(call, sums.data() + begin);
  });
  Py_END_ALLOW_THREADS;
  take_note(args[11]);
  return summary(arrays, sums, regularizers);
}

PyObject* update_function(PyObject*, PyObject* const* args, Py_ssize_t nargs) {
  if (nargs != 12) {
    PyErr_Format(PyExc_TypeError, "update: takes 12 arguments, got %zd", nargs);
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
  for (const Facts& facts : list->arrays) {
    Py_DECREF(facts.array);
    Py_DECREF(facts.descr);
  }
  delete list;
}

PyObject* prepare_function(PyObject*, PyObject* const* args, Py_ssize_t nargs) {
  if (nargs != 3) return PyErr_Format(PyExc_TypeError, "prepare: takes 3 arguments");
  try {
    const Names names{"prepare", args[1], args[2] == Py_None ? nullptr : args[2]};
    auto list = std::make_unique<ArrayList>(look_up(names, 0, args[0]));
    for (const Facts& facts : list->arrays) {
      Py_INCREF(facts.array);
      Py_INCREF(facts.descr);  // which tells whether the array has got another one
    }
    return PyCapsule_New(list.release(), kPreparedCapsule, release);
  } catch (const Raised&) {
    return nullptr;
  } catch (const std::bad_alloc&) {
    return PyErr_NoMemory();
  }
}

PyObject* check_function(PyObject*, PyObject* const* args, Py_ssize_t nargs) {
  if (nargs != 4) return PyErr_Format(PyExc_TypeError, "check_arrays: takes 4 arguments");
  try {
    const UpdateArrays given(names_of(args[0], args[2]), objects_of(args[1]), args[3] == Py_True);
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
