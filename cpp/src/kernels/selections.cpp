#include <bridle/loops/select.hpp>

#include "tables.hpp"

namespace bridle::inline BRIDLE_ISA {
namespace {

template <class S>
constexpr SelectKernels kernels_of = {digits_kernel<S>, ties_kernel<S>, keep_kernel<S>,
                                      keep_largest_kernel<S>, n_of_m_kernel<S>};

}  // namespace

extern const SelectTable select_table = {
    {kernels_of<Float16>, kernels_of<BFloat16>, kernels_of<float>, kernels_of<double>}};

}  // namespace bridle::inline BRIDLE_ISA
