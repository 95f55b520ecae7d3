"""Conversions of whole models from one type to another."""

from __future__ import annotations

from typing import Literal, SupportsIndex, TypeVar

from bridle import _core
from bridle._arrays import Arrays, Listed, companion, listed
from bridle._call import choice, counter

__all__ = ["cast"]

Out = TypeVar("Out", bound=Arrays)


def cast(
    x: Arrays,
    out: Out,
    *,
    rounding: Literal["nearest", "stochastic"] = "nearest",
    seed: SupportsIndex | None = None,
    stream: SupportsIndex | None = None,
    offset: SupportsIndex = 0,
) -> Out:
    r"""Convert arrays to the types of others, by all threads.

    Parameters
    ----------
    x : ndarray, or list, tuple or mapping of ndarray, or PreparedArrays
        Arrays of type float16, bfloat16, float32 or float64, of any shapes and memory layouts.
    out : the same
        Where they are written, one for each of ``x``, of any of these types, by the same names if
        ``x`` is a mapping. It shares no memory with ``x``.
    rounding : {"nearest", "stochastic"}, default "nearest"
        To the nearest number, and of two to the even one, once; or at random to one of the two
        numbers beside it, with the probabilities that make its mean exact, for float16 and
        bfloat16 only.
    seed, stream, offset : int, optional
        Name the random numbers, as in `adamw_update`. Each step needs a stream of its own; element
        ``i`` of all arrays in C order, one after the other, takes number ``offset + i``.

    Returns
    -------
    ndarray, or list, tuple or mapping of ndarray, or PreparedArrays
        ``out`` itself.

    Raises
    ------
    TypeError
        If something else is given, or arrays of another type; also float32 or float64 to be rounded
        at random.
    ValueError
        If shapes or names differ, ``out`` is read-only or shares memory, or numbers that name
        random ones are missing or out of range. As for every error, nothing is written then.

    See Also
    --------
    accumulate : Add to arrays of a wider type, without converting first.

    Notes
    -----
    The results are those of ``x.astype``: zeros keep their signs, what is beyond the largest number
    becomes infinite, and float64 is rounded to a half type at once. Rounded at random, a number
    becomes infinite only if it is nearer to that than to the largest one.

    References
    ----------
    .. [1] M. Croci, M. Fasi, N. J. Higham, T. Mary and M. Mikaitis, "Stochastic rounding:
       implementation, error analysis and applications", R. Soc. Open Sci. 9 (2022).

    Examples
    --------
    >>> import numpy as np
    >>> import bridle as br
    >>> weights = [np.array([1.0, 1.0 + 2.0**-11]), np.array([1e6, -1e-9])]
    >>> br.cast(weights, [np.empty(2, np.float16), np.empty(2, np.float32)])
    [array([1., 1.], dtype=float16), array([ 1.e+06, -1.e-09], dtype=float32)]
    >>> steps = np.full(1000, 1.0 + 2.0**-11)
    >>> out = np.empty(1000, np.float16)
    >>> br.cast(steps, out, rounding="stochastic", seed=1, stream=7).mean(dtype=float) > 1.0
    np.True_
    """
    name = "cast"
    group = listed(name, "x", x)
    target = companion(name, "out", out, group)
    random = _random(group, rounding, seed, stream, offset)
    _core.cast(("x", "out", name), group.handle, target.handle, group.keys, random)
    return out


def _random(
    group: Listed,
    rounding: str,
    seed: SupportsIndex | None,
    stream: SupportsIndex | None,
    offset: SupportsIndex,
) -> tuple[int, int, int] | None:
    name = group.function
    if choice(name, "rounding", rounding, ("nearest", "stochastic")) == "nearest":
        return None
    size = sum(getattr(array, "size", 0) for array in group.arrays)
    return (
        _given(name, "seed", seed),
        _given(name, "stream", stream),
        counter(name, "offset", offset, 2**64 - size),
    )


def _given(name: str, parameter: str, value: SupportsIndex | None) -> int:
    if value is None:
        raise ValueError(f"{name}: {parameter} must be given if rounding is 'stochastic', got None")
    return counter(name, parameter, value)
