// What many operators of whole vectors do.
#include "vector_parts.hpp"

#include <algorithm>
#include <atomic>

namespace bridle::vectors {

void keep(const WholeVector& vector) {
  if (vector.x != vector.out) copy(vector.x, vector.out, vector.size * item_size(vector.dtype));
}

void fill(const WholeVector& vector, double number) {
  as_element(vector.dtype, number, [&](auto element) {
    using Element = decltype(element);
    for_each_part(vector, nullptr, [=](const char*, char* out, std::size_t, std::size_t size) {
      std::fill_n(reinterpret_cast<Element*>(out), size, element);
    });
  });
}

double largest(const WholeVector& vector) {
  const auto kernel = kernels().vectors.largest[static_cast<int>(vector.dtype)];
  // The sums of a maximum: NaN where there is one.
  std::atomic<std::uint64_t> most = 0;  // the bits of a magnitude, which are ordered as it is
  for_each_part(vector, work_of(kernel), [&](const char* x, char*, std::size_t, std::size_t size) {
    const auto bits = __builtin_bit_cast(std::uint64_t, kernel(x, size));
    std::uint64_t before = most;
    while (before < bits && !most.compare_exchange_weak(before, bits)) {
    }
  });
  return __builtin_bit_cast(double, most.load());
}

}  // namespace bridle::vectors
