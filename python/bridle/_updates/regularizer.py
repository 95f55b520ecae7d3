"""A regularizer object inside an update, as the core takes it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray


class OfEachElement(Protocol):
    """A regularizer of each element by itself, which says how the core does what it does."""

    def _elementwise(self) -> Any: ...


Regularizers: TypeAlias = OfEachElement | Sequence[OfEachElement | None] | None


def descriptions(name: str, regularizer: Any, w: Any) -> tuple[Any, ...] | None:
    """Return what the core takes: for each array None, or names and parameters of operators."""
    if regularizer is None:
        return None
    arrays = (w,) if isinstance(w, np.ndarray) else tuple(w)
    if not isinstance(regularizer, (list, tuple)):
        shapes = [_shape(array) for array in arrays]
        by_shape = {
            s: _description(name, "regularizer", regularizer, s) for s in dict.fromkeys(shapes)
        }
        return tuple(by_shape[shape] for shape in shapes)
    if isinstance(w, np.ndarray) or len(regularizer) != len(arrays):
        given = "one array" if isinstance(w, np.ndarray) else f"a list of {len(arrays)}"
        raise ValueError(
            f"{name}: regularizer must be one, or one for each array of a list, "
            f"got {len(regularizer)} for {given}"
        )
    return tuple(
        None if each is None else _description(name, f"regularizer[{i}]", each, _shape(array))
        for i, (each, array) in enumerate(zip(regularizer, arrays, strict=True))
    )


def _shape(array: Any) -> tuple[int, ...]:
    return array.shape if isinstance(array, np.ndarray) else ()  # the core refuses what is none


def _description(
    name: str, parameter: str, regularizer: Any, shape: tuple[int, ...]
) -> tuple[Any, ...]:
    description = getattr(regularizer, "_elementwise", None)
    calls = description() if callable(description) else None
    if calls is None:
        raise TypeError(
            f"{name}: {parameter} must be a regularizer of each element by itself; for others call "
            f"their own prox, for the elastic net proximal_step, after the update, "
            f"got {type(regularizer).__name__}"
        )
    step = -1 if calls.place_of_step is None else calls.place_of_step
    return (
        calls.prox,
        tuple(_fitting(name, parameter, p, shape) for p in calls.with_step(1.0)),
        step,
        calls.penalty,
        tuple(_fitting(name, parameter, p, shape) for p in calls.penalty_parameters),
    )


def _fitting(
    name: str, parameter: str, value: float | NDArray[Any], shape: tuple[int, ...]
) -> float | NDArray[Any]:
    if not isinstance(value, np.ndarray):
        return value
    try:
        return np.broadcast_to(value, shape)
    except ValueError:
        raise ValueError(
            f"{name}: {parameter} must have parameters that broadcast to the shape of w, {shape}, "
            f"got one of shape {value.shape}"
        ) from None
