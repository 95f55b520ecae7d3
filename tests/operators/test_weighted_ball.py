"""The weighted l1 ball beside fractions, however small the radius is beside the elements."""

from fractions import Fraction

import numpy as np
import pytest

import bridle as br

from ..slice_definitions import fractions, level_by_sorting

RATIOS = (1e-1, 1e-6, 1e-11, 1e-13, 1e-16, 1e-20, 1e-30, 1e-45, 1e-60)
WEIGHTS = {
    "ordinary": lambda rng, size: rng.uniform(0.5, 3, size),
    "few": lambda rng, size: rng.choice([0.7, 1.1, 2.3], size),
    "far apart": lambda rng, size: 10.0 ** rng.choice([-12, 12], size),
    "extremely far apart": lambda rng, size: 10.0 ** rng.choice([-50, 50], size),
    "of all sizes": lambda rng, size: 10.0 ** rng.uniform(-12, 12, size),
}
ELEMENTS = {
    "free": lambda rng, weights: rng.standard_normal(weights.size),
    "equal": lambda rng, weights: np.ones(weights.size),
    # All are cut at nearly the same threshold.
    "tied": lambda rng, weights: weights * 0.3,
    "nearly tied": lambda rng, weights: (
        weights * 0.3 * (1 + 1e-15 * rng.integers(-3, 4, weights.size))
    ),
}


def defined(x, weights, radius):
    """Return the magnitudes of the projection of a vector that is outside, as fractions."""
    sizes, shares = [abs(value) for value in fractions(x)], fractions(weights)
    level = level_by_sorting(sizes, shares, Fraction(radius))
    return [max(a - level * b, Fraction(0)) for a, b in zip(sizes, shares, strict=True)]


@pytest.mark.parametrize("elements", ELEMENTS)
@pytest.mark.parametrize("weights", WEIGHTS)
def test_the_radius_may_be_any_part_of_the_elements(weights, elements):
    rng = np.random.default_rng(1)
    for size in (1, 2, 7, 300):
        w = WEIGHTS[weights](rng, size)
        x = ELEMENTS[elements](rng, w) * 1e30
        for ratio in RATIOS:
            radius = float(np.sum(w * np.abs(x)) * ratio)
            z = fractions(np.abs(br.project_weighted_l1_ball(x, w, radius)))
            shares = fractions(w)
            pairs = zip(z, defined(x, w, radius), shares, strict=True)
            error = max(abs(got - right) * share for got, right, share in pairs)
            total = sum(got * share for got, share in zip(z, shares, strict=True))
            assert error <= Fraction(2**-47) * Fraction(radius), (size, ratio)
            assert abs(total - Fraction(radius)) <= Fraction(2**-46) * Fraction(radius)


def test_elements_weights_and_radius_of_any_size():
    for size, weight, radius in [
        (1e300, 1e-300, 1e-60),
        (1e-300, 1e300, 1e-60),
        (1e300, 1e300, 1.0),
        (1e300, 1e300, 1e200),
    ]:
        x = np.array([size, size / 2, size]) * 0.7
        z = br.project_weighted_l1_ball(x, [weight, weight, weight * 2], radius)
        np.testing.assert_allclose(z, [radius / weight, 0, 0], rtol=1e-15)


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_weights_have_more_digits_than_the_elements(dtype):
    x = np.array([1e4, 1e4], dtype)
    z = br.project_weighted_l1_ball(x, [1, 1 + 1e-9], 1e-7)
    np.testing.assert_allclose(z.astype(float), [1e-7, 0], rtol=0.2, atol=0)  # float16: subnormal
