"""What is timed of JAX: a step on memory that is donated, beside the same call on NumPy's."""

from __future__ import annotations

import importlib.util
import mmap
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from bench.peers.works import LIMITS, Goal, Work, short
from numpy.typing import NDArray

import bridle as br

MOST = 10_000_000  # elements
PREPARE = (
    "from bench.peers.donated import Arrays, programs;"
    " arrays = Arrays(original); ours, fused = programs(t)"
)
SOFT_THRESHOLD = {
    "bridle": "arrays.donate(ours)",
    "on NumPy's memory": "arrays.write(arrays.plain, t)",
    "on small pages": "arrays.write(arrays.small, t)",
    "XLA": "arrays.donate(fused)",
}


class Arrays:
    """Arrays that are worked on in place; the last one is seen.

    NumPy asks Linux for huge pages and JAX does not: what JAX adds to a call tells the one on pages
    of its size, and what a user gets the one on NumPy's memory.
    """

    def __init__(self, original: NDArray[np.float32]) -> None:
        self.original = original
        self.small = np.frombuffer(mmap.mmap(-1, original.nbytes), original.dtype)
        self.fill(0.0)

    def fill(self, _: float) -> None:
        """Give all of them the numbers from before."""
        from jax import numpy as jnp

        self.traced: Any = jnp.array(self.original)
        self.plain = self.original.copy()
        np.copyto(self.small, self.original)
        self.last: Any = self.plain

    def write(self, array: NDArray[np.float32], threshold: float) -> None:
        self.last = br.soft_threshold(array, threshold, out=array)

    def donate(self, program: Callable[[Any], Any]) -> None:
        self.last = self.traced = program(self.traced).block_until_ready()

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        return np.array(self.last, dtype)


def programs(threshold: float) -> tuple[Callable[[Any], Any], Callable[[Any], Any]]:
    """Compile bridle's operator and XLA's own, which writes to the memory of its argument, too."""
    import jax
    from jax import numpy as jnp

    import bridle.jax

    def ours(x: Any) -> Any:
        return bridle.jax.soft_threshold(x, threshold)

    def fused(x: Any) -> Any:
        return x - jnp.clip(x, -threshold, threshold)

    return jax.jit(ours, donate_argnums=0), jax.jit(fused, donate_argnums=0)


def donated(n: int) -> Iterator[Work]:
    """Every row of the family, where JAX is installed."""
    if not importlib.util.find_spec("jax"):
        return
    n = min(n, MOST)
    code = SOFT_THRESHOLD | {"in-place scale": LIMITS["in-place scale"]}
    goals = Goal("on NumPy's memory", 0.9), Goal("on small pages", 0.9)
    name = f"soft_threshold in jax, donated, {short(n)}"
    yield Work(
        name, n, "arrays", "elementwise", code, "in-place scale", goals, None, PREPARE, "donated"
    )
