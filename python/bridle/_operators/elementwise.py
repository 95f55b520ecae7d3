"""Elementwise operators: proximal operators, and what an optimizer adds to its own step."""

from __future__ import annotations

from typing import Any, Unpack, overload

import numpy as np
from numpy.typing import ArrayLike

from bridle import _core
from bridle._call import shows_ufunc_keywords
from bridle._types import Floats, Inexact, LoopKeywords, Number, Out, UfuncKeywords

__all__ = ["decay", "elastic_net_gradient", "prox_elastic_net", "prox_l2", "soft_threshold"]


@overload
def soft_threshold(
    x: ArrayLike, threshold: ArrayLike, out: Out | tuple[Out], **ufunc_kwargs: Unpack[UfuncKeywords]
) -> Out: ...
@overload
def soft_threshold(
    x: Inexact, threshold: Number, out: None = None, **ufunc_kwargs: Unpack[LoopKeywords]
) -> Inexact: ...
@overload
def soft_threshold(
    x: float, threshold: Number, out: None = None, **ufunc_kwargs: Unpack[LoopKeywords]
) -> np.float64: ...
@overload
def soft_threshold(
    x: complex, threshold: Number, out: None = None, **ufunc_kwargs: Unpack[LoopKeywords]
) -> np.float64 | np.complex128: ...
@overload
def soft_threshold(
    x: ArrayLike, threshold: ArrayLike, out: Any = None, **ufunc_kwargs: Unpack[UfuncKeywords]
) -> Any: ...
@shows_ufunc_keywords
def soft_threshold(
    x: ArrayLike, threshold: ArrayLike, out: Any = None, **ufunc_kwargs: Unpack[UfuncKeywords]
) -> Any:
    r"""Move every element towards zero by ``threshold``, stopping at zero.

    This is the proximal operator of the L1 penalty: unlike a (sub)gradient step it gives exact
    zeros.

    .. math:: y = \arg\min_z \tfrac12 (z - x)^2 + t\,|z| = \operatorname{sign}(x)\,\max(|x| - t, 0)

    A complex number keeps its direction: it becomes :math:`x\,\max(1 - t / |x|, 0)`, each part
    within 4 units in the last place, whatever the size of its modulus; complex64 is computed in
    float64.

    Parameters
    ----------
    x : array_like
        Weights, of any shape and memory layout; real or complex.
    threshold : array_like
        :math:`t \ge 0`, in the unit of ``x``; one number, or an array that is broadcast against
        ``x``. After a gradient step it is learning rate times strength.
    out : ndarray, optional
        Where the result is written; may be ``x`` itself.
    where, dtype, casting, order, subok
        As for any NumPy ufunc.

    Returns
    -------
    ndarray or scalar
        Of the dtype of ``x`` (float16, bfloat16, float32, float64, complex64 or complex128;
        integers are promoted as NumPy does). Halves are computed in float32 and rounded once. Every
        zero is +0.0, and a NaN stays NaN; where one part of a complex number is NaN, both become
        NaN.

    Raises
    ------
    ValueError
        If a threshold is negative or NaN; nothing has been written then. What a container such as a
        pandas Series holds is checked, too, and a Dask array when it is computed.
    TypeError
        If ``threshold``, ``where`` or ``out`` is a masked array. A masked ``x`` keeps its mask.

    See Also
    --------
    prox_elastic_net : The same followed by a proportional shrinkage.
    l1_penalty : The penalty of which this is the proximal operator.

    References
    ----------
    .. [1] D. L. Donoho, "De-noising by soft-thresholding",
       IEEE Trans. Inf. Theory 41 (1995).
    .. [2] N. Parikh and S. Boyd, "Proximal algorithms", Found. Trends Optim. 1 (2014),
       section 6.5.2.

    Examples
    --------
    >>> import numpy as np
    >>> import bridle as br
    >>> br.soft_threshold([-3.0, 0.5, 2.0], 1.0)
    array([-2.,  0.,  1.])
    >>> br.soft_threshold([3.0 + 4.0j, 0.5j], 2.5)
    array([1.5+2.j, 0. +0.j])

    In place, as the last part of an optimizer's step:

    >>> w = np.array([0.30, -0.02, 0.01], dtype=np.float32)
    >>> learning_rate, strength = 0.1, 0.5
    >>> br.soft_threshold(w, learning_rate * strength, out=w)
    array([0.25, 0.  , 0.  ], dtype=float32)
    """
    return _core.soft_threshold(x, threshold, out, ufunc_kwargs)


@overload
def prox_l2(
    x: ArrayLike,
    strength: ArrayLike,
    step: ArrayLike = 1.0,
    *,
    out: Out | tuple[Out],
    **ufunc_kwargs: Unpack[UfuncKeywords],
) -> Out: ...
@overload
def prox_l2(
    x: Floats,
    strength: Number,
    step: Number = 1.0,
    out: None = None,
    **ufunc_kwargs: Unpack[LoopKeywords],
) -> Floats: ...
@overload
def prox_l2(
    x: float,
    strength: Number,
    step: Number = 1.0,
    out: None = None,
    **ufunc_kwargs: Unpack[LoopKeywords],
) -> np.float64: ...
@overload
def prox_l2(
    x: ArrayLike,
    strength: ArrayLike,
    step: ArrayLike = 1.0,
    out: Any = None,
    **ufunc_kwargs: Unpack[UfuncKeywords],
) -> Any: ...
@shows_ufunc_keywords
def prox_l2(
    x: ArrayLike,
    strength: ArrayLike,
    step: ArrayLike = 1.0,
    out: Any = None,
    **ufunc_kwargs: Unpack[UfuncKeywords],
) -> Any:
    r"""Shrink every element in proportion: the proximal operator of the squared L2 penalty.

    .. math:: y = \arg\min_z \tfrac12 (z - x)^2 + \eta\,\lambda z^2 = \frac{x}{1 + 2 \eta \lambda}

    Parameters
    ----------
    x : array_like
        Weights, of any shape and memory layout.
    strength : array_like
        :math:`\lambda \ge 0`; it multiplies the plain square, without a factor ½.
    step : array_like, default 1.0
        :math:`\eta \ge 0`, the learning rate; one number or one per element.
    out : ndarray, optional
        Where the result is written; may be ``x`` itself.
    where, dtype, casting, order, subok
        As for any NumPy ufunc.

    Returns
    -------
    ndarray or scalar
        Of the dtype of ``x``; see `soft_threshold`.

    Raises
    ------
    ValueError
        If ``strength`` or ``step`` is negative or NaN; nothing has been written then.

    See Also
    --------
    decay : The explicit counterpart, ``w * (1 - rate)``.
    l2_penalty : The penalty of which this is the proximal operator.

    References
    ----------
    .. [1] N. Parikh and S. Boyd, "Proximal algorithms", Found. Trends Optim. 1 (2014),
       section 6.1.1.

    Examples
    --------
    >>> import bridle as br
    >>> br.prox_l2([-3.0, 0.5, 2.0], 0.5)
    array([-1.5 ,  0.25,  1.  ])
    """
    return _core.prox_l2(x, strength, step, out, ufunc_kwargs)


@overload
def prox_elastic_net(
    x: ArrayLike,
    l1: ArrayLike,
    l2: ArrayLike,
    step: ArrayLike = 1.0,
    *,
    out: Out | tuple[Out],
    **ufunc_kwargs: Unpack[UfuncKeywords],
) -> Out: ...
@overload
def prox_elastic_net(
    x: Floats,
    l1: Number,
    l2: Number,
    step: Number = 1.0,
    out: None = None,
    **ufunc_kwargs: Unpack[LoopKeywords],
) -> Floats: ...
@overload
def prox_elastic_net(
    x: float,
    l1: Number,
    l2: Number,
    step: Number = 1.0,
    out: None = None,
    **ufunc_kwargs: Unpack[LoopKeywords],
) -> np.float64: ...
@overload
def prox_elastic_net(
    x: ArrayLike,
    l1: ArrayLike,
    l2: ArrayLike,
    step: ArrayLike = 1.0,
    out: Any = None,
    **ufunc_kwargs: Unpack[UfuncKeywords],
) -> Any: ...
@shows_ufunc_keywords
def prox_elastic_net(
    x: ArrayLike,
    l1: ArrayLike,
    l2: ArrayLike,
    step: ArrayLike = 1.0,
    out: Any = None,
    **ufunc_kwargs: Unpack[UfuncKeywords],
) -> Any:
    r"""Soft-threshold, then shrink: the proximal operator of the elastic net.

    .. math::

        y = \arg\min_z \tfrac12 (z - x)^2 + \eta\,(\lambda_1 |z| + \lambda_2 z^2)
          = \frac{\operatorname{sign}(x)\,\max(|x| - \eta \lambda_1, 0)}{1 + 2 \eta \lambda_2}

    Parameters
    ----------
    x : array_like
        Weights, of any shape and memory layout.
    l1, l2 : array_like
        :math:`\lambda_1, \lambda_2 \ge 0`, the strengths of the absolute values and of the plain
        squares (no factor ½); one number or one per element.
    step : array_like, default 1.0
        :math:`\eta \ge 0`, the learning rate; for an adaptive optimizer the array of the elements'
        own steps.
    out : ndarray, optional
        Where the result is written; may be ``x`` itself.
    where, dtype, casting, order, subok
        As for any NumPy ufunc.

    Returns
    -------
    ndarray or scalar
        Of the dtype of ``x``; see `soft_threshold`.

    Raises
    ------
    ValueError
        If ``l1``, ``l2`` or ``step`` is negative or NaN; nothing has been written then.

    See Also
    --------
    elastic_net_penalty : The penalty of which this is the proximal operator.

    References
    ----------
    .. [1] H. Zou and T. Hastie, "Regularization and variable selection via the elastic net",
       J. R. Stat. Soc. B 67 (2005).

    Examples
    --------
    >>> import bridle as br
    >>> br.prox_elastic_net([-3.0, 0.5, 2.0], l1=1.0, l2=0.5)
    array([-1. ,  0. ,  0.5])
    """
    return _core.prox_elastic_net(x, l1, l2, step, out, ufunc_kwargs)


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
