// The extension module. Elementwise operators and penalties enter through the front doors and
// ufuncs, which are plain C for speed; the rest, called once a layer or once a process, is bound
// here.
#include <bridle/c_api.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <algorithm>
#include <cstdlib>
#include <string>
#include <tuple>
#include <vector>

#include "dispatch.hpp"
#include "drivers/operators.hpp"
#include "front_door.hpp"
#include "library.hpp"
#include "lists.hpp"
#include "numpy.hpp"
#include "slices.hpp"
#include "threads/parallel.hpp"
#include "ufuncs.hpp"
#include "updates.hpp"
#include "xla_handlers.hpp"

namespace py = pybind11;

namespace bridle::python {
namespace {

Walk walk_of(PyArrayObject* array) {
  return {PyArray_NDIM(array), PyArray_DIMS(array), PyArray_STRIDES(array)};
}

// draws: (seed, stream, threshold, index), an array of stored bits, or None where all elements are
// kept. strides: how far the random numbers of neighbours lie apart, along each dimension of
// `shape`.
NoiseSource noise_source(const py::object& draws, const std::vector<npy_intp>& shape,
                         const std::vector<std::ptrdiff_t>& strides) {
  const Walk where(static_cast<int>(shape.size()), shape.data(), strides.data());
  if (draws.is_none()) return {NoiseFrom::none, {}, 0, nullptr, 0, where};
  if (PyArray_Check(draws.ptr())) {
    PyArrayObject* bits = as_array(draws.ptr());
    return {NoiseFrom::bits,
            {},
            0,
            reinterpret_cast<const std::uint8_t*>(PyArray_BYTES(bits)),
            8 * static_cast<std::size_t>(PyArray_SIZE(bits)),
            where};
  }
  const auto [seed, stream, threshold, index] =
      draws.cast<std::tuple<std::uint64_t, std::uint64_t, std::uint64_t, std::uint64_t>>();
  return drawn_noise({{seed, stream}, threshold}, index, where);
}

// x and out: same shape, same supported dtype; out is x, element for element, or apart from it.
void noise_array(const std::string& name, py::handle x, py::handle out,
                 const std::vector<double>& members, bool identity, const py::object& draws,
                 const std::vector<std::ptrdiff_t>& strides, bool fresh) {
  PyArrayObject *const from = as_array(x.ptr()), *const to = as_array(out.ptr());
  const auto op = std::find(kNoiseOperators.begin(), kNoiseOperators.end(), name);
  const auto dtype = dtype_of(from);
  if (!dtype || op == kNoiseOperators.end()) throw py::type_error(name + ": unsupported");
  const std::vector<npy_intp> shape(PyArray_DIMS(from), PyArray_DIMS(from) + PyArray_NDIM(from));
  NoiseCall call{.op = static_cast<int>(op - kNoiseOperators.begin()),
                 .dtype = *dtype,
                 .members = {},
                 .noise = noise_source(draws, shape, strides),
                 .identity = identity,
                 .size = static_cast<std::size_t>(PyArray_SIZE(from)),
                 .x = PyArray_BYTES(from),
                 .x_walk = walk_of(from),
                 .out = PyArray_BYTES(to),
                 .out_walk = walk_of(to),
                 .output = fresh ? Output::fresh : Output::reused};
  std::copy(members.begin(), members.end(), call.members);
  const py::gil_scoped_release release;
  apply_noise(call);
}

// out: uint8 or bool, C-contiguous, one byte an element or (packed) one bit.
void mask_array(const std::vector<npy_intp>& shape, const py::object& draws,
                const std::vector<std::ptrdiff_t>& strides, bool packed, py::handle out) {
  std::size_t size = 1;
  for (const npy_intp length : shape) size *= static_cast<std::size_t>(length);
  const NoiseSource noise = noise_source(draws, shape, strides);
  auto* const bytes = reinterpret_cast<std::uint8_t*>(PyArray_BYTES(as_array(out.ptr())));
  const py::gil_scoped_release release;
  (packed ? noise_mask_packed : noise_mask)(noise, size, bytes);
}

// np.copyto for arrays of equal shape and type; large contiguous ones by all threads.
void copy_array(py::handle destination, py::handle source) {
  PyArrayObject *const to = as_array(destination.ptr()), *const from = as_array(source.ptr());
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

// Copies the arrays, then sets owner.name = value, if there is an owner: one call, so that no
// signal handler runs between two of the arrays, nor between the last one and what says that they
// changed.
void copy_arrays(const py::sequence& destinations, const py::sequence& sources,
                 const py::object& owner, const py::str& name, const py::object& value) {
  for (std::size_t i = 0; i < destinations.size(); ++i) {
    const py::object to = destinations[i], from = sources[i];
    copy_array(to, from);
  }
  // Not PyObject_SetAttr, which would run the __setattr__ of a subclass.
  if (!owner.is_none() && PyObject_GenericSetAttr(owner.ptr(), name.ptr(), value.ptr()) < 0)
    throw py::error_already_set();
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

// The places of the parameters whose rule is as it is asked for, by operator.
py::dict places_of(bool (*wanted)(Rule)) {
  py::dict places;
  const auto add = [&](const Operator& op) {
    py::list indices;
    for (std::size_t p = 0; p < op.params.size(); ++p) {
      if (wanted(op.params[p].rule)) indices.append(p);
    }
    if (!indices.empty()) places[op.name] = py::tuple(indices);
  };
  for (const Operator& op : kMapOperators) add(op);
  for (const Operator& op : kPenalties) add(op);
  return places;
}

py::list penalties_beside() {
  py::list names;
  for (const PenaltyOperator& penalty : kPenalties) {
    if (penalty.beside) names.append(penalty.name);
  }
  return names;
}

// The sum of the penalties of the elements of w in C order. Parameters: float64 arrays of the shape
// of w, or numbers.
double penalty_of_each(const std::string& name, py::handle w, const py::tuple& parameters) {
  PyArrayObject* const weights = as_array(w.ptr());
  const auto op =
      std::find_if(kPenalties.begin(), kPenalties.end(),
                   [&](const PenaltyOperator& penalty) { return penalty.name == name; });
  const auto dtype = dtype_of(weights);
  if (!dtype || op == kPenalties.end()) throw py::type_error(name + ": unsupported");
  std::vector<double> numbers(parameters.size());
  std::vector<Walk> walks;
  std::vector<WalkedDoubles> walked;
  walks.reserve(parameters.size());
  for (std::size_t p = 0; p < parameters.size(); ++p) {
    const py::handle value = parameters[p];
    const bool array = PyArray_Check(value.ptr());
    if (!array) numbers[p] = value.cast<double>();
    walks.push_back(array ? walk_of(as_array(value.ptr())) : Walk(0));
    walked.push_back({array ? PyArray_DATA(as_array(value.ptr())) : &numbers[p], walks.back()});
  }
  const Walk walk = walk_of(weights);
  const auto size = static_cast<std::size_t>(PyArray_SIZE(weights));
  const py::gil_scoped_release release;
  return reduce_each(static_cast<int>(op - kPenalties.begin()), *dtype, PyArray_DATA(weights), walk,
                     size, walked.data());
}

// The addresses of the C functions, by name.
py::dict c_functions() {
  py::dict addresses;
  for (int i = 0; const char* name = bridle_function_name(i); ++i) {
    addresses[name] = reinterpret_cast<std::uintptr_t>(bridle_function(name));
  }
  return addresses;
}

}  // namespace
}  // namespace bridle::python

PYBIND11_MODULE(_core, m, py::mod_gil_not_used()) {
  using namespace bridle;
  using namespace bridle::python;
  check_library();
  if (!import_numpy()) throw py::error_already_set();
  if (const char* name = std::getenv("BRIDLE_ISA"); name && *name) set_instruction_set(name);
  m.attr("__version__") = BRIDLE_VERSION;
  py::dict ufuncs;
  if (!add_ufuncs(ufuncs.ptr()) || !add_front_doors(m.ptr()) || !add_updates(m.ptr()) ||
      !add_catch_up(m.ptr()) || !add_rows(m.ptr()) || !add_lists(m.ptr()))
    throw py::error_already_set();
  m.attr("ufuncs") = ufuncs;
  m.attr("elementwise_operators") = parameter_names(kMapOperators);
  m.attr("penalties") = parameter_names(kPenalties);
  m.attr("compared") = places_of(looks_back);
  m.attr("unchecked") = places_of([](Rule rule) { return rule == Rule::any; });
  m.attr("penalties_beside") = penalties_beside();
  m.def("penalty_of_each", penalty_of_each);
  m.def("set_fallbacks", [](py::handle elementwise, py::handle penalty, py::handle dropout) {
    set_fallbacks(elementwise.ptr(), penalty.ptr(), dropout.ptr());
  });
  m.def("keep_numbers", [](double p, bool inverted) {
    const ops::KeepNumbers numbers = ops::keep_numbers(p, inverted);
    return py::make_tuple(numbers.threshold, numbers.scale);
  });
  m.def("apply_noise", noise_array);
  m.def("noise_mask", mask_array);
  add_slices(m);
  m.def("copy_arrays", copy_arrays, py::arg("destinations"), py::arg("sources"),
        py::arg("owner") = py::none(), py::arg("name") = "", py::arg("value") = py::none());
  m.attr("c_functions") = c_functions();
  m.attr("xla_handlers") = xla_handlers();
  m.def("c_api", [] { return py::capsule(bridle_get_c_api(), BRIDLE_C_API_CAPSULE); });
  m.def("get_num_threads", get_num_threads);
  m.def("set_num_threads", set_num_threads);
  m.def("require_all_threads", require_all_threads);
  m.def("openmp_runtime", openmp_runtime);
  m.def("instruction_set", [] { return active_instruction_set().name; });
  m.def("available_instruction_sets", available_instruction_sets);
  m.def("set_instruction_set", set_instruction_set);
}
