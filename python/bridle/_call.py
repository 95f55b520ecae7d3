"""What every public function does with arguments that the direct path of the core does not take."""

from __future__ import annotations

from typing import Any, TypedDict

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from bridle import _core

__all__ = ["UfuncKeywords", "real_array"]


class UfuncKeywords(TypedDict, total=False):
    """The keywords of NumPy's ufuncs that every elementwise function hands on."""

    where: ArrayLike
    dtype: DTypeLike
    casting: str
    order: str
    subok: bool


def parameter(name: str, index: int, value: object) -> Any:
    """Check one hyper-parameter; a number becomes a Python float, which never promotes an array."""
    if hasattr(value, "__array_ufunc__") and not isinstance(value, np.ndarray | np.generic):
        return value  # lazy or foreign: its values are not known here
    array = np.asarray(value)
    if array.dtype.kind not in "biuf" and array.dtype != "bfloat16":
        kind = (_core.elementwise_operators | _core.penalties)[name][index]
        raise TypeError(f"{name}: {kind} must be a real number or an array of them, got {value!r}")
    if array.ndim == 0:
        _core.check_parameter(name, index, value)
        return float(array)
    if array.size > 0:
        for extreme in (array.min(), array.max()):  # a NaN is both
            _core.check_parameter(name, index, extreme)
    return array


def elementwise(
    name: str, x: Any, params: tuple[object, ...], out: Any, ufunc_kwargs: dict[str, Any]
) -> Any:
    """Call the ufunc behind an elementwise function, its parameters checked."""
    values = [parameter(name, index, value) for index, value in enumerate(params)]
    return _core.ufuncs[name](x, *values, out=out, **ufunc_kwargs)


def real_array(name: str, x: ArrayLike) -> NDArray[Any]:
    """Return ``x`` as an array of one of the four float types; integers become float64."""
    if isinstance(x, np.ma.MaskedArray):
        raise TypeError(f"{name}: masked arrays are not supported; fill or compress them first")
    array = np.asarray(x)
    if array.dtype.kind in "biu":
        return array.astype(np.float64)
    if array.dtype not in ("float16", "bfloat16", "float32", "float64"):
        raise TypeError(
            f"{name}: the array must be of type float16, bfloat16, float32, float64 or integer, "
            f"got {array.dtype}"
        )
    return array


def penalty(
    name: str,
    w: ArrayLike,
    params: tuple[object, ...],
    axis: int | tuple[int, ...] | None,
    keepdims: bool,
) -> Any:
    """Evaluate a penalty over the whole of ``w`` or over each slice along ``axis``."""
    values = [parameter(name, index, value) for index, value in enumerate(params)]
    array = real_array(name, w)
    if axis is None:
        axes = tuple(range(array.ndim))
    else:
        axes = np.lib.array_utils.normalize_axis_tuple(axis, array.ndim)
    if len(axes) == array.ndim:
        # As it lies in memory, so that an array and its transpose agree bit for bit.
        vectors = array if array.ndim == 1 else array.ravel(order="K")
    else:
        by_stride = sorted(axes, key=lambda a: -abs(array.strides[a]))
        moved = np.moveaxis(array, by_stride, range(-len(axes), 0))
        kept = array.ndim - len(axes)
        vectors = moved if len(axes) == 1 else moved.reshape(*moved.shape[:kept], -1)
    if len(axes) == 0:
        vectors = array[..., np.newaxis]
    result = _core.ufuncs[name](vectors, *values)
    return np.expand_dims(result, tuple(sorted(axes))) if keepdims else result
