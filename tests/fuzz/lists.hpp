// Lists of arrays for a call of the C interface, some of which are wrong or overlap.
#pragma once

#include <bridle/c_api.h>

#include <string_view>
#include <utility>
#include <vector>

#include "input.hpp"

namespace fuzz {

constexpr std::size_t kItem[] = {2, 2, 4, 8};  // of enum bridle_dtype

// Arrays of a list, with gaps between their rows at times, and copies of their memory.
struct List {
  std::vector<bridle_array> arrays;
  std::vector<Memory> memory, before;

  void add(Input& input, std::int64_t rows, std::int64_t length, int dtype) {
    const std::int64_t stride = length + (input.one_of(4) ? static_cast<int>(input.below(5)) : 0);
    const std::int64_t extent = rows > 0 ? (rows - 1) * stride + length : 0;
    hold(input, extent, kItem[dtype]);
    arrays.push_back({memory.back().data(), rows, length, stride, dtype, 0});
    if (input.one_of(64)) arrays.back().rows = -1;
    if (input.one_of(64)) arrays.back().dtype = 4 + input.take<std::int8_t>() % 4 * 5;
    if (input.one_of(64)) arrays.back().data = nullptr;
  }
  // Memory without an array.
  void hold(Input& input, std::int64_t elements, std::size_t item) {
    memory.emplace_back(static_cast<std::size_t>(elements) * item);
    input.fill(memory.back().data(), memory.back().bytes(), item);
    before.emplace_back(memory.back());
  }
  const bridle_array* data() const { return arrays.data(); }
  void require_as_before() const {
    for (std::size_t i = 0; i < memory.size(); ++i) require_same_bytes(memory[i], before[i]);
  }
  // The numbers of before, to do the same again.
  std::vector<Memory> restore() const {
    const std::vector<Memory> after(memory);
    for (std::size_t i = 0; i < memory.size(); ++i) {
      std::copy_n(before[i].data(), before[i].bytes(), memory[i].data());
    }
    return after;
  }
};

// Shapes that the arrays of a call have in common, more or less.
struct Shapes {
  std::vector<std::int64_t> rows, lengths;

  explicit Shapes(Input& input) {
    for (std::size_t i = input.below(4); i > 0; --i) {
      rows.push_back(input.one_of(2) ? 1 : input.length() % 7);
      lengths.push_back(input.length());
    }
  }
  std::int64_t count() const { return static_cast<std::int64_t>(rows.size()); }
  List list(Input& input, int dtype) const {
    List result;
    result.memory.reserve(rows.size());
    result.before.reserve(rows.size());
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const std::int64_t length = input.one_of(64) ? input.length() : lengths[i];
      result.add(input, rows[i], length,
                 input.one_of(32) ? static_cast<int>(input.below(4)) : dtype);
    }
    return result;
  }
};

// A list that a call takes.
struct Member {
  List* list;
  bool written;
};

inline bool is_sound(const bridle_array& a) {
  return a.data && a.rows >= 0 && a.dtype >= 0 && a.dtype <= 3;
}

// Row by row, whether two arrays have a byte in common.
inline bool share_memory(const bridle_array& a, const bridle_array& b) {
  if (!is_sound(a) || !is_sound(b)) return false;
  const auto row = [](const bridle_array& array, std::int64_t r) {
    const char* const begin = static_cast<const char*>(array.data);
    const auto item = static_cast<std::int64_t>(kItem[array.dtype]);
    return std::pair(begin + r * array.stride * item,
                     begin + (r * array.stride + array.length) * item);
  };
  for (std::int64_t i = 0; i < a.rows; ++i) {
    for (std::int64_t k = 0; k < b.rows; ++k) {
      const auto [first, first_end] = row(a, i);
      const auto [second, second_end] = row(b, k);
      if (std::max(first, second) < std::min(first_end, second_end)) return true;
    }
  }
  return false;
}

inline bool fits(const bridle_array& array, std::size_t bytes) {
  if (!is_sound(array) || array.rows == 0) return true;
  const std::int64_t elements = (array.rows - 1) * array.stride + array.length;
  return static_cast<std::size_t>(elements) * kItem[array.dtype] <= bytes;
}

// At times, one array of the call lies where another one begins, or a little behind. Whether such
// arrays overlap, and one of them is written; only then one may reach beyond its memory.
inline bool overlap(Input& input, const std::vector<Member>& members) {
  if (members[0].list->arrays.empty() || !input.one_of(6)) return false;
  const Member &mover = members[input.below(members.size())],
               &stayer = members[input.below(members.size())];
  const std::size_t from = input.below(mover.list->arrays.size()),
                    to = input.below(stayer.list->arrays.size());
  if (mover.list == stayer.list && from == to) return false;
  bridle_array& moved = mover.list->arrays[from];
  const Memory& memory = stayer.list->memory[to];
  const std::size_t behind = std::min(input.one_of(2) ? 0 : 4 * input.below(16), memory.bytes());
  void* const back = moved.data;
  moved.data = memory.data() + behind;
  if ((mover.written || stayer.written) && share_memory(moved, stayer.list->arrays[to])) {
    return true;
  }
  if (!fits(moved, memory.bytes() - behind)) moved.data = back;
  return false;
}

// A call is made twice from the same start: it is refused both times with nothing written, or
// writes the same bytes. Where arrays overlap of which one is written, it is refused, and it is
// refused for that reason only there.
template <class Run>
void twice(const std::vector<const List*>& lists, bool overlap, const Run& run) {
  const int status = run();
  require(status != 0 || !overlap);
  const std::string_view reason = status != 0 ? bridle_get_c_api()->last_error() : "";
  require(overlap || reason.find("must share no memory with") == reason.npos);
  std::vector<std::vector<Memory>> after;
  for (const List* list : lists) {
    if (status != 0) list->require_as_before();
    after.push_back(list->restore());
  }
  require(run() == status);
  for (std::size_t i = 0; i < lists.size(); ++i) {
    for (std::size_t k = 0; k < after[i].size(); ++k) {
      require_same_bytes(after[i][k], lists[i]->memory[k]);
    }
  }
}

}  // namespace fuzz
