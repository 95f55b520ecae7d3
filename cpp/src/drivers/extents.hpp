// Where arrays of several groups meet in memory.
#pragma once

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

// Brings others among extents; both are in the order of their addresses.
template <class Extents>
void merge_into(Extents& extents, const Extents& others) {
  std::size_t old = extents.size(), left = others.size();
  extents.resize(old + left);
  while (left > 0) {  // the last one first
    const std::size_t at = old + left - 1;
    const bool is_old = old > 0 && begins_before(others[left - 1], extents[old - 1]);
    extents[at] = is_old ? extents[--old] : others[--left];
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
