"""Sets to which vectors are held: the simplex, balls of norms, few weights that are not zero."""

from __future__ import annotations

from types import MappingProxyType
from typing import Any, SupportsIndex

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bridle import _slices
from bridle._call import real_array
from bridle._regularizers.derivatives import Numbers, residual_of
from bridle._regularizers.slices import SliceRegularizer, as_before, rows_of
from bridle._types import Axis, Number

__all__ = ["L0Ball", "L1Ball", "L2Ball", "LinfBall", "Simplex"]

VECTORS = MappingProxyType({"axis": -1})
ROUNDING = 4
"""How many units in the last place a projected vector may be off the border of its set."""


class VectorSet(SliceRegularizer):
    """Base of the sets of vectors; of a derivative they say what it is where vectors may lie."""

    __slots__ = ()
    _is_set = True
    axis: Axis

    def _size(self) -> float:
        """Return what the border is measured by: zero if vectors are compared exactly."""
        return 0.0

    def _prox_numbers(self, step: float) -> tuple[Any, ...]:
        return self._penalty_numbers()

    def value(self, w: ArrayLike) -> float:
        """Return 0.0 inside and inf outside, where no rounding error is; a NaN makes it NaN."""
        array = real_array(type(self).__name__, w)
        return self._indicator(array, self._slack(array))

    def _slack(self, w: NDArray[Any]) -> float:
        return ROUNDING * float(np.spacing(np.ones((), w.dtype))) * self._size()

    def _residual(self, w: NDArray[Any], target: Numbers) -> Numbers:
        wide = w.astype(np.float64)
        moved = np.abs(self.prox(w).astype(np.float64) - wide) > self._slack(w)
        rows, targets = (rows_of(self, array, self.axis) for array in (wide, target))
        found = self._of_rows(rows, targets, self._slack(w))
        outside = rows_of(self, moved, self.axis).any(axis=1, keepdims=True)
        return as_before(np.where(outside, np.inf, found), w, self.axis)

    def _of_rows(self, w: Numbers, target: Numbers, slack: float) -> Numbers:
        """Return the residuals of vectors, the rows, that lie in the set."""
        raise NotImplementedError


class Ball(VectorSet):
    """Base of the sets that have a radius; of radius zero they are one point."""

    __slots__ = ("axis", "radius")
    __match_args__ = ("radius",)
    _options = VECTORS
    radius: float

    def __init__(self, radius: Number = 1.0, *, axis: Axis = -1) -> None:
        self._set(radius, axis)

    def _size(self) -> float:
        return self.radius

    def _of_rows(self, w: Numbers, target: Numbers, slack: float) -> Numbers:
        if self.radius == 0:
            return np.zeros(target.shape)
        return self._of_border(w, target, self.radius - slack)

    def _of_border(self, w: Numbers, target: Numbers, border: float) -> Numbers:
        """Return the residuals of vectors; those whose size is that of the border lie on it."""
        raise NotImplementedError


class Simplex(Ball):
    r"""Vectors that are not negative and add up to the radius: probabilities, mixtures.

    .. math:: R(w) = 0 \text{ if } w \ge 0 \text{ and } \sum_i w_i = r, \text{ else } \infty

    Parameters
    ----------
    radius : float, default 1.0
        :math:`r \ge 0`, the sum.
    axis : int or tuple of int, default -1
        Each slice along this axis, or these axes together, is a vector.

    See Also
    --------
    project_simplex : The function.

    References
    ----------
    .. [1] L. Condat, "Fast projection onto the simplex and the l1 ball", Math. Program. 158 (2016).

    Examples
    --------
    >>> import bridle as br
    >>> mixture = br.Simplex()
    >>> mixture.value([0.75, 0.25]), mixture.value([0.75, 0.5])
    (0.0, inf)
    >>> mixture.prox([1.0, 0.5, -1.0])
    array([0.75, 0.25, 0.  ])
    """

    __slots__ = ()
    _operator = "project_simplex"

    def _of_border(self, w: Numbers, target: Numbers, border: float) -> Numbers:
        rest = target - _level(target, w > 0)
        return np.where(w > 0, rest, np.maximum(rest, 0))


class L1Ball(Ball):
    r"""Vectors whose absolute values add up to no more than the radius: the constrained lasso.

    .. math:: R(w) = 0 \text{ if } \sum_i |w_i| \le r, \text{ else } \infty

    Parameters
    ----------
    radius : float, default 1.0
        :math:`r \ge 0`.
    axis : int or tuple of int, default -1
        Each slice along this axis, or these axes together, is a vector.

    See Also
    --------
    project_l1_ball : The function.

    References
    ----------
    .. [1] L. Condat, "Fast projection onto the simplex and the l1 ball", Math. Program. 158 (2016).

    Examples
    --------
    >>> import bridle as br
    >>> ball = br.L1Ball(1.0)
    >>> ball.value([0.5, -0.25]), ball.value([0.5, -0.75])
    (0.0, inf)
    >>> ball.prox([1.0, -0.5, 0.0])
    array([ 0.75, -0.25,  0.  ])
    """

    __slots__ = ()
    _operator = "project_l1_ball"

    def _of_border(self, w: Numbers, target: Numbers, border: float) -> Numbers:
        signs = np.where(w == 0, np.sign(target), np.sign(w))
        along = signs * target
        rest = along - np.maximum(_level(along, w != 0), 0)
        rest = signs * np.where(w == 0, np.maximum(rest, 0), rest)
        on_border = np.abs(w).sum(axis=1, keepdims=True) >= border
        return np.where(on_border, rest, target)


class L2Ball(Ball):
    r"""Vectors that are no longer than the radius.

    .. math:: R(w) = 0 \text{ if } \|w\|_2 \le r, \text{ else } \infty

    Parameters
    ----------
    radius : float, default 1.0
        :math:`r \ge 0`.
    axis : int or tuple of int, default -1
        Each slice along this axis, or these axes together, is a vector.

    See Also
    --------
    project_l2_ball : The function.

    References
    ----------
    .. [1] N. Parikh and S. Boyd, "Proximal algorithms", Found. Trends Optim. 1 (2014).

    Examples
    --------
    >>> import bridle as br
    >>> ball = br.L2Ball(2.5)
    >>> ball.value([2.0, -1.0]), ball.value([2.0, -2.0])
    (0.0, inf)
    >>> ball.prox([3.0, -4.0])
    array([ 1.5, -2. ])
    """

    __slots__ = ()
    _operator = "project_l2_ball"

    def _of_border(self, w: Numbers, target: Numbers, border: float) -> Numbers:
        norms = _slices.measured("l2_norm_penalty", w, (1.0,))[:, np.newaxis]
        direction = w / np.where(norms > 0, norms, 1)
        outward = np.maximum((target * direction).sum(axis=1, keepdims=True), 0)
        return target - np.where(norms >= border, outward, 0) * direction


class LinfBall(Ball):
    r"""Vectors of which no magnitude is larger than the radius.

    .. math:: R(w) = 0 \text{ if } \max_i |w_i| \le r, \text{ else } \infty

    Parameters
    ----------
    radius : float, default 1.0
        :math:`r \ge 0`.
    axis : int or tuple of int, default -1
        Each slice along this axis, or these axes together, is a vector.

    See Also
    --------
    project_linf_ball : The function.
    Box : Other bounds, also for each weight.

    References
    ----------
    .. [1] N. Parikh and S. Boyd, "Proximal algorithms", Found. Trends Optim. 1 (2014).

    Examples
    --------
    >>> import bridle as br
    >>> ball = br.LinfBall(1.0)
    >>> ball.value([0.5, -1.0]), ball.value([0.5, -1.5])
    (0.0, inf)
    >>> ball.prox([3.0, -0.5])
    array([ 1. , -0.5])
    """

    __slots__ = ()
    _operator = "project_linf_ball"

    def _of_border(self, w: Numbers, target: Numbers, border: float) -> Numbers:
        lower, upper = np.where(w <= -border, -np.inf, 0.0), np.where(w >= border, np.inf, 0.0)
        return residual_of(target, lower, upper)


class L0Ball(VectorSet):
    r"""Vectors of which no more than :math:`k` elements are not zero: pruning.

    .. math:: R(w) = 0 \text{ if } \#\{i : w_i \ne 0\} \le k, \text{ else } \infty

    Parameters
    ----------
    k : int
        :math:`k \ge 0`.
    axis : int or tuple of int, default -1
        Each slice along this axis, or these axes together, is a vector.

    See Also
    --------
    project_l0_ball : The function.
    L0 : A cost for each instead.

    References
    ----------
    .. [1] T. Blumensath and M. E. Davies, "Iterative hard thresholding for compressed sensing",
       Appl. Comput. Harmon. Anal. 27 (2009).

    Examples
    --------
    >>> import bridle as br
    >>> few = br.L0Ball(2)
    >>> few.value([3.0, 0.0, 2.0]), few.value([3.0, 1.0, 2.0])
    (0.0, inf)
    >>> few.prox([3.0, -1.0, 0.5, 2.0])
    array([3., 0., 0., 2.])
    """

    __match_args__ = ("k",)
    _options = VECTORS
    __slots__ = (*__match_args__, *VECTORS)
    _operator = "project_l0_ball"
    is_convex = False
    k: int

    def __init__(self, k: SupportsIndex, *, axis: Axis = -1) -> None:
        self._set(k, axis)

    def _numbers(self, given: tuple[Any, ...]) -> tuple[Any, ...]:
        return tuple(map(int, super()._numbers(given)))

    def _of_rows(self, w: Numbers, target: Numbers, slack: float) -> Numbers:
        """Those free to move are the weights that are not zero, and of the others the best k."""
        sizes = np.where(w != 0, -1, np.abs(target))
        free = np.argsort(sizes, axis=1, kind="stable")[:, : self.k]
        found = np.zeros(target.shape)
        np.put_along_axis(found, free, np.take_along_axis(target, free, axis=1), axis=1)
        return found


def _level(values: Numbers, fixed: NDArray[np.bool]) -> Numbers:
    """Return for each row the number nearest to its fixed values, and to others from below.

    The mean of the fixed values and of as many of the others, the largest first, as raise it.
    """
    others = -np.sort(np.where(fixed, np.inf, -values), axis=1)
    count, first = fixed.sum(axis=1, keepdims=True), np.where(fixed, values, 0.0)
    sums = np.concatenate([np.zeros((len(values), 1)), others.cumsum(axis=1)], axis=1)
    counts = np.maximum(count + np.arange(values.shape[1] + 1), 1)
    means: Numbers = (first.sum(axis=1, keepdims=True) + sums) / counts
    highest: Numbers = np.max(means, axis=1, keepdims=True)
    return highest
