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
IN_TURN = 10  # steps of a training loop, which waits for JAX when it looks at a result


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

    def write(self, array: NDArray[np.float32], threshold: float, calls: int) -> None:
        for _ in range(calls):
            self.last = br.soft_threshold(array, threshold, out=array)

    def donate(self, program: Callable[[Any], Any], calls: int) -> None:
        for _ in range(calls):
            self.traced = program(self.traced)
        self.last = self.traced.block_until_ready()

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
    for title, calls in (("one call", 1), (f"{IN_TURN} in turn", IN_TURN)):
        code = {
            "bridle": f"arrays.donate(ours, {calls})",
            "on NumPy's memory": f"arrays.write(arrays.plain, t, {calls})",
            "on small pages": f"arrays.write(arrays.small, t, {calls})",
            "XLA": f"arrays.donate(fused, {calls})",
            "in-place scale": f"for _ in range({calls}): {LIMITS['in-place scale']}",
        }
        yield Work(
            f"soft_threshold in jax, donated, {title}, {short(n)}",
            n,
            "arrays",
            "elementwise",
            code,
            "in-place scale",
            (Goal("on NumPy's memory", 0.9), Goal("on small pages", 0.9)),
            prepare=PREPARE,
            family="donated",
            item=8 * calls,
        )
