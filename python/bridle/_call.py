"""What every public function does with arguments that the direct path of the core does not take."""

from __future__ import annotations

import contextlib
import inspect
import math
import operator
import warnings
from collections.abc import Callable
from typing import Any, SupportsIndex, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bridle import _containers, _core, _lazy
from bridle._lazy import shown as shown

FLOATS = ("float16", "bfloat16", "float32", "float64")
COMPLEX = ("complex64", "complex128")
WIDE = ("float64", "complex128")  # those that compute in float64
FLOAT_DTYPES = frozenset(np.dtype(name) for name in FLOATS)
NO_MASKS = "masked arrays are not supported{}; fill or compress them first"
FLOAT32_MAX = float(np.finfo(np.float32).max)

_PLAIN = frozenset({type(None), bool, int, float, str, np.ndarray})  # without masks, and computed

Function = TypeVar("Function", bound=Callable[..., Any])


def shows_ufunc_keywords(function: Function) -> Function:
    """Show the keywords of NumPy's ufuncs one by one in the signature, for help and completion.

    As parameters of their own they would cost a small array a fifth of the time of its call.
    """
    signature = inspect.signature(function)
    own = list(signature.parameters.values())[:-1]
    defaults = {"where": True, "dtype": None, "casting": "same_kind", "order": "K", "subok": True}
    keywords = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default)
        for name, default in defaults.items()
    ]
    function.__signature__ = signature.replace(parameters=own + keywords)  # type: ignore[attr-defined]
    return function


def one_line(text: str) -> str:
    """Return a text that came from a file or an object as a part of a message of one line."""
    return text if text.isprintable() else repr(text)[1:-1]


def is_real(array: NDArray[Any]) -> bool:
    """Whether the elements are real numbers."""
    return array.dtype.kind in "biuf" or array.dtype == "bfloat16"


def as_float(number: float) -> float:
    """Convert a number, an integer beyond the range to an infinity."""
    try:
        return float(number)
    except OverflowError:
        return math.inf if number > 0 else -math.inf


def is_masked(value: object) -> bool:
    """Whether a value is a masked array, or holds one in lists: NumPy would overlook the mask."""
    if isinstance(value, list | tuple):
        return any(map(is_masked, value))
    return isinstance(value, np.ma.MaskedArray)


def refuse_masked(name: str, parameter: str, value: object) -> None:
    """Raise TypeError for a parameter whose mask would be overlooked, or that is not computed."""
    if type(value) in _PLAIN:
        return
    if is_masked(value):
        raise TypeError(f"{name}: {parameter} must not be masked, got {shown(value)}")
    _lazy.refuse(name, parameter, value)


def as_array(value: Any) -> NDArray[Any]:
    """Convert a value, lists of unequal lengths to an array of objects."""
    try:
        return np.asarray(value)
    except ValueError:
        return np.asarray(value, object)


def number(name: str, parameter: str, value: Any) -> float:
    """Check that a hyper-parameter is one real number."""
    if type(value) is float:  # what most are, and twelve are checked for an update
        return value
    if isinstance(value, int | float):
        return as_float(value)
    refuse_masked(name, parameter, value)
    array = as_array(value)
    if array.ndim > 0 or not is_real(array):
        raise TypeError(f"{name}: {parameter} must be a real number, got {shown(value)}")
    return float(array)


def any_number(name: str, parameter: str, value: Any) -> float:
    """Check a number that must not be NaN."""
    result = number(name, parameter, value)
    if math.isnan(result):
        raise ValueError(f"{name}: {parameter} must not be NaN, got {value}")
    return result


def non_negative(name: str, parameter: str, value: Any) -> float:
    """Check a number that must be >= 0."""
    result = number(name, parameter, value)
    if not result >= 0:
        raise ValueError(f"{name}: {parameter} must be >= 0, got {value}")
    return result


def choice(name: str, parameter: str, value: Any, choices: tuple[str, ...]) -> str:
    """Check a name among those that are known."""
    if not isinstance(value, str) or value not in choices:
        listed = " or ".join(map(repr, choices))
        raise ValueError(f"{name}: {parameter} must be {listed}, got {shown(value)}")
    return str(value)


def product(strength: float, other: float) -> float:
    """Return the product of two numbers >= 0; a zero is "no penalty", also beside an infinity."""
    return 0.0 if strength == 0.0 or other == 0.0 else strength * other


def counter(name: str, parameter: str, value: SupportsIndex, limit: int = 2**64) -> int:
    """Check one of the integers that name a random number."""
    refuse_masked(name, parameter, value)
    try:
        integer = operator.index(value)
    except TypeError:
        raise TypeError(f"{name}: {parameter} must be an integer, got {shown(value)}") from None
    if not 0 <= integer < limit:
        raise ValueError(f"{name}: {parameter} must be >= 0 and < {limit}, got {integer}")
    return integer


def has_own_rules(value: object) -> bool:
    """Whether NumPy hands a call of a ufunc over to the type of this argument."""
    plain = np.ndarray.__array_ufunc__
    return getattr(type(value), "__array_ufunc__", plain) is not plain


def is_lazy(value: Any) -> bool:
    """Whether an argument with rules of its own has no values yet, as a Dask array."""
    if not hasattr(value, "__array__"):
        return True
    graph = getattr(value, "__dask_graph__", None)
    return graph is not None and graph() is not None


def parameter(name: str, index: int, value: Any) -> Any:
    """Check one hyper-parameter; a number becomes a Python float, which never promotes an array.

    What has rules of its own for ufuncs is handed on as it is, and what is lazy unchecked.
    """
    if isinstance(value, int | float):
        number = as_float(value)
        _core.check_parameter(name, index, number if math.isinf(number) else value)
        return number
    own_rules = has_own_rules(value)
    if own_rules and is_lazy(value):
        return value
    kind = (_core.elementwise_operators | _core.penalties)[name][index]
    refuse_masked(name, kind, value)
    array = as_array(value)
    if not is_real(array):
        raise TypeError(
            f"{name}: {kind} must be a real number or an array of them, got {shown(value)}"
        )
    if array.ndim == 0:
        _core.check_parameter(name, index, array[()])
    elif array.size > 0 and index not in _core.unchecked.get(name, ()):
        with np.errstate(invalid="ignore"):
            extremes = array.min(), array.max()  # a NaN is both
        for extreme in extremes:
            _core.check_parameter(name, index, extreme)
    if own_rules or (array.ndim > 0 and isinstance(value, np.ndarray)):
        return value
    return array if array.ndim > 0 else float(array)


def parameters(name: str, params: tuple[object, ...]) -> list[Any]:
    """Check the hyper-parameters of an operator, also against each other."""
    values = [parameter(name, index, value) for index, value in enumerate(params)]
    for index in _core.compared.get(name, ()):
        _compare(name, index, values[index - 1], values[index])
    return values


def _compare(name: str, index: int, previous: Any, value: Any) -> None:
    """Check a parameter against the one before it, element by element; what is lazy is not."""
    if any(has_own_rules(each) and is_lazy(each) for each in (previous, value)):
        return
    previous, value = np.asarray(previous), np.asarray(value)
    try:
        before, after = np.broadcast_arrays(previous, value)
    except ValueError:
        names = (_core.elementwise_operators | _core.penalties)[name][index - 1 : index + 1]
        shapes = f"{previous.shape} and {value.shape}"
        raise ValueError(f"{name}: {' and '.join(names)} must fit, got {shapes}") from None
    broken = np.flatnonzero(after < before)  # there is no NaN any more
    if broken.size > 0:
        first = np.unravel_index(broken[0], after.shape)
        _core.check_parameter(name, index, after[first], before[first])


def elementwise(
    name: str, x: Any, params: tuple[object, ...], out: Any, ufunc_kwargs: dict[str, Any]
) -> Any:
    """Call the ufunc behind an elementwise function, its parameters checked."""
    values = parameters(name, params)
    _containers.check_ufunc(name, x, out, ufunc_kwargs)
    if not values:
        x = _containers.with_floats(x)  # as beside a number
    if _lazy.any_dask(x, out, *values, ufunc_kwargs.get("where")):
        return _lazy.rule("elementwise")(name, x, values, out, ufunc_kwargs)
    refuse_masked(name, "out", out)
    if isinstance(out, np.ndarray):
        _containers.check_writeable(name, out)
    keywords = ufunc_kwargs.copy()
    _containers.of_one_type(x, values, keywords)
    refuse_masked(name, "where", keywords.get("where"))
    if keywords.get("dtype") is not None and np.dtype(keywords["dtype"]) in FLOATS + COMPLEX:
        # NumPy takes a dtype for that of all operands, but the parameters of halves are float32,
        # and those of complex numbers real.
        dtype = np.dtype(keywords.pop("dtype"))
        compute = np.dtype(np.float64 if dtype in WIDE else np.float32)
        keywords["signature"] = (dtype, *[compute] * len(values), dtype)
    masked = is_masked(x)
    if masked and out is not None:
        raise TypeError(f"{name}: {NO_MASKS.format(' with out')}")
    numbers = [abs(value) for value in values if isinstance(value, float)]
    huge = any(FLOAT32_MAX < number < np.inf for number in numbers)  # infinite in float32
    with np.errstate(over="ignore") if huge else contextlib.nullcontext():
        result = _core.ufuncs[name](x, *values, out=out, **keywords)
    if masked and not isinstance(result, np.ma.MaskedArray):
        raise TypeError(f"{name}: {NO_MASKS.format(' where the mask would be lost')}")
    has_gaps = keywords.get("where", True) is not True and out is None
    if has_gaps and isinstance(result, np.ndarray | np.generic):
        # As NumPy's ufuncs warn, which see an `out` here; at the line of the caller.
        message = f"{name}: where without out leaves the other elements uninitialized; give out"
        warnings.warn(message, UserWarning, stacklevel=3)
    return result


def real_array(
    name: str, x: ArrayLike, called: str = "the array", *, lazy: bool = False
) -> NDArray[Any]:
    """Return ``x`` as an array of one of the four float types; integers become float64.

    ``lazy`` says that the caller knows what to do with a Dask array, which stays one.
    """
    x = _containers.contents(name, called, x)
    if is_masked(getattr(x, "_meta", x) if _lazy.is_dask(x) else x):
        raise TypeError(f"{name}: {NO_MASKS.format('')}")
    taken: Any = x
    if not (lazy and _lazy.is_dask(x)):
        _lazy.refuse(name, called, x)
        taken = as_array(x)
    array: NDArray[Any] = taken
    if array.dtype in FLOAT_DTYPES:
        return array
    if array.dtype.kind in "biu":
        return array.astype(np.float64)
    if array.dtype.newbyteorder("=") not in FLOATS:
        raise TypeError(
            f"{name}: {called} must be of type float16, bfloat16, float32, float64 or integer, "
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


def sum_axes(axis: int | tuple[int, ...] | None, ndim: int) -> tuple[int, ...]:
    """Return the axes to sum over; a number has the axes 0 and -1, too, as in NumPy's sums."""
    if axis is None:
        return tuple(range(ndim))
    if ndim == 0 and not isinstance(axis, tuple | list) and operator.index(axis) in (0, -1):
        return ()
    return np.lib.array_utils.normalize_axis_tuple(axis, ndim)


def _of_shape(name: str, index: int, value: Any, shape: tuple[int, ...]) -> Any:
    """Return a parameter as one number for each element, or as the number that it is."""
    if isinstance(value, float):
        return value
    kind = _core.penalties[name][index]
    if not isinstance(value, np.ndarray):
        raise TypeError(f"{name}: {kind} must be computed first, got {shown(value)}")
    try:
        return np.broadcast_to(np.asarray(value, np.float64), shape)
    except ValueError:
        raise ValueError(
            f"{name}: {kind} must broadcast to the shape of the weights, {shape}, got {value.shape}"
        ) from None


def _sum_of_each(name: str, array: NDArray[Any], values: list[Any]) -> np.float64:
    """Sum the penalties of the elements as these lie in memory, each with parameters of its own."""
    order = _as_in_memory(array, tuple(range(array.ndim)))
    own = [_of_shape(name, index, value, array.shape) for index, value in enumerate(values)]
    own = [value if isinstance(value, float) else value.transpose(order) for value in own]
    aligned = np.require(array.transpose(order), array.dtype.newbyteorder("="), "A")
    return np.float64(_core.penalty_of_each(name, aligned, tuple(own)))


def _as_vectors(array: NDArray[Any], like: NDArray[Any], axes: tuple[int, ...]) -> NDArray[Any]:
    """Return the slices along the axes as vectors, their elements as those of `like` lie."""
    moved = np.moveaxis(array, _as_in_memory(like, axes), range(-len(axes), 0))
    if len(axes) == 1:
        return moved
    kept = moved.shape[: array.ndim - len(axes)]
    return moved.reshape(*kept, math.prod(array.shape[axis] for axis in axes))


def penalty(
    name: str,
    w: ArrayLike,
    params: tuple[object, ...],
    axis: int | tuple[int, ...] | None,
    keepdims: bool,
) -> Any:
    """Evaluate a penalty over the whole of ``w`` or over each slice along ``axis``."""
    values = parameters(name, params)
    # The result is of float64 or an array of them, whatever container the values lie in.
    values = [
        value if isinstance(value, float | np.ndarray) or is_lazy(value) else np.asarray(value)
        for value in values
    ]
    array = real_array(name, w, lazy=True)
    axes = sum_axes(axis, array.ndim)
    if _lazy.any_dask(array, *values):
        return _lazy.rule("penalty")(name, array, values, axis, axes, keepdims)
    beside = 1 if name in _core.penalties_beside else 0  # what lies beside the weights
    if axis is None and any(np.ndim(value) > 0 for value in values[beside:]):
        result = _sum_of_each(name, array, values)
    else:
        # As it lies in memory, so that an array and its transpose agree bit for bit.
        vectors = [_as_vectors(array, array, axes)]
        for index, value in enumerate(values[:beside]):
            own = np.broadcast_to(_of_shape(name, index, value, array.shape), array.shape)
            vectors.append(_as_vectors(own, array, axes))
        result = _core.ufuncs[name](*vectors, *values[beside:])
    return np.expand_dims(result, tuple(sorted(axes))) if keepdims and axes else result
