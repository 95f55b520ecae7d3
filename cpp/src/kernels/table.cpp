// The table of an instruction set: what the other units have, conversions, counts and stores.
#include <bridle/loops/cast.hpp>
#include <bridle/loops/count.hpp>
#include <bridle/loops/half.hpp>
#include <bridle/loops/stream.hpp>

#include "tables.hpp"

namespace bridle::inline BRIDLE_ISA {
namespace {

template <class S>
constexpr HalfKernels half_kernels = {
    widen_kernel<S>,
    narrow_kernel<S, false>,
    narrow_kernel<S, true>,
    narrow_randomly_kernel<S>,
    {round_randomly_kernel<float, S>, round_randomly_kernel<double, S>}};

template <class From, class To>
constexpr auto cast_between = cast_kernel<From, To>;
template <class S>
constexpr auto cast_between<S, S> = copy_elements<sizeof(S)>;
template <class S>
constexpr CastKernels casts_from = {{cast_between<S, Float16>, cast_between<S, BFloat16>,
                                     cast_between<S, float>, cast_between<S, double>}};

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
    list_table,
    {half_kernels<Float16>, half_kernels<BFloat16>},
    {casts_from<Float16>, casts_from<BFloat16>, casts_from<float>, casts_from<double>},
    {count_kernel<Float16>, count_kernel<BFloat16>, count_kernel<float>, count_kernel<double>},
    stream_kernel};

}  // namespace bridle::inline BRIDLE_ISA
