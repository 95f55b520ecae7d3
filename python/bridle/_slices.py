"""What every operator of slices does with its arguments: groups, vectors, sets."""

from __future__ import annotations

import math
import operator
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bridle import _containers, _core, _lazy
from bridle._call import (
    FLOAT_DTYPES,
    as_array,
    is_real,
    number,
    real_array,
    refuse_masked,
    shown,
)

MOST_GROUPS = 2**48  # for which nobody has the memory


class Slices:
    """How an array is seen as vectors: along axes, between offsets, or by labels.

    `axes` are those over which a vector extends; with `offsets` or `labels`, which are int64, it is
    the only one. `count` is the number of vectors.
    """

    def __init__(self, name: str, x: NDArray[Any], axis: Any, offsets: Any, labels: Any) -> None:
        self.offsets = self.labels = None
        if offsets is None and labels is None:
            self.axes = _axes(name, axis, x.ndim)
            self.shape = tuple(n for a, n in enumerate(x.shape) if a not in self.axes)
            self.count = math.prod(self.shape)
            return
        if offsets is not None and labels is not None:
            raise ValueError(f"{name}: offsets and labels must not both be given")
        if axis != -1:
            raise ValueError(f"{name}: axis must not be given with offsets or labels, got {axis!r}")
        if offsets is not None:
            if x.ndim != 1:
                raise ValueError(f"{name}: offsets want an array of one dimension, got {x.ndim}")
            self.axes = (0,)
            self.offsets = _offsets(name, offsets, x.size)
            self.count = len(self.offsets) - 1
        else:
            self.axes = tuple(range(x.ndim))
            self.labels = _labels(name, labels, x.shape)
            self.count = _core.count_labels(self.labels)
            if self.count > MOST_GROUPS:
                raise ValueError(f"{name}: labels must be below 2**48, got {self.labels.max()}")
        self.shape = (self.count,)

    def weights(self, name: str, weights: Any) -> NDArray[np.float64] | None:
        """Return one number for each vector; groups that have no elements may have one, too."""
        if weights is None:
            return None
        array = checked_weights(name, weights)
        if self.labels is not None and array.ndim == 1 and array.size > self.count:
            self.count = array.size
            self.shape = (self.count,)
        if array.shape != self.shape and (array.ndim > 0 or self.shape):
            raise ValueError(
                f"{name}: weights must be one for each group, of shape {self.shape}, "
                f"got {array.shape}"
            )
        return np.ascontiguousarray(array).reshape(-1)


def checked_weights(name: str, weights: Any) -> NDArray[np.float64]:
    """Check weights of groups, of whatever shape."""
    array = _numbers(name, "weights", weights)
    if array.size > 0:
        lowest = array.min()  # of a NaN: NaN
        if not lowest >= 0:
            raise ValueError(f"{name}: weights must be >= 0, got {lowest}")
    return array


def _axes(name: str, axis: Any, ndim: int) -> tuple[int, ...]:
    try:
        if ndim == 0 and not isinstance(axis, tuple) and operator.index(axis) in (0, -1):
            return ()
        return np.lib.array_utils.normalize_axis_tuple(axis, ndim)
    except TypeError:
        raise TypeError(
            f"{name}: axis must be an integer or a tuple of them, got {shown(axis)}"
        ) from None
    except ValueError as error:  # AxisError is one
        raise type(error)(f"{name}: axis {axis!r} does not fit {ndim} dimensions") from None


def integers(name: str, parameter: str, value: Any) -> NDArray[np.int64]:
    """Check an array of integers."""
    refuse_masked(name, parameter, value)
    array = as_array(value)
    if array.size == 0 and array.dtype == np.float64:
        array = array.astype(np.int64)  # of an empty list
    if array.dtype.kind not in "iu":
        raise TypeError(f"{name}: {parameter} must be integers, got {shown(value)}")
    if array.dtype.itemsize == 8 and array.dtype.kind == "u" and (array > 2**62).any():
        raise ValueError(f"{name}: {parameter} must be below 2**62, got {array.max()}")
    return np.require(array, np.int64, ["C", "A"])


def _offsets(name: str, offsets: Any, size: int) -> NDArray[np.int64]:
    array = integers(name, "offsets", offsets).copy()  # which no other thread changes once checked
    if array.ndim != 1 or array.size < 1:
        raise ValueError(f"{name}: offsets must be of one dimension, got {shown(offsets)}")
    if array[0] != 0 or array[-1] != size:
        ends = f"{array[0]} to {array[-1]}"
        raise ValueError(f"{name}: offsets must go from 0 to {size}, got {ends}")
    falls = np.flatnonzero(array[1:] < array[:-1])
    if falls.size > 0:
        pair = f"{array[falls[0]]} before {array[falls[0] + 1]}"
        raise ValueError(f"{name}: offsets must not decrease, got {pair}")
    return array


def _labels(name: str, labels: Any, shape: tuple[int, ...]) -> NDArray[np.int64]:
    array = integers(name, "labels", labels)
    if array.shape != shape:
        raise ValueError(
            f"{name}: labels must have the shape of the array, {shape}, got {array.shape}"
        )
    return array


def _numbers(name: str, parameter: str, value: Any) -> NDArray[np.float64]:
    refuse_masked(name, parameter, value)
    array = as_array(value)
    if not is_real(array):
        raise TypeError(f"{name}: {parameter} must be real numbers, got {shown(value)}")
    return array.astype(np.float64, copy=False)


def checked_numbers(name: str, values: tuple[Any, ...]) -> list[float]:
    """Check the numbers of an operator, also against each other; what is lazy is not."""
    checked: list[float] = []
    facts = _core.slice_operators[name]
    for index, (kind, value) in enumerate(zip(facts["params"], values, strict=True)):
        if _lazy.is_dask(value) and value.ndim == 0 and kind not in facts["whole"]:
            checked.append(value)
            continue
        if kind in facts["whole"]:
            _lazy.refuse(name, kind, value)
            try:
                value = operator.index(value)
            except TypeError:
                raise TypeError(f"{name}: {kind} must be an integer, got {shown(value)}") from None
        checked.append(number(name, kind, value))
        shown_value = value if isinstance(value, int | float) else checked[-1]
        before = () if index == 0 or _lazy.is_dask(checked[-2]) else (values[index - 1],)
        _core.check_parameter(name, index, shown_value, *before)
    return checked


def _check_length(name: str, values: list[float], length: int) -> None:
    """Check the length of a vector against the parameter that divides it, where there is one."""
    facts = _core.slice_operators[name]
    if facts["divisor"] is None:
        return
    divisor, shown_divisor = facts["params"][facts["divisor"]], int(values[facts["divisor"]])
    if shown_divisor < 1:
        raise ValueError(f"{name}: {divisor} must be >= 1, got {shown_divisor}")
    if length % shown_divisor != 0:
        raise ValueError(
            f"{name}: the length of a vector must be a multiple of {divisor}, {shown_divisor}, "
            f"got {length}"
        )


def checked_beside(name: str, beside: Any, length: int) -> NDArray[np.float64] | None:
    """Check the array of one number for each element of a vector."""
    if beside is None:
        return None
    parameter = _core.slice_operators[name]["beside"] or ""
    array = _numbers(name, parameter, beside)
    if array.shape != (length,):
        raise ValueError(
            f"{name}: {parameter} must be one for each element of a vector, "
            f"of shape {(length,)}, got {array.shape}"
        )
    if array.size > 0:
        for extreme in (array.min(), array.max()):
            _core.check_beside(name, float(extreme))
    if parameter == "normal" and not array.any():
        raise ValueError(f"{name}: normal must not be zero, got {shown(beside)}")
    if parameter == "strengths" and (rises := np.flatnonzero(array[1:] > array[:-1])).size > 0:
        pair = f"{array[rises[0]]} before {array[rises[0] + 1]}"
        raise ValueError(f"{name}: strengths must not increase, got {pair}")
    return np.require(array, np.float64, ["C", "A"])


def _native(array: NDArray[Any]) -> NDArray[Any]:
    """Return the array as the core can work on it where it lies, or a copy that is so."""
    return np.require(array, array.dtype.newbyteorder("="), "A")


def result_of(name: str, x: NDArray[Any], out: Any) -> NDArray[Any]:
    """Return the array that takes the result: `out`, checked, or a new one."""
    refuse_masked(name, "out", out)
    if isinstance(out, tuple):
        if len(out) != 1:
            raise ValueError(f"{name}: out must be one array, got {len(out)}")
        (out,) = out
    if out is None:
        return np.empty_like(x, dtype=x.dtype.newbyteorder("="), subok=False)
    if not isinstance(out, np.ndarray):
        got = f"{type(out).__name__}{hint}" if (hint := _containers.instead(out)) else shown(out)
        raise TypeError(f"{name}: out must be an array, got {got}")
    if out.shape != x.shape:
        raise ValueError(f"{name}: out must have the shape {x.shape}, got {out.shape}")
    if out.dtype.newbyteorder("=") not in FLOAT_DTYPES:
        raise TypeError(f"{name}: out must hold {x.dtype}, got {out.dtype}")
    _containers.check_writeable(name, out)
    return out


def lies_as(x: NDArray[Any], out: NDArray[Any]) -> bool:
    """Whether the result can be written where it is wanted while x is read."""
    usable = out.dtype == x.dtype and out.dtype.isnative and out.flags.aligned
    if not usable:
        return False
    same = x.ctypes.data == out.ctypes.data and x.strides == out.strides
    return same or not np.may_share_memory(x, out)


def _apart(array: NDArray[Any] | None, result: NDArray[Any]) -> NDArray[Any] | None:
    """Return what is read while the result is written: a copy, where they share memory."""
    if array is None or not np.may_share_memory(array, result):
        return array
    return array.copy()


def _run(
    name: str,
    x: NDArray[Any],
    out: NDArray[Any],
    slices: Slices,
    numbers: list[float],
    weights: Any,
    beside: Any,
    fresh: bool,
) -> None:
    if slices.labels is None:
        axes = list(slices.axes)
        _core.apply_to_slices(name, x, out, axes, numbers, weights, slices.offsets, beside, fresh)
    else:
        _core.apply_by_labels(name, x, out, slices.labels, numbers, weights, slices.count)


def apply(
    name: str,
    x: ArrayLike,
    numbers: tuple[Any, ...],
    out: Any = None,
    *,
    axis: Any = -1,
    offsets: Any = None,
    labels: Any = None,
    weights: Any = None,
    beside: Any = None,
) -> Any:
    """Call an operator of slices, everything checked before anything is written."""
    values = checked_numbers(name, numbers)
    array = real_array(name, x, lazy=True)
    lazy = _lazy.any_dask(array, *values)
    if lazy:
        _lazy.refuse_out(name, out)
    result = array if lazy else result_of(name, array, out)
    slices = Slices(name, array, axis, offsets, labels)
    weights = slices.weights(name, weights)
    length = math.prod(array.shape[a] for a in slices.axes)
    beside = checked_beside(name, beside, length)
    _check_length(name, values, length)
    if lazy:
        return _lazy.rule("slices")(name, array, values, slices, weights, beside)
    weights, beside = _apart(weights, result), _apart(beside, result)
    slices.labels = _apart(slices.labels, result)
    native = _native(array)
    by_labels = slices.labels is not None
    if by_labels:
        native = np.ascontiguousarray(native)
    direct = lies_as(native, result) and (not by_labels or result.flags.c_contiguous)
    place = result if direct else np.empty_like(native, order="C" if by_labels else "K")
    fresh = out is None or not direct
    _run(name, native, place, slices, values, weights, beside, fresh)
    if not direct:
        np.copyto(result, place, casting="same_kind")
    return result[()] if result.ndim == 0 and out is None else result


def measured(
    name: str,
    w: ArrayLike,
    numbers: tuple[Any, ...],
    *,
    axis: Any = -1,
    offsets: Any = None,
    labels: Any = None,
    weights: Any = None,
    beside: Any = None,
) -> NDArray[np.float64]:
    """Return what an operator of slices measures of each vector."""
    values = checked_numbers(name, numbers)
    array = real_array(name, w, lazy=True)
    slices = Slices(name, array, axis, offsets, labels)
    weights = slices.weights(name, weights)
    length = math.prod(array.shape[a] for a in slices.axes)
    beside = checked_beside(name, beside, length)
    if _lazy.any_dask(array, *values):
        lazy: NDArray[np.float64] = _lazy.rule("measured")(
            name, array, values, slices, weights, beside
        )
        return lazy
    array = _native(array)
    if slices.labels is not None:
        array = np.ascontiguousarray(array)
    found = np.empty(slices.count)
    _run(name, array, found, slices, values, weights, beside, True)
    return found


def measure(name: str, w: ArrayLike, numbers: tuple[Any, ...], **slices: Any) -> np.float64:
    """Sum what an operator of slices measures of each vector."""
    found = measured(name, w, numbers, **slices)
    total: np.float64 = _core.l1_penalty(found, 1.0, None, False)
    return total
