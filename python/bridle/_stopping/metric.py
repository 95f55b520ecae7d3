"""One metric of early stopping: what is an improvement, and what it does to the counters."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, NamedTuple, TypeAlias

Mode: TypeAlias = Literal["min", "max"]


class Standing(NamedTuple):
    """How a metric stands: its best value, that value's epoch, epochs without a better one."""

    best: float | None = None
    best_epoch: int | None = None
    wait: int = 0
    average: float | None = None
    """The moving average, None without `smoothing` and before the first finite value."""


class Verdict(NamedTuple):
    """What one value of a metric means."""

    standing: Standing
    value: float
    finite: bool
    improved: bool
    on_target: bool
    diverged: bool


@dataclass(frozen=True)
class Metric:
    """The rules of one metric. They change nothing: a standing goes in, the next one comes out."""

    name: str
    mode: Mode
    min_delta: float
    relative: bool
    baseline: float | None
    target: float | None
    divergence: float | None
    smoothing: float | None

    def recorded(self, standing: Standing, value: float) -> tuple[Standing, float]:
        """Return the standing with the value in its average, and the value to be judged."""
        if self.smoothing is None or not math.isfinite(value):
            return standing, value
        if standing.average is not None:
            value = self.smoothing * standing.average + (1 - self.smoothing) * value
        return standing._replace(average=value), value

    def judge(self, standing: Standing, value: float, epoch: int) -> Verdict:
        """Return what the value of an epoch means and where the metric stands after it."""
        standing, value = self.recorded(standing, value)
        finite = not math.isnan(value) and value != self.worst
        on_target = finite and self._as_good_as(value, self.target)
        # The first value on target is kept, however small the gain, since training stops with it.
        improved = finite and (
            self._beats(value, standing.best)
            or (on_target and not self._as_good_as(standing.best, self.target))
        )
        if improved:
            standing = standing._replace(best=value, best_epoch=epoch)
        restarts = improved and self._beats(value, self.baseline)
        standing = standing._replace(wait=0 if restarts else standing.wait + 1)
        diverged = self._as_good_as(self.divergence, value)
        return Verdict(standing, value, finite, improved, on_target, diverged)

    def check_thresholds(self, owner: str) -> None:
        """Raise ValueError where every value would be on target or diverged."""
        if self._as_good_as(self.divergence, self.target):
            raise ValueError(
                f"{owner}: divergence must be worse than the target {self.target}, "
                f"got {self.divergence}"
            )

    @property
    def worst(self) -> float:
        """Infinity on the bad side."""
        return math.inf if self.mode == "min" else -math.inf

    def _beats(self, value: float, reference: float | None) -> bool:
        if reference is None:
            return True
        margin = self.min_delta
        if self.relative and math.isfinite(reference):
            margin *= abs(reference)
        # Keras' expressions: the rearranged `reference - value > margin` rounds differently.
        if self.mode == "min":
            return value + margin < reference
        return value - margin > reference

    def _as_good_as(self, value: float | None, reference: float | None) -> bool:
        if value is None or reference is None:
            return False
        return value <= reference if self.mode == "min" else value >= reference
