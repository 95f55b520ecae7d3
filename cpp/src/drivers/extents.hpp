// Where arrays of several groups meet in memory.
#pragma once

#include <algorithm>
#include <cstddef>
#include <memory_resource>
#include <span>
#include <vector>

namespace bridle {

// The memory in which the elements of an array lie: array `index` of its group.
struct Extent {
  const char *begin, *end;
  std::size_t index;
};

// No function, which algorithms would call by its address.
inline constexpr auto begins_before = [](const Extent& a, const Extent& b) {
  return a.begin < b.begin;
};

// Those of a group, in the order of their addresses.
using Extents = std::span<const Extent>;

// Calls visit(extent, group) in the order of all addresses.
template <class Visit>
void for_each_extent(std::span<Extents> left, const Visit& visit) {
  for (;;) {
    Extents* first = nullptr;
    const Extent* second = nullptr;  // the next one of the others
    for (Extents& group : left) {
      if (group.empty()) continue;
      if (!first || begins_before(group.front(), first->front())) {
        second = first ? &first->front() : nullptr;
        first = &group;
      } else if (!second || begins_before(group.front(), *second)) {
        second = &group.front();
      }
    }
    if (!first) return;
    const auto group = static_cast<std::size_t>(first - left.data());
    do {
      visit(first->front(), group);
      *first = first->subspan(1);
    } while (!first->empty() && !(second && begins_before(*second, first->front())));
  }
}

// Calls meet(extent, group, other, other's group) for any two that overlap, of which the first
// comes first by group and index. The groups are taken apart.
template <class Meet>
void for_each_meeting(std::span<Extents> groups, std::pmr::memory_resource* memory,
                      const Meet& meet) {
  struct Open {
    const Extent* extent;
    std::size_t group;
  };
  std::pmr::vector<Open> open(memory);  // those that reach the address arrived at
  const char* reach = nullptr;          // the end of all of them
  for_each_extent(groups, [&](const Extent& extent, std::size_t group) {
    if (extent.begin >= reach) {
      open.clear();
    } else {
      std::erase_if(open, [&](const Open& other) { return other.extent->end <= extent.begin; });
    }
    for (const Open& other : open) {
      const bool first =
          group < other.group || (group == other.group && extent.index < other.extent->index);
      first ? meet(extent, group, *other.extent, other.group)
            : meet(*other.extent, other.group, extent, group);
    }
    open.push_back({&extent, group});
    reach = std::max(reach, extent.end);
  });
}

}  // namespace bridle
