// Compiled once per instruction set, with BRIDLE_ISA naming the namespace: every loop for every
// element type.
#include "kernels.hpp"

#include <bridle/loops/count.hpp>
#include <bridle/loops/map.hpp>
#include <bridle/loops/noise.hpp>
#include <bridle/loops/reduce.hpp>
#include <bridle/loops/stream.hpp>
#include <bridle/loops/update.hpp>

namespace bridle::inline BRIDLE_ISA {
namespace {

template <template <class> class Op, class S>
constexpr MapKernels map_kernels = {map_kernel<Op, S, false>, map_kernel<Op, S, true>};

template <template <class> class... Op>
constexpr void fill(KernelTable& table, MapList<Op...>) {
  int i = 0;
  ((table.map[i][0] = map_kernels<Op, Float16>, table.map[i][1] = map_kernels<Op, BFloat16>,
    table.map[i][2] = map_kernels<Op, float>, table.map[i][3] = map_kernels<Op, double>, ++i),
   ...);
}

template <class... Op>
constexpr void fill(KernelTable& table, ReduceList<Op...>) {
  int i = 0;
  ((table.reduce[i][0] = reduce_kernel<Op, Float16>,
    table.reduce[i][1] = reduce_kernel<Op, BFloat16>, table.reduce[i][2] = reduce_kernel<Op, float>,
    table.reduce[i][3] = reduce_kernel<Op, double>, ++i),
   ...);
  i = 0;
  ((table.reduce_columns[i][0] = reduce_columns_kernel<Op, Float16>,
    table.reduce_columns[i][1] = reduce_columns_kernel<Op, BFloat16>,
    table.reduce_columns[i][2] = reduce_columns_kernel<Op, float>,
    table.reduce_columns[i][3] = reduce_columns_kernel<Op, double>, ++i),
   ...);
}

template <template <class> class... Op>
constexpr void fill(KernelTable& table, NoiseList<Op...>) {
  int i = 0;
  ((table.noise[i][0] = noise_kernel<Op, Float16>, table.noise[i][1] = noise_kernel<Op, BFloat16>,
    table.noise[i][2] = noise_kernel<Op, float>, table.noise[i][3] = noise_kernel<Op, double>, ++i),
   ...);
}

template <class S>
constexpr HalfKernels half_kernels = {widen_kernel<S>, narrow_kernel<S>, narrow_randomly_kernel<S>};

template <template <class> class Op, class T, bool kOwnSize>
constexpr void fill_kinds(UpdateKernel (&kernels)[kUpdateKinds]) {
  constexpr bool adaptive = kOwnSize && Op<T>::adaptive;
  kernels[0] = update_kernel<Op, T, UpdateKind::plain, false>;
  kernels[1] = update_kernel<Op, T, UpdateKind::sparse, adaptive>;
  kernels[2] = update_kernel<Op, T, UpdateKind::elastic, adaptive>;
  kernels[3] = update_kernel<Op, T, UpdateKind::full, adaptive>;
}

template <template <class> class Op, class T>
constexpr void fill_sizes(UpdateKernel (&kernels)[2][kUpdateKinds]) {
  fill_kinds<Op, T, false>(kernels[0]);
  fill_kinds<Op, T, true>(kernels[1]);
}

template <template <class> class... Op>
constexpr void fill(KernelTable& table, UpdateList<Op...>) {
  int i = 0;
  ((fill_sizes<Op, float>(table.update[i][0]), fill_sizes<Op, double>(table.update[i][1]), ++i),
   ...);
}

constexpr KernelTable make_table() {
  KernelTable table = {};
  fill(table, MapOps{});
  fill(table, ReduceOps{});
  table.fold_lanes = fold_lanes;
  fill(table, NoiseOps{});
  table.drawn = kDrawn;
  table.draw_decisions = draw_decisions_kernel;
  table.draw_normals = draw_normals_kernel;
  table.mask_bytes = mask_bytes_kernel;
  table.pack_bits = pack_bits;
  table.unpack_bits = unpack_bits_kernel;
  table.draw_uniforms = draw_uniforms_kernel;
  fill(table, UpdateOps{});
  table.half[0] = half_kernels<Float16>;
  table.half[1] = half_kernels<BFloat16>;
  table.count[0] = count_kernel<Float16>;
  table.count[1] = count_kernel<BFloat16>;
  table.count[2] = count_kernel<float>;
  table.count[3] = count_kernel<double>;
  table.stream = stream_kernel;
  return table;
}

}  // namespace

extern const KernelTable kernel_table = make_table();

}  // namespace bridle::inline BRIDLE_ISA
