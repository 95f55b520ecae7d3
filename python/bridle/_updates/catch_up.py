"""Rows of a table that were not touched for some steps: all of those steps at once."""

from __future__ import annotations

from typing import Any, SupportsInt

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bridle import _core
from bridle._call import non_negative
from bridle._updates.call import check_arrays
from bridle._updates.rows import Counts, integers, row_numbers

__all__ = ["catch_up"]

NAME = "catch_up"

BLOCK = 2**20
"""Bytes of rows that are copied at a time, where a copy is needed."""


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
    for it.

    Parameters
    ----------
    w : ndarray
        Table of one or more dimensions, overwritten; rows lie along its first. Copies are made, a
        block at a time, only of rows that are not contiguous.
    rows : array_like of int
        Numbers of the rows, each at most once.
    missed : int or array_like of int
        Number of steps, >= 0, one for all rows or one for each.
    step, l1, l2, weight_decay, toward
        As for `proximal_step`; `toward` has the shape and the type of `w` and shares no memory with
        it.

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
    _check_tables(w, toward)
    where = row_numbers(NAME, "rows", rows, w.shape[0])
    counts = _missed(missed, where.size)
    size = non_negative(NAME, "step", step)
    decay = non_negative(NAME, "weight_decay", weight_decay)
    numbers = size, non_negative(NAME, "l1", l1), non_negative(NAME, "l2", l2), decay
    rate = size * decay if size and decay else 0.0  # even if the other is infinite
    if not rate <= 1:
        raise ValueError(f"{NAME}: step * weight_decay must be between 0 and 1, got {rate}")
    if where.size == 0 or w.size == 0:
        return
    # What a subclass does with operators and indices does not matter.
    table, target = np.asarray(w), None if toward is None else np.asarray(toward)
    if all(t is None or t[:1].flags.c_contiguous for t in (table, target)):
        _core.catch_up(table, target, where, counts, *numbers)
    else:
        _catch_up_copies(table, target, where, counts, numbers)


def _catch_up_copies(
    w: NDArray[Any],
    toward: NDArray[Any] | None,
    rows: Counts,
    missed: Counts,
    numbers: tuple[float, float, float, float],
) -> None:
    """Catch up in copies of the rows, some of them at a time, that are written back."""
    step = max(1, BLOCK * w.shape[0] // w.nbytes)
    for begin in range(0, rows.size, step):
        block = slice(begin, begin + step)
        copy = np.ascontiguousarray(w[rows[block]])
        target = None if toward is None else np.ascontiguousarray(toward[rows[block]])
        _core.catch_up(copy, target, np.arange(len(copy)), missed[block], *numbers)
        w[rows[block]] = copy


def _check_tables(w: Any, toward: Any) -> None:
    if not isinstance(w, np.ndarray) or w.ndim == 0:
        got = f"{w.dtype} of shape ()" if isinstance(w, np.ndarray) else type(w).__name__
        raise TypeError(f"{NAME}: w must be an array of one or more dimensions, got {got}")
    if toward is not None and not isinstance(toward, np.ndarray):
        raise TypeError(f"{NAME}: toward must be an array like w, got {type(toward).__name__}")
    check_arrays(NAME, {"w": w, "toward": toward})


def _missed(missed: ArrayLike | SupportsInt, size: int) -> Counts:
    counts = integers(NAME, "missed", missed)
    if counts.ndim == 1 and counts.size != size:
        raise ValueError(
            f"{NAME}: missed must have one number for each of {size} rows, got {counts.size}"
        )
    if counts.size > 0 and counts.min() < 0:
        raise ValueError(f"{NAME}: missed must be >= 0, got {counts.min()}")
    return counts if counts.ndim == 1 else np.full(size, counts)
