"""Singular values of matrices, by NumPy's LAPACK: their sum, and matrices with smaller ones."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bridle import _lazy
from bridle import _slices as slices
from bridle._call import product, real_array


def shrunk(name: str, x: ArrayLike, threshold: float, out: Any) -> NDArray[Any]:
    """Return matrices, or write them to `out`, whose singular values are smaller by a threshold."""
    matrices = matrices_of(name, "x", x, lazy=True)
    if _lazy.is_dask(matrices):
        _lazy.refuse_out(name, out)
        lazy: NDArray[Any] = _lazy.rule("shrunk_matrices")(name, matrices, threshold)
        return lazy
    target = slices.result_of(name, matrices, out)
    if threshold == 0.0 or matrices.size == 0:
        result = matrices.astype(matrices.dtype.newbyteorder("="))
        result[np.isnan(matrices).any(axis=(-2, -1))] = np.nan
    else:
        with np.errstate(all="ignore"):
            result = _shrunk(matrices, threshold)
    return written(result, target)


def total(name: str, w: ArrayLike, factor: float) -> np.float64:
    """Return a multiple of the sum of the singular values of all matrices."""
    matrices = matrices_of(name, "w", w, lazy=True)
    if _lazy.is_dask(matrices):
        lazy: np.float64 = _lazy.rule("total_of_matrices")(name, matrices, factor)
        return lazy
    if factor == 0.0 or matrices.size == 0:
        return np.float64(0.0)
    wide = matrices.astype(np.float64)
    largest = np.abs(wide).max()
    if not np.isfinite(largest):
        return np.float64(largest)
    with np.errstate(all="ignore"):
        exponent = np.frexp(largest)[1]
        values = np.linalg.svd(np.ldexp(wide, -exponent), compute_uv=False)
        fraction, own = np.frexp(factor)  # apart, so that only the result can overflow
        return np.float64(np.ldexp(product(fraction, values.sum()), exponent + own))


def matrices_of(name: str, parameter: str, x: ArrayLike, *, lazy: bool = False) -> NDArray[Any]:
    """Return an array of which the last two axes are those of matrices."""
    array = real_array(name, x, lazy=lazy)
    if array.ndim < 2:
        raise ValueError(
            f"{name}: {parameter} must have at least two axes, got shape {array.shape}"
        )
    return array


def rounded(result: NDArray[Any], dtype: np.dtype[Any]) -> NDArray[Any]:
    """Convert a result to its type, every zero being +0.0."""
    result = result.astype(dtype.newbyteorder("="), copy=False)
    result[result == 0] = 0
    return result


def written(result: NDArray[Any], out: NDArray[Any]) -> NDArray[Any]:
    """Return `out` with a result in it."""
    np.copyto(out, result, casting="same_kind")
    return out


def _shrunk(matrices: NDArray[Any], threshold: float) -> NDArray[Any]:
    """Return matrices with smaller singular values."""
    wide = matrices.astype(np.result_type(matrices.dtype.newbyteorder("="), np.float32))
    finite = np.isfinite(wide).all(axis=(-2, -1), keepdims=True)
    np.copyto(wide, 0, where=~finite)
    exponents = np.frexp(np.abs(wide).max(axis=(-2, -1), keepdims=True))[1]
    u, values, v = np.linalg.svd(np.ldexp(wide, -exponents), full_matrices=False)
    limits = np.ldexp(threshold, -exponents[..., 0])
    kept = np.maximum(values - limits, 0).astype(wide.dtype)
    result = np.ldexp((u * kept[..., np.newaxis, :]) @ v, exponents)
    empty = (wide == 0).all(axis=-1, keepdims=True) | (wide == 0).all(axis=-2, keepdims=True)
    np.copyto(result, 0, where=empty)
    np.copyto(result, np.nan, where=~finite)
    return rounded(result, matrices.dtype)
