#include <bridle/loops/map.hpp>

#include "tables.hpp"

namespace bridle::inline BRIDLE_ISA {
namespace {

template <template <class> class Op, class S>
constexpr MapKernels kernels_of = {map_kernel<Op, S, false>, map_kernel<Op, S, (kParams<Op> > 0)>,
                                   prepare_kernel<Op, S>, kLeastPrepared<Op<Compute<S>>>};

template <template <class> class Op, class T>
constexpr MapKernels complex_kernels_of = [] {
  if constexpr (kTakesComplex<Op>) {
    return kernels_of<Op, Complex<T>>;
  } else {
    return MapKernels{};
  }
}();

template <template <class> class... Op>
constexpr MapTable make_table(MapList<Op...>) {
  return {
      {{kernels_of<Op, Float16>, kernels_of<Op, BFloat16>, kernels_of<Op, float>,
        kernels_of<Op, double>, complex_kernels_of<Op, float>, complex_kernels_of<Op, double>}...}};
}

}  // namespace

extern const MapTable map_table = make_table(MapOps{});

}  // namespace bridle::inline BRIDLE_ISA
