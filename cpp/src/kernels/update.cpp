#include <bridle/loops/update.hpp>

#include "tables.hpp"

namespace bridle::inline BRIDLE_ISA {
namespace {

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
constexpr UpdateTable make_table(UpdateList<Op...>) {
  UpdateTable table = {};
  int i = 0;
  ((fill_sizes<Op, float>(table.of[i][0]), fill_sizes<Op, double>(table.of[i][1]), ++i), ...);
  return table;
}

}  // namespace

extern const UpdateTable update_table = make_table(UpdateOps{});

}  // namespace bridle::inline BRIDLE_ISA
