"""Elements that equal the threshold of a projection become zero, and are counted as zeros."""

import numpy as np
import pytest

import bridle as br


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("size", [2, 3, 7, 50, 256, 257, 5000])
def test_an_element_at_the_threshold_becomes_zero(size, dtype):
    rng = np.random.default_rng(size)
    for _ in range(20 if size < 300 else 3):
        x = rng.integers(1, 40, size).astype(dtype) / 2
        weights = rng.choice([0.5, 1, 2, 3], size)
        for own in (np.ones(size), weights):
            quotients = x / own
            level = rng.choice(quotients[quotients < quotients.max()], 1)
            expected = np.maximum(x - level * own, 0)
            expected[quotients == level] = 0
            radius = np.sum(own * expected)
            signs = rng.choice([-1, 1], size)
            z = br.project_weighted_l1_ball(x * signs, own, radius)
            np.testing.assert_array_equal(z == 0, expected == 0)
            assert not np.signbit(z[z == 0]).any()
            if own is not weights and radius > 0:
                np.testing.assert_array_equal(
                    br.project_l1_ball(x * signs, radius), expected * signs
                )
                np.testing.assert_array_equal(br.project_simplex(x, radius), expected)


def test_ties_of_few_elements():
    np.testing.assert_array_equal(br.project_l1_ball([3.0, -1.0, 0.5], 3.0), [2.5, -0.5, 0.0])
    np.testing.assert_array_equal(br.project_simplex([3.0, 1.0, 0.5], 3.0), [2.5, 0.5, 0.0])
    z = br.project_weighted_l1_ball([2.0, 1.0], [3.0, 3.0], 3.0)
    np.testing.assert_array_equal(z, [1.0, 0.0])
