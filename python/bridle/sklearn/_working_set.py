"""Minimizing over few features at a time, those that may be other than zero.

For regularizers that see each coefficient by itself. The optimality condition is then looked at
for all features, and those that break it join.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from bridle._regularizers.base import Scaled
from bridle._regularizers.elementwise import ElementwiseRegularizer
from bridle.sklearn._design import Array
from bridle.sklearn._problem import Layout, Problem, Quadratic, Run, is_elementwise

Features = NDArray[np.intp]


def has_slopes(regularizer: Any) -> bool:
    """Whether the optimality condition of each coefficient is known."""
    if isinstance(regularizer, Scaled):
        return has_slopes(regularizer.regularizer)
    return (
        is_elementwise(regularizer)
        and type(regularizer)._slopes is not ElementwiseRegularizer._slopes
    )


class WorkingSet:
    """The features that have joined so far, as the factor of a regularizer falls."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.features: Features = np.empty(0, np.intp)
        self._part = problem

    def minimize(
        self,
        regularizer: Any,
        x: Array,
        *,
        expected: Any,
        max_iterations: int,
        tolerance: float,
    ) -> Run:
        """Minimize from a vector on; features join first that would for an expected regularizer."""
        limit, iterations, converged = self.problem.limit(tolerance) / 2, 0, True
        broken = self._broken(expected, x)
        while True:
            self._join(np.flatnonzero(broken))
            if 2 * len(self.features) > self.problem.shape[-1]:
                rest = max(max_iterations - iterations, 1)
                run = self.problem.minimize(
                    regularizer, x, max_iterations=rest, tolerance=tolerance
                )
                return run._replace(iterations=iterations + run.iterations)
            if len(self.features) > 0:
                run = self._part.minimize(
                    _restricted(regularizer, self.features, self.problem.shape[-1]),
                    _taken(self.problem.layout, x, self.features),
                    max_iterations=max(max_iterations - iterations, 1),
                    tolerance=tolerance / 2,
                )
                x = _put(self.problem.layout, x, self.features, run.x)
                iterations, converged = iterations + run.iterations, run.converged
            broken = self._broken(regularizer, x)
            if float(np.linalg.norm(broken)) <= limit or iterations >= max_iterations:
                return Run(x, iterations, converged and float(np.linalg.norm(broken)) <= limit)

    def _broken(self, regularizer: Any, x: Array) -> NDArray[np.float64]:
        """Return how far each feature that has not joined is from its optimality condition."""
        layout = self.problem.layout
        by_coef = self.problem.by_coef(x)
        with np.errstate(all="ignore"):
            residuals = regularizer._residual(layout.coef(x), -by_coef.astype(np.float64))
        if layout.scale is not None:
            residuals = residuals * layout.scale
        broken: NDArray[np.float64]
        broken = np.abs(residuals) if residuals.ndim == 1 else np.linalg.norm(residuals, axis=0)
        broken[self.features] = 0
        return broken

    def _join(self, features: Features) -> None:
        if len(features) > 0:
            self.features = np.append(self.features, features)
            if 2 * len(self.features) <= self.problem.shape[-1]:
                self._part = self.problem.restricted(self.features)


def reduced(problem: Problem) -> Problem:
    """Return the same problem, for many minimizations, without its samples if that is less."""
    samples = problem.design.samples
    n_numbers = samples.nnz if hasattr(samples, "nnz") else samples.size
    is_less = problem.shape[-1] ** 2 <= n_numbers
    return Quadratic(problem) if problem.is_quadratic and is_less else problem


def _taken(layout: Layout, x: Array, features: Features) -> Array:
    return np.append(layout.part(x)[..., features], x[layout.size :])


def _put(layout: Layout, x: Array, features: Features, part: Array) -> Array:
    result = x.copy()
    n_taken = part.size - layout.n_intercepts
    shape = (*layout.shape[:-1], len(features))
    layout.part(result)[..., features] = part[:n_taken].reshape(shape)
    result[layout.size :] = part[n_taken:]
    return result


def _restricted(regularizer: Any, features: Features, n_features: int) -> Any:
    """Return the regularizer of some features, its parameters those of theirs."""
    if isinstance(regularizer, Scaled):
        inner = _restricted(regularizer.regularizer, features, n_features)
        return Scaled(inner, regularizer.factor)
    of_features = {
        name: value[..., features]
        for name, value in regularizer._parameters().items()
        if np.ndim(value) > 0 and np.shape(value)[-1] == n_features
    }
    return regularizer._with(**of_features) if of_features else regularizer
