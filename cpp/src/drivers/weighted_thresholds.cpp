#include "weighted_thresholds.hpp"

#include <algorithm>
#include <bridle/ops/threshold.hpp>
#include <cmath>
#include <cstring>
#include <limits>

#include "chunk_sums.hpp"
#include "dispatch.hpp"
#include "threads/status_flags.hpp"

namespace bridle {
namespace {

constexpr std::size_t kMostParts = 256;

// Of a radius beside the weighted sum of the elements: below it, a threshold of twice the precision
// is not enough.
constexpr double kSmall = 0x1p-40;

struct WeightedVectors {
  const char* x;
  const double* weights;
  std::size_t size, item;
};

const WeightedKernels& kernels_of(DType dtype) {
  return kernels().thresholds.weighted[dtype == DType::float64 ? 1 : 0];
}

// The vectors in at most kMostParts parts, by all threads: part(index, begin, size).
template <class Part>
std::size_t in_parts(std::size_t size, const void* work, std::size_t* elements, const Part& part) {
  *elements = kChunk;
  while (*elements * kMostParts < size) *elements *= 2;
  const std::size_t count = (size + *elements - 1) / *elements;
  parallel_for(
      count, 1, std::max<std::size_t>(1, kLeastForSums / *elements),
      [&](std::size_t begin, std::size_t end) {
        for (std::size_t p = begin; p < end; ++p) {
          part(p, p * *elements, std::min(*elements, size - p * *elements));
        }
      },
      work);
  return count;
}

WeightedExtent extent_of(const WeightedKernels& kernels, const WeightedVectors& v) {
  WeightedExtent partial[kMostParts], total{0.0, 0.0, false};
  std::size_t elements;
  const std::size_t parts =
      in_parts(v.size, work_of(kernels.extent), &elements,
               [&](std::size_t p, std::size_t begin, std::size_t size) {
                 kernels.extent(v.x + begin * v.item, v.weights + begin, size, &partial[p]);
               });
  for (std::size_t p = 0; p < parts; ++p) {
    total.element = std::max(total.element, partial[p].element);
    total.weight = std::max(total.weight, partial[p].weight);
    total.nan |= partial[p].nan;
  }
  return total;
}

int has_reference(const WeightedCut& cut) { return cut.reference.weight > 0 ? 1 : 0; }

WeightedExcess excess_of(const WeightedKernels& kernels, const WeightedVectors& v,
                         const WeightedCut& cut) {
  double sums[2];
  const auto kernel = kernels.excess[has_reference(cut)];
  const auto chunk = [&](std::size_t begin, std::size_t count, double* to) {
    const WeightedExcess excess = kernel(v.x + begin * v.item, v.weights + begin, count, cut);
    to[0] = excess.sum;
    to[1] = excess.squares;
  };
  sum_parallel<2>(2, v.size, kLeastForSums, chunk, work_of(kernel), sums);
  return {sums[0], sums[1]};
}

// Copies what is above a threshold, in order, to `to` and `to_weights`.
WeightedVectors keep(const WeightedKernels& kernels, const WeightedVectors& v, double threshold,
                     WeightedScale scale, char* to, double* to_weights) {
  std::size_t kept[kMostParts], elements, end = 0;
  const std::size_t parts =
      in_parts(v.size, work_of(kernels.keep), &elements,
               [&](std::size_t p, std::size_t begin, std::size_t size) {
                 const std::size_t at = begin * v.item;
                 kept[p] = kernels.keep(v.x + at, v.weights + begin, size, threshold, scale,
                                        to + at, to_weights + begin);
               });
  for (std::size_t p = 0; p < parts; ++p) {
    const std::size_t from = p * elements;
    if (from != end) {
      std::memmove(to + end * v.item, to + from * v.item, kept[p] * v.item);
      std::memmove(to_weights + end, to_weights + from, kept[p] * sizeof(double));
    }
    end += kept[p];
  }
  return {to, to_weights, end, v.item};
}

// The power of two that brings a number to [1, 2), as far as there are such.
double scale_of(double most) {
  return most > 0 ? std::ldexp(1.0, -std::clamp(std::ilogb(most), -1000, 1000)) : 1.0;
}

template <class T>
WeightedFound infinite(const WeightedCall& call) {
  const T* const x = static_cast<const T*>(call.x);
  const double* const weights = call.weights;
  double least = std::numeric_limits<double>::infinity();
  double count = 0;
  for (std::size_t i = 0; i < call.size; ++i) {
    if (!std::isinf(x[i]) || !(weights[i] > 0) || weights[i] > least) continue;
    count = weights[i] == least ? count + 1 : 1;
    least = weights[i];
  }
  return {Projection::infinite, {}, call.radius / count / least, least};
}

template <class T>
void project_infinite(const WeightedCall& call, const WeightedFound& found, void* out) {
  const T* const x = static_cast<const T*>(call.x);
  const double* const weights = call.weights;
  for (std::size_t i = 0; i < call.size; ++i) {
    const bool shares = std::isinf(x[i]) && weights[i] == found.least_weight;
    const T value = shares ? std::copysign(static_cast<T>(found.share), x[i]) : T(0);
    static_cast<T*>(out)[i] = weights[i] > 0 ? value : x[i];
  }
}

// What a threshold may be wrong by: elements that exceed it by no more are taken for equal to it.
double least_of(double radius, const WeightedExcess& excess) {
  return 0x1p-48 * radius / excess.squares;
}

// Newton's steps with a reference, from a threshold at which only `foremost` is above, so that it
// is not too high. They end where rounding hides what is left.
void solve_referred(const WeightedKernels& kernels, const WeightedVectors& v,
                    const WeightedReference& foremost, double radius, WeightedCut* cut) {
  using ops::Twofold, ops::exact_product;
  const WeightedReference& reference = cut->reference;
  const Twofold ahead = exact_product(foremost.element, reference.weight) +
                        exact_product(-reference.element, foremost.weight);
  const double measure = ahead.high * (reference.unit / reference.weight);
  const double start = (measure - radius / foremost.weight) / foremost.weight;
  cut->threshold = {start - 0x1p-40 * std::fabs(start), 0.0};
  for (ops::Newton newton(radius); !newton.done();) {
    const WeightedExcess excess = excess_of(kernels, v, *cut);
    const double rest = excess.sum - radius;
    if (excess.squares == 0) break;
    const Threshold next = newton.next(cut->threshold, rest, excess.squares);
    if (rest < 0 && !newton.near()) break;
    cut->threshold = next;
    cut->least = least_of(radius, excess);
  }
}

// The cut of vectors that hold all that is above it, where the radius is small beside them. The
// first reference is the element that is cut last. With a light one, the differences of heavy
// elements may be large beside the radius, and so is their rounding: then the heaviest of those
// above the cut follows it, as often as need be.
void refer(const WeightedKernels& kernels, const WeightedVectors& v, double radius, int exponent,
           WeightedCut* cut) {
  constexpr int kMostReferences = 64;
  WeightedReference foremost{0.0, 0.0, 1.0};
  kernels.foremost(v.x, v.weights, v.size, cut->scale, &foremost);
  const int largest = 1000 + std::ilogb(foremost.weight);  // or differences overflow
  const int unit = std::max(0, std::min(-500 - std::ilogb(radius) - exponent, largest));
  const double scaled = std::ldexp(radius, exponent + unit);
  foremost.unit = std::ldexp(1.0, unit);
  cut->reference = foremost;
  for (int i = 0; i < kMostReferences; ++i) {
    solve_referred(kernels, v, foremost, scaled, cut);
    const double distance = std::fabs(cut->threshold.high);
    WeightedCut below = *cut;
    below.threshold.high -= 0x1p-48 * distance;
    WeightedReference heaviest{0.0, 0.0, foremost.unit};
    kernels.heaviest(v.x, v.weights, v.size, below, &heaviest);
    if (distance * heaviest.weight * heaviest.weight <= 4 * scaled) return;
    cut->reference = heaviest;
  }
}

}  // namespace

WeightedFound find_weighted_threshold(const WeightedCall& call) noexcept {
  const WeightedKernels& kernels = kernels_of(call.dtype);
  const KeepStatusFlags flags;
  WeightedVectors v{static_cast<const char*>(call.x), call.weights, call.size,
                    item_size(call.dtype)};
  WeightedFound found{Projection::not_a_number, {}, 0.0, 0.0};
  const WeightedExtent extent = extent_of(kernels, v);
  if (extent.nan) return found;
  found.projection = Projection::zero;
  if (call.radius == 0) return found;
  if (std::isinf(extent.element)) {
    return call.dtype == DType::float64 ? infinite<double>(call) : infinite<float>(call);
  }
  WeightedCut& cut = found.cut;
  cut.scale = {scale_of(extent.element), scale_of(extent.weight)};
  const int exponent = std::ilogb(cut.scale.elements) + std::ilogb(cut.scale.weights);
  const double radius = std::ldexp(call.radius, exponent);
  found.projection = Projection::inside;
  WeightedExcess excess = excess_of(kernels, v, cut);
  if (excess.sum <= radius) return found;
  found.projection = Projection::cut;
  // What is above the cut for a larger radius, that is not small beside the elements, holds what is
  // above the one for the radius.
  const double larger = std::max(radius, kSmall * excess.sum);
  double* const their_weights = static_cast<double*>(call.scratch);
  char* const list = reinterpret_cast<char*>(their_weights + call.size);
  const auto shorten = [&] {
    v = keep(kernels, v, cut.threshold.high * (1 - 1e-12), cut.scale, list, their_weights);
  };
  for (ops::Newton newton(larger); excess.squares > 0;) {
    cut.threshold = newton.next(cut.threshold, excess.sum - larger, excess.squares);
    cut.least = least_of(larger, excess);
    if (newton.done()) break;
    if (v.size > kShortVector && !newton.near()) shorten();
    excess = excess_of(kernels, v, cut);
  }
  if (larger == radius || excess.squares == 0) return found;
  if (v.size > kShortVector) shorten();
  refer(kernels, v, call.radius, exponent, &cut);
  return found;
}

void project_weighted(const WeightedCall& call, const WeightedFound& found, void* out) noexcept {
  const KeepStatusFlags flags;
  if (found.projection == Projection::infinite) {
    return call.dtype == DType::float64 ? project_infinite<double>(call, found, out)
                                        : project_infinite<float>(call, found, out);
  }
  const std::size_t item = item_size(call.dtype);
  const char* const x = static_cast<const char*>(call.x);
  if (found.projection == Projection::inside) {
    if (out != x) copy(x, out, call.size * item);
    return;
  }
  WeightedCut cut = found.cut;
  // Of a radius of zero: nothing exceeds it.
  if (found.projection == Projection::zero) {
    cut = {{std::numeric_limits<double>::infinity(), 0.0}, 0.0, {1.0, 1.0}, {}};
  }
  const auto kernel = kernels_of(call.dtype).cut[has_reference(cut)];
  parallel_for(
      call.size, 256, kLeastForSums,
      [&](std::size_t begin, std::size_t end) {
        kernel(x + begin * item, call.weights + begin, static_cast<char*>(out) + begin * item,
               end - begin, cut);
      },
      work_of(kernel));
}

}  // namespace bridle
