"""What the operators of slices are, for one vector: slow, by other algorithms than the library's.

Vectors are of extended precision; what must not lose a digit is computed in fractions. A weight is
that of a group, `beside` what lies beside the elements. Elements are finite.
"""

from fractions import Fraction
from itertools import pairwise

import numpy as np

Long = np.longdouble


def norm(x):
    """Return the Euclidean norm; extended precision has room for every square of a float64."""
    return np.sqrt(np.sum(x * x))


def largest(x):
    return np.max(np.abs(x), initial=Long(0))


def fractions(x):
    return [Fraction(float(value)) for value in x]


def extended(values):
    """Return fractions as numbers of extended precision."""
    head = [float(value) for value in values]
    tail = [float(value - Fraction(h)) for value, h in zip(values, head, strict=True)]
    return np.array(head, Long) + np.array(tail, Long)


# Groups ------------------------------------------------------------------------------------------


def with_norm(x, change):
    """Return x with another norm; a zero vector stays."""
    size = norm(x)
    return x * (change(size) / size) if size > 0 else np.zeros_like(x)


def group_soft_threshold(x, threshold, weight=1.0):
    return with_norm(x, lambda size: max(size - Long(threshold) * Long(weight), Long(0)))


def soft(x, threshold):
    return np.sign(x) * np.maximum(np.abs(x) - Long(threshold), 0)


def prox_sparse_group(x, l1, group, step, weight=1.0):
    return group_soft_threshold(soft(x, Long(step) * Long(l1)), Long(step) * Long(group), weight)


def prox_linf(x, strength, step, weight=1.0):
    """Every magnitude is cut where what is cut off adds up to the strength."""
    budget = Fraction(float(strength)) * Fraction(float(step)) * Fraction(float(weight))
    sizes = [abs(value) for value in fractions(x)]
    if sum(sizes) <= budget:
        return np.zeros_like(x)
    if budget == 0:
        return x
    level = level_by_sorting(sizes, [Fraction(1)] * len(sizes), budget)
    return np.sign(x) * extended([min(size, level) for size in sizes])


def lowest(candidates, objective):
    """Return the candidate of the lowest objective, of equal ones the smallest."""
    return min(candidates, key=lambda z: (objective(z), z))


def mcp(z, strength, gamma):
    end = gamma * strength
    return strength * z - z * z / (2 * gamma) if z <= end else gamma * strength * strength / 2


def scad(z, strength, gamma):
    if z <= strength:
        return strength * z
    if z <= gamma * strength:
        return (2 * gamma * strength * z - z * z - strength * strength) / (2 * (gamma - 1))
    return strength * strength * (gamma + 1) / 2


def smallest_objective(size, step, penalty, kinks, stationary):
    """Return the minimizer of ½(z - size)² + step·penalty(z) over all points that may be it."""
    candidates = [Long(0), size, *kinks, *(z for z in stationary if z > 0)]
    return lowest(candidates, lambda z: (z - size) ** 2 / 2 + step * penalty(z))


def mcp_of_norm(size, strength, gamma, step):
    curved = 1 - step / gamma
    inner = [(size - step * strength) / curved] if curved != 0 else []
    return smallest_objective(
        size, step, lambda z: mcp(z, strength, gamma), [gamma * strength], inner
    )


def scad_of_norm(size, strength, gamma, step):
    curved = 1 - step / (gamma - 1)
    inner = [(size - step * gamma * strength / (gamma - 1)) / curved] if curved != 0 else []
    return smallest_objective(
        size,
        step,
        lambda z: scad(z, strength, gamma),
        [strength, gamma * strength],
        [size - step * strength, *inner],
    )


def prox_group_mcp(x, strength, gamma, step, weight=1.0):
    own = Long(strength) * Long(weight)
    return with_norm(x, lambda size: mcp_of_norm(size, own, Long(gamma), Long(step)))


def prox_group_scad(x, strength, gamma, step, weight=1.0):
    own = Long(strength) * Long(weight)
    return with_norm(x, lambda size: scad_of_norm(size, own, Long(gamma), Long(step)))


def group_l2_penalty(w, strength, weight=1.0):
    return Long(strength) * Long(weight) * norm(w)


def sparse_group_penalty(w, l1, group, weight=1.0):
    return Long(l1) * np.abs(w).sum() + Long(group) * Long(weight) * norm(w)


def linf_penalty(w, strength, weight=1.0):
    return Long(strength) * Long(weight) * largest(w)


def group_mcp_penalty(w, strength, gamma, weight=1.0):
    return mcp(norm(w), Long(strength) * Long(weight), Long(gamma))


def group_scad_penalty(w, strength, gamma, weight=1.0):
    return scad(norm(w), Long(strength) * Long(weight), Long(gamma))


# Vectors -----------------------------------------------------------------------------------------


def prox_l2_norm(x, strength, step):
    return group_soft_threshold(x, Long(strength) * Long(step))


def not_rising(values):
    """Return the closest vector that nowhere rises: the least of the largest means (min-max)."""
    sums = np.concatenate([[Long(0)], np.cumsum(values)])
    result = np.full(values.size, np.inf, Long)
    for first in range(values.size):
        means = (sums[first + 1 :] - sums[first]) / np.arange(1, values.size - first + 1)
        best = np.maximum.accumulate(means[::-1])[::-1]
        result[first:] = np.minimum(result[first:], best)
    return result


def prox_slope(x, strengths, step):
    order = np.argsort(-np.abs(x), kind="stable")
    pooled = not_rising(np.abs(x)[order] - Long(step) * np.asarray(strengths, Long))
    result = np.zeros_like(x)
    result[order] = np.maximum(pooled, 0)
    return np.sign(x) * result


def slope_penalty(w, strengths):
    return np.sum(np.asarray(strengths, Long) * np.sort(np.abs(w))[::-1])


def above(values, strength, left, right):
    """Return which elements lie above zero where it is cheapest that some do, and if any gains.

    The minimum of strength·Σ|s[i+1] - s[i]| - Σ values·s over s in {0, 1}; a neighbour is a label
    too, if it has a sign.
    """
    cost = [Long(0), Long(0)]
    came_from = []
    for i, value in enumerate(values):
        change = [[0, strength], [strength, 0]] if i > 0 else [[0, 0], [0, 0]]
        steps = [[cost[a] + change[a][b] for a in (0, 1)] for b in (0, 1)]
        came_from.append([0 if step[0] <= step[1] else 1 for step in steps])
        cost = [min(steps[0]), min(steps[1]) - value]
        if i == 0:
            cost[1] -= strength * left
    cost[1] -= strength * right
    scale = np.abs(values).max() + strength
    label = 0 if cost[0] <= cost[1] else 1
    labels = [label]
    for choice in reversed(came_from[1:]):
        labels.append(choice[labels[-1]])
    gains = min(cost) < -scale * len(values) * Long(1e-17)
    return labels[::-1], gains


def prox_total_variation(x, strength, step):
    """A run whose mean is not its value is split where it lies above and below the mean."""
    weight, result = Long(strength) * Long(step), np.empty_like(x)
    runs = [(0, x.size, 0, 0)]
    while runs:
        begin, end, left, right = runs.pop()
        if begin == end:
            continue
        mean = x[begin:end].mean() + weight * (left + right) / (end - begin)
        labels, gains = above(x[begin:end] - mean, weight, left, right)
        if not gains or len(set(labels)) == 1:
            result[begin:end] = mean
            continue
        cuts = [0, *(np.flatnonzero(np.diff(labels)) + 1), end - begin]
        for first, last in pairwise(cuts):
            side = 1 if labels[first] == 0 else -1
            runs.append(
                (
                    begin + first,
                    begin + last,
                    left if first == 0 else side,
                    right if last == end - begin else side,
                )
            )
    return result


def total_variation_penalty(w, strength):
    return Long(strength) * np.abs(np.diff(w)).sum()


# Projections -------------------------------------------------------------------------------------


def level_by_sorting(sizes, weights, radius):
    """Return the t with which Σ weights·max(sizes - t·weights, 0) = radius, radius > 0."""
    order = sorted(range(len(sizes)), key=lambda i: sizes[i] / weights[i], reverse=True)
    excess, squares, level = -radius, Fraction(0), None
    for i in order:
        if level is not None and sizes[i] <= level * weights[i]:
            break
        excess += weights[i] * sizes[i]
        squares += weights[i] ** 2
        level = excess / squares
    return level


def project_simplex(x, radius):
    if radius == 0 or x.size == 0:
        return np.zeros_like(x)
    values = fractions(x)
    level = level_by_sorting(values, [Fraction(1)] * x.size, Fraction(float(radius)))
    return extended([max(value - level, Fraction(0)) for value in values])


def project_weighted_l1_ball(x, weights, radius):
    sizes, shares = [abs(value) for value in fractions(x)], fractions(weights)
    if sum(a * b for a, b in zip(sizes, shares, strict=True)) <= Fraction(float(radius)):
        return x
    if radius == 0:
        return np.where(np.asarray(weights) > 0, np.zeros_like(x), x)
    used = [i for i, share in enumerate(shares) if share > 0]
    level = level_by_sorting(
        [sizes[i] for i in used], [shares[i] for i in used], Fraction(float(radius))
    )
    cut = [max(a - level * b, Fraction(0)) for a, b in zip(sizes, shares, strict=True)]
    return np.sign(x) * extended(cut)


def project_l1_ball(x, radius):
    return project_weighted_l1_ball(x, np.ones(x.size), radius)


def project_l2_ball(x, radius):
    return with_norm(x, lambda size: min(size, Long(radius)))


def project_linf_ball(x, radius):
    return np.clip(x, -Long(radius), Long(radius))


def keep_largest(x, k):
    result = np.zeros_like(x)
    kept = np.argsort(-np.abs(x), kind="stable")[:k]
    result[kept] = x[kept]
    return result


def project_l0_ball(x, k):
    return keep_largest(x, k)


def project_n_m(x, n, m):
    return np.concatenate([x[:0], *[keep_largest(x[i : i + m], n) for i in range(0, x.size, m)]])


def onto_plane(x, normal, offset, only_above):
    excess = sum(
        (a * b for a, b in zip(fractions(x), fractions(normal), strict=True)),
        -Fraction(float(offset)),
    )
    if only_above and excess <= 0:
        return x
    factor = excess / sum(value**2 for value in fractions(normal))
    moved = [a - factor * b for a, b in zip(fractions(x), fractions(normal), strict=True)]
    return extended(moved)


def project_halfspace(x, normal, offset):
    return onto_plane(x, normal, offset, only_above=True)


def project_hyperplane(x, normal, offset):
    return onto_plane(x, normal, offset, only_above=False)


def min_max_norm(x, min_value, max_value, rate):
    def change(size):
        inside = min(max(size, Long(min_value)), Long(max_value))
        return Long(rate) * inside + (1 - Long(rate)) * size

    return with_norm(x, change)


def max_norm(x, max_value):
    return min_max_norm(x, 0.0, max_value, 1.0)


def unit_norm(x):
    return min_max_norm(x, 1.0, 1.0, 1.0)
