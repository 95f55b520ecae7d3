"""Operands of fused updates: weights, gradient and state of one array."""

from typing import Any, NamedTuple

import numpy as np

from ..cases import DTYPES
from .oracle import Update, expected

SQUARES = ("second_moment", "accumulator", "square_average")


def is_half(dtype: np.dtype) -> bool:
    return dtype.itemsize == 2


def state_dtype(dtype: np.dtype) -> np.dtype:
    return np.dtype(np.float32) if is_half(dtype) else dtype


class Operands(NamedTuple):
    w: np.ndarray
    gradient: np.ndarray | None
    state: list[np.ndarray]
    toward: np.ndarray | None

    @property
    def arrays(self) -> list[np.ndarray]:
        """All arrays that are there."""
        every = [self.w, self.gradient, *self.state, self.toward]
        return [array for array in every if array is not None]

    def map(self, change: Any) -> "Operands":
        """Return the arrays changed one by one."""
        return Operands(
            change(self.w),
            None if self.gradient is None else change(self.gradient),
            [change(array) for array in self.state],
            None if self.toward is None else change(self.toward),
        )

    def copy(self) -> "Operands":
        return self.map(np.copy)

    def call(self, row: Update, iteration: int = 1, **keywords: Any) -> Any:
        """Update with the library, in place; any `toward` but None becomes that of the operands."""
        if keywords.get("toward") is not None:
            keywords["toward"] = self.toward
        return row.call(self.w, self.gradient, self.state, iteration, **keywords)

    def expected(self, row: Update, iteration: int = 1, **keywords: Any) -> Any:
        """Return what the definition makes of weights and state."""
        if keywords.get("toward") is not None:
            keywords["toward"] = self.toward
        return expected(row, self.w, self.gradient, self.state, iteration, **keywords)


def operands(
    row: Update,
    dtype: np.dtype,
    shape: Any = 300,
    seed: int = 1,
    *,
    gradient: np.dtype | None = None,
) -> Operands:
    """Return ordinary numbers, some of them zero; squares in the state are >= averages squared."""
    rng = np.random.default_rng([seed, len(row.name)])

    def normal(scale: float, of: np.dtype, zeros: float = 0.1) -> np.ndarray:
        numbers = np.clip(rng.normal(size=shape), -2.5, 2.5) * scale
        return np.where(rng.random(shape) < zeros, 0.0, numbers).astype(of)

    wide = state_dtype(dtype)
    state = [
        np.asarray(np.abs(normal(1.0, wide)) + wide.type(0.5))
        if name in SQUARES
        else normal(0.2, wide)
        for name in row.states
    ]
    g = normal(2.0, gradient or dtype) if row.has_gradient else None
    return Operands(normal(1.0, dtype), g, state, normal(0.5, dtype))


def assert_close(actual: np.ndarray, wanted: np.ndarray, context: Any = "") -> None:
    """Compare with float64: to some roundings of numbers of size 1, halves to one of their own."""
    eps = float(np.finfo(state_dtype(actual.dtype)).eps)
    exact = actual.astype(np.float64)
    allowed = 100 * eps * (1 + np.abs(wanted))
    if is_half(actual.dtype):
        own = {"float16": 2.0**-11, "bfloat16": 2.0**-8}[str(actual.dtype)]
        allowed = allowed + own * np.abs(wanted) + 2.0**-24
    with np.errstate(invalid="ignore"):
        wrong = ~(np.abs(exact - wanted) <= allowed)
    wrong &= ~(np.isnan(exact) & np.isnan(wanted)) & (exact != wanted)
    if wrong.any():
        i = tuple(int(k[0]) for k in np.nonzero(np.atleast_1d(wrong)))
        got, want = np.atleast_1d(exact)[i], np.atleast_1d(wanted)[i]
        raise AssertionError(f"{wrong.sum()} differ; at {i}: {got} instead of {want}; {context}")


def gradient_types(dtype: np.dtype) -> list[np.dtype]:
    return [dtype, DTYPES["float32"]] if is_half(dtype) else [dtype]
