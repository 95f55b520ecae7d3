"""What an optimizer adds to its own step."""

from __future__ import annotations

from typing import Any, Unpack, overload

import numpy as np
from numpy.typing import ArrayLike

from bridle import _core
from bridle._call import shows_ufunc_keywords
from bridle._types import Floats, LoopKeywords, Number, Out, UfuncKeywords

__all__ = ["decay", "elastic_net_gradient"]


@overload
def decay(
    w: ArrayLike, rate: ArrayLike, out: Out | tuple[Out], **ufunc_kwargs: Unpack[UfuncKeywords]
) -> Out: ...
@overload
def decay(
    w: Floats, rate: Number, out: None = None, **ufunc_kwargs: Unpack[LoopKeywords]
) -> Floats: ...
@overload
def decay(
    w: float, rate: Number, out: None = None, **ufunc_kwargs: Unpack[LoopKeywords]
) -> np.float64: ...
@overload
def decay(
    w: ArrayLike, rate: ArrayLike, out: Any = None, **ufunc_kwargs: Unpack[UfuncKeywords]
) -> Any: ...
@shows_ufunc_keywords
def decay(
    w: ArrayLike, rate: ArrayLike, out: Any = None, **ufunc_kwargs: Unpack[UfuncKeywords]
) -> Any:
    r"""Decoupled weight decay: shrink every weight by the same fraction.

    .. math:: y = w\,(1 - r)

    Parameters
    ----------
    w : array_like
        Weights, of any shape and memory layout.
    rate : array_like
        :math:`0 \le r \le 1`, learning rate times weight decay; one number, or an array that is
        broadcast against ``w``. In float16 and bfloat16 a small rate is lost in rounding to the
        nearest weight.
    out : ndarray, optional
        Where the result is written; may be ``w`` itself.
    where, dtype, casting, order, subok
        As for any NumPy ufunc.

    Returns
    -------
    ndarray or scalar
        Of the dtype of ``w``; see `soft_threshold`.

    Raises
    ------
    ValueError
        If a rate is below 0, above 1 (the weights would change sign) or NaN; nothing has been
        written then.

    See Also
    --------
    prox_l2 : The implicit counterpart, which no step size makes unstable.

    References
    ----------
    .. [1] I. Loshchilov and F. Hutter, "Decoupled weight decay regularization", ICLR 2019.

    Examples
    --------
    >>> import numpy as np
    >>> import bridle as br
    >>> w = np.array([1.0, -2.0, 4.0], dtype=np.float32)
    >>> br.decay(w, 0.25, out=w)
    array([ 0.75, -1.5 ,  3.  ], dtype=float32)
    """
    return _core.decay(w, rate, out, ufunc_kwargs)


@overload
def elastic_net_gradient(
    w: ArrayLike,
    l1: ArrayLike,
    l2: ArrayLike,
    out: Out | tuple[Out],
    **ufunc_kwargs: Unpack[UfuncKeywords],
) -> Out: ...
@overload
def elastic_net_gradient(
    w: Floats, l1: Number, l2: Number, out: None = None, **ufunc_kwargs: Unpack[LoopKeywords]
) -> Floats: ...
@overload
def elastic_net_gradient(
    w: float, l1: Number, l2: Number, out: None = None, **ufunc_kwargs: Unpack[LoopKeywords]
) -> np.float64: ...
@overload
def elastic_net_gradient(
    w: ArrayLike,
    l1: ArrayLike,
    l2: ArrayLike,
    out: Any = None,
    **ufunc_kwargs: Unpack[UfuncKeywords],
) -> Any: ...
@shows_ufunc_keywords
def elastic_net_gradient(
    w: ArrayLike,
    l1: ArrayLike,
    l2: ArrayLike,
    out: Any = None,
    **ufunc_kwargs: Unpack[UfuncKeywords],
) -> Any:
    r"""Gradient of the elastic net penalty, for optimizers that know nothing but gradients.

    .. math:: y = \lambda_1 \operatorname{sign}(w) + 2 \lambda_2 w

    where :math:`\operatorname{sign}(0) = 0`: the subgradient of least norm.

    It gives no exact zeros; for those, use `prox_elastic_net` after the step instead.

    Parameters
    ----------
    w : array_like
        Weights, of any shape and memory layout.
    l1, l2 : array_like
        :math:`\lambda_1, \lambda_2 \ge 0`, the strengths of the absolute values and of the plain
        squares; one number or one per element.
    out : ndarray, optional
        Where the result is written; may be ``w`` itself.
    where, dtype, casting, order, subok
        As for any NumPy ufunc.

    Returns
    -------
    ndarray or scalar
        Of the dtype of ``w``; see `soft_threshold`.

    Raises
    ------
    ValueError
        If ``l1`` or ``l2`` is negative or NaN; nothing has been written then.

    See Also
    --------
    elastic_net_penalty : The penalty of which this is the subgradient of least norm.

    References
    ----------
    .. [1] H. Zou and T. Hastie, "Regularization and variable selection via the elastic net",
       J. R. Stat. Soc. B 67 (2005).

    Examples
    --------
    >>> import bridle as br
    >>> br.elastic_net_gradient([-3.0, 0.0, 2.0], l1=1.0, l2=0.5)
    array([-4.,  0.,  3.])
    """
    return _core.elastic_net_gradient(w, l1, l2, out, ufunc_kwargs)
