// The arrays of a fused update: what is known of each, and whether they fit each other.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "numpy.hpp"

namespace bridle::python {

// Python exceptions travel as this one; the message has been set.
struct Raised {};

inline constexpr int kGroups = 6, kWeights = 0, kGradient = 1, kFirstState = 2, kToward = 5;
inline constexpr const char* kPreparedCapsule = "bridle.prepared_arrays";

struct Facts {
  PyArrayObject* array;
  char* data;
  std::size_t size;
  std::optional<DType> dtype;
};

// The memory in which the elements of an array lie.
struct Extent {
  const char *begin, *end;
  std::size_t index;  // of the array in its list
};

// Arrays, borrowed from who handed them over. Empty ones have no extent.
struct ArrayList {
  std::vector<Facts> arrays;
  std::vector<Extent> extents;  // in the order of their addresses
};

// How error messages call things: "function: name[i] rule, got …".
struct Names {
  const char* function;
  PyObject* groups;  // a tuple of str
};

// Looks up a tuple of arrays; raises a TypeError that calls it group `group`. No list: it might
// change meanwhile.
ArrayList look_up(const Names& names, int group, PyObject* tuple);

class UpdateArrays {
 public:
  // Each object is None, an array, a tuple of arrays, or a capsule of them. Raises what is wrong
  // with the arrays, alone or together.
  UpdateArrays(const Names& names, const std::array<PyObject*, kGroups>& objects);

  std::size_t count() const { return lists_[kWeights]->arrays.size(); }
  // Null where the group is None.
  const Facts* get(int group, std::size_t i) const {
    return lists_[group] ? &lists_[group]->arrays[i] : nullptr;
  }
  // How arrays i, which belong together, lie, if they can be walked alike row by row: in C order,
  // or in the order of memory. Rows that are short do not pay.
  std::optional<UpdateRows> rows(std::size_t i, bool in_c_order) const;

 private:
  struct Place;

  std::optional<UpdateRows> rows_from(std::size_t i, bool last_axis) const;

  void parse(int group, PyObject* object);
  void check_length(int group) const;
  void check_array(std::size_t i) const;
  void check_overlap() const;
  [[noreturn]] void fail(PyObject* error, int group, std::size_t i, const char* rule,
                         const std::string& got) const;
  std::string name_of(int group, std::size_t i) const;

  Names names_;
  bool single_[kGroups] = {};
  std::optional<ArrayList> own_[kGroups];
  const ArrayList* lists_[kGroups] = {};
};

}  // namespace bridle::python
