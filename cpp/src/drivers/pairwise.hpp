// Sums added level by level: s[2k] + s[2k+1], an odd last one moves up. The order depends on
// nothing but the position, so a subtree of a power of two of sums can be computed by itself, by
// any thread.
#pragma once

#include <cstddef>
#include <cstdint>

namespace bridle {

// Of 2⁵⁵ elements in chunks: a year's work.
inline constexpr std::size_t kSumLevels = 44;

// Adds up a sequence of vectors of `width` <= kWidth doubles, fewer than 2^kLevels, holding one a
// level.
template <std::size_t kWidth, std::size_t kLevels = kSumLevels>
class PairwiseSum {
 public:
  explicit PairwiseSum(std::size_t width) : width_(width) {}

  // Where the next vector is to be written before push() takes it.
  double* next() { return level_[depth_]; }

  void push() {
    ++depth_;
    for (std::uint64_t carry = count_++; carry & 1; carry >>= 1) merge();
  }

  // The sum of all vectors, zeros if there were none.
  void finish(double* sums) {
    while (depth_ > 1) merge();
    for (std::size_t i = 0; i < width_; ++i) sums[i] = depth_ ? level_[0][i] : 0.0;
  }

 private:
  void merge() {
    --depth_;
    for (std::size_t i = 0; i < width_; ++i) level_[depth_ - 1][i] += level_[depth_][i];
  }

  std::size_t width_;
  std::size_t depth_ = 0;
  std::uint64_t count_ = 0;
  double level_[kLevels][kWidth];
};

}  // namespace bridle
