"""The rows of tables that an update is for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bridle import _core
from bridle._call import as_array, refuse_masked, shown

Counts: TypeAlias = NDArray[np.int64]

Rows: TypeAlias = ArrayLike | Sequence[ArrayLike]


def integers(name: str, parameter: str, values: Any) -> Counts:
    """Return integers in one dimension, in an array that nobody else can change."""
    refuse_masked(name, parameter, values)
    array = as_array(values)
    if array.size == 0 and array.dtype == np.float64:
        array = array.astype(np.int64)  # of an empty list
    if array.ndim > 1 or array.dtype.kind not in "iu":
        raise TypeError(
            f"{name}: {parameter} must be integers in one dimension, got {shown(values)}"
        )
    if array.dtype.kind == "u" and array.itemsize == 8:
        array = np.minimum(array, np.iinfo(np.int64).max)  # which is out of range, or for ever
    return np.array(array, np.int64)


def row_numbers(name: str, parameter: str, rows: Any, size: int) -> Counts:
    """Return the numbers of different rows of a table that has so many."""
    where = np.atleast_1d(integers(name, parameter, rows))
    unfit = _core.unfit_row(where, size)
    if unfit is None:
        return where
    if not 0 <= unfit < size:
        raise IndexError(f"{name}: {parameter} must be >= 0 and < {size}, got {unfit}")
    raise ValueError(
        f"{name}: {parameter} must not contain a row twice, got {unfit} more than once"
    )


def chosen_rows(name: str, rows: Any, w: Any) -> tuple[Counts, ...]:
    """Return the rows of each table: one array of numbers for one table, a list for a list."""
    if isinstance(w, np.ndarray):
        return (row_numbers(name, "rows", rows, _length(name, "w", w)),)
    if not isinstance(rows, (list, tuple)) or len(rows) != len(w):
        got = len(rows) if isinstance(rows, (list, tuple)) else type(rows).__name__
        raise ValueError(
            f"{name}: rows must be a list of {len(w)} arrays of row numbers, as w is, got {got}"
        )
    return tuple(
        row_numbers(name, f"rows[{i}]", each, _length(name, f"w[{i}]", table))
        for i, (each, table) in enumerate(zip(rows, w, strict=True))
    )


def _length(name: str, parameter: str, table: Any) -> int:
    if not isinstance(table, np.ndarray) or table.ndim == 0:
        got = (
            f"{table.dtype} of shape ()" if isinstance(table, np.ndarray) else type(table).__name__
        )
        raise TypeError(
            f"{name}: {parameter} must be an array of one or more dimensions, as rows is given, "
            f"got {got}"
        )
    return len(table)
