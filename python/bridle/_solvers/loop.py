"""The loop of proximal gradient descent, with momentum or without."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bridle._solvers.descent import Descent, dot
from bridle._solvers.problem import Array, Problem, read_only
from bridle._solvers.progress import progress_of
from bridle._solvers.result import FistaResult

Callback = Callable[[int, NDArray[Any], float], Any]
DECREASE = 1e-4
"""By which part of the squared step over its length an accelerated one must lower the objective."""


@dataclass(frozen=True)
class Options:
    """How to go, and when to stop."""

    step: float | None
    max_iterations: int
    tolerance: float
    callback: Callback | None
    progress: bool


class Momentum:
    """How far to go on in the direction of the last step: the factors of Beck and Teboulle."""

    def __init__(self, is_used: bool) -> None:
        self.is_used = is_used
        self._t = 1.0

    def restart(self) -> None:
        """Go on from where the last step has led to."""
        self._t = 1.0

    def next(self, growth: float) -> float:
        """Return the factor for a step that is so much longer than the last one."""
        if not self.is_used:
            return 0.0
        before, self._t = self._t, (1 + math.sqrt(1 + 4 * self._t**2 / growth)) / 2
        return (before - 1) / self._t


class Run:
    """A run from a start to its end, in five arrays of its size, of which ``x`` is the first."""

    def __init__(
        self,
        problem: Problem,
        x: Array,
        options: Options,
        *,
        momentum: bool = True,
        restart: bool = True,
    ) -> None:
        self.problem, self.options, self.x = problem, options, x
        self._from, self._to = x.copy(), np.empty_like(x)
        self._descent = Descent(problem, x, options.step)
        # With a regularizer that is not convex, momentum may lead up: only the objective can tell.
        self._momentum = Momentum(momentum and (problem.is_convex or problem.has_value))
        self._restarts, self._factor = restart, 0.0
        self._objective = math.nan
        self._history: dict[str, list[float]] = {"residual": [], "step": [], "objective": []}

    def minimize(self) -> FistaResult:
        """Make all iterations."""
        converged = False
        with progress_of(self.problem.solver, self.options.progress) as show:
            for iteration in range(1, self.options.max_iterations + 1):
                self.problem.iteration = iteration
                residual = self._advance()
                limit = self.options.tolerance * max(1.0, self._descent.first_norm)
                converged = residual <= limit
                show(iteration, residual, limit)
                if self._is_stopped(iteration, residual) or converged:
                    break
                self._look_ahead()
        return self._result(converged)

    def _advance(self) -> float:
        """Make an iteration, record it, and return its residual."""
        length, objective = self._step()
        self.x, self._to = self._to, self.x
        self._objective = objective
        residual = length / self._descent.step
        numbers = residual, self._descent.step, objective
        for name, number in zip(self._history, numbers, strict=True):
            self._history[name].append(number)
        return residual

    def _step(self) -> tuple[float, float]:
        """Step ahead, or from ``x`` itself where that leads up or out of where f is defined."""
        is_next = self.problem.iteration > 1
        if self._factor > 0:
            length, objective = self._take(is_next=False)
            if length < math.inf and self._is_low(length, objective):
                return length, objective
            self._momentum.restart()
            np.copyto(self._from, self.x)
            is_next = False
        length, objective = self._take(is_next=is_next)
        if length == math.inf:
            raise self.problem.error("value must be finite at x0", "inf")
        return length, objective

    def _take(self, *, is_next: bool) -> tuple[float, float]:
        squares = self._descent.take(self._from, self._to, is_next=is_next)
        value = self._descent.value
        if value is None or squares == math.inf:
            return math.sqrt(squares), math.nan
        return math.sqrt(squares), value + self.problem.penalty(self._to)

    def _is_low(self, length: float, objective: float) -> bool:
        if self.problem.is_convex:
            return True
        return objective <= self._objective - DECREASE * length**2 / self._descent.step

    def _look_ahead(self) -> None:
        """Move the point to step from, beyond ``x`` if there is momentum."""
        np.subtract(self.x, self._to, out=self._from)
        if self._restarts and dot(self._descent.move, self._from) < 0:
            self._momentum.restart()
        self._factor = self._momentum.next(self._descent.grow())
        if self._factor > 0:
            self._from *= self._factor
            self._from += self.x
        else:
            np.copyto(self._from, self.x)

    def _is_stopped(self, iteration: int, residual: float) -> bool:
        callback = self.options.callback
        return bool(callback and callback(iteration, read_only(self.x), residual))

    def _result(self, converged: bool) -> FistaResult:
        history = {name: np.array(numbers) for name, numbers in self._history.items()}
        objective = self._objective if self.problem.has_value else None
        iterations, step = self.problem.iteration, self._descent.step
        return FistaResult(self.x, converged, iterations, step, objective, history)
