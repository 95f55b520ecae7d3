// Compiled once per instruction set, like the kernels.
#include "primitives.hpp"

#include <bridle/loops/chacha.hpp>
#include <bridle/loops/half.hpp>
#include <bridle/loops/slope.hpp>
#include <bridle/loops/total_variation.hpp>

namespace bridle::inline BRIDLE_ISA {
namespace {

void widen_half(const Float16* x, float* wide, std::size_t size) { widen_block(x, wide, size); }
void widen_bfloat16(const BFloat16* x, float* wide, std::size_t size) {
  widen_block(x, wide, size);
}
void narrow_half(const float* wide, Float16* out, std::size_t size) {
  narrow_block(wide, out, size);
}
void narrow_bfloat16(const float* wide, BFloat16* out, std::size_t size) {
  for (std::size_t i = 0; i < size; ++i) narrow(wide[i], out[i]);
}

void draw(RandomKey key, std::uint32_t domain, std::uint64_t superblock, std::uint16_t* draws) {
  draw_superblocks(key, domain, superblock, draws);
}

template <class T>
constexpr test::VectorKernels<T> vector_kernels = {
    prox_total_variation<T>, total_variation_scratch<T>, prox_slope<T, double>, prox_slope<T, T>,
    slope_scratch<T>};

}  // namespace

extern const test::Primitives test_primitives = {
    widen_half, narrow_half,  widen_bfloat16,        narrow_bfloat16,
    draw,       kInterleaved, vector_kernels<float>, vector_kernels<double>};

}  // namespace bridle::inline BRIDLE_ISA
