"""Regularizers of vectors: norms, the sorted L1 norm, total variation."""

from __future__ import annotations

import math
from collections.abc import Callable
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bridle import _slices
from bridle._regularizers.derivatives import Numbers, ratio
from bridle._regularizers.groups import LargestRegularizer, NormRegularizer
from bridle._regularizers.parameters import of_owner, read_only
from bridle._regularizers.slices import SliceRegularizer, as_before, rows_of
from bridle._types import Axis, Number

__all__ = ["L2Norm", "LinfNorm", "Slope", "TotalVariation"]

VECTORS = MappingProxyType({"axis": -1})


class VectorRegularizer(SliceRegularizer):
    """Base of the regularizers of vectors that have derivatives of their own, vector by vector."""

    __slots__ = ()
    axis: Axis

    def _residual(self, w: NDArray[Any], target: Numbers) -> Numbers:
        vectors = rows_of(self, w.astype(np.float64), self.axis)
        targets = rows_of(self, target, self.axis)
        rows = [self._of_vector(*pair) for pair in zip(vectors, targets, strict=True)]
        found = np.array(rows).reshape(targets.shape)
        return as_before(found, w, self.axis)

    def _of_vector(self, w: Numbers, target: Numbers) -> Numbers:
        """Return the residual of one vector."""
        raise NotImplementedError


class L2Norm(NormRegularizer):
    r"""Euclidean norm of vectors, which vanish as a whole.

    .. math:: R(w) = \lambda \|w\|_2

    Parameters
    ----------
    strength : float
        :math:`\lambda \ge 0`.
    axis : int or tuple of int, default -1
        Each slice along this axis, or these axes together, is a vector; their values are added.

    See Also
    --------
    prox_l2_norm, l2_norm_penalty : The functions.
    GroupL2 : The same with offsets, labels and weights.

    References
    ----------
    .. [1] N. Parikh and S. Boyd, "Proximal algorithms", Found. Trends Optim. 1 (2014).

    Examples
    --------
    >>> import bridle as br
    >>> norm = br.L2Norm(2.0)
    >>> norm.value([3.0, 4.0])
    10.0
    >>> norm.prox([3.0, 4.0], 0.5)
    array([2.4, 3.2])
    """

    __match_args__ = ("strength",)
    _options = VECTORS
    __slots__ = (*__match_args__, *VECTORS)
    _operator = "prox_l2_norm"
    _penalty = "l2_norm_penalty"

    def __init__(self, strength: Number, *, axis: Axis = -1) -> None:
        self._set(strength, axis)


class LinfNorm(LargestRegularizer):
    r"""Largest magnitude of vectors: the largest elements become equally large.

    .. math:: R(w) = \lambda \|w\|_\infty = \lambda \max_i |w_i|

    Parameters
    ----------
    strength : float
        :math:`\lambda \ge 0`.
    axis : int or tuple of int, default -1
        Each slice along this axis, or these axes together, is a vector; their values are added.

    See Also
    --------
    prox_linf_norm, linf_norm_penalty : The functions.
    GroupLinf : The same with offsets, labels and weights.

    References
    ----------
    .. [1] N. Parikh and S. Boyd, "Proximal algorithms", Found. Trends Optim. 1 (2014).

    Examples
    --------
    >>> import bridle as br
    >>> norm = br.LinfNorm(2.0)
    >>> norm.value([3.0, -4.0])
    8.0
    >>> norm.prox([3.0, -4.0], 0.5)
    array([ 3., -3.])
    """

    __match_args__ = ("strength",)
    _options = VECTORS
    __slots__ = (*__match_args__, *VECTORS)
    _operator = "prox_linf_norm"
    _penalty = "linf_norm_penalty"

    def __init__(self, strength: Number, *, axis: Axis = -1) -> None:
        self._set(strength, axis)


class Slope(VectorRegularizer):
    r"""Sorted L1 norm: larger magnitudes cost more, and close ones become equal.

    .. math:: R(w) = \sum_i \lambda_i |w|_{(i)}, \quad |w|_{(1)} \ge |w|_{(2)} \ge \dots

    Parameters
    ----------
    strengths : array_like
        :math:`\lambda_1 \ge \lambda_2 \ge \dots \ge 0`, one for each element of a vector: the first
        for the largest magnitude.
    axis : int or tuple of int, default -1
        Each slice along this axis, or these axes together, is a vector; their values are added.

    See Also
    --------
    prox_slope, slope_penalty : The functions.

    References
    ----------
    .. [1] M. Bogdan, E. van den Berg, C. Sabatti, W. Su and E. J. Candès, "SLOPE - adaptive
       variable selection via convex optimization", Ann. Appl. Stat. 9 (2015).

    Examples
    --------
    >>> import bridle as br
    >>> slope = br.Slope([2.0, 1.0, 0.5])
    >>> slope.value([3.0, -1.0, 2.0])
    8.5
    >>> slope.prox([3.0, -1.0, 2.5])
    array([ 1.25, -0.5 ,  1.25])
    """

    __match_args__ = ("strengths",)
    _options = VECTORS
    __slots__ = (*__match_args__, *VECTORS)
    _operator = "prox_slope"
    _penalty = "slope_penalty"
    _factors = ("strengths",)
    strengths: NDArray[np.float64]

    def __init__(self, strengths: ArrayLike, *, axis: Axis = -1) -> None:
        self._set(strengths, axis)

    def _set(self, *given: Any) -> None:
        super()._set(*given)
        self._keep(_keywords=self._keywords | {"beside": self.strengths})

    def _numbers(self, given: tuple[Any, ...]) -> tuple[Any, ...]:
        name, (strengths,) = "slope_penalty", given
        try:
            checked = _slices.checked_beside(name, strengths, np.size(strengths))
        except (TypeError, ValueError) as error:
            raise of_owner(error, name, type(self).__name__) from None
        return (read_only(np.asarray(checked), np.float64),)

    def _penalty_numbers(self) -> tuple[Any, ...]:
        return ()

    def _of_vector(self, w: Numbers, target: Numbers) -> Numbers:
        """Equal magnitudes share strengths: the nearest of their orders' mixtures, or at zero less.

        Both are what the proximal operator of those strengths takes away, of numbers that are all
        shifted far above zero if the weights are not zero.
        """
        sizes = np.abs(w)
        order = np.argsort(-sizes, kind="stable")
        signs = np.where(w == 0, 1.0, np.sign(w))[order]
        targets, found = target[order] * signs, np.empty(w.size)

        def tied(part: slice) -> Numbers:
            own = self.strengths[part]
            is_zero = sizes[order[part.start]] == 0
            shift = 0.0 if is_zero else np.abs(targets[part]).max() + 2 * own[0]
            prox = _slices.apply("prox_slope", targets[part] + shift, (1.0,), beside=own)
            return np.asarray(prox - shift)

        found[order] = signs * _by_runs(sizes[order], targets - self.strengths, tied)
        return found

    def _least_factor(self, gradient: Numbers) -> float:
        sizes = -np.sort(-np.abs(rows_of(self, gradient, self.axis)), axis=1)
        factors = ratio(sizes.cumsum(axis=1), self.strengths.cumsum())
        return float(factors.max(initial=0))


class TotalVariation(VectorRegularizer):
    r"""Sum of the distances between neighbours: vectors become piecewise constant.

    .. math:: R(w) = \lambda \sum_i |w_{i+1} - w_i|

    Parameters
    ----------
    strength : float
        :math:`\lambda \ge 0`.
    axis : int or tuple of int, default -1
        Each slice along this axis, or these axes together, is a vector; their values are added.

    See Also
    --------
    prox_total_variation, total_variation_penalty : The functions.

    References
    ----------
    .. [1] R. Tibshirani, M. Saunders, S. Rosset, J. Zhu and K. Knight, "Sparsity and smoothness via
       the fused lasso", J. R. Stat. Soc. B 67 (2005).

    Examples
    --------
    >>> import bridle as br
    >>> fused = br.TotalVariation(1.0)
    >>> fused.value([0.0, 0.0, 3.0, 1.0])
    5.0
    >>> fused.prox([0.0, 0.0, 3.0, 3.0])
    array([0.5, 0.5, 2.5, 2.5])
    """

    __match_args__ = ("strength",)
    _options = VECTORS
    __slots__ = (*__match_args__, *VECTORS)
    _operator = "prox_total_variation"
    _penalty = "total_variation_penalty"
    strength: float

    def __init__(self, strength: Number, *, axis: Axis = -1) -> None:
        self._set(strength, axis)

    def _of_vector(self, w: Numbers, target: Numbers) -> Numbers:
        """What a jump pulls is known; between jumps it is the dual of the proximal operator."""
        pull = self.strength * np.sign(np.diff(w, prepend=w[:1], append=w[-1:]))
        rest = target - pull[:-1] + pull[1:]

        def flat(part: slice) -> Numbers:
            prox = _slices.apply("prox_total_variation", rest[part], (self.strength, 1.0))
            return np.asarray(prox)

        return _by_runs(w, rest, flat)

    def _least_factor(self, gradient: Numbers) -> float:
        """No factor balances a vector whose gradient does not add up to zero, but for rounding."""
        rows = rows_of(self, gradient, self.axis)
        sums = rows.cumsum(axis=1)
        rounding = rows.shape[1] * np.finfo(float).eps * np.abs(rows).sum(axis=1)
        if (np.abs(sums[:, -1:]) > rounding[:, np.newaxis]).any():
            return math.inf
        return float(ratio(np.abs(sums[:, :-1]).max(initial=0), self.strength))


def _by_runs(values: Numbers, alone: Numbers, together: Callable[[slice], Numbers]) -> Numbers:
    """Return for equal neighbours what is found for them together, and for others their own."""
    ends = np.flatnonzero(np.diff(values)) + 1
    starts = np.concatenate([[0], ends]).astype(int)
    stops = np.concatenate([ends, [values.size]]).astype(int)
    result, is_zero = alone.copy(), values == 0
    for start, stop in zip(starts, stops, strict=True):
        if stop - start > 1 or (stop > start and is_zero[start]):
            result[start:stop] = together(slice(start, stop))
    return result
