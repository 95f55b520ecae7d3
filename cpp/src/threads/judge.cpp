#include "judge.hpp"

#include <algorithm>

namespace bridle {

std::int64_t Judge::trial_of(std::int64_t call) noexcept {
  return std::max(kTrial, call / kShareOfCall);
}

Judge::Usual& Judge::usual(const Kind& kind) noexcept {
  const auto address = [](auto pointer) { return reinterpret_cast<std::uintptr_t>(pointer); };
  const std::uint64_t mixed =
      (address(kind.function) + 3 * address(kind.work) + kind.size) * 0x9e3779b97f4a7c15u;
  // Each place is for two kinds, or calls in turn might never be told apart.
  Usual* const pair = &usual_[mixed >> 32 & (kUsuals - 2)];
  for (Usual* of = pair; of < pair + 2; ++of) {
    if (of->function == kind.function && of->work == kind.work && of->size == kind.size) return *of;
  }
  pair[1] = pair[0];
  pair[0] = {kind.function, kind.work, kind.size};
  return pair[0];
}

bool Judge::prefers_alone(const Kind& kind) noexcept {
  if (owed_ > 0) return true;
  const Usual& of = usual(kind);
  const std::uint32_t first = kind.brief ? 0 : kFirstCalls;
  return of.calls >= (of.alone == 0 ? first : kCallsBetween);
}

void Judge::worked_alone(const Kind& kind, std::int64_t time) noexcept {
  if (owed_ > 0) {
    owed_ = std::max<std::int64_t>(0, owed_ - time);
    if (owed_ == 0) balance_ = trial_of(time);
  }
  Usual& of = usual(kind);
  if (of.was_alone) {
    // Interruptions make it longer, never shorter.
    of.alone = of.alone == 0 ? time : std::min(time, of.alone + of.alone / 16);
    of.calls = 0;
  }
  of.was_alone = true;
}

void Judge::worked_together(const Kind& kind, std::int64_t time, std::int64_t estimate) noexcept {
  Usual& of = usual(kind);
  ++of.calls;
  of.was_alone = false;
  const std::int64_t alone = of.alone > 0 ? of.alone : kind.brief ? time : estimate;
  balance_ = std::min(balance_ + alone - time, std::max(kMost, alone / kShareOfCall));
  together_ += time;
  if (together_ >= kWell) patience_ = kPatience;
  if (balance_ >= 0) return;
  owed_ = std::min(patience_ * (trial_of(alone) - balance_), kMostOwed);
  patience_ = std::min(2 * patience_, kMostPatience);
  together_ = 0;
}

}  // namespace bridle
