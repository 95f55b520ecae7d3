// An array of any layout as contiguous pieces of a chunk, for what is summed.
#pragma once

#include <algorithm>

#include "strided.hpp"
#include "walk.hpp"

namespace bridle {

// Calls piece(data, count) for elements begin … begin + size, one after the other: the array's own
// memory where they lie beside each other, else copies of some of them.
template <class Piece>
void for_each_piece(const char* data, const Walk& walk, std::size_t item, std::size_t begin,
                    std::size_t size, const Piece& piece) {
  constexpr std::size_t most = 512, many = 16;
  alignas(kLine) char buffer[most * sizeof(double)];
  std::size_t held = 0;
  const auto flush = [&] {
    if (held > 0) piece(buffer, held);
    held = 0;
  };
  walk.for_each_row(
      begin, size, [&](std::ptrdiff_t offset, std::ptrdiff_t stride, std::size_t count) {
        const char* from = data + offset;
        if (stride == static_cast<std::ptrdiff_t>(item) && count >= many) {
          flush();
          piece(from, count);
          return;
        }
        while (count > 0) {
          const std::size_t taken = std::min(count, most - held);
          gather({const_cast<char*>(from), stride}, item, taken, buffer + held * item);
          held += taken;
          if (held == most) flush();
          from += static_cast<std::ptrdiff_t>(taken) * stride;
          count -= taken;
        }
      });
  flush();
}

}  // namespace bridle
