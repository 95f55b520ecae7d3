"""Steps of AdamW must move weights and moments as the formula says, before they are timed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from bench.peers.arrays import ITERATION, STILL, restore, use_learning_rate
from bench.peers.works import DECAY, L1, Work
from numpy.typing import NDArray

Array = NDArray[Any]

LEARNING_RATE = 1e-2  # large enough for float32 to show it
BETAS, EPSILON = (0.9, 0.999), 1e-8
WITHOUT_DECAY = {"plain"}
WITHOUT_L1 = WITHOUT_DECAY | {"NumPy", "Numba", "PyTorch", "one pass in C++"}
CHUNK = 1 << 16


@dataclass(frozen=True)
class Operands:
    """The arrays of a step; the moments are zero before it."""

    w: Array
    start: Array
    """What the weights are before it; of some rows of a table, these rows."""
    gradient: Array
    moments: tuple[Array, Array]
    copy: Array | None = None
    """Takes the new weights in bfloat16."""
    rows: Array | None = None
    """Those of the table, where it is not all of them."""
    whole: tuple[Array, Any] | None = None
    """The array of which nothing may change but these weights, and what it is before."""

    def chunks(self) -> Iterator[tuple[Array, ...]]:
        """Give start, gradient, new weights, moments and copy in pieces, in double precision."""
        new = [self.w, *self.moments, self.w if self.copy is None else self.copy]
        size = max(1, CHUNK // self.w[:1].size)
        for i in range(0, len(self.start), size):
            part = slice(i, i + size)
            where = part if self.rows is None else self.rows[part]
            pieces = [self.start[part], self.gradient[part], *(array[where] for array in new)]
            yield tuple(piece.astype(np.float64) for piece in pieces)


def check_update(work: Work, contender: str, names: dict[str, Any]) -> None:
    """Raise AssertionError unless a step of this contender is that of the formula."""
    restore(names)
    use_learning_rate(names, LEARNING_RATE)
    every = OPERANDS[work.check](names, contender)
    for operands in every:
        for moment in operands.moments:
            moment.fill(0)
    exec(work.statements[contender], names)
    use_learning_rate(names, STILL)
    for operands in every:
        _check_operands(f"{work.name}: {contender}", operands, contender)


def _check_operands(what: str, operands: Operands, contender: str) -> None:
    stochastic = operands.moments[0].itemsize == 2
    decay = 0.0 if contender in WITHOUT_DECAY else DECAY
    l1 = 0.0 if contender in WITHOUT_L1 else L1
    for chunk in operands.chunks():
        assert _is_right(chunk, decay, l1, stochastic), f"{what} is wrong"
    if operands.whole:
        changed = np.count_nonzero(operands.whole[0] != operands.whole[1])
        assert changed <= operands.start.size, f"{what} writes elsewhere"


def _is_right(chunk: tuple[Array, ...], decay: float, l1: float, stochastic: bool) -> bool:
    start, gradient, w, m, v, copy = chunk
    first, second = (1 - BETAS[0]) * gradient, (1 - BETAS[1]) * gradient * gradient
    left = [1 - beta**ITERATION for beta in BETAS]
    step = LEARNING_RATE / (np.sqrt(second / left[1]) + EPSILON)
    wanted = (1 - LEARNING_RATE * decay) * start - step * first / left[0]
    wanted -= np.clip(wanted, -step * l1, step * l1)
    moved = np.abs(w - wanted) <= 1e-6 * (1 + np.abs(wanted))
    unit = 2.0**-7 if stochastic else 1e-5  # bfloat16's, which is rounded at random
    kept = [np.abs(a - b) <= unit * np.abs(b) + 1e-37 for a, b in ((m, first), (v, second))]
    copied = np.abs(copy - w) <= 2.0 ** (-7 if stochastic else -8) * np.abs(w)
    return bool(moved.all() and all(moment.all() for moment in kept) and copied.all())


def _plain(names: dict[str, Any], contender: str) -> list[Operands]:
    original = names["original"]
    return [Operands(names["x"], original, original, (names["out"], names["tmp"]))]


def _mixed(names: dict[str, Any], contender: str) -> list[Operands]:
    moments = (names["out"], names["tmp"])
    return [Operands(names["x"], names["original"], names["h"], moments, names["copy"])]


def _halves(names: dict[str, Any], contender: str) -> list[Operands]:
    moments = (names["first"], names["second"])
    return [Operands(names["x"], names["original"], names["h"], moments, names["copy"])]


def _matrices(names: dict[str, Any], contender: str) -> list[Operands]:
    w, gradient, m, v = names["strided" if contender == "bridle" else "contiguous"]
    return [Operands(w, gradient, gradient, (m, v), whole=(names["x"], names["original"]))]


def _table(names: dict[str, Any], contender: str) -> list[Operands]:
    table, gradient, m, v = (names[name] for name in ("table", "gradient", "first", "second"))
    table.fill(1)
    start = np.ones_like(gradient)
    return [Operands(table, start, gradient, (m, v), rows=names["rows"], whole=(table, 1))]


def _optimizer(names: dict[str, Any], contender: str) -> list[Operands]:
    if contender == "PyTorch":
        return _plain(names, contender)
    if contender == "one array":
        x, original, state = names["x"], names["original"], names["single"].state
        return [Operands(x, original, original, (*state.values(),))]
    moments = zip(*names["optimizer"].state.values(), strict=True)
    lists = zip(names["xs"], names["originals"], moments, strict=True)
    return [Operands(w, gradient, gradient, both) for w, gradient, both in lists]


# What the rows of the benchmark with each kind of check update.
OPERANDS: dict[str, Callable[[dict[str, Any], str], list[Operands]]] = {
    "update": _plain,
    "mixed": _mixed,
    "half moments": _halves,
    "matrix": _matrices,
    "table": _table,
    "optimizer": _optimizer,
}
