// Dropout on spans of float or double. Whether an element is kept is a function of a seed, a stream
// and its index alone: not of threads, machine or type. No mask needs to be stored, since the
// backward pass is the same call on the gradient, and a part of an array is the same call with its
// offset.
#pragma once

#include <bridle/ops.hpp>
#include <bridle/span_functions.hpp>

namespace bridle {

// Which random bits: those of the elements with the indices offset, offset + 1, … of a stream of a
// seed. A stream is an independent sequence: of a step or a layer, say.
struct RandomBits {
  std::uint64_t seed;
  std::uint64_t stream = 0;
  std::uint64_t offset = 0;
};

inline namespace BRIDLE_ISA {
namespace detail {

inline void check_dropout(const char* function, double p, std::uint64_t offset, std::size_t size) {
  check_parameter(function, ops::dropout<float>::params[0], p);
  const std::uint64_t limit = 0 - std::uint64_t{size};  // 2⁶⁴ − size
  if (size == 0 || offset < limit) return;
  fail(function, "offset must be >= 0 and < " + text_of(limit) + ", got " + text_of(offset));
}

template <class T>
void dropout_of(std::span<const T> x, double p, const RandomBits& bits, std::span<T> out) {
  using Function =
      int(const T*, double, std::uint64_t, std::uint64_t, std::uint64_t, T*, std::int64_t);
  static Function* const function = find<Function>("dropout", kSuffix<T>);
  check_sizes("dropout", "out", out.size(), "x", x.size());
  const auto size = static_cast<std::int64_t>(x.size());
  if (function(x.data(), p, bits.seed, bits.stream, bits.offset, out.data(), size) == 0) return;
  check_dropout("dropout", p, bits.offset, x.size());
  fail("dropout", "out must be x or share no element with it");
}

}  // namespace detail

// dropout(x, p, {seed, stream, offset}, out): out[i] becomes x[i] / (1 − p) with probability 1 − p,
// else +0.0, also where x[i] is infinite or NaN (Srivastava et al. 2014). p, between 0 and 1, is
// realised as a multiple of 2⁻³², and the scale is that of the realised p; p = 0 leaves every bit,
// p = 1 gives zeros. out is x, or shares no element with it.
// Throws std::invalid_argument, with nothing written, if the sizes differ, out overlaps x
// otherwise, p is outside its range or NaN, or offset + size is not below 2⁶⁴.
inline void dropout(std::span<const float> x, double p, const RandomBits& bits,
                    std::span<float> out) {
  detail::dropout_of(x, p, bits, out);
}
inline void dropout(std::span<const double> x, double p, const RandomBits& bits,
                    std::span<double> out) {
  detail::dropout_of(x, p, bits, out);
}

// dropout_mask(p, {seed, stream, offset}, keep): the decisions of dropout alone: keep[i] becomes 1
// where element i is kept, else 0.
// Throws std::invalid_argument, with nothing written, if p is outside its range or NaN, or
// offset + size is not below 2⁶⁴.
inline void dropout_mask(double p, const RandomBits& bits, std::span<std::uint8_t> keep) {
  using Function =
      int(double, std::uint64_t, std::uint64_t, std::uint64_t, std::uint8_t*, std::int64_t);
  static Function* const function = detail::find<Function>("dropout_mask", "");
  const auto size = static_cast<std::int64_t>(keep.size());
  if (function(p, bits.seed, bits.stream, bits.offset, keep.data(), size) == 0) return;
  detail::check_dropout("dropout_mask", p, bits.offset, keep.size());
  detail::fail("dropout_mask", "keep must be an array");
}

}  // namespace BRIDLE_ISA
}  // namespace bridle
