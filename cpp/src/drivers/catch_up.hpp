// Rows of a table that have missed steps of proximal_step: all of those steps at once. The caller
// keeps the floating-point state (threads/status_flags.hpp).
#pragma once

#include <bridle/export.h>

#include <bridle/ops/twofold.hpp>

#include "core.hpp"

namespace bridle {

// What k equal steps x → r·x + c make together: x → power·x + total·c.
struct Repeated {
  ops::Twofold power;  // rᵏ
  ops::Twofold total;  // 1 + r + … + rᵏ⁻¹
};

// One step x → soft_threshold(keep·x + pull, threshold)/divisor, pull = (1 − keep)·toward.
struct DecayStep {
  double keep, threshold, divisor;
};

// Numbers >= 0 of proximal_step, step·weight_decay <= 1.
inline DecayStep decay_step(double step, double l1, double l2, double weight_decay) {
  return {1 - ops::product(step, weight_decay), ops::product(step, l1),
          1 + 2 * ops::product(step, l2)};
}

// Any number of equal steps, as long as they stay in a region where a step is linear: of them
// those that are a power of two.
struct RepeatedSteps {
  DecayStep step;
  Repeated doubled[63];
};
BRIDLE_API RepeatedSteps repeated_steps(const DecayStep& step) noexcept;

// Steps towards zero, where weights stay once they get there, are together one proximal step of
// size 1 with these numbers.
struct Shrinkage {
  double keep, threshold;
};
BRIDLE_API Shrinkage shrinkage(const RepeatedSteps& steps, std::int64_t count,
                               DType dtype) noexcept;

// Rows of tables; the elements of a row are contiguous, `stride` is in bytes.
struct MissedRows {
  DType dtype;
  char* table;
  std::ptrdiff_t stride;
  const char* toward;
  std::ptrdiff_t toward_stride;
  std::size_t row_size;
  const std::int64_t* rows;    // no row twice
  const std::int64_t* missed;  // >= 0
  std::size_t count;
};

// Row rows[i] takes missed[i] steps towards the row of the same number in `toward`.
BRIDLE_API void draw(const RepeatedSteps& steps, const MissedRows& missed) noexcept;

}  // namespace bridle
