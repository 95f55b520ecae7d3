"""Norms of vectors, total variation and the sorted L1 norm, and their proximal operators."""

from __future__ import annotations

from typing import Any, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bridle import _slices as slices
from bridle._operators.documentation import shares_documentation
from bridle._types import Axis, FloatArray, Number, Out

__all__ = [
    "l2_norm_penalty",
    "linf_norm_penalty",
    "prox_l2_norm",
    "prox_linf_norm",
    "prox_slope",
    "prox_total_variation",
    "slope_penalty",
    "total_variation_penalty",
]


@overload
def prox_l2_norm(
    x: ArrayLike, strength: Number, step: Number = 1.0, *, axis: Axis = -1, out: Out
) -> Out: ...
@overload
def prox_l2_norm(
    x: FloatArray, strength: Number, step: Number = 1.0, *, axis: Axis = -1, out: None = None
) -> FloatArray: ...
@overload
def prox_l2_norm(
    x: ArrayLike, strength: Number, step: Number = 1.0, *, axis: Axis = -1, out: None = None
) -> NDArray[Any]: ...
@shares_documentation
def prox_l2_norm(
    x: ArrayLike,
    strength: Number,
    step: Number = 1.0,
    *,
    axis: Axis = -1,
    out: NDArray[Any] | None = None,
) -> Any:
    r"""Shorten each vector, and set those that are not longer than the threshold to zero.

    .. math::

        y = \arg\min_z \tfrac12 \|z - x\|_2^2 + \eta \lambda \|z\|_2
          = x \max\left(1 - \frac{\eta \lambda}{\|x\|_2},\, 0\right)

    Parameters
    ----------
    x : array_like
        Weights.
    strength : float
        :math:`\lambda \ge 0`.
    step : float, default 1.0
        :math:`\eta \ge 0`, the learning rate; it multiplies the whole penalty.
    [vectors]
    [slices out]

    Returns
    -------
    [slices]

    Raises
    ------
    [slices raises]

    See Also
    --------
    l2_norm_penalty : The penalty of which this is the proximal operator.
    group_soft_threshold : The same with axes, offsets, labels and weights.
    project_l2_ball : What it takes away is the projection on the ball of radius
        :math:`\eta \lambda`.

    References
    ----------
    .. [1] N. Parikh and S. Boyd, "Proximal algorithms", Found. Trends Optim. 1 (2014).

    Examples
    --------
    >>> import bridle as br
    >>> br.prox_l2_norm([3.0, 4.0], 1.0)
    array([2.4, 3.2])
    """
    return slices.apply("prox_l2_norm", x, (strength, step), out, axis=axis)


@overload
def prox_linf_norm(
    x: ArrayLike, strength: Number, step: Number = 1.0, *, axis: Axis = -1, out: Out
) -> Out: ...
@overload
def prox_linf_norm(
    x: FloatArray, strength: Number, step: Number = 1.0, *, axis: Axis = -1, out: None = None
) -> FloatArray: ...
@overload
def prox_linf_norm(
    x: ArrayLike, strength: Number, step: Number = 1.0, *, axis: Axis = -1, out: None = None
) -> NDArray[Any]: ...
@shares_documentation
def prox_linf_norm(
    x: ArrayLike,
    strength: Number,
    step: Number = 1.0,
    *,
    axis: Axis = -1,
    out: NDArray[Any] | None = None,
) -> Any:
    r"""Lower the largest elements of each vector to a common magnitude, short vectors to zero.

    .. math::

        y = \arg\min_z \tfrac12 \|z - x\|_2^2 + \eta \lambda \|z\|_\infty
          = x - \operatorname{proj}_{\|\cdot\|_1 \le \eta \lambda}(x)

    Nothing is left of a vector whose absolute values add up to at most :math:`\eta \lambda`. The
    time is linear in the size of the vector.

    Parameters
    ----------
    x : array_like
        Weights.
    strength : float
        :math:`\lambda \ge 0`.
    step : float, default 1.0
        :math:`\eta \ge 0`, the learning rate; it multiplies the whole penalty.
    [vectors]
    [slices out]

    Returns
    -------
    [slices]

    Raises
    ------
    [slices raises]

    See Also
    --------
    linf_norm_penalty : The penalty of which this is the proximal operator.
    prox_group_linf : The same with axes, offsets, labels and weights.
    project_l1_ball : What it takes away.

    References
    ----------
    .. [1] N. Parikh and S. Boyd, "Proximal algorithms", Found. Trends Optim. 1 (2014).

    Examples
    --------
    >>> import bridle as br
    >>> br.prox_linf_norm([3.0, -1.0, 2.5], 1.0)
    array([ 2.25, -1.  ,  2.25])
    """
    return slices.apply("prox_linf_norm", x, (strength, step), out, axis=axis)


@overload
def prox_slope(
    x: ArrayLike, strengths: ArrayLike, step: Number = 1.0, *, axis: Axis = -1, out: Out
) -> Out: ...
@overload
def prox_slope(
    x: FloatArray, strengths: ArrayLike, step: Number = 1.0, *, axis: Axis = -1, out: None = None
) -> FloatArray: ...
@overload
def prox_slope(
    x: ArrayLike, strengths: ArrayLike, step: Number = 1.0, *, axis: Axis = -1, out: None = None
) -> NDArray[Any]: ...
@shares_documentation
def prox_slope(
    x: ArrayLike,
    strengths: ArrayLike,
    step: Number = 1.0,
    *,
    axis: Axis = -1,
    out: NDArray[Any] | None = None,
) -> Any:
    r"""Shrink larger elements more: the proximal operator of the sorted L1 norm.

    .. math::

        y = \arg\min_z \tfrac12 \|z - x\|_2^2 + \eta \sum_i \lambda_i |z|_{(i)}, \quad
        |z|_{(1)} \ge |z|_{(2)} \ge \dots

    Small elements become zero, and magnitudes that lie close together become equal. The magnitudes
    are sorted; the rest takes linear time.

    Parameters
    ----------
    x : array_like
        Weights.
    strengths : array_like
        :math:`\lambda_1 \ge \lambda_2 \ge \dots \ge 0`, one for each element of a vector: the first
        for the largest magnitude.
    step : float, default 1.0
        :math:`\eta \ge 0`, the learning rate; it multiplies the whole penalty.
    [vectors]
    [slices out]

    Returns
    -------
    [slices]

    Raises
    ------
    [slices raises]

    See Also
    --------
    slope_penalty : The penalty of which this is the proximal operator.
    soft_threshold : The same with equal strengths.
    prox_linf_norm : The same with all strengths zero but the first.

    References
    ----------
    .. [1] M. Bogdan, E. van den Berg, C. Sabatti, W. Su and E. J. Candès, "SLOPE - adaptive
       variable selection via convex optimization", Ann. Appl. Stat. 9 (2015).

    Examples
    --------
    >>> import bridle as br
    >>> br.prox_slope([3.0, -1.0, 2.5], [2.0, 1.0, 0.5])
    array([ 1.25, -0.5 ,  1.25])
    """
    return slices.apply("prox_slope", x, (step,), out, axis=axis, beside=strengths)


@overload
def prox_total_variation(
    x: ArrayLike, strength: Number, step: Number = 1.0, *, axis: Axis = -1, out: Out
) -> Out: ...
@overload
def prox_total_variation(
    x: FloatArray, strength: Number, step: Number = 1.0, *, axis: Axis = -1, out: None = None
) -> FloatArray: ...
@overload
def prox_total_variation(
    x: ArrayLike, strength: Number, step: Number = 1.0, *, axis: Axis = -1, out: None = None
) -> NDArray[Any]: ...
@shares_documentation
def prox_total_variation(
    x: ArrayLike,
    strength: Number,
    step: Number = 1.0,
    *,
    axis: Axis = -1,
    out: NDArray[Any] | None = None,
) -> Any:
    r"""Make each vector piecewise constant: total variation denoising, the fused lasso.

    .. math::

        y = \arg\min_z \tfrac12 \|z - x\|_2^2 + \eta \lambda \sum_i |z_{i+1} - z_i|

    The solution is exact up to rounding, in linear time.

    Parameters
    ----------
    x : array_like
        Weights.
    strength : float
        :math:`\lambda \ge 0`.
    step : float, default 1.0
        :math:`\eta \ge 0`, the learning rate; it multiplies the whole penalty.
    [vectors]
    [slices out]

    Returns
    -------
    [slices]

    Raises
    ------
    [slices raises]

    See Also
    --------
    total_variation_penalty : The penalty of which this is the proximal operator.

    References
    ----------
    .. [1] L. Condat, "A direct algorithm for 1-D total variation denoising", IEEE Signal Process.
       Lett. 20 (2013).
    .. [2] R. Tibshirani, M. Saunders, S. Rosset, J. Zhu and K. Knight, "Sparsity and smoothness via
       the fused lasso", J. R. Stat. Soc. B 67 (2005).

    Examples
    --------
    >>> import bridle as br
    >>> br.prox_total_variation([0.0, 0.0, 3.0, 3.0], 1.0)
    array([0.5, 0.5, 2.5, 2.5])
    """
    return slices.apply("prox_total_variation", x, (strength, step), out, axis=axis)


@shares_documentation
def l2_norm_penalty(w: ArrayLike, strength: Number = 1.0, *, axis: Axis = -1) -> np.float64:
    r"""Euclidean norm, summed over vectors.

    .. math:: P(w) = \lambda \|w\|_2

    Parameters
    ----------
    w : array_like
        Weights.
    strength : float, default 1.0
        :math:`\lambda \ge 0`.
    [vectors]

    Returns
    -------
    [slices penalty]

    Raises
    ------
    [slices raises]

    See Also
    --------
    prox_l2_norm : The proximal operator of this penalty.
    group_l2_penalty : The same with axes, offsets, labels and weights.
    l2_penalty : The sum of squares.

    References
    ----------
    .. [1] N. Parikh and S. Boyd, "Proximal algorithms", Found. Trends Optim. 1 (2014).

    Examples
    --------
    >>> import bridle as br
    >>> br.l2_norm_penalty([3.0, 4.0], 2.0)
    np.float64(10.0)
    """
    return slices.measure("l2_norm_penalty", w, (strength,), axis=axis)


@shares_documentation
def linf_norm_penalty(w: ArrayLike, strength: Number = 1.0, *, axis: Axis = -1) -> np.float64:
    r"""Largest magnitude, summed over vectors.

    .. math:: P(w) = \lambda \|w\|_\infty = \lambda \max_i |w_i|

    Parameters
    ----------
    w : array_like
        Weights.
    strength : float, default 1.0
        :math:`\lambda \ge 0`.
    [vectors]

    Returns
    -------
    [slices penalty]

    Raises
    ------
    [slices raises]

    See Also
    --------
    prox_linf_norm : The proximal operator of this penalty.
    group_linf_penalty : The same with axes, offsets, labels and weights.

    References
    ----------
    .. [1] N. Parikh and S. Boyd, "Proximal algorithms", Found. Trends Optim. 1 (2014).

    Examples
    --------
    >>> import bridle as br
    >>> br.linf_norm_penalty([3.0, -4.0], 2.0)
    np.float64(8.0)
    """
    return slices.measure("linf_norm_penalty", w, (strength,), axis=axis)


@shares_documentation
def slope_penalty(w: ArrayLike, strengths: ArrayLike, *, axis: Axis = -1) -> np.float64:
    r"""Sorted L1 norm: larger magnitudes are weighted more, summed over vectors.

    .. math::

        P(w) = \sum_i \lambda_i |w|_{(i)}, \quad |w|_{(1)} \ge |w|_{(2)} \ge \dots

    Parameters
    ----------
    w : array_like
        Weights.
    strengths : array_like
        :math:`\lambda_1 \ge \lambda_2 \ge \dots \ge 0`, one for each element of a vector: the first
        for the largest magnitude.
    [vectors]

    Returns
    -------
    [slices penalty]

    Raises
    ------
    [slices raises]

    See Also
    --------
    prox_slope : The proximal operator of this penalty.

    References
    ----------
    .. [1] M. Bogdan, E. van den Berg, C. Sabatti, W. Su and E. J. Candès, "SLOPE - adaptive
       variable selection via convex optimization", Ann. Appl. Stat. 9 (2015).

    Examples
    --------
    >>> import bridle as br
    >>> br.slope_penalty([3.0, -1.0, 2.0], [2.0, 1.0, 0.5])
    np.float64(8.5)
    """
    return slices.measure("slope_penalty", w, (), axis=axis, beside=strengths)


@shares_documentation
def total_variation_penalty(w: ArrayLike, strength: Number = 1.0, *, axis: Axis = -1) -> np.float64:
    r"""Sum of the distances between neighbours, over vectors.

    .. math:: P(w) = \lambda \sum_i |w_{i+1} - w_i|

    Parameters
    ----------
    w : array_like
        Weights.
    strength : float, default 1.0
        :math:`\lambda \ge 0`.
    [vectors]

    Returns
    -------
    [slices penalty]

    Raises
    ------
    [slices raises]

    See Also
    --------
    prox_total_variation : The proximal operator of this penalty.

    References
    ----------
    .. [1] R. Tibshirani, M. Saunders, S. Rosset, J. Zhu and K. Knight, "Sparsity and smoothness via
       the fused lasso", J. R. Stat. Soc. B 67 (2005).

    Examples
    --------
    >>> import bridle as br
    >>> br.total_variation_penalty([0.0, 0.0, 3.0, 1.0], 2.0)
    np.float64(10.0)
    """
    return slices.measure("total_variation_penalty", w, (strength,), axis=axis)
