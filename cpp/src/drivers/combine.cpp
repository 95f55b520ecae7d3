#include "combine.hpp"

#include "dispatch.hpp"
#include "place.hpp"
#include "threads/parallel.hpp"

namespace bridle {
namespace {

constexpr std::size_t kBlock = 512;  // elements
constexpr std::size_t kLeastPerThread =
    16 * 1024;  // below, waking a thread costs more than it saves

using Kernel = void (*)(const void* x, void* to, double factor, std::size_t size);

Kernel kernel_of(Combination combination, const ListedPair& pair) {
  return kernels().lists.combine[static_cast<int>(combination)].of[static_cast<int>(
      pair.from.dtype)];
}

// Of arrays that do not lie beside each other.
void combine_blocks(Kernel kernel, double factor, const ListedPair& pair, std::size_t begin,
                    std::size_t end) {
  const Place from(pair.from.data, walk_of(pair.from), item_size(pair.from.dtype));
  const Place to(pair.to.data, walk_of(pair.to), item_size(pair.to.dtype));
  const bool in_place = pair.from.data == pair.to.data;
  alignas(kLine) char from_block[kBlock * sizeof(double)], to_block[kBlock * sizeof(double)];
  for (std::size_t size; begin < end; begin += size) {
    size = std::min(kBlock, end - begin);
    const char* x = from.own(begin, size);
    char* const own = to.own(begin, size);
    char* const out = own ? own : to_block;
    if (!own) to.gather_to(to_block, begin, size);
    if (in_place) {
      x = out;
    } else if (!x) {
      from.gather_to(from_block, begin, size);
      x = from_block;
    }
    kernel(x, out, factor, size);
    if (!own) to.scatter_from(to_block, begin, size);
  }
}

void combine_part(Combination combination, double factor, const ListedPair& pair, std::size_t begin,
                  std::size_t end) {
  const Kernel kernel = kernel_of(combination, pair);
  if (pair.from.walk || pair.to.walk) return combine_blocks(kernel, factor, pair, begin, end);
  kernel(pair.from.data + begin * item_size(pair.from.dtype),
         pair.to.data + begin * item_size(pair.to.dtype), factor, end - begin);
}

}  // namespace

void combine(Combination combination, double factor, const ListedPair* pairs,
             std::size_t count) noexcept {
  const std::size_t size = size_of(pairs, count);
  if (size == 0) return;
  parallel_for(
      size, kBlock, kLeastPerThread,
      [=](std::size_t begin, std::size_t end) {
        for_each_part(pairs, count, begin, end,
                      [&](const ListedPair& pair, std::size_t from, std::size_t to) {
                        combine_part(combination, factor, pair, from, to);
                      });
      },
      work_of(kernel_of(combination, pairs[0])));
}

}  // namespace bridle
