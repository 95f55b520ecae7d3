#include "updates.hpp"

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "operators.hpp"

namespace bridle::python {
namespace {

constexpr const char* kCapsule = "bridle.prepared_arrays";
constexpr int kGroups = 6, kWeights = 0, kGradient = 1, kToward = 5;

struct Facts {
  PyArrayObject* array;
  char* data;
  const char *begin, *end;  // of the memory in which its elements lie
  std::size_t size;
  std::optional<DType> dtype;
};

using Group = std::vector<Facts>;

Facts facts_of(PyArrayObject* array) {
  char* const data = PyArray_BYTES(array);
  const char *begin = data, *end = data + PyArray_NBYTES(array);
  if (!PyArray_ISONESEGMENT(array)) {
    end = data + PyArray_ITEMSIZE(array);
    for (int d = 0; d < PyArray_NDIM(array); ++d) {
      const npy_intp last = (PyArray_DIM(array, d) - 1) * PyArray_STRIDE(array, d);
      (last < 0 ? begin : end) += last;
    }
  }
  return {array, data, begin, end, static_cast<std::size_t>(PyArray_SIZE(array)), dtype_of(array)};
}

// Python exceptions travel as this one; the message has been set.
struct Raised {};

class Parser {
 public:
  Parser(const char* op, PyObject* names) : op_(op), names_(names) {}

  // The arrays of a group, borrowed from it.
  const Group& parse(int group, PyObject* object) {
    group_ = group;
    Group& facts = groups_[group];
    single_[group] = PyArray_Check(object);
    if (single_[group]) {
      facts.push_back(facts_of(reinterpret_cast<PyArrayObject*>(object)));
    } else if (PyCapsule_IsValid(object, kCapsule)) {
      return *static_cast<const Group*>(PyCapsule_GetPointer(object, kCapsule));
    } else if (PyList_Check(object) || PyTuple_Check(object)) {
      const Py_ssize_t count = PySequence_Fast_GET_SIZE(object);
      facts.reserve(static_cast<std::size_t>(count));
      for (Py_ssize_t i = 0; i < count; ++i) {
        PyObject* item = PySequence_Fast_GET_ITEM(object, i);
        if (!PyArray_Check(item)) fail(PyExc_TypeError, i, "must be an array", item);
        facts.push_back(facts_of(reinterpret_cast<PyArrayObject*>(item)));
      }
    } else if (object != Py_None) {
      fail(PyExc_TypeError, -1, "must be an array, or a list or tuple of arrays", object);
    }
    return facts;
  }

  void expect(bool holds, PyObject* error, std::size_t i, const char* rule, const Facts& got) {
    if (!holds) fail(error, static_cast<Py_ssize_t>(i), rule, description(got));
  }

  [[noreturn]] void fail(PyObject* error, Py_ssize_t i, const char* rule, const std::string& got) {
    std::string name = PyUnicode_AsUTF8(PyTuple_GET_ITEM(names_, group_));
    if (i >= 0 && !single_[group_]) name += "[" + std::to_string(i) + "]";
    PyErr_Format(error, "%s: %s %s, got %s", op_, name.c_str(), rule, got.c_str());
    throw Raised();
  }

  void use(int group) { group_ = group; }
  bool is_single(int group) const { return single_[group]; }

 private:
  [[noreturn]] void fail(PyObject* error, Py_ssize_t i, const char* rule, PyObject* got) {
    fail(error, i, rule, std::string(Py_TYPE(got)->tp_name));
  }

  static std::string description(const Facts& facts) {
    PyObject* array = reinterpret_cast<PyObject*>(facts.array);
    PyObject *dtype = PyObject_GetAttrString(array, "dtype"),
             *shape = PyObject_GetAttrString(array, "shape");
    PyObject* text =
        dtype && shape ? PyUnicode_FromFormat("%S of shape %S", dtype, shape) : nullptr;
    std::string result = text ? PyUnicode_AsUTF8(text) : "?";
    if (!PyArray_ISALIGNED(facts.array)) result += " that is not aligned";
    Py_XDECREF(dtype);
    Py_XDECREF(shape);
    Py_XDECREF(text);
    return result;
  }

  const char* op_;
  PyObject* names_;
  int group_ = 0;
  bool single_[kGroups] = {};
  Group groups_[kGroups];
};

bool is_half(DType dtype) { return dtype == DType::float16 || dtype == DType::bfloat16; }

bool fits_type(int group, DType weights, DType given) {
  const bool same = given == weights;
  const bool wide = given == DType::float32;
  if (group == kWeights || group == kToward || !is_half(weights)) return same;
  return group == kGradient ? same || wide : wide;
}

const char* type_rule(int group, DType weights) {
  if (group == kWeights) return "must be of type float16, bfloat16, float32 or float64";
  if (group == kToward || !is_half(weights)) return "must have the type of w";
  return group == kGradient ? "must have the type of w or float32"
                            : "must be float32, as w is a half";
}

// Elements that are not contiguous may lie between each other without sharing memory.
bool overlap(const Facts& a, const Facts& b) {
  if (a.size == 0 || b.size == 0 || a.begin >= b.end || b.begin >= a.end) return false;
  if (PyArray_ISONESEGMENT(a.array) && PyArray_ISONESEGMENT(b.array)) return true;
  PyObject* const numpy = PyImport_ImportModule("numpy");
  PyObject* const answer =
      numpy ? PyObject_CallMethod(numpy, "shares_memory", "OO", a.array, b.array) : nullptr;
  Py_XDECREF(numpy);
  if (!answer) throw Raised();
  const bool result = PyObject_IsTrue(answer);
  Py_DECREF(answer);
  return result;
}

constexpr bool is_written(int group) { return group != kGradient && group != kToward; }

void check_array(Parser& parser, const Group* const (&groups)[kGroups], std::size_t i) {
  const Facts& w = (*groups[kWeights])[i];
  for (int g = 0; g < kGroups; ++g) {
    if (!groups[g]) continue;
    parser.use(g);
    const Facts& facts = (*groups[g])[i];
    parser.expect(facts.dtype && fits_type(g, w.dtype.value_or(DType::float32), *facts.dtype),
                  PyExc_TypeError, i, type_rule(g, w.dtype.value_or(DType::float32)), facts);
    parser.expect(facts.size == w.size && PyArray_SAMESHAPE(facts.array, w.array), PyExc_ValueError,
                  i, "must have the shape of w", facts);
    if (is_written(g)) {
      parser.expect(PyArray_ISWRITEABLE(facts.array), PyExc_ValueError, i, "must be writeable",
                    facts);
    }
    for (int other = 0; other < g; ++other) {
      if (!groups[other] || !(is_written(g) || is_written(other))) continue;
      parser.expect(!overlap(facts, (*groups[other])[i]), PyExc_ValueError, i,
                    "must share no memory with the other arrays", facts);
    }
  }
}

// No array of weights, or of a state, may lie in another: two threads would write it.
void check_apart(Parser& parser, int group, const Group& arrays) {
  const auto before = [](const Facts& a, const Facts& b) { return a.begin < b.begin; };
  Group sorted;
  const Group* in_order = &arrays;
  if (!std::is_sorted(arrays.begin(), arrays.end(), before)) {
    sorted = arrays;
    std::sort(sorted.begin(), sorted.end(), before);
    in_order = &sorted;
  }
  parser.use(group);
  for (auto a = in_order->begin(); a != in_order->end(); ++a) {
    for (auto b = a + 1; b != in_order->end() && b->begin < a->end; ++b) {
      if (!overlap(*a, *b)) continue;
      parser.fail(PyExc_ValueError, -1, "must be arrays that share no memory",
                  std::string("two that do"));
    }
  }
}

// Whether the arrays of one update can be walked alike as contiguous memory.
bool is_contiguous(const Group* const (&groups)[kGroups], std::size_t i, bool in_c_order) {
  int common = NPY_ARRAY_C_CONTIGUOUS | (in_c_order ? 0 : NPY_ARRAY_F_CONTIGUOUS);
  for (const Group* group : groups) {
    if (group) common &= PyArray_FLAGS((*group)[i].array);
  }
  return common != 0;
}

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

void check_rates(const char* name, Decay decay, double lr, const Numbers& weight_decay) {
  for (std::size_t i = 0; i < weight_decay.size(); ++i) {
    const double rate = ops::decay_rate(decay, lr, weight_decay[i]);
    if (keeps(Rule::unit_interval, rate)) continue;
    if (PyObject* const shown = PyFloat_FromDouble(rate)) {
      PyErr_Format(PyExc_ValueError, "%s: the rate of the decay must be %s, got %S", name,
                   describe_rule(Rule::unit_interval), shown);
      Py_DECREF(shown);
    }
    throw Raised();
  }
}

std::vector<UpdateArray> arrays_of(const Group* const (&groups)[kGroups], Decay decay, double lr,
                                   const Numbers (&numbers)[3]) {
  const std::size_t count = groups[kWeights]->size();
  std::vector<UpdateArray> arrays(count);
  std::uint64_t first = 0;
  const auto data = [&](int g, std::size_t i) -> void* {
    return groups[g] ? (*groups[g])[i].data : nullptr;
  };
  for (std::size_t i = 0; i < count; ++i) {
    arrays[i] = {{data(0, i), data(1, i), {data(2, i), data(3, i), data(4, i)}, data(5, i)},
                 (*groups[kWeights])[i].size,
                 0.0,
                 1.0,
                 numbers[1][i],
                 numbers[2][i],
                 first};
    set_decay(decay, lr, numbers[0][i], arrays[i]);
    first += arrays[i].size;
  }
  return arrays;
}

// Runs of arrays of the same types are one call each.
template <class Call>
void for_each_run(const Group* const (&groups)[kGroups], const Call& call) {
  const std::size_t count = groups[kWeights]->size();
  const auto gradient = [&](std::size_t i) {
    return groups[kGradient] ? *(*groups[kGradient])[i].dtype : DType::float32;
  };
  for (std::size_t begin = 0; begin < count;) {
    const DType dtype = *(*groups[kWeights])[begin].dtype, of_gradient = gradient(begin);
    std::size_t end = begin + 1;
    while (end < count && (*groups[kWeights])[end].dtype == dtype && gradient(end) == of_gradient)
      ++end;
    call(begin, end, dtype, of_gradient);
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

int find_update(std::string_view name) {
  const auto at = std::find_if(kUpdateOperators.begin(), kUpdateOperators.end(),
                               [&](const FusedUpdate& update) { return update.name == name; });
  return static_cast<int>(at - kUpdateOperators.begin());
}

// Numbers that users give, checked already.
void set_numbers(int op, PyObject* tuple, UpdateNumbers& to) {
  double numbers[std::size(to.members)] = {};
  for (Py_ssize_t n = 0; n < PyTuple_GET_SIZE(tuple); ++n) {
    numbers[n] = PyFloat_AsDouble(PyTuple_GET_ITEM(tuple, n));
  }
  if (PyErr_Occurred()) throw Raised();
  kUpdateOperators[static_cast<std::size_t>(op)].set_numbers(numbers, to);
}

PyObject* run_update(const char* op, PyObject* const* args) {
  PyObject *names, *objects[kGroups], *random;
  UpdateCall call{};
  int cautious, adaptive, kind;
  const bool parsed =
      PyArg_ParseTuple(args[2], "OOOOOO", &objects[0], &objects[1], &objects[2], &objects[3],
                       &objects[4], &objects[5]) &&
      PyArg_ParseTuple(args[4], "dppiO", &call.numbers.scale, &cautious, &adaptive, &kind, &random);
  if (!parsed) return nullptr;
  names = args[1];
  call.op = find_update(op);
  call.adaptive = adaptive;
  call.numbers.cautious = cautious;
  call.stochastic = random != Py_None;
  unsigned long long seed = 0, stream = 0, index = 0;
  if (call.stochastic && !PyArg_ParseTuple(random, "KKK", &seed, &stream, &index)) return nullptr;
  call.key = {seed, stream};
  call.index = index;
  set_numbers(call.op, args[3], call.numbers);

  const char* public_name = PyUnicode_AsUTF8(PyTuple_GET_ITEM(names, kGroups));
  const auto decay = static_cast<Decay>(kind);
  const double lr = call.numbers.size;
  const Numbers numbers[] = {Numbers(args[5]), Numbers(args[6]), Numbers(args[7])};
  check_rates(public_name, decay, lr, numbers[0]);
  Parser parser(public_name, names);
  const Group* groups[kGroups];
  for (int g = 0; g < kGroups; ++g) {
    const Group& group = parser.parse(g, objects[g]);
    groups[g] = objects[g] == Py_None ? nullptr : &group;
    if (g == 0 || !groups[g]) continue;
    if (group.size() != groups[0]->size() || parser.is_single(g) != parser.is_single(0)) {
      const std::string wanted =
          parser.is_single(0)
              ? std::string("must be an array, as w is")
              : "must be a list of " + std::to_string(groups[0]->size()) + " arrays, as w is";
      parser.fail(PyExc_ValueError, -1, wanted.c_str(),
                  parser.is_single(g) ? "an array" : std::to_string(group.size()) + " in a list");
    }
  }
  const std::size_t count = groups[kWeights]->size();
  bool contiguous = true;
  for (std::size_t i = 0; i < count; ++i) {
    check_array(parser, groups, i);
    contiguous = contiguous && is_contiguous(groups, i, call.stochastic);
  }
  for (int g = 0; g < kGroups; ++g) {
    if (groups[g] && is_written(g)) check_apart(parser, g, *groups[g]);
  }
  if (!contiguous) Py_RETURN_NOTIMPLEMENTED;

  const std::vector<UpdateArray> arrays = arrays_of(groups, decay, lr, numbers);
  if (PyErr_Occurred()) return nullptr;
  std::vector<UpdateSums> sums(count);
  Py_BEGIN_ALLOW_THREADS;
  for_each_run(groups, [&](std::size_t begin, std::size_t end, DType dtype, DType gradient) {
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
  auto* group = static_cast<Group*>(PyCapsule_GetPointer(capsule, kCapsule));
  for (const Facts& facts : *group) Py_DECREF(facts.array);
  delete group;
}

PyObject* prepare_function(PyObject*, PyObject* const* args, Py_ssize_t nargs) {
  if (nargs != 2) return PyErr_Format(PyExc_TypeError, "prepare: takes 2 arguments");
  try {
    Parser parser("prepare", args[1]);
    auto group = std::make_unique<Group>(parser.parse(0, args[0]));
    for (const Facts& facts : *group) Py_INCREF(facts.array);
    return PyCapsule_New(group.release(), kCapsule, release);
  } catch (const Raised&) {
    return nullptr;
  } catch (const std::bad_alloc&) {
    return PyErr_NoMemory();
  }
}

PyCFunction as_function(PyObject* (*function)(PyObject*, PyObject* const*, Py_ssize_t)) {
  return reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(function));
}

PyMethodDef definitions[] = {{"update", as_function(update_function), METH_FASTCALL, nullptr},
                             {"prepare", as_function(prepare_function), METH_FASTCALL, nullptr},
                             {nullptr, nullptr, 0, nullptr}};

}  // namespace

bool add_updates(PyObject* module) { return PyModule_AddFunctions(module, definitions) == 0; }

}  // namespace bridle::python
