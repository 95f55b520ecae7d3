#include "norm.hpp"

#include <atomic>
#include <bit>
#include <cmath>

#include "chunk_sums.hpp"
#include "dispatch.hpp"
#include "pieces.hpp"
#include "threads/status_flags.hpp"

namespace bridle {
namespace {

// Of numbers >= 0 and NaN by their bits: whoever comes first.
class Largest {
 public:
  void see(double value) noexcept {
    const auto bits = std::bit_cast<std::uint64_t>(value);
    std::uint64_t most = most_.load(std::memory_order_relaxed);
    while (bits > most && !most_.compare_exchange_weak(most, bits, std::memory_order_relaxed)) {
    }
  }
  double get() const noexcept { return std::bit_cast<double>(most_.load()); }

 private:
  std::atomic<std::uint64_t> most_{0};
};

class NormPass {
 public:
  NormPass(const NormArray* arrays, std::size_t count, double scale, Largest& largest)
      : arrays_(arrays), end_(arrays + count), scale_(scale), largest_(largest) {}

  // position: that of a chunk in the list, times kChunk.
  void operator()(std::size_t position, std::size_t, double* sums) const {
    const std::size_t chunk = position / kChunk;
    const auto starts_behind = [](std::size_t at, const NormArray& array) {
      return at < array.first_chunk;
    };
    const NormArray& own = *(std::upper_bound(arrays_, end_, chunk, starts_behind) - 1);
    const std::size_t begin = (chunk - own.first_chunk) * kChunk;
    add_chunk(own, begin, std::min(kChunk, own.size - begin), sums);
  }

 private:
  void add_chunk(const NormArray& own, std::size_t begin, std::size_t size, double* sums) const {
    alignas(kLine) double lanes[kLanes] = {};
    const auto [data, dtype, walk] = own.array;
    const auto kernel = kernels().lists.norm[static_cast<int>(dtype)];
    double largest = 0.0;
    std::size_t done = 0;
    const auto add = [&](const void* piece, std::size_t count) {
      largest = kernel(piece, count, done % kLanes, scale_, lanes, largest);
      done += count;
    };
    if (walk) {
      for_each_piece(data, *walk, item_size(dtype), begin, size, add);
    } else {
      add(data + begin * item_size(dtype), size);
    }
    kernels().reduce.fold_lanes(lanes, 1, sums);
    largest_.see(std::fabs(largest));  // whatever the sign of a NaN
  }

  const NormArray *arrays_, *end_;
  double scale_;
  Largest& largest_;
};

}  // namespace

NormSums norm_sums(const NormArray* arrays, std::size_t count) noexcept {
  constexpr double too_small = 0x1p-900;  // squares that are lost are nothing beside it
  const KeepStatusFlags keep;
  std::size_t chunks = 0, elements = 0;
  for (std::size_t a = 0; a < count; ++a) {
    chunks += chunks_of(arrays[a].size);
    elements += arrays[a].size;
  }
  if (elements == 0) return {0.0, 0.0, 0};
  // Chunks of small arrays hold little.
  const std::size_t least =
      kLeastForSums * std::min<std::size_t>(kChunk, chunks * kChunk / elements);
  const void* const work = work_of(kernels().lists.norm[static_cast<int>(arrays[0].array.dtype)]);
  const auto sum_of = [&](double scale, Largest& largest) {
    double sum;
    sum_parallel<1>(1, chunks * kChunk, least, NormPass(arrays, count, scale, largest), work, &sum);
    return sum;
  };
  Largest largest;
  const double squares = sum_of(1.0, largest), most = largest.get();
  const bool in_range = squares >= too_small && squares < HUGE_VAL;
  if (in_range || most == 0.0 || !(most < HUGE_VAL)) {
    return {most < HUGE_VAL ? squares : most, most, 0};
  }
  int exponent;
  std::frexp(most, &exponent);
  exponent = std::max(exponent, -1000);  // beyond, 2⁻ᵉ is infinite
  Largest unused;
  return {sum_of(std::ldexp(1.0, -exponent), unused), most, exponent};
}

Norm norm_of(const NormSums& sums, double factor) noexcept {
  const KeepStatusFlags keep;
  const double size = std::fabs(factor);
  if (!(size > 0.0 && size < HUGE_VAL)) return {size * sums.squares, size * sums.largest};
  int exponent;
  const double mantissa = std::frexp(size, &exponent);
  return {std::ldexp(mantissa * std::sqrt(sums.squares), exponent + sums.exponent),
          size * sums.largest};
}

}  // namespace bridle
