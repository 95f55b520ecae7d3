"""The penalty that sums logarithms, and its proximal operator."""

from __future__ import annotations

from typing import Any, Literal, Unpack, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bridle import _core
from bridle._call import shows_ufunc_keywords
from bridle._operators.documentation import shares_documentation
from bridle._types import Axis, Floats, LoopKeywords, Number, Out, UfuncKeywords

__all__ = ["log_sum_penalty", "prox_log_sum"]


@overload
def prox_log_sum(
    x: ArrayLike,
    strength: ArrayLike,
    epsilon: ArrayLike,
    step: ArrayLike = 1.0,
    *,
    out: Out | tuple[Out],
    **ufunc_kwargs: Unpack[UfuncKeywords],
) -> Out: ...
@overload
def prox_log_sum(
    x: Floats,
    strength: Number,
    epsilon: Number,
    step: Number = 1.0,
    out: None = None,
    **ufunc_kwargs: Unpack[LoopKeywords],
) -> Floats: ...
@overload
def prox_log_sum(
    x: float,
    strength: Number,
    epsilon: Number,
    step: Number = 1.0,
    out: None = None,
    **ufunc_kwargs: Unpack[LoopKeywords],
) -> np.float64: ...
@overload
def prox_log_sum(
    x: ArrayLike,
    strength: ArrayLike,
    epsilon: ArrayLike,
    step: ArrayLike = 1.0,
    out: Any = None,
    **ufunc_kwargs: Unpack[UfuncKeywords],
) -> Any: ...
@shows_ufunc_keywords
@shares_documentation
def prox_log_sum(
    x: ArrayLike,
    strength: ArrayLike,
    epsilon: ArrayLike,
    step: ArrayLike = 1.0,
    out: Any = None,
    **ufunc_kwargs: Unpack[UfuncKeywords],
) -> Any:
    r"""Proximal operator of the log-sum penalty, the limit of reweighted L1.

    .. math:: y = \arg\min_z \tfrac12 (z - x)^2 + \eta \lambda \log(1 + |z| / \epsilon)

    This is the global minimizer; zero, if two are equal. Up to a threshold the result is zero, and
    jumps there. It is within 0.52 units in the last place of the type that it is computed in.

    Parameters
    ----------
    x : array_like
        Weights, of any shape and memory layout.
    strength : array_like
        :math:`\lambda \ge 0`; one number or one per element.
    epsilon : array_like
        :math:`\epsilon > 0`, in the unit of ``x``: below it the penalty is nearly linear.
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
    log_sum_penalty : The penalty of which this is the proximal operator.
    soft_threshold : The operator that this is for a large epsilon.

    References
    ----------
    .. [1] E. J. Candes, M. B. Wakin and S. P. Boyd, "Enhancing sparsity by reweighted l1
       minimization", J. Fourier Anal. Appl. 14 (2008).

    Examples
    --------
    >>> import bridle as br
    >>> br.prox_log_sum([-3.0, 1.0, 0.0], 1.0, 0.5).round(6)
    array([-2.686141,  0.      ,  0.      ])
    """
    return _core.prox_log_sum(x, strength, epsilon, step, out, ufunc_kwargs)


@overload
def log_sum_penalty(
    w: ArrayLike,
    strength: ArrayLike,
    epsilon: ArrayLike,
    *,
    axis: None = None,
    keepdims: Literal[False] = False,
) -> np.float64: ...
@overload
def log_sum_penalty(
    w: ArrayLike,
    strength: ArrayLike,
    epsilon: ArrayLike,
    *,
    axis: Axis | None = None,
    keepdims: bool = False,
) -> np.float64 | NDArray[np.float64]: ...
@shares_documentation
def log_sum_penalty(
    w: ArrayLike,
    strength: ArrayLike,
    epsilon: ArrayLike,
    *,
    axis: Axis | None = None,
    keepdims: bool = False,
) -> Any:
    r"""Sum of logarithms, which grows like L1 near zero and hardly for large weights.

    .. math:: P(w) = \lambda \sum_i \log(1 + |w_i| / \epsilon)

    Parameters
    ----------
    w : array_like
        Weights, of any shape and memory layout.
    strength : array_like
        :math:`\lambda \ge 0`; an array holds one for each weight or, with ``axis``, is
        broadcast against the sums. Zero makes the penalty zero, whatever the weights are.
    epsilon : array_like
        :math:`\epsilon > 0`, in the unit of ``w``; numbers or arrays as ``strength``.
    [axis]

    Returns
    -------
    [penalty]

    Raises
    ------
    [raises]

    See Also
    --------
    prox_log_sum : The proximal operator of this penalty.

    References
    ----------
    .. [1] E. J. Candes, M. B. Wakin and S. P. Boyd, "Enhancing sparsity by reweighted l1
       minimization", J. Fourier Anal. Appl. 14 (2008).

    Examples
    --------
    >>> import bridle as br
    >>> br.log_sum_penalty([-3.0, 0.0], 2.0, 1.0).round(6)
    np.float64(2.772589)
    """
    return _core.log_sum_penalty(w, strength, epsilon, axis, keepdims)
