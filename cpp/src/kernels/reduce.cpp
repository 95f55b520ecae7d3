#include <bridle/loops/reduce.hpp>

#include "tables.hpp"

namespace bridle::inline BRIDLE_ISA {
namespace {

template <class Op, class S>
constexpr ReduceKernels kernels_of = {reduce_kernel<Op, S>, reduce_columns_kernel<Op, S>,
                                      penalize_each_kernel<Op, S>};

template <class... Op>
constexpr ReduceTable make_table(ReduceList<Op...>) {
  return {fold_lanes,
          reduce_kernel<Total, double>,
          {{kernels_of<Op, Float16>, kernels_of<Op, BFloat16>, kernels_of<Op, float>,
            kernels_of<Op, double>}...}};
}

}  // namespace

extern const ReduceTable reduce_table = make_table(ReduceOps{});

}  // namespace bridle::inline BRIDLE_ISA
