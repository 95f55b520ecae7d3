// The core as its clients see it: whole arrays in any layout, any number of threads.
// Nothing here throws, allocates or prints; hyper-parameters have been checked by the caller.
#pragma once

#include <bridle/export.h>

#include <bridle/ops.hpp>
#include <bridle/types.hpp>

#include "walk.hpp"

namespace bridle {

// A one-dimensional operand: element i lies `i * stride` bytes after `data`, aligned to its type.
struct Operand {
  char* data;
  std::ptrdiff_t stride;
};

inline constexpr int kMaxOperands = 8;

constexpr std::size_t item_size(DType dtype) {
  constexpr std::size_t sizes[] = {2, 2, 4, 8, 8, 16};
  return sizes[static_cast<int>(dtype)];
}
constexpr std::size_t compute_size(DType dtype) {
  return dtype == DType::float64 || dtype == DType::complex128 ? 8 : 4;
}

enum class Output {
  reused,  // memory that was written before: large results bypass the caches
  fresh,   // pages that nobody has touched: the kernel's zeroing has just brought them into the
           // cache
};

// operand[0] is x, operand[1…] the parameters (compute type; stride 0: one number for all), the
// last one out. Where out overlaps another operand otherwise than element for element, one thread
// works in ascending order: NumPy hands over such operands if no element is written before it is
// read that way.
struct MapCall {
  Operand operand[kMaxOperands];
  std::size_t size;
  Output output;
};

BRIDLE_API void map(int op, DType dtype, const MapCall& call) noexcept;

// The sums of a penalty with these parameters over all elements of an array in the order of a walk
// over bytes (see loops/reduce.hpp for the order of summation).
BRIDLE_API void reduce(int op, DType dtype, const void* x, const Walk& walk, std::size_t size,
                       const double* parameters, double* sums) noexcept;
inline void reduce(int op, DType dtype, Operand x, std::size_t size, const double* parameters,
                   double* sums) noexcept {
  reduce(op, dtype, x.data, Walk(x.stride, size), size, parameters, sums);
}

// `count` vectors of `size` elements, the first elements of which lie `apart` bytes apart, and what
// lies beside them: doubles, or nothing (null), which stands for the first parameter.
struct Vectors {
  Operand x;
  std::size_t size;
  std::ptrdiff_t apart;
  std::size_t count;
  Operand beside = {nullptr, 0};
  std::ptrdiff_t beside_apart = 0;
};

// The same for each vector: parameters[v·number of parameters …] are those of vector v, its sums go
// to sums[v·number of sums …].
BRIDLE_API void reduce_many(int op, DType dtype, const Vectors& vectors, const double* parameters,
                            double* sums) noexcept;

// Doubles that lie as a walk over bytes says.
struct WalkedDoubles {
  const void* data;
  const Walk& walk;
};

// The sum of the penalties of the elements, each with parameters of its own.
BRIDLE_API double reduce_each(int op, DType dtype, const void* x, const Walk& walk,
                              std::size_t size, const WalkedDoubles* parameters) noexcept;

enum class NoiseFrom {
  draws,  // the random numbers of `index` + where the noise lies
  bits,   // stored decisions: bit i % 8 of byte i / 8 is 1 where element i of the noise is kept
  none,   // every element is kept
};

// The noise of an array: one random number or decision for each element, or shared by several.
struct NoiseSource {
  NoiseFrom from;
  RandomDraws draws;
  std::uint64_t index;       // of the first random number
  const std::uint8_t* bits;  // of NoiseFrom::bits alone, with the number of them
  std::size_t bit_count;
  Walk where;  // how far the random number of an element lies behind the first
};

inline NoiseSource drawn_noise(RandomDraws draws, std::uint64_t index,
                               const Walk& where = Walk(1)) noexcept {
  return {NoiseFrom::draws, draws, index, nullptr, 0, where};
}

// out = operator `op` of NoiseOps with the given members, of x and its noise. Elements are
// counted in C order. out is x, element for element, or shares no memory with it.
struct NoiseCall {
  int op;
  DType dtype;
  double members[kMaxMembers];
  NoiseSource noise;
  bool identity;  // the members leave x as it is: it is copied, bit for bit
  std::size_t size;
  char* x;
  Walk x_walk;  // in bytes
  char* out;
  Walk out_walk;
  Output output;
};

BRIDLE_API void apply_noise(const NoiseCall& call) noexcept;

// The decisions of `size` elements: one byte each, 1 for those that are kept, or (packed) one bit
// as NoiseFrom::bits has them, the last byte filled up with 0.
BRIDLE_API void noise_mask(const NoiseSource& noise, std::size_t size, std::uint8_t* keep) noexcept;
BRIDLE_API void noise_mask_packed(const NoiseSource& noise, std::size_t size,
                                  std::uint8_t* bits) noexcept;

// How the arrays of an update lie: in rows of `length` elements beside each other, the rows so many
// bytes apart in each array. length = 0: in one row.
struct UpdateRows {
  std::size_t length = 0;
  std::ptrdiff_t apart[UpdateRole::count] = {};
  // Of tables, of which some rows are updated: their numbers. The gradient has these rows alone.
  const std::int64_t* chosen = nullptr;
};

// A parameter of a regularizer: a number, or one for each element of an array, in the order of
// that.
struct UpdateParameter {
  const void* data;
  DType dtype;
  const Walk* walk;  // over bytes
};

// What regularizes each element after its update: w ← prox(w, step), in the middle of the same
// pass.
struct UpdateRegularizer {
  static constexpr int kMost = 3;  // parameters
  int prox, prox_count, step;      // of MapOps; the place of the step among them, or −1
  UpdateParameter prox_parameters[kMost];
  int penalty, penalty_count;  // of ReduceOps, or −1: it costs nothing
  UpdateParameter penalty_parameters[kMost];
};

// One array of a fused update and those that belong to it. It is short, as there may be thousands,
// which other threads read than wrote them: what is the same for many is only pointed to.
struct UpdateArray {
  void* data[UpdateRole::count];  // null: there is none
  std::size_t size;
  const UpdateNumbers* numbers;
  std::uint64_t first;                             // position of its first element in the list
  const UpdateRows* rows = nullptr;                // null: in one row
  const UpdateRegularizer* regularizer = nullptr;  // arrays with parameters want rows in C order
  // How far its random numbers lie behind its position, modulo 2^64: of a part of something larger.
  std::uint64_t ahead = 0;
};

struct UpdateSums {
  double absolute, squares;  // as those of elastic_net_penalty, 0 where nobody needs them
  double nonzeros;
  double not_finite;  // 0 if all are finite
  // Those of the regularizer's penalty, to be finished with its parameters where all are numbers;
  // else the first is the penalty itself.
  double regularizer[kMaxSums];
};

// Whether the sums of a regularizer are finished already.
BRIDLE_API bool is_penalty_of_arrays(const UpdateRegularizer& regularizer) noexcept;

// Weights of float64 compute in double, all others in float. Every array is widened to that, and
// rounded to its own type: what is written as halves, at random if that is asked for.
struct UpdateCall {
  int op;  // of UpdateOps
  DType types[UpdateRole::count];
  bool adaptive;  // the proximal step has the size of each element's own update
  // With u(index + position in the list + ahead) of two domains for each array of state.
  bool stochastic;
  RandomKey key;
  std::uint64_t index;
  const UpdateArray* arrays;
  std::size_t count;
};

// Types of a call whose weights, and gradient, have the given ones, and nothing else its own.
inline void set_types(DType weights, DType gradient, UpdateCall& call) {
  std::fill_n(call.types, UpdateRole::count, weights);
  call.types[UpdateRole::gradient] = gradient;
  const DType wide = weights == DType::float64 ? weights : DType::float32;
  std::fill_n(call.types + UpdateRole::first_state, 3, wide);
}

// Updates arrays that share no memory, and writes the sums of the new weights of each.
BRIDLE_API void update(const UpdateCall& call, UpdateSums* sums) noexcept;

// Copies contiguous memory that does not overlap.
BRIDLE_API void copy(const void* x, void* out, std::size_t bytes) noexcept;

}  // namespace bridle
