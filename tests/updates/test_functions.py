"""Fused updates against their definitions in float64, in every combination of keywords."""

import decimal
import operator
from decimal import Decimal
from functools import reduce

import numpy as np
import pytest

import bridle as br

from ..cases import DTYPES, INF, NAN
from ..conftest import by_name
from .calls import public_updates
from .data import SQUARES, Operands, assert_close, gradient_types, operands
from .oracle import UPDATES, combinations, expected, rich

SIZES = (0, 1, 7, 255, 256, 257, 1023, 1024, 1025, 4095, 4096, 4097, 70_000)
FLOAT64 = DTYPES["float64"]


@pytest.fixture(**by_name(UPDATES))
def row(request):
    return request.param


def check(row, given, context="", **keywords):
    """Compare one call with the definition, and what it only reads with what it was."""
    wanted, state = given.expected(row, 3, **keywords)
    before = given.copy()
    given.call(row, 3, **keywords)
    assert_close(given.w, wanted, context)
    for array, value in zip(given.state, state, strict=True):
        assert_close(array, value, context)
    for name in ("gradient", "toward"):
        np.testing.assert_array_equal(getattr(given, name), getattr(before, name))


def test_every_combination_of_keywords_follows_the_definition(row, dtype):
    for number, keywords in enumerate(combinations(row)):
        for gradient in gradient_types(dtype)[:: -1 if number % 3 else 1][:1]:
            given = operands(row, dtype, 300, number, gradient=gradient)
            check(row, given, f"{keywords}, gradient {gradient}", **keywords)


@pytest.mark.parametrize("size", SIZES)
def test_every_size_follows_the_definition(row, dtype, size):
    toward = {} if row.function == "ftrl_update" else {"toward": True}
    for gradient in gradient_types(dtype):
        check(row, operands(row, dtype, size, gradient=gradient), **rich(row), **toward)


@pytest.mark.parametrize("shape", [(), (3, 0, 2), (5, 7), (2, 3, 4)], ids=str)
def test_every_shape_follows_the_definition(row, dtype, shape):
    check(row, operands(row, dtype, shape), **rich(row))


@pytest.mark.parametrize("decay", ["coupled", "decoupled", "full"])
def test_many_steps_follow_the_definition(row, decay):
    keywords = rich(row) | ({"decay": decay} if row.regularized else {})
    keywords.pop("cautious", None)  # a rounding error may decide what is spared
    given = operands(row, FLOAT64, 500)
    w, state = given.w.copy(), [array.copy() for array in given.state]
    rng = np.random.default_rng(7)
    for iteration in range(1, 31):
        if given.gradient is not None:
            given.gradient[...] = rng.normal(size=500)
        w, state = expected(row, w, given.gradient, state, iteration, **keywords)
        given.call(row, iteration, **keywords)
    assert_close(given.w, w)
    for array, value in zip(given.state, state, strict=True):
        assert_close(array, value)


def test_a_list_is_updated_as_its_arrays_are(row, assert_same_bits):
    kinds = [*DTYPES.values(), DTYPES["float32"], DTYPES["float16"], DTYPES["float16"]]
    shapes = [257, 0, (3, 5), 40_000, (), 4096, 66_000]
    l1, l2 = [0.2, 0.0, 0.1, 0.2, 0.0, 0.3, 0.1], (0.0, 0.0, 0.3, 0.1, 0.0, 0.2, 0.1)
    rates = np.array([0.6, 0.0, 0.0, 0.3, 0.1, 0.0, 1.0])
    each = [operands(row, *what) for what in zip(kinds, shapes, range(7), strict=True)]
    each[-1] = operands(row, kinds[-1], shapes[-1], gradient=DTYPES["float32"])
    sequences = {} if row.function == "ftrl_update" else {"l1": l1, "l2": l2, "weight_decay": rates}
    alone = [one.copy() for one in each]
    summaries = [
        one.call(row, 2, **{key: values[i] for key, values in sequences.items()})
        for i, one in enumerate(alone)
    ]
    gradient = [one.gradient for one in each] if row.has_gradient else None
    state = [[one.state[s] for one in each] for s in range(len(row.states))]
    summary = row.call([one.w for one in each], gradient, state, 2, **sequences)
    for one, other in zip(each, alone, strict=True):
        for array, wanted in zip(one.arrays, other.arrays, strict=True):
            assert_same_bits(array, wanted)
    assert summary.nonzeros == sum(one.nonzeros for one in summaries)
    assert summary.penalty == reduce(operator.add, [one.penalty for one in summaries])
    assert summary.finite


SPECIAL = np.array([0.0, 1.0, -1.5, INF, -INF, NAN, 5e-324])


@pytest.mark.parametrize(
    "keywords",
    [{}, {"l1": 0.2}, {"l2": 0.3}, {"l1": 0.2, "l2": 0.3, "weight_decay": 0.6}, {"grad_scale": 0}],
    ids=str,
)
def test_infinities_and_nan_go_where_the_arithmetic_of_the_definition_leads(row, keywords):
    keywords = {k: v for k, v in keywords.items() if k in rich(row)}
    count = 2 + len(row.states)
    grid = np.meshgrid(*[SPECIAL] * count)
    w, g, *state = (axis.ravel().copy() for axis in grid)
    if not row.has_gradient:
        g = None
    state = [
        np.abs(array) if name in SQUARES else array
        for name, array in zip(row.states, state, strict=True)
    ]
    check(row, Operands(w, g, state, None), **keywords)


@pytest.mark.parametrize("name", ["sgd", "heavy_ball", "adamw", "lion", "rmsprop_momentum"])
@pytest.mark.parametrize("dtype", [DTYPES["float32"], FLOAT64], ids=str)
def test_cautious_decay_compares_signs_and_not_products(name, dtype):
    row = UPDATES[name]
    tiny = 1e-30 if dtype == np.float32 else 1e-200
    w = np.array([tiny, -tiny, tiny, -tiny, 0, tiny, 1, -1, 1, -1], dtype)
    g = np.array([tiny, -tiny, -tiny, tiny, tiny, 0, tiny, tiny, 0, 0], dtype)
    spared = np.array([0, 0, 1, 1, 0, 0, 0, 1, 0, 0], bool)
    state = [np.zeros(10, dtype) for _ in row.states]
    keywords = {"weight_decay": 1.0, "decay": "full", "lr": 0.0}
    row.call(w, g, state, cautious=True, **keywords)
    np.testing.assert_array_equal(w != 0, spared)


def test_cautious_decay_looks_at_the_distance_from_the_reference():
    w, toward, g = np.array([1.0, 1.0, 1.0]), np.array([2.0, 0.5, 1.0]), np.array([1.0, 1.0, -1.0])
    br.sgd_update(w, g, 0.25, weight_decay=1.0, decay="full", cautious=True, toward=toward)
    np.testing.assert_array_equal(w, [0.75, 0.25, 1.25])


def test_a_rate_of_one_goes_to_the_reference_and_of_zero_leaves_every_bit(dtype):
    given = operands(UPDATES["proximal_step"], dtype, 100)
    w = given.w.copy()
    given.call(UPDATES["proximal_step"], toward=True)
    np.testing.assert_array_equal(given.w, w)
    given.call(UPDATES["proximal_step"], toward=True, weight_decay=1 / UPDATES["sgd"].lr)
    np.testing.assert_array_equal(given.w, given.toward)


@pytest.mark.parametrize("name", ["proximal_step", "sgd", "adamw"])
def test_weights_that_nothing_draws_to_a_reference_that_is_not_finite_stay(name):
    row = UPDATES[name]
    given = operands(row, FLOAT64, 3)
    given.toward[...] = [INF, NAN, -INF]
    given.call(row, toward=True, l1=0.1)
    assert np.isfinite(given.w).all()


def test_zeros_are_positive(row, dtype):
    given = operands(row, dtype, 2000)
    for array in (given.w, given.gradient, *given.state[:1]):
        if array is not None:
            array[::2] = -0.0
            array[1::4] = np.copysign(array.dtype.type(2.0**-24), -1)
    summary = given.call(row, l1=50.0)
    zeros = given.w[given.w == 0]
    assert zeros.size > 500
    assert not np.signbit(zeros).any()
    assert summary.nonzeros == np.count_nonzero(given.w)


def test_ftrl_without_smoothing_keeps_weights_that_never_had_a_gradient_at_zero(dtype):
    row = UPDATES["ftrl"]
    given = operands(row, dtype, 64)
    for array in (given.w, given.gradient, *given.state):
        array[...] = 0
    assert row.call(given.w, given.gradient, given.state, beta=0.0) == (0.0, 0, True)


@pytest.mark.parametrize("beta", [0.5, 0.9, 0.999, 1 - 1e-8])
@pytest.mark.parametrize("t", [1, 2, 3, 40, 1000, 10**6, 10**12])
def test_the_corrections_of_adam_are_right_to_their_last_bits(beta, t):
    """Also where the power is so near to one that its rounding errors would show."""
    with decimal.localcontext(prec=60):
        correction = 1 / float(1 - Decimal(beta) ** t)
    w, gradient, m, v = (np.full(1, x) for x in (0.0, 1.0, 1.0, 1.0))
    br.adamw_update(w, gradient, m, v, 1.0, t, betas=(beta, 0.0), epsilon=0.0)
    np.testing.assert_allclose(-w, correction, rtol=5e-16)
    w, m, v = (np.full(1, x) for x in (0.0, 1.0, 1.0))
    br.adamw_update(w, gradient, m, v, 1.0, t, betas=(0.0, beta), epsilon=0.0)
    np.testing.assert_allclose(-w, 1 / np.sqrt(correction), rtol=1e-15)


def test_strengths_that_are_infinite_or_belong_to_no_step_are_those_of_the_operator():
    w = np.array([0.0, 1.0, -2.0])
    for keywords in ({"l1": INF}, {"l2": INF}):
        shrunk = w.copy()
        br.proximal_step(shrunk, 0.5, **keywords)
        np.testing.assert_array_equal(shrunk, 0.0)
        same = w.copy()
        br.proximal_step(same, 0.0, **keywords)
        np.testing.assert_array_equal(same, w)


def test_every_update_has_a_row():
    assert public_updates() == {row.function for row in UPDATES.values()}


def test_the_common_keywords_have_the_documented_defaults():
    for name, row in UPDATES.items():
        if row.regularized:
            one, other = (operands(row, FLOAT64, 50) for _ in range(2))
            one.call(row)
            neutral = {"toward": None, "prox_step": "adaptive", "decay": "decoupled", "seed": None}
            other.call(row, **dict.fromkeys(("l1", "l2", "weight_decay"), 0.0), **neutral)
            np.testing.assert_array_equal(one.w, other.w, name)


@pytest.mark.parametrize("strength", ["l1", "l2"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_strength_that_is_infinite_as_float32_does_nothing_without_a_step(strength, dtype):
    w = np.ones(70, dtype)
    br.sgd_update(w, np.zeros_like(w), 0.0, **{strength: 1e300})
    np.testing.assert_array_equal(w, 1.0)
    br.sgd_update(w, np.zeros_like(w), 0.5, **{strength: 1e300})
    np.testing.assert_allclose(w, 0.0, atol=1e-300)
