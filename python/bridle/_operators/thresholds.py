"""Operators that set small elements to zero and keep large ones, and what that is the prox of."""

from __future__ import annotations

from typing import Any, Literal, Unpack, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bridle import _core
from bridle._call import shows_ufunc_keywords
from bridle._operators.documentation import shares_documentation
from bridle._types import Axis, Floats, LoopKeywords, Number, Out, UfuncKeywords

__all__ = ["firm_threshold", "hard_threshold", "l0_penalty", "prox_l0"]


@overload
def hard_threshold(
    x: ArrayLike,
    threshold: ArrayLike,
    out: Out | tuple[Out],
    **ufunc_kwargs: Unpack[UfuncKeywords],
) -> Out: ...
@overload
def hard_threshold(
    x: Floats,
    threshold: Number,
    out: None = None,
    **ufunc_kwargs: Unpack[LoopKeywords],
) -> Floats: ...
@overload
def hard_threshold(
    x: float,
    threshold: Number,
    out: None = None,
    **ufunc_kwargs: Unpack[LoopKeywords],
) -> np.float64: ...
@overload
def hard_threshold(
    x: ArrayLike,
    threshold: ArrayLike,
    out: Any = None,
    **ufunc_kwargs: Unpack[UfuncKeywords],
) -> Any: ...
@shows_ufunc_keywords
@shares_documentation
def hard_threshold(
    x: ArrayLike,
    threshold: ArrayLike,
    out: Any = None,
    **ufunc_kwargs: Unpack[UfuncKeywords],
) -> Any:
    r"""Set what is not larger than ``threshold`` to zero, and leave the rest as it is.

    .. math:: y = x \text{ if } |x| > t, \text{ else } 0

    Parameters
    ----------
    x : array_like
        Weights, of any shape and memory layout.
    threshold : array_like
        :math:`t \ge 0`, in the unit of ``x``; one number, or an array that is broadcast
        against ``x``.
    [out]

    Returns
    -------
    [elementwise]

    Raises
    ------
    [raises]

    See Also
    --------
    prox_l0 : The proximal operator that it is.
    soft_threshold : The convex counterpart.

    References
    ----------
    .. [1] D. L. Donoho and I. M. Johnstone, "Ideal spatial adaptation by wavelet shrinkage",
       Biometrika 81 (1994).

    Examples
    --------
    >>> import bridle as br
    >>> br.hard_threshold([-3.0, 0.5, 1.0], 1.0)
    array([-3.,  0.,  0.])
    """
    return _core.hard_threshold(x, threshold, out, ufunc_kwargs)


@overload
def firm_threshold(
    x: ArrayLike,
    lower: ArrayLike,
    upper: ArrayLike,
    out: Out | tuple[Out],
    **ufunc_kwargs: Unpack[UfuncKeywords],
) -> Out: ...
@overload
def firm_threshold(
    x: Floats,
    lower: Number,
    upper: Number,
    out: None = None,
    **ufunc_kwargs: Unpack[LoopKeywords],
) -> Floats: ...
@overload
def firm_threshold(
    x: float,
    lower: Number,
    upper: Number,
    out: None = None,
    **ufunc_kwargs: Unpack[LoopKeywords],
) -> np.float64: ...
@overload
def firm_threshold(
    x: ArrayLike,
    lower: ArrayLike,
    upper: ArrayLike,
    out: Any = None,
    **ufunc_kwargs: Unpack[UfuncKeywords],
) -> Any: ...
@shows_ufunc_keywords
@shares_documentation
def firm_threshold(
    x: ArrayLike,
    lower: ArrayLike,
    upper: ArrayLike,
    out: Any = None,
    **ufunc_kwargs: Unpack[UfuncKeywords],
) -> Any:
    r"""Set small elements to zero, leave large ones as they are, and shrink those between.

    .. math::

        y = \begin{cases} 0 & |x| \le l \\
            \operatorname{sign}(x)\, u\, (|x| - l) / (u - l) & l < |x| \le u \\
            x & |x| > u \end{cases}

    With ``lower`` equal to ``upper`` this is `hard_threshold`, with an infinite ``upper``
    `soft_threshold`.

    Parameters
    ----------
    x : array_like
        Weights, of any shape and memory layout.
    lower, upper : array_like
        :math:`0 \le l \le u`, in the unit of ``x``; numbers, or arrays that are broadcast
        against ``x``.
    [out]

    Returns
    -------
    [elementwise]

    Raises
    ------
    [raises]

    See Also
    --------
    prox_mcp : The same for ``strength=lower``, ``gamma=upper / lower``, ``step=1``.

    References
    ----------
    .. [1] H.-Y. Gao and A. G. Bruce, "WaveShrink with firm shrinkage", Stat. Sinica 7 (1997).

    Examples
    --------
    >>> import bridle as br
    >>> br.firm_threshold([-3.0, 0.5, 1.5], 1.0, 2.0)
    array([-3.,  0.,  1.])
    """
    return _core.firm_threshold(x, lower, upper, out, ufunc_kwargs)


@overload
def prox_l0(
    x: ArrayLike,
    strength: ArrayLike,
    step: ArrayLike = 1.0,
    *,
    out: Out | tuple[Out],
    **ufunc_kwargs: Unpack[UfuncKeywords],
) -> Out: ...
@overload
def prox_l0(
    x: Floats,
    strength: Number,
    step: Number = 1.0,
    out: None = None,
    **ufunc_kwargs: Unpack[LoopKeywords],
) -> Floats: ...
@overload
def prox_l0(
    x: float,
    strength: Number,
    step: Number = 1.0,
    out: None = None,
    **ufunc_kwargs: Unpack[LoopKeywords],
) -> np.float64: ...
@overload
def prox_l0(
    x: ArrayLike,
    strength: ArrayLike,
    step: ArrayLike = 1.0,
    out: Any = None,
    **ufunc_kwargs: Unpack[UfuncKeywords],
) -> Any: ...
@shows_ufunc_keywords
@shares_documentation
def prox_l0(
    x: ArrayLike,
    strength: ArrayLike,
    step: ArrayLike = 1.0,
    out: Any = None,
    **ufunc_kwargs: Unpack[UfuncKeywords],
) -> Any:
    r"""Keep what is worth its cost: the proximal operator of the number of nonzeros.

    .. math::

        y = \arg\min_z \tfrac12 (z - x)^2 + \eta\,\lambda\,[z \ne 0]
          = x \text{ if } |x| > \sqrt{2 \eta \lambda}, \text{ else } 0

    Parameters
    ----------
    x : array_like
        Weights, of any shape and memory layout.
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
    l0_penalty : The penalty of which this is the proximal operator.
    hard_threshold : The same, given the threshold.

    References
    ----------
    .. [1] T. Blumensath and M. E. Davies, "Iterative thresholding for sparse approximations",
       J. Fourier Anal. Appl. 14 (2008).

    Examples
    --------
    >>> import bridle as br
    >>> br.prox_l0([-3.0, 0.5, 2.0], 2.0)
    array([-3.,  0.,  0.])
    """
    return _core.prox_l0(x, strength, step, out, ufunc_kwargs)


@overload
def l0_penalty(
    w: ArrayLike,
    strength: ArrayLike = 1.0,
    *,
    axis: None = None,
    keepdims: Literal[False] = False,
) -> np.float64: ...
@overload
def l0_penalty(
    w: ArrayLike,
    strength: ArrayLike = 1.0,
    *,
    axis: Axis | None = None,
    keepdims: bool = False,
) -> np.float64 | NDArray[np.float64]: ...
@shares_documentation
def l0_penalty(
    w: ArrayLike,
    strength: ArrayLike = 1.0,
    *,
    axis: Axis | None = None,
    keepdims: bool = False,
) -> Any:
    r"""Cost of every weight that is not zero.

    .. math:: P(w) = \lambda\,\#\{i : w_i \ne 0\}

    Parameters
    ----------
    w : array_like
        Weights, of any shape and memory layout.
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
    prox_l0 : The proximal operator of this penalty.

    References
    ----------
    .. [1] T. Blumensath and M. E. Davies, "Iterative thresholding for sparse approximations",
       J. Fourier Anal. Appl. 14 (2008).

    Examples
    --------
    >>> import bridle as br
    >>> br.l0_penalty([-3.0, 0.0, 2.0], 0.5)
    np.float64(1.0)
    """
    return _core.l0_penalty(w, strength, axis, keepdims)
