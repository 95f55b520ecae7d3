"""How long steps are, what momentum gains, and what evaluations cost."""

import tracemalloc

import numpy as np
import pytest

import bridle as br

from .problems import SOLVERS, least_squares, logistic

BOTH = pytest.mark.parametrize("solver", SOLVERS, ids=lambda solver: solver.__name__)
WITH_VALUE = pytest.mark.parametrize("with_value", [True, False], ids=["value", "gradient"])


@BOTH
@WITH_VALUE
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("size", [1e-25, 1e-8, 1e8])
@pytest.mark.parametrize("lipschitz", [1e-8, 1.0, 1e8])
def test_a_step_is_found_whatever_the_scale(solver, with_value, lipschitz, size, dtype):
    curvature = lipschitz * np.array([1.0, 0.7, 0.4])
    target = size * np.array([1.0, -2.0, 3.0])

    def gradient(x):
        return (curvature * (x - target)).astype(dtype)

    def value(x):
        return float(0.5 * np.sum(curvature * (x - target) ** 2))

    result = solver(
        *(gradient, br.L1(0.0), np.zeros(3, dtype)),
        value=value if with_value else None,
        tolerance=0.0, max_iterations=60,
    )  # fmt: skip
    np.testing.assert_allclose(result.x, target, rtol=100 * np.finfo(dtype).eps)
    assert result.history["step"][0] * lipschitz > 0.3
    assert 0.3 < result.step * lipschitz < 5


@WITH_VALUE
def test_the_search_ends_in_fewer_iterations_than_the_longest_safe_step(with_value):
    gradient, value = logistic()
    start = np.zeros(15)
    safe = 4 / 9 / 200  # 1/L for features of about this size
    counts = [
        br.fista(gradient, br.L1(1.0), start, value=given, step=step).iterations
        for given, step in ((None, safe), (value if with_value else None, None))
    ]
    assert counts[1] < counts[0] / 2


def test_steps_grow_again_where_the_curvature_falls():
    def gradient(x):
        return np.exp(x)

    result = br.proximal_gradient(
        gradient, br.Box(-20.0, np.inf), [10.0], value=lambda x: np.exp(x).item()
    )
    assert result.converged
    steps = result.history["step"]
    assert steps[-1] > 1e3 * steps[0]
    assert (np.diff(result.history["objective"]) <= 0).all()


@WITH_VALUE
def test_points_at_which_nothing_is_finite_are_not_gone_to(with_value):
    def gradient(x):
        with np.errstate(all="ignore"):
            return np.array([np.nan]) if x[0] <= 0 else x - 1 / x

    def value(x):
        return np.inf if x[0] <= 0 else 0.5 * x[0] ** 2 - np.log(x[0])

    result = br.fista(gradient, br.L1(0.0), [30.0], value=value if with_value else None)
    assert result.converged
    assert result.x[0] == pytest.approx(1.0)


def test_momentum_does_not_lead_out_of_where_the_function_is_defined():
    problem, reached = least_squares(), set()

    class Watched(br.L1):
        def prox(self, w, step=1.0, out=None):
            point = super().prox(w, step, out)
            reached.add(point.tobytes())
            return point

    def value(x):
        return problem.value(x) if x.tobytes() in reached else np.inf

    reached.add(problem.start.tobytes())
    results = [s(problem.gradient, Watched(1.0), problem.start, value=value) for s in SOLVERS]
    assert results[0].converged
    for numbers in zip(*(result.history.values() for result in results), strict=True):
        np.testing.assert_array_equal(*numbers)
    with pytest.raises(FloatingPointError, match=r"^fista: value must be finite at x0, got"):
        br.fista(problem.gradient, br.L1(1.0), problem.start + 1, value=value)


def test_restarts_need_fewer_iterations_and_momentum_fewer_than_none():
    problem = least_squares(spread=30.0)
    given = problem.gradient, br.L1(0.01), problem.start
    step = 1 / problem.lipschitz
    restarted, not_restarted = (br.fista(*given, step=step, restart=r) for r in (True, False))
    plain = br.proximal_gradient(*given, step=step)
    assert restarted.converged
    assert 3 * restarted.iterations < not_restarted.iterations
    assert 10 * restarted.iterations < plain.iterations


def test_momentum_has_the_rate_of_its_theorem():
    """For every k: F(x_k) - F* <= 2·L·|x_0 - x*|²/(k + 1)², without restarts."""
    problem = least_squares(40, 60, spread=100.0)
    start, penalty = problem.start, br.L1(0.001)
    best = br.fista(
        *(problem.gradient, penalty, start), value=problem.value, max_iterations=100_000,
        tolerance=1e-13,
    )  # fmt: skip
    result = br.fista(
        *(problem.gradient, penalty, start), value=problem.value, step=1 / problem.lipschitz,
        restart=False, max_iterations=2000, tolerance=0.0,
    )  # fmt: skip
    gaps = result.history["objective"] - best.objective
    k = np.arange(1, gaps.size + 1)
    bound = 2 * problem.lipschitz * np.sum((start - best.x) ** 2) / (k + 1) ** 2
    assert (gaps <= bound + 1e-12).all()
    assert gaps.max() > 0


def test_a_fixed_step_costs_a_gradient_for_each_iteration():
    for solver in SOLVERS:
        problem = least_squares()
        given = problem.gradient, br.L1(1.0), problem.start
        result = solver(*given, step=1 / problem.lipschitz)
        assert problem.gradients == result.iterations
        assert (result.history["step"] == 1 / problem.lipschitz).all()


def test_the_search_without_momentum_costs_little_more():
    for with_value in (True, False):
        problem = least_squares()
        result = br.proximal_gradient(
            *(problem.gradient, br.L1(1.0), problem.start),
            value=problem.value if with_value else None,
        )
        assert result.iterations < problem.gradients < 1.3 * result.iterations + 5
        assert problem.values < 1.2 * result.iterations + 5


@WITH_VALUE
def test_it_needs_memory_for_five_points(with_value):
    n = 200_000
    target = np.linspace(-1, 1, n)
    gradient_memory = np.empty(n)

    def gradient(x):
        return np.subtract(x, target, out=gradient_memory)

    def value(x):
        return 0.5 * float(np.dot(x, x) - 2 * np.dot(x, target) + np.dot(target, target))

    start = np.zeros(n)
    tracemalloc.start()
    try:
        br.fista(gradient, br.L1(0.1), start, value=value if with_value else None)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 5.2 * start.nbytes


@BOTH
@WITH_VALUE
def test_a_linear_function_is_solved_at_once(solver, with_value):
    costs = np.array([1e-3, -2.0, 0.0])
    result = solver(
        *(lambda x: costs, br.Box(-1e6, 1e6), np.ones(3)),
        value=(lambda x: costs @ x) if with_value else None,
    )
    assert result.converged
    assert result.iterations <= 2
    np.testing.assert_array_equal(result.x, [-1e6, 1e6, 1.0])


@BOTH
@WITH_VALUE
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_run_may_start_at_the_solution(solver, with_value, dtype):
    curvature, target = np.array([1.0, 300.0], dtype), np.array([1.0, 1 / 3], dtype)
    for noise in (0.0, 1e-3, 1.0):
        off = dtype(noise * np.finfo(dtype).eps)
        result = solver(
            *(lambda x, off=off: curvature * (x - target) + off, br.L1(0.0), target),
            value=(lambda x: float(0.5 * curvature @ (x - target) ** 2)) if with_value else None,
        )
        assert result.converged
        np.testing.assert_allclose(result.x, target, rtol=4 * np.finfo(dtype).eps)


def test_a_gradient_that_is_rounding_leads_nowhere():
    # Both functions are flat around zero, but for the rounding in the second derivative.
    def gradient(x):
        return np.array([0.5, 1e-18])

    parts = br.SeparableSum([(slice(1), br.L1(1.0))])
    result = br.fista(gradient, parts, np.zeros(2), value=lambda x: 1.0, max_iterations=5)
    assert result.converged
    assert np.abs(result.x).max() < 1e-15
