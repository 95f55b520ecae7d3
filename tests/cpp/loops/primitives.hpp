// What kernels are made of and the tables do not show, once for each instruction set.
#pragma once

#include <bridle/types.hpp>
#include <cstddef>
#include <cstdint>

namespace bridle::test {

struct Primitives {
  void (*widen_half)(const Float16* x, float* wide, std::size_t size);
  void (*narrow_half)(const float* wide, Float16* out, std::size_t size);
  void (*widen_bfloat16)(const BFloat16* x, float* wide, std::size_t size);
  void (*narrow_bfloat16)(const float* wide, BFloat16* out, std::size_t size);
  // Writes the draws of `superblocks` superblocks.
  void (*draw)(RandomKey key, std::uint32_t domain, std::uint64_t superblock, std::uint16_t* draws);
  std::size_t superblocks;
};

// Those of the i-th instruction set, in the order of instruction_set().
const Primitives& primitives(int i);

}  // namespace bridle::test
