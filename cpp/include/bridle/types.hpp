// What crosses the border between instruction sets: plain data, and the constants of the numerical
// contract.
#pragma once

#include <cstddef>
#include <cstdint>

namespace bridle {

enum class DType : int { float16, bfloat16, float32, float64, complex64, complex128 };
inline constexpr int kDTypes = 4;     // those that every operator has
inline constexpr int kMapDTypes = 6;  // those that an elementwise operator may have

struct Float16 {
  std::uint16_t bits;
};
struct BFloat16 {
  std::uint16_t bits;
};
template <class T>
struct Complex {
  T real, imaginary;
};

inline constexpr std::size_t kLine = 64;           // bytes of a cache line
inline constexpr std::size_t kPreparedBytes = 64;  // at most, of what prepared(op) makes

// Sums: a chunk is 4096 elements, element j of it goes to lane j mod 32.
inline constexpr std::size_t kChunk = 4096;
inline constexpr std::size_t kLanes = 32;
inline constexpr std::size_t kMaxSums = 2;       // of one penalty
inline constexpr std::size_t kMaxStrengths = 2;  // parameters of one penalty
inline constexpr std::size_t kColumnSums =
    64;  // those of columns that are summed beside each other

// What a chunk has gathered so far: the lanes of one sum after the other, and of the `position`
// elements that were added how many are not zero, and whether one is not finite. An update does not
// look at the lanes where it is the first to add something.
struct ChunkState {
  alignas(kLine) double lanes[kMaxSums * kLanes];
  double counts[2];
  std::size_t position;
};

// What an operator of slices makes of the sums of a vector.
struct SliceResult {
  enum Kind { apply, unchanged, again } kind;
  double number;  // of apply, or what was measured; the next scale of again
  double scale;   // of apply: what elements are to be multiplied by before

  // Whether elements can be multiplied by the number as it is, in numbers of the compute type.
  constexpr bool fits(bool is_double) const {
    const double size = number < 0.0 ? -number : number;
    const bool in_range = is_double || !(size > 0x1p60 || (size < 0x1p-60 && size > 0.0));
    return scale == 1.0 && in_range;
  }
};

// What becomes of a vector, given the numbers of the operator, the weight of the vector, its sums
// and the scale with which they were summed.
using SliceFinish = SliceResult (*)(const double* given, double weight, const double* sums,
                                    double scale);

// Of operators that multiply by max(1 − threshold / norm, 0).
using SliceThreshold = double (*)(const double* given, double weight);

// Contiguous vectors one behind the other; see slice_rows_kernel.
struct SliceRows {
  const void* x;
  void* out;
  std::size_t size, count;
  const std::int64_t* offsets;
  const double* weights;
  double* numbers;
  SliceThreshold threshold;  // null: none
};

// Random bits: 16 ChaCha blocks are a superblock of 512 draws of 16 bits.
inline constexpr std::size_t kDraws = 512;

inline constexpr std::size_t kNoiseBlock = 2 * kDraws;  // random numbers held at a time
inline constexpr std::size_t kNoiseStep = 128;          // elements staged at a time

struct RandomKey {
  std::uint64_t seed;
  std::uint64_t stream;
};

// Memory that is needed soon: so many bytes of what is read, and of what is written, if that is not
// the same; null if it is, or bypasses the caches.
struct Soon {
  const char *from, *to;
  std::size_t bytes;
};

// Where random numbers come from. As decisions: element i is kept iff its 32-bit uniform u(i) is
// below `threshold` = round((1 − p)·2³²).
struct RandomDraws {
  RandomKey key;
  std::uint64_t threshold;
  std::uint32_t domain = 0;  // of the high halves of u(i); the next one is that of the low halves
};

// An operator of the dropout family sees a decision (bool), handed over as a draw, or a standard
// normal deviate.
template <class Noise>
struct NoiseValueType {
  using type = std::uint16_t;
};
template <>
struct NoiseValueType<float> {
  using type = float;
};
template <class Noise>
using NoiseValue = typename NoiseValueType<Noise>::type;

inline constexpr std::size_t kMaxMembers = 3;  // of an operator of the dropout family
struct NoiseArguments {
  double members[kMaxMembers];
  std::uint16_t limit;  // the least draw that is dropped
};

// Elements of a round of an update, after which its sums are gathered from the cache. Of 32 to
// 1024, those were the fastest.
inline constexpr std::size_t kUpdateBlock = 512;

// The arrays of an update, in this order wherever there are all of them.
struct UpdateRole {
  enum : int { weights, gradient, first_state, toward = first_state + 3, copy_out, count };
};

struct UpdateStages;

// The contiguous arrays of a fused update. What an operator does not take may be null: the state is
// zero then and forgotten, so are a gradient and the weights to decay towards.
struct UpdateMemory {
  void* weights;
  const void* gradient;
  void* state[3];
  const void* toward;
  const UpdateStages* stages = nullptr;              // of arrays other than the weights
  const void* continued[UpdateRole::copy_out] = {};  // those that go on behind these elements
  int continued_count = 0;
};

// For arrays of other types than the one computed in: what brings the elements of a round to the
// nearest cache, and what takes them back after it.
struct UpdateStages {
  void* context;
  UpdateMemory (*bring)(void* context, std::size_t begin, std::size_t size);
  void (*take)(void* context, std::size_t begin, std::size_t size);
};

// What weight decay is: a fraction lr·weight_decay of the weights is taken away before the update;
// weight_decay times the weights is added to the gradient; as the first, whatever lr is.
enum class Decay : int { decoupled, coupled, full };

// What surrounds the step of an optimizer: decoupled decay towards zero at most; that and a finite
// l1 penalty; that and finite l1 and l2 penalties; everything.
enum class UpdateKind : int { plain, sparse, elastic, full };
inline constexpr int kUpdateKinds = 4;

struct UpdateNumbers {
  double members[8];  // of the operator
  double scale, coupled, keep, l1, l2;
  double size;  // of the proximal step, unless it is adaptive
  bool cautious;
};

// What becomes of an array beside another one; see ops/combine.hpp.
enum class Combination : int { accumulate, average, scale };
inline constexpr int kCombinations = 3;

inline constexpr int kDigitBits = 16;  // by which magnitudes are selected, as integers

// Thresholds that leave a given sum of excesses max(m − threshold, 0) of a vector, where m is |x|
// or x.
enum class Measure : int { magnitude, value };
inline constexpr int kMeasures = 2;

// A number as the sum of two, |low| far below |high|.
struct Threshold {
  double high, low;
};

struct Excess {
  double sum, count;  // of the elements above a threshold
};

// What part_kernel tells apart: elements above `high`, those above `low` but not above `high`, and
// the others. All times `scale`: a power of two.
struct Parting {
  double low, high;  // numbers of the vector's compute type
  double shift;      // subtracted, after scaling, from those above `high`
  double scale;
};
struct Parts {
  Excess above;  // sum: of scale·m − shift
  bool nan;      // an element is
};

// Of weighted vectors: powers of two for elements and weights; the largest ones; the sum of
// weight·excess and that of the squares of the weights.
struct WeightedScale {
  double elements, weights;
};
struct WeightedExtent {
  double element, weight;
  bool nan;
};
struct WeightedExcess {
  double sum, squares;
};

// An element and its weight, both scaled, that others are compared with, since what they differ
// by may be far smaller than rounding of them. A weight of zero: none.
struct WeightedReference {
  double element, weight;
  double unit;  // a power of two: differences are multiplied by it, since the radius may be tiny
};

// z = measure − threshold·weight, where that is above least·weight, and 0 elsewhere. The measure of
// an element is |x|, scaled; with a reference, what that exceeds reference.element·weight over
// reference.weight by, times the unit.
struct WeightedCut {
  Threshold threshold;
  double least;
  WeightedScale scale;
  WeightedReference reference;
};

inline constexpr std::size_t kShortVector = 256;  // elements

// What is to become of a vector that is projected.
enum class Projection : int {
  cut,           // z = max(m − threshold, 0)
  inside,        // it stays as it is
  zero,          // z = 0
  not_a_number,  // an element is: all become NaN
  infinite,      // `share` where m = +infinity, 0 elsewhere; of a vector of -infinities: everywhere
};
struct ThresholdFound {
  Projection projection;
  Threshold threshold;
  double share;
};

}  // namespace bridle
