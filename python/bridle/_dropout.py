"""Dropout whose decisions are a pure function of seed, stream and position."""

from __future__ import annotations

import math
import operator
from typing import Any, SupportsIndex

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bridle import _core
from bridle._call import is_real, real_array

__all__ = ["dropout", "dropout_mask"]


def _probability(name: str, p: Any) -> float:
    array = np.asarray(p)
    if array.ndim > 0 or not is_real(array):
        raise TypeError(f"{name}: p must be a real number, got {p!r}")
    value = float(array)
    if not 0.0 <= value <= 1.0:
        raise ValueError(f"{name}: p must be between 0 and 1, got {p}")
    return value


def _counter(name: str, parameter: str, value: SupportsIndex, limit: int = 2**64) -> int:
    """Check one of the integers that name a random bit."""
    try:
        number = operator.index(value)
    except TypeError:
        raise TypeError(f"{name}: {parameter} must be an integer, got {value!r}") from None
    if not 0 <= number < limit:
        raise ValueError(f"{name}: {parameter} must be >= 0 and < {limit}, got {number}")
    return number


def _key(
    name: str, seed: SupportsIndex, stream: SupportsIndex, offset: SupportsIndex, size: int
) -> tuple[int, int, int]:
    return (
        _counter(name, "seed", seed),
        _counter(name, "stream", stream),
        _counter(name, "offset", offset, 2**64 - size),
    )


def _flat(array: NDArray[Any]) -> bool:
    """Whether the core can walk the array in C order with one stride."""
    plain = array.flags.aligned and array.dtype.isnative
    return plain and (array.ndim == 1 or array.flags.c_contiguous)


def _check_out(x: NDArray[Any], out: object) -> NDArray[Any]:
    if not isinstance(out, np.ndarray):
        raise TypeError(f"dropout: out must be an array, got {type(out).__name__}")
    if out.shape != x.shape:
        raise ValueError(f"dropout: out must have the shape of x, {x.shape}, got {out.shape}")
    if not np.can_cast(x.dtype, out.dtype, "same_kind"):
        raise TypeError(f"dropout: cannot write {x.dtype} to out of type {out.dtype}")
    if not out.flags.writeable:
        raise ValueError("dropout: out is read-only")
    return out


def _same_memory(x: NDArray[Any], out: NDArray[Any]) -> bool:
    """Whether the two are the same elements in the same places."""
    return x.__array_interface__["data"] == out.__array_interface__["data"] and (
        x.strides == out.strides
    )


def dropout_of_any(
    x: ArrayLike,
    p: float,
    seed: SupportsIndex,
    stream: SupportsIndex,
    offset: SupportsIndex,
    inverted: bool,
    out: object,
) -> Any:
    """Evaluate `dropout` for arguments that the direct path of the core does not take."""
    probability = _probability("dropout", p)
    array = real_array("dropout", x)
    key = _key("dropout", seed, stream, offset, array.size)
    native = array.dtype.newbyteorder("=")
    result = np.empty_like(array, dtype=native) if out is None else _check_out(array, out)
    direct = _flat(result) and result.dtype == array.dtype
    target = result if direct else np.empty(array.shape, native)
    overlaps = np.may_share_memory(array, target) and not _same_memory(array, target)
    if not _flat(array) or overlaps:
        array = np.array(array, dtype=native, order="C")
    _core.dropout_array(array, probability, *key, bool(inverted), target)
    if not direct:
        np.copyto(result, target, casting="same_kind")
    return result[()] if out is None and result.ndim == 0 else result


def dropout(
    x: ArrayLike,
    p: float,
    *,
    seed: SupportsIndex,
    stream: SupportsIndex = 0,
    offset: SupportsIndex = 0,
    inverted: bool = True,
    out: NDArray[Any] | None = None,
) -> Any:
    r"""Set each element to zero with probability ``p`` and scale the others up.

    .. math:: y_i = \begin{cases} x_i / (1 - p) & u(i) < 1 - p \\ 0 & \text{else} \end{cases}

    where :math:`u(i)` is a uniform number computed from ``seed``, ``stream`` and the index
    :math:`i` = ``offset`` + position of the element in C order. Nothing else decides: not the
    dtype, the number of threads, the memory layout nor the machine. So no mask needs to be stored:
    the backward pass is the same call on the gradient, and a part of an array is the same call with
    its ``offset``.

    Parameters
    ----------
    x : array_like
        Activations or gradients, of any shape and memory layout.
    p : float
        Probability of dropping an element, :math:`0 \le p \le 1`. It is realised as a multiple of
        :math:`2^{-32}`, and the scale is that of the realised probability.
    seed : int
        Names the random bits, :math:`0 \le` ``seed`` :math:`< 2^{64}`.
    stream : int, default 0
        Names an independent sequence of the same seed, such as the training step or layer.
    offset : int, default 0
        Index of the first element.
    inverted : bool, default True
        Scale kept elements by :math:`1 / (1 - p)`, so that nothing needs to be done at inference.
    out : ndarray, optional
        Where the result is written; may be ``x`` itself.

    Returns
    -------
    ndarray or scalar
        Of the dtype of ``x``. A dropped element is +0.0 even if it was infinite or NaN. ``p = 0``
        is the identity and ``p = 1`` gives zeros.

    Raises
    ------
    ValueError
        If ``p`` is outside [0, 1], an integer is out of range or ``out`` does not fit; nothing has
        been written then.

    See Also
    --------
    dropout_mask : The decisions alone.

    References
    ----------
    .. [1] N. Srivastava et al., "Dropout: a simple way to prevent neural networks from
       overfitting", J. Mach. Learn. Res. 15 (2014).
    .. [2] D. J. Bernstein, "ChaCha, a variant of Salsa20" (2008): the generator, with 8 rounds.

    Examples
    --------
    >>> import numpy as np
    >>> import bridle as br
    >>> x = np.ones(8, dtype=np.float32)
    >>> br.dropout(x, 0.5, seed=1)
    array([2., 0., 2., 2., 2., 0., 2., 0.], dtype=float32)
    >>> br.dropout(x[4:], 0.5, seed=1, offset=4)
    array([2., 0., 2., 0.], dtype=float32)
    """
    return _core.dropout(x, p, seed, stream, offset, inverted, out)


def dropout_mask(
    shape: SupportsIndex | tuple[SupportsIndex, ...],
    p: float,
    *,
    seed: SupportsIndex,
    stream: SupportsIndex = 0,
    offset: SupportsIndex = 0,
    packed: bool = False,
) -> NDArray[Any]:
    r"""Return the decisions of `dropout`: True where an element is kept.

    Parameters
    ----------
    shape : int or tuple of int
        Shape of the array that is to be masked.
    p, seed, stream, offset
        As for `dropout`.
    packed : bool, default False
        Return bits instead: bit ``i % 8`` of byte ``i // 8`` belongs to the element at position
        ``i`` in C order, as ``np.packbits(mask, bitorder="little")`` gives them.

    Returns
    -------
    ndarray
        Of bool with the given shape, or (packed) of uint8 with one dimension.

    Raises
    ------
    ValueError
        If ``p`` is outside [0, 1], or a length or an integer is out of range.

    See Also
    --------
    dropout : Applies the decisions without storing them.

    Examples
    --------
    >>> import bridle as br
    >>> br.dropout_mask((2, 4), 0.5, seed=1)
    array([[ True, False,  True,  True],
           [ True, False,  True, False]])
    >>> br.dropout_mask((2, 4), 0.5, seed=1, packed=True)
    array([93], dtype=uint8)
    """
    probability = _probability("dropout_mask", p)
    lengths = shape if isinstance(shape, tuple | list) else (shape,)
    dimensions = tuple(_counter("dropout_mask", "shape", length, 2**63) for length in lengths)
    size = math.prod(dimensions)
    key = _key("dropout_mask", seed, stream, offset, size)
    if packed:
        mask: NDArray[Any] = np.empty((size + 7) // 8, dtype=np.uint8)
    else:
        mask = np.empty(dimensions, dtype=np.bool_)
    _core.dropout_mask(size, probability, *key, packed, mask)
    return mask
