"""Convex regularizers: absolute values and squares."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bridle._regularizers.base import BaseRegularizer, scaled_step
from bridle._regularizers.derivatives import Interval, symmetric
from bridle._regularizers.elementwise import STEP, Call, ElementwiseRegularizer
from bridle._regularizers.parameters import Parameter
from bridle._regularizers.protocol import Regularizer

__all__ = ["L1", "L2", "L2SP", "ElasticNet", "Huber"]


class L1(ElementwiseRegularizer):
    r"""Sum of the absolute values: its proximal operator gives exact zeros.

    .. math:: R(w) = \lambda \sum_i |w_i|

    The threshold of `prox`, step times strength, is rounded in the type that computes: float64 for
    weights of that type, else float32. Thus it is `prox_elastic_net` without squares, bit for bit,
    and what the updates do with ``l1=``.

    Parameters
    ----------
    strength : array_like
        :math:`\lambda \ge 0`, one number, or an array with a factor for each weight.

    See Also
    --------
    soft_threshold, l1_penalty : The functions.
    ElasticNet : With squares beside it.

    References
    ----------
    .. [1] R. Tibshirani, "Regression shrinkage and selection via the lasso",
       J. R. Stat. Soc. B 58 (1996).

    Examples
    --------
    >>> import bridle as br
    >>> lasso = br.L1(0.5)
    >>> lasso.value([-3.0, 0.25, 2.0])
    2.625
    >>> lasso.prox([-3.0, 0.25, 2.0])
    array([-2.5,  0. ,  1.5])

    A factor for each weight; those with factor 0 cost nothing:

    >>> br.L1([0.0, 1.0, 1.0]).prox([-3.0, 0.25, 2.0], step=0.5)
    array([-3. ,  0. ,  1.5])
    """

    __match_args__ = ("strength",)
    __slots__ = __match_args__
    is_convex = True
    _prox = Call("prox_elastic_net", "strength", 0.0, STEP)
    _penalty = Call("l1_penalty", "strength")
    strength: Parameter

    def __init__(self, strength: ArrayLike) -> None:
        self._set(strength)

    def _slopes(self, w: NDArray[Any]) -> Interval:
        return symmetric(w.astype(np.float64), self.strength)

    def _plus(self, other: Regularizer) -> BaseRegularizer | None:
        if type(other) is L1:
            return L1(np.add(self.strength, other.strength, dtype=np.float64))
        return ElasticNet(self.strength, other.strength) if type(other) is L2 else None


class L2(ElementwiseRegularizer):
    r"""Sum of the squares, without a factor ½.

    .. math:: R(w) = \lambda \sum_i w_i^2

    Parameters
    ----------
    strength : array_like
        :math:`\lambda \ge 0`, one number, or an array with a factor for each weight.

    See Also
    --------
    prox_l2, l2_penalty : The functions.

    References
    ----------
    .. [1] A. E. Hoerl and R. W. Kennard, "Ridge regression", Technometrics 12 (1970).

    Examples
    --------
    >>> import bridle as br
    >>> ridge = br.L2(0.5)
    >>> ridge.value([-3.0, 0.5, 2.0])
    6.625
    >>> ridge.prox([-3.0, 0.5, 2.0])
    array([-1.5 ,  0.25,  1.  ])
    """

    __match_args__ = ("strength",)
    __slots__ = __match_args__
    is_convex = True
    _is_smooth = True
    _prox = Call("prox_l2", "strength", STEP)
    _penalty = Call("l2_penalty", "strength")
    strength: Parameter

    def __init__(self, strength: ArrayLike) -> None:
        self._set(strength)

    def _slopes(self, w: NDArray[Any]) -> Interval:
        slope = 2 * self.strength * w.astype(np.float64)
        return slope, slope

    def _plus(self, other: Regularizer) -> BaseRegularizer | None:
        if type(other) is L2:
            return L2(np.add(self.strength, other.strength, dtype=np.float64))
        return None

    def _prox_with(self, other: Regularizer, w: NDArray[Any], step: Any, out: Any) -> Any:
        """Return the proximal operator of the sum with any other regularizer."""
        step = scaled_step(self, step, 1.0)
        shorter = step / (1 + 2 * step * self.strength)
        return other.prox(self.prox(w, step), shorter, out)


class ElasticNet(ElementwiseRegularizer):
    r"""Sum of the absolute values and of the squares, each with its strength.

    .. math:: R(w) = \lambda_1 \sum_i |w_i| + \lambda_2 \sum_i w_i^2

    Parameters
    ----------
    l1, l2 : array_like
        :math:`\lambda_1, \lambda_2 \ge 0`, numbers, or arrays with a factor for each weight.

    See Also
    --------
    prox_elastic_net, elastic_net_penalty : The functions.
    L1, L2 : The parts.

    References
    ----------
    .. [1] H. Zou and T. Hastie, "Regularization and variable selection via the elastic net",
       J. R. Stat. Soc. B 67 (2005).

    Examples
    --------
    >>> import bridle as br
    >>> net = br.ElasticNet(1.0, 0.5)
    >>> net.value([-3.0, 0.5, 2.0])
    12.125
    >>> net.prox([-3.0, 0.5, 2.0])
    array([-1. ,  0. ,  0.5])
    """

    __match_args__ = ("l1", "l2")
    __slots__ = __match_args__
    is_convex = True
    _factors = ("l1", "l2")
    _prox = Call("prox_elastic_net", "l1", "l2", STEP)
    _penalty = Call("elastic_net_penalty", "l1", "l2")
    l1: Parameter
    l2: Parameter

    def __init__(self, l1: ArrayLike, l2: ArrayLike) -> None:
        self._set(l1, l2)

    def _slopes(self, w: NDArray[Any]) -> Interval:
        w = w.astype(np.float64)
        lower, upper = symmetric(w, self.l1)
        return lower + 2 * self.l2 * w, upper + 2 * self.l2 * w

    def _plus(self, other: Regularizer) -> BaseRegularizer | None:
        if type(other) is L1:
            return ElasticNet(np.add(self.l1, other.strength, dtype=np.float64), self.l2)
        if type(other) is L2:
            return ElasticNet(self.l1, np.add(self.l2, other.strength, dtype=np.float64))
        return None


class Huber(ElementwiseRegularizer):
    r"""Half the square near zero, a multiple of the absolute value far away.

    .. math::

        R(w) = \lambda \sum_i h(w_i), \quad
        h(z) = \begin{cases} z^2 / 2 & |z| \le \delta \\
            \delta\,(|z| - \delta / 2) & |z| > \delta \end{cases}

    Parameters
    ----------
    strength : array_like
        :math:`\lambda \ge 0`, one number, or an array with a factor for each weight.
    delta : array_like
        :math:`\delta > 0`, where the square ends; one number or one per weight.

    See Also
    --------
    prox_huber, huber_penalty : The functions.

    References
    ----------
    .. [1] P. J. Huber, "Robust estimation of a location parameter", Ann. Math. Stat. 35
       (1964).

    Examples
    --------
    >>> import bridle as br
    >>> huber = br.Huber(1.0, 1.0)
    >>> huber.value([-3.0, 0.5])
    2.625
    >>> huber.prox([-3.0, 0.5, 1.0])
    array([-2.  ,  0.25,  0.5 ])
    """

    __match_args__ = ("strength", "delta")
    __slots__ = __match_args__
    is_convex = True
    _is_smooth = True
    _prox = Call("prox_huber", "strength", "delta", STEP)
    _penalty = Call("huber_penalty", "strength", "delta")
    strength: Parameter
    delta: Parameter

    def __init__(self, strength: ArrayLike, delta: ArrayLike) -> None:
        self._set(strength, delta)

    def _slopes(self, w: NDArray[Any]) -> Interval:
        slope = self.strength * np.clip(w.astype(np.float64), -self.delta, self.delta)
        return slope, slope


class L2SP(ElementwiseRegularizer):
    r"""Squared distance from a reference, as the weights before fine-tuning (SP: starting point).

    .. math:: R(w) = \lambda \sum_i (w_i - r_i)^2

    Parameters
    ----------
    reference : array_like
        :math:`r`, of which a copy is kept; any numbers.
    strength : array_like
        :math:`\lambda \ge 0`, one number, or an array with a factor for each weight.

    See Also
    --------
    prox_l2_sp, l2_sp_penalty : The functions.
    L2 : The same for a reference of zero.

    References
    ----------
    .. [1] X. Li, Y. Grandvalet and F. Davoine, "Explicit inductive bias for transfer learning
       with convolutional networks", ICML 2018.

    Examples
    --------
    >>> import bridle as br
    >>> near_start = br.L2SP([1.0, 1.0, 1.0], 0.5)
    >>> near_start.value([-3.0, 0.5, 2.0])
    8.625
    >>> near_start.prox([-3.0, 0.5, 2.0])
    array([-1.  ,  0.75,  1.5 ])
    """

    __match_args__ = ("reference", "strength")
    __slots__ = __match_args__
    is_convex = True
    _is_smooth = True
    _prox = Call("prox_l2_sp", "reference", "strength", STEP)
    _penalty = Call("l2_sp_penalty", "reference", "strength")
    reference: Parameter
    strength: Parameter

    def __init__(self, reference: ArrayLike, strength: ArrayLike) -> None:
        self._set(reference, strength)

    def _slopes(self, w: NDArray[Any]) -> Interval:
        slope = 2 * self.strength * (w.astype(np.float64) - self.reference)
        return slope, slope
