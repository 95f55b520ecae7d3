"""Values and proximal operators: the bits of the functions, and the laws between them."""

import inspect

import numpy as np
import pytest

import bridle as br
from bridle import _core

from ..cases import DTYPES, INF, NAN, values
from .rows import ROWS

EVERY = pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
SETS = pytest.mark.parametrize(
    "row", [row for row in ROWS.values() if row.penalty is None], ids=lambda row: row.name
)


def compute_type(dtype):
    return np.float64 if dtype == np.float64 else np.float32


@EVERY
def test_the_prox_has_the_bits_of_the_function(row, dtype, layout, assert_same_bits):
    w, regularizer = values(dtype, 600).reshape(3, 200), row.make()
    for step in (1.0, 0.0, 0.6, np.float32(0.3), 2, INF):
        expected = row.expected_prox(w, row.sample, step)
        given = layout(w)
        assert_same_bits(regularizer.prox(given, step), expected)
        assert_same_bits(given, w, nan_bits=True)
        assert regularizer.prox(given, step, out=given) is given
        assert_same_bits(given, expected)
    assert_same_bits(regularizer.prox(w), row.expected_prox(w, row.sample, 1.0))


@EVERY
def test_the_prox_takes_a_factor_and_a_step_for_each_weight(row, dtype, assert_same_bits):
    compute, w = compute_type(dtype), values(dtype, 997)
    factors, steps = row.spread(997, compute), np.linspace(0.1, 2.0, 997).astype(compute)
    for params in (row.sample, factors):
        for step in (0.6, steps):
            expected = row.expected_prox(w, params, step)
            assert_same_bits(row.make(**params).prox(w, step), expected)
            assert_same_bits(row.make(**params).prox(w, step, out=w.copy()), expected)


@EVERY
def test_parameters_of_a_wider_type_leave_the_weights_what_they_are(row, dtype, assert_same_bits):
    w, factors = values(dtype, 997), row.spread(997, np.float64)
    steps = np.linspace(0.1, 2.0, 997)
    narrow = {name: value.astype(compute_type(dtype)) for name, value in factors.items()}
    result = row.make(**factors).prox(w, steps)
    assert_same_bits(result, row.expected_prox(w, narrow, steps.astype(compute_type(dtype))))
    assert_same_bits(row.make(**factors).prox(w, steps, out=w.copy()), result)


def test_a_bound_beyond_the_type_of_the_weights_is_none(assert_same_bits):
    w = np.array([-2.0, 0.5, 3.0], np.float32)
    box = br.Box([-1e300, -1e300, 0.0], [1e300, 0.25, 1e300])
    assert_same_bits(box.prox(w), np.array([-2.0, 0.25, 3.0], np.float32))


@EVERY
def test_a_factor_that_the_narrower_type_rounds_to_its_limit_is_no_error(row):
    near = {"gamma": [2 + 1e-12, 3.0], "delta": [1e-60, 1.0], "epsilon": [1e-60, 1.0]}
    params = {name: near[name] for name in row.sample if name in near}
    assert row.make(**params).prox(np.ones(2, np.float32)).dtype == np.float32


@EVERY
def test_the_value_is_that_of_the_function(row, dtype, layout):
    for finite in (True, False):
        w = layout(np.abs(values(dtype, 3000, finite=finite)).reshape(3, 1000))
        for params in (row.sample, row.spread(1000, np.float32)):
            expected = row.expected_value(w, params)
            regularizer = row.make(**params)
            for value in (regularizer.value(w), regularizer(w)):
                assert type(value) is float
                np.testing.assert_array_equal(value, expected)


@EVERY
def test_lists_and_numbers_are_weights_and_nothing_costs_nothing(row):
    regularizer, w = row.make(), np.array([0.25, 1.5])
    assert regularizer.value([0.25, 1.5]) == regularizer.value(w)
    assert regularizer.value(0.25) == regularizer.value(w[:1])
    assert regularizer.value([]) == 0.0
    np.testing.assert_array_equal(regularizer.prox([0.25, 1.5]), regularizer.prox(w))
    assert np.ndim(regularizer.prox(0.25)) == 0
    np.testing.assert_array_equal(regularizer.prox(np.array([2, 3])), regularizer.prox([2.0, 3.0]))


@SETS
def test_what_the_prox_gives_is_inside(row, dtype):
    for params in (row.sample, row.spread(997, np.float64)):
        regularizer = row.make(**params)
        inside = regularizer.prox(values(dtype, 997, finite=True))
        assert regularizer.value(inside) == 0.0
        for outside, value in ((-9.0, INF), (NAN, NAN)):
            other = inside.copy()
            other[[5, 900]] = outside, -9.0
            np.testing.assert_array_equal(regularizer.value(other), value)


def test_bounds_belong_to_the_set():
    assert br.Box(-1.0, 2.0).value([-1.0, 2.0]) == br.Box(-INF, INF).value([-INF, INF]) == 0.0
    for outside in (np.nextafter(-1, -2), np.nextafter(2, 3), INF, -INF):
        assert br.Box(-1.0, 2.0).value([0.0, outside]) == INF
    assert br.NonNegative().value([-0.0, 0.0, INF]) == 0.0
    assert br.NonNegative().value([-5e-324]) == INF
    assert br.Box(0.1, 1.0).value(np.array([0.1], np.float16)) == 0.0  # 0.1 as float16 has it


def test_parameters_of_another_shape_than_the_weights_are_an_error():
    for row in ROWS.values():
        if row.sample:
            regularizer = row.make(**{next(iter(row.sample)): np.zeros((2, 3))})
            message = rf"^{row.name}: .* the shape of the weights, \(3,\), got"
            with pytest.raises(ValueError, match=message):
                regularizer.value(np.ones(3))


@EVERY
def test_no_number_has_a_lower_objective(row):
    rng = np.random.default_rng(5)
    grid = np.concatenate([np.linspace(-6, 6, 1201), [-0.3, 0.45]])
    cost = [row.make().value([z]) for z in grid]
    for step in (0.05, 0.6, 1.0, 4.0):
        for x in rng.uniform(-5, 5, 40):
            z = row.make().prox([x], step)
            objective = 0.5 * (z[0] - x) ** 2 + step * row.make().value(z)
            least = np.min(0.5 * (grid - x) ** 2 + step * np.array(cost))
            assert objective <= least + 1e-12, (x, step)


@EVERY
def test_what_is_convex_has_no_chord_below_it(row):
    points = np.linspace(-3, 3, 61)
    cost = np.array([row.make().value([z]) for z in points])
    with np.errstate(invalid="ignore"):
        below = cost[1:-1] > (cost[:-2] + cost[2:]) / 2 + 1e-12
    assert row.make().is_convex is row.is_convex
    assert below.any() != row.is_convex


@EVERY
def test_the_description_gives_the_operator_what_the_prox_gives_it(row, dtype, assert_same_bits):
    compute, w = compute_type(dtype), values(dtype, 997)
    steps = np.linspace(0.1, 2.0, 997).astype(compute)
    for params in (row.sample, row.spread(997, compute)):
        regularizer = row.make(**params)
        given = regularizer._elementwise()
        names = _core.elementwise_operators[given.prox]
        assert given.place_of_step == (names.index("step") if "step" in names else None)
        for step in (1.0, 0.6, steps):
            result = _core.ufuncs[given.prox](w, *given.with_step(step))
            assert_same_bits(result, regularizer.prox(w, step))
        if row.penalty is None:
            assert given.penalty is None
            assert given.penalty_parameters == ()
        else:
            assert given.penalty == row.penalty
            finite = values(dtype, 997, finite=True)
            penalty = getattr(br, given.penalty)(finite, *given.penalty_parameters)
            assert penalty == regularizer.value(finite)


@pytest.mark.parametrize("strength", [0.1, 0.3, 0.7])
def test_the_lasso_is_that_of_the_updates(strength, dtype, assert_same_bits):
    for step in (0.1, 0.3, 0.9):
        w = values(dtype, 997, finite=True)
        result = br.L1(strength).prox(w, step)
        br.proximal_step(w, step, l1=strength)
        assert_same_bits(result, w)


@EVERY
def test_bad_steps_are_named_and_nothing_is_written(row, assert_same_bits):
    before = values(DTYPES["float32"], 70)
    with_bad_element = np.ones(70)
    with_bad_element[69] = NAN
    for bad in (-0.5, -1, NAN, np.float32(-1), with_bad_element, [-1.0] * 70):
        w = before.copy()
        with pytest.raises(ValueError, match=f"^{row.name}: step must be >= 0, got -?"):
            row.make().prox(w, bad, out=w)
        assert_same_bits(w, before, nan_bits=True)
    for bad in ("1", None, 1j, np.ma.ones(70)):
        with pytest.raises(TypeError, match=f"^{row.name}: step must "):
            row.make().prox(before, bad)


@EVERY
def test_bad_weights_are_errors_of_the_object(row):
    for bad in (np.ma.ones(3), np.ones(3) * 1j, ["a"]):
        with pytest.raises(TypeError, match=f"^{row.name}: "):
            row.make().value(bad)
    with pytest.raises(TypeError, match=f"^{row.name}: out must not be masked"):
        row.make().prox(np.ones(3), out=np.ma.ones(3))
    if row.sample:
        with pytest.raises(ValueError, match="broadcast"):
            row.make(**row.spread(2, np.float64)).prox(np.ones(3))


def test_a_subclass_with_functions_of_its_own_has_no_description():
    class Doubled(br.L1):
        def prox(self, w, step=1.0, out=None):
            return super().prox(w, 2 * step, out)

    class Shown(br.L1):
        pass

    assert Doubled(0.1)._elementwise() is None
    assert Shown(0.1)._elementwise() == br.L1(0.1)._elementwise()


def test_no_class_and_no_penalty_was_forgotten():
    classes = [value for value in vars(br).values() if inspect.isclass(value)]
    described = {cls for cls in classes if hasattr(cls, "_elementwise")}
    assert described == {row.cls for row in ROWS.values()}
    assert {row.penalty for row in ROWS.values()} == {*_core.penalties, None}
