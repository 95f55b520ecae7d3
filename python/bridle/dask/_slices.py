"""Groups and vectors of Dask arrays: each where it lies in one block, or by its norm alone.

Vectors that do not lie in one block are brought together along their axes, groups between offsets
by moving the ends of blocks to theirs, groups by labels into one block; unless the Euclidean norm
says all, see `bridle.dask._euclidean`.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from itertools import pairwise
from typing import Any, NamedTuple

import dask.array as da
import numpy as np
from dask.layers import ArrayValuesDep
from numpy.typing import NDArray

from bridle import _core, _slices
from bridle._slices import Slices
from bridle.dask import _euclidean as euclidean
from bridle.dask._blocks import Array, Axes, axes_of, blocks, gathered, known, numbers, plain


class Part(NamedTuple):
    """The groups between offsets that lie in one block, and their weights."""

    offsets: NDArray[np.int64]
    weights: NDArray[np.float64] | None


def slices(
    name: str, x: Any, values: Sequence[Any], how: Slices, weights: Any, beside: Any
) -> Array:
    """Return what an operator makes of the vectors of an array."""
    x, values = known(name, da.asarray(x)), _whole(name, values)
    if how.offsets is not None:
        x, parts = _between_offsets(x, how.offsets, weights)
        task = partial(_block_of_parts, name)
        operands = [(x, (-1,)), (parts, (-1,)), *numbers(values)]
        return blocks(name, task, (-1,), operands, _native(x))
    if _is_cut(x, how) and name in euclidean.OPERATORS:
        return euclidean.applied(name, x, values, how, weights)
    x = gathered(x, how.axes)
    if how.labels is not None:
        task = partial(_block_by_labels, name, how.labels, weights)
        return blocks(name, task, axes_of(x), [(x, axes_of(x)), *numbers(values)], _native(x))
    task = partial(_block_along, name, how.axes, beside)
    operands = [(x, axes_of(x)), _weights_of(x, how, weights), *numbers(values)]
    return blocks(name, task, axes_of(x), operands, _native(x))


def measured(
    name: str, w: Any, values: Sequence[Any], how: Slices, weights: Any, beside: Any
) -> Array:
    """Return what an operator measures of each vector."""
    w = known(name, da.asarray(w))
    axes = axes_of(w)
    if how.offsets is not None:
        w, parts = _between_offsets(w, how.offsets, weights)
        counts = tuple(len(part.offsets) - 1 for part in parts.values)
        operands = [(w, (-1,)), (parts, (-1,)), *numbers(values)]
        task = partial(_measured_parts, name)
        return blocks(name, task, (-1,), operands, np.float64, adjust_chunks={-1: counts})
    if _is_cut(w, how) and name in euclidean.PENALTIES:
        return euclidean.measured(name, w, values, how, weights)
    w = gathered(w, how.axes)
    if how.labels is not None:
        task = partial(_measured_by_labels, name, how.labels, weights)
        operands = [(w, axes), *numbers(values)]
        return blocks(name, task, (0,), operands, np.float64, new_axes={0: how.count})
    task = partial(_measured_along, name, how.axes, beside)
    operands = [(w, axes), _weights_of(w, how, weights), *numbers(values)]
    return blocks(name, task, _kept(w, how), operands, np.float64)


def _whole(name: str, values: Sequence[Any]) -> list[Any]:
    """Return checked numbers, those that count as integers again."""
    facts = _core.slice_operators[name]
    pairs = zip(facts["params"], values, strict=True)
    return [int(value) if kind in facts["whole"] else value for kind, value in pairs]


def _native(x: Array) -> np.dtype[Any]:
    dtype: np.dtype[Any] = x.dtype.newbyteorder("=")
    return dtype


def _is_cut(x: Array, how: Slices) -> bool:
    """Whether a vector lies in several blocks."""
    return any(x.numblocks[axis] > 1 for axis in how.axes)


def _kept(x: Array, how: Slices) -> Axes:
    """Return the axes along which there are several vectors."""
    return tuple(a for i, a in enumerate(axes_of(x)) if i not in how.axes)


def _weights_of(x: Array, how: Slices, weights: Any) -> tuple[Any, Axes | None]:
    """Return the weights of vectors as an operand."""
    return (None, None) if weights is None else (weights.reshape(how.shape), _kept(x, how))


def _along(x: Any, axes: Axes, weights: Any) -> dict[str, Any]:
    own = None if weights is None else np.asarray(weights)
    return {"axis": axes if axes or x.ndim else -1, "weights": own}


def _block_along(name: str, axes: Axes, beside: Any, x: Any, weights: Any, *values: Any) -> Any:
    return _slices.apply(name, x, values, beside=beside, **_along(x, axes, weights))


def _measured_along(name: str, axes: Axes, beside: Any, w: Any, weights: Any, *values: Any) -> Any:
    found = _slices.measured(name, plain(w), values, beside=beside, **_along(w, axes, weights))
    return found.reshape([n for i, n in enumerate(w.shape) if i not in axes])


def _block_by_labels(name: str, labels: Any, weights: Any, x: Any, *values: Any) -> Any:
    return _slices.apply(name, x, values, labels=labels, weights=weights)


def _measured_by_labels(name: str, labels: Any, weights: Any, w: Any, *values: Any) -> Any:
    return _slices.measured(name, w, values, labels=labels, weights=weights)


def _block_of_parts(name: str, x: Any, part: Part, *values: Any) -> Any:
    return _slices.apply(name, x, values, offsets=part.offsets, weights=part.weights)


def _measured_parts(name: str, w: Any, part: Part, *values: Any) -> Any:
    return _slices.measured(name, w, values, offsets=part.offsets, weights=part.weights)


def _between_offsets(
    x: Array, offsets: NDArray[np.int64], weights: NDArray[np.float64] | None
) -> tuple[Array, ArrayValuesDep]:
    """Move the ends of blocks up to those of groups; return the groups of each block, too."""
    ends = np.cumsum(x.chunks[0])
    ends = np.unique(offsets[np.searchsorted(offsets, ends)])
    ends = ends[ends > 0] if x.size > 0 else ends[:1]
    x = x.rechunk((tuple(map(int, np.diff(ends, prepend=0))),))
    starts = np.concatenate([[0], np.searchsorted(offsets, ends[:-1]), [len(offsets) - 1]])
    parts = np.empty(len(ends), object)
    for i, (first, last) in enumerate(pairwise(starts)):
        own = None if weights is None else weights[first:last]
        parts[i] = Part(offsets[first : last + 1] - offsets[first], own)
    return x, ArrayValuesDep(x.chunks, parts)
