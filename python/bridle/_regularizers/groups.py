"""Regularizers of groups, whose weights vanish together."""

from __future__ import annotations

from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bridle import _core
from bridle._call import product
from bridle._regularizers.base import BaseRegularizer, Scaled, Sum
from bridle._regularizers.concave import gamma_of_multiple, mcp_slope, scad_slope
from bridle._regularizers.convex import L1, L2, ElasticNet
from bridle._regularizers.derivatives import Numbers, ratio, symmetric
from bridle._regularizers.protocol import Regularizer
from bridle._regularizers.slices import Seen, SliceRegularizer
from bridle._types import Axis, Number

__all__ = ["GroupL2", "GroupLinf", "GroupMCP", "GroupSCAD", "SparseGroup"]

GROUPS = MappingProxyType({"axis": -1, "offsets": None, "labels": None, "weights": None})


class NormRegularizer(SliceRegularizer):
    """Base of the functions of the norm of each slice, to which absolute values may be added."""

    __slots__ = ()
    strength: float

    def _strengths(self) -> tuple[float, float]:
        """Return the strength of the absolute values, and that of the norm near zero."""
        return 0.0, self.strength

    def _slope(self, norms: Numbers, strengths: Numbers) -> Numbers:
        """Return how the function of a norm grows."""
        return strengths

    def _residual(self, w: NDArray[Any], target: Numbers) -> Numbers:
        seen, wide = Seen(self, w, self._keywords), w.astype(np.float64)
        l1, strength = self._strengths()
        norms = seen.measured("group_l2_penalty", wide, 1.0)
        slopes, active = self._slope(norms, strength * seen.weights), norms != 0
        direction = wide / seen.spread(np.where(active, norms, 1.0), 1.0)
        residual = target - seen.spread(np.where(active, slopes, 0.0)) * direction
        residual = residual - np.clip(residual, *symmetric(wide, l1))
        return seen.applied(
            "group_soft_threshold", residual, 1.0, weights=np.where(active, 0.0, slopes)
        )

    def _least_factor(self, gradient: Numbers) -> float:
        """Newton's method from below: what the norms exceed is convex in the factor, and falls."""
        seen, scale = Seen(self, gradient, self._keywords), float(np.abs(gradient).max(initial=0))
        if scale == 0:
            return 0.0
        sizes = np.abs(gradient) / scale
        l1, strength = self._strengths()
        strengths, factors = strength * seen.weights, np.zeros(seen.count)
        outside = ratio(sizes[seen.spread(factors, 1.0) > 0], l1)
        for _ in range(100):
            rest = np.maximum(sizes - l1 * seen.spread(factors), 0)
            norms = seen.measured("group_l2_penalty", rest, 1.0)
            fall = strengths + l1 * ratio(seen.sums(rest), norms)
            further = factors + ratio(norms - factors * strengths, fall)
            if np.isinf(further).any() or not (further > factors).any():
                break
            factors = further
        return scale * max(float(further.max(initial=0)), float(outside.max(initial=0)))


class LargestRegularizer(SliceRegularizer):
    """Base of the largest magnitudes of each slice."""

    __slots__ = ()
    strength: float

    def _residual(self, w: NDArray[Any], target: Numbers) -> Numbers:
        """At zero by the projection on the dual ball, elsewhere by that on a simplex.

        The simplex is that of the largest magnitudes. There the projection is that on a ball, once
        all of them are shifted to where it cuts.
        """
        seen, wide = Seen(self, w, self._keywords), w.astype(np.float64)
        strengths = self.strength * seen.weights
        largest = seen.measured("group_linf_penalty", wide, 1.0)
        active = largest != 0
        at_zero = np.where(active, 0.0, strengths)
        residual = seen.applied("prox_group_linf", target, 1.0, 1.0, weights=at_zero)
        top = (np.abs(wide) == seen.spread(largest)) & (seen.spread(active) > 0)
        shift = np.abs(target).max(initial=0) + strengths.max(initial=0)
        shifted = np.where(top, np.sign(wide) * target + shift, 0.0)
        on_top = np.where(active, strengths, 0.0)
        cut = seen.applied("prox_group_linf", shifted, 1.0, 1.0, weights=on_top)
        return np.where(top, np.sign(wide) * (cut - shift), residual)

    def _least_factor(self, gradient: Numbers) -> float:
        seen = Seen(self, gradient, self._keywords)
        is_outside = seen.spread(np.zeros(seen.count), 1.0) > 0
        outside = ratio(np.abs(gradient[is_outside]), 0.0)
        inside = ratio(seen.sums(np.abs(gradient)), self.strength * seen.weights)
        return max(float(inside.max(initial=0)), float(outside.max(initial=0)))


class GroupL2(NormRegularizer):
    r"""Sum of the norms of groups, the group lasso: groups vanish as a whole.

    .. math:: R(w) = \lambda \sum_g \omega_g \|w_g\|_2

    Parameters
    ----------
    strength : float
        :math:`\lambda \ge 0`.
    axis, offsets, labels, weights
        Which weights are a group, and what multiplies its strength, as for the functions.

    See Also
    --------
    group_soft_threshold, group_l2_penalty : The functions.
    SparseGroup : With zeros inside the groups, too.

    References
    ----------
    .. [1] M. Yuan and Y. Lin, "Model selection and estimation in regression with grouped
       variables", J. R. Stat. Soc. B 68 (2006).

    Examples
    --------
    >>> import bridle as br
    >>> groups = br.GroupL2(1.0, offsets=[0, 2, 4])
    >>> groups.value([3.0, 4.0, 0.5, 0.0])
    5.5
    >>> groups.prox([3.0, 4.0, 0.5, 0.0])
    array([2.4, 3.2, 0. , 0. ])
    """

    __match_args__ = ("strength",)
    _options = GROUPS
    __slots__ = (*__match_args__, *GROUPS)
    _operator = "group_soft_threshold"
    _penalty = "group_l2_penalty"

    def __init__(
        self,
        strength: Number,
        *,
        axis: Axis = -1,
        offsets: ArrayLike | None = None,
        labels: ArrayLike | None = None,
        weights: ArrayLike | None = None,
    ) -> None:
        self._set(strength, axis, offsets, labels, weights)

    def _prox_numbers(self, step: float) -> tuple[Any, ...]:
        return (product(self.strength, step),)

    def _plus(self, other: Regularizer) -> BaseRegularizer | None:
        if type(other) is L1 and isinstance(other.strength, float):
            return SparseGroup(other.strength, self.strength, **self._keywords)
        if type(other) is ElasticNet and isinstance(other.l1, float):
            return Sum(SparseGroup(other.l1, self.strength, **self._keywords), L2(other.l2))
        return None


class SparseGroup(NormRegularizer):
    r"""Sum of the absolute values and of the norms of groups: zeros inside the groups, too.

    .. math:: R(w) = \lambda_1 \sum_i |w_i| + \lambda_2 \sum_g \omega_g \|w_g\|_2

    Parameters
    ----------
    l1, group : float
        :math:`\lambda_1, \lambda_2 \ge 0`.
    axis, offsets, labels, weights
        Which weights are a group, and what multiplies its strength, as for the functions.

    See Also
    --------
    prox_sparse_group, sparse_group_penalty : The functions.
    L1, GroupL2 : The parts.

    References
    ----------
    .. [1] N. Simon, J. Friedman, T. Hastie and R. Tibshirani, "A sparse-group lasso",
       J. Comput. Graph. Stat. 22 (2013).

    Examples
    --------
    >>> import bridle as br
    >>> groups = br.SparseGroup(1.0, 1.0, offsets=[0, 2, 4])
    >>> groups.value([3.0, 4.0, 0.5, 0.0])
    13.0
    >>> groups.prox([4.0, 0.5, 1.5, 1.5])
    array([2., 0., 0., 0.])
    """

    __match_args__ = ("l1", "group")
    _options = GROUPS
    __slots__ = (*__match_args__, *GROUPS)
    _operator = "prox_sparse_group"
    _penalty = "sparse_group_penalty"
    _factors = ("l1", "group")
    l1: float
    group: float

    def __init__(
        self,
        l1: Number,
        group: Number,
        *,
        axis: Axis = -1,
        offsets: ArrayLike | None = None,
        labels: ArrayLike | None = None,
        weights: ArrayLike | None = None,
    ) -> None:
        self._set(l1, group, axis, offsets, labels, weights)

    def value(self, w: ArrayLike) -> float:
        norms = super().value(w)  # which checks the weights
        return float(_core.l1_penalty(w, self.l1, None, False)) + norms

    def _strengths(self) -> tuple[float, float]:
        return self.l1, self.group

    def _plus(self, other: Regularizer) -> BaseRegularizer | None:
        if type(other) is L1 and isinstance(other.strength, float):
            return self._with(l1=self.l1 + other.strength)
        return None


class GroupLinf(LargestRegularizer):
    r"""Sum of the largest magnitudes of groups: they vanish together, or become equally large.

    .. math:: R(w) = \lambda \sum_g \omega_g \|w_g\|_\infty

    Parameters
    ----------
    strength : float
        :math:`\lambda \ge 0`.
    axis, offsets, labels, weights
        Which weights are a group, and what multiplies its strength, as for the functions.

    See Also
    --------
    prox_group_linf, group_linf_penalty : The functions.

    References
    ----------
    .. [1] B. A. Turlach, W. N. Venables and S. J. Wright, "Simultaneous variable selection",
       Technometrics 47 (2005).

    Examples
    --------
    >>> import bridle as br
    >>> groups = br.GroupLinf(1.0, offsets=[0, 2, 4])
    >>> groups.value([3.0, 4.0, 0.5, 0.0])
    4.5
    >>> groups.prox([3.0, 4.0, 0.5, 0.0])
    array([3., 3., 0., 0.])
    """

    __match_args__ = ("strength",)
    _options = GROUPS
    __slots__ = (*__match_args__, *GROUPS)
    _operator = "prox_group_linf"
    _penalty = "group_linf_penalty"

    def __init__(
        self,
        strength: Number,
        *,
        axis: Axis = -1,
        offsets: ArrayLike | None = None,
        labels: ArrayLike | None = None,
        weights: ArrayLike | None = None,
    ) -> None:
        self._set(strength, axis, offsets, labels, weights)


class GroupMCP(NormRegularizer):
    r"""Minimax concave penalty of the norms of groups: large groups are not shrunk.

    .. math::

        R(w) = \sum_g p_{\lambda \omega_g}(\|w_g\|_2), \quad
        p_\lambda(z) = \begin{cases} \lambda z - z^2 / (2 \gamma) & z \le \gamma \lambda \\
            \gamma \lambda^2 / 2 & z > \gamma \lambda \end{cases}

    Parameters
    ----------
    strength : float
        :math:`\lambda \ge 0`, the slope at zero.
    gamma : float
        :math:`\gamma > 0`; the penalty is constant beyond :math:`\gamma \lambda`.
    axis, offsets, labels, weights
        Which weights are a group, and what multiplies its strength, as for the functions.

    See Also
    --------
    prox_group_mcp, group_mcp_penalty : The functions.
    MCP : The same for each weight by itself.

    References
    ----------
    .. [1] J. Huang, P. Breheny and S. Ma, "A selective review of group selection in
       high-dimensional models", Stat. Sci. 27 (2012).

    Examples
    --------
    >>> import bridle as br
    >>> groups = br.GroupMCP(1.0, 2.0, offsets=[0, 2, 4])
    >>> groups.value([3.0, 4.0, 1.0, 0.0])
    1.75
    >>> groups.prox([3.0, 4.0, 0.5, 0.0])
    array([3., 4., 0., 0.])
    """

    __match_args__ = ("strength", "gamma")
    _options = GROUPS
    __slots__ = (*__match_args__, *GROUPS)
    _operator = "prox_group_mcp"
    _penalty = "group_mcp_penalty"
    is_convex = False
    gamma: float

    def __init__(
        self,
        strength: Number,
        gamma: Number,
        *,
        axis: Axis = -1,
        offsets: ArrayLike | None = None,
        labels: ArrayLike | None = None,
        weights: ArrayLike | None = None,
    ) -> None:
        self._set(strength, gamma, axis, offsets, labels, weights)

    def _slope(self, norms: Numbers, strengths: Numbers) -> Numbers:
        return mcp_slope(norms, strengths, self.gamma)

    def _scaled(self, factor: float) -> BaseRegularizer:
        gamma = gamma_of_multiple(self.gamma, factor)
        return self._with(strength=self.strength * factor, gamma=gamma)


class GroupSCAD(NormRegularizer):
    r"""Smoothly clipped absolute deviation of the norms of groups.

    .. math::

        R(w) = \sum_g p_{\lambda \omega_g}(\|w_g\|_2), \quad
        p_\lambda(z) = \begin{cases} \lambda z & z \le \lambda \\
            (2 \gamma \lambda z - z^2 - \lambda^2) / (2 (\gamma - 1)) & z \le \gamma \lambda \\
            \lambda^2 (\gamma + 1) / 2 & z > \gamma \lambda \end{cases}

    Parameters
    ----------
    strength : float
        :math:`\lambda \ge 0`, the slope at zero.
    gamma : float
        :math:`\gamma > 2`; the penalty is constant beyond :math:`\gamma \lambda`.
    axis, offsets, labels, weights
        Which weights are a group, and what multiplies its strength, as for the functions.

    See Also
    --------
    prox_group_scad, group_scad_penalty : The functions.
    SCAD : The same for each weight by itself.

    References
    ----------
    .. [1] J. Huang, P. Breheny and S. Ma, "A selective review of group selection in
       high-dimensional models", Stat. Sci. 27 (2012).

    Examples
    --------
    >>> import bridle as br
    >>> groups = br.GroupSCAD(1.0, 3.0, offsets=[0, 2, 4])
    >>> groups.value([3.0, 4.0, 0.5, 0.0])
    2.5
    >>> groups.prox([3.0, 4.0, 0.5, 0.0])
    array([3., 4., 0., 0.])
    """

    __match_args__ = ("strength", "gamma")
    _options = GROUPS
    __slots__ = (*__match_args__, *GROUPS)
    _operator = "prox_group_scad"
    _penalty = "group_scad_penalty"
    is_convex = False
    gamma: float

    def __init__(
        self,
        strength: Number,
        gamma: Number,
        *,
        axis: Axis = -1,
        offsets: ArrayLike | None = None,
        labels: ArrayLike | None = None,
        weights: ArrayLike | None = None,
    ) -> None:
        self._set(strength, gamma, axis, offsets, labels, weights)

    def _slope(self, norms: Numbers, strengths: Numbers) -> Numbers:
        return scad_slope(norms, strengths, self.gamma)

    def _scaled(self, factor: float) -> BaseRegularizer:
        if factor == 0:
            return self._with(strength=0.0)
        return self if factor == 1 else Scaled(self, factor)
