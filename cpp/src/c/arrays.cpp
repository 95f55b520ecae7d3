#include "arrays.hpp"

#include <algorithm>
#include <limits>

#include "arguments.hpp"
#include "drivers/extents.hpp"
#include "refusal.hpp"

namespace bridle::c {
namespace {

constexpr const char* kNames[] = {"float16", "bfloat16", "float32", "float64"};

bool is_known(const bridle_array& array) { return array.dtype >= 0 && array.dtype < kDTypes; }

std::size_t item_of(const bridle_array& array) {
  return item_size(static_cast<DType>(array.dtype));
}

// Whether its numbers are those of an array in memory: nothing overflows.
bool is_possible(const bridle_array& array) {
  constexpr auto most = std::numeric_limits<std::int64_t>::max() / 64;
  const auto fits = [&](std::int64_t step) { return array.rows == 0 || step <= most / array.rows; };
  return array.rows >= 0 && array.length >= 0 && array.stride >= 0 && array.length <= most &&
         fits(array.length) && fits(array.stride);
}

Extent extent_of(const bridle_array& array, std::size_t index) {
  const char* const begin = static_cast<const char*>(array.data);
  const auto elements = (array.rows - 1) * array.stride + array.length;
  return {begin, begin + static_cast<std::size_t>(elements) * item_of(array), index};
}

// Of arrays whose extents overlap. Rows may lie between each other.
bool share_memory(const bridle_array& a, const bridle_array& b) {
  if (is_contiguous(a) && is_contiguous(b)) return true;
  if (is_contiguous(a)) return share_memory(b, a);
  const auto bytes = [](std::int64_t elements, const bridle_array& array) {
    return elements * static_cast<std::int64_t>(item_of(array));
  };
  const std::int64_t rows = is_contiguous(b) ? 1 : b.rows;
  const std::int64_t length = bytes(is_contiguous(b) ? b.rows * b.length : b.length, b);
  const std::int64_t apart = bytes(b.stride, b);
  for (std::int64_t row = 0; row < a.rows; ++row) {  // which begins so many bytes behind b
    const std::int64_t begin = static_cast<const char*>(a.data) + bytes(row * a.stride, a) -
                               static_cast<const char*>(b.data);
    const std::int64_t end = begin + bytes(a.length, a);
    if (end <= 0) continue;
    // The last row of b that begins before its end reaches farthest.
    const std::int64_t last = rows == 1 || apart == 0 ? 0 : std::min((end - 1) / apart, rows - 1);
    if (last * apart + length > begin) return true;
  }
  return false;
}

}  // namespace

std::optional<DType> dtype_of(const bridle_array& array) {
  if (!is_known(array)) return std::nullopt;
  if (reinterpret_cast<std::uintptr_t>(array.data) % item_of(array) != 0) return std::nullopt;
  return static_cast<DType>(array.dtype);
}

std::size_t total_size(const bridle_array* arrays, std::size_t count) {
  std::size_t size = 0;
  for (std::size_t i = 0; i < count; ++i) size += size_of(arrays[i]);
  return size;
}

std::string description(const bridle_array& array) {
  const std::string type =
      is_known(array) ? kNames[array.dtype] : "type " + std::to_string(array.dtype);
  const std::string rows = array.rows == 1 ? "" : std::to_string(array.rows) + ", ";
  const bool aligned = !is_known(array) || dtype_of(array);
  return type + " of shape (" + rows + std::to_string(array.length) +
         (array.rows == 1 ? ",)" : ")") + (aligned ? "" : " that is not aligned");
}

Walk walk_of(const bridle_array& array) {
  const auto item = static_cast<std::ptrdiff_t>(item_of(array));
  const std::int64_t lengths[] = {array.rows, array.length};
  const std::ptrdiff_t strides[] = {array.stride * item, item};
  return {2, lengths, strides};
}

void check_offset(const char* function, const bridle_random_bits& bits, std::size_t size) {
  const std::uint64_t limit = 0 - std::uint64_t{size};  // 2⁶⁴ − size
  if (size == 0 || bits.offset < limit) return;
  fail(function, "offset must be >= 0 and < " + detail::text_of(limit) + ", got " +
                     detail::text_of(bits.offset));
}

std::size_t checked_count(const char* function, std::int64_t count) {
  if (count < 0) fail(function, "count must be >= 0, got " + std::to_string(count));
  return static_cast<std::size_t>(count);
}

void ArrayGroups::check(TypeRule rule) const {
  for (std::size_t i = 0; i < count; ++i) {
    for (std::size_t g = 0; g < groups.size(); ++g) {
      if (groups[g].arrays) check_array(g, i, rule);
    }
  }
  const auto is_written = [](const ArrayGroup& group) { return group.arrays && group.written; };
  if (std::ranges::any_of(groups, is_written)) check_overlap();
}

void ArrayGroups::check_array(std::size_t group, std::size_t i, TypeRule rule) const {
  const bridle_array &array = groups[group].arrays[i], &first = groups[0].arrays[i];
  if (!is_possible(array)) {
    fail(group, i, "must have rows, length and stride >= 0, below 2^57 elements in all",
         std::to_string(array.rows) + ", " + std::to_string(array.length) + " and " +
             std::to_string(array.stride));
  }
  const DType like = dtype_of(first).value_or(DType::float32);
  if (const char* wrong = rule(static_cast<int>(group), like, dtype_of(array))) {
    fail(group, i, wrong, description(array));
  }
  if (array.rows != first.rows || array.length != first.length) {
    fail(group, i, std::string("must have the shape of ") + groups[0].name, description(array));
  }
  if (size_of(array) > 0 && !array.data) fail(group, i, "must be an array", "null");
  if (groups[group].written && array.rows > 1 && array.stride < array.length) {
    fail(group, i, "must have elements that share no memory", "some that do");
  }
}

void ArrayGroups::check_overlap() const {
  std::pmr::vector<Extent> every(memory);
  every.reserve(groups.size() * count);  // they do not move
  std::pmr::vector<Extents> extents(groups.size(), memory);
  for (std::size_t g = 0; g < groups.size(); ++g) {
    const std::size_t begin = every.size();
    for (std::size_t i = 0; i < count && groups[g].arrays; ++i) {
      const bridle_array& array = groups[g].arrays[i];
      if (size_of(array) > 0) every.push_back(extent_of(array, i));
    }
    const std::span<Extent> own = std::span(every).subspan(begin);
    if (!std::ranges::is_sorted(own, begins_before)) std::ranges::sort(own, begins_before);
    extents[g] = own;
  }
  const auto meet = [&](const Extent& first, std::size_t a, const Extent& second, std::size_t b) {
    if (!groups[a].written && !groups[b].written) return;
    if (!share_memory(groups[a].arrays[first.index], groups[b].arrays[second.index])) return;
    fail(b, second.index, "must share no memory with " + name_of(a, first.index),
         "arrays that overlap");
  };
  for_each_meeting(extents, memory, meet);
}

std::string ArrayGroups::name_of(std::size_t group, std::size_t i) const {
  const std::string name = groups[group].name;
  return count == 1 ? name : name + "[" + std::to_string(i) + "]";
}

void ArrayGroups::fail(std::size_t group, std::size_t i, const std::string& rule,
                       const std::string& got) const {
  c::fail(function, name_of(group, i) + " " + rule + ", got " + got);
}

}  // namespace bridle::c
