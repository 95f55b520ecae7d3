#include <algorithm>
#include <cstdint>
#include <new>
#include <optional>
#include <vector>

#include "updates.hpp"

namespace bridle::python {
namespace {

// Rows of a table for each that is chosen, up to which a bit for every row is quicker than sorting.
constexpr std::uint64_t kMarkedForEach = 1024;

std::optional<std::int64_t> repeated(std::vector<std::int64_t> rows) {
  std::sort(rows.begin(), rows.end());
  const auto found = std::adjacent_find(rows.begin(), rows.end());
  return found == rows.end() ? std::nullopt : std::optional(*found);
}

std::optional<std::int64_t> marked_twice(const std::int64_t* rows, std::size_t count,
                                         std::uint64_t size) {
  std::vector<std::uint64_t> marked(size / 64 + 1);
  for (std::size_t i = 0; i < count; ++i) {
    const auto row = static_cast<std::uint64_t>(rows[i]);
    const std::uint64_t bit = std::uint64_t{1} << row % 64;
    if (marked[row / 64] & bit) return rows[i];
    marked[row / 64] |= bit;
  }
  return std::nullopt;
}

// A row outside of the table, or else one that is there twice.
std::optional<std::int64_t> unfit(const std::int64_t* rows, std::size_t count, std::int64_t size) {
  bool rising = true;
  for (std::size_t i = 0; i < count; ++i) {
    if (rows[i] < 0 || rows[i] >= size) return rows[i];
    rising &= i == 0 || rows[i] > rows[i - 1];
  }
  if (rising) return std::nullopt;
  const auto all = static_cast<std::uint64_t>(size);
  return all / kMarkedForEach <= count ? marked_twice(rows, count, all)
                                       : repeated({rows, rows + count});
}

PyObject* unfit_row_function(PyObject*, PyObject* const* args, Py_ssize_t nargs) {
  if (nargs != 2) return PyErr_Format(PyExc_TypeError, "unfit_row: takes 2 arguments");
  const std::int64_t size = PyLong_AsLongLong(args[1]);
  if (PyErr_Occurred()) return nullptr;
  auto* const array = as_array(args[0]);
  std::optional<std::int64_t> found;
  bool remembered = true;
  Py_BEGIN_ALLOW_THREADS;
  try {
    found = unfit(reinterpret_cast<const std::int64_t*>(PyArray_BYTES(array)),
                  static_cast<std::size_t>(PyArray_SIZE(array)), size);
  } catch (const std::bad_alloc&) {
    remembered = false;
  }
  Py_END_ALLOW_THREADS;
  if (!remembered) return PyErr_NoMemory();
  if (!found) Py_RETURN_NONE;
  return PyLong_FromLongLong(*found);
}

PyMethodDef definitions[] = {{"unfit_row", as_function(unfit_row_function), METH_FASTCALL, nullptr},
                             {nullptr, nullptr, 0, nullptr}};

}  // namespace

bool add_rows(PyObject* module) { return PyModule_AddFunctions(module, definitions) == 0; }

}  // namespace bridle::python
