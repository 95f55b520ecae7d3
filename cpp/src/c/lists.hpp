// The C functions of lists of arrays; c_api.h says what they do.
#pragma once

#include <bridle/c_api.h>

#include <cstdint>

namespace bridle::c {

int update_arrays(const bridle_update* update, bridle_update_summary* summary) noexcept;
int global_norm(const bridle_array* arrays, std::int64_t count, double scale,
                bridle_norm* norm) noexcept;
int clip_scale(const bridle_norm* norm, double max_norm, double* scale) noexcept;
int clip_by_global_norm(const bridle_array* arrays, std::int64_t count, double max_norm,
                        bridle_norm* norm) noexcept;
int accumulate(const bridle_array* total, const bridle_array* gradient, std::int64_t count,
               double scale) noexcept;
int average_update(const bridle_array* average, const bridle_array* w, std::int64_t count,
                   double decay) noexcept;
int cast_arrays(const bridle_array* x, const bridle_array* out, std::int64_t count,
                const bridle_random_bits* random_bits) noexcept;

}  // namespace bridle::c
