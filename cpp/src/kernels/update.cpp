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

template <template <class> class Op, class T>
constexpr StepSizesKernel step_sizes_of() {
  if constexpr (Op<T>::adaptive) {
    return step_sizes_kernel<Op, T>;
  } else {
    return nullptr;
  }
}

template <template <class> class... Op>
constexpr UpdateTable make_table(UpdateList<Op...>) {
  UpdateTable table = {};
  int i = 0;
  ((fill_sizes<Op, float>(table.of[i][0]), fill_sizes<Op, double>(table.of[i][1]),
    table.step_sizes[i][0] = step_sizes_of<Op, float>(),
    table.step_sizes[i][1] = step_sizes_of<Op, double>(), ++i),
   ...);
  return table;
}

}  // namespace

extern const UpdateTable update_table = make_table(UpdateOps{});

}  // namespace bridle::inline BRIDLE_ISA
