// The simplex, the balls of sums and of the largest magnitude, and what is dual to them.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <string_view>

#include "thresholds.hpp"
#include "vector_operators.hpp"
#include "vector_parts.hpp"
#include "weighted_thresholds.hpp"

namespace bridle::vectors {
namespace {

template <template <class> class... Op>
constexpr int place_of(MapList<Op...>, std::string_view name) {
  int place = 0;
  bool found = false;
  ((found = found || name == Op<float>::name, place += found ? 0 : 1), ...);
  return place;
}

// out = x limited to [−limit, limit].
void limit_to(const WholeVector& vector, double limit) {
  constexpr int op = place_of(MapOps{}, "project_box");
  const MapKernels& of = kernels().map.of[op][static_cast<int>(vector.dtype)];
  const auto kernel = of.scalar;
  const auto clamp = [&](auto high) {
    decltype(high) low = 0 - high;
    void* const limits[] = {&low, &high};
    alignas(kLine) char functor[kPreparedBytes];
    of.prepare(limits, functor);
    for_each_part(vector, work_of(kernel),
                  [&](const char* x, char* out, std::size_t, std::size_t size) {
                    void* operand[] = {const_cast<char*>(x), functor, out};
                    kernel(operand, size);
                  });
  };
  if (vector.dtype == DType::float64) return clamp(limit);
  clamp(static_cast<float>(limit));
}

ThresholdFound threshold_of(const WholeVector& vector, Measure measure, double radius) {
  return find_threshold({vector.dtype, measure, vector.x, vector.size, radius, vector.scratch});
}

// The share of a radius for each element that is infinite, or, where all are −infinity, for each.
void share_out(const WholeVector& vector, bool of_magnitudes, double share) {
  const auto is_chosen = [&](double x) { return std::isinf(x) && (of_magnitudes || x > 0); };
  const auto assign = [&](auto* out, const auto& element) {
    bool any = false;
    for (std::size_t i = 0; i < vector.size; ++i) any |= is_chosen(element(i));
    for (std::size_t i = 0; i < vector.size; ++i) {
      const double x = element(i);
      const double value = !any || is_chosen(x) ? share : 0.0;
      as_element(vector.dtype, of_magnitudes && value > 0 ? std::copysign(value, x) : value,
                 [&](auto result) { std::memcpy(out + i, &result, sizeof(result)); });
    }
  };
  if (vector.dtype == DType::float64) {
    return assign(static_cast<double*>(vector.out),
                  [&](std::size_t i) { return static_cast<const double*>(vector.x)[i]; });
  }
  if (vector.dtype == DType::float32) {
    return assign(static_cast<float*>(vector.out),
                  [&](std::size_t i) { return double{static_cast<const float*>(vector.x)[i]}; });
  }
  assign(static_cast<std::uint16_t*>(vector.out), [&](std::size_t i) {
    float wide;
    kernels().half[static_cast<int>(vector.dtype)].widen(
        static_cast<const std::uint16_t*>(vector.x) + i, &wide, 1);
    return double{wide};
  });
}

void cut(const WholeVector& vector, Measure measure, double radius) {
  const ThresholdFound found = threshold_of(vector, measure, radius);
  switch (found.projection) {
    case Projection::inside:
      return keep(vector);
    case Projection::zero:
      return fill(vector, 0.0);
    case Projection::not_a_number:
      return fill(vector, kNan);
    case Projection::infinite:
      return share_out(vector, measure == Measure::magnitude, found.share);
    case Projection::cut:
      break;
  }
  const auto kernel =
      kernels().thresholds.of[static_cast<int>(measure)][static_cast<int>(vector.dtype)].cut;
  for_each_part(vector, work_of(kernel), [&](const char* x, char* out, std::size_t, std::size_t n) {
    kernel(x, out, n, found.threshold);
  });
}

// x less its projection onto the l1 ball of this radius.
void shrink_largest(const WholeVector& vector, double radius) {
  if (radius == kInfinity) return fill(vector, std::isnan(largest(vector)) ? kNan : 0.0);
  const ThresholdFound found = threshold_of(vector, Measure::magnitude, radius);
  switch (found.projection) {
    case Projection::inside:
      return fill(vector, 0.0);
    case Projection::not_a_number:
      return fill(vector, kNan);
    case Projection::zero:
    case Projection::infinite:
      return keep(vector);
    case Projection::cut:
      return limit_to(vector, found.threshold.high + found.threshold.low);
  }
}

}  // namespace

std::size_t scratch_of_thresholds(DType dtype, std::size_t size) {
  return threshold_scratch(size) * compute_size(dtype);
}

double project_simplex(const WholeVector& vector) {
  cut(vector, Measure::value, vector.given[0]);
  return 0.0;
}

double project_l1_ball(const WholeVector& vector) {
  if (vector.given[0] < kInfinity) {
    cut(vector, Measure::magnitude, vector.given[0]);
  } else if (std::isnan(largest(vector))) {
    fill(vector, kNan);
  } else {
    keep(vector);
  }
  return 0.0;
}

double prox_linf_norm(const WholeVector& vector) {
  shrink_largest(vector, ops::product(vector.given[0], vector.given[1]));
  return 0.0;
}

double prox_group_linf(const WholeVector& vector) {
  const double strength = ops::product(vector.given[0], vector.weight);
  shrink_largest(vector, ops::product(strength, vector.given[1]));
  return 0.0;
}

double project_linf_ball(const WholeVector& vector) {
  const double radius = vector.given[0];
  if (const double norm = largest(vector); std::isnan(norm)) {
    fill(vector, kNan);
  } else if (radius == 0) {
    fill(vector, 0.0);
  } else if (norm <= radius) {
    keep(vector);
  } else {
    limit_to(vector, radius);
  }
  return 0.0;
}

double project_weighted_l1_ball(const WholeVector& vector) {
  const double radius = std::min(vector.given[0], std::numeric_limits<double>::max());
  const WeightedCall call{vector.dtype, vector.x, vector.beside,
                          vector.size,  radius,   vector.scratch};
  const WeightedFound found = find_weighted_threshold(call);
  if (found.projection == Projection::not_a_number) {
    fill(vector, kNan);
  } else {
    project_weighted(call, found, vector.out);
  }
  return 0.0;
}

double linf_norm_penalty(const WholeVector& vector) {
  return ops::product(vector.given[0], largest(vector));
}
double group_linf_penalty(const WholeVector& vector) {
  return ops::product(vector.given[0], ops::product(vector.weight, largest(vector)));
}

}  // namespace bridle::vectors
