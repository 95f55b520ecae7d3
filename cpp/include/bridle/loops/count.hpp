// Counting elements that are zero, and telling whether all are finite.
#pragma once

#include <bridle/loops/reduce.hpp>
#include <bridle/loops/storage.hpp>
#include <bridle/loops/vector.hpp>
#include <cstddef>

namespace bridle::inline BRIDLE_ISA {

// Of one chunk, gathered row by row of kLanes elements.
template <class S>
class ChunkCounts {
 public:
  void add_row(const S* x) {
    for (std::size_t v = 0; v < kLanes; v += kWidth) {
      const Lanes magnitude = load<Lanes>(x + v) & kMagnitude;
      zeros_ -= (Lanes)(magnitude == 0);
      signs_ |= magnitude + kUpToSign;
    }
  }

  // Zeros that a padded row was filled up with.
  void take_away(std::size_t padding) { padding_ += padding; }

  // Of the `size` elements added: counts[0] += those that are not zero; counts[1] += 1 if one is
  // not finite.
  void finish(std::size_t size, double* counts) const {
    Bits zeros = 0, signs = 0;
    for (std::size_t k = 0; k < kWidth; ++k) {
      zeros = static_cast<Bits>(zeros + zeros_[k]);
      signs = static_cast<Bits>(signs | signs_[k]);
    }
    counts[0] += static_cast<double>(size + padding_) - static_cast<double>(zeros);
    counts[1] += signs > kMagnitude ? 1 : 0;
  }

 private:
  using Bits = UnsignedOf<S>;
  static constexpr std::size_t kWidth =
      VectorOf<Bits>::size < kLanes ? VectorOf<Bits>::size : kLanes;
  using Lanes = Vector<Bits, kWidth>;
  static constexpr Bits kMagnitude = static_cast<Bits>(~Bits(0)) >> 1;  // all bits but the sign
  // Takes the magnitude of infinity and NaN, and of nothing else, up to the sign's bit.
  static constexpr Bits kUpToSign = static_cast<Bits>(kMagnitude + 1 - infinity_bits<S>());

  Lanes zeros_ = {}, signs_ = {};
  std::size_t padding_ = 0;
};

template <class S>
void count_kernel(const void* x, std::size_t size, double* counts) {
  const S* const from = static_cast<const S*>(x);
  ChunkCounts<S> chunk;
  for_each_row_of_lanes(
      from, size, 0, [&](const S* row) { chunk.add_row(row); },
      [&](const S* padded, std::size_t count) {
        chunk.add_row(padded);
        chunk.take_away(kLanes - count);
      });
  chunk.finish(size, counts);
}

}  // namespace bridle::inline BRIDLE_ISA
