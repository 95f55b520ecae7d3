"""What derivatives of regularizers are made of: numbers of type float64, whatever the weights."""

from __future__ import annotations

import math
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bridle import _slices
from bridle._call import real_array

Numbers: TypeAlias = NDArray[np.float64]
Interval: TypeAlias = tuple[NDArray[Any], NDArray[Any]]


def euclidean_norm(vector: Numbers) -> float:
    """Return the norm of all elements, which neither overflows nor underflows on the way."""
    return float(_slices.measure("l2_norm_penalty", vector.reshape(-1), (1.0,)))


def gradient_like(owner: str, gradient: ArrayLike, shape: tuple[int, ...] | None) -> Numbers:
    """Return a gradient as numbers, its shape checked if there is one to check it against."""
    array = real_array(owner, gradient, "gradient")
    if shape is not None and array.shape != shape:
        raise ValueError(
            f"{owner}: gradient must have the shape of the weights, {shape}, got {array.shape}"
        )
    return array.astype(np.float64)


def symmetric(w: Numbers, slope: NDArray[Any] | float) -> Interval:
    """Return the slopes of a function of magnitudes that has the given slope there."""
    return np.where(w > 0, slope, -slope), np.where(w < 0, -slope, slope)


def empty_where(missing: NDArray[np.bool], lower: ArrayLike, upper: ArrayLike) -> Interval:
    """Return intervals of which some are empty: from infinity down to minus infinity."""
    return np.where(missing, math.inf, lower), np.where(missing, -math.inf, upper)


def residual_of(target: Numbers, lower: NDArray[Any], upper: NDArray[Any]) -> Numbers:
    """Return how far each target is from its interval, with a sign; infinite if that is empty."""
    residual = target - np.clip(target, lower, upper)
    return np.where(lower > upper, math.inf, residual)


def least_factor(target: Numbers, lower: NDArray[Any], upper: NDArray[Any]) -> float:
    """Return the least factor >= 0 of the intervals with which they hold the targets, or inf."""
    least, most = 0.0, math.inf
    for value, bound in ((target, upper), (-target, -lower)):  # value <= factor * bound
        least = max(least, float(ratio(value, np.maximum(bound, 0)).max(initial=0)))
        below = bound < 0
        most = min(most, float((value[below] / bound[below]).min(initial=math.inf)))
    is_empty = bool((lower > upper).any())
    return math.inf if is_empty or least > most * (1 + 4 * np.finfo(float).eps) else least


def ratio(numerator: NDArray[Any], denominator: ArrayLike) -> Numbers:
    """Return the factors >= 0 with which a number reaches another one: 0 / 0 is 0."""
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        found = np.asarray(np.divide(numerator, denominator), np.float64)
    return np.where(np.less_equal(numerator, 0), 0.0, found)
