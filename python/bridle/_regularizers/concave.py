"""Regularizers that are not convex: exact zeros, and little or no bias of large weights."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bridle._regularizers.base import BaseRegularizer, Scaled
from bridle._regularizers.derivatives import Interval, Numbers, ratio, symmetric
from bridle._regularizers.elementwise import STEP, Call, ElementwiseRegularizer
from bridle._regularizers.parameters import Parameter

__all__ = ["L0", "MCP", "SCAD", "LHalf", "LTwoThirds", "LogSum"]


class L0(ElementwiseRegularizer):
    r"""Cost of every weight that is not zero.

    .. math:: R(w) = \lambda\,\#\{i : w_i \ne 0\}

    Parameters
    ----------
    strength : array_like
        :math:`\lambda \ge 0`, one number, or an array with a factor for each weight.

    See Also
    --------
    prox_l0, l0_penalty : The functions.

    References
    ----------
    .. [1] T. Blumensath and M. E. Davies, "Iterative thresholding for sparse approximations",
       J. Fourier Anal. Appl. 14 (2008).

    Examples
    --------
    >>> import bridle as br
    >>> count = br.L0(0.5)
    >>> count.value([-3.0, 0.0, 2.0])
    1.0
    >>> count.prox([-3.0, 0.5, 1.0])
    array([-3.,  0.,  0.])
    """

    __match_args__ = ("strength",)
    __slots__ = __match_args__
    is_convex = False
    _prox = Call("prox_l0", "strength", STEP)
    _penalty = Call("l0_penalty", "strength")
    strength: Parameter

    def __init__(self, strength: ArrayLike) -> None:
        self._set(strength)

    def _slopes(self, w: NDArray[Any]) -> Interval:
        free = (w == 0) & np.greater(self.strength, 0)  # the cost jumps there
        return np.where(free, -math.inf, 0.0), np.where(free, math.inf, 0.0)


class LHalf(ElementwiseRegularizer):
    r"""Sum of the square roots of the absolute values: between the lasso and `L0`.

    .. math:: R(w) = \lambda \sum_i \sqrt{|w_i|}

    Parameters
    ----------
    strength : array_like
        :math:`\lambda \ge 0`, one number, or an array with a factor for each weight.

    See Also
    --------
    prox_l_half, l_half_penalty : The functions.
    LTwoThirds : Nearer to the lasso.

    References
    ----------
    .. [1] Z. Xu, X. Chang, F. Xu and H. Zhang, "L1/2 regularization: a thresholding representation
       theory and a fast solver", IEEE Trans. Neural Netw. Learn. Syst. 23 (2012).

    Examples
    --------
    >>> import bridle as br
    >>> half = br.LHalf(1.0)
    >>> half.value([-4.0, 0.25, 0.0])
    2.5
    >>> half.prox([-3.0, 1.0, 0.0]).round(6)
    array([-2.695453,  0.      ,  0.      ])
    """

    __match_args__ = ("strength",)
    __slots__ = __match_args__
    is_convex = False
    _prox = Call("prox_l_half", "strength", STEP)
    _penalty = Call("l_half_penalty", "strength")
    strength: Parameter

    def __init__(self, strength: ArrayLike) -> None:
        self._set(strength)

    def _slopes(self, w: NDArray[Any]) -> Interval:
        w = w.astype(np.float64)
        slope = ratio(np.broadcast_to(self.strength, w.shape), 2 * np.sqrt(np.abs(w)))
        return symmetric(w, slope)


class LTwoThirds(ElementwiseRegularizer):
    r"""Sum of the absolute values to the power of two thirds.

    .. math:: R(w) = \lambda \sum_i |w_i|^{2/3}

    Parameters
    ----------
    strength : array_like
        :math:`\lambda \ge 0`, one number, or an array with a factor for each weight.

    See Also
    --------
    prox_l_two_thirds, l_two_thirds_penalty : The functions.
    LHalf : Farther from the lasso.

    References
    ----------
    .. [1] W. Cao, J. Sun and Z. Xu, "Fast image deconvolution using closed-form thresholding
       formulas of Lq (q = 1/2, 2/3) regularization", J. Vis. Commun. Image R. 24 (2013).

    Examples
    --------
    >>> import bridle as br
    >>> root = br.LTwoThirds(0.5)
    >>> root.value([-8.0, 1.0, 0.0])
    2.5
    >>> root.prox([-3.0, 1.0, 0.0], step=2.0).round(6)
    array([-2.509411,  0.      ,  0.      ])
    """

    __match_args__ = ("strength",)
    __slots__ = __match_args__
    is_convex = False
    _prox = Call("prox_l_two_thirds", "strength", STEP)
    _penalty = Call("l_two_thirds_penalty", "strength")
    strength: Parameter

    def __init__(self, strength: ArrayLike) -> None:
        self._set(strength)

    def _slopes(self, w: NDArray[Any]) -> Interval:
        w = w.astype(np.float64)
        slope = ratio(np.multiply(2 / 3, self.strength), np.cbrt(np.abs(w)))
        return symmetric(w, slope)


class LogSum(ElementwiseRegularizer):
    r"""Logarithms of the absolute values: the penalty of reweighted L1.

    .. math:: R(w) = \lambda \sum_i \log\left(1 + \frac{|w_i|}{\epsilon}\right)

    Parameters
    ----------
    strength : array_like
        :math:`\lambda \ge 0`, one number, or an array with a factor for each weight.
    epsilon : array_like
        :math:`\epsilon > 0`, the size of weights that are nearly zero; one number or one per
        weight.

    See Also
    --------
    prox_log_sum, log_sum_penalty : The functions.

    References
    ----------
    .. [1] E. J. Candes, M. B. Wakin and S. P. Boyd, "Enhancing sparsity by reweighted l1
       minimization", J. Fourier Anal. Appl. 14 (2008).

    Examples
    --------
    >>> import bridle as br
    >>> log_sum = br.LogSum(1.0, 0.5)
    >>> round(log_sum.value([-3.0, 0.5]), 6)
    2.639057
    >>> log_sum.prox([-3.0, 0.5]).round(6)
    array([-2.686141,  0.      ])
    """

    __match_args__ = ("strength", "epsilon")
    __slots__ = __match_args__
    is_convex = False
    _prox = Call("prox_log_sum", "strength", "epsilon", STEP)
    _penalty = Call("log_sum_penalty", "strength", "epsilon")
    strength: Parameter
    epsilon: Parameter

    def __init__(self, strength: ArrayLike, epsilon: ArrayLike) -> None:
        self._set(strength, epsilon)

    def _slopes(self, w: NDArray[Any]) -> Interval:
        w = w.astype(np.float64)
        return symmetric(w, self.strength / (self.epsilon + np.abs(w)))


class MCP(ElementwiseRegularizer):
    r"""Minimax concave penalty: as `L1` near zero, constant for large weights.

    .. math::

        R(w) = \sum_i p(w_i), \quad
        p(z) = \begin{cases} \lambda |z| - z^2 / (2 \gamma) & |z| \le \gamma \lambda \\
            \gamma \lambda^2 / 2 & |z| > \gamma \lambda \end{cases}

    Parameters
    ----------
    strength : array_like
        :math:`\lambda \ge 0`, the slope at zero: one number, or a factor for each weight.
    gamma : array_like
        :math:`\gamma > 0`; the penalty is constant beyond :math:`\gamma \lambda`.

    See Also
    --------
    prox_mcp, mcp_penalty : The functions.

    References
    ----------
    .. [1] C.-H. Zhang, "Nearly unbiased variable selection under minimax concave penalty",
       Ann. Stat. 38 (2010).

    Examples
    --------
    >>> import bridle as br
    >>> mcp = br.MCP(1.0, 2.0)
    >>> mcp.value([-3.0, 0.5, 0.0])
    1.4375
    >>> mcp.prox([-3.0, 0.5, 1.5])
    array([-3.,  0.,  1.])
    """

    __match_args__ = ("strength", "gamma")
    __slots__ = __match_args__
    is_convex = False
    _prox = Call("prox_mcp", "strength", "gamma", STEP)
    _penalty = Call("mcp_penalty", "strength", "gamma")
    strength: Parameter
    gamma: Parameter

    def __init__(self, strength: ArrayLike, gamma: ArrayLike) -> None:
        self._set(strength, gamma)

    def _slopes(self, w: NDArray[Any]) -> Interval:
        w = w.astype(np.float64)
        return symmetric(w, mcp_slope(np.abs(w), self.strength, self.gamma))

    def _scaled(self, factor: float) -> BaseRegularizer:
        gamma = gamma_of_multiple(self.gamma, factor)
        return self._with(strength=self.strength * factor, gamma=gamma)


class SCAD(ElementwiseRegularizer):
    r"""Smoothly clipped absolute deviation: as `L1` near zero, constant far away.

    .. math::

        R(w) = \sum_i p(w_i), \quad
        p(z) = \begin{cases} \lambda |z| & |z| \le \lambda \\
            (2 \gamma \lambda |z| - z^2 - \lambda^2) / (2 (\gamma - 1)) & |z| \le \gamma \lambda \\
            \lambda^2 (\gamma + 1) / 2 & |z| > \gamma \lambda \end{cases}

    Parameters
    ----------
    strength : array_like
        :math:`\lambda \ge 0`, the slope at zero: one number, or a factor for each weight.
    gamma : array_like
        :math:`\gamma > 2`; the penalty is constant beyond :math:`\gamma \lambda`. The authors
        suggest 3.7.

    See Also
    --------
    prox_scad, scad_penalty : The functions.

    References
    ----------
    .. [1] J. Fan and R. Li, "Variable selection via nonconcave penalized likelihood and its
       oracle properties", J. Am. Stat. Assoc. 96 (2001).

    Examples
    --------
    >>> import bridle as br
    >>> scad = br.SCAD(1.0, 3.0)
    >>> scad.value([-5.0, 0.5, 2.0])
    4.25
    >>> scad.prox([-5.0, 0.5, 1.5, 2.5])
    array([-5. ,  0. ,  0.5,  2. ])
    """

    __match_args__ = ("strength", "gamma")
    __slots__ = __match_args__
    is_convex = False
    _prox = Call("prox_scad", "strength", "gamma", STEP)
    _penalty = Call("scad_penalty", "strength", "gamma")
    strength: Parameter
    gamma: Parameter

    def __init__(self, strength: ArrayLike, gamma: ArrayLike) -> None:
        self._set(strength, gamma)

    def _slopes(self, w: NDArray[Any]) -> Interval:
        w = w.astype(np.float64)
        return symmetric(w, scad_slope(np.abs(w), self.strength, self.gamma))

    def _scaled(self, factor: float) -> BaseRegularizer:
        # The strength is also where the slope begins to fall, so it is no factor.
        if factor == 0:
            return self._with(strength=self.strength * 0.0)
        return self if factor == 1 else Scaled(self, factor)


def mcp_slope(size: Numbers, strength: Parameter | Numbers, gamma: Parameter) -> Numbers:
    """Return the slope of `MCP` at sizes >= 0."""
    return np.maximum(strength - size / gamma, 0)


def scad_slope(size: Numbers, strength: Parameter | Numbers, gamma: Parameter) -> Numbers:
    """Return the slope of `SCAD` at sizes >= 0."""
    return np.clip((gamma * strength - size) / (gamma - 1), 0, strength)


def gamma_of_multiple(gamma: Any, factor: float) -> Any:
    """Return the gamma of a multiple of `MCP`, whose curvature grows with the factor."""
    return gamma / factor if factor > 0 else gamma
