// The noise of an array in C order, made block by block as it is read.
#pragma once

#include <algorithm>
#include <cstring>
#include <type_traits>

#include "core.hpp"
#include "dispatch.hpp"

namespace bridle {

inline constexpr std::uint64_t kKeepAll = std::uint64_t{1} << 32;  // a threshold
inline constexpr std::uint16_t kKept = 0, kDropped = 0xffff;       // draws, whatever the limit

// The least draw that is dropped.
inline std::uint16_t draw_limit(const NoiseSource& source) {
  const std::uint64_t high = source.draws.threshold >> 16;
  const bool settled = source.from != NoiseFrom::draws || high == 0 || high > 0xffff;
  return settled ? 1 : static_cast<std::uint16_t>(high);
}

// The random numbers that were made last: rows shorter than a block, or elements that share one, do
// not draw again.
template <class Value>
class HeldNumbers {
 public:
  // The numbers from this index on; `size` is lowered to how many lie there. make(superblock,
  // numbers) makes those of a superblock and more.
  template <class Make>
  const Value* at(std::uint64_t index, std::size_t& size, const Make& make) noexcept {
    const std::uint64_t superblock = index / kDraws;
    if (superblock - held_ >= kernels().noise.drawn / kDraws) {
      held_ = superblock;
      make(superblock, numbers_);
    }
    const std::size_t at = index - held_ * kDraws;
    size = std::min(size, kernels().noise.drawn - at);
    return numbers_ + at;
  }

 private:
  std::uint64_t held_ = std::uint64_t{1} << 62;  // the first superblock; at first none
  alignas(kLine) Value numbers_[kNoiseBlock];
};

// Reads decisions, as draws (Value = std::uint16_t), standard normal deviates (float) or uniform
// 32-bit numbers (std::uint32_t).
template <class Value>
class NoiseReader {
 public:
  // The source must outlive the reader. `item` is the size of the elements that the noise is for.
  explicit NoiseReader(const NoiseSource& source, std::size_t item = 0) noexcept
      : source_(source), drawn_(kernels().noise.drawn * item) {
    if constexpr (std::is_same_v<Value, std::uint16_t>) {
      const bool draws = source.from == NoiseFrom::draws;
      const bool all =
          source.from == NoiseFrom::none || (draws && source.draws.threshold == kKeepAll);
      constant_ = all || (draws && source.draws.threshold == 0);
      if (constant_) std::fill_n(row_, kNoiseBlock, all ? kKept : kDropped);
    }
  }

  // The noise of elements begin … begin + size, at most kNoiseBlock of them. `size` is lowered to
  // what lies at the result, at least 1. from and to point to the elements themselves: while random
  // numbers are made, what follows these is fetched, so that it is there when it is their turn.
  const Value* read(std::size_t begin, std::size_t& size, const char* from = nullptr,
                    const char* to = nullptr) noexcept {
    soon_ = {};
    if (from) soon_ = {from + drawn_, to && to != from ? to + drawn_ : nullptr, drawn_};
    if (constant_) return row_;
    if (source_.where.is_row(1)) return numbers_at(begin, size);
    Value* row = row_;
    source_.where.for_each_row(
        begin, size, [&](std::ptrdiff_t offset, std::ptrdiff_t stride, std::size_t count) {
          copy_row(static_cast<std::size_t>(offset), static_cast<std::size_t>(stride), count, row);
          row += count;
        });
    return row_;
  }

 private:
  void copy_row(std::size_t offset, std::size_t stride, std::size_t count, Value* to) noexcept {
    std::size_t one = 1;
    if (stride == 0) {
      std::fill_n(to, count, *numbers_at(offset, one));
    } else if (stride == 1) {
      for (std::size_t done = 0; done < count;) {
        std::size_t size = count - done;
        const Value* const from = numbers_at(offset + done, size);
        std::copy_n(from, size, to + done);
        done += size;
      }
    } else {
      for (std::size_t i = 0; i < count; ++i) to[i] = *numbers_at(offset + i * stride, one);
    }
  }

  // The numbers from the given one on; `size` is lowered to how many lie there.
  const Value* numbers_at(std::size_t number, std::size_t& size) noexcept {
    return numbers_.at(source_.index + number, size,
                       [this](std::uint64_t superblock, Value* to) { make(superblock, to); });
  }

  void make(std::uint64_t superblock, Value* to) const noexcept {
    if constexpr (std::is_same_v<Value, float>) {
      kernels().noise.draw_normals(source_.draws, superblock, to, soon_);
    } else if constexpr (std::is_same_v<Value, std::uint32_t>) {
      kernels().noise.draw_uniforms(source_.draws, superblock, to, soon_);
    } else if (source_.from == NoiseFrom::draws) {
      kernels().noise.draw_decisions(source_.draws, superblock, to, soon_);
    } else {
      const std::size_t first = superblock * kDraws;
      kernels().noise.unpack_bits(source_.bits + first / 8,
                                  std::min(kernels().noise.drawn, source_.bit_count - first), to,
                                  soon_);
    }
  }

  const NoiseSource& source_;
  std::size_t drawn_;  // bytes of the elements for which numbers are made at once
  Soon soon_{};
  bool constant_ = false;  // all elements are kept, or none, without a draw
  HeldNumbers<Value> numbers_;
  alignas(kLine) Value row_[kNoiseBlock];
};

}  // namespace bridle
