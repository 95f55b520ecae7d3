#include "array_groups.hpp"

#include <algorithm>
#include <utility>

namespace bridle::python {

ArrayGroups::ArrayGroups(const Names& names, std::span<const Group> groups, TypeRule rule)
    : names_(names) {
  for (const Group& group : groups) parse(group);
  check(rule);
}

void ArrayGroups::parse(const Group& given) {
  const int group = groups_++;
  PyObject* const object = given.object;
  written_[group] = given.written;
  of_own_shape_[group] = given.of_own_shape;
  if (object == Py_None && group != 0) return;
  single_[group] = PyArray_Check(object);
  if (PyCapsule_IsValid(object, kPreparedCapsule)) {
    lists_[group] = static_cast<ArrayList*>(PyCapsule_GetPointer(object, kPreparedCapsule));
  } else {
    if (single_[group]) {
      add(own_[group].emplace(), names_, object);
    } else if (PyTuple_Check(object)) {
      own_[group] = look_up(names_, group, object);
    } else {
      raise(PyExc_TypeError, names_, group_name(names_, group),
            "must be an array, or a list, tuple or mapping of arrays", type_name(object));
    }
    lists_[group] = &*own_[group];
  }
  check_length(group);
}

void ArrayGroups::check_length(int group) const {
  const std::size_t length = lists_[group]->arrays.size();
  if (length == count() && single_[group] == single_[0]) return;
  const std::string first = ", as " + group_name(names_, 0) + " is";
  const std::string rule = single_[0]
                               ? "must be an array" + first
                               : "must be a list of " + std::to_string(count()) + " arrays" + first;
  raise(PyExc_ValueError, names_, group_name(names_, group), rule.c_str(),
        single_[group] ? "an array" : std::to_string(length) + " in a list");
}

void ArrayGroups::check(TypeRule rule) const {
  for (std::size_t i = 0; i < count(); ++i) {
    for (int g = 0; g < groups_; ++g) {
      if (lists_[g]) check_array(g, i, rule);
    }
  }
  if (std::any_of(written_, written_ + groups_, [](bool written) { return written; })) {
    check_overlap();
  }
}

void ArrayGroups::check_array(int group, std::size_t i, TypeRule rule) const {
  const Facts &first = *get(0, i), &facts = *get(group, i);
  if (!is_as_found(facts)) {
    fail(PyExc_ValueError, group, i, "must be as it was when it was prepared",
         description(facts) + " that has changed");
  }
  if (const char* wrong = rule(group, first.dtype.value_or(DType::float32), facts.dtype)) {
    fail(PyExc_TypeError, group, i, wrong, description(facts));
  }
  if (!of_own_shape_[group] && !PyArray_SAMESHAPE(facts.array, first.array)) {
    fail(PyExc_ValueError, group, i, "must have the shape of " + group_name(names_, 0),
         description(facts));
  }
  if (!written_[group]) return;
  if (!PyArray_ISWRITEABLE(facts.array)) {
    fail(PyExc_ValueError, group, i, "must be writeable",
         description(facts) + advice("writeable", reinterpret_cast<PyObject*>(facts.array)));
  }
  if (facts.size > 1 && !is_apart_from_itself(facts.array)) {
    fail(PyExc_ValueError, group, i, "must have elements that share no memory", "some that do");
  }
}

void ArrayGroups::check_overlap() const {
  Extents extents[kMost];
  for (int g = 0; g < groups_; ++g) {
    if (lists_[g]) extents[g] = lists_[g]->extents;
  }
  const auto meet = [&](const Extent& first, std::size_t a, const Extent& second, std::size_t b) {
    if (!written_[a] && !written_[b]) return;
    const int group = static_cast<int>(a), other = static_cast<int>(b);
    if (!share_memory(get(group, first.index)->array, get(other, second.index)->array)) return;
    const std::string rule = "must share no memory with " + name_of(group, first.index);
    fail(PyExc_ValueError, other, second.index, rule, "arrays that overlap");
  };
  for_each_meeting(std::span(extents, static_cast<std::size_t>(groups_)),
                   std::pmr::get_default_resource(), meet);
}

std::string ArrayGroups::name_of(int group, std::size_t i) const {
  return single_[group] ? group_name(names_, group) : element_name(names_, group, i);
}

void ArrayGroups::fail(PyObject* error, int group, std::size_t i, const std::string& rule,
                       const std::string& got) const {
  raise(error, names_, name_of(group, i), rule.c_str(), got);
}

}  // namespace bridle::python
