// How numbers become those of a half type.
#pragma once

#include <bridle/c_arrays.h>

#include <cstdint>

namespace bridle {

// To the nearest number, and of two to the even one; or at random to one of the two numbers beside
// it, so that the mean is exact.
class Rounding {
 public:
  constexpr Rounding() = default;  // to nearest

  // A stream is an independent sequence of random bits, and each step needs one of its own: its
  // number, say. Elements take the bits with the indices offset, offset + 1, … of it.
  static constexpr Rounding stochastic(std::uint64_t seed, std::uint64_t stream,
                                       std::uint64_t offset = 0) {
    Rounding rounding;
    rounding.is_stochastic_ = true;
    rounding.bits_ = {seed, stream, offset};
    return rounding;
  }

  // Null: to nearest.
  constexpr const bridle_random_bits* random_bits() const {
    return is_stochastic_ ? &bits_ : nullptr;
  }

 private:
  bool is_stochastic_ = false;
  bridle_random_bits bits_ = {0, 0, 0};
};

}  // namespace bridle
