"""What is minimized: the functions that a user has given, and whether what they return will do."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Protocol, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bridle._call import as_array, is_masked, is_real, number, shown
from bridle._lazy import refuse as refuse_lazy

Array: TypeAlias = NDArray[np.floating[Any]]
Gradient: TypeAlias = Callable[[NDArray[Any]], ArrayLike]
Value: TypeAlias = Callable[[NDArray[Any]], Any]


DIGITS = {"float64": 52, "float32": 23, "float16": 10, "bfloat16": 7}
UNITS = {np.dtype(name): 2.0**-digits for name, digits in DIGITS.items()}
"""Unit in the last place of numbers about 1."""


class Proximable(Protocol):
    """What a solver asks of a regularizer."""

    def value(self, w: NDArray[Any], /) -> float:
        """Return what the weights cost."""

    def prox(self, w: NDArray[Any], step: float = 1.0, out: NDArray[Any] | None = None) -> Any:
        """Return the minimizer of half the squared distance from ``w`` plus step times value."""

    @property
    def is_convex(self) -> bool:
        """Whether the value is a convex function of the weights."""


def check_regularizer(solver: str, regularizer: Any) -> None:
    """Check that an object has the members that are needed; no class is."""
    functions = (getattr(regularizer, name, None) for name in ("value", "prox"))
    is_convex = getattr(regularizer, "is_convex", None)
    if (
        isinstance(regularizer, type)
        or not all(map(callable, functions))
        or not isinstance(is_convex, bool | np.bool)
    ):
        raise TypeError(
            f"{solver}: regularizer must have value(w), prox(w, step, out) and is_convex, "
            f"True or False, got {shown(regularizer)}"
        )


def check_function(solver: str, parameter: str, function: Any) -> None:
    """Check that something can be called."""
    if not callable(function):
        raise TypeError(f"{solver}: {parameter} must be a function, got {shown(function)}")


class Problem:
    """A smooth function and a regularizer, at points of one shape.

    Points are handed to the user's functions as views that cannot be written to.
    """

    def __init__(
        self, solver: str, gradient: Gradient, value: Value | None, regularizer: Proximable
    ) -> None:
        check_function(solver, "gradient", gradient)
        if value is not None:
            check_function(solver, "value", value)
        check_regularizer(solver, regularizer)
        self.solver = solver
        self.iteration = 0
        self.is_convex = bool(regularizer.is_convex)
        self.has_value = value is not None
        self.unit_of_gradient = self.unit_of_value = 0.0
        """The units in which the functions return numbers, as far as their types tell."""
        self._gradient, self._value, self._regularizer = gradient, value, regularizer

    def gradient(self, x: Array) -> NDArray[Any]:
        """Return the gradient of the smooth function, of any layout and type of numbers."""
        gradient = self._array("gradient", self._gradient(read_only(x)), x)
        self.unit_of_gradient = max(self.unit_of_gradient, unit_of(gradient))
        return gradient

    def value(self, x: Array) -> float:
        """Return the smooth function; infinity is allowed, outside of where it is defined."""
        assert self._value is not None
        given = self._value(read_only(x))
        self.unit_of_value = max(self.unit_of_value, unit_of(given))
        return self._cost("value", given)

    def penalty(self, x: Array) -> float:
        """Return what the regularizer says that a point costs."""
        return self._cost("regularizer.value", self._regularizer.value(read_only(x)))

    def prox(self, point: Array, step: float) -> None:
        """Replace a point by its proximal point."""
        result = self._regularizer.prox(point, step, out=point)
        if result is not point:  # of a class that makes a new array
            np.copyto(point, self._array("regularizer.prox", result, point), casting="same_kind")

    def error(self, rule: str, got: object) -> FloatingPointError:
        """Return the error of numbers that make it impossible to go on."""
        return FloatingPointError(self._told(rule, got))

    def _told(self, rule: str, got: object) -> str:
        return f"{self.solver}: {rule}, got {got} in iteration {self.iteration}"

    def _array(self, function: str, given: Any, x: Array) -> NDArray[Any]:
        refuse_lazy(self.solver, f"what {function} returns", given)
        array = as_array(given)
        if is_masked(given) or not is_real(array):
            got = (
                shown(given)
                if array.dtype == object
                else f"{type(given).__name__} of {array.dtype}"
            )
            raise TypeError(self._told(f"{function} must return an array of real numbers", got))
        if array.shape != x.shape:
            rule = f"{function} must return an array of the shape of x0, {x.shape}"
            raise ValueError(self._told(rule, array.shape))
        return array

    def _cost(self, function: str, given: Any) -> float:
        cost = number(self.solver, function, given)
        if math.isnan(cost) or cost == -math.inf:
            raise self.error(f"{function} must be a number > -inf", cost)
        return cost


def unit_of(numbers: Any) -> float:
    """Return the unit in the last place of a type, 0 if it does not tell."""
    dtype: Any = getattr(numbers, "dtype", None)
    return UNITS.get(dtype, 0.0)


def read_only(x: Array) -> Array:
    """Return a view through which nobody can change a point."""
    view = x.view()
    view.flags.writeable = False
    return view
