"""What takes a user of NumPy more than a line."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def total_variation(x: NDArray[Any], strength: float, iterations: int) -> NDArray[Any]:
    """The dual by accelerated projected gradients: every z is x minus a difference of sums."""
    sums = np.zeros(x.size - 1)
    ahead, momentum = sums, 1.0
    for _ in range(iterations):
        z = x - np.diff(ahead, prepend=0.0, append=0.0)
        previous, sums = sums, np.clip(ahead - np.diff(z) / 4, -strength, strength)
        following = (1 + np.sqrt(1 + 4 * momentum**2)) / 2
        ahead = sums + (momentum - 1) / following * (sums - previous)
        momentum = following
    return x - np.diff(sums, prepend=0.0, append=0.0)


def adamw(
    w: NDArray[Any],
    gradient: NDArray[Any],
    m: NDArray[Any],
    v: NDArray[Any],
    lr: float,
    iteration: int,
) -> None:
    """A step in place with decay, without l1."""
    m *= 0.9
    m += 0.1 * gradient
    v *= 0.999
    v += 0.001 * gradient * gradient
    step = np.sqrt(v)
    step /= np.sqrt(1 - 0.999**iteration)
    step += 1e-8
    np.divide(m, step, out=step)
    step *= lr / (1 - 0.9**iteration)
    w *= 1 - lr * 1e-2
    w -= step


def adamw_of_rows(
    table: NDArray[Any],
    gradient: NDArray[Any],
    first: NDArray[Any],
    second: NDArray[Any],
    rows: NDArray[Any],
    lr: float,
    iteration: int,
) -> None:
    """Gathered, updated in place and put back."""
    m, v, w = first[rows], second[rows], table[rows]
    adamw(w, gradient, m, v, lr, iteration)
    first[rows], second[rows], table[rows] = m, v, w
