"""Elementwise operators and their derivatives."""

from __future__ import annotations

import functools
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from bridle import _call, _core
from bridle.jax._arrays import Array, check_real, compute_type, float_array
from bridle.jax._calls import call
from bridle.jax._tangents import known, like, times, total


def soft_threshold(x: Array, threshold: Array) -> jax.Array:
    r"""Move every element towards zero by ``threshold``, stopping at zero.

    `bridle.soft_threshold` for JAX, with the same bits. The derivative is that of the result where
    it is not zero, and 0 where it is, at the kink :math:`|x| = t`, too; it is 1 everywhere where
    ``threshold`` is 0.

    Parameters
    ----------
    x : array
        Weights, of any shape; real. Integers get JAX's default float type.
    threshold : array or number
        :math:`t \ge 0`; one number, or an array that is broadcast against ``x``. It never changes
        the type of the result.

    Returns
    -------
    jax.Array
        Of the type of ``x``. Under ``jit`` it takes the memory of ``x``, if that is not needed any
        more: what another operation computed, or an argument that is donated.

    Raises
    ------
    ValueError
        If a threshold that JAX does not trace, of Python or NumPy, is negative or NaN. What JAX has
        in its own arrays is checked when the program runs: then the error is a
        ``jax.errors.JaxRuntimeError`` with the same words.
    TypeError
        If an argument is no array of real numbers.
    NotImplementedError
        If JAX compiles it for anything but the CPU.

    Examples
    --------
    >>> import jax
    >>> import jax.numpy as jnp
    >>> import bridle.jax
    >>> bridle.jax.soft_threshold(jnp.array([-3.0, 0.5, 2.0]), 1.0)
    Array([-2.,  0.,  1.], dtype=float32)

    In place, as the arrays that a step donates are not needed any more:

    >>> def step(w, gradient, learning_rate):
    ...     return bridle.jax.soft_threshold(w - learning_rate * gradient, learning_rate * 0.5)
    >>> step = jax.jit(step, donate_argnums=0)
    >>> step(jnp.array([0.30, -0.02, 0.01]), jnp.zeros(3), 0.1)
    Array([0.25, 0.  , 0.  ], dtype=float32)
    """
    return _apply("soft_threshold", x, threshold)


def prox_elastic_net(x: Array, l1: Array, l2: Array, step: Array = 1.0) -> jax.Array:
    r"""Soft-threshold, then shrink: the proximal operator of the elastic net.

    `bridle.prox_elastic_net` for JAX, with the same bits. The derivative of the first part is that
    of `soft_threshold`.

    Parameters
    ----------
    x : array
        Weights, of any shape.
    l1, l2 : array or number
        :math:`\lambda_1, \lambda_2 \ge 0`, the strengths of the absolute values and of the plain
        squares (no factor ½); broadcast against ``x``.
    step : array or number, default 1.0
        :math:`\eta \ge 0`, the learning rate.

    Returns
    -------
    jax.Array
        Of the type of ``x``; see `soft_threshold`, also for what is raised.

    Examples
    --------
    >>> import jax.numpy as jnp
    >>> import bridle.jax
    >>> bridle.jax.prox_elastic_net(jnp.array([-3.0, 0.5, 2.0]), l1=1.0, l2=0.5)
    Array([-1. ,  0. ,  0.5], dtype=float32)
    """
    return _apply("prox_elastic_net", x, l1, l2, step)


def decay(w: Array, rate: Array) -> jax.Array:
    r"""Decoupled weight decay: shrink every weight by the same fraction.

    `bridle.decay` for JAX, with the same bits.

    Parameters
    ----------
    w : array
        Weights, of any shape.
    rate : array or number
        :math:`0 \le r \le 1`, learning rate times weight decay; broadcast against ``w``.

    Returns
    -------
    jax.Array
        Of the type of ``w``; see `soft_threshold`, also for what is raised.

    Examples
    --------
    >>> import jax.numpy as jnp
    >>> import bridle.jax
    >>> bridle.jax.decay(jnp.array([-3.0, 0.5, 2.0]), 0.5)
    Array([-1.5 ,  0.25,  1.  ], dtype=float32)
    """
    return _apply("decay", w, rate)


def _apply(name: str, x: Array, *parameters: Array) -> jax.Array:
    array = float_array(name, x)
    numbers = [_parameter(name, i, value, array) for i, value in enumerate(parameters)]
    return _compiled(name, array, *numbers)


def _parameter(name: str, index: int, value: Any, x: jax.Array) -> Any:
    """Check a parameter; what JAX traces, or has in its own arrays, when the program runs."""
    if isinstance(value, jax.Array):
        rule = "a real number or an array of them"
        check_real(name, _core.elementwise_operators[name][index], value, rule)
        return value
    with np.errstate(over="ignore"):  # a large number is infinite in float32
        return np.asarray(_call.parameter(name, index, value), compute_type(x))


@functools.partial(jax.jit, static_argnums=0, inline=True)
def _compiled(name: str, x: jax.Array, *parameters: jax.Array) -> jax.Array:
    shape = jnp.broadcast_shapes(x.shape, *(parameter.shape for parameter in parameters))
    whole = jnp.broadcast_to(x, shape)
    numbers = [_rows(parameter.astype(compute_type(x)), shape) for parameter in parameters]
    return _FUNCTIONS[name](whole, *numbers)


def _rows(parameter: jax.Array, shape: tuple[int, ...]) -> jax.Array:
    """Return one number for each row of an array, or for each element, or one for all.

    One for each column is repeated, as it would be for any operation that is not fused.
    """
    padded = (1,) * (len(shape) - parameter.ndim) + parameter.shape
    outer = max((axis + 1 for axis, length in enumerate(padded) if length != 1), default=0)
    return jnp.broadcast_to(parameter.reshape(padded[:outer]), shape[:outer])


def _beside(y: jax.Array, number: jax.Array) -> jax.Array:
    """Return the numbers of rows as what is broadcast against the elements."""
    return number.reshape(number.shape + (1,) * (y.ndim - number.ndim))


def _tangents(y: jax.Array, tangents: Any) -> list[Any]:
    """Return the tangents of an array and of its parameters in the type that it is computed in."""
    x_dot, *others = map(known, tangents)
    numbers = [None if number is None else _beside(y, number) for number in others]
    return [None if x_dot is None else x_dot.astype(compute_type(y)), *numbers]


def _product(a: jax.Array, b: jax.Array) -> jax.Array:
    """Return the product of two numbers >= 0; a zero is "no penalty", also beside an infinity."""
    return jnp.where((a == 0) | (b == 0), 0, a * b)


def _shrinking(y: jax.Array, is_off: jax.Array, x_dot: Any, threshold_dot: Any) -> Any:
    """Return the tangent of soft-thresholding whose result has the sign of ``y``."""
    inner = total(x_dot, None if threshold_dot is None else -jnp.sign(y) * threshold_dot)
    return None if inner is None else jnp.where((y != 0) | is_off, inner, 0)


@jax.custom_jvp
def _soft_threshold(x: jax.Array, threshold: jax.Array) -> jax.Array:
    return call("soft_threshold", x, threshold)


def _soft_threshold_jvp(primals: Any, tangents: Any) -> tuple[Any, Any]:
    y = _soft_threshold(*primals)
    wide = y.astype(compute_type(y))
    x_dot, threshold_dot = _tangents(y, tangents)
    tangent = _shrinking(wide, _beside(y, primals[1]) == 0, x_dot, threshold_dot)
    return y, like(tangent, y)


@jax.custom_jvp
def _prox_elastic_net(x: jax.Array, l1: jax.Array, l2: jax.Array, step: jax.Array) -> jax.Array:
    return call("prox_elastic_net", x, l1, l2, step)


def _prox_elastic_net_jvp(primals: Any, tangents: Any) -> tuple[Any, Any]:
    y = _prox_elastic_net(*primals)
    wide = y.astype(compute_type(y))
    l1, l2, step = (_beside(y, number) for number in primals[1:])
    x_dot, l1_dot, l2_dot, step_dot = _tangents(y, tangents)
    threshold_dot = total(times(step_dot, l1), times(l1_dot, step))
    divisor_dot = total(times(step_dot, 2 * l2), times(l2_dot, 2 * step))
    is_off = (step == 0) | (l1 == 0)
    tangent = total(
        _shrinking(wide, is_off, x_dot, threshold_dot),
        None if divisor_dot is None else -wide * divisor_dot,
    )
    divisor = 1 + 2 * _product(step, l2)
    return y, like(None if tangent is None else tangent / divisor, y)


@jax.custom_jvp
def _decay(w: jax.Array, rate: jax.Array) -> jax.Array:
    return call("decay", w, rate)


def _decay_jvp(primals: Any, tangents: Any) -> tuple[Any, Any]:
    w, rate = primals
    y = _decay(w, rate)
    w_dot, rate_dot = _tangents(y, tangents)
    tangent = total(times(w_dot, 1 - _beside(y, rate)), times(rate_dot, -w.astype(rate.dtype)))
    return y, like(tangent, y)


_soft_threshold.defjvp(_soft_threshold_jvp, symbolic_zeros=True)
_prox_elastic_net.defjvp(_prox_elastic_net_jvp, symbolic_zeros=True)
_decay.defjvp(_decay_jvp, symbolic_zeros=True)

_FUNCTIONS = {
    "soft_threshold": _soft_threshold,
    "prox_elastic_net": _prox_elastic_net,
    "decay": _decay,
}
