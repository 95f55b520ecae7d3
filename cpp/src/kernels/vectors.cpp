#include <bridle/loops/vectors.hpp>

#include "tables.hpp"

namespace bridle::inline BRIDLE_ISA {
namespace {

template <class T>
constexpr VectorKernels kernels_of = {inner_product_kernel<T>,    subtract_kernel<T>,
                                      differences_kernel<T>,      total_variation_kernel<T>,
                                      total_variation_scratch<T>, slope_kernel<T>,
                                      slope_terms_kernel<T>,      slope_scratch<T>};

}  // namespace

extern const VectorTable vector_table = {{largest_kernel<Float16>, largest_kernel<BFloat16>,
                                          largest_kernel<float>, largest_kernel<double>},
                                         {kernels_of<float>, kernels_of<double>}};

}  // namespace bridle::inline BRIDLE_ISA
