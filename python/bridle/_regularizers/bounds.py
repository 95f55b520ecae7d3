"""Regularizers of weights that must stay within bounds."""

from __future__ import annotations

from numpy.typing import ArrayLike

from bridle._regularizers.elementwise import STEP, Call, ElementwiseRegularizer
from bridle._regularizers.parameters import Parameter

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
    _prox = Call("project_nonnegative")

    def __init__(self) -> None:
        self._set()


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
    _prox = Call("project_box", "lower", "upper")
    lower: Parameter
    upper: Parameter

    def __init__(self, lower: ArrayLike, upper: ArrayLike) -> None:
        self._set(lower, upper)
