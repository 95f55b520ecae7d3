// What one instruction set offers: the table of its kernels, filled by kernels.cpp.
// Kernels see contiguous memory and one thread; layouts, threads and stores belong to the rest of
// the core.
#pragma once

#include <bridle/ops.hpp>
#include <bridle/types.hpp>

namespace bridle {

using MapKernel = void (*)(void* const* operand, std::size_t size);
using ReduceKernel = void (*)(const void* x, std::size_t size, double* sums);
using ReduceColumnsKernel = void (*)(const void* x, std::ptrdiff_t row_stride, std::size_t size,
                                     std::size_t columns, double* sums);
using MaskKernel = void (*)(const void* x, void* out, const MaskCall& call);
using StreamKernel = void (*)(const void* from, void* to, std::size_t bytes);
using MaskBytesKernel = void (*)(std::uint8_t* keep, const MaskCall& call);

struct MapKernels {
  MapKernel scalar;  // every parameter is one number
  MapKernel arrays;  // every parameter is an array
};

struct KernelTable {
  MapKernels map[MapOps::size][kDTypes];
  ReduceKernel reduce[ReduceOps::size][kDTypes];
  ReduceColumnsKernel reduce_columns[ReduceOps::size][kDTypes];
  MaskKernel dropout[kDTypes];
  MaskBytesKernel mask_bytes;
  MaskBytesKernel mask_bits;
  StreamKernel stream;
};

}  // namespace bridle
