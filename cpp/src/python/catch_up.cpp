#include "drivers/catch_up.hpp"

#include <algorithm>
#include <new>
#include <vector>

#include "drivers/operators.hpp"
#include "threads/status_flags.hpp"
#include "update_arrays.hpp"
#include "updates.hpp"

namespace bridle::python {
namespace {

// Rows whose numbers are held at a time.
class Block {
 public:
  explicit Block(const MissedRows& missed)
      : missed_(missed), sums_(std::min<std::size_t>(8 * 1024, missed.count)) {
    arrays_.reserve(sums_.size());
    numbers_.reserve(sums_.size());
  }

  // What has missed steps becomes what a proximal step of size 1 makes of each row.
  void shrink(const RepeatedSteps& steps) noexcept {
    UpdateCall call{};
    call.op = find_update("proximal_step");
    set_types(missed_.dtype, missed_.dtype, call);
    for (std::size_t i = 0; i < missed_.count;) {
      arrays_.clear();
      numbers_.clear();
      for (; i < missed_.count && arrays_.size() < sums_.size(); ++i) add(steps, i);
      call.arrays = arrays_.data();
      call.count = arrays_.size();
      update(call, sums_.data());
    }
  }

 private:
  void add(const RepeatedSteps& steps, std::size_t i) noexcept {
    if (missed_.missed[i] <= 0) return;
    const Shrinkage shrunk = shrinkage(steps, missed_.missed[i], missed_.dtype);
    UpdateNumbers& numbers = numbers_.emplace_back();  // which has been reserved, as the arrays
    numbers.members[0] = numbers.size = 1;
    numbers.keep = shrunk.keep;
    numbers.l1 = shrunk.threshold;
    UpdateArray array{};
    array.data[UpdateRole::weights] = missed_.table + missed_.rows[i] * missed_.stride;
    array.size = missed_.row_size;
    array.numbers = &numbers;
    array.first = arrays_.size() * missed_.row_size;
    arrays_.push_back(array);
  }

  const MissedRows& missed_;
  std::vector<UpdateSums> sums_;
  std::vector<UpdateArray> arrays_;
  std::vector<UpdateNumbers> numbers_;
};

template <class T = char>
T* data_of(PyObject* array) {
  return reinterpret_cast<T*>(PyArray_BYTES(as_array(array)));
}

MissedRows missed_rows(PyObject* const* args) {
  auto* const w = as_array(args[0]);
  auto* const toward = as_array(args[1]);
  MissedRows missed{};
  missed.dtype = *dtype_of(w);
  missed.table = data_of(args[0]);
  missed.stride = PyArray_STRIDE(w, 0);
  if (args[1] != Py_None) {
    missed.toward = data_of(args[1]);
    missed.toward_stride = PyArray_STRIDE(toward, 0);
  }
  missed.row_size = static_cast<std::size_t>(PyArray_SIZE(w) / PyArray_DIM(w, 0));
  missed.rows = data_of<const std::int64_t>(args[2]);
  missed.missed = data_of<const std::int64_t>(args[3]);
  missed.count = static_cast<std::size_t>(PyArray_SIZE(as_array(args[2])));
  return missed;
}

PyObject* run_catch_up(PyObject* const* args) {
  double numbers[4];
  for (int n = 0; n < 4; ++n) numbers[n] = PyFloat_AsDouble(args[4 + n]);
  if (PyErr_Occurred()) return nullptr;
  const MissedRows missed = missed_rows(args);
  Block block(missed);
  Py_BEGIN_ALLOW_THREADS;
  const KeepStatusFlags keep;
  const DecayStep step = decay_step(numbers[0], numbers[1], numbers[2], numbers[3]);
  const RepeatedSteps steps = repeated_steps(step);
  const bool drawn = missed.toward && step.keep != 1;
  drawn ? draw(steps, missed) : block.shrink(steps);
  Py_END_ALLOW_THREADS;
  Py_RETURN_NONE;
}

PyObject* catch_up_function(PyObject*, PyObject* const* args, Py_ssize_t nargs) {
  if (nargs != 8) return PyErr_Format(PyExc_TypeError, "catch_up: takes 8 arguments");
  try {
    return run_catch_up(args);
  } catch (const std::bad_alloc&) {
    return PyErr_NoMemory();
  }
}

PyMethodDef definitions[] = {{"catch_up", as_function(catch_up_function), METH_FASTCALL, nullptr},
                             {nullptr, nullptr, 0, nullptr}};

}  // namespace

bool add_catch_up(PyObject* module) { return PyModule_AddFunctions(module, definitions) == 0; }

}  // namespace bridle::python
