"""Rows of a table that were not touched for some steps: all of those steps at once."""

from __future__ import annotations

import math
from typing import Any, NamedTuple, SupportsInt

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bridle import _core
from bridle._call import FLOAT_DTYPES
from bridle._update_call import non_negative

__all__ = ["catch_up"]

NAME = "catch_up"
Doubles = NDArray[np.float64]
Counts = NDArray[np.int64]

SMALLEST = {
    size: float(np.finfo(kind).smallest_subnormal)
    for size, kind in ((2, np.float32), (4, np.float32), (8, np.float64))
}
"""Least positive number of the type that weights of so many bytes are computed in."""


class _Step(NamedTuple):
    """One step x -> soft_threshold(keep·x + pull, threshold) / divisor, pull = rate·toward."""

    keep: float
    threshold: float
    divisor: float
    loss: float
    """1 - keep/divisor, of these very numbers, without the rounding error of that difference."""

    def region(self, x: Doubles, pull: Doubles) -> Doubles:
        """Return 1, -1 or 0: the sign of the next value."""
        y = self.keep * x + pull
        return np.where(np.abs(y) > self.threshold, np.sign(y), 0.0)

    def of_infinite(self, x: Doubles, pull: Doubles) -> Doubles:
        """Return what any number of steps makes of an x or a pull that is not finite."""
        y = np.where(np.isfinite(pull), self.keep * x + pull, np.nan)
        return np.asarray((y - np.clip(y, -self.threshold, self.threshold)) / self.divisor)

    def powers(self, count: Counts) -> tuple[Doubles, Doubles]:
        """Return r**count and 1 + r + … + r**(count - 1), where r = 1 - loss."""
        if self.loss == 0:
            return np.ones(count.shape), count.astype(np.float64)
        if self.loss < 0.5:  # a power of the rounded 1 - loss would be wrong by count roundings
            exponent = count * np.log1p(-self.loss)
            return np.exp(exponent), -np.expm1(exponent) / self.loss
        power = (self.keep / self.divisor) ** count.astype(np.float64)
        return power, (1 - power) / self.loss

    def repeated(self, x: Doubles, pull: Doubles, region: Doubles, count: Counts) -> Doubles:
        """Return x after `count` steps that stay in a region, where a step is linear."""
        power, total = self.powers(count)
        return np.asarray(power * x + (pull - region * self.threshold) / self.divisor * total)


def _one_step(size: float, l1: float, l2: float, rate: float) -> _Step:
    """Return a step; its loss and what it gives of `toward` are those of the rounded keep."""
    keep, divisor = 1 - rate, 1 + 2 * _product(size, l2)
    loss = 1.0 if math.isinf(divisor) else ((divisor - 1) + (1 - keep)) / divisor
    return _Step(keep, _product(size, l1), divisor, loss)


def _product(step: float, strength: float) -> float:
    """Return step * strength, 0 if either is 0 and the other infinite."""
    return step * strength if step and strength else 0.0


def catch_up(
    w: NDArray[Any],
    rows: ArrayLike,
    missed: ArrayLike,
    step: float,
    *,
    l1: float = 0.0,
    l2: float = 0.0,
    weight_decay: float = 0.0,
    toward: NDArray[Any] | None = None,
) -> None:
    r"""Give rows of a table the decay and shrinkage of the steps that they have missed.

    Row ``w[rows[i]]`` becomes what ``missed[i]`` calls of `proximal_step` would make of it. An
    embedding table can so be regularized row by row when a row is used, instead of as a whole in
    every step. The cost does not depend on the number of missed steps (but for weights that cross
    zero on the way to `toward`, and then by its logarithm): while no weight changes its sign, k
    steps are

    .. math:: w \leftarrow r^k w + \frac{1 - r^k}{1 - r} c, \qquad
              r = \frac{1 - step \cdot weight\_decay}{1 + 2 \, step \, l_2}, \qquad
              c = \frac{step \cdot (weight\_decay \cdot t - \operatorname{sign}(w) \, l_1)}
                  {1 + 2 \, step \, l_2}

    and a weight that reaches zero stays there, unless t draws it on. The numbers of a row are
    computed in float64 and a weight is rounded once, so that no type loses steps that are too small
    for it. Without `toward`, all threads work.

    Parameters
    ----------
    w : ndarray
        Table of one or more dimensions, overwritten; rows lie along its first.
    rows : array_like of int
        Numbers of the rows, each at most once.
    missed : int or array_like of int
        Number of steps, >= 0, one for all rows or one for each.
    step, l1, l2, weight_decay, toward
        As for `proximal_step`; `toward` has the shape of `w`.

    Raises
    ------
    IndexError
        If a row is negative or too large.
    ValueError, TypeError
        If another argument does not fit. Nothing has been written then.

    See Also
    --------
    proximal_step : One step for all rows.

    References
    ----------
    .. [1] J. Duchi and Y. Singer, "Efficient online and batch learning using forward backward
       splitting", J. Mach. Learn. Res. 10 (2009), section 5: lazy updates.

    Examples
    --------
    >>> import numpy as np
    >>> import bridle as br
    >>> table = np.array([[1.0, -0.2], [1.0, 1.0], [0.5, 0.1]])
    >>> br.catch_up(table, rows=[0, 2], missed=[3, 1], step=0.1, l1=1.0)
    >>> table
    array([[0.7, 0. ],
           [1. , 1. ],
           [0.4, 0. ]])
    """
    _check_table(w, toward)
    where = _rows(rows, w.shape[0])
    counts = _missed(missed, where.size)
    size = non_negative(NAME, "step", step)
    first, second = non_negative(NAME, "l1", l1), non_negative(NAME, "l2", l2)
    rate = _product(size, non_negative(NAME, "weight_decay", weight_decay))
    if not rate <= 1:
        raise ValueError(f"{NAME}: step * weight_decay must be between 0 and 1, got {rate}")
    one = _one_step(size, first, second, rate)
    w = np.asarray(w)  # what a subclass does with operators and indices does not matter
    where, counts = where[counts > 0], counts[counts > 0]
    if where.size == 0 or w.size == 0:
        return
    with np.errstate(invalid="ignore", over="ignore", under="ignore"):
        if toward is None or one.keep == 1:
            _shrink(w, where, one, counts)
        else:
            pull = (1 - one.keep) * np.asarray(toward)[where].astype(np.float64)
            each = counts.reshape(-1, *[1] * (w.ndim - 1))
            after = _after(one, w[where].astype(np.float64), pull, each).astype(w.dtype)
            w[where] = after + w.dtype.type(0)  # a negative number may have become -0.0


def _shrink(w: NDArray[Any], rows: Counts, step: _Step, counts: Counts) -> None:
    """Take steps towards zero, where weights stay once they get there.

    All of them are soft_threshold(power·w, total·threshold/divisor), one proximal step with numbers
    of each row.
    """
    power, total = step.powers(counts)
    if step.loss < 1:
        power = np.maximum(power, SMALLEST[w.dtype.itemsize])  # infinite weights stay so
    each = 0.0 if math.isinf(step.divisor) else step.threshold / step.divisor
    threshold = each * total if each else np.zeros_like(total)  # 0 times infinity is none here
    if w[0].flags.c_contiguous:
        _core.shrink_rows(w, rows, power, threshold)
    else:
        copy = np.ascontiguousarray(w[rows])
        _core.shrink_rows(copy, np.arange(rows.size), power, threshold)
        w[rows] = copy


def _after(step: _Step, x: Doubles, pull: Doubles, counts: Counts) -> Doubles:
    """Return x after `counts` steps."""
    region = step.region(x, pull)
    last = step.repeated(x, pull, region, counts - 1)
    stays = (region != 0) & (step.region(last, pull) == region)
    result = step.repeated(x, pull, region, counts)
    rest = ~(stays & np.isfinite(x) & np.isfinite(pull))
    result[rest] = _across(step, x[rest], pull[rest], np.broadcast_to(counts, x.shape)[rest])
    return result


def _across(step: _Step, x: Doubles, pull: Doubles, counts: Counts) -> Doubles:
    """Return x after `counts` steps: at most one change of region towards zero and one away."""
    finite = np.isfinite(x) & np.isfinite(pull)
    x = np.where(finite, x, step.of_infinite(x, pull))
    left = np.where(finite, counts, 0)
    rests = np.abs(pull) <= step.threshold  # what comes to zero stays there
    while left.any():
        region = step.region(x, pull)
        inside = _steps_in(step, x, pull, region, left, rests)
        stays = np.where(region == 0, np.minimum(left, 1), inside)
        moved = step.repeated(x, pull, region, stays)
        zero = (region == 0) | (rests & (stays < left))
        x = np.where(left == 0, x, np.where(zero, 0.0, moved))
        left = np.where(rests, 0, left - stays)
    return x


def _steps_in(
    step: _Step,
    x: Doubles,
    pull: Doubles,
    region: Doubles,
    most: Counts,
    rests: NDArray[np.bool_],
) -> Counts:
    """Return how many of the next `most` steps lead into `region`, by bisection.

    Where zero is the end, it does not matter how many do if not all: 1 stands for any number.
    """

    def still(count: Counts) -> NDArray[np.bool_]:
        before = step.repeated(x, pull, region, np.maximum(count - 1, 0))
        return np.asarray(step.region(before, pull) == region)

    low = np.where(still(most), most, np.minimum(most, 1))
    high = np.where(rests, low, most)
    while (open_ := high - low > 1).any() and not (low == most).all():
        middle = low + (high - low) // 2
        inside = still(middle)
        low = np.where(open_ & inside, middle, low)
        high = np.where(open_ & ~inside, middle, high)
        high = np.where(low == most, low, high)
    return low


def _check_table(w: Any, toward: Any) -> None:
    if not isinstance(w, np.ndarray) or w.dtype not in FLOAT_DTYPES or w.ndim == 0:
        got = f"{w.dtype} of shape {w.shape}" if isinstance(w, np.ndarray) else type(w).__name__
        raise TypeError(
            f"{NAME}: w must be an array of type float16, bfloat16, float32 or float64 with at "
            f"least one dimension, got {got}"
        )
    if isinstance(w, np.ma.MaskedArray):
        raise TypeError(f"{NAME}: masked arrays are not supported; fill or compress them first")
    if not w.flags.writeable:
        raise ValueError(f"{NAME}: w must be writeable, got {w.dtype} of shape {w.shape}")
    if toward is None:
        return
    if not isinstance(toward, np.ndarray) or toward.dtype != w.dtype or toward.shape != w.shape:
        is_array = isinstance(toward, np.ndarray)
        got = f"{toward.dtype} of shape {toward.shape}" if is_array else type(toward).__name__
        like = f"{w.dtype} of shape {w.shape}"
        raise ValueError(f"{NAME}: toward must be an array like w, {like}, got {got}")


def _integers(parameter: str, values: Any) -> Counts:
    array = np.asarray(values)
    if array.size == 0:
        array = array.astype(np.int64)
    if array.ndim > 1 or array.dtype.kind not in "iu":
        raise TypeError(f"{NAME}: {parameter} must be integers in one dimension, got {values!r}")
    if array.dtype.kind == "u" and array.itemsize == 8:
        array = np.minimum(array, np.iinfo(np.int64).max)  # which is out of range, or for ever
    return array.astype(np.int64)


def _rows(rows: ArrayLike, size: int) -> Counts:
    where = np.atleast_1d(_integers("rows", rows))
    outside = where[(where < 0) | (where >= size)]
    if outside.size > 0:
        raise IndexError(f"{NAME}: rows must be >= 0 and < {size}, got {outside[0]}")
    ordered = np.sort(where)
    repeated = ordered[1:][ordered[1:] == ordered[:-1]]
    if repeated.size > 0:
        twice = repeated[0]
        raise ValueError(f"{NAME}: rows must not contain a row twice, got {twice} more than once")
    return where


def _missed(missed: ArrayLike | SupportsInt, size: int) -> Counts:
    counts = _integers("missed", missed)
    if counts.ndim == 1 and counts.size != size:
        raise ValueError(
            f"{NAME}: missed must have one number for each of {size} rows, got {counts.size}"
        )
    if counts.size > 0 and counts.min() < 0:
        raise ValueError(f"{NAME}: missed must be >= 0, got {counts.min()}")
    return np.broadcast_to(counts, (size,))
