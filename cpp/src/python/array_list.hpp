// One array or a list of them, as Python hands them over: what is known of each, and what is wrong.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "drivers/extents.hpp"
#include "numpy.hpp"

namespace bridle::python {

// Python exceptions travel as this one; the message has been set.
struct Raised {};

inline constexpr const char* kPreparedCapsule = "bridle.prepared_arrays";

struct Facts {
  PyArrayObject* array;
  char* data;
  std::size_t size;
  PyArray_Descr* descr;
  std::optional<DType> dtype;
};

// Arrays and their types, borrowed from who handed them over. Empty ones have no extent.
struct ArrayList {
  std::vector<Facts> arrays;
  std::vector<Extent> extents;  // in the order of their addresses
};

// How error messages call things: "function: name[i] rule, got …".
struct Names {
  const char* function;
  PyObject* groups;          // a tuple of str
  PyObject* keys = nullptr;  // of the arrays of a mapping: a tuple of what stands for i
};

[[noreturn]] void raise(PyObject* error, const Names& names, const std::string& name,
                        const char* rule, const std::string& got);
std::string group_name(const Names& names, int group);
std::string element_name(const Names& names, int group, std::size_t i);
// As Python's __name__, which in types of C follows the name of a module.
std::string type_name(PyObject* object);

// What a function of bridle._containers tells users to give in place of an object; else nothing.
std::string advice(const char* function, PyObject* object);
std::string description(const Facts& facts);

// Appends an array; masked ones are a TypeError.
void add(ArrayList& list, const Names& names, PyObject* object);
// Looks up a tuple of arrays; raises a TypeError that calls it group `group`. No list: it might
// change meanwhile.
ArrayList look_up(const Names& names, int group, PyObject* tuple);

inline std::size_t size_of(PyArrayObject* array) {
  const int dimensions = PyArray_NDIM(array);
  return static_cast<std::size_t>(dimensions == 1 ? PyArray_DIM(array, 0) : PyArray_SIZE(array));
}

// Whether an array that was looked up earlier still has its memory and type: a resized one has not.
inline bool is_as_found(const Facts& facts) {
  return PyArray_BYTES(facts.array) == facts.data && PyArray_DESCR(facts.array) == facts.descr &&
         size_of(facts.array) == facts.size && (!facts.dtype || PyArray_ISALIGNED(facts.array));
}
// Whether each element surely lies apart from the others: every stride leads over all that the
// smaller ones reach.
bool is_apart_from_itself(PyArrayObject* array) noexcept;
// Of arrays whose extents overlap. Elements that are not contiguous may lie between each other.
bool share_memory(PyArrayObject* a, PyArrayObject* b);

}  // namespace bridle::python
