// What one instruction set offers: the table of its kernels, filled by the units in kernels/.
// Kernels see contiguous memory and one thread; layouts, threads and stores belong to the rest of
// the core.
#pragma once

#include <bridle/ops.hpp>
#include <bridle/types.hpp>

namespace bridle {

using MapKernel = void (*)(void* const* operand, std::size_t size);
using ReduceKernel = void (*)(const void* x, const double* beside, const double* parameters,
                              std::size_t size, std::size_t lane, double* lanes);
using ReduceColumnsKernel = void (*)(const void* x, std::ptrdiff_t row_stride, const void* beside,
                                     std::ptrdiff_t beside_stride, const double* parameters,
                                     std::size_t size, std::size_t columns, double* sums);
using PenalizeEachKernel = void (*)(const void* x, const double* const* parameter, std::size_t size,
                                    double* costs);
using SliceGatherKernel = void (*)(const void* x, std::size_t size, std::size_t lane,
                                   const double* given, double scale, double* lanes);
using SliceApplyKernel = void (*)(const void* x, void* out, std::size_t size, const double* given,
                                  double number, double scale);
using SliceRowsKernel = std::size_t (*)(const SliceRows& rows, SliceFinish finish,
                                        const double* given);
using SliceGatherColumnsKernel = void (*)(const void* x, std::ptrdiff_t row_stride,
                                          std::size_t first, std::size_t size, std::size_t columns,
                                          const double* given, double* lanes, std::size_t width);
using SliceApplyColumnsKernel = void (*)(const void* x, std::ptrdiff_t x_stride, void* out,
                                         std::ptrdiff_t out_stride, std::size_t size,
                                         std::size_t columns, const double* given,
                                         const void* numbers, const bool* kept);
using NoiseKernel = void (*)(const void* x, void* out, const void* noise,
                             const NoiseArguments& arguments, std::size_t size);
using UpdateKernel = void (*)(const UpdateMemory& memory, const UpdateNumbers& numbers,
                              std::size_t size, ChunkState* chunk);
using StepSizesKernel = void (*)(const UpdateMemory& memory, const UpdateNumbers& numbers,
                                 std::size_t size, void* sizes);
using StreamKernel = void (*)(const void* from, void* to, std::size_t bytes);

struct MapKernels {
  MapKernel scalar;  // every parameter is one number, of which `prepare` made a functor
  MapKernel arrays;  // every parameter is an array
  void (*prepare)(void* const* parameter, void* functor);  // of kPreparedBytes
  std::size_t least_prepared;                              // elements; below, arrays are quicker
};

// Between a half type and float.
struct HalfKernels {
  void (*widen)(const void* x, float* wide, std::size_t size);
  void (*narrow)(const float* wide, void* out, std::size_t size);
  void (*narrow_as_is)(const float* wide, void* out, std::size_t size);  // −0.0 stays
  void (*narrow_randomly)(const float* wide, const std::uint16_t* u, void* out, std::size_t size);
  // Of float and double; −0.0 stays.
  void (*round_randomly[2])(const void* x, const std::uint32_t* u, void* out, std::size_t size);
};

// See loops/cast.hpp.
struct CastKernels {
  void (*to[kDTypes])(const void* x, void* out, std::size_t size);
};

struct MapTable {
  MapKernels of[MapOps::size][kMapDTypes];  // null: the operator takes no complex numbers
};

struct ReduceKernels {
  ReduceKernel vector;
  ReduceColumnsKernel columns;
  PenalizeEachKernel each;
};

struct ReduceTable {
  void (*fold_lanes)(double* lanes, std::size_t count, double* sums);
  ReduceKernel total;  // of doubles, as they are
  ReduceKernels of[ReduceOps::size][kDTypes];
};

// Of what operators of slices do with elements; see loops/slices.hpp.
struct SliceKernels {
  SliceGatherKernel gather;
  SliceApplyKernel apply, apply_wide;
  SliceRowsKernel rows;  // null for halves
  SliceGatherColumnsKernel gather_columns;
  SliceApplyColumnsKernel apply_columns;
  void (*gather_labels)(const void* x, const std::int64_t* labels, std::size_t size,
                        std::size_t groups, const double* given, double scale, double* sums);
  void (*apply_labels)(const void* x, void* out, const std::int64_t* labels, std::size_t size,
                       std::size_t groups, const double* given, const void* numbers);
};

struct SliceTable {
  void (*fold_columns)(double* lanes, std::size_t size, std::size_t width, double* sums);
  SliceKernels of[SliceElements::size][kDTypes];
};

// Of the search for a threshold; see loops/threshold.hpp.
struct ThresholdKernels {
  void (*of_short)(const void* x, std::size_t size, double radius, ThresholdFound* found);
  Excess (*excess)(const void* x, std::size_t size, const Threshold& threshold, double scale);
  std::size_t (*part)(const void* x, std::size_t size, const Parting& parting, void* between,
                      Parts* parts);
  void (*exact_sum)(const void* x, std::size_t size, double scale, Threshold* sum, bool* below);
  void (*cut)(const void* x, void* out, std::size_t size, const Threshold& threshold);
};

// See loops/weighted_threshold.hpp.
struct WeightedKernels {
  void (*extent)(const void* x, const double* weights, std::size_t size, WeightedExtent* extent);
  // Of cuts without and with a reference, as `cut`.
  WeightedExcess (*excess[2])(const void* x, const double* weights, std::size_t size,
                              const WeightedCut& cut);
  std::size_t (*keep)(const void* x, const double* weights, std::size_t size, double threshold,
                      WeightedScale scale, void* kept, double* kept_weights);
  void (*foremost)(const void* x, const double* weights, std::size_t size, WeightedScale scale,
                   WeightedReference* found);
  void (*heaviest)(const void* x, const double* weights, std::size_t size, const WeightedCut& cut,
                   WeightedReference* found);
  void (*cut[2])(const void* x, const double* weights, void* out, std::size_t size,
                 const WeightedCut& cut);
};

struct ThresholdTable {
  ThresholdKernels of[kMeasures][kDTypes];
  WeightedKernels weighted[2];  // of float and double
};

// Of operators that are given whole vectors; see loops/vectors.hpp.
struct VectorKernels {
  void (*inner_product)(const void* x, const double* normal, std::size_t size, double scale,
                        double normal_scale, double* sums);
  void (*subtract)(const void* x, const double* normal, double scale, void* out, std::size_t size,
                   double factor);
  void (*differences)(const void* x, std::size_t size, double* differences);
  void (*total_variation)(const void* x, std::size_t size, double threshold, void* out,
                          void* scratch);
  std::size_t (*total_variation_scratch)(std::size_t size);
  void (*slope)(const void* x, std::size_t size, const double* strengths, double step, void* out,
                void* scratch);
  void (*slope_terms)(const void* x, std::size_t size, const double* strengths, double* terms,
                      void* scratch);
  std::size_t (*slope_scratch)(std::size_t size);
};

struct VectorTable {
  double (*largest[kDTypes])(const void* x, std::size_t size);
  VectorKernels of[2];  // of float and double
};

// Of selections by magnitude; see loops/select.hpp.
struct SelectKernels {
  bool (*digits)(const void* x, std::size_t size, int shift, std::uint64_t prefix,
                 std::uint64_t* counts);
  std::size_t (*ties)(const void* x, std::size_t size, std::uint64_t key);
  std::size_t (*keep)(const void* x, void* out, std::size_t size, std::uint64_t key,
                      std::size_t ties);
  bool (*keep_largest)(const void* x, void* out, std::size_t size, std::size_t n);
  bool (*n_of_m)(const void* x, void* out, std::size_t size, std::size_t n, std::size_t m);
};

struct SelectTable {
  SelectKernels of[kDTypes];
};

struct NoiseTable {
  NoiseKernel of[NoiseOps::size][kDTypes];
  std::size_t drawn;  // random numbers that one call of these makes
  void (*draw_decisions)(const RandomDraws& from, std::uint64_t superblock, std::uint16_t* values,
                         const Soon& soon);
  void (*draw_normals)(const RandomDraws& from, std::uint64_t superblock, float* values,
                       const Soon& soon);
  void (*mask_bytes)(const std::uint16_t* draws, std::uint16_t limit, std::uint8_t* keep,
                     std::size_t size);
  void (*pack_bits)(std::uint8_t* keep, std::size_t size, std::uint8_t* bits);
  void (*unpack_bits)(const std::uint8_t* bits, std::size_t size, std::uint16_t* draws,
                      const Soon& soon);
  void (*draw_high_halves)(const RandomDraws& from, std::uint64_t superblock, std::uint16_t* values,
                           const Soon& soon);
  void (*draw_uniforms)(const RandomDraws& from, std::uint64_t superblock, std::uint32_t* values,
                        const Soon& soon);
};

struct UpdateTable {
  // Of float and double; with one size of the proximal step, and with each element's own.
  UpdateKernel of[UpdateOps::size][2][2][kUpdateKinds];
  StepSizesKernel step_sizes[UpdateOps::size][2];  // null: all elements have the same one
};

// See loops/norm.hpp and loops/combine.hpp.
struct CombineKernels {
  void (*of[kDTypes])(const void* x, void* to, double factor, std::size_t size);  // by type of x
};

struct ListTable {
  double (*norm[kDTypes])(const void* x, std::size_t size, std::size_t lane, double scale,
                          double* lanes, double largest);
  CombineKernels combine[kCombinations];
};

struct KernelTable {
  const MapTable& map;
  const ReduceTable& reduce;
  const SliceTable& slices;
  const ThresholdTable& thresholds;
  const VectorTable& vectors;
  const SelectTable& selections;
  const NoiseTable& noise;
  const UpdateTable& update;
  const ListTable& lists;
  HalfKernels half[2];        // float16 and bfloat16
  CastKernels cast[kDTypes];  // from each
  void (*count[kDTypes])(const void* x, std::size_t size, double* counts);
  StreamKernel stream;
};

}  // namespace bridle
