// Operators of slices: what an element becomes depends on the vector that it belongs to.
//
// What is done with the elements is one of a few kinds: `terms` says what an element adds to the
// sums of its vector, `apply` makes of it its result by one number (not of zero and NaN, which are
// results themselves). An operator says with `finish`
// which number the sums make. All are given the numbers of the call in double. `scale` is a power
// of two by which the terms are to multiply an element first. It is 1, unless squares left the
// range of double: then all is summed once more with another one.
//
// An operator that measures finds a number for each vector and leaves the elements alone. One of
// groups takes a weight for each vector, and vectors between offsets or by labels.
#pragma once

#include <bridle/ops/math.hpp>
#include <bridle/ops/nonconvex.hpp>
#include <bridle/ops/penalty.hpp>
#include <bridle/param.hpp>
#include <bridle/types.hpp>

namespace bridle::inline BRIDLE_ISA::ops {

// Each vector is multiplied by a number that depends on its norm.
struct scaled_by_norm {
  static constexpr int sums = 1;

  template <class T>
  static constexpr void terms(T x, const double*, double scale, T (&term)[1]) {
    const T scaled = x * scale;
    term[0] = scaled * scaled;
  }
  template <class T>
  static constexpr T apply(T x, const double*, T factor) {
    return x * factor;
  }
  // Whether a factor of 1 leaves all elements as they are.
  static constexpr bool keeps_by_one(const double*) { return true; }
};

// The same of soft_threshold(x, l1·step), where the numbers are those of prox_sparse_group.
struct soft_and_scaled_by_norm {
  static constexpr int sums = 1;

  template <class T>
  static constexpr void terms(T x, const double* given, double scale, T (&term)[1]) {
    const T limit = T{} + limit_of(given);
    scaled_by_norm::terms(x - clamp(x, -limit, limit), given, scale, term);
  }
  template <class T>
  static constexpr T apply(T x, const double* given, T factor) {
    const T limit = static_cast<T>(limit_of(given));
    return (x - clamp(x, -limit, limit)) * factor;
  }
  static constexpr bool keeps_by_one(const double* given) { return limit_of(given) == 0.0; }
  static constexpr double limit_of(const double* given) { return product(given[0], given[2]); }
};

// The next scale for a sum of squares of elements that were multiplied by `scale`, or 0 where the
// sum is good: with 2⁻⁶⁰⁰ and 2⁶⁰⁰ that of the largest and the smallest numbers is.
inline constexpr double kSmallSum = 0x1p-900;
inline double next_scale(double sum, double scale) {
  if (scale != 1.0 || (sum >= kSmallSum && sum < __builtin_inf()) || sum != sum) return 0.0;
  return sum < kSmallSum ? 0x1p600 : 0x1p-600;
}

// What becomes of a vector whose norm, of elements multiplied by `units`, is found by
// result(norm, units).
template <class Result>
SliceResult by_norm(const double* sums, double units, const Result& result) {
  if (const double next = next_scale(sums[0], units)) return {SliceResult::again, next, 1.0};
  SliceResult found = result(square_root(sums[0]), units);
  if (found.number != found.number) found.number = __builtin_nan("");  // whatever its sign was
  return found;
}

inline SliceResult multiplied(double factor) {
  if (factor == 1.0) return {SliceResult::unchanged, 1.0, 1.0};
  return {SliceResult::apply, factor, 1.0};
}

inline double shrinking_factor(double threshold, double norm) {
  return norm <= threshold ? 0.0 : 1.0 - threshold / norm;
}

// x·max(1 − threshold / ‖x‖, 0): the prox of threshold·‖z‖. Operators that do this say with
// `threshold` which one, so that it can be done for many vectors at a time.
inline SliceResult shrunk(double threshold, const double* sums, double scale) {
  return by_norm(sums, scale, [=](double norm, double units) {
    return multiplied(shrinking_factor(threshold * units, norm));
  });
}

// x·prox(‖x‖) / ‖x‖ for the prox of a penalty of one number.
template <class Prox>
SliceResult shrunk_by(const Prox& prox, const double* sums, double scale) {
  return by_norm(sums, scale, [=](double norm, double units) {
    const double size = norm / units;
    if (size == 0.0) return multiplied(0.0);
    return multiplied(size == __builtin_inf() ? 1.0 : prox(size) / size);
  });
}

// The norm becomes rate·clip(norm, minimum, maximum) + (1 − rate)·norm; a zero vector stays.
inline SliceResult clipped(double minimum, double maximum, double rate, const double* sums,
                           double scale) {
  return by_norm(sums, scale, [=](double norm, double units) -> SliceResult {
    const double low = minimum * units, high = maximum * units;
    const double wanted = norm < low ? minimum : maximum;
    const double kept = (1.0 - rate) / units;  // of the old norm; needs no division by it
    if (maximum == 0.0 && kept == 0.0 && norm == norm) return {SliceResult::apply, 0.0, 1.0};
    const bool inside = (norm >= low && norm <= high) || norm == 0.0 || rate == 0.0;
    if (inside) return {SliceResult::unchanged, 1.0, 1.0};
    // What an infinite norm should become, nobody can say.
    const double share = norm < __builtin_inf() ? wanted / norm : norm - norm;
    return {SliceResult::apply, rate * share + kept, units};
  });
}

struct group_soft_threshold {
  static constexpr const char* name = "group_soft_threshold";
  static constexpr auto params = parameters(Param{"threshold", Rule::non_negative});
  using Elements = scaled_by_norm;
  static constexpr bool groups = true;

  static double threshold(const double* given, double weight) { return product(given[0], weight); }
  static SliceResult finish(const double* given, double weight, const double* sums, double scale) {
    return shrunk(threshold(given, weight), sums, scale);
  }
};

struct prox_l2_norm {
  static constexpr const char* name = "prox_l2_norm";
  static constexpr auto params =
      parameters(Param{"strength", Rule::non_negative}, Param{"step", Rule::non_negative});
  using Elements = scaled_by_norm;

  static double threshold(const double* given, double) { return product(given[0], given[1]); }
  static SliceResult finish(const double* given, double weight, const double* sums, double scale) {
    return shrunk(threshold(given, weight), sums, scale);
  }
};

// The prox of l1·Σ|z| + group·weight·‖z‖.
struct prox_sparse_group {
  static constexpr const char* name = "prox_sparse_group";
  static constexpr auto params =
      parameters(Param{"l1", Rule::non_negative}, Param{"group", Rule::non_negative},
                 Param{"step", Rule::non_negative});
  using Elements = soft_and_scaled_by_norm;
  static constexpr bool groups = true;

  static double threshold(const double* given, double weight) {
    return product(product(given[1], weight), given[2]);
  }
  static SliceResult finish(const double* given, double weight, const double* sums, double scale) {
    const SliceResult result = shrunk(threshold(given, weight), sums, scale);
    const bool soft = !Elements::keeps_by_one(given);
    return result.kind == SliceResult::unchanged && soft ? SliceResult{SliceResult::apply, 1.0, 1.0}
                                                         : result;
  }
};

struct prox_group_mcp {
  static constexpr const char* name = "prox_group_mcp";
  static constexpr auto params = prox_mcp<double>::params;
  using Elements = scaled_by_norm;
  static constexpr bool groups = true;

  static SliceResult finish(const double* given, double weight, const double* sums, double scale) {
    return shrunk_by(prox_mcp<double>{product(given[0], weight), given[1], given[2]}, sums, scale);
  }
};

struct prox_group_scad {
  static constexpr const char* name = "prox_group_scad";
  static constexpr auto params = prox_scad<double>::params;
  using Elements = scaled_by_norm;
  static constexpr bool groups = true;

  static SliceResult finish(const double* given, double weight, const double* sums, double scale) {
    return shrunk_by(prox_scad<double>{product(given[0], weight), given[1], given[2]}, sums, scale);
  }
};

struct project_l2_ball {
  static constexpr const char* name = "project_l2_ball";
  static constexpr auto params = parameters(Param{"radius", Rule::non_negative});
  using Elements = scaled_by_norm;

  static SliceResult finish(const double* given, double, const double* sums, double scale) {
    return clipped(0.0, given[0], 1.0, sums, scale);
  }
};

struct max_norm {
  static constexpr const char* name = "max_norm";
  static constexpr auto params = parameters(Param{"max_value", Rule::non_negative});
  using Elements = scaled_by_norm;

  static SliceResult finish(const double* given, double, const double* sums, double scale) {
    return clipped(0.0, given[0], 1.0, sums, scale);
  }
};

struct unit_norm {
  static constexpr const char* name = "unit_norm";
  static constexpr auto params = parameters();
  using Elements = scaled_by_norm;

  static SliceResult finish(const double*, double, const double* sums, double scale) {
    return clipped(1.0, 1.0, 1.0, sums, scale);
  }
};

struct min_max_norm {
  static constexpr const char* name = "min_max_norm";
  static constexpr auto params =
      parameters(Param{"min_value", Rule::non_negative},
                 Param{"max_value", Rule::not_below_previous}, Param{"rate", Rule::unit_interval});
  using Elements = scaled_by_norm;

  static SliceResult finish(const double* given, double, const double* sums, double scale) {
    return clipped(given[0], given[1], given[2], sums, scale);
  }
};

// measure(norm) of the norm of a vector.
template <class Measure>
SliceResult measured(const double* sums, double scale, const Measure& measure) {
  return by_norm(sums, scale, [=](double norm, double units) -> SliceResult {
    return {SliceResult::apply, measure(norm / units), 1.0};
  });
}

// The penalty of one number, as a sum of one term.
template <class Penalty>
double penalty_of(const Penalty& penalty, double x) {
  double term[1];
  penalty.terms(x, term);
  return penalty.finish(term);
}

struct l2_norm_penalty {
  static constexpr const char* name = "l2_norm_penalty";
  static constexpr auto params = parameters(Param{"strength", Rule::non_negative});
  using Elements = scaled_by_norm;
  static constexpr bool measures = true;

  static SliceResult finish(const double* given, double, const double* sums, double scale) {
    return measured(sums, scale, [=](double norm) { return product(given[0], norm); });
  }
};

struct group_l2_penalty {
  static constexpr const char* name = "group_l2_penalty";
  static constexpr auto params = parameters(Param{"strength", Rule::non_negative});
  using Elements = scaled_by_norm;
  static constexpr bool groups = true;
  static constexpr bool measures = true;

  static SliceResult finish(const double* given, double weight, const double* sums, double scale) {
    return measured(sums, scale,
                    [=](double norm) { return product(given[0], product(weight, norm)); });
  }
};

struct sparse_group_penalty {
  static constexpr const char* name = "sparse_group_penalty";
  static constexpr auto params =
      parameters(Param{"l1", Rule::non_negative}, Param{"group", Rule::non_negative});
  using Elements = scaled_by_norm;
  using OfElements = l1_penalty;  // of the first parameter, is added for all elements
  static constexpr bool groups = true;
  static constexpr bool measures = true;

  static SliceResult finish(const double* given, double weight, const double* sums, double scale) {
    return group_l2_penalty::finish(given + 1, weight, sums, scale);
  }
};

struct group_mcp_penalty {
  static constexpr const char* name = "group_mcp_penalty";
  static constexpr auto params = mcp_penalty::params;
  using Elements = scaled_by_norm;
  static constexpr bool groups = true;
  static constexpr bool measures = true;

  static SliceResult finish(const double* given, double weight, const double* sums, double scale) {
    const mcp_penalty penalty{product(given[0], weight), given[1]};
    return measured(sums, scale, [=](double norm) { return penalty_of(penalty, norm); });
  }
};

struct group_scad_penalty {
  static constexpr const char* name = "group_scad_penalty";
  static constexpr auto params = scad_penalty::params;
  using Elements = scaled_by_norm;
  static constexpr bool groups = true;
  static constexpr bool measures = true;

  static SliceResult finish(const double* given, double weight, const double* sums, double scale) {
    const scad_penalty penalty{product(given[0], weight), given[1]};
    return measured(sums, scale, [=](double norm) { return penalty_of(penalty, norm); });
  }
};

}  // namespace bridle::inline BRIDLE_ISA::ops
