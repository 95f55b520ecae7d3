// Norms, sums, averages and conversions of lists of arrays as C functions.
#include "lists.hpp"

#include <cmath>
#include <cstddef>
#include <deque>
#include <vector>

#include "arguments.hpp"
#include "arrays.hpp"
#include "drivers/cast.hpp"
#include "drivers/combine.hpp"
#include "drivers/norm.hpp"
#include "refusal.hpp"

namespace bridle::c {
namespace {

constexpr std::size_t kFirstNorm = 24;
static_assert(sizeof(bridle_norm) == offsetof(bridle_norm, largest) + 8);

void check_not_nan(const char* function, const char* parameter, double value) {
  if (std::isnan(value)) fail(function, std::string(parameter) + " must not be NaN, got nan");
}

void check_structure(const char* function, const bridle_norm* norm) {
  if (!is_structure(norm, kFirstNorm)) {
    fail(function, "norm must be a structure of a size that it had once, got " +
                       std::to_string(norm->size) + " bytes");
  }
}

// Contiguous arrays are not walked.
class Arrays {
 public:
  explicit Arrays(std::pmr::memory_resource* memory) : walks_(memory) {}

  Walked walked(const bridle_array& array, bool contiguous) {
    Walked result{static_cast<char*>(array.data), static_cast<DType>(array.dtype), nullptr};
    if (!contiguous) result.walk = &walks_.emplace_back(walk_of(array));
    return result;
  }

 private:
  std::pmr::deque<Walk> walks_;
};

NormSums sums_of(const char* function, const bridle_array* given, std::size_t count, bool written) {
  CallMemory memory;
  const ArrayGroup groups[] = {{"arrays", given, written}};
  ArrayGroups{function, groups, count, memory.get()}.check(any_float_rule);
  Arrays arrays(memory.get());
  std::pmr::vector<NormArray> list(memory.get());
  list.reserve(count);
  std::size_t chunks = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t size = size_of(given[i]);
    list.push_back({arrays.walked(given[i], is_contiguous(given[i])), size, chunks});
    chunks += chunks_of(size);
  }
  return norm_sums(list.data(), count);
}

bridle_norm norm_of_sums(const NormSums& sums, double scale) {
  const Norm norm = norm_of(sums, scale);
  return {0, std::isfinite(sums.largest), norm.l2, norm.largest};
}

double scale_for(const char* function, double l2, double max_norm) {
  if (!std::isfinite(l2)) {
    fail(function, "the norm must be finite, got " + detail::text_of(l2));
  }
  return l2 <= max_norm ? 1.0 : max_norm / l2;
}

void check_max_norm(const char* function, double max_norm) {
  detail::check_parameter(function, {"max_norm", Rule::non_negative}, max_norm);
}

// The pairs of two lists, which may be one, that have been checked.
std::pmr::vector<ListedPair> pairs_of(const bridle_array* from, const bridle_array* to,
                                      std::size_t count, Arrays& arrays,
                                      std::pmr::memory_resource* memory) {
  std::pmr::vector<ListedPair> pairs(memory);
  pairs.reserve(count);
  std::uint64_t first = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const bool contiguous = is_contiguous(from[i]) && is_contiguous(to[i]);
    const std::size_t size = size_of(to[i]);
    pairs.push_back(
        {arrays.walked(from[i], contiguous), arrays.walked(to[i], contiguous), size, first});
    first += size;
  }
  return pairs;
}

// from: null to scale.
void run_combine(const char* function, Combination combination, const ArrayGroup& to,
                 const ArrayGroup& from, std::size_t count, double factor) {
  CallMemory memory;
  const ArrayGroup groups[] = {to, from};
  ArrayGroups{function, groups, count, memory.get()}.check(rule_of(combination));
  Arrays arrays(memory.get());
  const auto pairs =
      pairs_of(from.arrays ? from.arrays : to.arrays, to.arrays, count, arrays, memory.get());
  combine(combination, factor, pairs.data(), count);
}

// A list that is not empty must be given.
void check_given(const char* function, const ArrayGroup& group, std::size_t count) {
  if (count > 0 && !group.arrays) {
    fail(function, std::string(group.name) + " must be given, got null");
  }
}

}  // namespace

int global_norm(const bridle_array* arrays, std::int64_t count, double scale,
                bridle_norm* norm) noexcept {
  return guarded([&] {
    constexpr const char* name = "global_norm";
    check_not_nan(name, "scale", scale);
    if (!norm) fail(name, "norm must be given, got null");
    check_structure(name, norm);
    const std::size_t length = checked_count(name, count);
    check_given(name, {"arrays", arrays, false}, length);
    write_structure(norm_of_sums(sums_of(name, arrays, length, false), scale), norm);
  });
}

int clip_scale(const bridle_norm* norm, double max_norm, double* scale) noexcept {
  return guarded([&] {
    constexpr const char* name = "clip_scale";
    if (!norm || !scale) fail(name, "norm and scale must be given, got null");
    check_structure(name, norm);
    check_max_norm(name, max_norm);
    *scale = scale_for(name, norm->l2, max_norm);
  });
}

int clip_by_global_norm(const bridle_array* arrays, std::int64_t count, double max_norm,
                        bridle_norm* norm) noexcept {
  return guarded([&] {
    constexpr const char* name = "clip_by_global_norm";
    check_max_norm(name, max_norm);
    check_structure(name, norm);
    const ArrayGroup list{"arrays", arrays, true};
    const std::size_t length = checked_count(name, count);
    check_given(name, list, length);
    const bridle_norm found = norm_of_sums(sums_of(name, arrays, length, true), 1.0);
    const double scale = scale_for(name, found.l2, max_norm);
    if (scale < 1.0) run_combine(name, Combination::scale, list, {}, length, scale);
    if (norm) write_structure(found, norm);
  });
}

int accumulate(const bridle_array* total, const bridle_array* gradient, std::int64_t count,
               double scale) noexcept {
  return guarded([&] {
    constexpr const char* name = "accumulate";
    check_not_nan(name, "scale", scale);
    const ArrayGroup to{"total", total, true}, from{"gradient", gradient, false};
    const std::size_t length = checked_count(name, count);
    check_given(name, to, length);
    check_given(name, from, length);
    run_combine(name, Combination::accumulate, to, from, length, scale);
  });
}

int average_update(const bridle_array* average, const bridle_array* w, std::int64_t count,
                   double decay) noexcept {
  return guarded([&] {
    constexpr const char* name = "average_update";
    if (!keeps(Rule::unit_interval, decay)) {
      fail(name, "decay must be >= 0 and <= 1, got " + detail::text_of(decay));
    }
    const ArrayGroup to{"average", average, true}, from{"w", w, false};
    const std::size_t length = checked_count(name, count);
    check_given(name, to, length);
    check_given(name, from, length);
    run_combine(name, Combination::average, to, from, length, 1.0 - decay);
  });
}

int cast_arrays(const bridle_array* x, const bridle_array* out, std::int64_t count,
                const bridle_random_bits* random_bits) noexcept {
  return guarded([&] {
    constexpr const char* name = "cast";
    const ArrayGroup groups[] = {{"x", x, false}, {"out", out, true}};
    const std::size_t length = checked_count(name, count);
    for (const ArrayGroup& group : groups) check_given(name, group, length);
    CallMemory memory;
    ArrayGroups{name, groups, length, memory.get()}.check(random_bits ? into_halves_rule
                                                                      : any_float_rule);
    const bridle_random_bits bits = random_bits ? *random_bits : bridle_random_bits{};
    check_offset(name, bits, total_size(x, length));
    Arrays arrays(memory.get());
    const auto pairs = pairs_of(x, out, length, arrays, memory.get());
    cast({pairs.data(), length, random_bits != nullptr, {bits.seed, bits.stream}, bits.offset});
  });
}

}  // namespace bridle::c
