"""The norm of all elements of Dask arrays, and the factor that clips by it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import dask.array as da
import numpy as np

from bridle._call import real_array
from bridle._models.norms import GlobalNorm, clip_scale_of
from bridle._models.norms import global_norm as norm_of_arrays
from bridle.dask._blocks import Array, axes_of, blocks, plain, reduced


def global_norm(name: str, arrays: Any, scale: float) -> Any:
    """Return the lazy parts of the norm of one array, or of several in a list or mapping."""
    if isinstance(arrays, da.Array):
        arrays = [arrays]
    each = arrays.values() if isinstance(arrays, Mapping) else arrays
    parts = [_norm(name, da.asarray(real_array(name, x, lazy=True)), scale) for x in each]
    whole = parts[0] if len(parts) == 1 else reduced(name, da.stack(parts), _joined, (0,))
    l2, largest = whole[0], whole[1]
    return GlobalNorm(l2, largest, da.isfinite(largest))


def _norm(name: str, x: Array, scale: float) -> Array:
    """Return norm and largest magnitude of one array."""
    axes = axes_of(x)
    own = blocks(
        name,
        partial(_block, scale),
        (*axes, 0),
        [(x, axes)],
        np.float64,
        new_axes={0: 2},
        adjust_chunks=dict.fromkeys(axes, 1),
    )
    return reduced(name, own, _joined, tuple(range(x.ndim)))


def _block(scale: float, x: Any) -> Any:
    l2, largest, _ = norm_of_arrays(plain(x), scale=scale)
    return np.array([l2, largest]).reshape((1,) * x.ndim + (2,))


def _joined(norms: Any, axis: Any, keepdims: bool) -> Any:
    """Join norms and largest magnitudes, which lie along the last axis."""
    l2 = norm_of_arrays(norms[..., 0]).l2
    largest = norm_of_arrays(norms[..., 1]).largest
    return np.array([l2, largest]).reshape(((1,) * len(axis) if keepdims else ()) + (2,))


def clip_scale(name: str, norm: Any, max_norm: float) -> Array:
    """Return the factor that clips, lazy as the norm is."""
    return blocks(name, partial(_clip, name, max_norm), (), [(norm.l2, ())], np.float64)


def _clip(name: str, max_norm: float, l2: Any) -> Any:
    return np.float64(clip_scale_of(name, GlobalNorm(float(l2), float(l2), True), max_norm))
