"""Losses of linear predictions: what they cost, their slopes, the best constant."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import expit

Array = NDArray[np.floating[Any]]


class Loss(Protocol):
    """A loss of predictions z, one for each sample or, of several classes, one for each of both."""

    def costs(self, z: Array) -> Array:
        """Return the loss of each sample."""

    def slopes(self, z: Array) -> Array:
        """Return the derivatives by the predictions."""

    def best_constant(self, weights: Array) -> Array:
        """Return the best prediction that is the same for all samples, given weights of sum 1."""


class Squared:
    r""":math:`(y - z)^2 / 2`."""

    def __init__(self, y: Array) -> None:
        self.y = y

    def costs(self, z: Array) -> Array:
        residuals = self.slopes(z)
        residuals *= residuals
        residuals *= 0.5
        return residuals

    def slopes(self, z: Array) -> Array:
        return z - self.y

    def best_constant(self, weights: Array) -> Array:
        return np.asarray(weights @ self.y)


class Huber:
    r"""The `huber_penalty` of :math:`y - z`, with ``delta``."""

    def __init__(self, y: Array, delta: float) -> None:
        self.y, self.delta = y, delta

    def costs(self, z: Array) -> Array:
        residuals = z - self.y
        clipped = np.clip(residuals, -self.delta, self.delta)
        return clipped * (residuals - 0.5 * clipped)

    def slopes(self, z: Array) -> Array:
        return np.clip(z - self.y, -self.delta, self.delta)

    def best_constant(self, weights: Array) -> Array:
        ends = float(self.y.min()), float(self.y.max())
        return np.asarray(_root(lambda z: float(weights @ self.slopes(np.asarray(z))), *ends))


class Poisson:
    r""":math:`e^z - y z`, half the deviance but for a constant."""

    def __init__(self, y: Array) -> None:
        self.y = y

    def costs(self, z: Array) -> Array:
        with np.errstate(over="ignore"):  # the search for a step goes back from infinity
            return np.exp(z) - self.y * z

    def slopes(self, z: Array) -> Array:
        with np.errstate(over="ignore"):
            return np.exp(z) - self.y

    def best_constant(self, weights: Array) -> Array:
        return np.asarray(np.log(_above_zero(weights @ self.y)))


class Logistic:
    r""":math:`\log(1 + e^{-y z})` of two classes, y being -1 or 1."""

    def __init__(self, y: Array) -> None:
        self.y = y

    def costs(self, z: Array) -> Array:
        return np.logaddexp(0.0, -self.y * z, dtype=z.dtype)

    def slopes(self, z: Array) -> Array:
        return np.asarray(-self.y * expit(-self.y * z))

    def best_constant(self, weights: Array) -> Array:
        positive, negative = weights @ (self.y > 0), weights @ (self.y < 0)
        return np.asarray(np.log(_above_zero(positive)) - np.log(_above_zero(negative)))


class Multinomial:
    r""":math:`\log \sum_k e^{z_k} - z_y`, y being the number of a class."""

    def __init__(self, y: NDArray[np.intp], n_classes: int) -> None:
        self.y, self.n_classes = y, n_classes
        self._places = np.arange(len(y)), y

    def costs(self, z: Array) -> Array:
        largest = z.max(axis=1)
        total = np.exp(z - largest[:, None]).sum(axis=1)
        return np.asarray(np.log(total) + (largest - z[self._places]))

    def slopes(self, z: Array) -> Array:
        found = np.exp(z - z.max(axis=1, keepdims=True))
        found /= found.sum(axis=1, keepdims=True)
        found[self._places] -= 1
        return found

    def best_constant(self, weights: Array) -> Array:
        logarithms = np.log(_above_zero(np.bincount(self.y, weights, self.n_classes)))
        return np.asarray(logarithms - logarithms.mean(), weights.dtype)


class SquaredHinge:
    r""":math:`\sum_k \max(0, 1 - y_k z_k)^2`, each :math:`y_k` being -1 or 1."""

    def __init__(self, y: Array) -> None:
        self.y = y

    def _short(self, z: Array) -> Array:
        short = np.asarray(1 - self.y * z)
        return np.maximum(short, 0, out=short)

    def costs(self, z: Array) -> Array:
        short = self._short(z)
        short *= short
        return short if short.ndim == 1 else short.sum(axis=1)

    def slopes(self, z: Array) -> Array:
        short = self._short(z)
        short *= self.y
        short *= -2
        return short

    def best_constant(self, weights: Array) -> Array:
        # Where all margins are short, which is so between -1 and 1, the loss is a parabola.
        return np.asarray(weights @ self.y)


def _above_zero(mean: Any) -> Any:
    """Return a mean whose logarithm is finite, as that of weights of zero is not."""
    return np.maximum(mean, np.finfo(np.float64).eps)


def _root(slope: Callable[[float], float], lower: float, upper: float) -> float:
    """Return where a slope that rises from <= 0 to >= 0 is 0."""
    at_ends = slope(lower), slope(upper)
    if at_ends[0] >= 0 or at_ends[1] <= 0:
        return lower if at_ends[0] >= 0 else upper
    tolerance = 4 * np.finfo(float).eps * max(abs(lower), abs(upper))
    return float(brentq(slope, lower, upper, xtol=max(tolerance, math.ulp(0.0))))
