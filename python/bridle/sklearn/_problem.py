"""A linear model's loss as a function of one vector, with a regularizer of its coefficients."""

from __future__ import annotations

import copy
import dataclasses
import math
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bridle._regularizers.base import Scaled
from bridle._regularizers.elementwise import ElementwiseRegularizer
from bridle._regularizers.protocol import Regularizer
from bridle._solvers.descent import dot, square
from bridle._solvers.functions import fista
from bridle.sklearn._design import Array, Design, largest_eigenvalue
from bridle.sklearn._losses import Loss, Squared

LEAST = 20
"""How many units in the last place of its terms the norm of a gradient may be wrong by."""


class Run(NamedTuple):
    """Where a minimization has ended."""

    x: Array
    iterations: int
    converged: bool


@dataclass(frozen=True)
class Layout:
    """How a vector holds a model: coefficients over their scale, then intercepts over a unit."""

    shape: tuple[int, ...]
    scale: Array | None
    n_intercepts: int
    unit: float

    @property
    def size(self) -> int:
        """Number of coefficients."""
        return math.prod(self.shape)

    def restricted(self, features: NDArray[np.intp]) -> Layout:
        """Return the layout of a model that has some of the features alone."""
        scale = None if self.scale is None else self.scale[features]
        shape = (*self.shape[:-1], len(features))
        return dataclasses.replace(self, shape=shape, scale=scale)

    def part(self, x: NDArray[Any]) -> Array:
        """Return a view of the coefficients over their scale."""
        return x[: self.size].reshape(self.shape)

    def coef(self, x: NDArray[Any]) -> Array:
        """Return the coefficients, as a view if they are not scaled."""
        return self.part(x) if self.scale is None else self.part(x) * self.scale

    def intercept(self, x: NDArray[Any]) -> Array:
        """Return the intercepts, or zero where the vector has none."""
        outputs = self.shape[:-1]
        if self.n_intercepts == 0:
            return np.zeros(outputs, x.dtype)
        return np.asarray(self.unit * x[self.size :].reshape(outputs))

    def vector(self, coef: Array, intercept: Array) -> Array:
        """Return the vector of a model."""
        x = np.empty(self.size + self.n_intercepts, coef.dtype)
        self.part(x)[...] = coef if self.scale is None else coef / self.scale
        if self.n_intercepts:
            x[self.size :] = intercept.reshape(-1) / self.unit
        return x

    def gradient(self, by_coef: Array, by_intercept: Array) -> Array:
        """Return derivatives by the vector, given those by what it holds; the first are lost."""
        if self.scale is not None:
            by_coef *= self.scale
        if self.n_intercepts == 0:
            return by_coef.reshape(-1)
        return np.append(by_coef, self.unit * by_intercept)


class Penalty:
    """A regularizer of the coefficients as one of the vector, in which intercepts cost nothing."""

    def __init__(self, regularizer: Regularizer, layout: Layout) -> None:
        self.regularizer, self.layout = regularizer, layout
        self.is_convex = bool(regularizer.is_convex)

    def value(self, x: NDArray[Any]) -> float:
        """Return what the coefficients cost."""
        return self.regularizer.value(self.layout.coef(x))

    def prox(self, x: NDArray[Any], step: float = 1.0, out: Any = None) -> NDArray[Any]:
        """Return the proximal point; that of scaled coefficients has a step for each."""
        result: NDArray[Any] = x.copy() if out is None else out
        part, scale = self.layout.part(result), self.layout.scale
        steps: Any = step
        if scale is not None:
            part *= scale
            steps = step * scale * scale
        found = self.regularizer.prox(part, steps, out=part)
        if found is not part:  # of a class that makes a new array
            part[...] = found
        if scale is not None:
            part /= scale
        return result


class Problem:
    """The mean loss of a linear model, as a function of a vector that holds the model.

    Features are centered if there is an intercept; those that a regularizer sees one by one are
    also scaled, by powers of two, which round nothing: it converges as if they were of one size.
    """

    def __init__(
        self,
        design: Design,
        loss: Loss,
        outputs: tuple[int, ...],
        regularizer: Regularizer,
        size_of_slopes: float,
    ) -> None:
        self.design, self.loss = design, loss
        self.dtype = design.weights.dtype
        has_intercept = design.means is not None
        self.base = np.zeros(outputs, self.dtype)
        """The intercept of the best model without features, from which others are counted."""
        if has_intercept:
            self.base = np.asarray(loss.best_constant(design.weights), self.dtype)
        # The best intercept for the squared loss is that one, as features are centered.
        n_intercepts = self.base.size if has_intercept and not isinstance(loss, Squared) else 0
        is_scaled = is_elementwise(regularizer) and np.ptp(design.sizes) > 0
        scale = 1 / design.sizes if is_scaled else None
        largest = design.largest_square(scale)
        unit = 2.0 ** math.floor(math.log2(largest) / 2) if largest > 0 else 1.0
        self.layout = Layout((*outputs, design.samples.shape[1]), scale, n_intercepts, unit)
        # Other losses are flatter than their bounds nearly everywhere: searching is quicker there.
        self.curvature = largest if isinstance(loss, Squared) and largest > 0 else None
        """The largest curvature, where steps are as long as that allows."""
        self._at = np.empty(0, self.dtype)
        self._predictions = self.base
        start = self.start()
        self._first_norm = math.sqrt(square(self.gradient(start)))
        rounding = LEAST * float(np.finfo(self.dtype).eps)
        self._least_norm = rounding * max(math.sqrt(largest), unit) * size_of_slopes

    @property
    def is_quadratic(self) -> bool:
        """Whether the mean loss is a parabola."""
        return isinstance(self.loss, Squared)

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the coefficients."""
        return self.layout.shape

    def predictions(self, x: NDArray[Any]) -> Array:
        """Return the predictions at a point, those at the last one without computing them again."""
        if not np.array_equal(self._at, x):
            self._predictions = self.design.times(self.layout.coef(x))
            self._predictions += self.base + self.layout.intercept(x)
            self._at = x.copy()
        return self._predictions

    def value(self, x: NDArray[Any]) -> float:
        """Return the mean loss."""
        return dot(self.design.weights, self.loss.costs(self.predictions(x)))

    def gradient(self, x: NDArray[Any]) -> Array:
        """Return the gradient of the mean loss."""
        slopes = self.loss.slopes(self.predictions(x))
        by_coef = self.design.transposed_times(slopes)
        return self.layout.gradient(by_coef, self.design.weights @ slopes)

    def start(self) -> Array:
        """Return the vector of the best model without features."""
        return np.zeros(self.layout.size + self.layout.n_intercepts, self.dtype)

    def vector(self, coef: Array, intercept: Array) -> Array:
        """Return the vector of a model."""
        means = self.design.means
        shift = 0.0 if means is None else coef @ means
        return self.layout.vector(coef, np.asarray(intercept + shift - self.base))

    def by_coef(self, x: NDArray[Any]) -> Array:
        """Return the gradient by the coefficients themselves."""
        part = self.layout.part(self.gradient(x))
        return part if self.layout.scale is None else part / self.layout.scale

    def limit(self, tolerance: float) -> float:
        """Return how far from stationary a solution may be: a part of what the first one is."""
        return max(tolerance * self._first_norm, self._least_norm)

    def restricted(self, features: NDArray[np.intp]) -> Problem:
        """Return the problem of a model that has some of the features alone."""
        part = copy.copy(self)
        part.design = self.design.restricted(features)
        part.layout = self.layout.restricted(features)
        if self.curvature is not None:
            part.curvature = part.design.largest_square(part.layout.scale) or None
        part._at = np.empty(0, self.dtype)
        return part

    def minimize(
        self, regularizer: Regularizer, x: Array, *, max_iterations: int, tolerance: float
    ) -> Run:
        """Minimize the mean loss plus a regularizer of the coefficients, from a vector on."""
        penalty = Penalty(regularizer, self.layout)
        limit = self.limit(tolerance)
        step = 1 / self.curvature if penalty.is_convex and self.curvature else None
        # Twice the residual is a bound of the distance from a solution's subdifferential.
        result = fista(
            self.gradient,
            penalty,
            x,
            value=self.value if step is None else None,
            step=step,
            max_iterations=max_iterations,
            tolerance=0.0,
            callback=lambda iteration, x, residual: 2 * residual <= limit,
        )
        converged = 2 * float(result.history["residual"][-1]) <= limit
        return Run(result.x, result.iterations, converged)

    def model(self, x: Array) -> tuple[Array, Array]:
        """Return the coefficients and the intercepts."""
        coef = np.array(self.layout.coef(x))
        intercept = self.base + self.layout.intercept(x)
        if self.design.means is not None:
            intercept = intercept - coef @ self.design.means
        return coef, np.asarray(intercept)

    def objective(self, regularizer: Regularizer, x: Array) -> float:
        """Return the mean loss plus what the coefficients cost."""
        return self.value(x) + float(regularizer.value(self.layout.coef(x)))


class Quadratic(Problem):
    """A problem of the squared loss that knows the scalar products, and needs the samples no more.

    Iterations then take time by the square of the number of features.
    """

    def __init__(self, problem: Problem) -> None:
        vars(self).update(vars(problem))
        start = self.start()
        self._constant, self._linear = problem.value(start), problem.gradient(start)
        self._products = problem.design.products()
        if (scale := self.layout.scale) is not None:
            self._products *= scale
            self._products *= scale[:, None]

    def value(self, x: NDArray[Any]) -> float:
        """Return the mean loss."""
        slopes = 0.5 * (self._products @ x) + self._linear
        return self._constant + dot(slopes, x)

    def gradient(self, x: NDArray[Any]) -> Array:
        """Return the gradient of the mean loss."""
        return np.asarray(self._products @ x + self._linear)

    def restricted(self, features: NDArray[np.intp]) -> Problem:
        """Return the problem of a model that has some of the features alone."""
        part = copy.copy(self)
        part.layout = self.layout.restricted(features)
        part._linear = self._linear[features]
        part._products = self._products[np.ix_(features, features)]
        part.curvature = largest_eigenvalue(part._products.__matmul__, part._linear) or None
        return part


def is_elementwise(regularizer: Any) -> bool:
    """Whether a regularizer sees each coefficient by itself, and takes a step for each."""
    if isinstance(regularizer, Scaled):
        return is_elementwise(regularizer.regularizer)
    return (
        isinstance(regularizer, ElementwiseRegularizer) and regularizer._elementwise() is not None
    )
