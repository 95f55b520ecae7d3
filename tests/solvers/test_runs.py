"""How runs are told of, how they end, and what they say when something is wrong."""

import builtins
import io
import math
import sys

import ml_dtypes
import numpy as np
import pytest

import bridle as br

from .problems import SOLVERS, Groups, least_squares

BOTH = pytest.mark.parametrize("solver", SOLVERS, ids=lambda solver: solver.__name__)
NAN, INF = math.nan, math.inf


def downhill(x):
    return x - 3.0


def half_square(x):
    return 0.5 * float(np.sum((x - 3.0) ** 2))


def after(calls, function, result):
    """Return a function that gives something else once it has been called so often."""
    count = iter(range(10**9))
    return lambda x: function(x) if next(count) < calls else result(x)


@BOTH
def test_the_record_has_a_number_for_each_iteration(solver):
    for value in (None, half_square):
        result = solver(downhill, br.L1(0.5), np.zeros(4), value=value, step=0.3)
        assert set(result.history) == {"residual", "step", "objective"}
        for numbers in result.history.values():
            assert numbers.shape == (result.iterations,)
            assert numbers.dtype == np.float64
        assert (result.history["step"] == result.step).all()
        residual = result.history["residual"]
        limit = 1e-10 * 6.0  # the norm of the first gradient
        assert (residual[:-1] > limit).all()
        assert residual[-1] <= limit
        objective = result.history["objective"]
        if value is None:
            assert result.objective is None
            assert np.isnan(objective).all()
        else:
            assert result.objective == objective[-1]
            assert result.objective == half_square(result.x) + br.L1(0.5).value(result.x)


@BOTH
def test_the_residual_is_the_move_over_the_step_and_the_limit_at_least_the_tolerance(solver):
    result = solver(downhill, br.L1(0.0), [3.5], step=0.25, max_iterations=1)
    assert result.x[0] == 3.375
    assert result.history["residual"] == [0.5]
    for tolerance, converged in ((0.5, True), (0.49, False)):
        result = solver(
            downhill, br.L1(0.0), [3.5], step=0.25, max_iterations=1, tolerance=tolerance
        )
        assert result.converged is converged


@BOTH
def test_a_run_that_is_too_short_says_so_without_a_warning(solver):
    problem = least_squares(spread=30.0)
    result = solver(problem.gradient, br.L1(0.01), problem.start, max_iterations=3)
    assert not result.converged
    assert result.iterations == 3


@BOTH
def test_the_result_is_told_in_one_line_and_cannot_be_changed(solver):
    result = solver(downhill, br.L1(0.5), np.zeros(1000, np.float32), step=0.5, tolerance=1e-5)
    assert repr(result).startswith("FistaResult(converged=True, iterations=")
    assert repr(result).endswith("objective=None, x=float32 of shape (1000,))")
    with pytest.raises(AttributeError):
        result.converged = False


@BOTH
def test_the_callback_sees_every_iteration_and_stops_the_run(solver):
    seen = []

    def callback(iteration, x, residual):
        seen.append((iteration, x.copy(), residual))
        with pytest.raises(ValueError, match="read-only"):
            x[0] = 7.0
        return iteration == 5

    result = solver(downhill, br.L1(0.5), np.zeros(3), step=0.1, callback=callback)
    assert [iteration for iteration, _, _ in seen] == [1, 2, 3, 4, 5]
    assert result.iterations == 5
    assert not result.converged
    np.testing.assert_array_equal(seen[-1][1], result.x)
    np.testing.assert_array_equal([r for _, _, r in seen], result.history["residual"])
    for nothing in (None, False, 0):
        result = solver(downhill, br.L1(0.5), [0.0], callback=lambda *_, n=nothing: n)
        assert result.converged


@BOTH
def test_no_function_can_write_to_the_points(solver):
    def writes(x):
        x -= 3.0
        return x

    for keywords in ({"gradient": writes}, {"value": writes}):
        given = {"gradient": downhill, "value": half_square} | keywords
        with pytest.raises(ValueError, match="read-only"):
            solver(regularizer=br.L1(0.5), x0=np.zeros(3), **given)


@BOTH
def test_what_interrupts_passes_through(solver):
    def interrupted(*_):
        raise KeyboardInterrupt

    for given in ({"gradient": after(3, downhill, interrupted)}, {"callback": interrupted}):
        with pytest.raises(KeyboardInterrupt):
            solver(**({"gradient": downhill} | given), regularizer=br.L1(0.5), x0=np.zeros(3))


RETURNED = {
    "gradient": [
        (lambda x: np.full(3, NAN), FloatingPointError, r"must be finite, got nan at \(0,\)"),
        (lambda x: [1.0, -INF, 0.0], FloatingPointError, r"must be finite, got -inf at \(1,\)"),
        (
            lambda x: np.full(3, 1e300),
            FloatingPointError,
            "must be finite, got numbers up to 1e.300",
        ),
        (lambda x: np.ones(1), ValueError, r"of the shape of x0, \(3,\), got \(1,\)"),
        (lambda x: np.ones((3, 1)), ValueError, r"of the shape of x0, \(3,\), got \(3, 1\)"),
        (lambda x: 1.0, ValueError, r"of the shape of x0, \(3,\), got \(\)"),
        (lambda x: None, TypeError, "must return an array of real numbers, got None"),
        (lambda x: 1j * x, TypeError, "real numbers, got ndarray of complex128"),
        (lambda x: ["a"] * 3, TypeError, "real numbers, got list of <U1"),
        (lambda x: np.ma.ones(3), TypeError, "real numbers, got MaskedArray of float64"),
    ],
    "value": [
        (lambda x: NAN, FloatingPointError, "must be a number > -inf, got nan"),
        (lambda x: -INF, FloatingPointError, "must be a number > -inf, got -inf"),
        (lambda x: INF, FloatingPointError, "must .*finite"),
        (lambda x: None, TypeError, "must be a real number, got None"),
        (lambda x: np.ones(3), TypeError, "must be a real number, got array"),
    ],
    "prox": [
        (lambda x: np.full(3, NAN), FloatingPointError, "x must stay finite.*got nan at"),
        (lambda x: np.ones(4), ValueError, r"of the shape of x0, \(3,\), got \(4,\)"),
        (lambda x: None, TypeError, "must return an array of real numbers, got None"),
    ],
    "penalty": [
        (lambda x: NAN, FloatingPointError, "regularizer.value must be a number > -inf, got nan"),
        (lambda x: "a", TypeError, "regularizer.value must be a real number, got 'a'"),
    ],
}


class Given(br.L1):
    """A regularizer with other functions."""

    def __init__(self, prox=None, value=None):
        super().__init__(0.5)
        object.__setattr__(self, "functions", (prox, value))

    def prox(self, w, step=1.0, out=None):
        return (self.functions[0] or super().prox)(w, *(() if self.functions[0] else (step, out)))

    def value(self, w):
        return (self.functions[1] or super().value)(w)


@BOTH
@pytest.mark.parametrize(
    ("role", "bad", "error", "message"),
    [(role, *case) for role, cases in RETURNED.items() for case in cases],
)
@pytest.mark.parametrize("calls", [0, 4])
def test_what_a_function_returns_is_looked_at(solver, role, bad, error, message, calls):
    given = {"gradient": downhill, "value": half_square, "prox": None, "penalty": None}
    usual = {"prox": lambda w: br.L1(0.5).prox(w, 0.1), "penalty": br.L1(0.5).value}
    given[role] = after(calls, usual.get(role) or given[role], bad)
    regularizer = Given(given.pop("prox"), given.pop("penalty"))
    if role == "prox":
        del given["value"]
    with pytest.raises(error, match=f"^{solver.__name__}: .*{message}") as caught:
        solver(regularizer=regularizer, x0=np.zeros(3), step=0.1, **given)
    assert "\n" not in str(caught.value)
    if error is not TypeError or "array of real" in message:
        assert f"in iteration {calls + 1}" in str(caught.value)


@BOTH
@pytest.mark.parametrize("role", ["gradient", "prox"])
def test_the_search_does_not_go_on_forever_among_bad_numbers(solver, role):
    bad = after(2, downhill, lambda x: np.full(3, NAN))
    if role == "gradient":
        given, regularizer = bad, br.L1(0.5)
    else:
        given, regularizer = downhill, Given(prox=after(1, np.copy, lambda x: np.full(3, NAN)))
    message = f"^{solver.__name__}: (x, value and gradient|gradient) must .* in iteration [12]$"
    with pytest.raises(FloatingPointError, match=message):
        solver(given, regularizer, np.zeros(3))


@BOTH
def test_a_gradient_that_does_not_belong_to_the_value_never_seems_to_converge(solver):
    result = solver(
        lambda x: 3.0 - x, br.L1(0.0), np.zeros(3), value=half_square, max_iterations=500
    )
    assert not result.converged


@BOTH
@pytest.mark.parametrize("with_value", [True, False])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_step_that_is_too_long_is_an_error_and_no_warning(solver, with_value, dtype):
    def gradient(x):
        with np.errstate(all="ignore"):
            return x - dtype(3)

    def value(x):
        with np.errstate(all="ignore"):
            return 0.5 * np.sum((x - dtype(3)) ** 2)

    message = f"^{solver.__name__}: .* must .*finite.*, got .* in iteration [0-9]+$"
    with pytest.raises(FloatingPointError, match=message):
        solver(
            *(gradient, br.L1(0.5), np.zeros(3, dtype)),
            value=value if with_value else None, step=2.5,
        )  # fmt: skip


@BOTH
@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        ({"gradient": np.ones(3)}, TypeError, "gradient must be a function, got array"),
        ({"gradient": None}, TypeError, "gradient must be a function, got None"),
        ({"value": 1.0}, TypeError, "value must be a function, got 1.0"),
        ({"callback": 1.0}, TypeError, "callback must be a function, got 1.0"),
        ({"regularizer": None}, TypeError, "regularizer must have value.*, got None"),
        ({"regularizer": br.L1}, TypeError, "regularizer must have value.*, got <class"),
        ({"regularizer": br.l1_penalty}, TypeError, "regularizer must have value.*, got <func"),
        ({"x0": ["a"]}, TypeError, "x0 must be of type"),
        ({"x0": [1j]}, TypeError, "x0 must be of type.*, got complex128"),
        ({"x0": np.ones(3, np.float16)}, TypeError, "x0 must be of type float32.*, got float16"),
        ({"x0": np.ones(3, ml_dtypes.bfloat16)}, TypeError, "x0 must be of .*, got bfloat16"),
        ({"x0": np.ma.ones(3)}, TypeError, "masked arrays are not supported"),
        ({"x0": [0.0, NAN]}, ValueError, r"x0 must be finite, got nan at \(1,\)"),
        ({"step": 0.0}, ValueError, "step must be > 0 and finite, got 0.0"),
        ({"step": -1}, ValueError, "step must be > 0 and finite, got -1"),
        ({"step": NAN}, ValueError, "step must be > 0 and finite, got nan"),
        ({"step": INF}, ValueError, "step must be > 0 and finite, got inf"),
        ({"step": "1"}, TypeError, "step must be a real number, got '1'"),
        ({"step": np.ones(3)}, TypeError, "step must be a real number, got array"),
        ({"max_iterations": 0}, ValueError, "max_iterations must be >= 1, got 0"),
        ({"max_iterations": -1}, ValueError, "max_iterations must be >= "),
        ({"max_iterations": 1e3}, TypeError, "max_iterations must be an integer, got 1000.0"),
        ({"tolerance": -1e-3}, ValueError, "tolerance must be >= 0, got -0.001"),
        ({"tolerance": NAN}, ValueError, "tolerance must be >= 0, got nan"),
        ({"tolerance": None}, TypeError, "tolerance must be a real number, got None"),
    ],
)
def test_wrong_arguments_are_named_before_anything_is_called(solver, given, error, message):
    called = []
    usual = {"gradient": called.append, "regularizer": br.L1(0.5), "x0": np.zeros(3)}
    with pytest.raises(error, match=f"^{solver.__name__}: {message}") as caught:
        solver(**(usual | given))
    assert "\n" not in str(caught.value)
    assert not called


def test_convexity_must_be_said():
    class Method(Groups):
        def is_convex(self):
            return True

    with pytest.raises(TypeError, match="is_convex, True or False, got "):
        br.fista(downhill, Method(1.0), np.zeros(5))


class Terminal(io.StringIO):
    def isatty(self):
        return True


@BOTH
def test_progress_is_shown_on_request(solver, monkeypatch):
    pytest.importorskip("rich")
    monkeypatch.setenv("TERM", "xterm")
    for progress in (False, True):
        monkeypatch.setattr(sys, "stderr", screen := Terminal())
        solver(downhill, br.L1(0.5), np.zeros(3), step=0.5, progress=progress)
        if progress:
            assert solver.__name__ in screen.getvalue()
            assert "residual" in screen.getvalue()
        else:
            assert screen.getvalue() == ""


@BOTH
def test_progress_without_rich_names_what_to_install(solver, monkeypatch):
    imported = builtins.__import__

    def without_rich(name, *arguments):
        if name.startswith("rich"):
            raise ImportError(name)
        return imported(name, *arguments)

    monkeypatch.setattr(builtins, "__import__", without_rich)
    with pytest.raises(ImportError, match=rf'^{solver.__name__}: .*"bridle\[progress\]"$'):
        solver(downhill, br.L1(0.5), np.zeros(3), progress=True)
    assert solver(downhill, br.L1(0.5), np.zeros(3)).converged
