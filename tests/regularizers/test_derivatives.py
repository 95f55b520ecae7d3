"""Derivatives with numbers that can be found by hand, and what there is no derivative of."""

import math

import numpy as np
import pytest
from numpy.exceptions import AxisError

import bridle as br

from .examples import EVERY

INF = math.inf
PAIRS = {"offsets": [0, 2, 4]}


@pytest.mark.parametrize(
    ("regularizer", "w", "gradient", "squared"),
    [
        (br.L1([1, 2, 3]), [0.0, 1.0, -1.0], [3.0, 0.0, 0.0], 4 + 4 + 9),
        (br.L2(0.5), [3.0, 4.0], [0.0, 0.0], 25),
        (br.ElasticNet(1, 0.5), [0.0, 2.0], [-3.0, 1.0], 4 + 16),
        (br.L0(1), [0.0, 2.0], [1e6, 3.0], 9),
        (br.LHalf(4), [0.0, 4.0], [1e6, 0.0], 1),
        (br.MCP(1, 2), [0.0, 1.0, 5.0], [0.5, 0.0, 1.0], 0.25 + 1),
        (br.Huber(2, 1), [0.5, -5.0], [0.0, 0.0], 1 + 4),
        (br.NonNegative(), [0.0, 0.0, 2.0], [1.0, -2.0, 3.0], 4 + 9),
        (br.NonNegativeL1(1), [0.0, 0.0, 2.0], [-0.5, -2.0, 3.0], 1 + 16),
        (br.Box(0, 1), [0.0, 0.5, 1.0], [-2.0, 3.0, 4.0], 4 + 9 + 16),
        (br.GroupL2(1, **PAIRS), [3.0, 4.0, 0.0, 0.0], [0.4, -0.8, 3.0, 4.0], 1 + 16),
        (br.SparseGroup(1, 1, **PAIRS), [3.0, 4.0, 0.0, 0.0], [-1.6, -1.8, 4.0, 5.0], 16),
        (br.GroupL2(1, labels=[0, -1, 0]), [0.0, 3.0, 0.0], [3.0, 2.0, 4.0], 16 + 4),
        (br.GroupLinf(1, **PAIRS), [2.0, -2.0, 0.0, 0.0], [1.0, -1.0, -0.5, 0.5], 4.5),
        (br.LinfNorm(2), [1.0, 3.0], [1.0, -2.0], 1),
        (br.Slope([2, 1]), [1.0, -1.0], [5.0, -5.0], 2 * 6.5**2),
        (br.Slope([2, 1]), [0.0, 0.0], [3.0, 3.0], 2 * 1.5**2),
        (br.Slope([2, 1]), [3.0, 0.0], [-2.0, 4.0], 9),
        (br.TotalVariation(1), [0.0, 1.0, 1.0], [-1.0, 0.0, 0.0], 4 + 0.5),
        (br.Nuclear(1), [[2.0, 0.0], [0.0, 0.0]], [[-1.5, 0.25], [2.0, -3.0]], 8.3125),
        (br.Nuclear(1), [[2.0], [0.0]], [[-1.0], [0.5]], 0.25),
        (br.Simplex(), [0.5, 0.5, 0.0], [-1.0, -3.0, 5.0], 2),
        (br.L1Ball(1), [1.0, 0.0], [2.0, 0.0], 4),
        (br.L1Ball(1), [1.0, 0.0], [-2.0, 3.0], 0.5),
        (br.L1Ball(2), [1.0, 0.0], [-2.0, 1.0], 5),
        (br.L2Ball(5), [3.0, 4.0], [-3.0, -4.0], 0),
        (br.L2Ball(5), [3.0, 4.0], [3.0, 4.0], 25),
        (br.LinfBall(1), [1.0, 0.5], [-2.0, 3.0], 9),
        (br.L0Ball(2), [3.0, 0.0, 0.0], [5.0, 1.0, 2.0], 26),
        *((ball(0), [0.0, 0.0], [1.0, 2.0], 0) for ball in (br.Simplex, br.L1Ball, br.L2Ball)),
        (br.Translated(br.L1(1), 2.0), [2.0, 0.0], [3.0, 0.0], 4 + 1),
    ],
)
def test_distances(regularizer, w, gradient, squared):
    distance = regularizer.subdifferential_distance(w, gradient)
    np.testing.assert_allclose(distance, math.sqrt(squared), rtol=1e-14, atol=1e-15)


@pytest.mark.parametrize(
    ("regularizer", "gradient", "factor"),
    [
        (br.L1(0.5), [1.0, -2.0], 4),
        (br.L1([1, 0]), [1.0, 0.0], 1),
        (br.L1([1, 0]), [1.0, 0.1], INF),
        (br.ElasticNet(0.5, 7), [1.0, -2.0], 4),
        (br.L2(1), [1.0, 0.0], INF),
        (br.L2(1), [0.0, 0.0], 0),
        (br.L0(1), [1.0, 5.0], 0),
        (br.LHalf(1), [1.0, 5.0], 0),
        (br.LTwoThirds(1), [1.0, 5.0], 0),
        (br.LogSum(1, 0.5), [1.0, -5.0], 2.5),
        (br.MCP(2, 3), [1.0, -5.0], 2.5),
        (br.SCAD(2, 3), [1.0, -5.0], 2.5),
        (br.Huber(1, 1), [1.0], INF),
        (br.L2SP([1, 2], 0.5), [1.0, 2.0], 1),
        (br.L2SP([1, 2], 0.5), [1.0, 3.0], INF),
        (br.L2SP([1, 2], 0.5), [-1.0, -2.0], INF),
        (br.NonNegativeL1(2), [5.0, -1.0], 0.5),
        (br.NonNegative(), [5.0, 0.0], 0),
        (br.NonNegative(), [5.0, -1.0], INF),
        (br.Box(1, 2), [0.0], INF),
        (br.GroupL2(0.5, **PAIRS, weights=[1, 2]), [3.0, 4.0, 6.0, 8.0], 10),
        (br.SparseGroup(1, 0), [1.0, -3.0], 3),
        (br.SparseGroup(1, 1), [2.0, 0.0], 1),
        (br.GroupLinf(0.5, **PAIRS), [1.0, -2.0, 0.5, 0.5], 6),
        (br.GroupL2(1, labels=[0, -1]), [1.0, 0.1], INF),
        (br.Slope([2, 1]), [3.0, 3.0], 2),
        (br.TotalVariation(0.5), [1.0, -3.0, 2.0], 4),
        (br.TotalVariation(0.5), [1.0, -3.0, 2.5], INF),
        (br.Nuclear(0.5), [[3.0, 0.0], [0.0, -4.0]], 8),
        (br.Simplex(), [1.0, 1.0], INF),
        (br.L2Ball(1), [0.0, 0.0], 0),
        (br.L2Ball(1), [0.1, 0.0], INF),
        (br.LinfNorm(1) + br.L2(3), [1.0, -2.0], 3),
        (br.SeparableSum([(slice(1), br.L1(1))]), [1.0, 0.5], INF),
        (br.Translated(br.L1(1), [1.0, 2.0]), [2.0, 2.0], 2),
    ],
)
def test_least_factors(regularizer, gradient, factor):
    np.testing.assert_allclose(regularizer.lambda_max(gradient), factor, rtol=1e-14)


def test_outside_there_is_no_subdifferential():
    outside = [
        *((r, np.full(shape, 5.0)) for r, shape in EVERY if r._is_set),
        (br.NonNegativeL1(1), [-1.0]),
        (br.NonNegativeL2(1), [-1.0]),
    ]
    for regularizer, w in outside:
        if regularizer.value(w) == INF:
            assert regularizer.subdifferential_distance(w, np.zeros(np.shape(w))) == INF
            with pytest.raises(ValueError, match=r"^\w+: w must have a finite value to have a"):
                regularizer.subgradient(w)
    assert sum(regularizer.value(w) == INF for regularizer, w in outside) > 10


def test_nothing_overflows_on_the_way():
    large = np.full(4, 1e300)
    assert br.L1(1.0).subdifferential_distance(large, large) == 2e300
    np.testing.assert_allclose(br.GroupL2(1.0).lambda_max(large), 2e300, rtol=1e-15)
    np.testing.assert_allclose(br.GroupL2(1e-5).lambda_max(large / 1e300 * 1e-200), 2e-195)


def test_arguments_are_checked():
    for regularizer, shape in EVERY:
        name, w = type(regularizer).__name__, np.zeros(shape)
        with pytest.raises(ValueError, match=rf"^{name}: gradient must have the shape of the wei"):
            regularizer.subdifferential_distance(w, np.zeros((*shape, 2)))
        for bad in (np.ma.zeros(shape), np.zeros(shape, complex)):
            for call in (regularizer.subgradient, regularizer.lambda_max):
                with pytest.raises(TypeError, match=f"^{name}: "):
                    call(bad)
        inside = regularizer.prox(w)
        with pytest.raises(ValueError, match=f"^{name}: out must have the shape"):
            regularizer.subgradient(inside, out=np.zeros((*shape, 2)))


@pytest.mark.parametrize("call", ["value", "prox", "subgradient", "lambda_max"])
def test_weights_that_do_not_fit_are_an_error_of_the_object(call):
    rule = (
        r"(lower and upper|strength) must broadcast to the shape of the weights, \(3,\), got \(2,\)"
    )
    for regularizer in (br.L1([1.0, 2.0]), br.Box([0.0, 0.0], [1.0, 1.0])):
        with pytest.raises(ValueError, match=f"^{type(regularizer).__name__}: {rule}"):
            getattr(regularizer, call)(np.ones(3))
    rule = "axis 1 does not fit 1 dimensions$"
    for regularizer in (br.GroupL2(1.0, axis=1), br.Simplex(1.0, axis=1)):
        with pytest.raises(AxisError, match=f"^{type(regularizer).__name__}: {rule}"):
            getattr(regularizer, call)(np.ones(3))


def test_weights_that_are_no_numbers_are_an_error_of_the_object():
    for regularizer, _ in EVERY:
        own = f"^{type(regularizer).__name__}: "
        for bad in ("abc", None, [[1.0], [1.0, 2.0]], np.zeros(4, complex)):
            for call in (regularizer.value, regularizer.prox):
                with pytest.raises((TypeError, ValueError), match=own):
                    call(bad)
