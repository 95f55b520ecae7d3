"""What regularizers of each element by itself share."""

from __future__ import annotations

from typing import Any, ClassVar, NamedTuple, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bridle import _core
from bridle._call import FLOAT_DTYPES, parameter, real_array
from bridle._lazy import refuse as refuse_lazy
from bridle._regularizers.base import BaseRegularizer
from bridle._regularizers.derivatives import Interval, Numbers, least_factor, residual_of
from bridle._regularizers.parameters import Parameter, of_owner
from bridle._types import FloatArray, Out

STEP = "step"
RULE_OF_STEP = "prox_l2", 1  # an operator of which this parameter is the step
NARROW = FLOAT_DTYPES - {np.dtype(np.float64)}


class Call:
    """How a class calls an operator: attributes by name, numbers and `STEP`, in its order."""

    def __init__(self, operator: str, *arguments: str | float) -> None:
        self.operator, self.arguments = operator, arguments

    def of(self, owner: object) -> tuple[Any, ...]:
        """Return the arguments of one object; None stands for the step."""
        return tuple(
            None if name == STEP else getattr(owner, name) if isinstance(name, str) else name
            for name in self.arguments
        )

    @property
    def place_of_step(self) -> int | None:
        """The index of the step; None where there is none."""
        return self.arguments.index(STEP) if STEP in self.arguments else None


class Elementwise(NamedTuple):
    """A regularizer of each element by itself as the core knows it, for what applies it there.

    Parameters are numbers, or arrays of a float type that broadcast against the weights. They are
    converted to the type that computes, which that of the weights decides.
    """

    prox: str
    """Name of its elementwise operator."""
    prox_parameters: tuple[Parameter | None, ...]
    """In the order of the operator; None at the place of the step."""
    place_of_step: int | None
    """The index of the step among them; None for a projection, which has none."""
    penalty: str | None
    """Name of its penalty; None for a set, which costs nothing inside and is infinite outside."""
    penalty_parameters: tuple[Parameter, ...]

    def with_step(self, step: Any) -> tuple[Any, ...]:
        """Return the parameters of the operator: a step for all elements, or one for each."""
        place = self.place_of_step
        if place is None:
            return self.prox_parameters
        return (*self.prox_parameters[:place], step, *self.prox_parameters[place + 1 :])


class ElementwiseRegularizer(BaseRegularizer):
    """Base of the regularizers that are a sum over the elements.

    A class names its parameters in ``__match_args__`` and in its constructor, tells whether it is
    convex, and how it calls its proximal operator and its penalty, whose parameters are its own. A
    set has no penalty; its parameters are those of the projection. Parameters that are factors of
    the whole penalty are its ``_factors``.
    """

    __slots__ = ("_calls", "_only_numbers")
    is_convex: ClassVar[bool]
    _factors: ClassVar[tuple[str, ...]] = ("strength",)
    _prox: ClassVar[Call]
    _penalty: ClassVar[Call | None] = None
    _calls: Elementwise
    _only_numbers: bool

    def _set(self, *given: ArrayLike) -> None:
        self._fix((self._penalty or self._prox).operator, *given)
        penalty = self._penalty or Call("")
        calls = Elementwise(
            *(self._prox.operator, self._prox.of(self), self._prox.place_of_step),
            *(penalty.operator or None, penalty.of(self)),
        )
        arrays = [value for value in calls.prox_parameters if isinstance(value, np.ndarray)]
        object.__setattr__(self, "_calls", calls)
        object.__setattr__(self, "_only_numbers", not arrays)

    def _elementwise(self) -> Elementwise | None:
        """Return how the core does the same; None for a subclass with functions of its own."""
        own = type(self).prox, type(self).value
        plain = ElementwiseRegularizer.prox, ElementwiseRegularizer.value
        return self._calls if own == plain else None

    def value(self, w: ArrayLike) -> float:
        calls = self._calls
        if calls.penalty is None:
            return self._indicator(w)
        try:
            penalty = getattr(_core, calls.penalty)
            refuse_lazy(calls.penalty, "w", w)
            return float(penalty(w, *calls.penalty_parameters, None, False))
        except (TypeError, ValueError) as error:
            raise self._own(error, calls.penalty, w) from None

    @overload
    def prox(self, w: FloatArray, step: ArrayLike = 1.0, out: None = None) -> FloatArray: ...
    @overload
    def prox(self, w: ArrayLike, step: ArrayLike, out: Out) -> Out: ...
    @overload
    def prox(self, w: ArrayLike, step: ArrayLike = 1.0, *, out: Out) -> Out: ...
    @overload
    def prox(self, w: ArrayLike, step: ArrayLike = 1.0, out: Any = None) -> Any: ...
    def prox(self, w: ArrayLike, step: ArrayLike = 1.0, out: Any = None) -> Any:
        """Return the minimizer of half the squared distance from ``w`` plus ``step`` times `value`.

        The result is what the operator's own function gives, of the dtype of ``w`` whatever that of
        the parameters is; ``step`` is one number >= 0, or one for each element, and ``out`` may be
        ``w`` itself.
        """
        calls = self._calls
        if not isinstance(step, float) or calls.place_of_step is None:
            step = self._checked_step(step)
        given = calls.with_step(step)
        operator = getattr(_core, calls.prox)
        try:
            if self._only_numbers and isinstance(step, float):
                return operator(w, *given, out, {})
            with np.errstate(over="ignore"):  # what is beyond the type of the weights is infinite
                return operator(w, *given, out, _keeping_dtype(w))
        except (TypeError, ValueError) as error:
            raise self._own(error, calls.prox, w) from None

    def _checked_step(self, step: ArrayLike) -> Any:
        try:
            return parameter(*RULE_OF_STEP, step)
        except (TypeError, ValueError) as error:
            raise of_owner(error, RULE_OF_STEP[0], type(self).__name__) from None

    def _residual(self, w: NDArray[Any], target: Numbers) -> Numbers:
        return residual_of(target, *self._fitting_slopes(w))

    def _least_factor(self, gradient: Numbers) -> float:
        return least_factor(-gradient, *self._fitting_slopes(np.zeros(gradient.shape)))

    def _own(self, error: Exception, operator: str, w: ArrayLike) -> Exception:
        """Return an error of an operator as this object's; NumPy's own names no parameter."""
        own = of_owner(error, operator, type(self).__name__)
        if own is error:
            try:
                shape, shapes = real_array(type(self).__name__, w).shape, self._shapes()
                np.broadcast_shapes(shape, *shapes.values())
            except TypeError as refused:
                return refused
            except ValueError:
                return self._misfit(shape, shapes)
        return own

    def _fitting_slopes(self, w: NDArray[Any]) -> Interval:
        """Return `_slopes`, of the shape of the weights."""
        shapes = self._shapes()
        try:
            fits = np.broadcast_shapes(w.shape, *shapes.values()) == w.shape
        except ValueError:
            fits = False
        if not fits:
            raise self._misfit(w.shape, shapes)
        lower, upper = self._slopes(w)
        return np.broadcast_to(lower, w.shape), np.broadcast_to(upper, w.shape)

    def _shapes(self) -> dict[str, tuple[int, ...]]:
        """Return those of the parameters that are arrays."""
        given = self._parameters().items()
        return {name: value.shape for name, value in given if isinstance(value, np.ndarray)}

    def _misfit(self, shape: tuple[int, ...], shapes: dict[str, tuple[int, ...]]) -> ValueError:
        return ValueError(
            f"{type(self).__name__}: {' and '.join(shapes)} must broadcast to the shape of the "
            f"weights, {shape}, got {' and '.join(map(str, shapes.values()))}"
        )

    def _slopes(self, w: NDArray[Any]) -> Interval:
        """Return the subdifferential at each weight: an interval, lower above upper if empty."""
        raise NotImplementedError

    def _scaled(self, factor: float) -> BaseRegularizer:
        if self._is_set:
            return self
        return self._with(**{name: getattr(self, name) * factor for name in self._factors})


def _keeping_dtype(w: object) -> dict[str, Any]:
    """Return keywords with which arrays of a wider type do not promote the weights."""
    dtype = getattr(w, "dtype", None)
    return {"dtype": dtype} if dtype in NARROW else {}
