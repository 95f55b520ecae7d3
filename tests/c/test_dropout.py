"""Dropout as C functions gives the bits of Python, and refuses what it refuses."""

import ctypes

import numpy as np
import pytest

import bridle as br

from ..cases import DTYPES, INF, NAN, values

SIZES = [0, 1, 4097, 70_001]
PROBABILITIES = [0.0, 1e-9, 0.1, 0.5, 0.7, 1 - 2**-33, 1.0]
NOISE = [ctypes.c_double, *[ctypes.c_uint64] * 3]
LARGEST = 2**64 - 1


@pytest.fixture(params=["float32", "float64"])
def single_or_double(request):
    return DTYPES[request.param]


def dropout(x, p, seed, stream, offset, out, n):
    """Call it with addresses and the type of elements."""
    (x, dtype), pointer = x, ctypes.c_void_p
    types = [pointer, *NOISE, pointer, ctypes.c_int64]
    address = br.c_api_address("dropout_f32" if dtype == np.float32 else "dropout_f64")
    return ctypes.CFUNCTYPE(ctypes.c_int, *types)(address)(x, p, seed, stream, offset, out, n)


def dropout_mask(p, seed, stream, offset, keep, n):
    types = [*NOISE, ctypes.c_void_p, ctypes.c_int64]
    address = br.c_api_address("dropout_mask")
    return ctypes.CFUNCTYPE(ctypes.c_int, *types)(address)(p, seed, stream, offset, keep, n)


@pytest.mark.parametrize("p", PROBABILITIES)
@pytest.mark.parametrize("size", SIZES)
def test_they_give_the_bits_of_python(single_or_double, p, size, threads, assert_same_bits):
    x = values(single_or_double, size)
    noise = {"seed": 2**64 - 5, "stream": 2**33 + 1, "offset": 2**40 + 7}
    expected = br.dropout(x, p, **noise)
    out, keep = np.full_like(x, 9), np.full(size + 1, 9, np.uint8)
    assert dropout((x.ctypes.data, x.dtype), p, *noise.values(), out.ctypes.data, size) == 0
    assert_same_bits(out, expected)
    assert dropout((x.ctypes.data, x.dtype), p, *noise.values(), x.ctypes.data, size) == 0
    assert_same_bits(x, expected)
    assert dropout_mask(p, *noise.values(), keep.ctypes.data, size) == 0
    np.testing.assert_array_equal(keep[:size], br.dropout_mask(size, p, **noise))
    assert keep[size] == 9


def test_bad_arguments_are_refused_and_nothing_is_written(single_or_double):
    size = 70
    x, out = np.ones(size, single_or_double), np.full(size, 9, single_or_double)
    first, second, item = x.ctypes.data, out.ctypes.data, x.itemsize
    good = (first, 0.5, 1, 2, 3, second, size)
    changes = [(1, p) for p in (-0.5, -5e-324, 1.0000001, NAN, INF, -INF)]
    changes += [(4, offset) for offset in (LARGEST, 2**64 - size)]
    changes += [(0, None), (5, None), (6, -1)]
    changes += [(5, first + item), (5, first - item), (5, first + (size - 1) * item)]
    for position, bad in changes:
        call = list(good)
        call[position] = bad
        assert dropout((call[0], x.dtype), *call[1:]) != 0, (position, bad)
    for call in ((first + 1, *good[1:6], size - 1), (*good[:5], second + 1, size - 1)):
        assert dropout((call[0], x.dtype), *call[1:]) != 0
    assert (x == 1).all()
    assert (out == 9).all()
    assert dropout((None, x.dtype), 0.5, 1, 2, LARGEST, None, 0) == 0
    assert dropout((first, x.dtype), 0.5, 1, 2, LARGEST - size, second, size) == 0


def test_a_bad_mask_is_refused_and_nothing_is_written():
    keep = np.full(70, 9, np.uint8)
    good = (0.5, 1, 2, 3, keep.ctypes.data, 70)
    changes = [(0, p) for p in (-0.5, 1.5, NAN)]
    changes += [(3, 2**64 - 70), (4, None), (5, -1)]
    for position, bad in changes:
        call = list(good)
        call[position] = bad
        assert dropout_mask(*call) != 0, (position, bad)
    assert (keep == 9).all()
    assert dropout_mask(0.5, 1, 2, LARGEST, None, 0) == 0
