// The table of an instruction set: what the other units have, conversions, counts and stores.
#include <bridle/loops/count.hpp>
#include <bridle/loops/half.hpp>
#include <bridle/loops/stream.hpp>

#include "tables.hpp"

namespace bridle::inline BRIDLE_ISA {
namespace {

template <class S>
constexpr HalfKernels half_kernels = {widen_kernel<S>, narrow_kernel<S, false>,
                                      narrow_kernel<S, true>, narrow_randomly_kernel<S>};

}  // namespace

extern const KernelTable kernel_table = {
    map_table,
    reduce_table,
    slice_table,
    threshold_table,
    vector_table,
    select_table,
    noise_table,
    update_table,
    {half_kernels<Float16>, half_kernels<BFloat16>},
    {count_kernel<Float16>, count_kernel<BFloat16>, count_kernel<float>, count_kernel<double>},
    stream_kernel};

}  // namespace bridle::inline BRIDLE_ISA
