"""Regularizers of weights that must stay within bounds."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bridle._regularizers.base import BaseRegularizer, Sum
from bridle._regularizers.convex import L1, L2, ElasticNet
from bridle._regularizers.derivatives import Interval, empty_where
from bridle._regularizers.elementwise import STEP, Call, ElementwiseRegularizer
from bridle._regularizers.parameters import Parameter
from bridle._regularizers.protocol import Regularizer

__all__ = ["Box", "NonNegative", "NonNegativeL1", "NonNegativeL2"]


class NonNegativeL1(ElementwiseRegularizer):
    r"""Sum of weights that must not be negative.

    .. math:: R(w) = \lambda \sum_i w_i \text{ if all } w_i \ge 0, \text{ else } \infty

    Parameters
    ----------
    strength : array_like
        :math:`\lambda \ge 0`, one number, or an array with a factor for each weight.

    See Also
    --------
    prox_nonnegative_l1, nonnegative_l1_penalty : The functions.

    References
    ----------
    .. [1] N. Parikh and S. Boyd, "Proximal algorithms", Found. Trends Optim. 1 (2014).

    Examples
    --------
    >>> import bridle as br
    >>> lasso = br.NonNegativeL1(2.0)
    >>> lasso.value([3.0, 0.5]), lasso.value([3.0, -0.5])
    (7.0, inf)
    >>> lasso.prox([-3.0, 0.5, 2.0], step=0.5)
    array([0., 0., 1.])
    """

    __match_args__ = ("strength",)
    __slots__ = __match_args__
    is_convex = True
    _prox = Call("prox_nonnegative_l1", "strength", STEP)
    _penalty = Call("nonnegative_l1_penalty", "strength")
    strength: Parameter

    def __init__(self, strength: ArrayLike) -> None:
        self._set(strength)

    def _slopes(self, w: NDArray[Any]) -> Interval:
        return empty_where(w < 0, np.where(w > 0, self.strength, -math.inf), self.strength)

    def _plus(self, other: Regularizer) -> BaseRegularizer | None:
        if type(other) is L1:
            return NonNegativeL1(np.add(self.strength, other.strength, dtype=np.float64))
        return None


class NonNegativeL2(ElementwiseRegularizer):
    r"""Sum of the squares of weights that must not be negative.

    .. math:: R(w) = \lambda \sum_i w_i^2 \text{ if all } w_i \ge 0, \text{ else } \infty

    Parameters
    ----------
    strength : array_like
        :math:`\lambda \ge 0`, one number, or an array with a factor for each weight.

    See Also
    --------
    prox_nonnegative_l2, nonnegative_l2_penalty : The functions.

    References
    ----------
    .. [1] N. Parikh and S. Boyd, "Proximal algorithms", Found. Trends Optim. 1 (2014).

    Examples
    --------
    >>> import bridle as br
    >>> ridge = br.NonNegativeL2(0.5)
    >>> ridge.value([3.0, 1.0]), ridge.value([3.0, -1.0])
    (5.0, inf)
    >>> ridge.prox([-3.0, 0.5, 2.0])
    array([0.  , 0.25, 1.  ])
    """

    __match_args__ = ("strength",)
    __slots__ = __match_args__
    is_convex = True
    _prox = Call("prox_nonnegative_l2", "strength", STEP)
    _penalty = Call("nonnegative_l2_penalty", "strength")
    strength: Parameter

    def __init__(self, strength: ArrayLike) -> None:
        self._set(strength)

    def _slopes(self, w: NDArray[Any]) -> Interval:
        slope = 2 * self.strength * w.astype(np.float64)
        return empty_where(w < 0, np.where(w > 0, slope, -math.inf), slope)

    def _plus(self, other: Regularizer) -> BaseRegularizer | None:
        if type(other) is L2:
            return NonNegativeL2(np.add(self.strength, other.strength, dtype=np.float64))
        return Sum(NonNegativeL1(other.strength), L2(self.strength)) if type(other) is L1 else None


class NonNegative(ElementwiseRegularizer):
    r"""Weights that must not be negative, and cost nothing then.

    .. math:: R(w) = 0 \text{ if all } w_i \ge 0, \text{ else } \infty

    See Also
    --------
    project_nonnegative : The function.
    Box : The same for any bounds.

    References
    ----------
    .. [1] N. Parikh and S. Boyd, "Proximal algorithms", Found. Trends Optim. 1 (2014).

    Examples
    --------
    >>> import bridle as br
    >>> positive = br.NonNegative()
    >>> positive.value([3.0, 0.5]), positive.value([3.0, -0.5])
    (0.0, inf)
    >>> positive.prox([-3.0, 0.5])
    array([0. , 0.5])
    """

    __slots__ = ()
    is_convex = True
    _is_set = True
    _prox = Call("project_nonnegative")

    def __init__(self) -> None:
        self._set()

    def _slopes(self, w: NDArray[Any]) -> Interval:
        return empty_where(w < 0, np.where(w > 0, 0.0, -math.inf), 0.0)

    def _plus(self, other: Regularizer) -> BaseRegularizer | None:
        if type(other) is L1:
            return NonNegativeL1(other.strength)
        if type(other) is L2:
            return NonNegativeL2(other.strength)
        if type(other) is ElasticNet:
            return Sum(NonNegativeL1(other.l1), L2(other.l2))
        return self if type(other) is NonNegative else None


class Box(ElementwiseRegularizer):
    r"""Weights that must lie between two bounds, and cost nothing then.

    .. math:: R(w) = 0 \text{ if } l_i \le w_i \le u_i \text{ for all } i, \text{ else } \infty

    A bound is what it becomes in the type of the weights, so what `prox` gives is always inside.

    Parameters
    ----------
    lower, upper : array_like
        :math:`l \le u`, infinite ones too: numbers, or arrays with a bound for each weight.

    See Also
    --------
    project_box : The function.

    References
    ----------
    .. [1] N. Parikh and S. Boyd, "Proximal algorithms", Found. Trends Optim. 1 (2014).

    Examples
    --------
    >>> import bridle as br
    >>> unit = br.Box(0.0, 1.0)
    >>> unit.value([0.0, 0.5]), unit.value([0.0, 1.5])
    (0.0, inf)
    >>> unit.prox([-3.0, 0.5, 2.0])
    array([0. , 0.5, 1. ])
    """

    __match_args__ = ("lower", "upper")
    __slots__ = __match_args__
    is_convex = True
    _is_set = True
    _prox = Call("project_box", "lower", "upper")
    lower: Parameter
    upper: Parameter

    def __init__(self, lower: ArrayLike, upper: ArrayLike) -> None:
        self._set(lower, upper)

    def _slopes(self, w: NDArray[Any]) -> Interval:
        # The ends are what they become in the type of the weights, and zeros are equal.
        ends = (self.prox(np.full(w.shape, end, w.dtype)) for end in (-math.inf, math.inf))
        lowest, highest = ends
        slopes = np.where(w == lowest, -math.inf, 0.0), np.where(w == highest, math.inf, 0.0)
        return empty_where((w < lowest) | (w > highest), *slopes)
