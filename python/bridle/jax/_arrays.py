"""What the functions take: arrays of JAX, or what JAX makes one of, and numbers."""

from __future__ import annotations

from typing import Any, TypeAlias

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import ArrayLike

from bridle._call import FLOATS, is_masked, shown

Array: TypeAlias = jax.Array | ArrayLike


def float_array(name: str, x: Any) -> jax.Array:
    """Return an array of a float type; integers get JAX's default one, as in jax.numpy."""
    if is_masked(x) or not (hasattr(x, "dtype") or isinstance(x, int | float)):
        raise TypeError(f"{name}: the array must be one of JAX or NumPy, got {shown(x)}")
    array = x if isinstance(x, jax.Array) else jnp.asarray(x)
    if is_integer(array) or array.dtype == np.bool_:
        return array.astype(float)
    if str(array.dtype) not in FLOATS:
        raise TypeError(
            f"{name}: the array must be of type float16, bfloat16, float32, float64 or integer, "
            f"got {array.dtype}"
        )
    return array


def is_integer(array: jax.Array) -> bool:
    """Whether the elements are integers."""
    return jnp.issubdtype(array.dtype, np.integer)


def check_real(name: str, parameter: str, value: jax.Array, rule: str) -> None:
    """Check the type of an array whose values are checked when the program runs."""
    if not (
        is_integer(value) or jnp.issubdtype(value.dtype, np.floating) or value.dtype == np.bool_
    ):
        raise TypeError(f"{name}: {parameter} must be {rule}, got {value.dtype}")


def compute_type(x: jax.Array) -> np.dtype[Any]:
    """Return the type in which an array is computed: float32 for halves."""
    return np.dtype(np.float64 if x.dtype == np.float64 else np.float32)
