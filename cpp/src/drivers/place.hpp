// An array of any layout, in blocks.
#pragma once

#include "strided.hpp"
#include "walk.hpp"

namespace bridle {

// Elements of an array as contiguous memory: its own where they lie so, else a block that they are
// gathered into, or scattered from.
class Place {
 public:
  Place(char* data, const Walk& walk, std::size_t item) : data_(data), walk_(walk), item_(item) {}

  // The elements' own memory, if they lie beside each other. Where many do, `size` is lowered to
  // them.
  char* own(std::size_t begin, std::size_t& size) const {
    constexpr std::size_t many = 256;
    const Walk::Row row = walk_.first_row(begin, size);
    const bool beside = row.stride == static_cast<std::ptrdiff_t>(item_) || row.count == 1;
    if (!beside || (row.count < size && row.count < many)) return nullptr;
    size = row.count;
    return data_ + row.offset;
  }

  void gather_to(char* block, std::size_t begin, std::size_t size) const {
    walk_.for_each_row(begin, size,
                       [&](std::ptrdiff_t offset, std::ptrdiff_t stride, std::size_t count) {
                         gather({data_ + offset, stride}, item_, count, block);
                         block += count * item_;
                       });
  }

  void scatter_from(const char* block, std::size_t begin, std::size_t size) const {
    walk_.for_each_row(begin, size,
                       [&](std::ptrdiff_t offset, std::ptrdiff_t stride, std::size_t count) {
                         scatter(block, item_, count, {data_ + offset, stride});
                         block += count * item_;
                       });
  }

 private:
  char* data_;
  const Walk& walk_;
  std::size_t item_;
};

}  // namespace bridle
