#include "combine.hpp"

#include "dispatch.hpp"
#include "place.hpp"
#include "threads/parallel.hpp"

namespace bridle {
namespace {

constexpr std::size_t kBlock = 512;  // elements
constexpr std::size_t kLeastPerThread =
    16 * 1024;  // below, waking a thread costs more than it saves

bool is_half(DType dtype) { return item_size(dtype) == 2; }

// A part of a pair.
class Combining {
 public:
  Combining(Combination combination, double factor, const ListedPair& pair)
      : factor_(factor),
        kernel_(kernels().lists.combine[static_cast<int>(combination)].of[pair.to.dtype ==
                                                                          DType::float64]),
        from_type_(pair.from.dtype),
        to_type_(pair.to.dtype),
        in_place_(pair.from.data == pair.to.data),
        from_(pair.from.data, walk_of(pair.from), item_size(from_type_)),
        to_(pair.to.data, walk_of(pair.to), item_size(to_type_)) {}

  void operator()(std::size_t begin, std::size_t end) const {
    while (begin < end) begin += some(begin, std::min(kBlock, end - begin));
  }

 private:
  std::size_t some(std::size_t begin, std::size_t size) const {
    alignas(kLine) char from_block[kBlock * sizeof(double)], to_block[kBlock * sizeof(double)];
    const char* from = from_.own(begin, size);
    char* const own = to_.own(begin, size);
    char* const to = own ? own : to_block;
    if (!own) to_.gather_to(to_block, begin, size);
    if (in_place_) {
      from = to;
    } else if (!from) {
      from_.gather_to(from_block, begin, size);
      from = from_block;
    }
    combine_block(from, to, size);
    if (!own) to_.scatter_from(to_block, begin, size);
    return size;
  }

  void combine_block(const char* from, char* to, std::size_t size) const {
    alignas(kLine) float wide[kBlock];
    if (!is_half(from_type_)) return kernel_(from, to, factor_, size);
    kernels().half[static_cast<int>(from_type_)].widen(from, wide, size);
    if (!is_half(to_type_)) return kernel_(wide, to, factor_, size);
    kernel_(wide, wide, factor_, size);
    kernels().half[static_cast<int>(to_type_)].narrow(wide, to, size);
  }

  double factor_;
  void (*kernel_)(const void* x, void* to, double factor, std::size_t size);
  DType from_type_, to_type_;
  bool in_place_;
  Place from_, to_;
};

}  // namespace

void combine(Combination combination, double factor, const ListedPair* pairs,
             std::size_t count) noexcept {
  const std::size_t size = size_of(pairs, count);
  if (size == 0) return;
  const void* const work = work_of(
      kernels().lists.combine[static_cast<int>(combination)].of[0],
      static_cast<int>(pairs[0].from.dtype) + kDTypes * static_cast<int>(pairs[0].to.dtype));
  parallel_for(
      size, kBlock, kLeastPerThread,
      [=](std::size_t begin, std::size_t end) {
        for_each_part(pairs, count, begin, end,
                      [&](const ListedPair& pair, std::size_t from, std::size_t to) {
                        Combining(combination, factor, pair)(from, to);
                      });
      },
      work);
}

}  // namespace bridle
