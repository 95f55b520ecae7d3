"""Dropout, whose mask is drawn again for its derivatives."""

from __future__ import annotations

import functools
from typing import Any, SupportsIndex

import jax
import jax.numpy as jnp
import numpy as np
from jax.extend.core import Primitive
from jax.interpreters import ad, batching, mlir

from bridle._call import counter
from bridle._dropout.noise import Block, NoiseShape, noise_of_shape, probability
from bridle.jax._arrays import Array, check_real, float_array, is_integer
from bridle.jax._calls import call, eight_bytes

Noise = tuple[int, ...]


def dropout(
    x: Array,
    p: Array,
    *,
    seed: SupportsIndex | jax.Array,
    stream: SupportsIndex | jax.Array = 0,
    offset: SupportsIndex | jax.Array = 0,
    noise_shape: NoiseShape | None = None,
    block: Block | None = None,
    inverted: bool = True,
) -> jax.Array:
    r"""Set each element to zero with probability ``p`` and scale the others up.

    `bridle.dropout` for JAX: the same seed, stream and offset keep the same elements, with the same
    bits. The derivative, of any order, draws the mask again, so that nothing is stored for it.

    Under ``vmap`` the function is what it is for each example: if none of the numbers is mapped,
    all examples have one mask. Map ``stream``, or ``offset``, for a mask of its own for each.

    Parameters
    ----------
    x : array
        Activations, of any shape.
    p : array or number
        Probability of dropping an element, :math:`0 \le p \le 1`. An array of JAX is taken as it
        is: with a float32 of 0.1 the probability is not quite that of the Python number.
    seed, stream, offset : int, or integer array of JAX
        As in `bridle.dropout`; each may be traced. In a training step, ``stream`` is the number of
        the step. Keys of `jax.random` name other random numbers and are not taken.
    noise_shape, block, inverted
        As in `bridle.dropout`.

    Returns
    -------
    jax.Array
        Of the type of ``x``; see `soft_threshold`, also for its memory.

    Raises
    ------
    ValueError
        If a number is out of range, or ``noise_shape`` or ``block`` does not fit; numbers in arrays
        of JAX as in `soft_threshold`.
    TypeError
        If an argument is of another type, or a derivative by ``p`` is asked for: there is none.
    NotImplementedError
        As in `soft_threshold`.

    Examples
    --------
    >>> import jax
    >>> import jax.numpy as jnp
    >>> import bridle.jax
    >>> bridle.jax.dropout(jnp.ones(8), 0.5, seed=1)
    Array([2., 0., 2., 2., 2., 0., 2., 0.], dtype=float32)
    >>> @jax.jit
    ... def loss(x, step):
    ...     return bridle.jax.dropout(x, 0.5, seed=1, stream=step).sum()
    >>> jax.grad(loss)(jnp.ones(8), 1)
    Array([0., 0., 0., 2., 0., 2., 0., 2.], dtype=float32)
    """
    array = float_array("dropout", x)
    plain_offset = 0 if isinstance(offset, jax.Array) else offset
    draws, strides = noise_of_shape(
        "dropout", array.shape, 0, 0, 0, plain_offset, noise_shape, block
    )
    numbers = [
        _counter("seed", seed),
        _counter("stream", stream),
        _counter("offset", offset) if isinstance(offset, jax.Array) else eight_bytes(np.uint64(0)),
    ]
    assert isinstance(draws, tuple)
    first = int(np.uint64(draws[3]).astype(np.int64))
    noise = int(bool(inverted)), first, *strides
    return _compiled(noise, array, _probability(p), *numbers)


def _probability(p: Any) -> Any:
    if not isinstance(p, jax.Array):
        return eight_bytes(probability("dropout", p))
    check_real("dropout", "p", p, "a real number")
    _check_single("p", p)
    return p if p.dtype == np.float64 else p.astype(np.float32)


def _counter(parameter: str, value: Any) -> Any:
    if not isinstance(value, jax.Array):
        return eight_bytes(np.uint64(counter("dropout", parameter, value)))
    if not is_integer(value):
        raise TypeError(f"dropout: {parameter} must be an integer, got {value.dtype}")
    _check_single(parameter, value)
    if value.dtype.itemsize >= 4:
        return value
    return value.astype(np.int32)


def _check_single(parameter: str, value: jax.Array) -> None:
    if value.ndim > 0:
        raise ValueError(f"dropout: {parameter} must be one number, got shape {value.shape}")


@functools.partial(jax.jit, static_argnums=0, inline=True)
def _compiled(noise: Noise, x: jax.Array, *numbers: jax.Array) -> jax.Array:
    return _dropout.bind(x, *numbers, noise=noise)


# A primitive, since no function made of others is known to JAX as linear and to be its own
# transpose, in every combination of transformations.
_dropout = Primitive("bridle_dropout")


@_dropout.def_impl
def _masked(x: jax.Array, *numbers: jax.Array, noise: Noise) -> jax.Array:
    return call("dropout", x, *numbers, noise=np.array(noise, np.int64))


@_dropout.def_abstract_eval
def _like_x(x: Any, *numbers: Any, **settings: Any) -> Any:
    return x.update(weak_type=False)


def _jvp(primals: Any, tangents: Any, **settings: Any) -> tuple[Any, Any]:
    x_dot, p_dot, *_ = tangents
    if not isinstance(p_dot, ad.Zero):
        raise TypeError("dropout: p must not be differentiated, as decisions have no derivative")
    result = _dropout.bind(*primals, **settings)
    if isinstance(x_dot, ad.Zero):
        return result, x_dot
    return result, _dropout.bind(x_dot, *primals[1:], **settings)


def _transposed(cotangent: Any, x: Any, *numbers: Any, **settings: Any) -> list[Any]:
    if not isinstance(cotangent, ad.Zero):
        cotangent = _dropout.bind(cotangent, *numbers, **settings)
    return [cotangent, *(None for _ in numbers)]


def _batched(arguments: Any, axes: Any, **settings: Any) -> tuple[Any, int]:
    """Put what is mapped first, in all arguments: what lies before the dimensions makes rows."""
    (size,) = {a.shape[axis] for a, axis in zip(arguments, axes, strict=True) if axis is not None}
    rows = [
        jnp.broadcast_to(a, (size, *a.shape)) if axis is None else jnp.moveaxis(a, axis, 0)
        for a, axis in zip(arguments, axes, strict=True)
    ]
    return _dropout.bind(*rows, **settings), 0


mlir.register_lowering(_dropout, mlir.lower_fun(_masked, multiple_results=False))
ad.primitive_jvps[_dropout] = _jvp
ad.primitive_transposes[_dropout] = _transposed
batching.primitive_batchers[_dropout] = _batched
