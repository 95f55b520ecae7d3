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
