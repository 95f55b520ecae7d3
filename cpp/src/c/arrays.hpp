// Lists of arrays as C hands them over: how they lie, and what is wrong with them.
#pragma once

#include <bridle/c_api.h>

#include <memory_resource>
#include <optional>
#include <span>
#include <string>

#include "drivers/core.hpp"
#include "drivers/type_rules.hpp"

namespace bridle::c {

// A list of a call: an array for each one of the first list; null: there is none.
struct ArrayGroup {
  const char* name;
  const bridle_array* arrays;
  bool written;
};

// The lists of a call that belong together.
struct ArrayGroups {
  const char* function;
  std::span<const ArrayGroup> groups;
  std::size_t count;
  std::pmr::memory_resource* memory;

  // Throws what is wrong with them, alone or together: what is written shares no memory with
  // anything, since two threads would meet there.
  void check(TypeRule rule) const;
  [[noreturn]] void fail(std::size_t group, std::size_t i, const std::string& rule,
                         const std::string& got) const;

 private:
  void check_array(std::size_t group, std::size_t i, TypeRule rule) const;
  void check_overlap() const;
  std::string name_of(std::size_t group, std::size_t i) const;
};

// Memory of a call: calls for few arrays need no other.
class CallMemory {
 public:
  std::pmr::memory_resource* get() { return &memory_; }

 private:
  alignas(std::max_align_t) std::byte first_[1024];
  std::pmr::monotonic_buffer_resource memory_{first_, sizeof first_};
};

// None if it is none of the enumeration, or the data are not aligned to it.
std::optional<DType> dtype_of(const bridle_array& array);

inline std::size_t size_of(const bridle_array& array) {
  return static_cast<std::size_t>(array.rows * array.length);
}
inline bool is_contiguous(const bridle_array& array) {
  return array.rows <= 1 || array.stride == array.length;
}
std::size_t total_size(const bridle_array* arrays, std::size_t count);

// "float32 of shape (3, 5)".
std::string description(const bridle_array& array);

// The elements of an array that has been checked, over bytes.
Walk walk_of(const bridle_array& array);

// Throws unless indices from the offset on are below 2⁶⁴.
void check_offset(const char* function, const bridle_random_bits& bits, std::size_t size);

// The length of lists, which must not be negative.
std::size_t checked_count(const char* function, std::int64_t count);

}  // namespace bridle::c
