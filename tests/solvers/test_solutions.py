"""What the solvers find: closed forms, the solutions of another algorithm, optimality."""

import numpy as np
import pytest

import bridle as br

from .problems import SOLVERS, Groups, by_coordinates, least_squares, logistic, stationarity

BOTH = pytest.mark.parametrize("solver", SOLVERS, ids=lambda solver: solver.__name__)
WITH_VALUE = pytest.mark.parametrize("with_value", [True, False], ids=["value", "gradient"])
CONCAVE = [br.MCP(6.0, 3.0), br.SCAD(6.0, 3.7), br.L0(4.0), br.LHalf(5.0), br.LogSum(6.0, 0.1)]


def named(regularizer):
    return type(regularizer).__name__


@BOTH
@WITH_VALUE
def test_an_orthogonal_design_has_a_closed_form(solver, with_value):
    problem = least_squares()
    problem.design = np.linalg.qr(problem.design)[0]
    value = problem.value if with_value else None
    b = problem.design.T @ problem.y
    for regularizer in (br.L1(0.3), br.ElasticNet(0.3, 0.2), br.L2(0.7), br.NonNegative()):
        result = solver(problem.gradient, regularizer, problem.start, value=value)
        assert result.converged
        np.testing.assert_allclose(result.x, regularizer.prox(b), atol=1e-10)


@BOTH
@WITH_VALUE
@pytest.mark.parametrize(("l1", "l2"), [(5.0, 0.0), (0.5, 0.0), (2.0, 1.5)])
def test_the_elastic_net_is_that_of_coordinate_descent(solver, with_value, l1, l2):
    problem = least_squares(spread=5.0)
    expected = by_coordinates(problem, l1, l2)
    value = problem.value if with_value else None
    result = solver(
        *(problem.gradient, br.ElasticNet(l1, l2), problem.start), value=value, tolerance=1e-13
    )
    assert result.converged
    np.testing.assert_allclose(result.x, expected, rtol=0, atol=1e-10)
    assert 0 < np.count_nonzero(expected == 0) == np.count_nonzero(result.x == 0)


@BOTH
@WITH_VALUE
@pytest.mark.parametrize(
    "regularizer",
    [br.L1(3.0), br.NonNegative(), br.Box(-0.1, 0.3), br.NonNegativeL1(2.0), Groups(4.0)],
    ids=named,
)
def test_what_is_found_is_optimal(solver, with_value, regularizer):
    for gradient, value, n in ((*logistic(), 15), (*squares(), 20)):
        given = value if with_value else None
        result = solver(gradient, regularizer, np.zeros(n), value=given, max_iterations=30_000)
        assert result.converged
        assert np.isfinite(regularizer.value(result.x))
        for step in (1e-4, 1e-2, 1.0):
            assert stationarity(gradient, regularizer, result.x, step) < 1e-6
        if with_value:
            assert result.objective == value(result.x) + regularizer.value(result.x)


def squares():
    problem = least_squares()
    return problem.gradient, problem.value


@pytest.mark.parametrize("regularizer", CONCAVE, ids=named)
@pytest.mark.parametrize("fixed", [False, True], ids=["search", "fixed"])
def test_what_is_not_convex_never_rises(regularizer, fixed):
    problem = least_squares(spread=5.0)
    step = 0.9 / problem.lipschitz if fixed else None
    result = br.fista(
        problem.gradient, regularizer, np.full(20, 0.3), value=problem.value, step=step
    )
    assert result.converged
    objective = result.history["objective"]
    assert (np.diff(objective) <= 1e-13 * objective[0]).all()
    assert stationarity(problem.gradient, regularizer, result.x, result.step) < 1e-6


@pytest.mark.parametrize("regularizer", CONCAVE, ids=named)
def test_without_objectives_there_is_no_momentum_where_it_may_lead_up(regularizer):
    problem = least_squares()
    results = [solver(problem.gradient, regularizer, problem.start) for solver in SOLVERS]
    assert results[0].converged
    for name, numbers in results[0].history.items():
        np.testing.assert_array_equal(numbers, results[1].history[name])


def test_a_safeguard_is_needed():
    """Without it, momentum leads up: this checks the tests above."""
    problem = least_squares(spread=5.0)

    class SaidConvex(br.MCP):
        is_convex = True

    rises = []
    for cls in (br.MCP, SaidConvex):
        result = br.fista(problem.gradient, cls(6.0, 3.0), np.full(20, 0.3), value=problem.value)
        rises.append(np.diff(result.history["objective"]).max() / result.history["objective"][0])
    assert rises[0] <= 1e-13
    assert rises[1] > 1e-6


@BOTH
@WITH_VALUE
def test_float32_stays_float32(solver, with_value):
    problem, exact = least_squares(dtype=np.float32), least_squares()
    seen = set()

    class Watched(br.L1):
        def prox(self, w, step=1.0, out=None):
            seen.update([w.dtype, out.dtype])
            return super().prox(w, step, out)

    def gradient(w):
        seen.add(w.dtype)
        return problem.gradient(w)

    value = problem.value if with_value else None
    result = solver(gradient, Watched(3.0), problem.start, value=value, tolerance=1e-5)
    assert result.converged
    assert seen == {result.x.dtype} == {np.dtype(np.float32)}
    np.testing.assert_allclose(result.x, by_coordinates(exact, 3.0), atol=1e-5)


@WITH_VALUE
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_rounding_does_not_shorten_steps_nor_lead_away(with_value, dtype):
    problem = least_squares(60, 80, dtype=dtype)
    value = problem.value if with_value else None
    result = br.fista(
        *(problem.gradient, br.L1(0.5), problem.start),
        value=value, tolerance=0.0, max_iterations=3000,
    )  # fmt: skip
    residual, step = result.history["residual"], result.history["step"]
    floor = np.finfo(dtype).eps * problem.lipschitz
    assert residual[-100:].max() < 30 * floor
    assert step.min() * problem.lipschitz > 0.4


SINGLE, DOUBLE = np.float32, np.float64


@BOTH
@pytest.mark.parametrize(
    ("x", "gradient", "value", "floor"),
    [
        (DOUBLE, SINGLE, None, SINGLE),
        (DOUBLE, SINGLE, SINGLE, SINGLE),
        (DOUBLE, DOUBLE, SINGLE, DOUBLE),
        (SINGLE, DOUBLE, None, SINGLE),
        (SINGLE, DOUBLE, DOUBLE, SINGLE),
    ],
)
def test_functions_and_points_need_not_be_of_one_type(solver, x, gradient, value, floor):
    """Steps stay as long as the types allow to see."""
    double = least_squares(60, 80)
    single = least_squares(60, 80, dtype=SINGLE)

    def of_type(dtype, function):
        problem = single if dtype is SINGLE else double
        return lambda w: getattr(problem, function)(w.astype(dtype))

    result = solver(
        *(of_type(gradient, "gradient"), br.L1(20.0), np.zeros(80, x)),
        value=value and of_type(value, "value"), max_iterations=3000, tolerance=0.0,
    )  # fmt: skip
    lipschitz = double.lipschitz
    assert result.history["residual"][-5:].max() < 30 * np.finfo(floor).eps * lipschitz
    assert result.history["step"].min() * lipschitz > 0.4


def test_a_value_much_larger_than_what_changes_does_no_harm():
    problem = least_squares(spread=5.0)
    result = br.fista(
        *(problem.gradient, br.L1(1.0), problem.start),
        value=lambda w: problem.value(w) + 1e9, tolerance=1e-13,
    )  # fmt: skip
    assert result.converged
    np.testing.assert_allclose(result.x, by_coordinates(problem, 1.0), rtol=0, atol=1e-10)


@pytest.mark.parametrize("start", [0.0, 2, [1, 2], np.zeros((2, 3, 4)), np.zeros((0, 3))])
def test_points_have_any_shape_and_integers_become_float64(start):
    target = np.full(np.shape(start), 3.0)
    for value in (None, lambda x: 0.5 * np.sum((x - target) ** 2)):
        result = br.fista(lambda x: x - target, br.L1(1.0), start, value=value)
        assert result.converged
        assert result.x.dtype == np.float64
        np.testing.assert_allclose(result.x, np.full(np.shape(start), 2.0), atol=1e-9)


def reused():
    """Return a function that gives all its results in the same array."""
    memory = []

    def reuse(array):
        if not memory:
            memory.append(np.empty_like(array))
        memory[0][...] = array
        return memory[0]

    return reuse


LAYOUTS = {
    "Fortran": np.asfortranarray,
    "reversed": lambda a: a[::-1, ::-1].copy()[::-1, ::-1],
    "gaps": lambda a: np.repeat(a, 2, axis=1)[:, ::2],
    "big-endian": lambda a: a.astype(">f8"),
    "list": lambda a: a.tolist(),
    "wider": lambda a: a.astype(np.longdouble),
    "reused": reused(),
}


@BOTH
@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS)
def test_gradients_have_any_layout(solver, layout, order):
    rng = np.random.default_rng(1)
    target, scale = rng.standard_normal((4, 6)), rng.uniform(0.5, 2, (4, 6))
    start = np.asarray(rng.standard_normal((4, 6)), order=order)
    before = start.copy()
    expected, result = (
        solver(lambda x, g=g: g(scale * (x - target)), br.L1(0.2), start)
        for g in (np.ascontiguousarray, layout)
    )
    np.testing.assert_array_equal(start, before)
    assert not np.shares_memory(result.x, start)
    np.testing.assert_allclose(result.x, expected.x, atol=1e-9)


def test_a_gradient_may_be_of_another_type_than_the_point():
    problem = least_squares(dtype=np.float32)
    exact = least_squares()
    result = br.fista(exact.gradient, br.L1(3.0), problem.start, tolerance=1e-5)
    assert result.x.dtype == np.float32
    whole = br.fista(lambda x: np.rint(x - 3).astype(int), br.NonNegative(), [5.0])
    assert whole.x == pytest.approx(3.0)
