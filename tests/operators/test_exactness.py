"""Operators with roots and logarithms against numbers of hundreds of digits."""

from fractions import Fraction

import numpy as np
import pytest

import bridle as br

from ..cases import DTYPES, ELEMENTWISE, INF, NAN, PENALTIES

mpmath = pytest.importorskip("mpmath")
TYPES = [DTYPES["float32"], DTYPES["float64"]]


@pytest.fixture(autouse=True)
def many_digits(request):
    # Objectives with logarithms are compared of z far below epsilon, where (z/epsilon)² decides.
    with mpmath.workprec(2500 if "log_sum" in request.node.name else 300):
        yield


def exactly(number):
    return mpmath.mpf(float(number))


class Power:
    """The penalty strength·z^power."""

    def __init__(self, power):
        self.fraction = power

    @property
    def power(self):
        return mpmath.mpf(self.fraction.numerator) / self.fraction.denominator

    def penalty(self, z, strength):
        return strength * z**self.power

    def stationary(self, x, step, strength):
        """Return the largest point where the slope is zero; 0 if there is none."""
        p, weight, z = self.power, step * strength, x
        for _ in range(25):
            curvature = 1 - (1 - p) * p * weight * z ** (p - 2)
            if curvature <= 0:
                return exactly(0)
            z -= (z - x + p * weight * z ** (p - 1)) / curvature
            if z <= 0:
                return exactly(0)
        return z


class Logarithm:
    """The penalty strength·log(1 + z/epsilon)."""

    def penalty(self, z, strength, epsilon):
        return strength * mpmath.log1p(z / epsilon)

    def stationary(self, x, step, strength, epsilon):
        discriminant = (x + epsilon) ** 2 - 4 * step * strength
        z = (x - epsilon + mpmath.sqrt(max(discriminant, 0))) / 2
        return z if discriminant >= 0 and z > 0 else exactly(0)


ORACLES = {
    "l_half": Power(Fraction(1, 2)),
    "l_two_thirds": Power(Fraction(2, 3)),
    "log_sum": Logarithm(),
}


def minimizer(oracle, x, step, **params):
    """Return the global minimizer of the objective, the smaller one of two."""
    z = oracle.stationary(x, step, **params)
    at_zero = x * x / 2 + step * oracle.penalty(exactly(0), **params)
    there = (z - x) ** 2 / 2 + step * oracle.penalty(z, **params)
    return z if there < at_zero else exactly(0)


def units_away(given, exact):
    unit = np.spacing(np.abs(given.dtype.type(float(exact))))
    return float(abs(exactly(given) - exact) / exactly(unit))


def any_size(rng, dtype, exponents):
    return dtype.type((1 + rng.random()) * 2.0 ** rng.integers(-exponents, exponents))


@pytest.mark.parametrize("dtype", TYPES, ids=str)
@pytest.mark.parametrize("stem", ORACLES)
def test_minimizers_are_within_the_stated_units(stem, dtype):
    """Where the penalty matters, close to the jump, and over most of the range of exponents."""
    row, oracle, rng = ELEMENTWISE[f"prox_{stem}"], ORACLES[stem], np.random.default_rng(11)
    function, zeros = getattr(br, row.name), 0
    for k in range(120):
        exponents = (3, 30, np.finfo(dtype).maxexp // 8)[k % 3]
        params = {name: any_size(rng, dtype, exponents) for name in row.params}
        exact_params = {name: exactly(value) for name, value in params.items()}
        low, high = any_size(rng, dtype, exponents), dtype.type(1e-30)
        if k % 2:  # bisect the jump: `low` gives zero, its neighbour does not
            low, high = dtype.type(0), np.finfo(dtype).max
            while np.nextafter(low, high) < high:
                middle = np.sqrt(low) * np.sqrt(high) if low > 0 else high * dtype.type(2**-20)
                middle = middle if low < middle < high else low + (high - low) / 2
                low, high = (middle, high) if function(middle, **params) == 0 else (low, middle)
        for x in (low, high, -3 * low):
            if not 0 < abs(x) < np.finfo(dtype).max:
                continue
            z = np.sign(x) * minimizer(oracle, abs(exactly(x)), **exact_params)
            given, around = function(x, **params), np.nextafter(x, [dtype.type(0), x * 2])
            if dtype == np.float64 and k % 2 and (given == 0) != (z == 0):
                # The side that a tie to the last digits falls on is left open.
                sides = [minimizer(oracle, abs(exactly(n)), **exact_params) for n in around]
                assert min(sides) == 0 < max(sides)
                continue
            zeros += given == 0
            assert given.dtype == dtype
            assert units_away(given, z) <= row.units, (x, params)
    assert 30 < zeros < 300


@pytest.mark.parametrize("stem", ORACLES)
def test_terms_of_penalties_are_within_the_stated_units(stem):
    row, rng = PENALTIES[f"{stem}_penalty"], np.random.default_rng(12)
    for k in range(300):
        exponents = (3, 30, 1000)[k % 3]
        params = {name: any_size(rng, np.dtype(float), exponents) for name in row.params}
        w = any_size(rng, np.dtype(float), exponents)
        params["strength"] = np.float64(1)
        exact = ORACLES[stem].penalty(exactly(w), **{n: exactly(v) for n, v in params.items()})
        given = getattr(br, row.name)(np.array([-w]), **params)
        assert units_away(given, exact) <= max(row.units, 0.5), (w, params)


@pytest.mark.parametrize(
    ("name", "params", "tie", "larger"),
    [
        ("prox_l_half", {"strength": 1.0}, 1.5, 1.0),
        ("prox_l_half", {"strength": 8.0}, 6.0, 4.0),
        ("prox_l_two_thirds", {"strength": 1.5}, 2.0, 1.0),
        ("prox_l_two_thirds", {"strength": 6.0, "step": 4.0}, 16.0, 8.0),
        ("prox_log_sum", {"strength": 1.0, "epsilon": 1.0}, 1.0, 0.0),
        ("prox_log_sum", {"strength": 0.5, "epsilon": 2.0, "step": 3.0}, 0.75, 0.0),
    ],
)
def test_up_to_the_threshold_the_result_is_zero_and_jumps_there(name, params, tie, larger, dtype):
    x = np.array([tie], dtype)
    above, row = np.nextafter(x, dtype.type(100)), ELEMENTWISE[name]
    for sign in (1, -1):
        assert not np.signbit(getattr(br, name)(sign * x, **params))
        assert getattr(br, name)(sign * x, **params) == 0
        beyond = sign * float(getattr(br, name)(sign * above, **params)[0])
        near = 4 * np.sqrt(float(above[0] - x[0])) if larger == 0 else 4 * float(above[0] - x[0])
        assert larger <= beyond <= larger + near
        assert beyond > 0
    objective = [
        0.5 * (z - tie) ** 2 + row.penalty(np.float64(z), **({"step": 1.0} | params))
        for z in (0.0, larger)
    ]
    assert objective[0] == pytest.approx(objective[1], rel=1e-15)


@pytest.mark.parametrize("stem", ORACLES)
def test_the_jump_is_the_same_for_few_elements_many_and_arrays_of_strengths(
    stem, dtype, assert_same_bits
):
    function, own = getattr(br, f"prox_{stem}"), {"epsilon": 0.01} if stem == "log_sum" else {}
    x = np.linspace(0.01, 0.2, 2000).astype(dtype)
    jump = x[np.count_nonzero(function(x, 0.001, **own) == 0)]
    x = np.repeat(np.nextafter(jump, dtype.type(0)), 200)
    for _ in range(3):
        many = function(x, 0.001, **own)
        each = np.full(x.size, 0.001, np.float64 if dtype == np.float64 else np.float32)
        assert_same_bits(function(x, each, **own), many)
        assert_same_bits(function(x[:5], 0.001, **own), many[:5])
        x = np.nextafter(x, dtype.type(1))


@pytest.mark.parametrize("name", [f"prox_{stem}" for stem in ORACLES])
def test_no_penalty_and_an_infinite_one_decide_whatever_the_rest_is(name, dtype, assert_same_bits):
    function, own = getattr(br, name), {} if name != "prox_log_sum" else {"epsilon": 0.3}
    x = np.array([-3.0, 0.5, INF, -INF, NAN], dtype)
    for strength, step in ((INF, 0.0), (0.0, INF), (0.0, 1.0)):
        assert_same_bits(function(x, strength, step=step, **own), x)
    for strength, step in ((INF, 1.0), (1.0, INF), (INF, INF)):
        zero = np.array([0, 0, 0, 0, NAN], dtype)
        assert_same_bits(function(x, strength, step=step, **own), zero)
    assert_same_bits(function(x, 1.0, **own)[2:], x[2:])


def test_an_infinite_epsilon_is_no_penalty(dtype, assert_same_bits):
    x = np.array([-3.0, 0.5, INF, NAN], dtype)
    assert_same_bits(br.prox_log_sum(x, 2.0, INF), x)
    assert br.log_sum_penalty(x[:2], 2.0, INF) == 0.0
