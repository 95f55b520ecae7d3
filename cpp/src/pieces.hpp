// An array of any layout as contiguous pieces of a chunk, for what is summed.
#pragma once

#include <algorithm>

#include "strided.hpp"
#include "walk.hpp"

namespace bridle {

// Calls piece(data, count) for elements begin … begin + size, which begin a chunk: `count` is a
// multiple of kLanes for all pieces but the last one. Where rows are contiguous and long, a piece
// is the array's own memory.
template <class Piece>
void for_each_piece(const char* data, const Walk& walk, std::size_t item, std::size_t begin,
                    std::size_t size, const Piece& piece) {
  constexpr std::size_t most = 16 * kLanes;
  alignas(kLine) char buffer[most * sizeof(double)];
  std::size_t held = 0;
  const auto add = [&](const char* from, std::ptrdiff_t stride, std::size_t count) {
    gather({const_cast<char*>(from), stride}, item, count, buffer + held * item);
    held += count;
    if (held < most && held % kLanes != 0) return;
    piece(buffer, held);
    held = 0;
  };
  walk.for_each_row(
      begin, size, [&](std::ptrdiff_t offset, std::ptrdiff_t stride, std::size_t count) {
        const bool contiguous = stride == static_cast<std::ptrdiff_t>(item);
        const char* from = data + offset;
        while (count > 0) {
          std::size_t taken = std::min(count, most - held);
          if (contiguous && held == 0 && count >= kLanes) {
            taken = count / kLanes * kLanes;
            piece(from, taken);
          } else {
            if (contiguous &&
                held % kLanes != 0) {  // to a whole row of lanes, and on without copies
              taken = std::min(taken, kLanes - held % kLanes);
            }
            add(from, stride, taken);
          }
          from += static_cast<std::ptrdiff_t>(taken) * stride;
          count -= taken;
        }
      });
  if (held > 0) piece(buffer, held);
}

}  // namespace bridle
