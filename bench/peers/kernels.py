"""The work as a user of Numba writes it: parallel loops, without fast-math."""

from __future__ import annotations

from typing import Any

import numba
import numpy as np

jit = numba.njit(parallel=True, fastmath=False)


@jit
def soft_threshold(x: Any, threshold: Any, out: Any) -> Any:
    for i in numba.prange(x.size):
        out[i] = x[i] - min(max(x[i], -threshold), threshold)
    return out


@jit
def prox_elastic_net(x: Any, threshold: Any, factor: Any, out: Any) -> Any:
    for i in numba.prange(x.size):
        out[i] = (x[i] - min(max(x[i], -threshold), threshold)) * factor
    return out


@jit
def scale(x: Any, factor: Any, out: Any) -> Any:
    for i in numba.prange(x.size):
        out[i] = x[i] * factor
    return out


@jit
def prox_l_half(x: Any, strength: Any, jump: Any, out: Any) -> Any:
    for i in numba.prange(x.size):
        size = abs(x[i])
        if size <= jump:
            out[i] = 0
        else:
            cosine = np.float32(-0.75) * strength / size * np.sqrt(np.float32(3) / size)
            angle = np.float32(2 / 3) * np.arccos(cosine)
            out[i] = np.float32(2 / 3) * x[i] * (np.float32(1) + np.cos(angle))
    return out


@jit
def prox_log_sum(x: Any, strength: Any, epsilon: Any, jump: Any, out: Any) -> Any:
    for i in numba.prange(x.size):
        size = abs(x[i])
        if size <= jump:
            out[i] = 0
        else:
            total = size + epsilon
            root = np.sqrt(total * total - np.float32(4) * strength)
            out[i] = np.copysign(np.float32(0.5) * (total + root) - epsilon, x[i])
    return out


@jit
def elastic_net_gradient(x: Any, l1: Any, twice_l2: Any, out: Any) -> Any:
    for i in numba.prange(x.size):
        out[i] = l1 * np.sign(x[i]) + twice_l2 * x[i]
    return out


@jit
def l1_penalty(x: Any, strength: Any) -> Any:
    total = 0.0
    for i in numba.prange(x.size):
        total += abs(x[i])
    return strength * total


@jit
def l2_penalty(x: Any, strength: Any) -> Any:
    total = 0.0
    for i in numba.prange(x.size):
        total += x[i] * x[i]
    return strength * total


@jit
def elastic_net_penalty(x: Any, l1: Any, l2: Any) -> Any:
    absolute = 0.0
    squares = 0.0
    for i in numba.prange(x.size):
        absolute += abs(x[i])
        squares += x[i] * x[i]
    return l1 * absolute + l2 * squares


@jit
def dropout(x: Any, p: Any, factor: Any, out: Any) -> Any:
    for i in numba.prange(x.size):
        draw = np.random.random()  # noqa: NPY002, Numba shares no Generator among threads
        out[i] = np.float32(0) if draw < p else x[i] * factor
    return out
