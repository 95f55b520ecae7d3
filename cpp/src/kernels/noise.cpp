#include <bridle/loops/noise.hpp>

#include "tables.hpp"

namespace bridle::inline BRIDLE_ISA {
namespace {

template <template <class> class... Op>
constexpr NoiseTable make_table(NoiseList<Op...>) {
  return {{{noise_kernel<Op, Float16>, noise_kernel<Op, BFloat16>, noise_kernel<Op, float>,
            noise_kernel<Op, double>}...},
          kDrawn,
          draw_decisions_kernel,
          draw_normals_kernel,
          mask_bytes_kernel,
          pack_bits,
          unpack_bits_kernel,
          draw_high_halves_kernel,
          draw_uniforms_kernel};
}

}  // namespace

extern const NoiseTable noise_table = make_table(NoiseOps{});

}  // namespace bridle::inline BRIDLE_ISA
