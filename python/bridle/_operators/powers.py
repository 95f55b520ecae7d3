"""Penalties with powers of a weight below one, and their proximal operators."""

from __future__ import annotations

from typing import Any, Literal, Unpack, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bridle import _core
from bridle._call import shows_ufunc_keywords
from bridle._operators.documentation import shares_documentation
from bridle._types import Axis, Floats, LoopKeywords, Number, Out, UfuncKeywords

__all__ = ["l_half_penalty", "l_two_thirds_penalty", "prox_l_half", "prox_l_two_thirds"]


@overload
def prox_l_half(
    x: ArrayLike,
    strength: ArrayLike,
    step: ArrayLike = 1.0,
    *,
    out: Out | tuple[Out],
    **ufunc_kwargs: Unpack[UfuncKeywords],
) -> Out: ...
@overload
def prox_l_half(
    x: Floats,
    strength: Number,
    step: Number = 1.0,
    out: None = None,
    **ufunc_kwargs: Unpack[LoopKeywords],
) -> Floats: ...
@overload
def prox_l_half(
    x: float,
    strength: Number,
    step: Number = 1.0,
    out: None = None,
    **ufunc_kwargs: Unpack[LoopKeywords],
) -> np.float64: ...
@overload
def prox_l_half(
    x: ArrayLike,
    strength: ArrayLike,
    step: ArrayLike = 1.0,
    out: Any = None,
    **ufunc_kwargs: Unpack[UfuncKeywords],
) -> Any: ...
@shows_ufunc_keywords
@shares_documentation
def prox_l_half(
    x: ArrayLike,
    strength: ArrayLike,
    step: ArrayLike = 1.0,
    out: Any = None,
    **ufunc_kwargs: Unpack[UfuncKeywords],
) -> Any:
    r"""Proximal operator of the L1/2 penalty: exact zeros, and little bias for large elements.

    .. math:: y = \arg\min_z \tfrac12 (z - x)^2 + \eta \lambda \sqrt{|z|}

    This is the global minimizer; zero, if two are equal. Up to a threshold the result is zero, and
    jumps there. It is within 0.52 units in the last place of the type that it is computed in.

    Parameters
    ----------
    x : array_like
        Weights, of any shape and memory layout.
    strength : array_like
        :math:`\lambda \ge 0`; one number or one per element.
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
    l_half_penalty : The penalty of which this is the proximal operator.
    prox_l_two_thirds : Nearer to the lasso.
    prox_l0 : Farther from it.

    References
    ----------
    .. [1] Z. Xu, X. Chang, F. Xu and H. Zhang, "L1/2 regularization: a thresholding representation
       theory and a fast solver", IEEE Trans. Neural Netw. Learn. Syst. 23 (2012).

    Examples
    --------
    >>> import bridle as br
    >>> br.prox_l_half([-3.0, 1.0, 0.0], 1.0).round(6)
    array([-2.695453,  0.      ,  0.      ])
    """
    return _core.prox_l_half(x, strength, step, out, ufunc_kwargs)


@overload
def prox_l_two_thirds(
    x: ArrayLike,
    strength: ArrayLike,
    step: ArrayLike = 1.0,
    *,
    out: Out | tuple[Out],
    **ufunc_kwargs: Unpack[UfuncKeywords],
) -> Out: ...
@overload
def prox_l_two_thirds(
    x: Floats,
    strength: Number,
    step: Number = 1.0,
    out: None = None,
    **ufunc_kwargs: Unpack[LoopKeywords],
) -> Floats: ...
@overload
def prox_l_two_thirds(
    x: float,
    strength: Number,
    step: Number = 1.0,
    out: None = None,
    **ufunc_kwargs: Unpack[LoopKeywords],
) -> np.float64: ...
@overload
def prox_l_two_thirds(
    x: ArrayLike,
    strength: ArrayLike,
    step: ArrayLike = 1.0,
    out: Any = None,
    **ufunc_kwargs: Unpack[UfuncKeywords],
) -> Any: ...
@shows_ufunc_keywords
@shares_documentation
def prox_l_two_thirds(
    x: ArrayLike,
    strength: ArrayLike,
    step: ArrayLike = 1.0,
    out: Any = None,
    **ufunc_kwargs: Unpack[UfuncKeywords],
) -> Any:
    r"""Proximal operator of the L2/3 penalty: between the lasso and L1/2.

    .. math:: y = \arg\min_z \tfrac12 (z - x)^2 + \eta \lambda |z|^{2/3}

    This is the global minimizer; zero, if two are equal. Up to a threshold the result is zero, and
    jumps there. It is within 0.52 units in the last place of the type that it is computed in.

    Parameters
    ----------
    x : array_like
        Weights, of any shape and memory layout.
    strength : array_like
        :math:`\lambda \ge 0`; one number or one per element.
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
    l_two_thirds_penalty : The penalty of which this is the proximal operator.
    prox_l_half : Farther from the lasso.

    References
    ----------
    .. [1] W. Cao, J. Sun and Z. Xu, "Fast image deconvolution using closed-form thresholding
       formulas of Lq (q = 1/2, 2/3) regularization", J. Vis. Commun. Image R. 24 (2013).

    Examples
    --------
    >>> import bridle as br
    >>> br.prox_l_two_thirds([-3.0, 1.0, 0.0], 1.0).round(6)
    array([-2.509411,  0.      ,  0.      ])
    """
    return _core.prox_l_two_thirds(x, strength, step, out, ufunc_kwargs)


@overload
def l_half_penalty(
    w: ArrayLike,
    strength: ArrayLike = 1.0,
    *,
    axis: None = None,
    keepdims: Literal[False] = False,
) -> np.float64: ...
@overload
def l_half_penalty(
    w: ArrayLike,
    strength: ArrayLike = 1.0,
    *,
    axis: Axis | None = None,
    keepdims: bool = False,
) -> np.float64 | NDArray[np.float64]: ...
@shares_documentation
def l_half_penalty(
    w: ArrayLike,
    strength: ArrayLike = 1.0,
    *,
    axis: Axis | None = None,
    keepdims: bool = False,
) -> Any:
    r"""Sum of the square roots of the absolute values.

    .. math:: P(w) = \lambda \sum_i \sqrt{|w_i|}

    Parameters
    ----------
    w : array_like
        Weights, of any shape and memory layout.
    strength : array_like, default 1.0
        :math:`\lambda \ge 0`; an array holds one for each weight or, with ``axis``, is
        broadcast against the sums. Zero makes the penalty zero, whatever the weights are.
    [axis]

    Returns
    -------
    [penalty]

    Raises
    ------
    [raises]

    See Also
    --------
    prox_l_half : The proximal operator of this penalty.

    References
    ----------
    .. [1] Z. Xu, X. Chang, F. Xu and H. Zhang, "L1/2 regularization: a thresholding representation
       theory and a fast solver", IEEE Trans. Neural Netw. Learn. Syst. 23 (2012).

    Examples
    --------
    >>> import bridle as br
    >>> br.l_half_penalty([-4.0, 0.25, 0.0], 0.1)
    np.float64(0.25)
    """
    return _core.l_half_penalty(w, strength, axis, keepdims)


@overload
def l_two_thirds_penalty(
    w: ArrayLike,
    strength: ArrayLike = 1.0,
    *,
    axis: None = None,
    keepdims: Literal[False] = False,
) -> np.float64: ...
@overload
def l_two_thirds_penalty(
    w: ArrayLike,
    strength: ArrayLike = 1.0,
    *,
    axis: Axis | None = None,
    keepdims: bool = False,
) -> np.float64 | NDArray[np.float64]: ...
@shares_documentation
def l_two_thirds_penalty(
    w: ArrayLike,
    strength: ArrayLike = 1.0,
    *,
    axis: Axis | None = None,
    keepdims: bool = False,
) -> Any:
    r"""Sum of the absolute values to the power of two thirds.

    .. math:: P(w) = \lambda \sum_i |w_i|^{2/3}

    Parameters
    ----------
    w : array_like
        Weights, of any shape and memory layout.
    strength : array_like, default 1.0
        :math:`\lambda \ge 0`; an array holds one for each weight or, with ``axis``, is
        broadcast against the sums. Zero makes the penalty zero, whatever the weights are.
    [axis]

    Returns
    -------
    [penalty]

    Raises
    ------
    [raises]

    See Also
    --------
    prox_l_two_thirds : The proximal operator of this penalty.

    References
    ----------
    .. [1] W. Cao, J. Sun and Z. Xu, "Fast image deconvolution using closed-form thresholding
       formulas of Lq (q = 1/2, 2/3) regularization", J. Vis. Commun. Image R. 24 (2013).

    Examples
    --------
    >>> import bridle as br
    >>> br.l_two_thirds_penalty([-8.0, 1.0, 0.0], 0.5)
    np.float64(2.5)
    """
    return _core.l_two_thirds_penalty(w, strength, axis, keepdims)
