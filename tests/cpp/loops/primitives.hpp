// What kernels are made of and the tables do not show, once for each instruction set.
#pragma once

#include <bridle/types.hpp>
#include <cstddef>
#include <cstdint>

namespace bridle::test {

// The kernels of whole vectors; the scratch memory is counted in bytes.
template <class T>
struct VectorKernels {
  void (*total_variation)(const T* x, std::size_t n, T threshold, T* out, void* scratch);
  std::size_t (*total_variation_scratch)(std::size_t n);
  void (*slope)(const T* x, std::size_t n, const double* strengths, double step, T* out,
                void* scratch);
  void (*slope_of_equal_types)(const T* x, std::size_t n, const T* strengths, double step, T* out,
                               void* scratch);
  std::size_t (*slope_scratch)(std::size_t n);
};

struct Primitives {
  void (*widen_half)(const Float16* x, float* wide, std::size_t size);
  void (*narrow_half)(const float* wide, Float16* out, std::size_t size);
  void (*widen_bfloat16)(const BFloat16* x, float* wide, std::size_t size);
  void (*narrow_bfloat16)(const float* wide, BFloat16* out, std::size_t size);
  // Writes the draws of `superblocks` superblocks.
  void (*draw)(RandomKey key, std::uint32_t domain, std::uint64_t superblock, std::uint16_t* draws);
  std::size_t superblocks;
  VectorKernels<float> floats;
  VectorKernels<double> doubles;
};

template <class T>
const VectorKernels<T>& vector_kernels(const Primitives& primitives) {
  if constexpr (sizeof(T) == sizeof(float)) {
    return primitives.floats;
  } else {
    return primitives.doubles;
  }
}

// Those of the i-th instruction set, in the order of instruction_set().
const Primitives& primitives(int i);

}  // namespace bridle::test
