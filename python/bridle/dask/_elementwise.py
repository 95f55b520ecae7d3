"""Elementwise functions of Dask arrays, with all that NumPy's ufuncs take."""

from __future__ import annotations

from functools import partial
from typing import Any

import dask.array as da
import numpy as np

from bridle import _call
from bridle._call import refuse_masked, shown
from bridle.dask._blocks import Array, axes_of, blocks


def elementwise(
    name: str, x: Any, values: list[Any], out: Any, ufunc_kwargs: dict[str, Any]
) -> Array:
    """Return what an elementwise function makes of arrays of which one is lazy."""
    keywords = ufunc_kwargs.copy()
    where = keywords.pop("where", True)
    out = _checked_out(name, out, where)
    arrays = [a if isinstance(a, float) else da.asarray(a) for a in (x, *values)]
    dtype = _result_type(name, arrays, keywords)
    task = partial(_block, name, keywords)
    if where is not True:
        refuse_masked(name, "where", None if isinstance(where, da.Array) else where)
        arrays += [da.asarray(where), out]
        task, dtype = partial(_block_where, name, keywords), out.dtype
    operands = [(a, None if isinstance(a, float) else axes_of(a)) for a in arrays]
    longest = max((axes for _, axes in operands if axes is not None), key=len)
    result = blocks(name, task, longest, operands, dtype)
    return result if out is None else _written(name, result, out, keywords)


def _block(name: str, keywords: dict[str, Any], x: Any, *values: Any) -> Any:
    return _call.elementwise(name, x, values, None, keywords)


def _block_where(name: str, keywords: dict[str, Any], x: Any, *others: Any) -> Any:
    *values, where, before = others
    result = np.array(before)
    return _call.elementwise(name, x, tuple(values), result, keywords | {"where": where})


def _result_type(name: str, arrays: list[Any], keywords: dict[str, Any]) -> np.dtype[Any]:
    """Return the type of the result by a call for no elements.

    A lazy number changes it no more than a number does: it counts as one of the narrowest type.
    """
    first, *others = arrays
    x = np.empty((0,) * max(np.ndim(first), 1), getattr(first, "dtype", np.float64))
    values = [
        a if isinstance(a, float) else np.empty((0,) * max(a.ndim, 1), a.dtype if a.ndim else "f4")
        for a in others
    ]
    found: np.dtype[Any] = _call.elementwise(name, x, tuple(values), None, keywords).dtype
    return found


def _checked_out(name: str, out: Any, where: Any) -> Array | None:
    """Check the array whose elements are replaced: one of Dask, which is given another graph."""
    if isinstance(out, tuple) and len(out) == 1:
        (out,) = out
    if out is None and where is not True:
        raise TypeError(f"{name}: out must be given with where, for the other elements, got None")
    if out is not None and not isinstance(out, da.Array):
        raise TypeError(f"{name}: out must be a Dask array, as others are, got {shown(out)}")
    return out


def _written(name: str, result: Array, out: Array, keywords: dict[str, Any]) -> Array:
    """Give an array the graph of the result."""
    casting = keywords.get("casting", "same_kind")
    if result.shape != out.shape:
        raise ValueError(f"{name}: out must have the shape {result.shape}, got {out.shape}")
    if not np.can_cast(result.dtype, out.dtype, casting):
        raise TypeError(f"{name}: cannot write {result.dtype} to out of type {out.dtype}")
    return da.core.handle_out(out, result.astype(out.dtype))
