"""Updates of arrays of several types: the bits of widening, stepping and rounding one by one."""

import tracemalloc
from itertools import product

import numpy as np
import pytest

import bridle as br
from bridle._updates import rows as rows_module

from ..cases import DTYPES, with_positive_zeros
from ..conftest import by_name
from ..dropout.oracle import draws
from .calls import REGULARIZED, call, parts, refused
from .data import operands

HALVES = [DTYPES["float16"], DTYPES["bfloat16"]]
BFLOAT16, FLOAT32, FLOAT64 = DTYPES["bfloat16"], DTYPES["float32"], DTYPES["float64"]
NARROW = [*HALVES, FLOAT32]
KEY = {"seed": 2**40 + 3, "stream": 9, "offset": 2**33 + 5}
FORMS = {"weight_decay": 0.1, "l1": 0.02, "l2": 0.3}
STATE_DOMAINS = {
    "momentum_buffer": 2,
    "first_moment": 2,
    "second_moment": 4,
    "accumulator": 2,
    "square_average": 2,
    "gradient_average": 6,
}


@pytest.fixture(**by_name(REGULARIZED))
def row(request):
    return request.param


def domain_of(row, name):
    """Array s of the state, in the order of the signature, has domains 2 + 2s and 3 + 2s."""
    return (
        4 if (row.function, name) == ("rmsprop_update", "momentum_buffer") else STATE_DOMAINS[name]
    )


def at_random(x, dtype, domain, index):
    """Round float32 numbers of normal size to one of their neighbours."""
    high = draws(KEY["seed"], KEY["stream"], domain, index).astype(np.uint32)
    bits = np.abs(x).view(np.uint32)
    if dtype == BFLOAT16:
        magnitude = (bits + high) >> 16
    else:
        magnitude = (bits - np.uint32(112 << 23) + (high >> 3)) >> 13
        magnitude[bits == 0] = 0
    rounded = magnitude.astype(np.uint16).view(dtype)
    return with_positive_zeros(np.where(np.signbit(x), -rounded, rounded).astype(dtype))


def rounded(x, dtype, domain, index):
    if domain is None or x.dtype == dtype:
        return with_positive_zeros(x.astype(dtype))
    return at_random(x, dtype, domain, index)


def mixed(row, weights, gradient, state, shape=(700,)):
    """Return arrays of these types, of numbers of normal size."""
    rng = np.random.default_rng(3)
    arrays = parts(row, operands(row, FLOAT64 if weights == FLOAT64 else FLOAT32, shape))
    arrays.pop("toward", None)
    result = {}
    for name, array in arrays.items():
        x = rng.uniform(0.25, 2.0, array.shape)
        if name in ("w", "gradient"):
            x *= rng.choice([-1, 1], array.shape)
        if name == "gradient_average":
            x *= 0.1
        result[name] = x.astype({"w": weights, "gradient": gradient}.get(name, state))
    return result


def check(row, arrays, copy_type, assert_same_bits, *, stochastic, index=None, **keywords):
    wide_type = FLOAT64 if arrays["w"].dtype == FLOAT64 else FLOAT32
    wide = {name: array.astype(wide_type) for name, array in arrays.items()}
    expected_summary = call(row, wide, **FORMS)
    given = {name: array.copy() for name, array in arrays.items()}
    if copy_type is not None:
        given["copy_out"] = np.zeros(arrays["w"].shape, copy_type)
    if stochastic:
        keywords |= KEY | {"rounding": "stochastic"}
    summary = call(row, given, **FORMS, **keywords)
    if index is None:
        index = np.arange(arrays["w"].size, dtype=np.uint64).reshape(arrays["w"].shape)
    index = index + np.uint64(KEY["offset"])
    for name, array in given.items():
        source = wide["w" if name == "copy_out" else name]
        domain = None
        if stochastic and name != "gradient":
            domain = 0 if name in ("w", "copy_out") else domain_of(row, name)
        if name == "gradient":
            assert_same_bits(array, arrays[name])
        else:
            assert_same_bits(array, rounded(source, array.dtype, domain, index))
    if arrays["w"].dtype in (FLOAT32, FLOAT64):
        assert summary == expected_summary
    else:
        assert summary.nonzeros == np.count_nonzero(given["w"])


GRADIENTS = [(w, g) for w in [*NARROW, FLOAT64] for g in [*NARROW, FLOAT64]]
GRADIENTS = [(w, g) for w, g in GRADIENTS if w == FLOAT64 or g != FLOAT64]


def test_the_gradient_has_a_type_of_its_own(row, assert_same_bits):
    for w, gradient in GRADIENTS:
        state = FLOAT64 if w == FLOAT64 else FLOAT32
        check(row, mixed(row, w, gradient, state), None, assert_same_bits, stochastic=False)


@pytest.mark.parametrize("stochastic", [False, True])
def test_a_copy_of_the_new_weights_is_rounded_in_the_same_pass(row, stochastic, assert_same_bits):
    for gradient, copy_type in product([BFLOAT16, FLOAT32], NARROW):
        if stochastic and copy_type == FLOAT32:
            continue
        arrays = mixed(row, FLOAT32, gradient, FLOAT32)
        check(row, arrays, copy_type, assert_same_bits, stochastic=stochastic)


def test_state_of_bfloat16_is_rounded_at_random_each_array_for_itself(row, assert_same_bits):
    if not row.states:
        pytest.skip("has no state")
    for w, copy_type in [(w, None) for w in NARROW] + [(FLOAT32, BFLOAT16)]:
        arrays = mixed(row, w, BFLOAT16, BFLOAT16)
        check(row, arrays, copy_type, assert_same_bits, stochastic=True)


@pytest.mark.parametrize("columns", [2, 16, 63, 64, 300])
def test_rows_of_a_wider_matrix_are_worked_on_where_they_lie(row, columns, assert_same_bits):
    for w, gradient, state in [(FLOAT32, FLOAT32, FLOAT32), (FLOAT32, BFLOAT16, FLOAT32)]:
        arrays = mixed(row, w, gradient, state, (45, columns + 3))
        arrays = {name: array[:, :columns] for name, array in arrays.items()}
        check(row, arrays, BFLOAT16, assert_same_bits, stochastic=False)
    arrays = mixed(row, BFLOAT16, BFLOAT16, FLOAT32, (45, columns + 3))
    arrays = {name: array[:, :columns] for name, array in arrays.items()}
    check(row, arrays, None, assert_same_bits, stochastic=True)


@pytest.mark.parametrize("columns", [3, 16, 64])
def test_such_rows_are_not_copied(row, columns):
    arrays = mixed(row, FLOAT32, BFLOAT16, FLOAT32, (100_000 // columns, columns + 1))
    arrays = {name: array[:, :columns] for name, array in arrays.items()}
    tracemalloc.start()
    try:
        call(row, arrays, **FORMS)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 50_000


def test_any_number_of_threads_gives_the_same_bits(threads, assert_same_bits):
    row = next(row for row in REGULARIZED.values() if row.function == "adamw_update")
    arrays = mixed(row, FLOAT32, BFLOAT16, BFLOAT16, (150_001,))
    check(row, arrays, BFLOAT16, assert_same_bits, stochastic=True)


def test_a_list_may_have_arrays_of_every_type(row, assert_same_bits):
    types = [(FLOAT32, BFLOAT16), (FLOAT64, FLOAT64), (BFLOAT16, BFLOAT16), (FLOAT32, FLOAT32)]
    lists = [mixed(row, w, g, FLOAT64 if w == FLOAT64 else FLOAT32, (90,)) for w, g in types]
    one_by_one = [{name: array.copy() for name, array in arrays.items()} for arrays in lists]
    rates = [0.05, 0.1, 0.0, 0.01]
    summaries = [call(row, a, **FORMS, lr=lr) for a, lr in zip(one_by_one, rates, strict=True)]
    many = {name: [arrays[name] for arrays in lists] for name in lists[0]}
    summary = call(row, many, **FORMS, lr=rates)
    for arrays, expected in zip(lists, one_by_one, strict=True):
        for name in arrays:
            assert_same_bits(arrays[name], expected[name])
    assert summary.nonzeros == sum(s.nonzeros for s in summaries)


def test_a_state_that_rounding_to_nearest_would_freeze_is_an_error(row):
    if not row.states:
        pytest.skip("has no state")
    arrays = mixed(row, FLOAT32, FLOAT32, BFLOAT16, (5,))
    message = (
        "must be float32 unless rounding is 'stochastic', since rounding to nearest loses small "
        "changes, got bfloat16 of shape (5,)"
    )
    refused(row, arrays, ValueError, f"{row.states[0]} {message}")


def test_only_float32_weights_are_copied(row):
    for w in (*HALVES, FLOAT64):
        arrays = mixed(row, w, w, FLOAT64 if w == FLOAT64 else FLOAT32, (5,))
        arrays["copy_out"] = np.zeros(5, BFLOAT16)
        rule = "copy_out must be None unless w is float32, got bfloat16 of shape (5,)"
        refused(row, arrays, TypeError, rule)
    arrays = mixed(row, FLOAT32, FLOAT32, FLOAT32, (5,))
    arrays["copy_out"] = np.zeros(5)
    rule = "copy_out must be of type float16, bfloat16 or float32, got float64 of shape (5,)"
    refused(row, arrays, TypeError, rule)
    arrays["copy_out"] = arrays["w"]
    refused(
        row, arrays, ValueError, "copy_out must share no memory with w, got arrays that overlap"
    )


def test_averages_of_bfloat16_move(assert_same_bits):
    """A second moment with beta 0.999 stands still if it is rounded to nearest."""
    w, gradient = np.ones(5000, np.float32), np.full(5000, 0.5, BFLOAT16)
    m, v = np.zeros(5000, BFLOAT16), np.zeros(5000, BFLOAT16)
    for step in range(1, 1001):
        how = {"rounding": "stochastic", "seed": 1}
        br.adamw_update(w, gradient, m, v, 0.0, step, **how)
    assert abs(v.astype(float).mean() / (0.25 * (1 - 0.999**1000)) - 1) < 0.01


def in_rows(arrays, rows):
    """Return whole tables, with gradients of some rows alone."""
    return {name: array[rows] if name == "gradient" else array for name, array in arrays.items()}


@pytest.mark.parametrize("columns", [1, 16, 70, 3000])
@pytest.mark.parametrize("rows", [[], [4], [0, 1, 2, 3], [28, 3, 17, 0, 11]], ids=repr)
def test_some_rows_of_tables(row, columns, rows, assert_same_bits):
    for types in [(FLOAT32,) * 3, (FLOAT32, BFLOAT16, FLOAT32), (FLOAT64,) * 3]:
        tables = mixed(row, *types, (30, columns))
        expected = {name: array[rows] for name, array in tables.items()}
        expected_summary = call(row, expected, **FORMS)
        given = in_rows(tables, rows)
        before = {name: array.copy() for name, array in given.items()}
        summary = call(row, given, **FORMS, rows=np.array(rows, int))
        assert summary == expected_summary
        others = np.setdiff1d(np.arange(30), rows)
        for name in set(given) - {"gradient"}:
            assert_same_bits(given[name][rows], expected[name])
            assert_same_bits(given[name][others], before[name][others])


def test_the_random_bits_of_rows_are_those_of_the_whole_table(row, assert_same_bits):
    rows, state = [7, 2, 5], BFLOAT16 if row.states else FLOAT32
    tables = mixed(row, FLOAT32, BFLOAT16, state, (9, 33))
    chosen = {name: array[rows] for name, array in tables.items()}
    index = np.arange(9 * 33, dtype=np.uint64).reshape(9, 33)[rows]
    given = in_rows(tables, rows) | {"copy_out": np.zeros((9, 33), BFLOAT16)}
    call(row, given, **FORMS, rows=rows, rounding="stochastic", **KEY)
    wide = {name: array.astype(np.float32) for name, array in chosen.items()}
    call(row, wide, **FORMS)
    index = index + np.uint64(KEY["offset"])
    for name in row.states:
        domain = domain_of(row, name)
        assert_same_bits(given[name][rows], rounded(wide[name], BFLOAT16, domain, index))
    assert_same_bits(given["copy_out"][rows], rounded(wide["w"], BFLOAT16, 0, index))


def test_rows_of_tables_of_any_layout(row, assert_same_bits):
    rows = [5, 0, 3]
    tables = mixed(row, FLOAT32, FLOAT32, FLOAT32, (6, 40))
    given = in_rows(tables, rows)
    expected = {name: array.copy() for name, array in given.items()}
    call(row, expected, **FORMS, rows=rows)
    layouts = [
        np.asfortranarray,
        lambda a: np.repeat(a, 2, 1)[:, ::2],
        lambda a: a[::-1].copy()[::-1],
    ]
    for layout in layouts:
        other = {name: layout(array) for name, array in in_rows(tables, rows).items()}
        call(row, other, **FORMS, rows=rows)
        for name in given:
            assert_same_bits(np.array(other[name]), expected[name])


def test_rows_of_a_list_of_tables(row, assert_same_bits):
    tables = [mixed(row, FLOAT32, FLOAT32, FLOAT32, shape) for shape in ((6, 4), (300, 2), (2, 9))]
    rows = [[1, 0], np.arange(0, 300, 7), []]
    expected = [in_rows(t, r) for t, r in zip(tables, rows, strict=True)]
    expected = [{name: array.copy() for name, array in each.items()} for each in expected]
    for each, numbers in zip(expected, rows, strict=True):
        call(row, each, **FORMS, rows=numbers)
    many = [in_rows(t, r) for t, r in zip(tables, rows, strict=True)]
    call(row, {name: [each[name] for each in many] for name in many[0]}, **FORMS, rows=rows)
    for each, wanted in zip(many, expected, strict=True):
        for name in each:
            assert_same_bits(each[name], wanted[name])


def test_rows_that_do_not_fit(row):
    tables = mixed(row, FLOAT32, FLOAT32, FLOAT32, (6, 4))
    arrays = in_rows(tables, [1, 2])
    for bad, error, message in [
        ([1, 1], ValueError, "rows must not contain a row twice, got 1 more than once"),
        ([1, 6], IndexError, "rows must be >= 0 and < 6, got 6"),
        ([-1, 2], IndexError, "rows must be >= 0 and < 6, got -1"),
        ([0.0, 1.0], TypeError, "rows must be integers in one dimension, got [0.0, 1.0]"),
        (
            [1, 2, 3],
            ValueError,
            "gradient must have one row for each of rows, of the shape of those of w, "
            "got float32 of shape (2, 4)",
        ),
    ]:
        refused(row, arrays, error, message, rows=bad)
    lists = {name: [array] for name, array in arrays.items()}
    rule = "rows must be a list of 1 arrays of row numbers, as w is, got"
    refused(row, lists, ValueError, f"{rule} 2", rows=[1, 2])
    refused(row, lists, ValueError, f"{rule} ndarray", rows=np.array([1, 2]))


# Of a large table they are sorted, of a small one marked.
@pytest.mark.parametrize("size", [9, 10**6])
def test_a_row_that_is_there_twice_is_found_in_any_order(size):
    for numbers in ([5, 0, 3], [8, 7], np.arange(9)[::-1], [4], []):
        assert rows_module.row_numbers("f", "rows", numbers, size).tolist() == list(numbers)
    for numbers, twice in (([5, 0, 5], 5), ([8, 3, 3, 8], 3), ([0, 0], 0)):
        with pytest.raises(ValueError, match=f"^f: rows must not .*, got {twice} more"):
            rows_module.row_numbers("f", "rows", numbers, size)
    for numbers, outside in (([5, 0, -1, 5], -1), ([3, size, 3], size)):
        with pytest.raises(IndexError, match=f"^f: rows must be >= 0 and < {size}, got {outside}"):
            rows_module.row_numbers("f", "rows", numbers, size)
