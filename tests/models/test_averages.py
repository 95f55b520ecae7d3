"""Sums of gradients and averages of weights: the bits of their definitions, wherever they lie."""

import numpy as np
import pytest

import bridle as br

from ..cases import DTYPES, INF, NAN, SIZES, THREADED_SIZES, values, with_positive_zeros
from ..conftest import LAYOUTS

WIDE = np.dtype(np.float32)
PAIRS = [(WIDE, other) for other in DTYPES.values() if other != np.float64]
PAIRS += [(np.dtype(np.float64),) * 2]
FACTORS = {br.accumulate: (1.0, -0.3, 2.0**-20, 0.0, INF), br.average_update: (0.0, 0.9, 0.9999, 1)}


@pytest.fixture(params=PAIRS, ids=lambda pair: f"{pair[0]} and {pair[1]}")
def pair(request):
    return request.param


@pytest.fixture(params=FACTORS, ids=lambda function: function.__name__)
def function(request):
    return request.param


def call(function, to, beside, factor):
    keyword = "scale" if function is br.accumulate else "decay"
    assert function(to, beside, **{keyword: factor}) is None


def defined(function, to, beside, factor):
    t = to.dtype.type
    x = beside.astype(to.dtype)
    with np.errstate(all="ignore"):
        if function is br.accumulate:
            result = to + t(factor) * x
        else:
            result = to + t(1.0 - factor) * (x - to)
    return with_positive_zeros(result)


def operands(pair, size):
    return values(pair[0], size + 7)[7:].copy(), values(pair[1], size)


def test_every_size_has_the_bits_of_the_definition(
    function, pair, instruction_set, assert_same_bits
):
    for factor in FACTORS[function]:
        for size in SIZES:
            to, beside = operands(pair, size)
            expected = defined(function, to, beside, factor)
            call(function, to, beside, factor)
            assert_same_bits(to, expected, f"{size} {factor}")


@pytest.mark.parametrize("layout", [name for name in LAYOUTS if name != "unaligned"])
@pytest.mark.parametrize("other", ["C order", "Fortran order", "sliced from wider rows"])
def test_neither_layout_nor_threads_show(function, pair, layout, other, threads, assert_same_bits):
    size = THREADED_SIZES[0] // 60 * 60
    to, beside = (x.reshape(4, -1, 3) for x in operands(pair, size))
    expected = defined(function, to, beside, 0.3)
    to, beside = LAYOUTS[layout](to), LAYOUTS[other](beside)
    call(function, to, beside, 0.3)
    assert_same_bits(to, expected)


@pytest.mark.parametrize("form", ["list", "tuple", "mapping", "prepared", "prepared mapping"])
def test_whole_models(function, form, threads, assert_same_bits):
    sizes = [0, 5, 70_001, 1, 512, 513, 3000] + [17] * 50
    both = [operands(PAIRS[i % len(PAIRS)], size) for i, size in enumerate(sizes)]
    to, beside = ([p[k] for p in both] for k in (0, 1))
    expected = [defined(function, a, b, 0.7) for a, b in both]
    keys = [f"layer.{i}" for i in range(len(sizes))]
    named = dict(zip(keys, to, strict=True))
    other = dict(reversed(list(zip(keys, beside, strict=True))))  # order goes by key
    forms = {
        "list": (to, beside),
        "tuple": (tuple(to), tuple(beside)),
        "mapping": (named, other),
        "prepared": (br.prepare(to), br.prepare(beside)),
        "prepared mapping": (br.prepare(named), br.prepare(other)),
    }
    call(function, *forms[form], 0.7)
    for actual, right in zip(to, expected, strict=True):
        assert_same_bits(actual, right)


def test_parts_between_each_other(function, assert_same_bits):
    memory = np.zeros((3, 5000, 2), np.float32)
    memory[...] = values(WIDE, memory.size).reshape(memory.shape)
    to, beside = memory[..., 0], memory[..., 1]
    expected, kept = defined(function, to, beside, 0.5), beside.copy()
    call(function, to, beside, 0.5)
    assert_same_bits(to, expected)
    assert_same_bits(beside, kept, nan_bits=True)


@pytest.mark.parametrize("half", [DTYPES["float16"], DTYPES["bfloat16"]], ids=str)
def test_an_average_in_a_half_type_is_an_error_that_says_why(half):
    average = np.ones(3, half)
    message = (
        r"^average_update: average must be float32 or float64, as a half loses the small steps of "
        rf"an average, got {half} of shape \(3,\)$"
    )
    with pytest.raises(TypeError, match=message):
        br.average_update(average, average.copy(), 0.99)


@pytest.mark.parametrize("decay", [-0.1, 1.1, NAN, INF])
def test_the_decay_lies_between_zero_and_one(decay):
    message = rf"^average_update: decay must be >= 0 and <= 1, got {decay}$"
    with pytest.raises(ValueError, match=message):
        br.average_update(np.ones(3), np.ones(3), decay)


def test_the_scale_is_a_number():
    with pytest.raises(ValueError, match=r"^accumulate: scale must not be NaN, got nan$"):
        br.accumulate(np.ones(3), np.ones(3), scale=NAN)


def test_an_average_moves_where_a_half_would_not():
    average, w = np.ones(1000, np.float32), np.full(1000, 2.0, DTYPES["bfloat16"])
    for _ in range(1000):
        br.average_update(average, w, 0.9999)
    np.testing.assert_allclose(average, 2 - 0.9999**1000, rtol=1e-5)
