#include <bridle/loops/slices.hpp>

#include "tables.hpp"

namespace bridle::inline BRIDLE_ISA {
namespace {

template <class Op, class S>
constexpr SliceRowsKernel rows_of() {
  if constexpr (sizeof(S) == 2) {
    return nullptr;
  } else {
    return slice_rows_kernel<Op, S>;
  }
}

template <class Op, class S>
constexpr SliceKernels kernels_of = {
    slice_gather_kernel<Op, S>,         slice_apply_kernel<Op, S, false>,
    slice_apply_kernel<Op, S, true>,    rows_of<Op, S>(),
    slice_gather_columns_kernel<Op, S>, slice_apply_columns_kernel<Op, S>,
    label_gather_kernel<Op, S>,         label_apply_kernel<Op, S>};

template <class... Op>
constexpr SliceTable make_table(SliceList<Op...>) {
  return {slice_fold_columns_kernel,
          {{kernels_of<Op, Float16>, kernels_of<Op, BFloat16>, kernels_of<Op, float>,
            kernels_of<Op, double>}...}};
}

}  // namespace

extern const SliceTable slice_table = make_table(SliceElements{});

}  // namespace bridle::inline BRIDLE_ISA
