// Groups of arrays that belong together, one by one: those of one call. The first group says how
// many there are, and of which shapes.
#pragma once

#include <span>

#include "array_list.hpp"
#include "drivers/type_rules.hpp"

namespace bridle::python {

class ArrayGroups {
 public:
  static constexpr int kMost = 8;  // groups

  struct Group {
    PyObject* object;  // None, an array, a tuple of arrays, or a capsule of them
    bool written;
    bool of_own_shape = false;  // not that of the first
  };

  // Raises what is wrong with the arrays, alone or together: what is written is writeable, and
  // shares no memory with anything, since two threads would meet there.
  ArrayGroups(const Names& names, std::span<const Group> groups, TypeRule rule);

  std::size_t count() const { return lists_[0]->arrays.size(); }
  int groups() const { return groups_; }
  // Null where the group is None.
  const Facts* get(int group, std::size_t i) const {
    return lists_[group] ? &lists_[group]->arrays[i] : nullptr;
  }

 protected:
  const Names& names() const { return names_; }
  bool is_written(int group) const { return written_[group]; }
  [[noreturn]] void fail(PyObject* error, int group, std::size_t i, const std::string& rule,
                         const std::string& got) const;

 private:
  // In the order in which they are told.
  enum class Fault { none, changed, type, shape, read_only, shares };

  void parse(const Group& group);
  void check_length(int group) const;
  void check(TypeRule rule) const;
  Fault fault_of(int group, std::size_t i, TypeRule rule) const noexcept;
  void tell_first_fault(TypeRule rule) const;
  void check_overlap() const;
  std::string name_of(int group, std::size_t i) const;

  Names names_;
  int groups_ = 0;
  bool single_[kMost] = {}, written_[kMost] = {}, of_own_shape_[kMost] = {};
  std::optional<ArrayList> own_[kMost];
  const ArrayList* lists_[kMost] = {};
};

}  // namespace bridle::python
