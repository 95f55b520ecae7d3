"""What sums, averages and scaling share: one call of the core for each."""

from __future__ import annotations

from bridle import _core
from bridle._arrays import Listed

ACCUMULATE, AVERAGE, SCALE = range(3)
"""What becomes of an array beside another one, by the numbers in the core."""


def combine(combination: int, factor: float, to: Listed, beside: Listed | None = None) -> None:
    """Write what becomes of each array beside the one that goes with it."""
    names = (to.parameter, beside.parameter if beside else "", to.function)
    other = beside.handle if beside else None
    _core.combine(combination, names, to.handle, other, to.keys, factor)
