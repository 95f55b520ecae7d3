#include "array_groups.hpp"

#include <algorithm>
#include <atomic>
#include <utility>

#include "threads/parallel.hpp"

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

// Thousands of arrays lie all over memory, so threads share in looking at them. They call nothing
// of Python, which this thread holds.
void ArrayGroups::check(TypeRule rule) const {
  constexpr std::size_t least = 128;  // arrays, from which on a second thread pays
  std::atomic<bool> faultless{true};
  const auto look_at = [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) {
      for (int g = 0; g < groups_; ++g) {
        if (lists_[g] && fault_of(g, i, rule) != Fault::none) faultless = false;
      }
    }
  };
  parallel_for(count(), 1, least, look_at);
  if (!faultless) tell_first_fault(rule);
  if (std::any_of(written_, written_ + groups_, [](bool written) { return written; })) {
    check_overlap();
  }
}

ArrayGroups::Fault ArrayGroups::fault_of(int group, std::size_t i, TypeRule rule) const noexcept {
  const Facts &first = *get(0, i), &facts = *get(group, i);
  if (!is_as_found(facts)) return Fault::changed;
  if (rule(group, first.dtype.value_or(DType::float32), facts.dtype)) return Fault::type;
  if (!of_own_shape_[group] && !PyArray_SAMESHAPE(facts.array, first.array)) return Fault::shape;
  if (!written_[group]) return Fault::none;
  if (!PyArray_ISWRITEABLE(facts.array)) return Fault::read_only;
  if (facts.size > 1 && !is_apart_from_itself(facts.array)) return Fault::shares;
  return Fault::none;
}

void ArrayGroups::tell_first_fault(TypeRule rule) const {
  for (std::size_t i = 0; i < count(); ++i) {
    for (int g = 0; g < groups_; ++g) {
      if (!lists_[g]) continue;
      const Facts& facts = *get(g, i);
      switch (fault_of(g, i, rule)) {
        case Fault::none:
          break;
        case Fault::changed:
          fail(PyExc_ValueError, g, i, "must be as it was when it was prepared",
               description(facts) + " that has changed");
        case Fault::type:
          fail(PyExc_TypeError, g, i,
               rule(g, get(0, i)->dtype.value_or(DType::float32), facts.dtype), description(facts));
        case Fault::shape:
          fail(PyExc_ValueError, g, i, "must have the shape of " + group_name(names_, 0),
               description(facts));
        case Fault::read_only:
          fail(PyExc_ValueError, g, i, "must be writeable",
               description(facts) + advice("writeable", reinterpret_cast<PyObject*>(facts.array)));
        case Fault::shares:
          fail(PyExc_ValueError, g, i, "must have elements that share no memory", "some that do");
      }
    }
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
