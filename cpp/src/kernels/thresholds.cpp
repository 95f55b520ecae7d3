#include <bridle/loops/threshold.hpp>
#include <bridle/loops/weighted_threshold.hpp>

#include "tables.hpp"

namespace bridle::inline BRIDLE_ISA {
namespace {

template <class S, bool kMagnitude>
constexpr ThresholdKernels kernels_of = {short_threshold_kernel<S, kMagnitude>,
                                         excess_kernel<S, kMagnitude>, part_kernel<S, kMagnitude>,
                                         add_exactly<S, kMagnitude>, cut_kernel<S, kMagnitude>};

template <class T>
constexpr WeightedKernels weighted_of = {
    weighted_extent_kernel<T>, {weighted_excess_kernel<T, false>, weighted_excess_kernel<T, true>},
    keep_weighted<T>,          find_foremost<T>,
    find_heaviest<T>,          {cut_weighted_kernel<T, false>, cut_weighted_kernel<T, true>}};

}  // namespace

static_assert(static_cast<int>(Measure::magnitude) == 0 && static_cast<int>(Measure::value) == 1);

extern const ThresholdTable threshold_table = {
    {{kernels_of<Float16, true>, kernels_of<BFloat16, true>, kernels_of<float, true>,
      kernels_of<double, true>},
     {kernels_of<Float16, false>, kernels_of<BFloat16, false>, kernels_of<float, false>,
      kernels_of<double, false>}},
    {weighted_of<float>, weighted_of<double>}};

}  // namespace bridle::inline BRIDLE_ISA
