"""Penalties and their derivatives."""

from __future__ import annotations

import functools
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from bridle import _call
from bridle._types import Axis
from bridle.jax._arrays import Array, check_real, compute_type, float_array
from bridle.jax._calls import call, eight_bytes
from bridle.jax._tangents import known, like, times, total


def l1_penalty(
    w: Array, strength: Array = 1.0, *, axis: Axis | None = None, keepdims: bool = False
) -> jax.Array:
    r"""Sum of the absolute values.

    `bridle.l1_penalty` for JAX: accumulated in float64 in the same order, whether JAX has that type
    or not, and rounded once to the type of the result. The derivative is that of
    `bridle.elastic_net_gradient`, :math:`\lambda \operatorname{sign}(w)`, 0 at zero.

    Parameters
    ----------
    w : array
        Weights, of any shape.
    strength : array or number, default 1.0
        :math:`\lambda \ge 0`, one number.
    axis : int or tuple of int, optional
        The axes to sum over; all of them by default.
    keepdims : bool, default False
        Keep the axes that were summed over, with length one.

    Returns
    -------
    jax.Array
        Of type float32; of type float64 for weights of that type.

    Raises
    ------
    ValueError
        If ``strength`` is negative or NaN, or no single number; see `soft_threshold`.
    TypeError, NotImplementedError
        As in `soft_threshold`.

    Examples
    --------
    >>> import jax
    >>> import jax.numpy as jnp
    >>> import bridle.jax
    >>> w = jnp.array([-3.0, 0.5, 0.0])
    >>> bridle.jax.l1_penalty(w, 0.1)
    Array(0.35, dtype=float32)
    >>> jax.grad(bridle.jax.l1_penalty)(w, 0.1)
    Array([-0.1,  0.1,  0. ], dtype=float32)
    """
    return _apply("l1_penalty", w, strength, axis, keepdims)


def l2_penalty(
    w: Array, strength: Array = 1.0, *, axis: Axis | None = None, keepdims: bool = False
) -> jax.Array:
    r"""Sum of the squares, without a factor ½.

    `bridle.l2_penalty` for JAX. The derivative is :math:`2 \lambda w`.

    Parameters
    ----------
    w, strength, axis, keepdims
        As for `l1_penalty`.

    Returns
    -------
    jax.Array
        As `l1_penalty` does, also for what is raised.

    Examples
    --------
    >>> import jax.numpy as jnp
    >>> import bridle.jax
    >>> bridle.jax.l2_penalty(jnp.array([[-3.0, 0.5], [2.0, 0.0]]), 0.5, axis=1)
    Array([4.625, 2.   ], dtype=float32)
    """
    return _apply("l2_penalty", w, strength, axis, keepdims)


def _apply(name: str, w: Array, strength: Any, axis: Axis | None, keepdims: bool) -> jax.Array:
    array = float_array(name, w)
    axes: Any = tuple(range(array.ndim)) if axis is None else axis
    summed = np.lib.array_utils.normalize_axis_tuple(axes, array.ndim)
    if np.ndim(strength) > 0:
        raise ValueError(f"{name}: strength must be one number, got shape {np.shape(strength)}")
    exact = None
    if isinstance(strength, jax.Array):
        check_real(name, "strength", strength, "a real number")
    else:
        strength = _call.parameter(name, 0, strength)
        exact = eight_bytes(strength)
        with np.errstate(over="ignore"):
            strength = np.asarray(strength, compute_type(array))
    return _compiled(name, tuple(sorted(summed)), keepdims, array, strength, exact)


@functools.partial(jax.jit, static_argnums=(0, 1, 2), inline=True)
def _compiled(
    name: str,
    axes: tuple[int, ...],
    keepdims: bool,
    w: jax.Array,
    strength: jax.Array,
    exact: jax.Array | None,
) -> jax.Array:
    kept = w.ndim - len(axes)
    rows = jnp.moveaxis(w, axes, range(kept, w.ndim))
    result = _penalty(name, kept, rows, strength.astype(compute_type(w)), exact)
    return jnp.expand_dims(result, axes) if keepdims else result


@functools.partial(jax.custom_jvp, nondiff_argnums=(0, 1))
def _penalty(
    name: str, kept: int, w: jax.Array, strength: jax.Array, exact: jax.Array | None
) -> jax.Array:
    """Sum over all axes but the first ``kept``; the strength is ``exact``, where that is given."""
    result = jax.ShapeDtypeStruct(w.shape[:kept], compute_type(w))
    return call(name, w, strength if exact is None else exact, result=result)


def _penalty_jvp(name: str, kept: int, primals: Any, tangents: Any) -> tuple[Any, Any]:
    w, strength, _ = primals
    w_dot, strength_dot = map(known, tangents[:2])
    penalty = _penalty(name, kept, *primals)
    wide = w.astype(strength.dtype)
    slope = strength * jnp.sign(wide) if name == "l1_penalty" else 2 * strength * wide
    moved = None if w_dot is None else jnp.sum(slope * w_dot, axis=tuple(range(kept, w.ndim)))
    plain = None
    if strength_dot is not None:
        plain = _penalty(name, kept, w, jnp.ones_like(strength), None)
    return penalty, like(total(moved, times(strength_dot, plain)), penalty)


_penalty.defjvp(_penalty_jvp, symbolic_zeros=True)
