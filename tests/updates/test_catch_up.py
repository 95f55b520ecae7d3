"""Rows that missed some steps: all of them at once are those steps one by one."""

import decimal
import re
import time
import tracemalloc
from decimal import Decimal

import ml_dtypes
import numpy as np
import pytest
from numpy.lib.stride_tricks import as_strided

import bridle as br

from ..cases import DTYPES, INF, NAN
from .data import state_dtype

STEP = 0.05
STRENGTHS = [
    {},
    {"l1": 0.3},
    {"l2": 0.4},
    {"weight_decay": 0.5},
    {"weight_decay": 1 / STEP},
    {"l1": 0.1, "l2": 0.4},
    {"l1": 0.1, "weight_decay": 0.5},
    {"l2": 6.0, "weight_decay": 12.0},
    {"l1": 0.1, "l2": 0.4, "weight_decay": 0.5},
    {"l1": 1e-9, "l2": 1e-9, "weight_decay": 1e-9},
    {"l1": 30.0, "weight_decay": 2.0},
]
COUNTS = [*range(13), 17, 30, 49, 50]


def table(dtype, rows=17, columns=40, seed=1):
    rng = np.random.default_rng(seed)
    w = rng.normal(size=(rows, columns)) * 2.0 ** rng.integers(-8, 3, size=(rows, columns))
    return np.where(rng.random(w.shape) < 0.1, 0.0, w).astype(dtype)


def one_by_one(w, missed, step, *, toward=None, **strengths):
    """Return, in float64, what that many steps make of each row."""
    result = w.astype(np.float64)
    for row, count in enumerate(missed):
        reference = None if toward is None else toward[row].astype(np.float64)
        for _ in range(count):
            br.proximal_step(result[row], step, toward=reference, **strengths)
    return result


def assert_near(actual, wanted, what="", reference=None):
    """Compare to the rounding errors of 50 steps, which are relative to the reference as well."""
    eps = float(np.finfo(state_dtype(actual.dtype)).eps)
    own = {"float16": 2.0**-11, "bfloat16": 2.0**-8}.get(str(actual.dtype), 0.0)
    scale = np.nanmax(np.abs(wanted), initial=1.0, where=np.isfinite(wanted))
    scale = max(scale, 0.0 if reference is None else float(np.abs(reference).max()))
    allowed = own * np.abs(wanted) + own * 2.0**-13 + 100 * eps * scale
    with np.errstate(invalid="ignore"):
        close = np.abs(actual.astype(np.float64) - wanted) <= allowed
    same = (actual == wanted) | (np.isnan(actual) & np.isnan(wanted))
    assert (close | same).all(), what


@pytest.mark.parametrize("strengths", STRENGTHS, ids=str)
@pytest.mark.parametrize("far", [None, 0.0, 0.3, 5.0], ids=lambda far: f"toward {far}")
def test_k_steps_at_once_are_k_steps(dtype, strengths, far):
    """Also where weights cross zero on their way to a reference on the other side."""
    w = table(dtype)
    toward = None if far is None else (far * table(np.float64, seed=2)).astype(dtype)
    wanted = one_by_one(w, COUNTS, STEP, toward=toward, **strengths)
    br.catch_up(w, np.arange(len(w)), COUNTS, STEP, toward=toward, **strengths)
    assert_near(w, wanted, strengths, toward)
    assert not np.signbit(w[w == 0]).any()


def test_zeros_are_those_of_the_steps():
    w, toward = table(np.float64), table(np.float64, seed=5) * 0.3
    for reference in (None, toward):
        mine = w.copy()
        keywords = {"l1": 0.2, "weight_decay": 0.5, "toward": reference}
        wanted = one_by_one(w, COUNTS, STEP, **keywords)
        br.catch_up(mine, np.arange(len(w)), COUNTS, STEP, **keywords)
        np.testing.assert_array_equal(mine == 0, wanted == 0)


def test_only_the_rows_that_are_named_change(dtype, assert_same_bits):
    w = table(dtype, 9)
    before, rows, missed = w.copy(), [7, 0, 3], [2, 5, 0]
    wanted = one_by_one(w[rows], missed, STEP, l1=0.3)
    br.catch_up(w, rows, missed, STEP, l1=0.3)
    assert_near(w[rows], wanted)
    others = [1, 2, 4, 5, 6, 8]
    assert_same_bits(w[others], before[others])
    np.testing.assert_array_equal(w[3], before[3])


@pytest.mark.parametrize("shape", [(6,), (6, 1), (6, 0), (6, 2, 3, 4)], ids=str)
def test_tables_of_any_dimension(shape):
    w = np.random.default_rng(1).normal(size=shape)
    toward = np.random.default_rng(2).normal(size=shape)
    wanted = w.copy()
    keywords = {"l1": 0.2, "weight_decay": 0.3}
    for row, count in ((4, 7), (1, 2)):
        for _ in range(count):
            part = slice(row, row + 1)
            br.proximal_step(wanted[part], STEP, toward=toward[part], **keywords)
    result = br.catch_up(w, (4, 1), np.array([7, 2]), STEP, toward=toward, **keywords)
    assert result is None
    np.testing.assert_allclose(w, wanted, rtol=1e-13, atol=1e-15)


@pytest.mark.parametrize("change", [np.asfortranarray, lambda w: np.repeat(w, 2, 1)[:, ::2]])
def test_any_layout_gives_the_same(change):
    plain, w = table(np.float32), change(table(np.float32))
    for array in (plain, w):
        br.catch_up(array, [1, 5], 4, STEP, l1=0.2)
    np.testing.assert_array_equal(plain, w)


def test_threads_and_the_order_of_rows_change_no_bit(dtype, threads, assert_same_bits):
    w = table(dtype, 3000)
    rows = np.random.default_rng(3).permutation(3000)[:2000]
    missed = rows % 7
    wanted = w.copy()
    for row, count in zip(rows, missed, strict=True):
        br.catch_up(wanted, [row], count, STEP, l1=0.2, l2=0.1, weight_decay=0.3)
    br.catch_up(w, rows, missed, STEP, l1=0.2, l2=0.1, weight_decay=0.3)
    assert_same_bits(w, wanted)


@pytest.mark.parametrize("kind", ["i1", "u1", "i4", "u4", "i8", "u8", ">i4"])
def test_integers_of_every_type_are_taken(kind):
    wanted, w = table(np.float32), table(np.float32)
    br.catch_up(wanted, [1, 5], [3, 4], STEP, l1=0.2)
    br.catch_up(w, np.array([1, 5], kind), np.array([3, 4], kind), STEP, l1=0.2)
    np.testing.assert_array_equal(w, wanted)


def test_one_count_stands_for_all_rows():
    wanted, w = table(np.float64), table(np.float64)
    rows = [1, 5, 2]
    br.catch_up(wanted, rows, [4] * 3, STEP, l1=0.2)
    for count in (4, np.int8(4), np.array(4)):
        mine = w.copy()
        br.catch_up(mine, rows, count, STEP, l1=0.2)
        np.testing.assert_array_equal(mine, wanted)
    br.catch_up(w, 1, 4, STEP, l1=0.2)
    np.testing.assert_array_equal(w[1], wanted[1])


def test_no_row_and_no_step_change_nothing(dtype, assert_same_bits):
    w = table(dtype)
    before = w.copy()
    for rows, missed in (([], []), ([], 3), (np.zeros(0, int), 0), ([0, 3], 0), ([1], [0])):
        br.catch_up(w, rows, missed, STEP, l1=0.5, weight_decay=0.5)
        assert_same_bits(w, before)
    br.catch_up(np.zeros((0, 3), dtype), [], [], STEP)


@pytest.mark.parametrize("count", [10**9, 2**62, 2**63 - 1])
def test_any_number_of_steps_costs_the_same(count):
    begin = time.monotonic()
    for strengths in STRENGTHS[1:]:
        for factor in (0.0, 0.1, 1.0, 5.0):
            w, toward = table(np.float64), factor * table(np.float64, seed=3)
            br.catch_up(w, np.arange(len(w)), count, STEP, toward=toward, **strengths)
            assert np.isfinite(w).all()
            if strengths.get("weight_decay", 0) >= 0.1 or strengths.get("l2", 0) >= 0.1:
                fixed = w.copy()
                br.proximal_step(fixed, STEP, toward=toward, **strengths)
                np.testing.assert_allclose(fixed, w, rtol=1e-12, atol=1e-14)
    assert time.monotonic() - begin < 30  # one by one it would be years


@pytest.mark.parametrize("count", [1, 2, 50, 10**9])
def test_rows_that_are_not_finite_become_what_steps_make_of_them(dtype, count):
    special = [INF, -INF, NAN, 0.0, -0.0, 1.0]
    for strengths in ({}, {"l1": 0.3}, {"l2": 0.3}, {"weight_decay": 0.5}, {"weight_decay": 20}):
        w = np.array([special], dtype)
        wanted = one_by_one(w, [min(count, 50)], STEP, **strengths)
        br.catch_up(w, [0], count, STEP, **strengths)
        np.testing.assert_array_equal(w[0, :3].astype(float), wanted[0, :3], str(strengths))
        assert not np.signbit(w[w == 0]).any()


@pytest.mark.parametrize("bad", [INF, -INF, NAN])
def test_a_reference_that_is_not_finite_only_matters_where_something_draws(bad):
    w, toward = np.ones((2, 3)), np.full((2, 3), bad)
    br.catch_up(w, [0], 5, STEP, toward=toward, l1=0.2)
    np.testing.assert_allclose(w, [[0.95] * 3, [1] * 3])
    wanted = one_by_one(w, [5, 0], STEP, toward=toward, weight_decay=0.5)
    br.catch_up(w, [0], 5, STEP, toward=toward, weight_decay=0.5)
    np.testing.assert_array_equal(w, wanted)


@pytest.mark.parametrize("step", [0.0, STEP])
@pytest.mark.parametrize("name", ["l1", "l2"])
def test_infinite_strengths_are_those_of_the_steps(step, name):
    for count in (1, 7, 10**9):
        w = np.array([[0.0, 1.0, -2.0]])
        wanted = one_by_one(w, [1], step, **{name: INF})
        br.catch_up(w, [0], count, step, **{name: INF})
        np.testing.assert_array_equal(w, wanted)


@pytest.mark.parametrize("rate", [1e-7, 1e-5, 1e-3, 0.3])
@pytest.mark.parametrize("count", [1, 1000, 10**5, 10**6, 10**8])
def test_weights_that_are_where_they_are_drawn_to_stay_there(rate, count):
    """The part that is kept and the part that is drawn add up to one, however many steps."""
    w = np.random.default_rng(4).normal(size=(3, 50))
    mine = w.copy()
    br.catch_up(mine, [0, 1, 2], count, 1.0, weight_decay=rate, toward=w)
    np.testing.assert_allclose(mine, w, rtol=1e-15)


@pytest.mark.parametrize("strengths", [STRENGTHS[i] for i in (2, 5, 7, 8)], ids=str)
def test_many_steps_agree_to_their_roundings(strengths):
    """Against steps with more digits, which have the factors of the steps in float64."""
    step, count, w = 1e-4, 50_000, np.array([[1.0, -0.6, 3e-3]])
    rate, twice = (step * strengths.get(name, 0.0) for name in ("weight_decay", "l2"))
    keep, divisor = np.longdouble(1 - rate), np.longdouble(1 + 2 * twice)
    threshold, wanted = np.longdouble(step * strengths.get("l1", 0.0)), w[0].astype(np.longdouble)
    for _ in range(count):
        wanted = wanted * keep
        wanted = (wanted - np.clip(wanted, -threshold, threshold)) / divisor
    br.catch_up(w, [0], count, step, **strengths)
    np.testing.assert_allclose(w[0], wanted.astype(float), rtol=1e-13, atol=1e-300)


def test_subclasses_are_taken_as_plain_arrays():
    w, wanted = table(np.float64).view(np.matrix), table(np.float64)
    for array in (w, wanted):
        br.catch_up(array, [1, 5], 4, STEP, l1=0.2, weight_decay=0.5)
    np.testing.assert_array_equal(np.asarray(w), wanted)


W = np.ones((4, 3))


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"rows": [0, 4]}, IndexError, "rows must be >= 0 and < 4, got 4"),
        ({"rows": [-1, 0]}, IndexError, "rows must be >= 0 and < 4, got -1"),
        ({"rows": [1, 1]}, ValueError, "rows must not contain a row twice, got 1 more than once"),
        ({"rows": [0.0, 1.0]}, TypeError, "rows must be integers in one dimension, got [0.0, 1.0]"),
        ({"rows": [[0, 1]]}, TypeError, "rows must be integers in one dimension, got [[0, 1]]"),
        ({"rows": [True]}, TypeError, "rows must be integers in one dimension, got [True]"),
        (
            {"rows": [[0], [1, 2]]},
            TypeError,
            "rows must be integers in one dimension, got [[0], [1, 2]]",
        ),
        ({"rows": None}, TypeError, "rows must be integers in one dimension, got None"),
        ({"missed": [1]}, ValueError, "missed must have one number for each of 2 rows, got 1"),
        (
            {"missed": [1, 2, 3]},
            ValueError,
            "missed must have one number for each of 2 rows, got 3",
        ),
        ({"missed": [1, -1]}, ValueError, "missed must be >= 0, got -1"),
        ({"missed": -1}, ValueError, "missed must be >= 0, got -1"),
        ({"missed": 1.0}, TypeError, "missed must be integers in one dimension, got 1.0"),
        ({"missed": None}, TypeError, "missed must be integers in one dimension, got None"),
        ({"missed": 10**30}, TypeError, f"missed must be integers in one dimension, got {10**30}"),
        ({"step": -0.5}, ValueError, "step must be >= 0, got -0.5"),
        ({"l1": NAN}, ValueError, "l1 must be >= 0, got nan"),
        ({"l2": -1}, ValueError, "l2 must be >= 0, got -1"),
        ({"l1": [0.1, 0.2]}, TypeError, "l1 must be a real number, got [0.1, 0.2]"),
        ({"weight_decay": -0.1}, ValueError, "weight_decay must be >= 0, got -0.1"),
        (
            {"weight_decay": 3},
            ValueError,
            "step * weight_decay must be between 0 and 1, got 1.5",
        ),
        (
            {"toward": np.ones((4, 2))},
            ValueError,
            "toward must have the shape of w, got float64 of shape (4, 2)",
        ),
        (
            {"toward": np.ones((4, 3), "f4")},
            TypeError,
            "toward must have the type of w, got float32 of shape (4, 3)",
        ),
        (
            {"toward": 1.0},
            TypeError,
            "toward must be an array like w, got float",
        ),
        (
            {"toward": np.ma.ones((4, 3))},
            TypeError,
            "masked arrays are not supported; fill or compress them first",
        ),
        ({"step": np.ma.masked}, TypeError, "step must not be masked, got masked"),
        ({"l1": np.ma.masked}, TypeError, "l1 must not be masked, got masked"),
        ({"l2": np.ma.masked}, TypeError, "l2 must not be masked, got masked"),
        ({"weight_decay": np.ma.masked}, TypeError, "weight_decay must not be masked, got masked"),
        ({"missed": np.ma.masked}, TypeError, "missed must not be masked, got masked"),
        ({"missed": [1, np.ma.masked]}, TypeError, "missed must not be masked, got [1, masked]"),
        (
            {"rows": np.ma.array([0, 2], mask=[0, 1])},
            TypeError,
            "rows must not be masked, got masked_array(data=[0, --], mask=[False, True], "
            "fill_value=999999)",
        ),
        (
            {"rows": np.linspace(0, 1, 3000)},
            TypeError,
            "rows must be integers in one dimension, got "
            + " ".join(repr(np.linspace(0, 1, 3000)).split())[:97]
            + "...",
        ),
        (
            {"rows": np.array([2**64 - 1], "u8")},
            IndexError,
            f"rows must be >= 0 and < 4, got {2**63 - 1}",
        ),
    ],
    ids=str,
)
def test_bad_arguments_are_named_and_nothing_is_written(change, error, message):
    w = W.copy()
    arguments = {"rows": [0, 2], "missed": [1, 2], "step": 0.5, "l1": 0.1} | change
    with pytest.raises(error, match=f"^{re.escape(f'catch_up: {message}')}$"):
        br.catch_up(w, **arguments)
    np.testing.assert_array_equal(w, W)


def test_a_table_must_be_an_array_of_floats_that_may_be_written():
    for bad in (np.array(1.0), [[1.0]], None):
        with pytest.raises(TypeError, match=r"^catch_up: w must be an array of one or more dim"):
            br.catch_up(bad, [0], 1, 0.1)
    rule = "w must be of type float16, bfloat16, float32 or float64, got "
    for bad in (np.ones((2, 2), int), np.ones((2, 2), ">f4"), np.ones((2, 2), complex)):
        with pytest.raises(TypeError, match=f"^catch_up: {rule}{bad.dtype} of shape "):
            br.catch_up(bad, [0], 1, 0.1)
    w = W.copy()
    w.flags.writeable = False
    with pytest.raises(ValueError, match=r"^catch_up: w must be writeable, got float64 of shape"):
        br.catch_up(w, [0], 1, 0.1)
    with pytest.raises(TypeError, match=r"^catch_up: masked arrays are not supported"):
        br.catch_up(np.ma.masked_array(W.copy()), [0], 1, 0.1)


def packed(array):
    """Return an equal array that is a field of packed records."""
    records = np.zeros(array.shape, [("count", "u1"), ("weight", array.dtype)])
    records["weight"] = array
    return records["weight"]


def shifted(array):
    """Return an equal array at an odd address."""
    memory = bytearray(array.nbytes + 1)
    copy = np.frombuffer(memory, array.dtype, array.size, offset=1).reshape(array.shape)
    copy[...] = array
    return copy


@pytest.mark.parametrize("change", [packed, shifted])
@pytest.mark.parametrize("rows", [[0, 2], []], ids=str)
def test_tables_that_are_not_aligned_are_an_error(change, rows):
    w, other = change(W), W.copy()
    got = r"got float64 of shape \(4, 3\) that is not aligned$"
    with pytest.raises(TypeError, match=f"^catch_up: w must be of type float16, .*, {got}"):
        br.catch_up(w, rows, 1, 0.1, l1=0.1)
    with pytest.raises(TypeError, match=f"^catch_up: toward must have the type of w, {got}"):
        br.catch_up(other, rows, 1, 0.1, weight_decay=0.1, toward=w)
    np.testing.assert_array_equal(w, W)
    np.testing.assert_array_equal(other, W)


@pytest.mark.parametrize("strides", [(0, 8), (8, 8), (16, 8), (24, 0)], ids=str)
def test_rows_that_share_memory_are_an_error(strides):
    """They would be shrunk more than once."""
    memory = np.ones(20)
    w = as_strided(memory, (4, 3), strides)
    message = "w must have elements that share no memory, got some that do"
    with pytest.raises(ValueError, match=f"^catch_up: {message}$"):
        br.catch_up(w, [0, 1], 1, 0.1, l1=0.5)
    np.testing.assert_array_equal(memory, 1)


@pytest.mark.parametrize("shift", [0, 1, 6])
def test_weights_that_are_drawn_share_no_memory_with_what_draws_them(shift):
    memory = np.ones(20)
    w, toward = memory[:12].reshape(4, 3), memory[shift : shift + 12].reshape(4, 3)
    message = "toward must share no memory with w, got arrays that overlap"
    with pytest.raises(ValueError, match=f"^catch_up: {message}$"):
        br.catch_up(w, [0, 1], 1, 0.1, weight_decay=0.5, toward=toward)
    np.testing.assert_array_equal(memory, 1)


def test_one_row_may_draw_all():
    """What is only read may be broadcast."""
    w, toward = table(np.float32), table(np.float32, rows=1, seed=2)
    wanted = w.copy()
    keywords = {"weight_decay": 0.5, "l1": 0.1}
    br.catch_up(wanted, [3, 1], 9, STEP, toward=np.repeat(toward, len(w), 0), **keywords)
    br.catch_up(w, [3, 1], 9, STEP, toward=np.broadcast_to(toward, w.shape), **keywords)
    np.testing.assert_array_equal(w, wanted)


@pytest.mark.parametrize("drawn", [False, True], ids=["to zero", "toward"])
@pytest.mark.parametrize("change", [np.asarray, np.asfortranarray, lambda w: w[::-1, ::-1]])
def test_no_more_memory_than_a_few_megabytes_is_taken(drawn, change):
    w = change(np.ones((50_000, 128), np.float32))
    toward = change(np.full_like(np.asarray(w), 0.5)) if drawn else None
    rows = np.arange(len(w))
    tracemalloc.start()
    try:
        br.catch_up(w, rows, 3, STEP, l1=0.1, weight_decay=0.5, toward=toward)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 6 * 2**20 < w.nbytes / 4
    assert (w < 1).all()


@pytest.mark.parametrize("size", [1, 5, 70_000])
def test_copies_of_rows_are_made_a_block_at_a_time(size, monkeypatch):
    plain = np.random.default_rng(1).normal(size=(40, size))
    toward = np.random.default_rng(2).normal(size=(40, size))
    rows = np.random.default_rng(3).permutation(40)[:30]
    missed = np.arange(30) % 7
    keywords = {"l1": 0.1, "weight_decay": 0.5}
    wanted = plain.copy()
    br.catch_up(wanted, rows, missed, STEP, toward=toward, **keywords)
    for block in (1, 100, 2**20):
        monkeypatch.setattr("bridle._updates.catch_up.BLOCK", block)
        for pair in ((plain.copy(order="F"), toward), (plain.copy(), np.asfortranarray(toward))):
            br.catch_up(pair[0], rows, missed, STEP, toward=pair[1], **keywords)
            np.testing.assert_array_equal(pair[0], wanted)


def test_threads_change_no_bit_of_rows_that_are_drawn(dtype, set_threads, assert_same_bits):
    """Also where some have to cross zero, and where a row is shared among threads."""
    results = []
    for threads in (1, 2, 5):
        set_threads(threads)
        for shape in ((2000, 40), (40, 2000)):
            w, toward = table(dtype, *shape), table(dtype, *shape, seed=2)
            rows = np.random.default_rng(3).permutation(len(w))
            keywords = {"l1": 0.1, "l2": 0.3, "weight_decay": 0.5}
            br.catch_up(w, rows, rows % 60, STEP, toward=toward, **keywords)
            results.append(w)
    for k, result in enumerate(results):
        assert_same_bits(result, results[k % 2])


@pytest.mark.parametrize("loss", [1e-16, 1e-10, 1e-5, 0.3])
@pytest.mark.parametrize("count", [1, 10, 10**6, 10**12, 2**62])
@pytest.mark.parametrize("name", ["weight_decay", "l2"])
def test_powers_are_those_of_exact_arithmetic(loss, count, name):
    """With the rounded factors of a step; as many digits as numbers of this size need."""
    with decimal.localcontext(prec=60):
        keep, divisor = (1 - loss, 1.0) if name == "weight_decay" else (1.0, 1 + 2 * (loss / 2))
        ratio = Decimal(keep) / Decimal(divisor)
        power = ratio**count
        total = (1 - power) / (1 - ratio) if ratio != 1 else Decimal(count)
        pull = Decimal((1 - keep) * 0.75) if name == "weight_decay" else Decimal(0)
        each = Decimal(2.0**-70) / Decimal(divisor)
        wanted = float(power * Decimal("0.5") + pull / Decimal(divisor) * total)
        shrunk = float(max(power * Decimal("0.5") - each * total, Decimal(0)))
    strength = {name: loss if name == "weight_decay" else loss / 2}
    for expected, keywords in (
        (wanted, {"toward": np.full((1, 3), 0.75)}),
        (shrunk, {"l1": 2.0**-70}),
    ):
        w = np.full((1, 3), 0.5)
        br.catch_up(w, [0], count, 1.0, **strength, **keywords)
        np.testing.assert_allclose(w, expected, rtol=2e-15, atol=1e-300)


def test_weights_that_are_drawn_are_rounded_once():
    """A number beside the middle of two halves goes to the nearer one, not to an even one."""
    for name, digits in (("float16", 10), ("bfloat16", 7)):
        kind = DTYPES[name].type
        middle = 1 + 2.0 ** -(digits + 1)
        for toward, wanted in ((1 + 2.0**-digits, 1 + 2.0**-digits), (1.0, 1.0)):
            w = np.array([[kind(toward)]])
            other = np.array([[kind(2 * middle - toward)]])
            rate = 0.5 + 2.0**-40  # a little nearer to `toward` than to where it was
            br.catch_up(other, [0], 1, 1.0, weight_decay=rate, toward=w)
            assert float(other[0, 0]) == wanted, (name, toward)


def test_halves_are_rounded_once():
    w = np.ones((1, 3), ml_dtypes.bfloat16)
    br.catch_up(w, [0], 1000, 1e-3, weight_decay=0.1)
    assert (w == DTYPES["bfloat16"].type((1 - 1e-4) ** 1000)).all()
