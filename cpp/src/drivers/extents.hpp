// Where arrays of several groups meet in memory.
#pragma once

#include <algorithm>
#include <cstddef>
#include <memory_resource>
#include <vector>

namespace bridle {

// The memory in which the elements of an array lie: array `index` of its group.
struct Extent {
  const char *begin, *end;
  std::size_t index;
  int group = 0;
};

inline bool begins_before(const Extent& a, const Extent& b) { return a.begin < b.begin; }

// Brings extents from `middle` on, which are in the order of their addresses, into that of those
// before; a single one without memory of its own.
template <class Extents>
void merge_extents(Extents& extents, std::size_t middle) {
  const auto begin = extents.begin(), end = extents.end();
  const auto next = begin + static_cast<std::ptrdiff_t>(middle);
  if (end - next == 1) {
    std::rotate(std::upper_bound(begin, next, *next, begins_before), next, end);
  } else {
    std::inplace_merge(begin, next, end, begins_before);
  }
}

// Calls meet(a, b) for any two extents that overlap, of which a comes first by group and index.
// extents: in the order of their addresses.
template <class Extents, class Meet>
void for_each_meeting(const Extents& extents, std::pmr::memory_resource* memory, const Meet& meet) {
  std::pmr::vector<const Extent*> open(memory);  // those that reach the address arrived at
  for (const Extent& extent : extents) {
    std::erase_if(open, [&](const Extent* other) { return other->end <= extent.begin; });
    for (const Extent* other : open) {
      const bool first = extent.group < other->group ||
                         (extent.group == other->group && extent.index < other->index);
      first ? meet(extent, *other) : meet(*other, extent);
    }
    open.push_back(&extent);
  }
}

}  // namespace bridle
