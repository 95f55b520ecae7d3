"""The fused updates as C functions give the bits of Python, and refuse what it refuses."""

import ctypes
from dataclasses import replace

import numpy as np
import pytest

from ..cases import DTYPES, INF, NAN
from ..conftest import by_name
from ..updates.calls import public_updates
from ..updates.data import operands
from ..updates.oracle import UPDATES, combinations, rich
from .updates import STATES, Regularization, Summary, call_of, regularization_of

N = 70


@pytest.fixture(**by_name(UPDATES))
def row(request):
    return request.param


@pytest.fixture(params=["float32", "float64"])
def single_or_double(request):
    return DTYPES[request.param]


def check(row, given, assert_same_bits, iteration=1, **keywords):
    """Compare one call with that of Python."""
    expected = given.copy()
    wanted = expected.call(row, iteration, **keywords)
    regularization, summary = regularization_of(keywords), Summary()
    call = call_of(row, given, regularization, summary, iteration, keywords.get("toward"))
    assert call() == 0
    for array, other in zip(given.arrays, expected.arrays, strict=True):
        assert_same_bits(array, other, f"{keywords}")
    assert summary.numbers == wanted


def test_every_combination_of_keywords_gives_the_bits_of_python(
    row, single_or_double, assert_same_bits
):
    for number, keywords in enumerate(combinations(row)):
        given = operands(row, single_or_double, 300, number)
        check(row, given, assert_same_bits, 1 + number, **keywords)


@pytest.mark.parametrize("size", [0, 1, 4097, 70_001])
def test_every_size_gives_the_bits_of_python(
    row, single_or_double, size, threads, assert_same_bits
):
    toward = {} if row.function == "ftrl_update" else {"toward": True}
    for keywords in ({}, rich(row), rich(row) | toward):
        check(row, operands(row, single_or_double, size), assert_same_bits, 3, **keywords)


@pytest.mark.parametrize("iteration", [1, 2, 1000, 10**9, 2**53 + 1, 2**63 - 1])
def test_the_corrections_of_adam_are_those_of_python(iteration, assert_same_bits):
    given = operands(UPDATES["adamw"], DTYPES["float64"], N)
    check(UPDATES["adamw"], given, assert_same_bits, iteration)


def test_regularization_and_summary_may_be_null(row, single_or_double, assert_same_bits):
    given = operands(row, single_or_double, N)
    expected = given.copy()
    expected.call(row)
    assert call_of(row, given, None, None)() == 0
    for array, other in zip(given.arrays, expected.arrays, strict=True):
        assert_same_bits(array, other)


def test_arrays_of_no_elements_may_be_null(row, single_or_double):
    given, summary = operands(row, single_or_double, 0), Summary()
    call = call_of(row, given, None, summary)
    for name in call.arrays:
        call = call.with_array(name, None)
    assert call() == 0
    assert summary.numbers == (0.0, 0, 1)


def test_arrays_that_are_only_read_may_overlap(single_or_double, assert_same_bits):
    row = UPDATES["adamw"]
    given = operands(row, single_or_double, N)
    given = given._replace(gradient=given.toward)
    check(row, given, assert_same_bits, toward=True, weight_decay=0.5)


class Refusal:
    """A call that is allowed, and everything that it could write."""

    def __init__(self, row, dtype):
        self.row, self.given = row, operands(row, dtype, N)
        self.regularization, self.summary = Regularization(l1=0.1), Summary()
        toward = None if row.function == "ftrl_update" else True
        self.call = call_of(row, self.given, self.regularization, self.summary, 1, toward)
        self.before = [array.tobytes() for array in self.given.arrays]

    def check(self, call, what):
        assert call() != 0, what
        assert [array.tobytes() for array in self.given.arrays] == self.before, what
        assert self.summary.numbers == Summary().numbers, what

    def check_option(self, **options):
        regularization = Regularization(**options)
        self.check(replace(self.call, regularization=ctypes.addressof(regularization)), options)


@pytest.fixture
def refusal(row, single_or_double):
    return Refusal(row, single_or_double)


def test_a_bad_number_is_refused_and_nothing_is_written(refusal):
    below_one = [-0.5, 1.0, 1.5, NAN, INF]
    bad = {"beta1": below_one, "beta2": below_one, "alpha": below_one}
    bad |= {"iteration": [0, -1], "nesterov": []}
    if refusal.row.function == "ftrl_update":
        bad["lr"] = [0.0, -0.5, NAN]
    for name in refusal.call.numbers:
        for number in bad.get(name, [-0.5, -5e-324, -INF, NAN]):
            refusal.check(refusal.call.with_numbers(**{name: number}), f"{name}={number}")


def test_a_bad_option_is_refused_and_nothing_is_written(refusal):
    for name in ("l1", "l2", "weight_decay"):
        for bad in (-0.5, -INF, NAN):
            refusal.check_option(**{name: bad})
    refusal.check_option(grad_scale=NAN)
    for decay in (-1, 3):
        refusal.check_option(decay=decay)
    for prox_step in (-1, 2):
        refusal.check_option(prox_step=prox_step)
    refusal.check_option(weight_decay=2 / refusal.row.lr)
    refusal.check_option(weight_decay=INF)
    refusal.check_option(weight_decay=1.5, decay=2)


def test_a_structure_of_a_size_that_it_never_had_is_refused(refusal):
    for bad in (0, 4, 47, 49, 56, 2**32 - 1):
        refusal.check_option(size=bad)
    for bad in (0, 4, 23, 25, 32, 2**32 - 1):
        refusal.summary.size = bad
        refusal.check(refusal.call, f"a summary of {bad} bytes")
        assert refusal.summary.size == bad


def test_what_an_update_does_not_take_is_refused(refusal):
    if refusal.row.regularized:
        return
    for options in ({"decay": 1}, {"decay": 2}, {"cautious": 1}, {"prox_step": 1}):
        refusal.check_option(**options)
    if refusal.row.function == "proximal_step":
        refusal.check_option(grad_scale=0.5)
    else:
        refusal.check_option(weight_decay=0.5)
        toward = np.zeros_like(refusal.given.w)
        refusal.check(refusal.call.with_array("toward", toward.ctypes.data), "toward")


def test_a_buffer_is_there_exactly_if_there_is_momentum(refusal):
    call, spare = refusal.call, np.zeros_like(refusal.given.w)
    if "momentum" not in call.numbers:
        return
    if call.numbers["momentum"]:
        refusal.check(call.with_array("momentum_buffer", None), "no buffer")
        refusal.check(call.with_numbers(momentum=0.0), "no momentum")
    else:
        refusal.check(call.with_array("momentum_buffer", spare.ctypes.data), "a buffer")
        refusal.check(call.with_numbers(momentum=0.5), "a momentum")
        if "nesterov" in call.numbers:
            refusal.check(call.with_numbers(nesterov=1), "nesterov")


def test_bad_arrays_are_refused_and_nothing_is_written(refusal):
    call, w = refusal.call, refusal.given.w
    refusal.check(replace(call, n=-1), "n")
    optional = {"momentum_buffer", "gradient_average"} if "momentum" in call.numbers else set()
    for name, pointer in call.arrays.items():
        if name not in optional:
            refusal.check(call.with_array(name, None), f"no {name}")
        if pointer is not None:
            shifted = replace(call.with_array(name, pointer + 1), n=N - 1)
            refusal.check(shifted, f"{name} not aligned")
    assert w.itemsize > 1
    for field in ("regularization", "summary"):
        shifted = replace(call, **{field: getattr(call, field) + 1})
        refusal.check(shifted, f"{field} not aligned")
    if call.toward:
        refusal.check(replace(call, toward=call.toward + 1, n=N - 1), "toward not aligned")


def test_arrays_that_overlap_are_refused_and_nothing_is_written(refusal):
    call, item = refusal.call, refusal.given.w.itemsize
    there = {name: pointer for name, pointer in call.arrays.items() if pointer is not None}
    if call.toward:
        there["toward"] = call.toward
    read = {"gradient", "toward"}
    for name in there:
        for other, pointer in there.items():
            if name == other or {name, other} <= read:
                continue
            for distance in (0, 1, N - 2):
                moved = call.with_array(name, pointer + distance * item)
                refusal.check(replace(moved, n=N - 1), f"{name} on {other} + {distance}")


def test_neighbours_do_not_overlap(single_or_double):
    memory = np.ones(3 * N, single_or_double)
    w, gradient, buffer = memory[:N], memory[N : 2 * N], memory[2 * N :]
    given = operands(UPDATES["heavy_ball"], single_or_double, N)
    given = given._replace(w=w, gradient=gradient, state=[buffer])
    assert call_of(UPDATES["heavy_ball"], given, None, None)() == 0
    assert (gradient == 1).all()


def test_every_function_and_its_states_are_those_of_python():
    assert set(STATES) == public_updates()
    for row in UPDATES.values():
        assert set(row.states) <= set(STATES[row.function])
