#include <array>
#include <cstring>

#include "core.hpp"
#include "dispatch.hpp"
#include "noise_reader.hpp"
#include "streaming.hpp"
#include "strided.hpp"
#include "threads/parallel.hpp"

namespace bridle {
namespace {

// Drawing costs more than the arithmetic of a map: a second thread pays earlier.
constexpr std::size_t kLeastPerThread = 16 * 1024;
constexpr std::size_t kStreamed = 2048;  // bytes at a time; twice as many took a third longer
static_assert(kNoiseBlock * sizeof(double) <= StreamWriter::kPiece);

// A block of elements in contiguous memory, gathered or to be scattered where it is not in place.
class Block {
 public:
  Block(char* data, const Walk& walk, std::size_t item)
      : data_(data), walk_(walk), item_(item), in_place_(walk.is_row(step())) {}

  bool in_place() const { return in_place_; }
  char* at(std::size_t begin) { return in_place_ ? data_ + begin * item_ : buffer_; }

  const char* gathered(std::size_t begin, std::size_t size) {
    if (!in_place_) {
      char* to = buffer_;
      walk_.for_each_row(begin, size,
                         [&](std::ptrdiff_t offset, std::ptrdiff_t stride, std::size_t count) {
                           gather({data_ + offset, stride}, item_, count, to);
                           to += count * item_;
                         });
    }
    return at(begin);
  }

  void scattered(std::size_t begin, std::size_t size) {
    if (in_place_) return;
    const char* from = buffer_;
    walk_.for_each_row(begin, size,
                       [&](std::ptrdiff_t offset, std::ptrdiff_t stride, std::size_t count) {
                         scatter(from, item_, count, {data_ + offset, stride});
                         from += count * item_;
                       });
  }

 private:
  std::ptrdiff_t step() const { return static_cast<std::ptrdiff_t>(item_); }

  char* data_;
  const Walk& walk_;
  std::size_t item_;
  bool in_place_;
  alignas(kLine) char buffer_[kNoiseBlock * sizeof(double)];
};

template <class Value>
void apply_range(const NoiseCall& call, bool streaming, std::size_t begin, std::size_t end) {
  const std::size_t item = item_size(call.dtype);
  const NoiseKernel kernel = kernels().noise[call.op][static_cast<int>(call.dtype)];
  NoiseArguments arguments;
  std::copy_n(call.members, kMaxMembers, arguments.members);
  arguments.limit = draw_limit(call.noise);
  NoiseReader<Value> noise(call.noise, item);
  Block x(call.x, call.x_walk, item), out(call.out, call.out_walk, item);
  StreamWriter writer(out.at(begin));
  for (std::size_t i = begin; i < end;) {
    std::size_t size = std::min(kNoiseBlock, end - i);
    const Value* const values = call.identity ? nullptr : noise.read(i, size, x.at(i));
    const char* const from = x.gathered(i, size);
    const auto write = [&](std::size_t done, std::size_t count, void* to) {
      if (call.identity) {
        std::memcpy(to, from + done * item, count * item);
      } else {
        kernel(from + done * item, to, values + done, arguments, count);
      }
    };
    if (streaming) {
      for (std::size_t done = 0, count; done < size; done += count) {
        count = writer.best_size(std::min((size - done) * item, kStreamed)) / item;
        write(done, count, writer.next());
        writer.commit(count * item);
      }
    } else {
      write(0, size, out.at(i));
      out.scattered(i, size);
    }
    i += size;
  }
  if (streaming) writer.flush();
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
      kernels().mask_bytes(draws, limit, keep + done, count);
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
  const bool streaming = call.output == Output::reused && call.x != call.out &&
                         call.x_walk.is_row(step) && call.out_walk.is_row(step) &&
                         worth_streaming(2 * call.size * item);
  const auto range =
      decides[static_cast<std::size_t>(call.op)] ? apply_range<std::uint16_t> : apply_range<float>;
  parallel_for(call.size, kDraws, kLeastPerThread,
               [&](std::size_t begin, std::size_t end) { range(call, streaming, begin, end); });
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
                                  kernels().pack_bits(decisions, count, bits + i / 8);
                                });
  });
}

}  // namespace bridle
