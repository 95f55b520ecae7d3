#include <bridle/loops/combine.hpp>
#include <bridle/loops/norm.hpp>

#include "tables.hpp"

namespace bridle::inline BRIDLE_ISA {
namespace {

template <template <class> class Op>
constexpr CombineKernels kernels_of = {{combine_kernel<Op, Float16>, combine_kernel<Op, BFloat16>,
                                        combine_kernel<Op, float>, combine_kernel<Op, double>}};
constexpr CombineKernels scale_kernels = {
    {scale_kernel<Float16>, scale_kernel<BFloat16>, scale_kernel<float>, scale_kernel<double>}};

}  // namespace

extern const ListTable list_table = {
    {norm_kernel<Float16>, norm_kernel<BFloat16>, norm_kernel<float>, norm_kernel<double>},
    {kernels_of<ops::accumulate>, kernels_of<ops::average>, scale_kernels}};

}  // namespace bridle::inline BRIDLE_ISA
