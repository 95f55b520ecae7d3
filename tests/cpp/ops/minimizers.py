"""Write minimizers.inc: minimizers of ½(z - x)² + step·P(z) to the last digit, by mpmath.

Usage: minimizers.py > minimizers.inc (needs mpmath). Numbers are chosen where formulas in double
lose digits: over all exponents, beside the thresholds, and where terms cancel.
"""

import math
import random

from mpmath import mp, mpf

mp.prec = 2000  # more than any difference of products cancels
ROWS = 60


def tie(weight: mpf, power: mpf) -> mpf:
    """Where the objective is as small at zero as at z = x·2(1 - p)/(2 - p)."""
    share = 2 * (1 - power) / (2 - power)
    return (power * weight / ((1 - share) * share ** (1 - power))) ** (1 / (2 - power))


def power_minimizer(x: float, weight: mpf, power: mpf) -> mpf:
    """The minimizer with step·P(z) = weight·z^power."""
    if mpf(x) <= tie(weight, power):
        return mpf(0)
    z = mpf(x)
    for _ in range(40):
        slope = 1 - (1 - power) * power * weight * z ** (power - 2)
        z -= (z - x + power * weight * z ** (power - 1)) / slope
    return z


def log_sum_minimizer(x: float, strength: float, step: float, epsilon: float) -> mpf:
    """The minimizer of the penalty strength·log(1 + z/epsilon)."""
    weight, big, small = mpf(strength) * mpf(step), mpf(x), mpf(epsilon)
    difference, rest = big - small, big * small - weight
    discriminant = difference**2 + 4 * rest
    if discriminant < 0:
        return mpf(0)
    z = (difference + mp.sqrt(discriminant)) / 2
    if z <= 0:
        return mpf(0)
    gain = z**2 / 2 - weight * (mp.log(1 + z / small) - z / (z + small))
    return z if rest > 0 or gain > 0 else mpf(0)


def any_double(source: random.Random, exponents: int) -> float:
    """A positive number of up to that many exponents to either side of 1."""
    return math.ldexp(1 + source.random(), source.randint(-exponents, exponents - 1))


def rows(source: random.Random) -> list[str]:
    """All rows."""
    lines = []
    for row in range(ROWS):
        exponents = (3, 40, 1020)[row % 3]
        beyond = 1 + math.ldexp(source.random(), -source.randint(0, 45))
        strength, step = any_double(source, exponents), any_double(source, min(exponents, 40))
        for k in (2, 3):
            power = mpf(k - 1) / k
            weight = mpf(strength) * mpf(step)
            x = float(tie(weight, power) * beyond)
            lines.append((k, x, strength, step, 1.0, power_minimizer(x, weight, power)))
        epsilon = any_double(source, min(exponents, 500))
        weight = mpf(epsilon) ** 2 * (1, any_double(source, 8), any_double(source, 200))[row % 3]
        strength = float(weight / step)
        x = float(mpf(strength) * step / epsilon * beyond)
        if row % 2:
            x = epsilon * beyond
        lines.append((1, x, strength, step, epsilon, log_sum_minimizer(x, strength, step, epsilon)))
    return [
        "{" + ", ".join([str(k), *(float(value).hex() for value in values)]) + "},"
        for k, *values in lines
        if all(0 < float(value) < math.inf for value in values[:4])
    ]


if __name__ == "__main__":
    print(
        "// By minimizers.py: 1/(1 - p), 1 for the logarithm; x, strength, step, epsilon, result."
    )
    print("\n".join(rows(random.Random(1))))
