"""Penalties of Dask arrays: what the blocks cost, and trees of sums."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import dask.array as da
import numpy as np

from bridle import _call, _core
from bridle._call import real_array, shown
from bridle.dask._blocks import Array, Axes, axes_of, blocks, plain, reduced


def penalty(name: str, w: Any, values: list[Any], axis: Any, axes: Axes, keepdims: bool) -> Array:
    """Return a penalty of weights, or of parameters, that are lazy."""
    w = da.asarray(w)
    every = axes_of(w)
    kept = tuple(every[a] for a in range(w.ndim) if a not in axes)
    operands: list[tuple[Any, Axes | None]] = [(w, every)]
    for index, value in enumerate(values):
        if isinstance(value, float):
            operands.append((value, None))
            continue
        beside = index == 0 and name in _core.penalties_beside
        wanted = every if beside or axis is None else kept
        _check_shape(name, index, value, tuple(w.shape[a] for a in wanted))
        operands.append((value, wanted[len(wanted) - value.ndim :]))
    task = partial(_block, name, None if axis is None else axes)
    lengths = {every[a]: 1 for a in axes}
    costs = blocks(name, task, every, operands, np.float64, adjust_chunks=lengths)
    return total(name, costs, axes, keepdims)


def penalty_of_list(name: str, w: Any, params: tuple[Any, ...]) -> Array:
    """Return the sum of the penalties of arrays in a list or mapping, of which one is lazy."""
    each = w.values() if isinstance(w, Mapping) else w
    every = [da.asarray(real_array(name, array, lazy=True)) for array in each]
    costs = [_call.penalty(name, array, params, None, False) for array in every]
    return total(name, da.stack(costs), (0,))


def _block(name: str, axes: Axes | None, w: Any, *values: Any) -> Any:
    return _call.penalty(name, plain(w), values, axes, True)


def total(name: str, costs: Array, axes: Axes, keepdims: bool = False) -> Array:
    """Add up numbers >= 0, those of blocks by the promised order of a sum."""
    return reduced(name, costs, _sum, axes, keepdims)


def _sum(costs: Any, axis: Any, keepdims: bool) -> Any:
    return _call.penalty("l1_penalty", plain(costs), (1.0,), axis, keepdims)


def _check_shape(name: str, index: int, value: Any, shape: tuple[int, ...]) -> None:
    """Check that a parameter broadcasts to what it is for, without making that larger."""
    longer = value.ndim > len(shape)
    pairs = zip(reversed(value.shape), reversed(shape), strict=False)
    if longer or any(n not in (1, length) for n, length in pairs):
        raise ValueError(
            f"{name}: {_core.penalties[name][index]} must broadcast to the shape {shape}, "
            f"got {shown(value)}"
        )
