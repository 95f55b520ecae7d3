"""The norm of all gradients of a model, and clipping by it."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from bridle import _core, _lazy
from bridle._arrays import Arrays, Listed, is_listed, listed
from bridle._call import any_number, non_negative, refuse_masked
from bridle._models.call import SCALE, combine

__all__ = ["GlobalNorm", "clip_by_global_norm", "global_norm"]


class GlobalNorm(NamedTuple):
    """What `global_norm` tells of all elements of a list of arrays.

    See Also
    --------
    global_norm : The function that returns one.

    Examples
    --------
    >>> import bridle as br
    >>> norm = br.GlobalNorm(l2=5.0, largest=4.0, finite=True)
    >>> norm.clip_scale(1.0)
    0.2
    """

    l2: float
    """The Euclidean norm, the root of the sum of squares."""
    largest: float
    """The largest magnitude."""
    finite: bool
    """Whether no element is infinite or NaN."""

    def clip_scale(self, max_norm: float) -> float:
        """Return what gradients are to be multiplied by so that their norm is at most ``max_norm``.

        Passed to an update as ``grad_scale`` (times the one that `global_norm` was given as
        ``scale``), it clips without writing a gradient.

        Parameters
        ----------
        max_norm : float
            At least 0.

        Returns
        -------
        float
            ``min(1, max_norm / l2)``; 1.0 where ``l2`` is 0.

        Raises
        ------
        FloatingPointError
            If the norm is not finite: no number makes it smaller.
        ValueError
            If ``max_norm`` is negative or NaN.

        Examples
        --------
        >>> import bridle as br
        >>> br.global_norm([3.0, 4.0]).clip_scale(1.0)
        0.2
        """
        return clip_scale_of("clip_scale", self, non_negative("clip_scale", "max_norm", max_norm))


def clip_scale_of(name: str, norm: GlobalNorm, max_norm: float) -> float:
    """Return by what to multiply for a norm of at most so much; lazy where the norm is."""
    if _lazy.is_dask(norm.l2):
        lazy: float = _lazy.rule("clip_scale")(name, norm, max_norm)
        return lazy
    if not math.isfinite(norm.l2):
        raise FloatingPointError(f"{name}: the norm must be finite, got {norm.l2}")
    return 1.0 if norm.l2 <= max_norm else max_norm / norm.l2


def global_norm(arrays: Arrays | ArrayLike, *, scale: float = 1.0) -> GlobalNorm:
    r"""Measure all elements of all arrays: Euclidean norm, largest magnitude, whether finite.

    .. math:: \ell_2 = |s| \sqrt{\sum_i x_i^2}, \qquad \text{largest} = |s| \max_i |x_i|

    Parameters
    ----------
    arrays : ndarray, or list, tuple or mapping of ndarray, or PreparedArrays
        Gradients of type float16, bfloat16, float32 or float64, in any mix, of any shapes and
        memory layouts. A nested list of numbers is one array.
    scale : float, default 1.0
        :math:`s`, by which elements are multiplied in thought, as the reciprocal of a loss scale.

    Returns
    -------
    GlobalNorm
        The three numbers, of one pass over memory. Squares are added in float64, where they neither
        overflow nor underflow, in an order that depends on the positions of elements in memory
        alone: the same bits with any number of threads, on any machine, for an array and its
        transpose. A NaN makes both numbers NaN, an infinity both infinite; nothing at all is
        ``(0.0, 0.0, True)``.

    Raises
    ------
    TypeError
        If something else is given, or arrays of another type.
    ValueError
        If ``scale`` is NaN.

    See Also
    --------
    clip_by_global_norm : Clip gradients in place.

    Notes
    -----
    The norm of a model whose arrays lie in several processes is
    ``math.hypot(*(norm.l2 for norm in norms))``.

    References
    ----------
    .. [1] R. Pascanu, T. Mikolov and Y. Bengio, "On the difficulty of training recurrent neural
       networks", ICML 2013.

    Examples
    --------
    >>> import numpy as np
    >>> import bridle as br
    >>> gradients = {"weight": np.full((2, 2), 2.0), "bias": np.array([3.0], np.float32)}
    >>> br.global_norm(gradients)
    GlobalNorm(l2=5.0, largest=3.0, finite=True)

    Clipping that writes nothing:

    >>> weights = {name: np.zeros_like(gradient) for name, gradient in gradients.items()}
    >>> scale = br.global_norm(gradients).clip_scale(1.0)
    >>> scale
    0.2
    """
    factor = any_number("global_norm", "scale", scale)
    if _lazy.any_dask(arrays):
        lazy: GlobalNorm = _lazy.rule("global_norm")("global_norm", arrays, factor)
        return lazy
    return measured(_readable("global_norm", arrays), factor)


def _readable(name: str, arrays: Any) -> Listed:
    """Look at arrays that are only read: numbers in lists will do."""
    if is_listed(arrays):
        return listed(name, "arrays", arrays)
    refuse_masked(name, "arrays", arrays)
    return listed(name, "arrays", np.asarray(arrays))


def measured(group: Listed, scale: float, *, written: bool = False) -> GlobalNorm:
    names = (group.parameter, group.function)
    return GlobalNorm(*_core.global_norm(names, group.handle, group.keys, scale, written))


def clip_by_global_norm(arrays: Arrays, max_norm: float) -> GlobalNorm:
    r"""Scale all arrays, in place, so that their joint norm is at most ``max_norm``.

    .. math:: x \leftarrow x \cdot \min(1, \text{max_norm} / \ell_2)

    Parameters
    ----------
    arrays : ndarray, or list, tuple or mapping of ndarray, or PreparedArrays
        Gradients as in `global_norm`, overwritten. They share no memory with each other.
    max_norm : float
        At least 0.

    Returns
    -------
    GlobalNorm
        That of the arrays as they were. Where it is within ``max_norm`` they are not touched.

    Raises
    ------
    FloatingPointError
        If the norm is not finite; nothing is written then.
    TypeError
        If something else is given, or arrays of another type.
    ValueError
        If ``max_norm`` is negative or NaN, or arrays are read-only or share memory; nothing is
        written then.

    See Also
    --------
    global_norm : Its ``clip_scale`` is what an update takes as ``grad_scale``, which saves this
        pass over memory.

    Examples
    --------
    >>> import numpy as np
    >>> import bridle as br
    >>> gradients = [np.array([3.0, 0.0]), np.array([[4.0]])]
    >>> br.clip_by_global_norm(gradients, 1.0).l2
    5.0
    >>> gradients
    [array([0.6, 0. ]), array([[0.8]])]
    """
    name = "clip_by_global_norm"
    most = non_negative(name, "max_norm", max_norm)
    group = listed(name, "arrays", arrays)
    norm = measured(group, 1.0, written=True)
    scale = clip_scale_of(name, norm, most)
    if scale < 1.0:
        combine(SCALE, scale, group)
    return norm
