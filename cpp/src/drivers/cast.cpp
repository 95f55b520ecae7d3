#include "cast.hpp"

#include "dispatch.hpp"
#include "noise_reader.hpp"
#include "place.hpp"
#include "streaming.hpp"
#include "threads/parallel.hpp"

namespace bridle {
namespace {

constexpr std::size_t kBlock = 512;  // elements
constexpr std::size_t kLeastPerThread =
    16 * 1024;  // below, waking a thread costs more than it saves
static_assert(kBlock * 2 <= StreamWriter::kPiece && kBlock <= kNoiseBlock);

// Converts contiguous elements of a list, some at a time.
class Converter {
 public:
  explicit Converter(const CastCall& call)
      : stochastic_(call.stochastic),
        source_(drawn_noise({call.key, 0}, call.index)),
        uniforms_(source_) {}

  // position: that of the first element in the list.
  void operator()(const ListedPair& pair, const void* from, void* to, std::size_t position,
                  std::size_t size) {
    const auto from_type = static_cast<int>(pair.from.dtype);
    if (!stochastic_) {
      return kernels().cast[from_type].to[static_cast<int>(pair.to.dtype)](from, to, size);
    }
    const HalfKernels& half = kernels().half[static_cast<int>(pair.to.dtype)];
    const std::size_t item = item_size(pair.from.dtype);
    alignas(kLine) float wide[kBlock];
    if (item == 2) {
      kernels().half[from_type].widen(from, wide, size);
      from = wide;
    }
    const auto round = half.round_randomly[item == 8];
    for (std::size_t i = 0; i < size;) {
      std::size_t count = size - i;
      const std::uint32_t* const u = uniforms_.read(position + i, count);
      round(static_cast<const char*>(from) + i * std::max<std::size_t>(item, 4), u,
            static_cast<char*>(to) + 2 * i, count);
      i += count;
    }
  }

 private:
  bool stochastic_;
  NoiseSource source_;
  NoiseReader<std::uint32_t> uniforms_;
};

// Of contiguous arrays.
void cast_beside(Converter& convert, const ListedPair& pair, std::size_t begin, std::size_t end) {
  const std::size_t from_item = item_size(pair.from.dtype), to_item = item_size(pair.to.dtype);
  for (; begin < end; begin += kBlock) {
    convert(pair, pair.from.data + begin * from_item, pair.to.data + begin * to_item,
            pair.first + begin, std::min(kBlock, end - begin));
  }
}

void cast_blocks(Converter& convert, const ListedPair& pair, std::size_t begin, std::size_t end) {
  const std::size_t from_item = item_size(pair.from.dtype), to_item = item_size(pair.to.dtype);
  const Place from(pair.from.data, walk_of(pair.from), from_item);
  const Place to(pair.to.data, walk_of(pair.to), to_item);
  alignas(kLine) char from_block[kBlock * sizeof(double)], to_block[kBlock * sizeof(double)];
  for (std::size_t size; begin < end; begin += size) {
    size = std::min(kBlock, end - begin);
    const char* x = from.own(begin, size);
    char* const out = to.own(begin, size);
    if (!x) {
      from.gather_to(from_block, begin, size);
      x = from_block;
    }
    convert(pair, x, out ? out : to_block, pair.first + begin, size);
    if (!out) to.scatter_from(to_block, begin, size);
  }
}

// Of contiguous arrays.
void cast_streaming(Converter& convert, const ListedPair& pair, std::size_t begin,
                    std::size_t end) {
  const std::size_t from_item = item_size(pair.from.dtype), to_item = item_size(pair.to.dtype);
  const std::size_t most = std::min(StreamWriter::kPiece, kBlock * to_item);
  StreamWriter writer(pair.to.data + begin * to_item);
  for (std::size_t size; begin < end; begin += size) {
    size = writer.best_size(std::min((end - begin) * to_item, most)) / to_item;
    convert(pair, pair.from.data + begin * from_item, writer.next(), pair.first + begin, size);
    writer.commit(size * to_item);
  }
  writer.flush();
}

std::size_t bytes_of(const CastCall& call) {
  std::size_t bytes = 0;
  for (std::size_t p = 0; p < call.count; ++p) {
    const ListedPair& pair = call.pairs[p];
    bytes += pair.size * (item_size(pair.from.dtype) + item_size(pair.to.dtype));
  }
  return bytes;
}

}  // namespace

void cast(const CastCall& call) noexcept {
  const std::size_t size = size_of(call.pairs, call.count);
  if (size == 0) return;
  const bool streaming = worth_streaming(bytes_of(call));
  const ListedPair& first = call.pairs[0];
  const auto kernel =
      kernels().cast[static_cast<int>(first.from.dtype)].to[static_cast<int>(first.to.dtype)];
  parallel_for(
      size, kBlock, kLeastPerThread,
      [&call, streaming](std::size_t begin, std::size_t end) {
        Converter convert(call);
        for_each_part(call.pairs, call.count, begin, end,
                      [&](const ListedPair& pair, std::size_t from, std::size_t to) {
                        const bool contiguous = !pair.from.walk && !pair.to.walk;
                        const auto range = !contiguous ? cast_blocks
                                           : streaming ? cast_streaming
                                                       : cast_beside;
                        range(convert, pair, from, to);
                      });
      },
      work_of(kernel, call.stochastic + 2 * streaming));
}

}  // namespace bridle
