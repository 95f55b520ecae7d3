"""Penalties that grow ever more slowly, MCP and SCAD, and their proximal operators."""

from __future__ import annotations

from typing import Any, Literal, Unpack, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bridle import _core
from bridle._call import shows_ufunc_keywords
from bridle._operators.documentation import shares_documentation
from bridle._types import Axis, Floats, LoopKeywords, Number, Out, UfuncKeywords

__all__ = ["mcp_penalty", "prox_mcp", "prox_scad", "scad_penalty"]


@overload
def prox_mcp(
    x: ArrayLike,
    strength: ArrayLike,
    gamma: ArrayLike,
    step: ArrayLike = 1.0,
    *,
    out: Out | tuple[Out],
    **ufunc_kwargs: Unpack[UfuncKeywords],
) -> Out: ...
@overload
def prox_mcp(
    x: Floats,
    strength: Number,
    gamma: Number,
    step: Number = 1.0,
    out: None = None,
    **ufunc_kwargs: Unpack[LoopKeywords],
) -> Floats: ...
@overload
def prox_mcp(
    x: float,
    strength: Number,
    gamma: Number,
    step: Number = 1.0,
    out: None = None,
    **ufunc_kwargs: Unpack[LoopKeywords],
) -> np.float64: ...
@overload
def prox_mcp(
    x: ArrayLike,
    strength: ArrayLike,
    gamma: ArrayLike,
    step: ArrayLike = 1.0,
    out: Any = None,
    **ufunc_kwargs: Unpack[UfuncKeywords],
) -> Any: ...
@shows_ufunc_keywords
@shares_documentation
def prox_mcp(
    x: ArrayLike,
    strength: ArrayLike,
    gamma: ArrayLike,
    step: ArrayLike = 1.0,
    out: Any = None,
    **ufunc_kwargs: Unpack[UfuncKeywords],
) -> Any:
    r"""Shrink small elements to zero and leave large ones alone: the minimax concave penalty.

    .. math::

        y = \arg\min_z \tfrac12 (z - x)^2 + \eta\,p(z), \quad
        p(z) = \begin{cases} \lambda |z| - z^2 / (2 \gamma) & |z| \le \gamma \lambda \\
            \gamma \lambda^2 / 2 & |z| > \gamma \lambda \end{cases}

    This is the global minimizer for every step: where ``step`` is not below ``gamma`` the objective
    has two minima, and the lower one is taken (zero, if they are equal).

    Parameters
    ----------
    x : array_like
        Weights, of any shape and memory layout.
    strength : array_like
        :math:`\lambda \ge 0`, the slope of the penalty at zero; one number or one per
        element.
    gamma : array_like
        :math:`\gamma > 0`; the penalty is constant beyond :math:`\gamma \lambda`.
        Infinity gives `soft_threshold`.
    step : array_like, default 1.0
        :math:`\eta \ge 0`, the learning rate; it multiplies the whole penalty.
    [out]

    Returns
    -------
    [elementwise]

    Raises
    ------
    [raises]

    See Also
    --------
    mcp_penalty : The penalty of which this is the proximal operator.
    firm_threshold : The same, given the two thresholds.

    References
    ----------
    .. [1] C.-H. Zhang, "Nearly unbiased variable selection under minimax concave penalty",
       Ann. Stat. 38 (2010).

    Examples
    --------
    >>> import bridle as br
    >>> br.prox_mcp([-3.0, 0.5, 1.5], 1.0, 2.0)
    array([-3.,  0.,  1.])
    >>> br.prox_mcp([-3.0, 0.5, 2.5], 1.0, 2.0, step=4.0)
    array([-3.,  0.,  0.])
    """
    return _core.prox_mcp(x, strength, gamma, step, out, ufunc_kwargs)


@overload
def prox_scad(
    x: ArrayLike,
    strength: ArrayLike,
    gamma: ArrayLike,
    step: ArrayLike = 1.0,
    *,
    out: Out | tuple[Out],
    **ufunc_kwargs: Unpack[UfuncKeywords],
) -> Out: ...
@overload
def prox_scad(
    x: Floats,
    strength: Number,
    gamma: Number,
    step: Number = 1.0,
    out: None = None,
    **ufunc_kwargs: Unpack[LoopKeywords],
) -> Floats: ...
@overload
def prox_scad(
    x: float,
    strength: Number,
    gamma: Number,
    step: Number = 1.0,
    out: None = None,
    **ufunc_kwargs: Unpack[LoopKeywords],
) -> np.float64: ...
@overload
def prox_scad(
    x: ArrayLike,
    strength: ArrayLike,
    gamma: ArrayLike,
    step: ArrayLike = 1.0,
    out: Any = None,
    **ufunc_kwargs: Unpack[UfuncKeywords],
) -> Any: ...
@shows_ufunc_keywords
@shares_documentation
def prox_scad(
    x: ArrayLike,
    strength: ArrayLike,
    gamma: ArrayLike,
    step: ArrayLike = 1.0,
    out: Any = None,
    **ufunc_kwargs: Unpack[UfuncKeywords],
) -> Any:
    r"""Shrink small elements to zero and leave large ones alone: smoothly clipped deviation.

    .. math::

        y = \arg\min_z \tfrac12 (z - x)^2 + \eta\,p(z), \quad
        p(z) = \begin{cases} \lambda |z| & |z| \le \lambda \\
            (2 \gamma \lambda |z| - z^2 - \lambda^2) / (2 (\gamma - 1)) & |z| \le \gamma \lambda \\
            \lambda^2 (\gamma + 1) / 2 & |z| > \gamma \lambda \end{cases}

    This is the global minimizer for every step: where ``step`` is not below ``gamma - 1`` the
    objective has two minima, and the lower one is taken (the smaller, if they are equal).

    Parameters
    ----------
    x : array_like
        Weights, of any shape and memory layout.
    strength : array_like
        :math:`\lambda \ge 0`, the slope of the penalty at zero; one number or one per
        element.
    gamma : array_like
        :math:`\gamma > 2`; the penalty is constant beyond :math:`\gamma \lambda`. The
        authors suggest 3.7.
    step : array_like, default 1.0
        :math:`\eta \ge 0`, the learning rate; it multiplies the whole penalty.
    [out]

    Returns
    -------
    [elementwise]

    Raises
    ------
    [raises]

    See Also
    --------
    scad_penalty : The penalty of which this is the proximal operator.

    References
    ----------
    .. [1] J. Fan and R. Li, "Variable selection via nonconcave penalized likelihood and its
       oracle properties", J. Am. Stat. Assoc. 96 (2001).

    Examples
    --------
    >>> import bridle as br
    >>> br.prox_scad([-5.0, 0.5, 1.5, 2.5], 1.0, 3.0)
    array([-5. ,  0. ,  0.5,  2. ])
    """
    return _core.prox_scad(x, strength, gamma, step, out, ufunc_kwargs)


@overload
def mcp_penalty(
    w: ArrayLike,
    strength: ArrayLike,
    gamma: ArrayLike,
    *,
    axis: None = None,
    keepdims: Literal[False] = False,
) -> np.float64: ...
@overload
def mcp_penalty(
    w: ArrayLike,
    strength: ArrayLike,
    gamma: ArrayLike,
    *,
    axis: Axis | None = None,
    keepdims: bool = False,
) -> np.float64 | NDArray[np.float64]: ...
@shares_documentation
def mcp_penalty(
    w: ArrayLike,
    strength: ArrayLike,
    gamma: ArrayLike,
    *,
    axis: Axis | None = None,
    keepdims: bool = False,
) -> Any:
    r"""Minimax concave penalty: as `l1_penalty` near zero, constant for large weights.

    .. math::

        P(w) = \sum_i p(w_i), \quad
        p(z) = \begin{cases} \lambda |z| - z^2 / (2 \gamma) & |z| \le \gamma \lambda \\
            \gamma \lambda^2 / 2 & |z| > \gamma \lambda \end{cases}

    Parameters
    ----------
    w : array_like
        Weights, of any shape and memory layout.
    strength : array_like
        :math:`\lambda \ge 0`; an array holds one for each weight or, with ``axis``, is
        broadcast against the sums. Zero makes the penalty zero, whatever the weights are.
    gamma : array_like
        :math:`\gamma > 0`, numbers or arrays as ``strength``.
    [axis]

    Returns
    -------
    [penalty]

    Raises
    ------
    [raises]

    See Also
    --------
    prox_mcp : The proximal operator of this penalty.

    References
    ----------
    .. [1] C.-H. Zhang, "Nearly unbiased variable selection under minimax concave penalty",
       Ann. Stat. 38 (2010).

    Examples
    --------
    >>> import bridle as br
    >>> br.mcp_penalty([-3.0, 0.5, 0.0], 1.0, 2.0)
    np.float64(1.4375)
    """
    return _core.mcp_penalty(w, strength, gamma, axis, keepdims)


@overload
def scad_penalty(
    w: ArrayLike,
    strength: ArrayLike,
    gamma: ArrayLike,
    *,
    axis: None = None,
    keepdims: Literal[False] = False,
) -> np.float64: ...
@overload
def scad_penalty(
    w: ArrayLike,
    strength: ArrayLike,
    gamma: ArrayLike,
    *,
    axis: Axis | None = None,
    keepdims: bool = False,
) -> np.float64 | NDArray[np.float64]: ...
@shares_documentation
def scad_penalty(
    w: ArrayLike,
    strength: ArrayLike,
    gamma: ArrayLike,
    *,
    axis: Axis | None = None,
    keepdims: bool = False,
) -> Any:
    r"""Smoothly clipped absolute deviation: as `l1_penalty` near zero, constant far away.

    .. math::

        P(w) = \sum_i p(w_i), \quad
        p(z) = \begin{cases} \lambda |z| & |z| \le \lambda \\
            (2 \gamma \lambda |z| - z^2 - \lambda^2) / (2 (\gamma - 1)) & |z| \le \gamma \lambda \\
            \lambda^2 (\gamma + 1) / 2 & |z| > \gamma \lambda \end{cases}

    Parameters
    ----------
    w : array_like
        Weights, of any shape and memory layout.
    strength : array_like
        :math:`\lambda \ge 0`; an array holds one for each weight or, with ``axis``, is
        broadcast against the sums. Zero makes the penalty zero, whatever the weights are.
    gamma : array_like
        :math:`\gamma > 2`, numbers or arrays as ``strength``.
    [axis]

    Returns
    -------
    [penalty]

    Raises
    ------
    [raises]

    See Also
    --------
    prox_scad : The proximal operator of this penalty.

    References
    ----------
    .. [1] J. Fan and R. Li, "Variable selection via nonconcave penalized likelihood and its
       oracle properties", J. Am. Stat. Assoc. 96 (2001).

    Examples
    --------
    >>> import bridle as br
    >>> br.scad_penalty([-5.0, 0.5, 2.0], 1.0, 3.0)
    np.float64(4.25)
    """
    return _core.scad_penalty(w, strength, gamma, axis, keepdims)
