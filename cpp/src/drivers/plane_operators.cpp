// Projections onto half-spaces and hyperplanes.
#include <algorithm>
#include <cmath>

#include "vector_operators.hpp"
#include "vector_parts.hpp"

namespace bridle::vectors {
namespace {

// A power of two that brings numbers of this size near to 1, where their squares would leave the
// range of double.
double scale_for_squares(double size) {
  const bool fits = (size > 0x1p-400 && size < 0x1p400) || size == 0.0 || !(size < kInfinity);
  return fits ? 1.0 : std::ldexp(1.0, std::min(-std::ilogb(size), 1000));
}

// x − max(<x, normal> − offset, 0) / ‖normal‖² · normal; for a plane without the maximum.
void project_plane(const WholeVector& vector, bool half_space) {
  const auto* const normal = vector.beside;
  const VectorKernels& kernels = kernels_of(vector.dtype);
  const std::size_t item = item_size(vector.dtype);
  const auto product = [&](double scale, double normal_scale, double* sums) {
    sum<2>(
        vector.size, work_of(kernels.inner_product),
        [&](std::size_t begin, std::size_t size, double* to) {
          kernels.inner_product(static_cast<const char*>(vector.x) + begin * item, normal + begin,
                                size, scale, normal_scale, to);
        },
        sums);
  };
  double scale = 1.0, normal_scale = 1.0, sums[2];
  product(scale, normal_scale, sums);
  if (!(std::fabs(sums[0]) < kInfinity && sums[1] > 0x1p-800 && sums[1] < 0x1p800)) {
    WholeVector numbers = vector;
    numbers.dtype = DType::float64;
    numbers.x = normal;
    normal_scale = scale_for_squares(largest(numbers));
    scale = scale_for_squares(largest(vector));
    product(scale, normal_scale, sums);
  }
  const double offset = vector.given[0] * normal_scale * scale;
  if (half_space ? sums[0] <= offset : sums[0] == offset) return keep(vector);
  const double factor = (sums[0] - offset) / sums[1] / scale;  // of the normal as it is scaled
  if (!(std::fabs(factor) < kInfinity)) return fill(vector, kNan);
  for_each_part(vector, work_of(kernels.subtract),
                [&](const char* x, char* out, std::size_t begin, std::size_t size) {
                  kernels.subtract(x, normal + begin, normal_scale, out, size, factor);
                });
}

}  // namespace

double project_halfspace(const WholeVector& vector) {
  project_plane(vector, true);
  return 0.0;
}
double project_hyperplane(const WholeVector& vector) {
  project_plane(vector, false);
  return 0.0;
}

}  // namespace bridle::vectors
