// Operators that keep the largest elements.
#include <cmath>

#include "selection.hpp"
#include "vector_operators.hpp"
#include "vector_parts.hpp"

namespace bridle::vectors {
namespace {

// Up to so many elements a vector is looked through as often as its magnitudes have bits: the
// tables of select_largest take longer.
constexpr std::size_t kFewToSelect = 32 * 1024;

}  // namespace

double project_l0_ball(const WholeVector& vector) {
  const double given = vector.given[0];
  const std::size_t k =
      given < static_cast<double>(vector.size) ? static_cast<std::size_t>(given) : vector.size;
  bool nan;
  if (vector.size <= kFewToSelect) {
    nan = keep_largest(vector.dtype, vector.x, vector.out, vector.size, k);
  } else {
    const SelectionArray array{vector.dtype, vector.x, vector.size};
    const Selection found = select_largest(&array, 1, k, vector.scratch);
    nan = found.nan;
    if (!nan) keep_selected(array, vector.out, found.threshold, found.kept_ties());
  }
  if (nan) fill(vector, kNan);
  return 0.0;
}

std::size_t scratch_of_selection(DType, std::size_t size) {
  return size <= kFewToSelect ? 0 : selection_scratch();
}

// A NaN spoils its own vector alone.
bool has_no_nan(const WholeVector& vector) { return !std::isnan(largest(vector)); }

double project_n_m(const WholeVector& vector) {
  const auto n = static_cast<std::size_t>(vector.given[0]);
  const auto m = static_cast<std::size_t>(vector.given[1]);
  if (keep_n_of_m(vector.dtype, vector.x, vector.out, vector.size, n, m)) fill(vector, kNan);
  return 0.0;
}

}  // namespace bridle::vectors
