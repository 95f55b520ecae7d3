"""What holds for every regularizer object: its value, prox and derivatives are of one function."""

import inspect
import math
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import bridle as br

from .examples import EVERY, named

OBJECTS = pytest.mark.parametrize(("regularizer", "shape"), **named(EVERY))
SEEDS = st.integers(0, 2**32 - 1)
few = settings(max_examples=6)
STEPS = st.sampled_from([0.05, 0.6, 1.0, 4.0])


def drawn(seed, shape, dtype=np.float64):
    """Return weights with ties, zeros and large ones."""
    rng = np.random.default_rng(seed)
    w = rng.standard_normal(shape) * rng.choice([0.3, 1.0, 4.0])
    return np.where(rng.random(shape) < 0.3, np.round(w), w).astype(dtype)


def objective(regularizer, z, w, step):
    return 0.5 * np.sum((z - w) ** 2) + step * regularizer.value(z)


@OBJECTS
@few
@given(seed=SEEDS, step=STEPS)
def test_nothing_near_the_prox_and_no_zero_has_a_lower_objective(regularizer, shape, seed, step):
    rng, w = np.random.default_rng(seed), drawn(seed, shape)
    z = regularizer.prox(w, step)
    least = objective(regularizer, z, w, step)
    assert math.isfinite(least)
    others = [np.zeros(shape), w, regularizer.prox(w, 2 * step), regularizer.prox(0.9 * w, step)]
    for size in (1e-3, 0.1, 1.0):
        for _ in range(4):
            moved = z + size * rng.standard_normal(shape) * (rng.random(shape) < 0.5)
            others += [moved, regularizer.prox(moved, 0.0)]
    for other in others:
        assert least <= objective(regularizer, other, w, step) + 1e-12


@OBJECTS
@few
@given(seed=SEEDS, step=STEPS)
def test_the_prox_is_stationary(regularizer, shape, seed, step):
    for dtype, rounding in ((np.float64, 1e-12), (np.float32, 1e-4)):
        w = drawn(seed, shape, dtype)
        z = regularizer.prox(w, step)
        gradient = np.subtract(z, w, dtype=np.float64) / step
        distance = regularizer.subdifferential_distance(z, gradient)
        assert distance <= rounding * (1 + np.abs(gradient).max()), (z, gradient)


@OBJECTS
@few
@given(seed=SEEDS)
def test_the_distance_is_that_of_the_nearest_subgradient(regularizer, shape, seed):
    """The set is convex where the function is, and its nearest point is told by an obtuse angle."""
    rng = np.random.default_rng(seed)
    z = np.asarray(regularizer.prox(drawn(seed, shape), 0.7))
    target = rng.standard_normal(shape) * 2
    distance = regularizer.subdifferential_distance(z, -target)
    residual = regularizer._residual(z, target)
    np.testing.assert_allclose(distance, np.sqrt(np.sum(residual**2)), rtol=1e-12)
    nearest = target - residual
    assert regularizer.subdifferential_distance(z, -nearest) <= 1e-11
    if not regularizer.is_convex:
        return
    base = regularizer.value(z)
    for _ in range(20):  # the nearest one is a subgradient: the function lies above its plane
        other = regularizer.prox(z + rng.standard_normal(shape), 0.3)
        assert regularizer.value(other) >= base + np.sum(nearest * (other - z)) - 1e-11
    for _ in range(20):  # and no other one is nearer
        other = rng.standard_normal(shape) * rng.choice([0.1, 1.0, 10.0])
        subgradient = other - regularizer._residual(z, other)
        assert np.sum(residual * (subgradient - nearest)) <= 1e-9


@OBJECTS
@few
@given(seed=SEEDS)
def test_the_subgradient_is_that_of_least_norm(regularizer, shape, seed):
    z = regularizer.prox(drawn(seed, shape), 0.7)
    subgradient = regularizer.subgradient(z)
    assert subgradient.dtype == z.dtype
    assert regularizer.subdifferential_distance(z, -subgradient) <= 1e-11
    size = regularizer.subdifferential_distance(z, np.zeros(shape))
    np.testing.assert_allclose(np.sqrt(np.sum(subgradient**2)), size, atol=1e-11)
    out = np.empty_like(z)
    assert regularizer.subgradient(z, out=out) is out
    np.testing.assert_array_equal(out, subgradient)


@OBJECTS
@few
@given(seed=SEEDS)
def test_zero_is_stationary_from_lambda_max_on(regularizer, shape, seed):
    gradient = np.random.default_rng(seed).standard_normal(shape)
    zeros = np.zeros(shape)
    factor = regularizer.lambda_max(gradient)
    assert type(factor) is float
    if 0 < factor < math.inf:
        above, below = (factor * (1 + eps) * regularizer for eps in (1e-9, -1e-4))
        assert above.subdifferential_distance(zeros, gradient) <= 1e-12
        assert below.subdifferential_distance(zeros, gradient) > 1e-6
    elif factor == 0:
        assert regularizer.subdifferential_distance(zeros, 1e-3 * gradient) == 0
    else:
        for large in (1.0, 1e6):
            assert (large * regularizer).subdifferential_distance(zeros, gradient) > 1e-6


@OBJECTS
@few
@given(seed=SEEDS, step=STEPS, factor=st.sampled_from([0.0, 0.3, 1.0, 2.5]))
def test_a_multiple_costs_and_shrinks_as_much_as_it_says(regularizer, shape, seed, step, factor):
    w, multiple = drawn(seed, shape), factor * regularizer
    z = regularizer.prox(w, 0.5)
    np.testing.assert_allclose(multiple.value(z), factor * regularizer.value(z), rtol=1e-12)
    expected = regularizer.prox(w, factor * step)
    np.testing.assert_allclose(multiple.prox(w, step), expected, rtol=1e-12, atol=1e-14)
    assert multiple.is_convex == regularizer.is_convex
    assert multiple == regularizer * factor == np.float64(factor) * regularizer
    direct = br.Scaled(regularizer, factor)
    np.testing.assert_allclose(direct.prox(w, step), expected, rtol=1e-12, atol=1e-14)
    if factor:
        gradient = np.random.default_rng(seed).standard_normal(shape)
        for name, arguments in (
            ("subdifferential_distance", (z, gradient)),
            ("lambda_max", (gradient,)),
            ("subgradient", (z,)),
        ):
            one, other = (getattr(r, name)(*arguments) for r in (multiple, direct))
            np.testing.assert_allclose(one, other, rtol=1e-9, atol=1e-11)


@OBJECTS
@few
@given(seed=SEEDS)
def test_what_is_smooth_has_the_gradient_of_its_differences(regularizer, shape, seed):
    w = drawn(seed, shape)
    if not regularizer._is_smooth:
        name = type(regularizer).__name__
        with pytest.raises(NotImplementedError, match=f"^{name}: there is no gradient, since "):
            regularizer.gradient(w)
        return
    gradient, small = regularizer.gradient(w), 1e-6
    for place in np.ndindex(shape):
        moved = np.zeros(shape)
        moved[place] = small
        slope = (regularizer.value(w + moved) - regularizer.value(w - moved)) / (2 * small)
        np.testing.assert_allclose(gradient[place], slope, atol=1e-6)
    assert regularizer.gradient(w.astype(np.float16)).dtype == np.float16


@OBJECTS
def test_a_nan_is_not_overlooked(regularizer, shape):
    w = np.full(shape, math.nan)
    assert math.isnan(regularizer.subdifferential_distance(w, np.zeros(shape)))
    assert math.isnan(regularizer.value(w)) or not regularizer._is_set
    assert math.isnan(regularizer.lambda_max(w)) or regularizer.value(np.zeros(shape)) > 0


def test_no_class_was_forgotten():
    classes = {value for value in vars(br).values() if inspect.isclass(value)}
    objects = {cls for cls in classes if {"prox", "value"} <= {*dir(cls)}} - {br.Regularizer}
    assert objects == {type(regularizer) for regularizer, _ in EVERY}
    for cls in objects:
        text = inspect.getdoc(cls)
        assert ".. math::" in text
        assert ".. [1]" in text
        assert "See Also" in text
        assert f"br.{cls.__name__}(" in text, cls
        documented = {
            name
            for line in re.findall(r"^(\w[\w, ]*)(?: :|$)", text, re.MULTILINE)
            for name in line.split(", ")
        }
        assert {*inspect.signature(cls).parameters} <= documented, cls
