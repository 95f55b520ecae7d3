"""What every public function does with arguments that the direct path of the core does not take."""

from __future__ import annotations

import contextlib
import math
import warnings
from typing import Any, TypedDict

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from bridle import _core

FLOATS = ("float16", "bfloat16", "float32", "float64")
FLOAT_DTYPES = frozenset(np.dtype(name) for name in FLOATS)
FLOAT32_MAX = float(np.finfo(np.float32).max)


class UfuncKeywords(TypedDict, total=False):
    """The keywords of NumPy's ufuncs that every elementwise function hands on."""

    where: ArrayLike
    dtype: DTypeLike
    casting: str
    order: str
    subok: bool


def is_real(array: NDArray[Any]) -> bool:
    """Whether the elements are real numbers."""
    return array.dtype.kind in "biuf" or array.dtype == "bfloat16"


def as_float(number: float) -> float:
    """Convert a number, an integer beyond the range to an infinity."""
    try:
        return float(number)
    except OverflowError:
        return math.inf if number > 0 else -math.inf


def parameter(name: str, index: int, value: object) -> Any:
    """Check one hyper-parameter; a number becomes a Python float, which never promotes an array."""
    if hasattr(value, "__array_ufunc__") and not isinstance(value, np.ndarray | np.generic):
        return value  # lazy or foreign: its values are not known here
    array = np.asarray(as_float(value) if isinstance(value, int) else value)
    if not is_real(array):
        kind = (_core.elementwise_operators | _core.penalties)[name][index]
        raise TypeError(f"{name}: {kind} must be a real number or an array of them, got {value!r}")
    if array.ndim == 0:
        _core.check_parameter(name, index, value)
        return float(array)
    if array.size > 0:
        with np.errstate(invalid="ignore"):
            extremes = array.min(), array.max()  # a NaN is both
        for extreme in extremes:
            _core.check_parameter(name, index, extreme)
    return array


def elementwise(
    name: str, x: Any, params: tuple[object, ...], out: Any, ufunc_kwargs: dict[str, Any]
) -> Any:
    """Call the ufunc behind an elementwise function, its parameters checked."""
    values = [parameter(name, index, value) for index, value in enumerate(params)]
    dtype = ufunc_kwargs.get("dtype")
    if dtype is not None and np.dtype(dtype) in FLOATS:
        # NumPy takes a dtype for that of all operands, but the parameters of halves are float32.
        compute = np.float64 if np.dtype(dtype) == np.float64 else np.float32
        signature = (np.dtype(dtype), *[np.dtype(compute)] * len(values), np.dtype(dtype))
        ufunc_kwargs = {k: v for k, v in ufunc_kwargs.items() if k != "dtype"}
        ufunc_kwargs["signature"] = signature
    numbers = [abs(value) for value in values if isinstance(value, float)]
    huge = any(FLOAT32_MAX < number < np.inf for number in numbers)  # infinite in float32
    with np.errstate(over="ignore") if huge else contextlib.nullcontext():
        result = _core.ufuncs[name](x, *values, out=out, **ufunc_kwargs)
    masked = ufunc_kwargs.get("where", True) is not True
    if masked and out is None and isinstance(result, np.ndarray | np.generic):
        # As NumPy's ufuncs warn, which see an `out` here; at the line of the caller.
        message = f"{name}: where without out leaves the other elements uninitialized; give out"
        warnings.warn(message, UserWarning, stacklevel=3)
    return result


def real_array(name: str, x: ArrayLike) -> NDArray[Any]:
    """Return ``x`` as an array of one of the four float types; integers become float64."""
    if isinstance(x, np.ma.MaskedArray):
        raise TypeError(f"{name}: masked arrays are not supported; fill or compress them first")
    array = np.asarray(x)
    if array.dtype in FLOAT_DTYPES:
        return array
    if array.dtype.kind in "biu":
        return array.astype(np.float64)
    if array.dtype.newbyteorder("=") not in FLOATS:
        raise TypeError(
            f"{name}: the array must be of type float16, bfloat16, float32, float64 or integer, "
            f"got {array.dtype}"
        )
    return array


def _as_in_memory(array: NDArray[Any], axes: tuple[int, ...]) -> list[int]:
    """Sort axes as ``ravel(order="K")`` does: by stride, where a stride of zero tells nothing."""
    inner: list[int] = []
    for axis in sorted(axes, reverse=True):
        position = len(inner)
        for k in reversed(range(len(inner))):
            strides = abs(array.strides[axis]), abs(array.strides[inner[k]])
            if all(strides) and strides[0] >= strides[1]:
                break
            if all(strides):
                position = k
        inner.insert(position, axis)
    return inner[::-1]


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
        moved = np.moveaxis(array, _as_in_memory(array, axes), range(-len(axes), 0))
        kept = moved.shape[: array.ndim - len(axes)]
        length = math.prod(array.shape[axis] for axis in axes)
        vectors = moved if len(axes) == 1 else moved.reshape(*kept, length)
    result = _core.ufuncs[name](vectors, *values)
    return np.expand_dims(result, tuple(sorted(axes))) if keepdims else result
