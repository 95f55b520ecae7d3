"""What all regularizers share, and what is made of them by multiplying and adding."""

from __future__ import annotations

import math
from typing import Any, cast, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bridle import _slices
from bridle._call import non_negative, number, product, real_array, shown
from bridle._regularizers.derivatives import (
    Numbers,
    euclidean_norm,
    gradient_like,
    least_factor,
)
from bridle._regularizers.parameters import Parametrized, of_owner
from bridle._regularizers.protocol import Regularizer
from bridle._types import FloatArray, Number, Out


class BaseRegularizer(Parametrized):
    """Base of the regularizers of this package.

    A class has `value` and `prox`, and whatever it can of: `_residual`, from which come all
    derivatives at weights; `_least_factor`; `_scaled`, its multiple; ``_plus``, its sum with
    another one where that is a regularizer of its own, else None; ``_prox_with``, the proximal
    operator of its sum with any other.
    """

    __slots__ = ()
    __array_ufunc__ = None  # numbers of NumPy leave the multiplication to the object
    _is_smooth: bool = False
    """Whether there is a gradient everywhere."""
    _is_set: bool = False
    """Whether it costs nothing inside, and is infinite outside."""

    @property
    def is_convex(self) -> bool:
        """Whether the value is a convex function of the weights."""
        raise NotImplementedError

    def value(self, w: ArrayLike) -> float:
        """Return what the weights cost: a sum in float64, or 0.0 inside a set and inf outside.

        A NaN in the weights makes it NaN.
        """
        raise NotImplementedError

    def __call__(self, w: ArrayLike) -> float:
        """Return what the weights cost, as `value` does."""
        return self.value(w)

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

        The result has the dtype of ``w``; ``out`` may be ``w`` itself.
        """
        raise NotImplementedError

    def gradient(self, w: ArrayLike, out: NDArray[Any] | None = None) -> NDArray[Any]:
        """Return the gradient at ``w``, of its dtype, of what is differentiable everywhere.

        For other regularizers a NotImplementedError; they have a `subgradient`.
        """
        if not self._is_smooth:
            raise self._has_no("gradient", "it is not differentiable everywhere; take subgradient")
        return self.subgradient(w, out)

    def subgradient(self, w: ArrayLike, out: NDArray[Any] | None = None) -> NDArray[Any]:
        """Return the element of the subdifferential at ``w`` that has the least norm.

        It is computed in float64 and has the dtype of ``w``. Where the value is infinite there is
        none: a ValueError.
        """
        array = real_array(type(self).__name__, w)
        with np.errstate(all="ignore"):
            slope = -self._residual(array, np.where(np.isnan(array), math.nan, 0.0))
        if np.isinf(slope).any() and math.isinf(self.value(array)):
            raise ValueError(
                f"{type(self).__name__}: w must have a finite value to have a subgradient, "
                f"got {shown(w)}"
            )
        return self._written(array, slope, out)

    def subdifferential_distance(self, w: ArrayLike, gradient: ArrayLike) -> float:
        """Return how far the negative ``gradient`` is from the subdifferential at ``w``.

        The Euclidean distance, 0.0 where the sum of the regularizer and a function with that
        gradient is stationary; inf where the subdifferential is empty, as outside a set. Of what is
        not convex it is the limiting subdifferential.
        """
        owner = type(self).__name__
        array = real_array(owner, w)
        target = -gradient_like(owner, gradient, array.shape)
        if np.isnan(array).any() or np.isnan(target).any():
            return math.nan
        with np.errstate(all="ignore"):
            return euclidean_norm(np.asarray(self._residual(array, target)))

    def lambda_max(self, gradient: ArrayLike) -> float:
        """Return the least factor of the regularizer with which weights of zero are stationary.

        The ``gradient`` is that of the other function at zero. It is inf where no factor does it.
        """
        array = gradient_like(type(self).__name__, gradient, None)
        if np.isnan(array).any():
            return math.nan
        with np.errstate(all="ignore"):
            return self._least_factor(array)

    def _residual(self, w: NDArray[Any], target: Numbers) -> Numbers:
        """Return the target less its nearest element of the subdifferential at w.

        Infinite where that is empty.
        """
        raise self._has_no("derivatives", "they have no closed form")

    def _least_factor(self, gradient: Numbers) -> float:
        """Return `lambda_max` of a gradient: here of a function with a gradient, or of a set."""
        zeros = np.zeros(gradient.shape)
        if self._is_smooth:
            slope = -self._residual(zeros, zeros)
            return least_factor(-gradient, slope, slope)
        if self._is_set:
            return math.inf if self._residual(zeros, -gradient).any() else 0.0
        raise self._has_no("lambda_max", "it has no closed form")

    def _has_no(self, what: str, reason: str) -> NotImplementedError:
        """Return the error of what there is not."""
        return NotImplementedError(f"{type(self).__name__}: there is no {what}, since {reason}")

    def _written(self, w: NDArray[Any], result: Numbers, out: Any) -> NDArray[Any]:
        """Return a result in the type of the weights, or in `out`, every zero being +0.0."""
        try:
            target = _slices.result_of("", w, out)
        except (TypeError, ValueError) as error:
            raise of_owner(error, "", type(self).__name__) from None
        with np.errstate(over="ignore", invalid="ignore"):
            np.copyto(target, result, casting="same_kind")
        target[target == 0] = 0
        return target[()] if target.ndim == 0 and out is None else target

    def _indicator(self, w: ArrayLike, slack: float = 0.0) -> float:
        """Return 0.0 where the projection moves no weight by more than the slack, else inf."""
        owner = type(self).__name__
        array = real_array(owner, w)
        projected = self.prox(array)
        if projected.shape != array.shape:
            raise ValueError(
                f"{owner}: {' and '.join(self.__match_args__)} must broadcast to the shape of the "
                f"weights, {array.shape}, got {projected.shape}"
            )
        if (projected == array).all():
            return 0.0
        if slack and (np.abs(np.subtract(projected, array, dtype=np.float64)) <= slack).all():
            return 0.0
        return math.nan if np.isnan(array).any() else math.inf

    def _scaled(self, factor: float) -> BaseRegularizer:
        """Return the multiple by a factor that has been checked."""
        return self if self._is_set else Scaled(self, factor)

    def __mul__(self, factor: Number) -> BaseRegularizer:
        if isinstance(factor, Regularizer):
            return NotImplemented
        return self._scaled(_factor(type(self).__name__, factor))

    __rmul__ = __mul__

    def __add__(self, other: Regularizer) -> BaseRegularizer:
        return _sum(self, other) if isinstance(other, Regularizer) else NotImplemented

    def __radd__(self, other: Regularizer) -> BaseRegularizer:
        return _sum(other, self) if isinstance(other, Regularizer) else NotImplemented


class Scaled(BaseRegularizer):
    r"""A multiple of a regularizer, where that is not one of the same class.

    .. math:: R(w) = c\,Q(w)

    ``c * Q`` is this where it must be: of `L1` and of others whose strength is a factor it is the
    same with another strength, and of a set the set. For classes of your own, write it out.

    Parameters
    ----------
    regularizer : Regularizer
        :math:`Q`.
    factor : float
        :math:`c \ge 0`, finite. Zero leaves of it where it is finite.

    See Also
    --------
    prox_scad : The function of the example, whose strength is no factor.

    References
    ----------
    .. [1] N. Parikh and S. Boyd, "Proximal algorithms", Found. Trends Optim. 1 (2014).

    Examples
    --------
    >>> import bridle as br
    >>> 0.5 * br.SCAD(1.0, 3.0)
    Scaled(regularizer=SCAD(strength=1.0, gamma=3.0), factor=0.5)
    >>> 0.5 * br.L1(2.0)
    L1(strength=1.0)
    >>> br.Scaled(br.L1(2.0), 0.5).value([3.0, -1.0])
    4.0
    """

    __match_args__ = ("regularizer", "factor")
    __slots__ = __match_args__
    regularizer: Regularizer
    factor: float

    def __init__(self, regularizer: Regularizer, factor: float) -> None:
        self._set(regularizer, factor)

    def _set(self, *given: Any) -> None:
        regularizer, factor = given
        self._keep(
            regularizer=checked(type(self).__name__, "regularizer", regularizer),
            factor=_factor(type(self).__name__, factor),
        )

    @property
    def is_convex(self) -> bool:
        return self.regularizer.is_convex

    @property
    def _is_smooth(self) -> bool:  # type: ignore[override]
        return is_smooth(self.regularizer)

    def value(self, w: ArrayLike) -> float:
        found = self.regularizer.value(real_array(type(self).__name__, w))
        return product(self.factor, found) if math.isfinite(found) else found

    def prox(self, w: Any, step: Any = 1.0, out: Any = None) -> Any:
        array = real_array(type(self).__name__, w)
        return self.regularizer.prox(array, scaled_step(self, step, self.factor), out)

    def _residual(self, w: NDArray[Any], target: Numbers) -> Numbers:
        if self.factor == 0:
            raise self._has_no("derivatives", "the factor is 0")
        return self.factor * residual(self, self.regularizer, w, target / self.factor)

    def _least_factor(self, gradient: Numbers) -> float:
        if self.factor == 0:
            raise self._has_no("lambda_max", "the factor is 0")
        return base_of(self, self.regularizer)._least_factor(gradient) / self.factor

    def _scaled(self, factor: float) -> BaseRegularizer:
        return type(self)(self.regularizer, factor * self.factor)


class Sum(BaseRegularizer):
    r"""Sum of two regularizers, where that is not one with a name of its own.

    .. math:: R(w) = Q_1(w) + Q_2(w)

    ``Q1 + Q2`` is this where it must be; `L1` and `L2` add up to `ElasticNet`, `L1` and `GroupL2`
    to `SparseGroup`, `L1` and `NonNegative` to `NonNegativeL1`. It always has a value. It has a
    proximal operator if one of the two is `L2`: that of the other at shorter weights,

    .. math:: \operatorname{prox}_{\eta (Q + \lambda \|\cdot\|^2)}(w)
        = \operatorname{prox}_{\eta Q / (1 + 2 \eta \lambda)}(w / (1 + 2 \eta \lambda)),

    else it is a NotImplementedError.

    Parameters
    ----------
    first, second : Regularizer
        :math:`Q_1` and :math:`Q_2`.

    See Also
    --------
    SeparableSum : Regularizers of different weights.

    References
    ----------
    .. [1] N. Parikh and S. Boyd, "Proximal algorithms", Found. Trends Optim. 1 (2014).

    Examples
    --------
    >>> import bridle as br
    >>> br.L1(1.0) + br.L2(0.5)
    ElasticNet(l1=1.0, l2=0.5)
    >>> both = br.Sum(br.LinfNorm(1.0), br.L2(0.5))
    >>> both.value([3.0, -1.0])
    8.0
    >>> both.prox([3.0, -1.0])
    array([ 1. , -0.5])
    """

    __match_args__ = ("first", "second")
    __slots__ = __match_args__
    first: Regularizer
    second: Regularizer

    def __init__(self, first: Regularizer, second: Regularizer) -> None:
        self._set(first, second)

    def _set(self, *given: Any) -> None:
        owner = type(self).__name__
        named = zip(self.__match_args__, given, strict=True)
        self._keep(**{name: checked(owner, name, term) for name, term in named})

    @property
    def is_convex(self) -> bool:
        return self.first.is_convex and self.second.is_convex

    @property
    def _is_smooth(self) -> bool:  # type: ignore[override]
        return is_smooth(self.first) and is_smooth(self.second)

    def value(self, w: ArrayLike) -> float:
        array = real_array(type(self).__name__, w)
        return float(self.first.value(array)) + float(self.second.value(array))

    def prox(self, w: Any, step: Any = 1.0, out: Any = None) -> Any:
        array = real_array(type(self).__name__, w)
        for one, other in ((self.first, self.second), (self.second, self.first)):
            found = _closed_prox(one, other, array, step, out)
            if found is not None:
                return found
        names = " and ".join(type(term).__name__ for term in (self.first, self.second))
        raise self._has_no("prox", f"the sum of {names} has no closed form of it")

    def _residual(self, w: NDArray[Any], target: Numbers) -> Numbers:
        smooth, other = self._smooth_and_other("derivatives")
        return residual(self, other, w, residual(self, smooth, w, target))

    def _least_factor(self, gradient: Numbers) -> float:
        smooth, other = self._smooth_and_other("lambda_max")
        if not is_smooth(other):
            zeros = np.zeros(gradient.shape)
            if residual(self, smooth, zeros, zeros).any():
                raise self._has_no("lambda_max", "no term of it is flat at zero")
            return base_of(self, other)._least_factor(gradient)
        return super()._least_factor(gradient)

    def _smooth_and_other(self, what: str) -> tuple[Regularizer, Regularizer]:
        for smooth, other in ((self.second, self.first), (self.first, self.second)):
            if is_smooth(smooth):
                return smooth, other
        raise self._has_no(what, "no term of it has a gradient everywhere")

    def _scaled(self, factor: float) -> BaseRegularizer:
        return _sum(*(scaled(term, factor) for term in (self.first, self.second)))


def scaled(regularizer: Regularizer, factor: float) -> BaseRegularizer:
    """Return a multiple of any regularizer."""
    if isinstance(regularizer, BaseRegularizer):
        return regularizer._scaled(factor)
    return Scaled(regularizer, factor)


def checked(owner: str, name: str, regularizer: Any) -> Regularizer:
    """Check that a parameter is a regularizer."""
    if isinstance(regularizer, type) or not isinstance(regularizer, Regularizer):
        raise TypeError(f"{owner}: {name} must be a regularizer, got {shown(regularizer)}")
    return regularizer


def checked_convex(owner: str, regularizer: Any) -> Regularizer:
    """Check that a parameter is a convex regularizer."""
    if not checked(owner, "regularizer", regularizer).is_convex:
        raise ValueError(f"{owner}: regularizer must be convex, got {shown(regularizer)}")
    return checked(owner, "regularizer", regularizer)


def is_smooth(regularizer: Regularizer) -> bool:
    """Whether a regularizer is known to have a gradient everywhere."""
    return isinstance(regularizer, BaseRegularizer) and regularizer._is_smooth


def base_of(owner: BaseRegularizer, regularizer: Regularizer) -> BaseRegularizer:
    """Return a part as one of this package; other classes have no derivatives."""
    if not isinstance(regularizer, BaseRegularizer):
        raise owner._has_no("derivatives", f"{type(regularizer).__name__} has none")
    return regularizer


def residual(
    owner: BaseRegularizer, regularizer: Regularizer, w: NDArray[Any], target: Numbers
) -> Numbers:
    """Return the residual of a part of an object."""
    return base_of(owner, regularizer)._residual(w, target)


def scaled_step(owner: BaseRegularizer, step: Any, factor: float) -> Any:
    """Return a step, one number or one for each weight, times a factor."""
    if np.ndim(step) == 0:
        return product(factor, non_negative(type(owner).__name__, "step", step))
    return np.multiply(step, factor)


def _factor(owner: str, factor: Any) -> float:
    value = number(owner, "factor", factor)
    if not 0 <= value < math.inf:
        raise ValueError(f"{owner}: factor must be >= 0 and finite, got {factor}")
    return value


def _sum(first: Regularizer, second: Regularizer) -> BaseRegularizer:
    for one, other in ((first, second), (second, first)):
        plus = vars(type(one)).get("_plus")  # not of a base, whose functions may be others
        if plus is not None and (found := plus(one, other)) is not None:
            return cast("BaseRegularizer", found)
    return Sum(first, second)


def _closed_prox(one: Regularizer, other: Regularizer, w: Any, step: Any, out: Any) -> Any:
    """Return the proximal operator of a sum, if the first term has one with any other term."""
    joined = vars(type(one)).get("_prox_with")
    return None if joined is None else joined(one, other, w, step, out)
