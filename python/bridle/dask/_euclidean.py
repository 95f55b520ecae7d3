"""Vectors in several blocks whose Euclidean norm says all: no element moves, only norms do.

Each block has norms of its own. The norm of these is that of the whole vector, and an operator that
multiplies a vector by a function of its norm does to the vector what it does to the norm, seen as a
vector of one element.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np

from bridle import _call, _singular_values, _slices
from bridle._slices import Slices
from bridle.dask._blocks import Array, Axes, axes_of, blocks, numbers, plain, reduced

NORM = "group_l2_penalty"
PENALTIES = (
    "group_l2_penalty",
    "group_mcp_penalty",
    "group_scad_penalty",
    "l2_norm_penalty",
    "sparse_group_penalty",
)
"""Functions of the norm alone; of the sparse group it is the part of the groups."""
OPERATORS = (
    "group_soft_threshold",
    "max_norm",
    "min_max_norm",
    "project_l2_ball",
    "prox_group_mcp",
    "prox_group_scad",
    "prox_l2_norm",
    "prox_sparse_group",
    "unit_norm",
)
"""A function of the norm times the vector, in the sparse group after a soft threshold."""


def applied(name: str, x: Array, values: Sequence[Any], how: Slices, weights: Any) -> Array:
    """Return what an operator makes of vectors that lie in several blocks."""
    dtype = x.dtype.newbyteorder("=")
    values = list(values)
    if name == "prox_sparse_group":
        l1, _, step = values
        wide = x.astype(np.result_type(dtype, np.float32))  # halves are rounded once, at the end
        operands = [(wide, axes_of(wide)), *numbers([l1, step])]
        x = blocks(name, _soft, axes_of(wide), operands, wide.dtype)
        values[0] = 0.0
    norms, axes = _norms(name, x, how)
    weights = None if weights is None else weights.reshape(norms.shape)
    operands = [(norms, axes), (weights, None if weights is None else axes), *numbers(values)]
    wanted = blocks(name, partial(_wanted, name), axes, operands, np.float64)
    every = axes_of(x)
    operands = [(x, every), (norms, axes), (wanted, axes)]
    if how.labels is None:
        return blocks(name, partial(_scaled, dtype), every, operands, dtype)
    return blocks(
        name, partial(_scaled_by_labels, dtype), every, [*operands, (how.labels, every)], dtype
    )


def measured(name: str, w: Array, values: Sequence[Any], how: Slices, weights: Any) -> Array:
    """Return what an operator measures of vectors that lie in several blocks."""
    norms, axes = _norms(name, w, how)
    weights = None if weights is None else weights.reshape(norms.shape)
    operands = [(norms, axes), (weights, None if weights is None else axes), *numbers(values)]
    return blocks(name, partial(_penalties, name), axes, operands, np.float64)


def _norms(name: str, x: Array, how: Slices) -> tuple[Array, Axes]:
    """Return the norms of vectors, and the names of their axes: ones in place of those summed."""
    every = axes_of(x)
    ones = {every[a]: 1 for a in how.axes}
    if how.labels is None:
        task = partial(_norms_along, how.axes)
        own = blocks(name, task, every, [(x, every)], np.float64, adjust_chunks=ones)
        return reduced(name, own, _joined, how.axes, keepdims=True), every
    operands = [(x, every), (how.labels, every)]
    task = partial(_norms_by_labels, how.count)
    new = {0: how.count}
    own = blocks(name, task, (*every, 0), operands, np.float64, adjust_chunks=ones, new_axes=new)
    return reduced(name, own, _joined, how.axes), (0,)


def _norms_along(axes: Axes, x: Any) -> Any:
    return _joined(x, axes, True)


def _joined(x: Any, axis: Axes, keepdims: bool) -> Any:
    """Return the norms of vectors along axes, such as norms of their parts."""
    found = _slices.measured(NORM, plain(x), (1.0,), axis=tuple(axis))
    kept = [1 if a in axis else n for a, n in enumerate(x.shape) if keepdims or a not in axis]
    return found.reshape(kept)


def _norms_by_labels(count: int, x: Any, labels: Any) -> Any:
    found = _slices.measured(NORM, plain(x), (1.0,), labels=labels, weights=np.ones(count))
    return found.reshape((1,) * x.ndim + (count,))


def _soft(x: Any, l1: Any, step: Any) -> Any:
    """Take the first step of the sparse group by itself, its numbers checked in its own name."""
    l1, _, step = _slices.checked_numbers("prox_sparse_group", (l1, 0.0, step))
    return _call.elementwise("prox_elastic_net", x, (l1, 0.0, step), None, {})


def _wanted(name: str, norms: Any, weights: Any, *values: Any) -> Any:
    """Return what norms become, seen as vectors; a -0.0 tells whether those of zeros keep signs."""
    vectors = np.where(norms == 0, -0.0, norms).reshape(-1, 1)
    own = None if weights is None else weights.reshape(-1)
    return _slices.apply(name, vectors, values, weights=own).reshape(norms.shape)


def _penalties(name: str, norms: Any, weights: Any, *values: Any) -> Any:
    own = None if weights is None else weights.reshape(-1)
    found = _slices.measured(name, norms.reshape(-1, 1), values, weights=own)
    return found.reshape(norms.shape)


def _scaled(dtype: np.dtype[Any], x: Any, norms: Any, wanted: Any) -> Any:
    """Multiply by what is wanted over the norms; what has its norm already keeps its bits."""
    unchanged = (wanted == norms) & ((norms != 0) | np.signbit(wanted))
    with np.errstate(all="ignore"):
        fraction, exponent = np.frexp(wanted)
        own_fraction, own_exponent = np.frexp(norms)
        factor = np.where(norms == 0, 0.0, fraction / own_fraction)
        shift = exponent - own_exponent  # apart, since a factor may be beyond all numbers
        wide = np.ldexp(x.astype(np.float64), np.maximum(shift, 0)) * factor
        result = _singular_values.rounded(np.ldexp(wide, np.minimum(shift, 0)), dtype)
        np.copyto(result, x, where=unchanged, casting="same_kind")
    return result


def _scaled_by_labels(dtype: np.dtype[Any], x: Any, norms: Any, wanted: Any, labels: Any) -> Any:
    """Do so for the elements of groups; those in none have the norm that they want."""
    place = np.where(labels < 0, len(norms), labels)
    return _scaled(dtype, x, np.append(norms, 1.0)[place], np.append(wanted, 1.0)[place])
