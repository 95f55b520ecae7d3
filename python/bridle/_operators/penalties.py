"""Penalties: what the weights cost."""

from __future__ import annotations

from typing import Any, Literal, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bridle import _core, _lazy
from bridle._arrays import Arrays, is_listed, listed
from bridle._call import penalty, real_array, shown
from bridle._types import Axis

__all__ = ["elastic_net_penalty", "l1_penalty", "l2_penalty"]


def penalty_of_any(
    name: str,
    w: Any,
    params: tuple[object, ...],
    axis: int | tuple[int, ...] | None,
    keepdims: bool,
) -> Any:
    """Evaluate a penalty where the core does not do so directly: also of several arrays."""
    if name in __all__ and is_listed(w):
        return _penalty_of_list(name, w, params, axis, keepdims)
    return penalty(name, w, params, axis, keepdims)


def _penalty_of_list(
    name: str, w: Arrays, params: tuple[object, ...], axis: object, keepdims: bool
) -> np.float64:
    """Add up the penalties of the arrays, in their order."""
    if axis is not None or keepdims:
        option, value = ("axis", axis) if axis is not None else ("keepdims", keepdims)
        raise TypeError(f"{name}: {option} must be left alone for several arrays, got {value!r}")
    for parameter, value in zip(_core.penalties[name], params, strict=True):
        if np.ndim(value) > 0:  # type: ignore[arg-type]
            rule = "must be a number for several arrays"
            raise TypeError(f"{name}: {parameter} {rule}, got {shown(value)}")
    if _lazy.any_dask(w):
        lazy: np.float64 = _lazy.rule("penalty_of_list")(name, w, params)
        return lazy
    group = listed(name, "w", w)
    arrays = [real_array(name, array, group.name(i)) for i, array in enumerate(group.arrays)]
    of_one = getattr(_core, name)
    total = of_one(np.zeros(0), *params, None, False)  # nothing, of numbers that are checked here
    for array in arrays:
        total += of_one(array, *params, None, False)
    return np.float64(total)


@overload
def l1_penalty(
    w: ArrayLike | Arrays,
    strength: ArrayLike = 1.0,
    *,
    axis: None = None,
    keepdims: Literal[False] = False,
) -> np.float64: ...
@overload
def l1_penalty(
    w: ArrayLike, strength: ArrayLike = 1.0, *, axis: Axis | None = None, keepdims: bool = False
) -> np.float64 | NDArray[np.float64]: ...
def l1_penalty(
    w: ArrayLike | Arrays,
    strength: ArrayLike = 1.0,
    *,
    axis: Axis | None = None,
    keepdims: bool = False,
) -> Any:
    r"""Sum of the absolute values.

    .. math:: P(w) = \lambda \sum_i |w_i|

    Parameters
    ----------
    w : array_like, or list, tuple or mapping of ndarray, or PreparedArrays
        Weights, of any shape and memory layout. Several arrays have the sum of their penalties,
        added in order; they take numbers as strengths, and no axis.
    strength : array_like, default 1.0
        :math:`\lambda \ge 0`; an array holds one for each weight (is broadcast to ``w``) or, with
        ``axis``, is broadcast against the sums. Zero leaves the term out, whatever the sum is.
    axis : int or tuple of int, optional
        The axes to sum over; all of them by default.
    keepdims : bool, default False
        Keep the axes that were summed over, with length one.

    Returns
    -------
    float64 or ndarray of float64
        Accumulated in float64 whatever the dtype of ``w``, in an order that depends on the
        positions of the elements alone: the same bits with any number of threads, on any machine,
        for ``w`` and ``w.T``. A NaN makes its sum NaN; an empty sum is 0.

    Raises
    ------
    TypeError
        If an axis, or an array of strengths, is given with several arrays.
    ValueError
        If a strength is negative or NaN, or an array of them does not fit.

    See Also
    --------
    soft_threshold : The proximal operator of this penalty.

    References
    ----------
    .. [1] R. Tibshirani, "Regression shrinkage and selection via the lasso",
       J. R. Stat. Soc. B 58 (1996).

    Examples
    --------
    >>> import numpy as np
    >>> import bridle as br
    >>> w = [[-3.0, 0.5], [2.0, 0.0]]
    >>> br.l1_penalty(w, 0.1)
    np.float64(0.55)
    >>> br.l1_penalty(w, axis=0)
    array([5. , 0.5])

    All of a model:

    >>> br.l1_penalty({"weight": np.array(w), "bias": np.array([-0.5])})
    np.float64(6.0)

    A factor for each weight, or for each row:

    >>> br.l1_penalty(w, [[0.1, 1.0], [0.1, 0.0]])
    np.float64(1.0)
    >>> br.l1_penalty(w, [0.1, 1.0], axis=1)
    array([0.35, 2.  ])
    """
    return _core.l1_penalty(w, strength, axis, keepdims)


@overload
def l2_penalty(
    w: ArrayLike | Arrays,
    strength: ArrayLike = 1.0,
    *,
    axis: None = None,
    keepdims: Literal[False] = False,
) -> np.float64: ...
@overload
def l2_penalty(
    w: ArrayLike, strength: ArrayLike = 1.0, *, axis: Axis | None = None, keepdims: bool = False
) -> np.float64 | NDArray[np.float64]: ...
def l2_penalty(
    w: ArrayLike | Arrays,
    strength: ArrayLike = 1.0,
    *,
    axis: Axis | None = None,
    keepdims: bool = False,
) -> Any:
    r"""Sum of the squares, without a factor ½.

    .. math:: P(w) = \lambda \sum_i w_i^2

    Parameters
    ----------
    w : array_like, or list, tuple or mapping of ndarray, or PreparedArrays
        Weights, of any shape and memory layout. Several arrays have the sum of their penalties,
        added in order; they take numbers as strengths, and no axis.
    strength : array_like, default 1.0
        :math:`\lambda \ge 0`, numbers or arrays as in `l1_penalty`. A library whose penalty is
        :math:`\tfrac{c}{2} \sum_i w_i^2` means ``strength = c / 2``.
    axis : int or tuple of int, optional
        The axes to sum over; all of them by default.
    keepdims : bool, default False
        Keep the axes that were summed over, with length one.

    Returns
    -------
    float64 or ndarray of float64
        Accumulated as described at `l1_penalty`.

    Raises
    ------
    TypeError
        If an axis, or an array of strengths, is given with several arrays.
    ValueError
        If a strength is negative or NaN, or an array of them does not fit.

    See Also
    --------
    prox_l2 : The proximal operator of this penalty.
    decay : Decoupled weight decay.

    References
    ----------
    .. [1] A. E. Hoerl and R. W. Kennard, "Ridge regression", Technometrics 12 (1970).

    Examples
    --------
    >>> import bridle as br
    >>> w = [[-3.0, 0.5], [2.0, 0.0]]
    >>> br.l2_penalty(w, 0.5)
    np.float64(6.625)
    >>> br.l2_penalty(w, axis=1, keepdims=True)
    array([[9.25], [4.  ]])
    """
    return _core.l2_penalty(w, strength, axis, keepdims)


@overload
def elastic_net_penalty(
    w: ArrayLike | Arrays,
    l1: ArrayLike,
    l2: ArrayLike,
    *,
    axis: None = None,
    keepdims: Literal[False] = False,
) -> np.float64: ...
@overload
def elastic_net_penalty(
    w: ArrayLike, l1: ArrayLike, l2: ArrayLike, *, axis: Axis | None = None, keepdims: bool = False
) -> np.float64 | NDArray[np.float64]: ...
def elastic_net_penalty(
    w: ArrayLike | Arrays,
    l1: ArrayLike,
    l2: ArrayLike,
    *,
    axis: Axis | None = None,
    keepdims: bool = False,
) -> Any:
    r"""Sum of the absolute values and of the squares, each with its strength, in one pass.

    .. math:: P(w) = \lambda_1 \sum_i |w_i| + \lambda_2 \sum_i w_i^2

    Parameters
    ----------
    w : array_like, or list, tuple or mapping of ndarray, or PreparedArrays
        Weights, of any shape and memory layout. Several arrays have the sum of their penalties,
        added in order; they take numbers as strengths, and no axis.
    l1, l2 : array_like
        :math:`\lambda_1, \lambda_2 \ge 0`, numbers or arrays as in `l1_penalty`.
    axis : int or tuple of int, optional
        The axes to sum over; all of them by default.
    keepdims : bool, default False
        Keep the axes that were summed over, with length one.

    Returns
    -------
    float64 or ndarray of float64
        Accumulated as described at `l1_penalty`.

    Raises
    ------
    TypeError
        If an axis, or an array of strengths, is given with several arrays.
    ValueError
        If a strength is negative or NaN, or an array of them does not fit.

    See Also
    --------
    prox_elastic_net : The proximal operator of this penalty.
    elastic_net_gradient : Its subgradient of least norm.

    References
    ----------
    .. [1] H. Zou and T. Hastie, "Regularization and variable selection via the elastic net",
       J. R. Stat. Soc. B 67 (2005).

    Examples
    --------
    >>> import bridle as br
    >>> br.elastic_net_penalty([-3.0, 0.5, 2.0], l1=2.0, l2=1.0)
    np.float64(24.25)
    """
    return _core.elastic_net_penalty(w, l1, l2, axis, keepdims)
