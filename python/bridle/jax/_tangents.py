"""Tangents of derivative rules, of which those of constants are None."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
from jax.custom_derivatives import SymbolicZero


def known(tangent: Any) -> Any:
    """Return a tangent, or None where it is zero because nothing depends on it."""
    return None if type(tangent) is SymbolicZero else tangent


def total(*tangents: Any) -> Any:
    """Return the sum of those that are known."""
    first, *others = [tangent for tangent in tangents if tangent is not None] or [None]
    return sum(others, start=first)


def times(tangent: Any, factor: Any) -> Any:
    """Return a tangent times a factor."""
    return None if tangent is None else tangent * factor


def like(tangent: Any, y: jax.Array) -> jax.Array:
    """Return what a rule has found as the tangent of ``y``: of its type, and rounded once."""
    if tangent is None:
        return jnp.zeros_like(y)
    return jnp.broadcast_to(tangent, y.shape).astype(y.dtype)
