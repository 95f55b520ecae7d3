"""Whole matrices and whole arrays: what needs all elements at once, or the largest of them."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from bridle import _singular_values
from bridle._call import real_array
from bridle._operators import selection
from bridle.dask._blocks import Array, axes_of, blocks, gathered, known
from bridle.dask._penalties import total


def shrunk_matrices(name: str, x: Array, threshold: float) -> Array:
    """Return matrices with smaller singular values."""
    x = gathered(known(name, x), (-2, -1))
    task = partial(_shrunk_block, name, threshold)
    return blocks(name, task, axes_of(x), [(x, axes_of(x))], x.dtype.newbyteorder("="))


def _shrunk_block(name: str, threshold: float, x: Any) -> Any:
    return _singular_values.shrunk(name, x, threshold, None)


def total_of_matrices(name: str, w: Array, factor: float) -> Array:
    """Return a multiple of the sum of the singular values of all matrices."""
    w = gathered(known(name, w), (-2, -1))
    return _sum_of_blocks(name, partial(_total_block, name, factor), w)


def _total_block(name: str, factor: float, w: Any) -> Any:
    return np.full((1,) * w.ndim, _singular_values.total(name, w, factor))


def _sum_of_blocks(name: str, task: Callable[..., Any], w: Array) -> Array:
    axes = axes_of(w)
    ones = dict.fromkeys(axes, 1)
    costs = blocks(name, task, axes, [(w, axes)], np.float64, adjust_chunks=ones)
    return total(name, costs, tuple(range(w.ndim)))


def of_matrix(function: Callable[..., Any], w: Array, strength: float) -> Array:
    """Return what a function makes of a matrix with vectors as rows, as one block."""
    name = function.__name__
    w = gathered(known(name, w), (-2, -1))
    if name.endswith("_penalty"):
        return _sum_of_blocks(name, partial(_cost_block, function, strength), w)
    task = partial(_block, function, strength)
    return blocks(name, task, axes_of(w), [(w, axes_of(w))], w.dtype.newbyteorder("="))


def _block(function: Callable[..., Any], strength: float, w: Any) -> Any:
    return function(w, strength)


def _cost_block(function: Callable[..., Any], strength: float, w: Any) -> Any:
    return np.full((1, 1), function(w, strength))


def top_k(name: str, x: Array, k: int) -> Array:
    """Return the k-th largest magnitude of all elements: of the k largest of each block."""
    selection.check_count(name, k, known(name, x).size)
    axes = axes_of(x)
    most = min(k, math.prod(x.chunksize))
    found = blocks(
        name,
        partial(_largest, name, most),
        (*axes, 0),
        [(x, axes)],
        np.float64,
        new_axes={0: most},
        adjust_chunks=dict.fromkeys(axes, 1),
    )
    return blocks(name, partial(_threshold, k), (), [(found, (*axes, 0))], np.float64)


def _largest(name: str, most: int, x: Any) -> Any:
    """Return the largest magnitudes of a block, and zeros if there are fewer."""
    found = np.zeros(most)
    magnitudes = np.abs(real_array(name, x).astype(np.float64)).ravel()
    if most > 0 and magnitudes.size > 0:
        magnitudes = np.partition(magnitudes, max(magnitudes.size - most, 0))[-most:]
        found[: magnitudes.size] = magnitudes  # a NaN is among the largest
    return found.reshape((1,) * x.ndim + (most,))


def _threshold(k: int, found: Any) -> Any:
    return np.float64(selection.top_k_threshold(found, k))
