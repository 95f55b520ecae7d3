"""Steps of proximal gradient descent, and how long they may be."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bridle import _core
from bridle._solvers.problem import Array, Problem, unit_of

GROWTH = 1.3
"""By how much a step grows that has been short enough for some iterations."""
CALM = 10
"""Number of iterations for which a step stays after one that was too long."""
SHORTEST, LONGEST = 0.1, 0.9
"""By how much a step that is too long becomes shorter."""
ROUNDINGS = 8.0
"""How many units in the last place the user's functions are thought to be off, in their type."""


def square(x: Array) -> float:
    """Return the squared Euclidean norm, summed in float64."""
    return float(_core.l2_penalty(x, 1.0, None, False))


def dot(x: NDArray[Any], y: NDArray[Any]) -> float:
    """Return the scalar product, summed in float64."""
    axes = range(x.ndim)
    return float(np.einsum(x, axes, y, axes, [], dtype=np.float64, casting="unsafe"))


class Descent:
    r"""Steps :math:`x = \operatorname{prox}_{sR}(y - s \nabla f(y))` from any points y.

    A step that is not given is the longest one found for which the curvature c of f between the
    two points is at most 1/s: :math:`f(x) \le f(y) + \nabla f(y)^T (x - y) + \|x - y\|^2 / 2s`,
    or :math:`(\nabla f(x) - \nabla f(y))^T (x - y) \le \|x - y\|^2 / s` without f, or where the
    difference of its values is lost in their rounding. Where that is lost, too, the step stays.
    """

    def __init__(self, problem: Problem, x: Array, step: float | None) -> None:
        self.problem = problem
        self.is_fixed = step is not None
        self.step = step or math.nan
        self.value: float | None = None
        """f at the point that the last step has led to, if there is a function for it."""
        self.move = np.empty_like(x)
        """The last step as a vector."""
        self.first_norm = math.nan
        """Norm of the gradient at the first point of all."""
        self._gradient = np.empty_like(x)
        self._norm = math.nan
        self._ahead: NDArray[Any] | None = None  # that at the end of a step being tried
        self._is_known = False  # whether the gradient is that at the end of the last step
        self._quiet = 0
        self._unit = unit_of(x)
        limits = np.finfo(x.dtype)
        self._least, self._most = float(limits.tiny), math.sqrt(float(limits.max))

    def take(self, y: Array, point: Array, *, is_next: bool = False) -> float:
        """Go a step from ``y``, which may be where the last one led to; return its squared length.

        A search does not start where f is infinite, and returns infinity.
        """
        if not is_next:
            self._is_known = False
            if self.problem.has_value and not self.is_fixed:
                self.value = self.problem.value(y)
                if self.value == math.inf:
                    return math.inf
        if not self._is_known:
            self._keep(self.problem.gradient(y))
        return self._take_fixed(y, point) if self.is_fixed else self._search(y, point)

    def grow(self) -> float:
        """Let the step grow, slowly, and return by how much."""
        self._quiet += 1
        before = self.step
        if not self.is_fixed and self._quiet > CALM:
            self.step = min(before * GROWTH, self._most)
        return self.step / before

    def _keep(self, gradient: NDArray[Any]) -> None:
        with np.errstate(over="ignore"):  # an infinity is found
            np.copyto(self._gradient, gradient, casting="unsafe")
        self._norm = math.sqrt(square(self._gradient))
        if not math.isfinite(self._norm):
            raise self.problem.error("gradient must be finite", bad(self._gradient))
        if math.isnan(self.first_norm):
            self.first_norm = self._norm

    def _take_fixed(self, y: Array, point: Array) -> float:
        self._is_known = False
        squares = self._go(y, point)
        if not math.isfinite(squares):
            raise self.problem.error("x must stay finite, with a step short enough", bad(point))
        if self.problem.has_value:
            self.value = self.problem.value(point)
            if self.value == math.inf:
                raise self.problem.error("value must stay finite, with a step short enough", "inf")
        return squares

    def _search(self, y: Array, point: Array) -> float:
        may_leap = math.isnan(self.step)
        if may_leap:  # as far as y is large
            reach = max(math.sqrt(square(y)), 1.0)
            self.step = min(reach / self._norm, self._most) if self._norm > 0 else 1.0
        at_start, product = self.value, 0.0
        while self.step > self._least:
            squares = self._go(y, point)
            if squares == 0 and product == math.inf:  # any other point was out of bounds
                break
            self._ahead, self.value = None, at_start
            product = self.step * self._curvature(y, point, squares)
            if product > 1:
                self.step *= min(max(1 / product, SHORTEST), LONGEST)
                self._quiet, may_leap = 0, False
            elif may_leap and product < 0.5 and self._is_move(squares) and self.step < self._most:
                factor = LONGEST / product if product > 0 else math.inf
                self.step = min(self.step * min(factor, 1 / SHORTEST), self._most)
            else:
                if product <= 0:  # rounding, which does not tell that a longer one would do
                    self._quiet = 0
                self._is_known = self._ahead is not None
                if self._ahead is not None:
                    self._keep(self._ahead)
                return squares
        rule = "x, value and gradient must stay finite and agree along a step, if it is short"
        raise self.problem.error(rule, f"a step of {self.step:.3g}")

    def _is_move(self, squares: float) -> bool:
        """Whether a step is more than what the rounding of the gradient makes of it."""
        unit = ROUNDINGS * max(self._unit, self.problem.unit_of_gradient)
        return math.sqrt(squares) > unit * self._norm * self.step

    def _go(self, y: Array, point: Array) -> float:
        with np.errstate(over="ignore", invalid="ignore"):  # what is not finite is found
            np.multiply(self._gradient, -self.step, out=point)
            point += y
        self.problem.prox(point, self.step)
        with np.errstate(over="ignore", invalid="ignore"):
            np.subtract(point, y, out=self.move)
        return square(self.move)

    def _curvature(self, y: Array, point: Array, squares: float) -> float:
        """Return the curvature between two points, less what may be rounding alone."""
        if squares == 0:
            return 0.0
        if not math.isfinite(squares):
            return math.inf
        if self.value is not None:
            rise, rounding = self._rise(point, math.sqrt(squares), self.value)
            if not math.isfinite(rise):
                return math.inf
            if rounding * self.step < 0.05 * squares:
                return 2 * (rise - rounding) / squares
        self._ahead = self.problem.gradient(point)
        change = dot(self._ahead, self.move) - dot(self._gradient, self.move)
        if not math.isfinite(change):
            return math.inf
        size = self._norm + math.sqrt(square(y)) / self.step
        unit = ROUNDINGS * max(self._unit, self.problem.unit_of_gradient)
        return (change - unit * size * math.sqrt(squares)) / squares

    def _rise(self, point: Array, length: float, value: float) -> tuple[float, float]:
        """Return by how much f is above its tangent, and the rounding in that."""
        self.value = self.problem.value(point)
        rise = self.value - value - dot(self._gradient, self.move)
        unit = ROUNDINGS * max(self._unit, self.problem.unit_of_value)
        return rise, unit * (abs(value) + abs(self.value) + self._norm * length)


def bad(x: Array) -> str:
    """Return the first number that is not finite, and where it is; else the largest."""
    places = np.argwhere(~np.isfinite(x))
    if not len(places):
        return f"numbers up to {np.abs(x).max():.3g}"
    place = tuple(map(int, places[0]))
    return f"{x[place]} at {place}"
