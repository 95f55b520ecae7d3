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
def hard_threshold(x: Any, threshold: Any, out: Any) -> Any:
    for i in numba.prange(x.size):
        out[i] = x[i] if abs(x[i]) > threshold else np.float32(0)
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


@jit
def group_soft_threshold_rows(x: Any, threshold: Any, out: Any) -> Any:
    for i in numba.prange(x.shape[0]):
        total = np.float32(0)
        for j in range(x.shape[1]):
            total += x[i, j] * x[i, j]
        factor = max(np.float32(1) - threshold / np.sqrt(total), np.float32(0))
        for j in range(x.shape[1]):
            out[i, j] = x[i, j] * factor
    return out


@jit
def group_soft_threshold_columns(x: Any, threshold: Any, out: Any, threads: Any) -> Any:
    rows, columns = x.shape
    parts = np.zeros((threads, columns))
    for part in numba.prange(threads):
        for i in range(part * rows // threads, (part + 1) * rows // threads):
            for j in range(columns):
                parts[part, j] += x[i, j] * x[i, j]
    factors = np.maximum(1 - threshold / np.sqrt(parts.sum(0)), 0).astype(np.float32)
    for i in numba.prange(rows):
        for j in range(columns):
            out[i, j] = x[i, j] * factors[j]
    return out


@jit
def group_soft_threshold_labels(
    x: Any, threshold: Any, labels: Any, groups: Any, out: Any, threads: Any
) -> Any:
    parts = np.zeros((threads, groups))
    for part in numba.prange(threads):
        for i in range(part * x.size // threads, (part + 1) * x.size // threads):
            parts[part, labels[i]] += x[i] * x[i]
    factors = np.maximum(1 - threshold / np.sqrt(parts.sum(0)), 0).astype(np.float32)
    for i in numba.prange(x.size):
        out[i] = x[i] * factors[labels[i]]
    return out


@jit
def group_soft_threshold_one(x: Any, threshold: Any, out: Any) -> Any:
    total = 0.0
    for i in numba.prange(x.size):
        total += x[i] * x[i]
    factor = np.float32(max(1 - threshold / np.sqrt(total), 0))
    for i in numba.prange(x.size):
        out[i] = x[i] * factor
    return out


@numba.njit(fastmath=False)
def prox_slope(x: Any, order: Any, strengths: Any, out: Any) -> Any:
    sums = np.empty(x.size)
    counts = np.empty(x.size, np.int64)
    last = -1
    for i in range(x.size):
        last += 1
        sums[last], counts[last] = abs(x[order[i]]) - strengths[i], 1
        while last > 0 and sums[last] * counts[last - 1] >= sums[last - 1] * counts[last]:
            sums[last - 1] += sums[last]
            counts[last - 1] += counts[last]
            last -= 1
    i = 0
    for pool in range(last + 1):
        value = max(sums[pool] / counts[pool], 0.0)
        for _ in range(counts[pool]):
            out[order[i]] = value if x[order[i]] > 0 else -value
            i += 1
    return out


@jit
def two_of_four(x: Any, out: Any) -> Any:
    for i in numba.prange(x.shape[0]):
        a, b, c, d = x[i, 0], x[i, 1], x[i, 2], x[i, 3]
        p, q, r, s = abs(a), abs(b), abs(c), abs(d)
        zero = np.float32(0)
        out[i, 0] = a if (q > p) + (r > p) + (s > p) < 2 else zero
        out[i, 1] = b if (p >= q) + (r > q) + (s > q) < 2 else zero
        out[i, 2] = c if (p >= r) + (q >= r) + (s > r) < 2 else zero
        out[i, 3] = d if (p >= s) + (q >= s) + (r >= s) < 2 else zero
    return out


@jit
def adamw_of_rows(
    table: Any, gradient: Any, first: Any, second: Any, rows: Any, lr: Any, iteration: Any
) -> None:
    """Without l1."""
    one = np.float32(1)
    beta1, beta2, epsilon = np.float32(0.9), np.float32(0.999), np.float32(1e-8)
    kept = np.float32(1 - lr * 1e-2)
    step = np.float32(lr / (1 - 0.9**iteration))
    root = np.float32(np.sqrt(1 - 0.999**iteration))
    for r in numba.prange(rows.size):
        row = rows[r]
        for i in range(gradient.shape[1]):
            g = gradient[r, i]
            m = beta1 * first[row, i] + (one - beta1) * g
            v = beta2 * second[row, i] + np.float32(0.001) * g * g
            first[row, i], second[row, i] = m, v
            table[row, i] = kept * table[row, i] - step * m / (np.sqrt(v) / root + epsilon)
