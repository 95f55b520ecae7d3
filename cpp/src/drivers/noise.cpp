#include <array>
#include <cstring>

#include "core.hpp"
#include "dispatch.hpp"
#include "noise_reader.hpp"
#include "place.hpp"
#include "streaming.hpp"
#include "threads/parallel.hpp"

namespace bridle {
namespace {

// Drawing costs more than the arithmetic of a map: a second thread pays earlier.
constexpr std::size_t kLeastPerThread = 16 * 1024;
constexpr std::size_t kStreamed = 2048;  // bytes at a time; twice as many took a third longer
static_assert(kStreamed <= StreamWriter::kPiece);

template <class Value>
class NoiseRange {
 public:
  NoiseRange(const NoiseCall& call, bool streaming)
      : call_(call),
        item_(item_size(call.dtype)),
        kernel_(kernels().noise.of[call.op][static_cast<int>(call.dtype)]),
        noise_(call.noise, item_),
        x_(call.x, call.x_walk, item_),
        out_(call.out, call.out_walk, item_),
        streaming_(streaming) {
    std::copy_n(call.members, kMaxMembers, arguments_.members);
    arguments_.limit = draw_limit(call.noise);
  }

  void apply(std::size_t begin, std::size_t end) {
    if (streaming_) return apply_streaming(begin, end);
    while (begin < end) begin += apply_some(begin, std::min(kNoiseBlock, end - begin));
  }

 private:
  // The first elements of a block: those that lie beside each other, and have their noise there.
  std::size_t apply_some(std::size_t begin, std::size_t size) {
    alignas(kLine) char block[kNoiseBlock * sizeof(double)];
    const char* from = x_.own(begin, size);
    char* const to = out_.own(begin, size);
    const Value* const values = read(begin, size, from, to);
    if (!from) {
      x_.gather_to(block, begin, size);
      from = block;
    }
    write(from, to ? to : block, values, size);  // a block may become its own result
    if (!to) out_.scatter_from(block, begin, size);
    return size;
  }

  const Value* read(std::size_t begin, std::size_t& size, const char* from,
                    const char* to = nullptr) {
    return call_.identity ? nullptr : noise_.read(begin, size, from, to);
  }

  void write(const char* from, void* to, const Value* values, std::size_t size) const {
    if (!call_.identity) {
      kernel_(from, to, values, arguments_, size);
    } else if (from != to) {
      std::memcpy(to, from, size * item_);
    }
  }

  // Of contiguous arrays.
  void apply_streaming(std::size_t begin, std::size_t end) {
    StreamWriter writer(call_.out + begin * item_);
    while (begin < end) {
      std::size_t size = std::min(kNoiseBlock, end - begin);
      const char* const from = call_.x + begin * item_;
      const Value* const values = read(begin, size, from);
      for (std::size_t done = 0, count; done < size; done += count) {
        count = writer.best_size(std::min((size - done) * item_, kStreamed)) / item_;
        write(from + done * item_, writer.next(), values ? values + done : nullptr, count);
        writer.commit(count * item_);
      }
      begin += size;
    }
    writer.flush();
  }

  const NoiseCall& call_;
  std::size_t item_;
  NoiseKernel kernel_;
  NoiseArguments arguments_;
  NoiseReader<Value> noise_;
  Place x_, out_;
  bool streaming_;
};

template <class Value>
void apply_range(const NoiseCall& call, bool streaming, std::size_t begin, std::size_t end) {
  NoiseRange<Value>(call, streaming).apply(begin, end);
}

template <template <class> class... Op>
constexpr auto takes_decisions(NoiseList<Op...>) {
  return std::array{std::is_same_v<typename Op<float>::Noise, bool>...};
}

// Calls body(begin, size, keep) for blocks of decisions, one byte each; inner blocks are multiples
// of 8.
template <class Body>
void for_each_block_of_decisions(const NoiseSource& noise, std::size_t begin, std::size_t end,
                                 const Body& body) {
  const std::uint16_t limit = draw_limit(noise);
  NoiseReader<std::uint16_t> reader(noise);
  alignas(kLine) std::uint8_t keep[kNoiseBlock];
  for (std::size_t i = begin; i < end; i += kNoiseBlock) {
    const std::size_t size = std::min(kNoiseBlock, end - i);
    for (std::size_t done = 0; done < size;) {
      std::size_t count = size - done;
      const std::uint16_t* const draws = reader.read(i + done, count);
      kernels().noise.mask_bytes(draws, limit, keep + done, count);
      done += count;
    }
    body(i, size, keep);
  }
}

}  // namespace

void apply_noise(const NoiseCall& call) noexcept {
  if (call.identity && call.x == call.out) return;
  constexpr auto decides = takes_decisions(NoiseOps{});
  const std::size_t item = item_size(call.dtype);
  const auto step = static_cast<std::ptrdiff_t>(item);
  const bool together = call.x_walk.is_row(step) && call.out_walk.is_row(step);
  const bool fresh = call.output == Output::fresh, in_place = call.x == call.out;
  const bool streaming = together && !fresh && !in_place && worth_streaming(2 * call.size * item);
  const auto range =
      decides[static_cast<std::size_t>(call.op)] ? apply_range<std::uint16_t> : apply_range<float>;
  const NoiseKernel kernel = kernels().noise.of[call.op][static_cast<int>(call.dtype)];
  const int variant = static_cast<int>(call.noise.from) + 4 * call.identity + 8 * together +
                      16 * in_place + 32 * fresh;
  parallel_for(
      call.size, kDraws, kLeastPerThread,
      [&](std::size_t begin, std::size_t end) { range(call, streaming, begin, end); },
      work_of(kernel, variant));
}

void noise_mask(const NoiseSource& noise, std::size_t size, std::uint8_t* keep) noexcept {
  parallel_for(size, kDraws, kLeastPerThread, [&](std::size_t begin, std::size_t end) {
    for_each_block_of_decisions(noise, begin, end,
                                [&](std::size_t i, std::size_t count, std::uint8_t* decisions) {
                                  std::memcpy(keep + i, decisions, count);
                                });
  });
}

void noise_mask_packed(const NoiseSource& noise, std::size_t size, std::uint8_t* bits) noexcept {
  parallel_for(size, kDraws, kLeastPerThread, [&](std::size_t begin, std::size_t end) {
    for_each_block_of_decisions(noise, begin, end,
                                [&](std::size_t i, std::size_t count, std::uint8_t* decisions) {
                                  kernels().noise.pack_bits(decisions, count, bits + i / 8);
                                });
  });
}

}  // namespace bridle
