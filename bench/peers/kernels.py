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
def hard_threshold(x: Any, threshold: Any, out: Any) -> Any:
    for i in numba.prange(x.size):
        out[i] = x[i] if abs(x[i]) > threshold else np.float32(0)
    return out


@jit
def project_box(x: Any, lower: Any, upper: Any, out: Any) -> Any:
    for i in numba.prange(x.size):
        out[i] = min(max(x[i], lower), upper)
    return out


@jit
def prox_mcp(x: Any, strength: Any, gamma: Any, out: Any) -> Any:
    """As skglm has it, for a step of 1 < gamma."""
    one = np.float32(1)
    for i in numba.prange(x.size):
        size = abs(x[i])
        if size <= strength:
            out[i] = 0
        elif size > gamma * strength:
            out[i] = x[i]
        else:
            out[i] = np.sign(x[i]) * (size - strength) / (one - one / gamma)
    return out


@jit
def prox_scad(x: Any, strength: Any, gamma: Any, out: Any) -> Any:
    """As skglm has it, for a step of 1 < gamma - 1."""
    one, two = np.float32(1), np.float32(2)
    for i in numba.prange(x.size):
        size = abs(x[i])
        if size <= two * strength:
            out[i] = np.sign(x[i]) * max(size - strength, np.float32(0))
        elif size <= gamma * strength:
            out[i] = ((gamma - one) * x[i] - np.sign(x[i]) * gamma * strength) / (gamma - two)
        else:
            out[i] = x[i]
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
