"""Penalties that are squares near their minimum, and their proximal operators."""

from __future__ import annotations

from typing import Any, Literal, Unpack, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bridle import _core
from bridle._call import shows_ufunc_keywords
from bridle._operators.documentation import shares_documentation
from bridle._types import Axis, Floats, LoopKeywords, Number, Out, UfuncKeywords

__all__ = ["huber_penalty", "l2_sp_penalty", "prox_huber", "prox_l2_sp"]


@overload
def prox_huber(
    x: ArrayLike,
    strength: ArrayLike,
    delta: ArrayLike,
    step: ArrayLike = 1.0,
    *,
    out: Out | tuple[Out],
    **ufunc_kwargs: Unpack[UfuncKeywords],
) -> Out: ...
@overload
def prox_huber(
    x: Floats,
    strength: Number,
    delta: Number,
    step: Number = 1.0,
    out: None = None,
    **ufunc_kwargs: Unpack[LoopKeywords],
) -> Floats: ...
@overload
def prox_huber(
    x: float,
    strength: Number,
    delta: Number,
    step: Number = 1.0,
    out: None = None,
    **ufunc_kwargs: Unpack[LoopKeywords],
) -> np.float64: ...
@overload
def prox_huber(
    x: ArrayLike,
    strength: ArrayLike,
    delta: ArrayLike,
    step: ArrayLike = 1.0,
    out: Any = None,
    **ufunc_kwargs: Unpack[UfuncKeywords],
) -> Any: ...
@shows_ufunc_keywords
@shares_documentation
def prox_huber(
    x: ArrayLike,
    strength: ArrayLike,
    delta: ArrayLike,
    step: ArrayLike = 1.0,
    out: Any = None,
    **ufunc_kwargs: Unpack[UfuncKeywords],
) -> Any:
    r"""Shrink in proportion near zero, by a constant far away: Huber's penalty.

    .. math::

        y = \arg\min_z \tfrac12 (z - x)^2 + \eta\,\lambda\,h(z), \quad
        h(z) = \begin{cases} z^2 / 2 & |z| \le \delta \\
            \delta\,(|z| - \delta / 2) & |z| > \delta \end{cases}

    Parameters
    ----------
    x : array_like
        Weights, of any shape and memory layout.
    strength : array_like
        :math:`\lambda \ge 0`; one number, or an array that is broadcast against ``x``.
    delta : array_like
        :math:`\delta > 0`, where the square ends; one number or one per element.
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
    huber_penalty : The penalty of which this is the proximal operator.

    References
    ----------
    .. [1] P. J. Huber, "Robust estimation of a location parameter", Ann. Math. Stat. 35
       (1964).
    .. [2] N. Parikh and S. Boyd, "Proximal algorithms", Found. Trends Optim. 1 (2014).

    Examples
    --------
    >>> import bridle as br
    >>> br.prox_huber([-3.0, 0.5, 1.0], 1.0, 1.0)
    array([-2.  ,  0.25,  0.5 ])
    """
    return _core.prox_huber(x, strength, delta, step, out, ufunc_kwargs)


@overload
def prox_l2_sp(
    x: ArrayLike,
    reference: ArrayLike,
    strength: ArrayLike,
    step: ArrayLike = 1.0,
    *,
    out: Out | tuple[Out],
    **ufunc_kwargs: Unpack[UfuncKeywords],
) -> Out: ...
@overload
def prox_l2_sp(
    x: Floats,
    reference: Number,
    strength: Number,
    step: Number = 1.0,
    out: None = None,
    **ufunc_kwargs: Unpack[LoopKeywords],
) -> Floats: ...
@overload
def prox_l2_sp(
    x: float,
    reference: Number,
    strength: Number,
    step: Number = 1.0,
    out: None = None,
    **ufunc_kwargs: Unpack[LoopKeywords],
) -> np.float64: ...
@overload
def prox_l2_sp(
    x: ArrayLike,
    reference: ArrayLike,
    strength: ArrayLike,
    step: ArrayLike = 1.0,
    out: Any = None,
    **ufunc_kwargs: Unpack[UfuncKeywords],
) -> Any: ...
@shows_ufunc_keywords
@shares_documentation
def prox_l2_sp(
    x: ArrayLike,
    reference: ArrayLike,
    strength: ArrayLike,
    step: ArrayLike = 1.0,
    out: Any = None,
    **ufunc_kwargs: Unpack[UfuncKeywords],
) -> Any:
    r"""Shrink towards a reference: the proximal operator of the squared distance from it.

    .. math::

        y = \arg\min_z \tfrac12 (z - x)^2 + \eta\,\lambda\,(z - r)^2
          = \frac{x + 2 \eta \lambda\,r}{1 + 2 \eta \lambda}

    The reference is the starting point (hence SP) of fine-tuning, say.

    Parameters
    ----------
    x : array_like
        Weights, of any shape and memory layout.
    reference : array_like
        :math:`r`, one number, or an array that is broadcast against ``x``; a NaN gives a
        NaN.
    strength : array_like
        :math:`\lambda \ge 0`; one number, or an array that is broadcast against ``x``.
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
    l2_sp_penalty : The penalty of which this is the proximal operator.
    prox_l2 : The same for a reference of zero.

    References
    ----------
    .. [1] X. Li, Y. Grandvalet and F. Davoine, "Explicit inductive bias for transfer learning
       with convolutional networks", ICML 2018.

    Examples
    --------
    >>> import bridle as br
    >>> br.prox_l2_sp([-3.0, 0.5, 2.0], [1.0, 1.0, 1.0], 0.5)
    array([-1.  ,  0.75,  1.5 ])
    """
    return _core.prox_l2_sp(x, reference, strength, step, out, ufunc_kwargs)


@overload
def huber_penalty(
    w: ArrayLike,
    strength: ArrayLike,
    delta: ArrayLike,
    *,
    axis: None = None,
    keepdims: Literal[False] = False,
) -> np.float64: ...
@overload
def huber_penalty(
    w: ArrayLike,
    strength: ArrayLike,
    delta: ArrayLike,
    *,
    axis: Axis | None = None,
    keepdims: bool = False,
) -> np.float64 | NDArray[np.float64]: ...
@shares_documentation
def huber_penalty(
    w: ArrayLike,
    strength: ArrayLike,
    delta: ArrayLike,
    *,
    axis: Axis | None = None,
    keepdims: bool = False,
) -> Any:
    r"""Huber's penalty: half the square near zero, a multiple of the absolute value far away.

    .. math::

        P(w) = \lambda \sum_i h(w_i), \quad
        h(z) = \begin{cases} z^2 / 2 & |z| \le \delta \\
            \delta\,(|z| - \delta / 2) & |z| > \delta \end{cases}

    as `scipy.special.huber` and `torch.nn.HuberLoss`.

    Parameters
    ----------
    w : array_like
        Weights, of any shape and memory layout.
    strength : array_like
        :math:`\lambda \ge 0`; an array holds one for each weight or, with ``axis``, is
        broadcast against the sums. Zero leaves the sum out, whatever it is.
    delta : array_like
        :math:`\delta > 0`, numbers or arrays as ``strength``.
    [axis]

    Returns
    -------
    [penalty]

    Raises
    ------
    [raises]

    See Also
    --------
    prox_huber : The proximal operator of this penalty.

    References
    ----------
    .. [1] P. J. Huber, "Robust estimation of a location parameter", Ann. Math. Stat. 35
       (1964).

    Examples
    --------
    >>> import bridle as br
    >>> br.huber_penalty([-3.0, 0.5], 1.0, 1.0)
    np.float64(2.625)
    """
    return _core.huber_penalty(w, strength, delta, axis, keepdims)


@overload
def l2_sp_penalty(
    w: ArrayLike,
    reference: ArrayLike,
    strength: ArrayLike = 1.0,
    *,
    axis: None = None,
    keepdims: Literal[False] = False,
) -> np.float64: ...
@overload
def l2_sp_penalty(
    w: ArrayLike,
    reference: ArrayLike,
    strength: ArrayLike = 1.0,
    *,
    axis: Axis | None = None,
    keepdims: bool = False,
) -> np.float64 | NDArray[np.float64]: ...
@shares_documentation
def l2_sp_penalty(
    w: ArrayLike,
    reference: ArrayLike,
    strength: ArrayLike = 1.0,
    *,
    axis: Axis | None = None,
    keepdims: bool = False,
) -> Any:
    r"""Sum of the squared distances from a reference, without a factor ½.

    .. math:: P(w) = \lambda \sum_i (w_i - r_i)^2

    Parameters
    ----------
    w : array_like
        Weights, of any shape and memory layout.
    reference : array_like
        :math:`r`, one number, or an array that is broadcast to ``w``, also with ``axis``;
        a NaN gives a NaN.
    strength : array_like, default 1.0
        :math:`\lambda \ge 0`; an array holds one for each weight or, with ``axis``, is
        broadcast against the sums. Zero leaves the sum out, whatever it is.
    [axis]

    Returns
    -------
    [penalty]

    Raises
    ------
    [raises]

    See Also
    --------
    prox_l2_sp : The proximal operator of this penalty.
    l2_penalty : The same for a reference of zero.

    References
    ----------
    .. [1] X. Li, Y. Grandvalet and F. Davoine, "Explicit inductive bias for transfer learning
       with convolutional networks", ICML 2018.

    Examples
    --------
    >>> import bridle as br
    >>> br.l2_sp_penalty([-3.0, 0.5], [1.0, 1.0], 2.0)
    np.float64(32.5)
    """
    return _core.l2_sp_penalty(w, reference, strength, axis, keepdims)
