// The extension module. Elementwise operators and penalties enter through the front doors and
// ufuncs, which are plain C for speed; the rest, called once a layer or once a process, is bound
// here.
#include <pybind11/pybind11.h>

#include <cstdlib>
#include <string>

#include "dispatch.hpp"
#include "front_door.hpp"
#include "numpy.hpp"
#include "operators.hpp"
#include "parallel.hpp"
#include "ufuncs.hpp"

namespace py = pybind11;

namespace bridle::python {
namespace {

PyArrayObject* as_array(py::handle object) {
  return reinterpret_cast<PyArrayObject*>(object.ptr());
}

// An array that can be walked in C order with one stride.
Operand flat_operand(py::handle object) {
  PyArrayObject* array = as_array(object);
  const bool strided = PyArray_NDIM(array) == 1;
  return {PyArray_BYTES(array), strided ? PyArray_STRIDE(array, 0) : PyArray_ITEMSIZE(array)};
}

// x and out: same shape, same supported dtype, each C-contiguous or one-dimensional; out is x or
// apart from it.
void dropout_array(py::handle x, double p, std::uint64_t seed, std::uint64_t stream,
                   std::uint64_t offset, bool inverted, py::handle out) {
  const auto dtype = dtype_of(as_array(x));
  if (!dtype) throw py::type_error("dropout: unsupported array");
  const auto size = static_cast<std::size_t>(PyArray_SIZE(as_array(x)));
  const MaskCall call = mask_call(p, inverted, {seed, stream}, offset, size);
  const Operand from = flat_operand(x), to = flat_operand(out);
  const py::gil_scoped_release release;
  dropout(*dtype, from, to, call, Output::reused);
}

// out: uint8 or bool, C-contiguous, one byte an element or (packed) one bit.
void mask_array(std::size_t size, double p, std::uint64_t seed, std::uint64_t stream,
                std::uint64_t offset, bool packed, py::handle out) {
  const MaskCall call = mask_call(p, true, {seed, stream}, offset, size);
  auto* const bytes = reinterpret_cast<std::uint8_t*>(PyArray_BYTES(as_array(out)));
  const py::gil_scoped_release release;
  (packed ? dropout_mask_packed : dropout_mask)(bytes, call);
}

// np.copyto for arrays of equal shape and type; large contiguous ones by all threads.
void copy_array(py::handle destination, py::handle source) {
  PyArrayObject *const to = as_array(destination), *const from = as_array(source);
  const int contiguous = NPY_ARRAY_C_CONTIGUOUS | NPY_ARRAY_F_CONTIGUOUS;
  const bool same_layout = PyArray_FLAGS(to) & PyArray_FLAGS(from) & contiguous;
  const bool plain = same_layout && PyArray_ISWRITEABLE(to) && PyArray_SAMESHAPE(to, from) &&
                     PyArray_EquivArrTypes(to, from) && !PyDataType_REFCHK(PyArray_DESCR(to));
  const auto bytes = static_cast<std::size_t>(PyArray_NBYTES(from));
  const char *const begin = PyArray_BYTES(from), *const out = PyArray_BYTES(to);
  if (!plain || (begin < out + bytes && out < begin + bytes)) {
    if (PyArray_CopyInto(to, from) < 0) throw py::error_already_set();
    return;
  }
  const py::gil_scoped_release release;
  copy(begin, PyArray_BYTES(to), bytes);
}

// One call, so that no signal handler runs between two of the arrays.
void copy_arrays(const py::sequence& destinations, const py::sequence& sources) {
  for (std::size_t i = 0; i < destinations.size(); ++i) {
    const py::object to = destinations[i], from = sources[i];
    copy_array(to, from);
  }
}

py::list available_instruction_sets() {
  py::list names;
  for (int i = 0; i < instruction_set_count(); ++i) {
    if (instruction_set(i).supported()) names.append(instruction_set(i).name);
  }
  return names;
}

void set_instruction_set(const std::string& name) {
  if (select_instruction_set(name.c_str())) return;
  throw py::import_error(
      "bridle: BRIDLE_ISA=" + name + " is not available; this machine has " +
      py::str(", ").attr("join")(available_instruction_sets()).cast<std::string>());
}

template <class Operators>
py::dict parameter_names(const Operators& operators) {
  py::dict names;
  for (const auto& op : operators) {
    py::list params;
    for (const Param& param : op.params) params.append(param.name);
    names[op.name] = py::tuple(params);
  }
  return names;
}

}  // namespace
}  // namespace bridle::python

PYBIND11_MODULE(_core, m, py::mod_gil_not_used()) {
  using namespace bridle;
  using namespace bridle::python;
  if (!import_numpy()) throw py::error_already_set();
  if (const char* name = std::getenv("BRIDLE_ISA"); name && *name) set_instruction_set(name);
  py::dict ufuncs;
  if (!add_ufuncs(ufuncs.ptr()) || !add_front_doors(m.ptr())) throw py::error_already_set();
  m.attr("ufuncs") = ufuncs;
  m.attr("elementwise_operators") = parameter_names(kMapOperators);
  m.attr("penalties") = parameter_names(kPenalties);
  m.def("set_fallbacks", [](py::handle elementwise, py::handle penalty, py::handle dropout) {
    set_fallbacks(elementwise.ptr(), penalty.ptr(), dropout.ptr());
  });
  m.def("dropout_array", dropout_array);
  m.def("dropout_mask", mask_array);
  m.def("copy_arrays", copy_arrays);
  m.def("get_num_threads", get_num_threads);
  m.def("set_num_threads", set_num_threads);
  m.def("openmp_runtime", openmp_runtime);
  m.def("instruction_set", [] { return active_instruction_set().name; });
  m.def("available_instruction_sets", available_instruction_sets);
  m.def("set_instruction_set", set_instruction_set);
}
