"""Projections of vectors on the simplex and on balls of norms."""

from __future__ import annotations

from typing import Any, overload

from numpy.typing import ArrayLike, NDArray

from bridle import _slices as slices
from bridle._operators.documentation import shares_documentation
from bridle._types import Axis, FloatArray, Number, Out

__all__ = [
    "project_l1_ball",
    "project_l2_ball",
    "project_linf_ball",
    "project_simplex",
    "project_weighted_l1_ball",
]


@overload
def project_simplex(x: ArrayLike, radius: Number = 1.0, *, axis: Axis = -1, out: Out) -> Out: ...
@overload
def project_simplex(
    x: FloatArray, radius: Number = 1.0, *, axis: Axis = -1, out: None = None
) -> FloatArray: ...
@overload
def project_simplex(
    x: ArrayLike, radius: Number = 1.0, *, axis: Axis = -1, out: None = None
) -> NDArray[Any]: ...
@shares_documentation
def project_simplex(
    x: ArrayLike, radius: Number = 1.0, *, axis: Axis = -1, out: NDArray[Any] | None = None
) -> Any:
    r"""Move each vector to the nearest one that is not negative and adds up to ``radius``.

    .. math::

        y = \arg\min_z \|z - x\|_2 \quad \text{where} \quad z \ge 0,\; \sum_i z_i = r; \qquad
        y_i = \max(x_i - \tau, 0)

    With radius 1: the nearest probabilities. The time is linear in the size of the vector, whatever
    its elements are; the projection is right also where they exceed the radius by far.

    Parameters
    ----------
    x : array_like
        Weights.
    radius : float, default 1.0
        :math:`r \ge 0`, the sum.
    [vectors]
    [slices out]

    Returns
    -------
    [projection]

    Raises
    ------
    [slices raises]

    See Also
    --------
    project_l1_ball : The same for magnitudes, whose sum may be smaller.
    project_nonnegative : The same without the sum.

    References
    ----------
    .. [1] L. Condat, "Fast projection onto the simplex and the l1 ball", Math. Program. 158 (2016).
    .. [2] M. Held, P. Wolfe and H. P. Crowder, "Validation of subgradient optimization",
       Math. Program. 6 (1974).
    .. [3] C. Michelot, "A finite algorithm for finding the projection of a point onto the canonical
       simplex of R^n", J. Optim. Theory Appl. 50 (1986).

    Examples
    --------
    >>> import bridle as br
    >>> br.project_simplex([1.0, 0.5, -1.0])
    array([0.75, 0.25, 0.  ])
    """
    return slices.apply("project_simplex", x, (radius,), out, axis=axis)


@overload
def project_l1_ball(x: ArrayLike, radius: Number = 1.0, *, axis: Axis = -1, out: Out) -> Out: ...
@overload
def project_l1_ball(
    x: FloatArray, radius: Number = 1.0, *, axis: Axis = -1, out: None = None
) -> FloatArray: ...
@overload
def project_l1_ball(
    x: ArrayLike, radius: Number = 1.0, *, axis: Axis = -1, out: None = None
) -> NDArray[Any]: ...
@shares_documentation
def project_l1_ball(
    x: ArrayLike, radius: Number = 1.0, *, axis: Axis = -1, out: NDArray[Any] | None = None
) -> Any:
    r"""Move each vector to the nearest one whose absolute values add up to at most ``radius``.

    .. math::

        y = \arg\min_z \|z - x\|_2 \quad \text{where} \quad \sum_i |z_i| \le r; \qquad
        y_i = \operatorname{sign}(x_i) \max(|x_i| - \tau, 0)

    Small elements become zero. The time is linear in the size of the vector, whatever its elements
    are; the projection is right also where they exceed the radius by far.

    Parameters
    ----------
    x : array_like
        Weights.
    radius : float, default 1.0
        :math:`r \ge 0`.
    [vectors]
    [slices out]

    Returns
    -------
    [projection]

    Raises
    ------
    [slices raises]

    See Also
    --------
    project_weighted_l1_ball : The same with a weight for each element.
    prox_linf_norm : The proximal operator of the dual norm.
    soft_threshold : The same for a given :math:`\tau`.

    References
    ----------
    .. [1] J. Duchi, S. Shalev-Shwartz, Y. Singer and T. Chandra, "Efficient projections onto the
       l1-ball for learning in high dimensions", ICML 2008.
    .. [2] L. Condat, "Fast projection onto the simplex and the l1 ball", Math. Program. 158 (2016).

    Examples
    --------
    >>> import bridle as br
    >>> br.project_l1_ball([3.0, -1.0, 0.25], 3.0)
    array([ 2.5, -0.5,  0. ])
    """
    return slices.apply("project_l1_ball", x, (radius,), out, axis=axis)


@overload
def project_weighted_l1_ball(
    x: ArrayLike, weights: ArrayLike, radius: Number = 1.0, *, axis: Axis = -1, out: Out
) -> Out: ...
@overload
def project_weighted_l1_ball(
    x: FloatArray, weights: ArrayLike, radius: Number = 1.0, *, axis: Axis = -1, out: None = None
) -> FloatArray: ...
@overload
def project_weighted_l1_ball(
    x: ArrayLike, weights: ArrayLike, radius: Number = 1.0, *, axis: Axis = -1, out: None = None
) -> NDArray[Any]: ...
@shares_documentation
def project_weighted_l1_ball(
    x: ArrayLike,
    weights: ArrayLike,
    radius: Number = 1.0,
    *,
    axis: Axis = -1,
    out: NDArray[Any] | None = None,
) -> Any:
    r"""Move each vector to the nearest one whose weighted absolute values are within ``radius``.

    .. math::

        y = \arg\min_z \|z - x\|_2 \quad \text{where} \quad \sum_i \omega_i |z_i| \le r; \qquad
        y_i = \operatorname{sign}(x_i) \max(|x_i| - \tau\, \omega_i, 0)

    Parameters
    ----------
    x : array_like
        Weights.
    weights : array_like
        :math:`\omega_i \ge 0`, one for each element of a vector; an element of weight 0 is left
        alone.
    radius : float, default 1.0
        :math:`r \ge 0`.
    [vectors]
    [slices out]

    Returns
    -------
    [projection]

    Raises
    ------
    [slices raises]

    See Also
    --------
    project_l1_ball : The same with equal weights.

    References
    ----------
    .. [1] G. Perez, S. Ament, C. Gomes and M. Barlaud, "Efficient projection algorithms onto the
       weighted l1 ball", Artif. Intell. 306 (2022).

    Examples
    --------
    >>> import bridle as br
    >>> br.project_weighted_l1_ball([3.0, -1.0, 5.0], [1.0, 2.0, 0.0], 2.0)
    array([2., 0., 5.])
    """
    return slices.apply("project_weighted_l1_ball", x, (radius,), out, axis=axis, beside=weights)


@overload
def project_l2_ball(x: ArrayLike, radius: Number = 1.0, *, axis: Axis = -1, out: Out) -> Out: ...
@overload
def project_l2_ball(
    x: FloatArray, radius: Number = 1.0, *, axis: Axis = -1, out: None = None
) -> FloatArray: ...
@overload
def project_l2_ball(
    x: ArrayLike, radius: Number = 1.0, *, axis: Axis = -1, out: None = None
) -> NDArray[Any]: ...
@shares_documentation
def project_l2_ball(
    x: ArrayLike, radius: Number = 1.0, *, axis: Axis = -1, out: NDArray[Any] | None = None
) -> Any:
    r"""Shorten each vector that is longer than ``radius`` to that length.

    .. math:: y = x \min\left(\frac{r}{\|x\|_2},\, 1\right)

    Parameters
    ----------
    x : array_like
        Weights.
    radius : float, default 1.0
        :math:`r \ge 0`.
    [vectors]
    [slices out]

    Returns
    -------
    [projection]

    Raises
    ------
    [slices raises]

    See Also
    --------
    max_norm : The same along several axes.
    prox_l2_norm : The proximal operator of the norm.

    References
    ----------
    .. [1] N. Parikh and S. Boyd, "Proximal algorithms", Found. Trends Optim. 1 (2014).

    Examples
    --------
    >>> import bridle as br
    >>> br.project_l2_ball([[3.0, 4.0], [0.3, 0.4]])
    array([[0.6, 0.8],
           [0.3, 0.4]])
    """
    return slices.apply("project_l2_ball", x, (radius,), out, axis=axis)


@overload
def project_linf_ball(x: ArrayLike, radius: Number = 1.0, *, axis: Axis = -1, out: Out) -> Out: ...
@overload
def project_linf_ball(
    x: FloatArray, radius: Number = 1.0, *, axis: Axis = -1, out: None = None
) -> FloatArray: ...
@overload
def project_linf_ball(
    x: ArrayLike, radius: Number = 1.0, *, axis: Axis = -1, out: None = None
) -> NDArray[Any]: ...
@shares_documentation
def project_linf_ball(
    x: ArrayLike, radius: Number = 1.0, *, axis: Axis = -1, out: NDArray[Any] | None = None
) -> Any:
    r"""Limit every magnitude to ``radius``.

    .. math:: y_i = \min(\max(x_i, -r), r)

    Parameters
    ----------
    x : array_like
        Weights.
    radius : float, default 1.0
        :math:`r \ge 0`.
    [vectors]
    [slices out]

    Returns
    -------
    [projection]

    Raises
    ------
    [slices raises]

    See Also
    --------
    project_box : The same with any bounds, arrays of them too.

    References
    ----------
    .. [1] N. Parikh and S. Boyd, "Proximal algorithms", Found. Trends Optim. 1 (2014).

    Examples
    --------
    >>> import bridle as br
    >>> br.project_linf_ball([3.0, -0.5])
    array([ 1. , -0.5])
    """
    return slices.apply("project_linf_ball", x, (radius,), out, axis=axis)
