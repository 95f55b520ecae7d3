"""Conversions: as `astype`, or to one of the two neighbours at random, wherever arrays lie."""

from itertools import product

import ml_dtypes
import numpy as np
import pytest

import bridle as br

from ..cases import DTYPES, INF, NAN, SIZES, THREADED_SIZES, hostile, values
from ..conftest import LAYOUTS, by_name
from ..dropout.oracle import uniforms

HALVES = {name: DTYPES[name] for name in ("float16", "bfloat16")}
KEY = {"seed": 2**40 + 3, "stream": 5}
RANDOM = KEY | {"rounding": "stochastic"}


@pytest.fixture(**by_name(HALVES))
def half(request):
    return request.param


@pytest.fixture(
    params=product(DTYPES.values(), repeat=2), ids=lambda pair: f"{pair[0]} to {pair[1]}"
)
def types(request):
    return request.param


def finite_magnitudes(half):
    """Return all finite magnitudes of a half type, by their bits, as float64."""
    most = int(np.array(ml_dtypes.finfo(half).max).view(np.uint16))
    return np.arange(most + 1, dtype=np.uint16).view(half).astype(np.float64)


def nearest_half(x, half):
    """Round float64 once, by looking for the neighbours among all numbers of the type."""
    table = finite_magnitudes(half)
    table = np.append(table, 2 * table[-1] - table[-2])  # where infinity stands
    size = np.abs(x)
    above = np.searchsorted(table, size).clip(1, table.size - 1)
    with np.errstate(invalid="ignore"):
        up, down = table[above] - size, size - table[above - 1]
    bits = np.where((up < down) | ((up == down) & (above % 2 == 0)), above, above - 1)
    bits = np.where(size >= table[-1], table.size - 1, bits).astype(np.uint16)
    result = bits | np.where(np.signbit(x), 0x8000, 0).astype(np.uint16)
    return np.where(np.isnan(x), np.array(NAN, half), result.view(half))


def widened(x):
    with np.errstate(invalid="ignore"):  # signalling NaN
        return x.astype(np.float64)


def converted(x, to):
    if to.itemsize == 2:
        return nearest_half(widened(x), to)
    with np.errstate(all="ignore"):
        return x.astype(to)


def edges(dtype):
    """Return every half, what lies just beside and between two of them, and any bits."""
    every = np.arange(2**16, dtype=np.uint16)
    with np.errstate(all="ignore"):
        if dtype.itemsize == 2:
            return every.view(dtype)
        parts = [hostile(dtype)]
        for half in HALVES.values():
            known = finite_magnitudes(half)
            ties = ((known[1:] + known[:-1]) / 2).astype(dtype)
            zero, infinity = dtype.type(0), dtype.type(INF)
            parts += [known.astype(dtype), ties, np.nextafter(ties, zero)]
            parts += [np.nextafter(ties, infinity)]
        rng = np.random.default_rng(3)
        any_bits = rng.integers(0, 256, 40_000 * dtype.itemsize, dtype=np.uint8).view(dtype)
        x = np.concatenate([*parts, any_bits])
        return np.concatenate([x, -x])


def test_every_conversion_rounds_once(types, instruction_set, assert_same_bits):
    x = edges(types[0])
    out = np.empty(x.size, types[1])
    assert br.cast(x, out) is out
    with np.errstate(invalid="ignore"):  # where two NaN are compared
        assert_same_bits(out, converted(x, types[1]))


def test_every_conversion_is_that_of_numpy(types, assert_same_bits):
    x = values(types[0], 5000)
    with np.errstate(all="ignore"):
        expected = x.astype(types[1])
    assert_same_bits(br.cast(x, np.empty(x.size, types[1])), expected)


@pytest.mark.parametrize("size", SIZES)
def test_every_size_and_nothing_beside_it(types, size, assert_same_bits):
    x, memory = values(types[0], size), np.full(size + 2, 7, types[1])
    br.cast(x, memory[1:-1])
    assert_same_bits(memory[1:-1], converted(x, types[1]))
    assert memory[0] == memory[-1] == 7


@pytest.mark.parametrize("layout", [name for name in LAYOUTS if name != "unaligned"])
@pytest.mark.parametrize("other", ["C order", "Fortran order", "every other element"])
def test_neither_layout_nor_threads_show(layout, other, threads, assert_same_bits):
    size = THREADED_SIZES[0] // 60 * 60
    for to in DTYPES.values():
        x = values(np.dtype(np.float64), size).reshape(4, -1, 3)
        expected = converted(x, to)
        out = br.cast(LAYOUTS[layout](x), LAYOUTS[other](np.zeros(x.shape, to)))
        assert_same_bits(out, expected)


def test_whole_models(threads, assert_same_bits):
    sizes = [0, 5, 70_001, 1, 512, 513] + [17] * 50
    kinds = list(product(DTYPES.values(), repeat=2))
    pairs = [kinds[i % len(kinds)] for i in range(len(sizes))]
    x = [values(pair[0], size) for pair, size in zip(pairs, sizes, strict=True)]
    out = [np.empty(size, pair[1]) for pair, size in zip(pairs, sizes, strict=True)]
    keys = range(len(sizes))
    named = dict(zip(keys, x, strict=True))
    targets = dict(reversed(list(zip(keys, out, strict=True))))
    prepared = br.prepare(out)
    for given, target in ((x, out), (tuple(x), prepared), (named, targets)):
        for array in out:
            array.fill(3)
        assert br.cast(given, target) is target
        for array, one, pair in zip(out, x, pairs, strict=True):
            assert_same_bits(array, converted(one, pair[1]))


def test_large_arrays_past_the_caches(large_float64, assert_same_bits):
    x, _, edges = large_float64
    out = np.zeros(x.size + 3, np.float32)[3:]
    br.cast(x, out)
    for edge in edges:
        assert_same_bits(out[edge], converted(x[edge], out.dtype))


def uniform_of(half, u):
    """Return what u(i) is to a double: float16 looks at 13 bits, then at the lower 16."""
    wide = half == np.float16
    return (u >> np.uint64(19) << np.uint64(16) | u & np.uint64(0xFFFF)) if wide else u


def goes_up(half, size, parts, offset=0):
    """Return where the uniform number of an element lies in the topmost `parts` ones."""
    bits = 29 if half == np.float16 else 32
    u = uniform_of(
        half, uniforms(**KEY, index=np.arange(size, dtype=np.uint64) + np.uint64(offset))
    )
    return u >= np.uint64(2**bits - parts)


@pytest.mark.parametrize("share", [2.0**-24, 2.0**-17, 0.1, 0.5, 0.999])
def test_the_neighbour_is_chosen_by_the_uniform_of_the_element(half, share, assert_same_bits):
    known = finite_magnitudes(half)
    low = known[known >= float(ml_dtypes.finfo(half).smallest_normal)][:-1]
    high = finite_magnitudes(half)[known.size - low.size :]
    parts = round(share * 2 ** (29 if half == np.float16 else 32))
    share = parts / 2 ** (29 if half == np.float16 else 32)
    x = low + (high - low) * share
    out = br.cast(-x, np.empty(x.size, half), offset=77, **RANDOM)
    expected = -np.where(goes_up(half, x.size, parts, 77), high, low)
    assert_same_bits(out, expected.astype(half))


@pytest.mark.parametrize("source", [np.float32, np.float64, *HALVES.values()], ids=str)
def test_any_number_goes_to_one_of_its_neighbours(half, source, instruction_set):
    x = edges(np.dtype(source))
    wide = widened(x)
    table = finite_magnitudes(half)
    infinite = table[-1] + (table[-1] - table[-2]) / 2
    out = br.cast(x, np.empty(x.size, half), **RANDOM)
    np.testing.assert_array_equal(np.isnan(widened(out)), np.isnan(wide))
    np.testing.assert_array_equal(np.isinf(out), np.abs(wide) >= infinite)
    known = ~np.isnan(wide)
    np.testing.assert_array_equal(np.signbit(out[known]), np.signbit(wide[known]))
    finite = np.abs(wide) < table[-1]
    size, result = np.abs(wide[finite]), np.abs(out[finite].astype(np.float64))
    above = np.searchsorted(table, size)
    below = np.where(table[above] == size, above, above - 1)
    assert ((result == table[above]) | (result == table[below])).all()


def test_a_double_is_rounded_without_bias_below_the_digits_of_a_float(half):
    unit = 2.0**-10 if half == np.float16 else 2.0**-7
    x = np.full(3_000_000, 1.0 + unit * 2.0**-18)
    out = br.cast(x, np.empty(x.size, half), **RANDOM)
    ups = np.count_nonzero(out > 1)
    assert 4 <= ups <= 24  # 11.4 on average; none if rounded to a float before, 45 if to odd


def test_floats_and_equal_doubles_have_the_same_bits(half, assert_same_bits):
    x = edges(np.dtype(np.float32))
    one, other = (br.cast(a, np.empty(x.size, half), **RANDOM) for a in (x, widened(x)))
    assert_same_bits(other, one)


def test_random_bits_belong_to_positions_of_the_list(half, threads, assert_same_bits):
    x = values(np.dtype(np.float32), 100_000).reshape(100, 1000)
    whole = br.cast(x, np.empty(x.shape, half), offset=9, **RANDOM)
    parts = [x[:3], x[3:3], x[3:64], x[64:]]
    outs = [np.empty(part.shape, half) for part in parts]
    br.cast(parts, outs, offset=9, **RANDOM)
    assert_same_bits(np.concatenate(outs), whole)
    second = br.cast(x[64:], outs[3].copy(), offset=9 + 64_000, **RANDOM)
    assert_same_bits(second, whole[64:])
    strided = np.zeros((100, 3000), half)[:, ::3]
    assert_same_bits(br.cast(np.asfortranarray(x), strided, offset=9, **RANDOM), whole)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_wide_types_are_not_rounded_at_random(dtype):
    rule = "must be float16 or bfloat16 where rounding is 'stochastic'"
    out = np.zeros(3, dtype)
    with pytest.raises(TypeError, match=rf"^cast: out {rule}, got {out.dtype} of shape \(3,\)$"):
        br.cast(np.ones(3), out, **RANDOM)
    named = {"a": np.zeros(3, np.float16), "b": out}
    with pytest.raises(TypeError, match=rf"^cast: out\['b'\] {rule}, got {out.dtype} of"):
        br.cast({"a": np.ones(3), "b": np.ones(3)}, named, **RANDOM)
    assert not out.any()
    assert not named["a"].any()


@pytest.mark.parametrize(
    ("keywords", "message"),
    [
        ({"rounding": "up"}, "rounding must be 'nearest' or 'stochastic', got 'up'"),
        ({"rounding": "stochastic", "stream": 1}, "seed must be given if rounding is 'stochastic'"),
        ({"rounding": "stochastic", "seed": 1}, "stream must be given if rounding is 'stochastic'"),
        (RANDOM | {"seed": -1}, "seed must be >= 0 and < "),
        (RANDOM | {"offset": 2**64 - 1}, "offset must be >= 0 and < "),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_bad_keywords_are_errors(keywords, message):
    out = np.zeros(3, np.float16)
    with pytest.raises(ValueError, match=rf"^cast: {message}"):
        br.cast(np.ones(3), out, **keywords)
    assert not out.any()
