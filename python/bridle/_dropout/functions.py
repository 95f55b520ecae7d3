"""Dropout whose decisions are a pure function of seed, stream and position."""

from __future__ import annotations

import math
from typing import Any, Literal, SupportsIndex, Unpack, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bridle import _core, _lazy
from bridle._call import real_array
from bridle._containers import like
from bridle._dropout.noise import (
    Block,
    DropoutKeywords,
    MaskKeywords,
    NoiseShape,
    apply,
    lengths,
    noise_of_shape,
    nothing_dropped,
    probability,
    random_noise,
    stored_noise,
)
from bridle._types import Float, Out

__all__ = ["apply_dropout_mask", "dropout", "dropout_inference", "dropout_mask"]


def dropout_of_any(
    x: ArrayLike,
    p: float,
    seed: SupportsIndex,
    stream: SupportsIndex,
    offset: SupportsIndex,
    noise_shape: NoiseShape | None,
    block: Block | None,
    inverted: bool,
    out: object,
) -> Any:
    """Evaluate `dropout` for arguments that the direct path of the core does not take."""
    chance = probability("dropout", p)
    array = real_array("dropout", x, lazy=True)
    threshold, scale = _core.keep_numbers(chance, bool(inverted))
    noise = random_noise("dropout", array, threshold, seed, stream, offset, noise_shape, block)
    result = apply("dropout", array, out, noise, (scale,), identity=chance == 0)
    return like("dropout", x, result, out)


@overload
def dropout(x: ArrayLike, p: float, *, out: Out, **noise: Unpack[DropoutKeywords]) -> Out: ...
@overload
def dropout(
    x: NDArray[Float], p: float, *, out: None = None, **noise: Unpack[DropoutKeywords]
) -> NDArray[Float]: ...
@overload
def dropout(x: Float, p: float, *, out: None = None, **noise: Unpack[DropoutKeywords]) -> Float: ...
@overload
def dropout(
    x: ArrayLike, p: float, *, out: NDArray[Any] | None = None, **noise: Unpack[DropoutKeywords]
) -> Any: ...
def dropout(
    x: ArrayLike,
    p: float,
    *,
    seed: SupportsIndex,
    stream: SupportsIndex = 0,
    offset: SupportsIndex = 0,
    noise_shape: NoiseShape | None = None,
    block: Block | None = None,
    inverted: bool = True,
    out: NDArray[Any] | None = None,
) -> Any:
    r"""Set each element to zero with probability ``p`` and scale the others up.

    .. math:: y_i = \begin{cases} x_i / (1 - p) & u(i) < 1 - p \\ 0 & \text{else} \end{cases}

    where :math:`u(i)` is a uniform number computed from ``seed``, ``stream`` and the index
    :math:`i` = ``offset`` + position of the element in C order. Nothing else decides: not the
    dtype, the number of threads, the memory layout nor the machine. So no mask needs to be stored:
    the backward pass is the same call on the gradient, and a part of an array is the same call with
    its ``offset`` or ``block``.

    Parameters
    ----------
    x : array_like
        Activations or gradients, of any shape and memory layout.
    p : float
        Probability of dropping an element, :math:`0 \le p \le 1`. It is realised as a multiple of
        :math:`2^{-32}`, and the scale is that of the realised probability.
    seed : int
        Names the random bits, :math:`0 \le` ``seed`` :math:`< 2^{64}`. Two layers with the same
        seed drop the same elements: give each its own.
    stream : int, default 0
        Names an independent sequence of the same seed. The same seed and stream give the same mask
        in every call, so a training loop must give each iteration another stream, such as its
        number; the backward pass takes that of its forward pass.
    offset : int, default 0
        Index of the first element.
    noise_shape : tuple of int and None, optional
        Shape of the array of decisions, which is broadcast to the shape of ``x``; None keeps a
        length of ``x``. The position in *this* array makes the index. For images of shape
        ``(batch, height, width, channels)``, ``(None, 1, 1, None)`` drops whole channels, and
        ``(None, 1, 1, 1)`` whole samples (stochastic depth). By default each element has a decision
        of its own.
    block : tuple of two tuples of int, optional
        ``(global_shape, origin)``: ``x`` is the block of an array of ``global_shape`` whose first
        corner lies at ``origin``, and the position in the global array makes the index. So what
        each machine gets for its block is what one would get for the whole. Lengths in
        ``noise_shape`` may be those of ``x`` or of the global array then.
    inverted : bool, default True
        Scale kept elements by :math:`1 / (1 - p)`, so that nothing needs to be done at inference.
        False is the classic mode: the kept elements stay as they are, and inference calls
        `dropout_inference`. Never do both.
    out : ndarray, optional
        Where the result is written; may be ``x`` itself.

    Returns
    -------
    ndarray or scalar
        Of the dtype of ``x``. A dropped element is +0.0 even if it was infinite or NaN. ``p = 0``
        is the identity and ``p = 1`` gives zeros. What xarray, pandas and polars hold stays theirs,
        with its labels; positions are those of its values.

    Raises
    ------
    ValueError
        If ``p`` is outside [0, 1], an integer is out of range, or ``noise_shape``, ``block`` or
        ``out`` does not fit; nothing has been written then.

    See Also
    --------
    dropout_mask : The decisions alone.
    Dropout : A layer, which takes another stream for each call.
    alpha_dropout, gaussian_dropout, gaussian_noise : Other kinds of noise.

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

    In a loop, each iteration has its stream:

    >>> for iteration in range(3):
    ...     print(br.dropout(x, 0.5, seed=1, stream=iteration))
    [2. 0. 2. 2. 2. 0. 2. 0.]
    [0. 0. 0. 2. 0. 2. 0. 2.]
    [2. 0. 0. 0. 0. 0. 0. 0.]

    Whole columns of a matrix, and the lower right corner of one:

    >>> br.dropout(np.ones((2, 4)), 0.5, seed=1, noise_shape=(1, None))
    array([[2., 0., 2., 2.],
           [2., 0., 2., 2.]])
    >>> br.dropout(np.ones((1, 2)), 0.5, seed=1, block=((2, 4), (1, 2)))
    array([[2., 0.]])
    """
    return _core.dropout(x, p, seed, stream, offset, noise_shape, block, inverted, out)


@overload
def dropout_mask(
    shape: SupportsIndex | tuple[SupportsIndex, ...],
    p: float,
    *,
    packed: Literal[False] = False,
    **noise: Unpack[MaskKeywords],
) -> NDArray[np.bool]: ...
@overload
def dropout_mask(
    shape: SupportsIndex | tuple[SupportsIndex, ...],
    p: float,
    *,
    packed: Literal[True],
    **noise: Unpack[MaskKeywords],
) -> NDArray[np.uint8]: ...
@overload
def dropout_mask(
    shape: SupportsIndex | tuple[SupportsIndex, ...],
    p: float,
    *,
    packed: bool,
    **noise: Unpack[MaskKeywords],
) -> NDArray[Any]: ...
def dropout_mask(
    shape: SupportsIndex | tuple[SupportsIndex, ...],
    p: float,
    *,
    seed: SupportsIndex,
    stream: SupportsIndex = 0,
    offset: SupportsIndex = 0,
    block: Block | None = None,
    packed: bool = False,
) -> NDArray[Any]:
    r"""Return the decisions of `dropout`: True where an element is kept.

    Parameters
    ----------
    shape : int or tuple of int
        Shape of the array that is to be masked, or of its noise where that has a shape of its own.
    p, seed, stream, offset, block
        As for `dropout`: the same seed and stream give the same mask again.
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
    apply_dropout_mask : Applies packed decisions.

    Examples
    --------
    >>> import bridle as br
    >>> br.dropout_mask((2, 4), 0.5, seed=1)
    array([[ True, False,  True,  True],
           [ True, False,  True, False]])
    >>> br.dropout_mask((2, 4), 0.5, seed=1, packed=True)
    array([93], dtype=uint8)
    """
    chance = probability("dropout_mask", p)
    dimensions = lengths("dropout_mask", "shape", shape)
    threshold, _ = _core.keep_numbers(chance, True)
    noise = noise_of_shape("dropout_mask", dimensions, threshold, seed, stream, offset, None, block)
    if packed:
        mask: NDArray[Any] = np.empty((math.prod(dimensions) + 7) // 8, dtype=np.uint8)
    else:
        mask = np.empty(dimensions, dtype=np.bool_)
    _core.noise_mask(dimensions, *noise, packed, mask)
    return mask


@overload
def apply_dropout_mask(
    x: ArrayLike, bits: NDArray[np.uint8], p: float, *, inverted: bool = True, out: Out
) -> Out: ...
@overload
def apply_dropout_mask(
    x: NDArray[Float], bits: NDArray[np.uint8], p: float, *, inverted: bool = True, out: None = None
) -> NDArray[Float]: ...
@overload
def apply_dropout_mask(
    x: Float, bits: NDArray[np.uint8], p: float, *, inverted: bool = True, out: None = None
) -> Float: ...
@overload
def apply_dropout_mask(
    x: ArrayLike,
    bits: NDArray[np.uint8],
    p: float,
    *,
    inverted: bool = True,
    out: NDArray[Any] | None = None,
) -> Any: ...
def apply_dropout_mask(
    x: ArrayLike,
    bits: NDArray[np.uint8],
    p: float,
    *,
    inverted: bool = True,
    out: NDArray[Any] | None = None,
) -> Any:
    r"""Drop the elements whose stored bit is 0, as `dropout` did.

    .. math:: y_i = \begin{cases} x_i / (1 - p) & b_i = 1 \\ 0 & \text{else} \end{cases}

    With bits from `dropout_mask`, the result is that of `dropout`, bit for bit. Storing the bits
    costs one byte for eight elements and saves drawing them again.

    Parameters
    ----------
    x : array_like
        Activations or gradients, of any shape and memory layout.
    bits : ndarray of uint8
        ``dropout_mask(x.shape, p, ..., packed=True)``: bit ``i % 8`` of byte ``i // 8`` belongs to
        the element at position ``i`` in C order, 1 where it is kept.
    p : float
        Probability with which the bits were drawn; gives the scale.
    inverted, out
        As for `dropout`.

    Returns
    -------
    ndarray or scalar
        Of the dtype of ``x``.

    Raises
    ------
    ValueError
        If ``p`` is outside [0, 1], or ``bits`` or ``out`` does not fit; nothing has been written
        then.

    See Also
    --------
    dropout : Draws the decisions again instead of storing them.

    Examples
    --------
    >>> import numpy as np
    >>> import bridle as br
    >>> bits = br.dropout_mask(8, 0.5, seed=1, packed=True)
    >>> br.apply_dropout_mask(np.ones(8), bits, 0.5)
    array([2., 0., 2., 2., 2., 0., 2., 0.])
    """
    chance = probability("apply_dropout_mask", p)
    array = real_array("apply_dropout_mask", x, lazy=True)
    if _lazy.any_dask(array, bits):
        _lazy.refuse_out("apply_dropout_mask", out)
        return _lazy.rule("masked")("apply_dropout_mask", array, bits, chance, bool(inverted))
    noise = stored_noise("apply_dropout_mask", array.shape, bits)
    _, scale = _core.keep_numbers(chance, bool(inverted))
    if chance == 0:  # what is kept keeps its bits, as in `dropout`
        dropped = np.unpackbits(bits, count=array.size, bitorder="little") == 0
        if dropped.any():
            array = array.copy(order="K")
            array[dropped.reshape(array.shape)] = 0
        noise = nothing_dropped(array.shape)
    result = apply("dropout", array, out, noise, (scale,), chance == 0, caller="apply_dropout_mask")
    return like("apply_dropout_mask", x, result, out)


@overload
def dropout_inference(x: ArrayLike, p: float, out: Out) -> Out: ...
@overload
def dropout_inference(x: NDArray[Float], p: float, out: None = None) -> NDArray[Float]: ...
@overload
def dropout_inference(x: Float, p: float, out: None = None) -> Float: ...
@overload
def dropout_inference(x: ArrayLike, p: float, out: NDArray[Any] | None = None) -> Any: ...
def dropout_inference(x: ArrayLike, p: float, out: NDArray[Any] | None = None) -> Any:
    r"""Scale by the probability of keeping an element: inference in the classic mode.

    .. math:: y = (1 - p) x

    with the probability that `dropout` realises, a multiple of :math:`2^{-32}`. This belongs to
    training with ``dropout(..., inverted=False)``, as in [1]_; the default mode needs nothing at
    inference. Never do both.

    Parameters
    ----------
    x : array_like
        Activations, of any shape and memory layout.
    p : float
        Probability with which training dropped elements, :math:`0 \le p \le 1`.
    out : ndarray, optional
        Where the result is written; may be ``x`` itself.

    Returns
    -------
    ndarray or scalar
        Of the dtype of ``x``.

    Raises
    ------
    ValueError
        If ``p`` is outside [0, 1] or ``out`` does not fit; nothing has been written then.

    See Also
    --------
    dropout : The training side.

    References
    ----------
    .. [1] N. Srivastava et al., "Dropout: a simple way to prevent neural networks from
       overfitting", J. Mach. Learn. Res. 15 (2014).

    Examples
    --------
    >>> import bridle as br
    >>> br.dropout_inference([1.0, -2.0], 0.25)
    array([ 0.75, -1.5 ])
    """
    chance = probability("dropout_inference", p)
    array = real_array("dropout_inference", x, lazy=True)
    threshold, _ = _core.keep_numbers(chance, True)
    noise = nothing_dropped(array.shape)
    members = (threshold / 2**32,)
    result = apply("dropout", array, out, noise, members, chance == 0, caller="dropout_inference")
    return like("dropout_inference", x, result, out)
