"""Stochastic rounding of half weights: to a neighbour, right on average, by the documented bits."""

from itertools import pairwise

import ml_dtypes
import numpy as np
import pytest

import bridle as br
from bridle._updates.call import Starts

from ..cases import DTYPES, INF, NAN, with_positive_zeros
from ..conftest import by_name
from .data import operands
from .oracle import UPDATES, rich

HALVES = {name: DTYPES[name] for name in ("float16", "bfloat16")}
REGULARIZED = {name: row for name, row in UPDATES.items() if row.regularized}
KEY = {"seed": 12345678901, "stream": 3, "offset": 2**33 + 7}
RANDOM = KEY | {"rounding": "stochastic"}


@pytest.fixture(**by_name(HALVES))
def half(request):
    return request.param


@pytest.fixture(**by_name(REGULARIZED))
def row(request):
    return request.param


def rounded(x, half, **keywords):
    """Return float32 numbers rounded at random: the weights are what is subtracted from zero."""
    x = np.asarray(x, np.float32)
    w = np.zeros(x.shape, half)
    br.sgd_update(w, -x, 1.0, **RANDOM | keywords)
    return w


def finite_values(half):
    every = np.arange(2**16, dtype=np.uint16)
    infinity = np.array(INF, half).view(np.uint16)
    return every[(every & 0x7FFF) < infinity].view(half)


def away(values):
    """Return the next value of larger magnitude."""
    return (values.view(np.uint16) + np.uint16(1)).view(values.dtype)


def goes_up(size, fraction, **key):
    """Return where u(i) >= 1 - fraction: what dropout would drop with this probability."""
    return ~br.dropout_mask(size, fraction, **KEY | key)


@pytest.mark.parametrize("seed", range(8))
def test_what_needs_no_rounding_is_not_changed(half, seed, assert_same_bits):
    every = np.arange(2**16, dtype=np.uint16).view(half)
    with np.errstate(invalid="ignore"):  # signalling NaN
        kept = rounded(every.astype(np.float32), half, seed=seed)
        assert_same_bits(kept, with_positive_zeros(every))


@pytest.mark.parametrize("parts", [1, 64, 2048, 4095, 4096, 4097, 6144, 8191])
def test_the_neighbour_is_chosen_by_the_uniform_of_the_element(half, parts, assert_same_bits):
    low = finite_values(half)
    largest = np.array(ml_dtypes.finfo(half).max).view(np.uint16)
    low = low[((low.view(np.uint16) & 0x7FFF) < largest) & (low != 0)]
    low = np.append(low, np.zeros(1, half))
    wide, next_ = low.astype(np.float64), away(low)
    x = wide + (next_.astype(np.float64) - wide) * (parts / 8192)
    assert (x.astype(np.float32) == x).all()
    up = goes_up(x.size, parts / 8192)
    assert_same_bits(rounded(x, half), np.where(up, next_, low))


def test_any_number_goes_to_one_of_its_neighbours(half):
    rng = np.random.default_rng(5)
    x = rng.integers(0, 2**32, size=400_000, dtype=np.uint32).view(np.float32)
    nearest_to_infinity = 65520.0 if half == np.float16 else float.fromhex("0x1.ffp127")
    x = x[np.abs(x) < nearest_to_infinity]
    result = rounded(x, half)
    assert np.isfinite(result).all()
    assert ((np.signbit(result) == np.signbit(x)) | (result == 0)).all()
    magnitude, wide = np.abs(result), np.abs(x).astype(np.float64)
    toward_zero = (np.maximum(magnitude.view(np.uint16), 1) - np.uint16(1)).view(half)
    above = away(magnitude).astype(np.float64)
    below = np.where(magnitude == 0, -1.0, toward_zero.astype(np.float64))
    assert ((below < wide) & (wide < above)).all()


def test_the_mean_is_that_of_the_numbers(half):
    rng = np.random.default_rng(6)
    n = 20_000
    values = np.float32([*rng.normal(size=40), 3e-5, 1e-6, 1.7e-8, 3e-8, 1e-7, 6.1e-5, 30_001.3])
    for stream, x in enumerate(values):
        result = rounded(np.full(n, x), half, stream=stream).astype(np.float64)
        spread = result.std()
        assert abs(result.mean() - x) <= 5 * spread / np.sqrt(n) + np.abs(x) * 2.0**-20, x
        assert 1 <= np.unique(result).size <= 2


def test_the_chance_is_the_distance_also_where_it_is_finer_than_the_random_bits():
    x = np.full(200_000, 2.0**-24 * (0.25 + 2.0**-16), np.float32)
    up = np.count_nonzero(rounded(x, DTYPES["float16"]))
    assert abs(up / x.size - 0.25) < 0.005


def test_numbers_beyond_the_range_become_infinite_where_that_is_nearer(half, assert_same_bits):
    largest = float(ml_dtypes.finfo(half).max)
    gap = largest - float(np.nextafter(half.type(largest), half.type(0)))
    below = np.full(5000, largest + 0.49 * gap, np.float32)
    assert (rounded(below, half) == largest).all()
    assert (rounded(-below, half) == -largest).all()
    special = np.array([INF, -INF, NAN, 3.4e38, -3.4e38], np.float32)
    expected = np.array([INF, -INF, NAN, INF, -INF], half)
    for seed in range(20):
        assert_same_bits(rounded(special, half, seed=seed), expected)


def test_the_same_key_gives_the_same_bits_and_another_one_others(half, assert_same_bits):
    x = np.full(1000, 1 + 2.0**-12, np.float32) * np.float32(1.00001)
    first = rounded(x, half)
    assert_same_bits(rounded(x, half), first)
    for other in ({"seed": 1}, {"stream": 4}, {"offset": 5}):
        assert (rounded(x, half, **other) != first).any(), other


@pytest.mark.parametrize("offset", [0, 511, 2**32 - 20, 2**64 - 40_001])
def test_the_offset_counts_elements(half, offset, threads, assert_same_bits):
    x = np.random.default_rng(8).normal(size=40_000).astype(np.float32)
    whole = rounded(x, half, offset=offset)
    for begin, end in pairwise([0, 1, 700, 1024, 5000, 39_999, 40_000]):
        part = rounded(x[begin:end], half, offset=offset + begin)
        assert_same_bits(part, whole[begin:end])


@pytest.mark.parametrize("form", [list, br.prepare], ids=["list", "prepared"])
def test_a_list_is_counted_as_one_flat_array(row, half, form, threads, assert_same_bits):
    """The positions of arrays of other types count, too."""
    flat = operands(row, half, 80_000, gradient=DTYPES["float32"])
    cuts = [0, 5, 5, 1029, 1500, 40_000, 79_000, 80_000]
    parts = [slice(*bounds) for bounds in pairwise(cuts)]
    mine = flat.copy()
    lists = {
        name: [array[part].copy() for part in parts]
        for name, array in zip(("w", "gradient", *row.states), mine.arrays, strict=False)
    }
    single = lists["w"][3].astype(np.float32)
    lists["w"][3] = single
    keywords = rich(row) | RANDOM
    w, gradient, *state = (form(arrays) for arrays in lists.values())
    row.call(w, gradient, state, 2, **keywords)
    flat.call(row, 2, **keywords)
    for part, array in zip(parts, w, strict=True):
        if array is not single:
            assert_same_bits(array, flat.w[part])


@pytest.mark.parametrize("copied", [False, True], ids=["where they lie", "copied"])
def test_parts_of_arrays_may_say_where_they_start(half, copied, threads, assert_same_bits):
    """As adapters do for what lies in several processes; large parts, small ones, in any order."""
    x = np.random.default_rng(9).normal(size=90_000).astype(np.float32)
    whole = rounded(x, half)
    bounds = [(70_000, 90_000), (3, 4), (5, 5), (700, 1029), (2000, 65_000)]
    weights = [np.zeros((end - begin) * (1 + copied), half)[:: 1 + copied] for begin, end in bounds]
    starts = Starts(KEY["offset"] + begin for begin, _ in bounds)
    gradients = [-x[begin:end] for begin, end in bounds]
    br.sgd_update(weights, gradients, 1.0, **RANDOM | {"offset": starts})
    for w, (begin, end) in zip(weights, bounds, strict=True):
        assert_same_bits(np.ascontiguousarray(w), whole[begin:end])


def test_state_does_not_depend_on_the_rounding(row, half, assert_same_bits):
    nearest, random = (operands(row, half, 3000) for _ in range(2))
    nearest.call(row, 2, **rich(row))
    random.call(row, 2, **rich(row), **RANDOM)
    for one, other in zip(nearest.state, random.state, strict=True):
        assert_same_bits(one, other)
    difference = nearest.w.view(np.int16).astype(int) - random.w.view(np.int16)
    assert 0 < np.count_nonzero(difference) < difference.size
    assert (
        np.abs(difference).max() == 1 or (np.abs(nearest.w[np.abs(difference) > 1]) < 1e-30).all()
    )


def test_nearest_is_the_default_and_needs_no_seed(row, half, assert_same_bits):
    one, other = (operands(row, half, 300) for _ in range(2))
    one.call(row, **rich(row))
    other.call(row, **rich(row), **KEY, rounding="nearest")
    assert_same_bits(one.w, other.w)


def test_the_summary_is_that_of_the_rounded_weights(half):
    w = np.full(5000, 1, half)
    gradient = np.full(5000, 1e-3, np.float32)
    summary = br.sgd_update(w, gradient, 1.0, l1=1e-3, **RANDOM)
    assert summary.penalty == br.elastic_net_penalty(w, 1e-3, 0.0)
    assert len(np.unique(w)) == 2


def test_a_decay_too_small_for_the_type_is_not_lost(half):
    """1 - 1e-4 is 1 in these types: rounded to nearest, a thousand such steps change nothing."""
    keywords = {"lr": 1e-3, "weight_decay": 0.1}
    zeros = [np.zeros(4096, np.float32) for _ in range(3)]
    nearest, random = np.ones(4096, half), np.ones(4096, half)
    for t in range(1, 1001):
        br.adamw_update(nearest, *zeros, iteration=t, **keywords)
        br.adamw_update(random, *zeros, iteration=t, rounding="stochastic", seed=1, **keywords)
    assert (nearest == 1).all()
    assert abs(random.astype(np.float64).mean() - (1 - 1e-4) ** 1000) < 1.5e-3


def test_many_small_steps_are_right_on_average(row, half):
    """Only with random bits of its own in each step: else the same weights go up every time."""
    lr, steps = 0.25 * 2.0 ** {"float16": -11, "bfloat16": -8}[str(half)], 64
    w = np.ones(20_000, half)
    exact = [np.ones(1)]
    gradient, states = np.ones(w.shape, half), [np.zeros(w.shape, np.float32) for _ in row.states]
    wanted = [np.zeros(1) for _ in row.states]
    for t in range(1, steps + 1):
        stream = {} if row.counts else {"stream": t}
        random = {"rounding": "stochastic", "seed": 9, **stream}
        row.call(w, gradient, states, t, lr=lr, **random)
        row.call(exact[0], np.ones(1), wanted, t, lr=lr)
    way = float(1 - exact[0][0])
    assert abs(float(1 - w.astype(np.float64).mean()) / way - 1) < 0.02


def test_the_stream_of_adamw_is_the_iteration_where_it_is_not_given(half, assert_same_bits):
    row, results = UPDATES["adamw"], []
    for stream in ({}, {"stream": None}, {"stream": 7}, {"stream": 8}):
        given = operands(row, half, 3000)
        given.call(row, 7, rounding="stochastic", seed=1, **stream)
        results.append(given.w)
    for result in results[1:3]:
        assert_same_bits(result, results[0])
    assert (results[3] != results[0]).any()
