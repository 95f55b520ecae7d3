#include <algorithm>
#include <cstring>

#include "core.hpp"
#include "dispatch.hpp"
#include "parallel.hpp"
#include "streaming.hpp"
#include "strided.hpp"

namespace bridle {
namespace {

// Drawing costs more than the arithmetic of a map: a second thread pays earlier.
constexpr std::size_t kLeastPerThread = 16 * 1024;
constexpr std::uint64_t kCertain = std::uint64_t{1}
                                   << 32;  // the threshold that keeps every element
// Elements staged at a time: the superblocks that a kernel may draw at once (see loops/chacha.hpp).
constexpr std::size_t kPiece = 2 * kDraws;
static_assert(kPiece * sizeof(double) <= StreamWriter::kPiece);

MaskCall part_of(const MaskCall& call, std::size_t begin, std::size_t end) {
  MaskCall part = call;
  part.index = call.index + begin;
  part.size = end - begin;
  return part;
}

struct DropoutPlan {
  MaskKernel kernel;
  Operand x, out;
  std::size_t item;
  bool staged, streaming;
};

void run_staged(const DropoutPlan& plan, const MaskCall& call, std::size_t begin, std::size_t end) {
  alignas(64) char x_block[kPiece * sizeof(double)];
  alignas(64) char out_block[kPiece * sizeof(double)];
  StreamWriter writer(at(plan.out, begin));
  for (std::size_t i = begin; i < end;) {
    const std::size_t whole = kPiece - (call.index + i) % kDraws;  // up to the end of a superblock
    const std::size_t size = std::min(whole, end - i);
    void* const to = plan.streaming ? writer.next() : out_block;
    plan.kernel(contiguous(plan.x, plan.item, i, size, x_block), to, part_of(call, i, i + size));
    if (plan.streaming) {
      writer.commit(size * plan.item);
    } else {
      scatter(out_block, plan.item, size, {at(plan.out, i), plan.out.stride});
    }
    i += size;
  }
  if (plan.streaming) writer.flush();
}

// p = 0 and p = 1 draw nothing: all elements are kept, bit for bit, or all become +0.0.
void run_certain(const DropoutPlan& plan, bool keep, std::size_t begin, std::size_t end) {
  if (keep && plan.x.data == plan.out.data && plan.x.stride == plan.out.stride) return;
  alignas(64) char block[kDraws * sizeof(double)] = {};
  for (std::size_t i = begin; i < end; i += kDraws) {
    const std::size_t size = std::min(kDraws, end - i);
    const void* from = keep ? contiguous(plan.x, plan.item, i, size, block) : block;
    scatter(from, plan.item, size, {at(plan.out, i), plan.out.stride});
  }
}

}  // namespace

void dropout(DType dtype, Operand x, Operand out, const MaskCall& call, Output output) noexcept {
  const std::size_t item = item_size(dtype);
  const bool contiguous_both = is_contiguous(x, item) && is_contiguous(out, item);
  const bool streaming = contiguous_both && output == Output::reused && x.data != out.data &&
                         worth_streaming(2 * call.size * item);
  const DropoutPlan plan{kernels().dropout[static_cast<int>(dtype)],
                         x,
                         out,
                         item,
                         streaming || !contiguous_both,
                         streaming};
  parallel_for(call.size, kDraws, kLeastPerThread, [&](std::size_t begin, std::size_t end) {
    if (call.threshold == 0 || call.threshold == kCertain) {
      run_certain(plan, call.threshold != 0, begin, end);
    } else if (plan.staged) {
      run_staged(plan, call, begin, end);
    } else {
      plan.kernel(at(x, begin), at(out, begin), part_of(call, begin, end));
    }
  });
}

void dropout_mask(std::uint8_t* keep, const MaskCall& call) noexcept {
  parallel_for(call.size, kDraws, kLeastPerThread, [&](std::size_t begin, std::size_t end) {
    if (call.threshold == 0 || call.threshold == kCertain) {
      std::memset(keep + begin, call.threshold != 0, end - begin);
    } else {
      kernels().mask_bytes(keep + begin, part_of(call, begin, end));
    }
  });
}

void dropout_mask_packed(std::uint8_t* bits, const MaskCall& call) noexcept {
  parallel_for(call.size, kDraws, kLeastPerThread, [&](std::size_t begin, std::size_t end) {
    std::uint8_t* const to = bits + begin / 8;
    if (call.threshold == 0 || call.threshold == kCertain) {
      std::memset(to, call.threshold ? 0xff : 0, (end - begin + 7) / 8);
      if (call.threshold && end % 8) bits[end / 8] = static_cast<std::uint8_t>((1u << end % 8) - 1);
    } else {
      kernels().mask_bits(to, part_of(call, begin, end));
    }
  });
}

}  // namespace bridle
