"""Updates that return new weights and state: those of bridle, on copies of each block."""

from __future__ import annotations

import functools
import inspect
import math
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any, NamedTuple

import dask.array as da
import numpy as np

from bridle import _call
from bridle._call import shown
from bridle._updates import functions
from bridle._updates.call import Starts, UpdateSummary
from bridle.dask._blocks import Array, axes_of, blocks, known, places, plain, reduced

ARRAYS = (
    "w",
    "gradient",
    "momentum_buffer",
    "first_moment",
    "second_moment",
    "linear",
    "accumulator",
    "square_average",
    "gradient_average",
    "toward",
)
READ_ONLY = ("gradient", "toward")
IN_MEMORY = {
    "copy_out": "call astype of the new weights",
    "rows": "call map_blocks of the tables' own update",
}
SAMPLES = {"lr": 1e-300, "step": 1e-300, "iteration": 1}
"""Numbers that stand for lazy ones where the others are checked."""


class Call(NamedTuple):
    """An update without its arrays."""

    name: str
    arrays: tuple[str, ...]
    lazy: tuple[str, ...]
    """The numbers that come with the arrays, as these are computed."""
    keywords: dict[str, Any]
    shape: tuple[int, ...]

    @property
    def written(self) -> list[str]:
        """The arrays that change."""
        return [name for name in self.arrays if name not in READ_ONLY]


def _returning(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return an update of Dask arrays by the update of arrays."""
    signature = inspect.signature(function)

    @functools.wraps(function)
    def update(*args: Any, **keywords: Any) -> tuple[Any, ...]:
        bound = signature.bind(*args, **keywords).arguments
        given = {p: bound[p] for p in signature.parameters if p in bound}
        arrays, call = _checked(function, given)
        return _updated(arrays, call, [given[number] for number in call.lazy])

    update.__module__ = "bridle.dask"
    update.__doc__ = f"""Return new weights and state, and a summary, all of them lazy.

    `bridle.{function.__name__}` for one array of Dask, or several that go together: instead of
    writing to arrays it returns new ones, with the bits that it would write there. Compute what is
    wanted together, as by ``dask.compute``, or it is computed again for each.

    Parameters
    ----------
    Those of `bridle.{function.__name__}`, without ``rows`` and ``copy_out``. Numbers such as the
    step size and ``grad_scale`` may be lazy, too, and are checked when they are computed. A
    regularizer has numbers as parameters.

    Returns
    -------
    tuple of dask.array.Array
        The weights, each array of the state that was given, in the order of the signature, and an
        `bridle.UpdateSummary` of three lazy numbers.
    """
    return update


def _checked(
    function: Callable[..., Any], given: Mapping[str, Any]
) -> tuple[dict[str, Array], Call]:
    """Check all that is known, by a call for no elements."""
    name = function.__name__
    for parameter, instead in IN_MEMORY.items():
        if given.get(parameter) is not None:
            raise TypeError(
                f"{name}: {parameter} must be left alone for Dask arrays, {instead}, "
                f"got {shown(given[parameter])}"
            )
    _check_regularizer(name, given.get("regularizer"))
    present = [p for p in given if p in ARRAYS and (p == "w" or given[p] is not None)]
    arrays = {p: _array(name, p, given[p]) for p in present}
    for parameter, array in arrays.items():
        if array.shape != arrays["w"].shape:
            raise ValueError(
                f"{name}: {parameter} must have the shape of w, {arrays['w'].shape}, "
                f"got {array.shape}"
            )
    lazy = tuple(p for p, value in given.items() if _is_lazy_number(value) and p not in ARRAYS)
    keywords = {p: v for p, v in given.items() if p not in (*arrays, *lazy)}
    samples = {number: SAMPLES[number] for number in lazy if number in SAMPLES}
    function(**{p: np.empty(0, a.dtype) for p, a in arrays.items()}, **keywords, **samples)
    return arrays, Call(name, tuple(arrays), lazy, keywords, arrays["w"].shape)


def _is_lazy_number(value: object) -> bool:
    return isinstance(value, da.Array) and value.ndim == 0


def _array(name: str, parameter: str, value: Any) -> Array:
    if not isinstance(value, da.Array | np.ndarray):
        raise TypeError(
            f"{name}: {parameter} must be one array, of Dask or NumPy, got {type(value).__name__}"
        )
    _call.refuse_masked(name, parameter, value._meta if isinstance(value, da.Array) else value)
    return known(name, da.asarray(value))


def _check_regularizer(name: str, regularizer: Any) -> None:
    description = getattr(regularizer, "_elementwise", None)
    calls = description() if callable(description) else None
    arrays = () if calls is None else (*calls.prox_parameters, *calls.penalty_parameters)
    if any(isinstance(value, np.ndarray) for value in arrays):
        raise TypeError(
            f"{name}: regularizer must have numbers as parameters for Dask arrays; call its prox "
            f"of the new weights, got {shown(regularizer)}"
        )


def _updated(arrays: dict[str, Array], call: Call, lazy: list[Array]) -> tuple[Any, ...]:
    axes = axes_of(arrays["w"])
    _, aligned = da.core.unify_chunks(*[each for a in arrays.values() for each in (a, axes)])
    w = aligned[0]
    operands = [(places(w), axes), *[(a, axes) for a in aligned], *[(n, ()) for n in lazy]]
    name = call.name
    done = blocks(name, partial(_block, call), axes, operands, object)
    new = [
        blocks(f"{name}-{p}", partial(_item, i), axes, [(done, axes)], arrays[p].dtype)
        for i, p in enumerate(call.written)
    ]
    summaries = blocks(
        f"{name}-summary",
        partial(_summary, w.ndim),
        (*axes, 0),
        [(done, axes)],
        np.float64,
        new_axes={0: 3},
        adjust_chunks=dict.fromkeys(axes, 1),
    )
    penalty, nonzeros, finite = reduced(name, summaries, _joined, tuple(range(w.ndim)))
    return (*new, UpdateSummary(penalty, nonzeros.astype(np.int64), finite.astype(np.bool_)))


def _block(call: Call, place: tuple[slice, ...], *operands: Any) -> tuple[Any, ...]:
    """Run the update on copies of what it writes."""
    count = len(call.arrays)
    arrays = {
        p: plain(a).copy() if p in call.written else plain(a)
        for p, a in zip(call.arrays, operands[:count], strict=True)
    }
    numbers = dict(zip(call.lazy, operands[count:], strict=True)) | call.keywords
    update = getattr(functions, call.name)
    if call.keywords.get("rounding", "nearest") == "nearest":
        summary = update(**arrays, **numbers)
    else:
        indices, starts = zip(*_pieces(arrays["w"].shape, place, call.shape), strict=True)
        offset = int(call.keywords.get("offset", 0))
        numbers["offset"] = Starts(offset + start for start in starts)
        summary = update(**{p: [a[i] for i in indices] for p, a in arrays.items()}, **numbers)
    return (*[arrays[p] for p in call.written], summary)


def _pieces(
    shape: tuple[int, ...], place: tuple[slice, ...], whole: tuple[int, ...]
) -> Iterator[tuple[Any, int]]:
    """Return parts of a block whose elements lie beside each other in the whole, and their starts.

    A part is an index of the block.
    """
    apart = [math.prod(whole[axis + 1 :]) for axis in range(len(whole))]
    start = sum(part.start * n for part, n in zip(place, apart, strict=True))
    cut = [axis for axis in range(len(whole)) if shape[axis] != whole[axis]]
    rows = shape[: max(cut, default=0)]
    if math.prod(rows) == 1 or 0 in shape:
        yield ..., start
        return
    for row in np.ndindex(*rows):
        yield row, start + sum(i * n for i, n in zip(row, apart, strict=False))


def _item(index: int, done: Any) -> Any:
    return done[index]


def _summary(ndim: int, done: Any) -> Any:
    return np.array(done[-1], np.float64).reshape((1,) * ndim + (3,))


def _joined(summaries: Any, axis: Any, keepdims: bool) -> Any:
    """Join summaries, which lie along the last axis."""
    penalty, nonzeros, finite = np.moveaxis(summaries, -1, 0)
    cost = _call.penalty("l1_penalty", penalty, (1.0,), None, False)
    found = np.array([cost, nonzeros.sum(), finite.min(initial=1.0)])
    return found.reshape(((1,) * len(axis) if keepdims else ()) + (3,))


adagrad_update = _returning(functions.adagrad_update)
adamw_update = _returning(functions.adamw_update)
ftrl_update = _returning(functions.ftrl_update)
lion_update = _returning(functions.lion_update)
proximal_step = _returning(functions.proximal_step)
rmsprop_update = _returning(functions.rmsprop_update)
sgd_update = _returning(functions.sgd_update)
