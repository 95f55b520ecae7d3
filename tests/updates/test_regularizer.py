"""A regularizer object inside an update: its own prox and value, in the same pass."""

import numpy as np
import pytest

import bridle as br

from ..cases import DTYPES
from ..conftest import by_name
from .calls import REGULARIZED, call, parts, refused
from .data import operands
from .oracle import UPDATES

FLOAT32, FLOAT64 = DTYPES["float32"], DTYPES["float64"]
OBJECTS = {
    repr(each): each
    for each in (
        br.L1(0.3),
        br.L2(0.2),
        br.ElasticNet(0.3, 0.1),
        br.L0(0.05),
        br.LHalf(0.2),
        br.LTwoThirds(0.2),
        br.LogSum(0.1, 0.5),
        br.MCP(0.3, 3.0),
        br.SCAD(0.3, 3.7),
        br.Huber(0.4, 0.3),
        br.NonNegativeL1(0.3),
        br.NonNegativeL2(0.3),
        br.NonNegative(),
        br.Box(-0.25, 0.5),
        br.L2SP(0.7, 0.4),
    )
}
FORMS = {"weight_decay": 0.1, "l1": 0.01}
FOLLOWED = {name: row for name, row in UPDATES.items() if row.function != "ftrl_update"}


@pytest.fixture(**by_name(FOLLOWED))
def row(request):
    return request.param


@pytest.fixture(**by_name(OBJECTS))
def regularizer(request):
    return request.param


def step_sizes(row, state):
    """Of float64 state after the step."""
    if row.function == "adamw_update":
        options = row.options
        beta = options["betas"][1]
        return row.lr / (np.sqrt(state["second_moment"]) / np.sqrt(1 - beta) + options["epsilon"])
    if row.function == "adagrad_update":
        return row.lr / (np.sqrt(state["accumulator"]) + row.options["epsilon"])
    if row.function == "rmsprop_update":
        average = state.get("gradient_average", 0.0)
        variance = np.maximum(state["square_average"] - average**2, 0.0)
        return row.lr / (np.sqrt(variance) + row.options["epsilon"])
    return row.lr


def given_for(row, dtype, shape):
    arrays = parts(row, operands(row, dtype, shape))
    arrays.pop("toward")
    return arrays


@pytest.mark.parametrize("dtype", [FLOAT32, FLOAT64], ids=str)
def test_it_follows_with_the_step_size_of_the_element(row, regularizer, dtype):
    arrays = given_for(row, dtype, (900,))
    before = {name: array.copy() for name, array in arrays.items()}
    plain = call(row, before, **FORMS)
    adaptive = {"prox_step": "adaptive"} if row.regularized else {}
    summary = call(row, arrays, **FORMS, **adaptive, regularizer=regularizer)
    for name in row.states:
        np.testing.assert_array_equal(arrays[name], before[name])
    wide = {name: array.astype(np.float64) for name, array in before.items()}
    expected = regularizer.prox(wide["w"], np.broadcast_to(step_sizes(row, wide), wide["w"].shape))
    single = dtype == FLOAT32
    np.testing.assert_allclose(arrays["w"], expected, rtol=2e-5 if single else 1e-12, atol=1e-6)
    total = FORMS["l1"] * np.abs(arrays["w"], dtype=np.float64).sum() + regularizer(arrays["w"])
    np.testing.assert_allclose(summary.penalty, total, rtol=1e-12)
    assert summary.nonzeros == np.count_nonzero(arrays["w"])
    assert summary.finite
    assert plain.nonzeros >= summary.nonzeros or not np.isclose(expected, 0).any()


def test_one_step_size_for_all_gives_the_bits_of_prox(row, regularizer, assert_same_bits):
    for dtype in (FLOAT32, FLOAT64):
        arrays = given_for(row, dtype, (70, 13))
        expected = {name: array.copy() for name, array in arrays.items()}
        scalar = {"prox_step": "scalar"} if row.regularized else {}
        call(row, expected, **FORMS, **scalar)
        call(row, arrays, **FORMS, **scalar, regularizer=regularizer)
        assert_same_bits(arrays["w"], regularizer.prox(expected["w"], row.lr))


def test_parameters_may_be_arrays_in_any_layout(row, assert_same_bits):
    factors = np.linspace(0.0, 1.0, 13)
    objects = [
        br.L1(factors),
        br.MCP(np.linspace(0.1, 1, 70, dtype=np.float32)[:, np.newaxis], 3.0),
        br.Box(-factors, 0.5),
        br.L2SP(np.linspace(-1, 1, 70 * 13).reshape(70, 13), 0.5),
    ]
    scalar = {"prox_step": "scalar"} if row.regularized else {}
    for each in objects:
        arrays = given_for(row, FLOAT32, (70, 13))
        expected = {name: array.copy() for name, array in arrays.items()}
        call(row, expected, **FORMS, **scalar)
        wanted = each.prox(expected["w"], row.lr)
        for layout in (np.copy, np.asfortranarray, lambda a: np.repeat(a, 2, 1)[:, ::2]):
            given = {name: layout(array) for name, array in arrays.items()}
            summary = call(row, given, **FORMS, **scalar, regularizer=each)
            assert_same_bits(np.ascontiguousarray(given["w"]), wanted)
            total = FORMS["l1"] * np.abs(given["w"], dtype=np.float64).sum() + each(given["w"])
            np.testing.assert_allclose(summary.penalty, total, rtol=1e-12)


def test_of_halves_the_stored_weights_are_counted(regularizer):
    for name in ("float16", "bfloat16"):
        row = REGULARIZED["adam"] if "adam" in REGULARIZED else next(iter(REGULARIZED.values()))
        arrays = given_for(row, DTYPES[name], (700,))
        summary = call(row, arrays, regularizer=regularizer)
        stored = arrays["w"]
        np.testing.assert_allclose(summary.penalty, regularizer(stored), rtol=1e-12)
        assert summary.nonzeros == np.count_nonzero(stored)


def test_a_list_has_one_for_all_or_one_for_each(row, assert_same_bits):
    shapes = [(5,), (3, 40), (0,), (1000,)]
    given = [given_for(row, FLOAT32, shape) for shape in shapes]
    for choice in ([br.L1(0.3), None, br.L0(0.1), br.Box(-1, 1)], br.MCP(0.3, 3.0)):
        each = choice if isinstance(choice, list) else [choice] * 4
        expected = [{name: array.copy() for name, array in arrays.items()} for arrays in given]
        sums = [call(row, a, regularizer=r) for a, r in zip(expected, each, strict=True)]
        lists = {name: [arrays[name].copy() for arrays in given] for name in given[0]}
        summary = call(row, lists, regularizer=choice)
        for i, arrays in enumerate(expected):
            for name in arrays:
                assert_same_bits(lists[name][i], arrays[name])
        np.testing.assert_allclose(summary.penalty, sum(s.penalty for s in sums), rtol=1e-12)


def test_rows_of_tables_have_the_parameters_of_their_rows(assert_same_bits):
    row = next(row for row in REGULARIZED.values() if row.function == "adagrad_update")
    factors = np.linspace(0, 2, 8 * 5).reshape(8, 5)
    arrays = given_for(row, FLOAT32, (8, 5))
    rows = [6, 1]
    expected = {name: array[rows] for name, array in arrays.items()}
    call(row, expected, regularizer=br.L1(factors[rows]))
    arrays["gradient"] = arrays["gradient"][rows]
    call(row, arrays, rows=rows, regularizer=br.L1(factors))
    assert_same_bits(arrays["w"][rows], expected["w"])


class Own(br.L1):
    """Has a value of its own, which the core does not know."""

    def value(self, w):
        return 0.0


def test_what_is_not_of_each_element_by_itself_is_an_error(row):
    arrays = given_for(row, FLOAT32, (6,))
    rule = (
        "regularizer must be a regularizer of each element by itself; for others call their own "
        "prox, for the elastic net proximal_step, after the update, got"
    )
    refused(row, arrays, TypeError, f"{rule} str", regularizer="l1")
    refused(row, arrays, TypeError, f"{rule} Own", regularizer=Own(1.0))
    lists = {name: [array] for name, array in arrays.items()}
    refused(row, lists, TypeError, f"regularizer[0] {rule[12:]} float", regularizer=[1.0])
    rule = "regularizer must be one, or one for each array of a list, got"
    refused(row, lists, ValueError, f"{rule} 2 for a list of 1", regularizer=[None, None])
    refused(row, arrays, ValueError, f"{rule} 1 for one array", regularizer=[None])
    rule = "regularizer must have parameters that broadcast to the shape of w, (6,), got one of"
    refused(row, arrays, ValueError, f"{rule} shape (5,)", regularizer=br.L1(np.ones(5)))
