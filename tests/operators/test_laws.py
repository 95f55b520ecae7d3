"""Laws that hold whatever the formula: a row of cases.py names those of its operator."""

import numpy as np
import pytest

import bridle as br

from ..cases import ABOVE_TWO, DTYPES, ELEMENTWISE, PENALTIES, hostile, values

FLOAT64 = np.dtype(np.float64)
ROUNDING = 8 * np.finfo(FLOAT64).eps


def numbers():
    """Return numbers of every size, and those at which the samples' formulas change."""
    edges = hostile(FLOAT64)
    return np.concatenate([values(FLOAT64, 997, finite=True), edges[np.abs(edges) < 1e6]])


def parameter_sets(operator):
    """Return the good parameters with which arithmetic neither over- nor underflows."""
    ordinary = [
        p for p in operator.good_params if all(v == 0 or 1e-9 <= abs(v) < 1e6 for v in p.values())
    ]
    return [operator.sample_params, *ordinary]


def odd(operator, f, params):
    x = numbers()
    np.testing.assert_array_equal(f(-x, **params), -f(x, **params))


def shrinks(operator, f, params):
    x = np.concatenate([numbers(), [np.inf, -np.inf]])
    y = f(x, **params)
    kept = ~np.isnan(y)  # inf times zero
    assert (np.abs(y[kept]) <= np.abs(x[kept])).all()
    assert (y * np.sign(x) >= 0)[kept].all()


def identity_at_zero(operator, f, params):
    for dtype in ("float16", "float32", "float64"):
        x = values(np.dtype(dtype), 997)
        y = f(x, **operator.nothing())
        np.testing.assert_array_equal(y, x)  # in which -0.0 and 0.0 are equal


def firmly_nonexpansive(operator, f, params):
    x = numbers()
    dx = x[:, np.newaxis] - x
    y = f(x, **params)
    dy = y[:, np.newaxis] - y
    each = np.maximum(np.abs(x), np.abs(y))
    size = np.maximum(each[:, np.newaxis], each)
    assert (dy * dy <= dy * dx + ROUNDING * size * np.abs(dx)).all()


def argmin(operator, f, params):
    """No neighbour of the result, near or far, has a lower objective."""
    x = numbers()
    z = f(x, **params)

    def objective(z):
        return 0.5 * (z - x) ** 2 + operator.penalty(z, **params)

    for distance in (1e-6, 1e-4, 1e-2, 1.0, 100.0):
        for scale in (1.0, np.abs(x)):
            for sign in (-1, 1):
                other = objective(z + sign * distance * scale)
                assert (objective(z) <= other + ROUNDING * np.abs(other)).all()
    assert (objective(z) <= objective(0.0) * (1 + ROUNDING)).all()


def projects(operator, f, params):
    """What is inside keeps its bits, and what comes out is inside."""
    for dtype in DTYPES.values():
        x = values(dtype, 997)
        y = f(x, **params)
        np.testing.assert_array_equal(bits(f(y, **params)), bits(y))
        np.testing.assert_array_equal(bits(y[x == y]), bits(x[x == y]))
        assert (x == y).any()


def bits(x):
    return x.view(f"u{x.itemsize}")


def subgradient(operator, f, params):
    """The penalty lies above its tangent; where it has a kink, the tangent is the flattest one."""
    w = numbers()
    tangent = f(w, **params)
    for other in (-10.0, -0.5, -1e-3, 0.0, 1e-3, 0.5, 10.0):
        above, below = operator.penalty(other, **params), operator.penalty(w, **params)
        rise = tangent * (other - w)
        rounding = ROUNDING * (np.abs(above) + np.abs(below) + np.abs(rise))
        assert (above >= below + rise - rounding).all()
    assert (f(w[w == 0], **params) == 0).all()


def even(operator, f, params):
    w = values(FLOAT64, 70_001, finite=True)
    assert f(-w, **params) == f(w, **params) == f(np.abs(w), **params) >= 0


def doubles(operator, f, params):
    w = values(FLOAT64, 70_001, finite=True)
    assert f(2 * w, **params) == 2 * f(w, **params)


def quadruples(operator, f, params):
    w = values(FLOAT64, 70_001, finite=True)
    assert f(2 * w, **params) == 4 * f(w, **params)


LAWS = {
    law.__name__: law
    for law in (
        *(odd, shrinks, identity_at_zero, firmly_nonexpansive, argmin, subgradient, projects),
        *(even, doubles, quadruples),
    )
}
ROWS = [*ELEMENTWISE.values(), *PENALTIES.values()]


@pytest.mark.parametrize(
    ("operator", "law"), [pytest.param(r, w, id=f"{r.name}-{w}") for r in ROWS for w in r.laws]
)
def test_the_operator_obeys_the_law(operator, law):
    for params in parameter_sets(operator):
        LAWS[law](operator, getattr(br, operator.name), params)


@pytest.mark.parametrize(
    "name", [name for name, row in ELEMENTWISE.items() if "argmin" in row.laws]
)
def test_no_number_has_a_lower_objective(name):
    """Random parameters, also where the objective has two minima; every number is tried."""
    row, rng = ELEMENTWISE[name], np.random.default_rng(7)
    for _ in range(300):
        params = {
            parameter: (2.0 if domain == ABOVE_TWO else 0.0) + 2.0 ** rng.uniform(-3, 2.5)
            for parameter, domain in row.params.items()
        }
        x = rng.uniform(-20, 20, 40)[:, np.newaxis]
        z = getattr(br, name)(x, **params)
        grid = np.concatenate(
            [x * np.linspace(-0.02, 1.02, 1041), x - x * 0, *[x - d for d in NEAR]], 1
        )
        if "reference" in params:
            grid = np.concatenate([grid, params["reference"] + grid], 1)

        def objective(z, x=x, params=params):
            return 0.5 * (z - x) ** 2 + row.penalty(z, **params)

        best = objective(grid).min(1, keepdims=True)
        assert (objective(z) <= best + 1e-12 * (1 + np.abs(best))).all(), params


NEAR = np.concatenate([np.linspace(-0.1, 0.1, 41), np.linspace(-5, 5, 101)])


@pytest.mark.parametrize(
    ("name", "params", "tie", "smaller"),
    [
        ("hard_threshold", {"threshold": 2.0}, 2.0, 0.0),
        ("prox_l0", {"strength": 4.5}, 3.0, 0.0),
        ("prox_mcp", {"strength": 1.5, "gamma": 2.0, "step": 8.0}, 6.0, 0.0),
        ("prox_mcp", {"strength": 1.5, "gamma": 2.0, "step": 2.0}, 3.0, 0.0),
        ("prox_scad", {"strength": 1.5, "gamma": 3.0, "step": 9.0}, 9.0, 0.0),
        ("prox_scad", {"strength": 2.0, "gamma": 3.0, "step": 3.0}, 7.0, 1.0),
    ],
)
def test_of_two_minima_the_smaller_one_is_taken(name, params, tie, smaller):
    x = np.array([tie, np.nextafter(tie, 99), -tie, -np.nextafter(tie, 99)])
    z = getattr(br, name)(x, **params)
    np.testing.assert_array_equal(z, [smaller, x[1], -smaller, x[3]])
    row = ELEMENTWISE[name]
    if name != "hard_threshold":
        both = [
            0.5 * (z - tie) ** 2 + row.penalty(np.asarray(z), **({"step": 1.0} | params))
            for z in (smaller, tie)
        ]
        assert both[0] == pytest.approx(both[1], rel=1e-15)


@pytest.mark.parametrize("name", ["firm_threshold", "prox_mcp", "prox_scad"])
@pytest.mark.parametrize("step_size", [0.3, 0.9, 1.0])
def test_nothing_grows_by_rounding_where_the_line_ends(name, step_size, assert_same_bits):
    """A line from zero to its end may be above the diagonal there, by rounding."""
    row, rng = ELEMENTWISE[name], np.random.default_rng(11)
    for dtype in map(np.dtype, (np.float32, np.float64)):
        for _ in range(30):
            strength, gamma = (2.0 ** rng.uniform(-4, 3, 2)).astype(dtype)
            gamma = gamma + dtype.type(2)
            end, limit = gamma * strength, gamma - dtype.type(name == "prox_scad")
            step = np.nextafter(dtype.type(step_size) * limit, dtype.type(0))
            params = {"strength": strength, "gamma": gamma, "step": step}
            if name == "firm_threshold":
                params = {"lower": step / gamma * end, "upper": end}
            x = end + np.spacing(end) * np.arange(-20, 21, dtype=dtype)
            result = getattr(br, name)(x, **params)
            assert (result <= x).all(), params
            assert_same_bits(result, row.expected(x, **params))


@pytest.mark.parametrize("strength", [0.0, 0.3, 2.0])
def test_what_soft_thresholding_takes_away_is_the_projection_on_an_interval(strength):
    x = numbers()
    np.testing.assert_allclose(
        x - br.soft_threshold(x, strength), np.clip(x, -strength, strength), rtol=0, atol=1e-9
    )


def test_the_gradient_is_the_slope_of_the_penalty():
    w = values(FLOAT64, 997, finite=True)
    w = w[np.abs(w) > 1e-2]
    above, below = (br.elastic_net_penalty(w + d, 0.3, 0.45, axis=()) for d in (1e-6, -1e-6))
    slope = (above - below) / 2e-6
    np.testing.assert_allclose(br.elastic_net_gradient(w, 0.3, 0.45), slope, rtol=1e-7)
