"""Sums of gradients and averages of weights, in place."""

from __future__ import annotations

from bridle._arrays import Arrays, companion, listed
from bridle._call import any_number, number
from bridle._models.call import ACCUMULATE, AVERAGE, combine

__all__ = ["accumulate", "average_update"]


def accumulate(total: Arrays, gradient: Arrays, *, scale: float = 1.0) -> None:
    r"""Add gradients to what was gathered before, in a wider type and in place.

    .. math:: t \leftarrow t + s \, g

    Parameters
    ----------
    total : ndarray, or list, tuple or mapping of ndarray, or PreparedArrays
        Sums of type float32 or float64, overwritten, of any shapes and memory layouts.
    gradient : the same
        What is added, one for each array of ``total``, by the same names if that is a mapping:
        float16, bfloat16 or float32 for float32, float64 for float64. It shares no memory with
        ``total``.
    scale : float, default 1.0
        :math:`s`, as the reciprocal of the number of batches.

    Raises
    ------
    TypeError
        If something else is given, or arrays of other types.
    ValueError
        If ``scale`` is NaN, shapes or names differ, or ``total`` is read-only or shares memory. As
        for every error, nothing is written then.

    See Also
    --------
    average_update : An average that forgets.
    global_norm : The norm of what was gathered.

    Notes
    -----
    Half types are widened exactly. The product is rounded once and the sum once, in the type of
    ``total``: the same bits with any number of threads, in any memory layout. All arrays are
    shared out to the threads as if they were one.

    Examples
    --------
    >>> import numpy as np
    >>> import bridle as br
    >>> total = {"weight": np.zeros(2, np.float32)}
    >>> for batch in range(2):
    ...     br.accumulate(total, {"weight": np.array([1.0, 2.0], np.float16)}, scale=0.5)
    >>> total["weight"]
    array([1., 2.], dtype=float32)
    """
    name = "accumulate"
    factor = any_number(name, "scale", scale)
    group = listed(name, "total", total)
    combine(ACCUMULATE, factor, group, companion(name, "gradient", gradient, group))


def average_update(average: Arrays, w: Arrays, decay: float) -> None:
    r"""Move an exponential moving average of weights towards them, in place.

    .. math:: a \leftarrow a + (1 - d) (w - a)

    Parameters
    ----------
    average : ndarray, or list, tuple or mapping of ndarray, or PreparedArrays
        The average, overwritten, of any shapes and memory layouts: float32, or float64 for weights
        of float64. In a half type it would not move: what is added is less than half of its last
        digit.
    w : the same
        The weights, one for each array of ``average``, by the same names if that is a mapping:
        float16, bfloat16 or float32 for float32, float64 for float64. They share no memory with
        ``average``.
    decay : float
        :math:`0 \le d \le 1`, how much of the average stays.

    Raises
    ------
    TypeError
        If something else is given, or arrays of other types.
    ValueError
        If ``decay`` is not in [0, 1], shapes or names differ, or ``average`` is read-only or shares
        memory. As for every error, nothing is written then.

    See Also
    --------
    accumulate : Sums of gradients.

    Notes
    -----
    :math:`1 - d` is computed in float64 and rounded to the type of ``average``, in which
    difference, product and sum are rounded once each.

    References
    ----------
    .. [1] B. T. Polyak and A. B. Juditsky, "Acceleration of stochastic approximation by averaging",
       SIAM J. Control Optim. 30 (1992).

    Examples
    --------
    >>> import numpy as np
    >>> import bridle as br
    >>> average = np.array([1.0, 2.0])
    >>> br.average_update(average, np.array([3.0, 2.0]), 0.75)
    >>> average
    array([1.5, 2. ])
    """
    name = "average_update"
    kept = number(name, "decay", decay)
    if not 0 <= kept <= 1:
        raise ValueError(f"{name}: decay must be >= 0 and <= 1, got {decay}")
    group = listed(name, "average", average)
    combine(AVERAGE, 1.0 - kept, group, companion(name, "w", w, group))
