"""Operators of groups, whose elements are shrunk or set to zero together, and their penalties."""

from __future__ import annotations

from typing import Any, Unpack, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bridle import _slices as slices
from bridle._operators.documentation import shares_documentation
from bridle._operators.penalties import l1_penalty
from bridle._types import Axis, FloatArray, Groups, Number, Out

__all__ = [
    "group_l2_penalty",
    "group_linf_penalty",
    "group_mcp_penalty",
    "group_scad_penalty",
    "group_soft_threshold",
    "prox_group_linf",
    "prox_group_mcp",
    "prox_group_scad",
    "prox_sparse_group",
    "sparse_group_penalty",
]


@overload
def group_soft_threshold(
    x: ArrayLike, threshold: Number, *, out: Out, **groups: Unpack[Groups]
) -> Out: ...
@overload
def group_soft_threshold(
    x: FloatArray, threshold: Number, *, out: None = None, **groups: Unpack[Groups]
) -> FloatArray: ...
@overload
def group_soft_threshold(
    x: ArrayLike, threshold: Number, *, out: None = None, **groups: Unpack[Groups]
) -> NDArray[Any]: ...
@shares_documentation
def group_soft_threshold(
    x: ArrayLike,
    threshold: Number,
    *,
    axis: Axis = -1,
    offsets: ArrayLike | None = None,
    labels: ArrayLike | None = None,
    weights: ArrayLike | None = None,
    out: NDArray[Any] | None = None,
) -> Any:
    r"""Shorten each group by a threshold, and set those that are not longer to zero.

    .. math::

        y_g = x_g \max\left(1 - \frac{t\, \omega_g}{\|x_g\|_2},\, 0\right)
            = \arg\min_z \tfrac12 \|z - x_g\|_2^2 + t\, \omega_g \|z\|_2

    Neurons, channels or the coefficients of one categorical feature vanish as a whole: this is the
    proximal operator of the group lasso, ``threshold`` being the step times its strength.

    Parameters
    ----------
    x : array_like
        Weights.
    threshold : float
        :math:`t \ge 0`, in the unit of ``x``.
    [groups]
    [slices out]

    Returns
    -------
    [slices]

    Raises
    ------
    [slices raises]

    See Also
    --------
    group_l2_penalty : The penalty of which this is the proximal operator.
    soft_threshold : The same for each element by itself.
    prox_sparse_group : Both at once.

    References
    ----------
    .. [1] M. Yuan and Y. Lin, "Model selection and estimation in regression with grouped
       variables", J. R. Stat. Soc. B 68 (2006).

    Examples
    --------
    >>> import bridle as br
    >>> br.group_soft_threshold([[3.0, 4.0], [0.3, 0.4]], 1.0)
    array([[2.4, 3.2],
           [0. , 0. ]])
    >>> br.group_soft_threshold([3.0, 4.0, 0.5], 1.0, offsets=[0, 2, 3])
    array([2.4, 3.2, 0. ])
    >>> br.group_soft_threshold([3.0, 0.5, 4.0, -7.0], 1.0, labels=[0, 1, 0, -1])
    array([ 2.4,  0. ,  3.2, -7. ])
    """
    return slices.apply(
        "group_soft_threshold",
        x,
        (threshold,),
        out,
        axis=axis,
        offsets=offsets,
        labels=labels,
        weights=weights,
    )


@overload
def prox_sparse_group(
    x: ArrayLike,
    l1: Number,
    group: Number,
    step: Number = 1.0,
    *,
    out: Out,
    **groups: Unpack[Groups],
) -> Out: ...
@overload
def prox_sparse_group(
    x: FloatArray,
    l1: Number,
    group: Number,
    step: Number = 1.0,
    *,
    out: None = None,
    **groups: Unpack[Groups],
) -> FloatArray: ...
@overload
def prox_sparse_group(
    x: ArrayLike,
    l1: Number,
    group: Number,
    step: Number = 1.0,
    *,
    out: None = None,
    **groups: Unpack[Groups],
) -> NDArray[Any]: ...
@shares_documentation
def prox_sparse_group(
    x: ArrayLike,
    l1: Number,
    group: Number,
    step: Number = 1.0,
    *,
    axis: Axis = -1,
    offsets: ArrayLike | None = None,
    labels: ArrayLike | None = None,
    weights: ArrayLike | None = None,
    out: NDArray[Any] | None = None,
) -> Any:
    r"""Set whole groups to zero, and elements of those that stay: the sparse-group lasso.

    .. math::

        y_g = \arg\min_z \tfrac12 \|z - x_g\|_2^2
                + \eta (\lambda_1 \|z\|_1 + \lambda_2\, \omega_g \|z\|_2)
            = s_g \max\left(1 - \frac{\eta \lambda_2\, \omega_g}{\|s_g\|_2},\, 0\right), \quad
        s = \operatorname{soft}(x, \eta \lambda_1)

    Parameters
    ----------
    x : array_like
        Weights.
    l1 : float
        :math:`\lambda_1 \ge 0`, the strength for elements; also for those in no group.
    group : float
        :math:`\lambda_2 \ge 0`, the strength for groups.
    step : float, default 1.0
        :math:`\eta \ge 0`, the learning rate; it multiplies the whole penalty.
    [groups]
    [slices out]

    Returns
    -------
    [slices]

    Raises
    ------
    [slices raises]

    See Also
    --------
    sparse_group_penalty : The penalty of which this is the proximal operator.
    group_soft_threshold, soft_threshold : The two that follow one another in it.

    References
    ----------
    .. [1] N. Simon, J. Friedman, T. Hastie and R. Tibshirani, "A sparse-group lasso",
       J. Comput. Graph. Stat. 22 (2013).

    Examples
    --------
    >>> import bridle as br
    >>> br.prox_sparse_group([[4.0, 0.5, -5.0], [2.0, 0.0, 1.0]], l1=1.0, group=2.5)
    array([[ 1.5,  0. , -2. ],
           [ 0. ,  0. ,  0. ]])
    """
    return slices.apply(
        "prox_sparse_group",
        x,
        (l1, group, step),
        out,
        axis=axis,
        offsets=offsets,
        labels=labels,
        weights=weights,
    )


@overload
def prox_group_linf(
    x: ArrayLike, strength: Number, step: Number = 1.0, *, out: Out, **groups: Unpack[Groups]
) -> Out: ...
@overload
def prox_group_linf(
    x: FloatArray,
    strength: Number,
    step: Number = 1.0,
    *,
    out: None = None,
    **groups: Unpack[Groups],
) -> FloatArray: ...
@overload
def prox_group_linf(
    x: ArrayLike,
    strength: Number,
    step: Number = 1.0,
    *,
    out: None = None,
    **groups: Unpack[Groups],
) -> NDArray[Any]: ...
@shares_documentation
def prox_group_linf(
    x: ArrayLike,
    strength: Number,
    step: Number = 1.0,
    *,
    axis: Axis = -1,
    offsets: ArrayLike | None = None,
    labels: ArrayLike | None = None,
    weights: ArrayLike | None = None,
    out: NDArray[Any] | None = None,
) -> Any:
    r"""Lower the largest elements of each group to a common magnitude, small groups to zero.

    .. math::

        y_g = \arg\min_z \tfrac12 \|z - x_g\|_2^2 + \eta \lambda\, \omega_g \|z\|_\infty

    Nothing is left of a group whose absolute values add up to at most
    :math:`\eta \lambda\, \omega_g`.

    Parameters
    ----------
    x : array_like
        Weights.
    strength : float
        :math:`\lambda \ge 0`.
    step : float, default 1.0
        :math:`\eta \ge 0`, the learning rate; it multiplies the whole penalty.
    [groups]
    [slices out]

    Returns
    -------
    [slices]

    Raises
    ------
    [slices raises]

    See Also
    --------
    group_linf_penalty : The penalty of which this is the proximal operator.
    prox_linf_norm : The same for vectors without weights.
    project_l1_ball : What it takes away is the projection on the ball of radius
        :math:`\eta \lambda\, \omega_g`.

    References
    ----------
    .. [1] B. A. Turlach, W. N. Venables and S. J. Wright, "Simultaneous variable selection",
       Technometrics 47 (2005).

    Examples
    --------
    >>> import bridle as br
    >>> br.prox_group_linf([[3.0, 1.0], [0.5, 0.25]], 1.0)
    array([[2., 1.],
           [0., 0.]])
    """
    return slices.apply(
        "prox_group_linf",
        x,
        (strength, step),
        out,
        axis=axis,
        offsets=offsets,
        labels=labels,
        weights=weights,
    )


@overload
def prox_group_mcp(
    x: ArrayLike,
    strength: Number,
    gamma: Number,
    step: Number = 1.0,
    *,
    out: Out,
    **groups: Unpack[Groups],
) -> Out: ...
@overload
def prox_group_mcp(
    x: FloatArray,
    strength: Number,
    gamma: Number,
    step: Number = 1.0,
    *,
    out: None = None,
    **groups: Unpack[Groups],
) -> FloatArray: ...
@overload
def prox_group_mcp(
    x: ArrayLike,
    strength: Number,
    gamma: Number,
    step: Number = 1.0,
    *,
    out: None = None,
    **groups: Unpack[Groups],
) -> NDArray[Any]: ...
@shares_documentation
def prox_group_mcp(
    x: ArrayLike,
    strength: Number,
    gamma: Number,
    step: Number = 1.0,
    *,
    axis: Axis = -1,
    offsets: ArrayLike | None = None,
    labels: ArrayLike | None = None,
    weights: ArrayLike | None = None,
    out: NDArray[Any] | None = None,
) -> Any:
    r"""Set short groups to zero and leave long ones alone: the minimax concave penalty of norms.

    .. math::

        y_g = \frac{x_g}{\|x_g\|_2}\, \operatorname{prox}_{\eta\,p_g}(\|x_g\|_2), \quad
        p_g(z) = \begin{cases} \lambda_g z - z^2 / (2 \gamma) & z \le \gamma \lambda_g \\
            \gamma \lambda_g^2 / 2 & z > \gamma \lambda_g \end{cases}, \quad
        \lambda_g = \lambda\, \omega_g

    This is the global minimizer for every step: where ``step`` is not below ``gamma`` the objective
    has two minima, and the lower one is taken (zero, if they are equal).

    Parameters
    ----------
    x : array_like
        Weights.
    strength : float
        :math:`\lambda \ge 0`, the slope of the penalty at zero.
    gamma : float
        :math:`\gamma > 0`; the penalty is constant where the norm exceeds
        :math:`\gamma \lambda_g`. Infinity gives `group_soft_threshold`.
    step : float, default 1.0
        :math:`\eta \ge 0`, the learning rate; it multiplies the whole penalty.
    [groups]
    [slices out]

    Returns
    -------
    [slices]

    Raises
    ------
    [slices raises]

    See Also
    --------
    group_mcp_penalty : The penalty of which this is the proximal operator.
    prox_mcp : The same for each element by itself.

    References
    ----------
    .. [1] P. Breheny and J. Huang, "Penalized methods for bi-level variable selection",
       Stat. Interface 2 (2009).
    .. [2] J. Huang, P. Breheny and S. Ma, "A selective review of group selection in
       high-dimensional models", Stat. Sci. 27 (2012).

    Examples
    --------
    >>> import bridle as br
    >>> br.prox_group_mcp([[3.0, 4.0], [0.9, 1.2], [0.3, 0.4]], 1.0, 2.0)
    array([[3. , 4. ],
           [0.6, 0.8],
           [0. , 0. ]])
    """
    return slices.apply(
        "prox_group_mcp",
        x,
        (strength, gamma, step),
        out,
        axis=axis,
        offsets=offsets,
        labels=labels,
        weights=weights,
    )


@overload
def prox_group_scad(
    x: ArrayLike,
    strength: Number,
    gamma: Number,
    step: Number = 1.0,
    *,
    out: Out,
    **groups: Unpack[Groups],
) -> Out: ...
@overload
def prox_group_scad(
    x: FloatArray,
    strength: Number,
    gamma: Number,
    step: Number = 1.0,
    *,
    out: None = None,
    **groups: Unpack[Groups],
) -> FloatArray: ...
@overload
def prox_group_scad(
    x: ArrayLike,
    strength: Number,
    gamma: Number,
    step: Number = 1.0,
    *,
    out: None = None,
    **groups: Unpack[Groups],
) -> NDArray[Any]: ...
@shares_documentation
def prox_group_scad(
    x: ArrayLike,
    strength: Number,
    gamma: Number,
    step: Number = 1.0,
    *,
    axis: Axis = -1,
    offsets: ArrayLike | None = None,
    labels: ArrayLike | None = None,
    weights: ArrayLike | None = None,
    out: NDArray[Any] | None = None,
) -> Any:
    r"""Set short groups to zero and leave long ones alone: smoothly clipped deviation of norms.

    .. math::

        y_g = \frac{x_g}{\|x_g\|_2}\, \operatorname{prox}_{\eta\,p_g}(\|x_g\|_2), \quad
        p_g(z) = \begin{cases} \lambda_g z & z \le \lambda_g \\
            (2 \gamma \lambda_g z - z^2 - \lambda_g^2) / (2 (\gamma - 1))
                & z \le \gamma \lambda_g \\
            \lambda_g^2 (\gamma + 1) / 2 & z > \gamma \lambda_g \end{cases}, \quad
        \lambda_g = \lambda\, \omega_g

    This is the global minimizer for every step: where ``step`` is not below ``gamma - 1`` the
    objective has two minima, and the lower one is taken (the smaller, if they are equal).

    Parameters
    ----------
    x : array_like
        Weights.
    strength : float
        :math:`\lambda \ge 0`, the slope of the penalty at zero.
    gamma : float
        :math:`\gamma > 2`; the penalty is constant where the norm exceeds
        :math:`\gamma \lambda_g`.
    step : float, default 1.0
        :math:`\eta \ge 0`, the learning rate; it multiplies the whole penalty.
    [groups]
    [slices out]

    Returns
    -------
    [slices]

    Raises
    ------
    [slices raises]

    See Also
    --------
    group_scad_penalty : The penalty of which this is the proximal operator.
    prox_scad : The same for each element by itself.

    References
    ----------
    .. [1] L. Wang, G. Chen and H. Li, "Group SCAD regression analysis for microarray time course
       gene expression data", Bioinformatics 23 (2007).
    .. [2] J. Huang, P. Breheny and S. Ma, "A selective review of group selection in
       high-dimensional models", Stat. Sci. 27 (2012).

    Examples
    --------
    >>> import bridle as br
    >>> br.prox_group_scad([[3.0, 4.0], [1.5, 2.0], [0.3, 0.4]], 1.0, 3.0)
    array([[3. , 4. ],
           [1.2, 1.6],
           [0. , 0. ]])
    """
    return slices.apply(
        "prox_group_scad",
        x,
        (strength, gamma, step),
        out,
        axis=axis,
        offsets=offsets,
        labels=labels,
        weights=weights,
    )


@shares_documentation
def group_l2_penalty(
    w: ArrayLike,
    strength: Number = 1.0,
    *,
    axis: Axis = -1,
    offsets: ArrayLike | None = None,
    labels: ArrayLike | None = None,
    weights: ArrayLike | None = None,
) -> np.float64:
    r"""Sum of the Euclidean norms of groups: the group lasso.

    .. math:: P(w) = \lambda \sum_g \omega_g \|w_g\|_2

    Parameters
    ----------
    w : array_like
        Weights.
    strength : float, default 1.0
        :math:`\lambda \ge 0`.
    [groups]

    Returns
    -------
    [slices penalty]

    Raises
    ------
    [slices raises]

    See Also
    --------
    group_soft_threshold : The proximal operator of this penalty.

    References
    ----------
    .. [1] M. Yuan and Y. Lin, "Model selection and estimation in regression with grouped
       variables", J. R. Stat. Soc. B 68 (2006).

    Examples
    --------
    >>> import bridle as br
    >>> br.group_l2_penalty([[3.0, 4.0], [0.0, 0.0]], 2.0)
    np.float64(10.0)
    >>> br.group_l2_penalty([3.0, 4.0, -2.0], offsets=[0, 2, 3], weights=[1.0, 0.5])
    np.float64(6.0)
    """
    return slices.measure(
        "group_l2_penalty",
        w,
        (strength,),
        axis=axis,
        offsets=offsets,
        labels=labels,
        weights=weights,
    )


@shares_documentation
def sparse_group_penalty(
    w: ArrayLike,
    l1: Number,
    group: Number,
    *,
    axis: Axis = -1,
    offsets: ArrayLike | None = None,
    labels: ArrayLike | None = None,
    weights: ArrayLike | None = None,
) -> np.float64:
    r"""Sum of the absolute values and of the norms of groups: the sparse-group lasso.

    .. math:: P(w) = \lambda_1 \sum_i |w_i| + \lambda_2 \sum_g \omega_g \|w_g\|_2

    Parameters
    ----------
    w : array_like
        Weights.
    l1 : float
        :math:`\lambda_1 \ge 0`, the strength for elements; also for those in no group.
    group : float
        :math:`\lambda_2 \ge 0`, the strength for groups.
    [groups]

    Returns
    -------
    [slices penalty]

    Raises
    ------
    [slices raises]

    See Also
    --------
    prox_sparse_group : The proximal operator of this penalty.

    References
    ----------
    .. [1] N. Simon, J. Friedman, T. Hastie and R. Tibshirani, "A sparse-group lasso",
       J. Comput. Graph. Stat. 22 (2013).

    Examples
    --------
    >>> import bridle as br
    >>> br.sparse_group_penalty([[3.0, 4.0], [0.0, 0.0]], 1.0, 2.0)
    np.float64(17.0)
    """
    norms = slices.measure(
        "sparse_group_penalty",
        w,
        (l1, group),
        axis=axis,
        offsets=offsets,
        labels=labels,
        weights=weights,
    )
    return l1_penalty(w, l1) + norms


@shares_documentation
def group_linf_penalty(
    w: ArrayLike,
    strength: Number = 1.0,
    *,
    axis: Axis = -1,
    offsets: ArrayLike | None = None,
    labels: ArrayLike | None = None,
    weights: ArrayLike | None = None,
) -> np.float64:
    r"""Sum of the largest magnitudes of groups.

    .. math:: P(w) = \lambda \sum_g \omega_g \|w_g\|_\infty

    Parameters
    ----------
    w : array_like
        Weights.
    strength : float, default 1.0
        :math:`\lambda \ge 0`.
    [groups]

    Returns
    -------
    [slices penalty]

    Raises
    ------
    [slices raises]

    See Also
    --------
    prox_group_linf : The proximal operator of this penalty.

    References
    ----------
    .. [1] B. A. Turlach, W. N. Venables and S. J. Wright, "Simultaneous variable selection",
       Technometrics 47 (2005).

    Examples
    --------
    >>> import bridle as br
    >>> br.group_linf_penalty([[3.0, -4.0], [0.5, 0.0]], 2.0)
    np.float64(9.0)
    """
    return slices.measure(
        "group_linf_penalty",
        w,
        (strength,),
        axis=axis,
        offsets=offsets,
        labels=labels,
        weights=weights,
    )


@shares_documentation
def group_mcp_penalty(
    w: ArrayLike,
    strength: Number,
    gamma: Number,
    *,
    axis: Axis = -1,
    offsets: ArrayLike | None = None,
    labels: ArrayLike | None = None,
    weights: ArrayLike | None = None,
) -> np.float64:
    r"""Minimax concave penalty of the norms of groups.

    .. math::

        P(w) = \sum_g p_g(\|w_g\|_2), \quad
        p_g(z) = \begin{cases} \lambda_g z - z^2 / (2 \gamma) & z \le \gamma \lambda_g \\
            \gamma \lambda_g^2 / 2 & z > \gamma \lambda_g \end{cases}, \quad
        \lambda_g = \lambda\, \omega_g

    Parameters
    ----------
    w : array_like
        Weights.
    strength : float
        :math:`\lambda \ge 0`, the slope of the penalty at zero.
    gamma : float
        :math:`\gamma > 0`; the penalty is constant where the norm exceeds
        :math:`\gamma \lambda_g`.
    [groups]

    Returns
    -------
    [slices penalty]

    Raises
    ------
    [slices raises]

    See Also
    --------
    prox_group_mcp : The proximal operator of this penalty.
    mcp_penalty : The same for each element by itself.

    References
    ----------
    .. [1] P. Breheny and J. Huang, "Penalized methods for bi-level variable selection",
       Stat. Interface 2 (2009).
    .. [2] J. Huang, P. Breheny and S. Ma, "A selective review of group selection in
       high-dimensional models", Stat. Sci. 27 (2012).

    Examples
    --------
    >>> import bridle as br
    >>> br.group_mcp_penalty([[3.0, 4.0], [0.3, 0.4]], 1.0, 2.0)
    np.float64(1.4375)
    """
    return slices.measure(
        "group_mcp_penalty",
        w,
        (strength, gamma),
        axis=axis,
        offsets=offsets,
        labels=labels,
        weights=weights,
    )


@shares_documentation
def group_scad_penalty(
    w: ArrayLike,
    strength: Number,
    gamma: Number,
    *,
    axis: Axis = -1,
    offsets: ArrayLike | None = None,
    labels: ArrayLike | None = None,
    weights: ArrayLike | None = None,
) -> np.float64:
    r"""Smoothly clipped absolute deviation of the norms of groups.

    .. math::

        P(w) = \sum_g p_g(\|w_g\|_2), \quad
        p_g(z) = \begin{cases} \lambda_g z & z \le \lambda_g \\
            (2 \gamma \lambda_g z - z^2 - \lambda_g^2) / (2 (\gamma - 1))
                & z \le \gamma \lambda_g \\
            \lambda_g^2 (\gamma + 1) / 2 & z > \gamma \lambda_g \end{cases}, \quad
        \lambda_g = \lambda\, \omega_g

    Parameters
    ----------
    w : array_like
        Weights.
    strength : float
        :math:`\lambda \ge 0`, the slope of the penalty at zero.
    gamma : float
        :math:`\gamma > 2`; the penalty is constant where the norm exceeds
        :math:`\gamma \lambda_g`.
    [groups]

    Returns
    -------
    [slices penalty]

    Raises
    ------
    [slices raises]

    See Also
    --------
    prox_group_scad : The proximal operator of this penalty.
    scad_penalty : The same for each element by itself.

    References
    ----------
    .. [1] L. Wang, G. Chen and H. Li, "Group SCAD regression analysis for microarray time course
       gene expression data", Bioinformatics 23 (2007).
    .. [2] J. Huang, P. Breheny and S. Ma, "A selective review of group selection in
       high-dimensional models", Stat. Sci. 27 (2012).

    Examples
    --------
    >>> import bridle as br
    >>> br.group_scad_penalty([[3.0, 4.0], [1.2, 1.6], [0.3, 0.4]], 1.0, 3.0)
    np.float64(4.25)
    """
    return slices.measure(
        "group_scad_penalty",
        w,
        (strength, gamma),
        axis=axis,
        offsets=offsets,
        labels=labels,
        weights=weights,
    )
