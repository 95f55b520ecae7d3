#include "lists.hpp"

#include <cmath>
#include <deque>
#include <new>
#include <vector>

#include "array_groups.hpp"
#include "drivers/cast.hpp"
#include "drivers/combine.hpp"
#include "drivers/norm.hpp"
#include "updates.hpp"

namespace bridle::python {
namespace {

constexpr int kContiguous = NPY_ARRAY_C_CONTIGUOUS | NPY_ARRAY_F_CONTIGUOUS;

// The last of the names is that of the function.
Names names_of(PyObject* names, PyObject* keys) {
  const Py_ssize_t last = PyTuple_GET_SIZE(names) - 1;
  return {PyUnicode_AsUTF8(PyTuple_GET_ITEM(names, last)), names, keys == Py_None ? nullptr : keys};
}

// The arrays of a call as the drivers take them.
class Pairs {
 public:
  // from may be `to`. In C order, or in any that is fast.
  Pairs(const ArrayGroups& groups, int from, int to, bool in_c_order) : pairs_(groups.count()) {
    std::uint64_t first = 0;
    for (std::size_t i = 0; i < pairs_.size(); ++i) {
      const Facts &source = *groups.get(from, i), &target = *groups.get(to, i);
      pairs_[i] = {{source.data, *source.dtype, nullptr},
                   {target.data, *target.dtype, nullptr},
                   target.size,
                   first};
      first += target.size;
      const int orders = in_c_order ? NPY_ARRAY_C_CONTIGUOUS : kContiguous;
      if (PyArray_FLAGS(source.array) & PyArray_FLAGS(target.array) & orders) continue;
      const AxisOrder order =
          in_c_order ? axes_in_order(target.array) : axes_in_memory(target.array);
      pairs_[i].from.walk = &walks_.emplace_back(walk_along(source.array, order));
      pairs_[i].to.walk = &walks_.emplace_back(walk_along(target.array, order));
    }
  }

  const ListedPair* data() const { return pairs_.data(); }
  std::size_t size() const { return pairs_.size(); }

 private:
  std::vector<ListedPair> pairs_;
  std::deque<Walk> walks_;
};

PyObject* run_global_norm(PyObject* const* args) {
  const double factor = PyFloat_AsDouble(args[3]);
  if (PyErr_Occurred()) return nullptr;
  const ArrayGroups::Group given[] = {{args[1], args[4] == Py_True}};
  const ArrayGroups groups(names_of(args[0], args[2]), given, any_float_rule);
  std::vector<NormArray> arrays(groups.count());
  std::deque<Walk> walks;
  std::size_t chunks = 0;
  for (std::size_t i = 0; i < arrays.size(); ++i) {
    const Facts& facts = *groups.get(0, i);
    arrays[i] = {{facts.data, *facts.dtype, nullptr}, facts.size, chunks};
    chunks += chunks_of(facts.size);
    if (PyArray_FLAGS(facts.array) & kContiguous) continue;
    arrays[i].array.walk = &walks.emplace_back(walk_in_memory(facts.array));
  }
  NormSums sums;
  Py_BEGIN_ALLOW_THREADS;
  sums = norm_sums(arrays.data(), arrays.size());
  Py_END_ALLOW_THREADS;
  const Norm norm = norm_of(sums, factor);
  return Py_BuildValue("ddN", norm.l2, norm.largest, PyBool_FromLong(std::isfinite(sums.largest)));
}

PyObject* run_combine(PyObject* const* args) {
  const auto combination = static_cast<Combination>(PyLong_AsLong(args[0]));
  const double factor = PyFloat_AsDouble(args[5]);
  if (PyErr_Occurred()) return nullptr;
  const ArrayGroups::Group given[] = {{args[2], true}, {args[3], false}};
  const ArrayGroups groups(names_of(args[1], args[4]), given, rule_of(combination));
  const Pairs pairs(groups, args[3] == Py_None ? 0 : 1, 0, false);
  Py_BEGIN_ALLOW_THREADS;
  combine(combination, factor, pairs.data(), pairs.size());
  Py_END_ALLOW_THREADS;
  Py_RETURN_NONE;
}

PyObject* run_cast(PyObject* const* args) {
  unsigned long long seed = 0, stream = 0, offset = 0;
  const bool stochastic = args[4] != Py_None;
  if (stochastic && !PyArg_ParseTuple(args[4], "KKK", &seed, &stream, &offset)) return nullptr;
  const ArrayGroups::Group given[] = {{args[1], false}, {args[2], true}};
  const ArrayGroups groups(names_of(args[0], args[3]), given,
                           stochastic ? into_halves_rule : any_float_rule);
  const Pairs pairs(groups, 0, 1, stochastic);
  const CastCall call{pairs.data(), pairs.size(), stochastic, {seed, stream}, offset};
  Py_BEGIN_ALLOW_THREADS;
  cast(call);
  Py_END_ALLOW_THREADS;
  Py_RETURN_NONE;
}

// A function of so many arguments, of which errors travel as exceptions.
template <PyObject* (*kRun)(PyObject* const*), Py_ssize_t kArguments>
PyObject* guarded(PyObject*, PyObject* const* args, Py_ssize_t nargs) {
  if (nargs != kArguments) return PyErr_Format(PyExc_TypeError, "takes %zd arguments", kArguments);
  try {
    return kRun(args);
  } catch (const Raised&) {
    return nullptr;
  } catch (const std::bad_alloc&) {
    return PyErr_NoMemory();
  }
}

PyMethodDef definitions[] = {
    {"global_norm", as_function(guarded<run_global_norm, 5>), METH_FASTCALL, nullptr},
    {"combine", as_function(guarded<run_combine, 6>), METH_FASTCALL, nullptr},
    {"cast", as_function(guarded<run_cast, 5>), METH_FASTCALL, nullptr},
    {nullptr, nullptr, 0, nullptr}};

}  // namespace

bool add_lists(PyObject* module) { return PyModule_AddFunctions(module, definitions) == 0; }

}  // namespace bridle::python
