"""Penalties of weights that must not be negative, and their proximal operators."""

from __future__ import annotations

from typing import Any, Literal, Unpack, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bridle import _core
from bridle._call import shows_ufunc_keywords
from bridle._operators.documentation import shares_documentation
from bridle._types import Axis, Floats, LoopKeywords, Number, Out, UfuncKeywords

__all__ = [
    "nonnegative_l1_penalty",
    "nonnegative_l2_penalty",
    "prox_nonnegative_l1",
    "prox_nonnegative_l2",
]


@overload
def prox_nonnegative_l1(
    x: ArrayLike,
    strength: ArrayLike,
    step: ArrayLike = 1.0,
    *,
    out: Out | tuple[Out],
    **ufunc_kwargs: Unpack[UfuncKeywords],
) -> Out: ...
@overload
def prox_nonnegative_l1(
    x: Floats,
    strength: Number,
    step: Number = 1.0,
    out: None = None,
    **ufunc_kwargs: Unpack[LoopKeywords],
) -> Floats: ...
@overload
def prox_nonnegative_l1(
    x: float,
    strength: Number,
    step: Number = 1.0,
    out: None = None,
    **ufunc_kwargs: Unpack[LoopKeywords],
) -> np.float64: ...
@overload
def prox_nonnegative_l1(
    x: ArrayLike,
    strength: ArrayLike,
    step: ArrayLike = 1.0,
    out: Any = None,
    **ufunc_kwargs: Unpack[UfuncKeywords],
) -> Any: ...
@shows_ufunc_keywords
@shares_documentation
def prox_nonnegative_l1(
    x: ArrayLike,
    strength: ArrayLike,
    step: ArrayLike = 1.0,
    out: Any = None,
    **ufunc_kwargs: Unpack[UfuncKeywords],
) -> Any:
    r"""Lower every element, stopping at zero; negative ones become zero.

    .. math::

        y = \arg\min_{z \ge 0} \tfrac12 (z - x)^2 + \eta\,\lambda z = \max(x - \eta \lambda, 0)

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
    nonnegative_l1_penalty : The penalty of which this is the proximal operator.
    soft_threshold : The same for weights of either sign.

    References
    ----------
    .. [1] N. Parikh and S. Boyd, "Proximal algorithms", Found. Trends Optim. 1 (2014).

    Examples
    --------
    >>> import bridle as br
    >>> br.prox_nonnegative_l1([-3.0, 0.5, 2.0], 1.0)
    array([0., 0., 1.])
    """
    return _core.prox_nonnegative_l1(x, strength, step, out, ufunc_kwargs)


@overload
def prox_nonnegative_l2(
    x: ArrayLike,
    strength: ArrayLike,
    step: ArrayLike = 1.0,
    *,
    out: Out | tuple[Out],
    **ufunc_kwargs: Unpack[UfuncKeywords],
) -> Out: ...
@overload
def prox_nonnegative_l2(
    x: Floats,
    strength: Number,
    step: Number = 1.0,
    out: None = None,
    **ufunc_kwargs: Unpack[LoopKeywords],
) -> Floats: ...
@overload
def prox_nonnegative_l2(
    x: float,
    strength: Number,
    step: Number = 1.0,
    out: None = None,
    **ufunc_kwargs: Unpack[LoopKeywords],
) -> np.float64: ...
@overload
def prox_nonnegative_l2(
    x: ArrayLike,
    strength: ArrayLike,
    step: ArrayLike = 1.0,
    out: Any = None,
    **ufunc_kwargs: Unpack[UfuncKeywords],
) -> Any: ...
@shows_ufunc_keywords
@shares_documentation
def prox_nonnegative_l2(
    x: ArrayLike,
    strength: ArrayLike,
    step: ArrayLike = 1.0,
    out: Any = None,
    **ufunc_kwargs: Unpack[UfuncKeywords],
) -> Any:
    r"""Shrink every element in proportion; negative ones become zero.

    .. math::

        y = \arg\min_{z \ge 0} \tfrac12 (z - x)^2 + \eta\,\lambda z^2
          = \frac{\max(x, 0)}{1 + 2 \eta \lambda}

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
    nonnegative_l2_penalty : The penalty of which this is the proximal operator.
    prox_l2 : The same for weights of either sign.

    References
    ----------
    .. [1] N. Parikh and S. Boyd, "Proximal algorithms", Found. Trends Optim. 1 (2014).

    Examples
    --------
    >>> import bridle as br
    >>> br.prox_nonnegative_l2([-3.0, 0.5, 2.0], 0.5)
    array([0.  , 0.25, 1.  ])
    """
    return _core.prox_nonnegative_l2(x, strength, step, out, ufunc_kwargs)


@overload
def nonnegative_l1_penalty(
    w: ArrayLike,
    strength: ArrayLike = 1.0,
    *,
    axis: None = None,
    keepdims: Literal[False] = False,
) -> np.float64: ...
@overload
def nonnegative_l1_penalty(
    w: ArrayLike,
    strength: ArrayLike = 1.0,
    *,
    axis: Axis | None = None,
    keepdims: bool = False,
) -> np.float64 | NDArray[np.float64]: ...
@shares_documentation
def nonnegative_l1_penalty(
    w: ArrayLike,
    strength: ArrayLike = 1.0,
    *,
    axis: Axis | None = None,
    keepdims: bool = False,
) -> Any:
    r"""Sum of weights that must not be negative.

    .. math:: P(w) = \lambda \sum_i w_i \text{ if all } w_i \ge 0, \text{ else } \infty

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
    prox_nonnegative_l1 : The proximal operator of this penalty.

    References
    ----------
    .. [1] N. Parikh and S. Boyd, "Proximal algorithms", Found. Trends Optim. 1 (2014).

    Examples
    --------
    >>> import bridle as br
    >>> br.nonnegative_l1_penalty([3.0, 0.5], 2.0)
    np.float64(7.0)
    >>> br.nonnegative_l1_penalty([3.0, -0.5], 2.0)
    np.float64(inf)
    """
    return _core.nonnegative_l1_penalty(w, strength, axis, keepdims)


@overload
def nonnegative_l2_penalty(
    w: ArrayLike,
    strength: ArrayLike = 1.0,
    *,
    axis: None = None,
    keepdims: Literal[False] = False,
) -> np.float64: ...
@overload
def nonnegative_l2_penalty(
    w: ArrayLike,
    strength: ArrayLike = 1.0,
    *,
    axis: Axis | None = None,
    keepdims: bool = False,
) -> np.float64 | NDArray[np.float64]: ...
@shares_documentation
def nonnegative_l2_penalty(
    w: ArrayLike,
    strength: ArrayLike = 1.0,
    *,
    axis: Axis | None = None,
    keepdims: bool = False,
) -> Any:
    r"""Sum of the squares of weights that must not be negative.

    .. math:: P(w) = \lambda \sum_i w_i^2 \text{ if all } w_i \ge 0, \text{ else } \infty

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
    prox_nonnegative_l2 : The proximal operator of this penalty.

    References
    ----------
    .. [1] N. Parikh and S. Boyd, "Proximal algorithms", Found. Trends Optim. 1 (2014).

    Examples
    --------
    >>> import bridle as br
    >>> br.nonnegative_l2_penalty([3.0, 0.5], 2.0)
    np.float64(18.5)
    """
    return _core.nonnegative_l2_penalty(w, strength, axis, keepdims)
