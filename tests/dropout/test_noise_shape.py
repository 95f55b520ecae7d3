"""Decisions and deviates that are shared between elements: positions in an array of noise."""

import ml_dtypes
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.lib.stride_tricks import as_strided

import bridle as br

from ..cases import DTYPES, hostile, values
from .oracle import AMOUNTS, KEY, expected_mask, family, positions

PATTERNS = [
    ((), ()),
    ((), None),
    ((5000,), (None,)),
    ((5000,), (1,)),
    ((5000,), (5000,)),
    ((5000,), ()),
    ((3, 4, 5, 7), (None, 1, 1, None)),  # channels, last
    ((3, 7, 5, 4), (None, None, 1, 1)),  # channels, first
    ((3, 4, 5, 7), (3, 1, 1, 1)),  # samples
    ((3, 4, 5, 7), (1, None, 1, None)),
    ((3, 4, 5, 7), (1, 4, 5, 1)),
    ((3, 4, 5, 7), (1, 1, 1, 1)),
    ((3, 4, 5, 7), (7,)),  # shorter: aligned at the end, as in broadcasting
    ((3, 4, 5, 7), (None, 1)),
    ((3, 4, 5, 7), (4, None, 7)),
    ((3, 1, 1, 7), (None, None, 1, 1)),
    ((2, 3, 2, 3, 2, 3), (1, None, 1, None, 1, None)),
    ((2,) * 12, (None, 1, 1) * 4),
    ((9, 5000), (1, None)),
    ((9, 5000), (None, 1)),
    ((5, 3, 1000), (None, 1, None)),
    ((5, 1000, 3), (None, 1, None)),
    ((700, 1), (None, 1)),
    ((700, 2), (None, 1)),
    ((700, 3), (1, None)),
    ((700, 7), (None, 1)),
    ((2000, 1, 2), (1, None, None)),
    ((0,), (1,)),
    ((0, 3), (None, 1)),
    ((3, 0), (1, 0)),
    ((4, 0, 3), (1, 0, 1)),
]
patterns = pytest.mark.parametrize(("shape", "noise_shape"), PATTERNS, ids=str)
functions = pytest.mark.parametrize("name", AMOUNTS)


def call(name, x, noise_shape, **keywords):
    function = getattr(br, name)
    return function(x, AMOUNTS[name], **(KEY | keywords), noise_shape=noise_shape)


def wanted(name, x, noise_shape, offset=0):
    index = positions(x.shape, noise_shape) + offset
    return family(name, x, AMOUNTS[name], index)


def array_of(shape, dtype):
    return values(dtype, int(np.prod(shape))).reshape(shape)


@patterns
@functions
def test_elements_share_the_noise_of_their_place(name, shape, noise_shape, dtype, assert_same_bits):
    x = array_of(shape, dtype)
    for offset in (0, 1, 510, 1021):
        actual = call(name, x, noise_shape, offset=offset)
        assert_same_bits(actual, wanted(name, x, noise_shape, offset), f"offset {offset}")


@functions
def test_every_value_meets_shared_noise(name, dtype, instruction_set, assert_same_bits):
    x = np.tile(hostile(dtype), (12, 1))
    actual = call(name, x, (None, 1))
    assert_same_bits(actual, wanted(name, x, (None, 1)))


@pytest.mark.parametrize("name", ["dropout", "gaussian_noise"])
@pytest.mark.parametrize(
    ("shape", "noise_shape"),
    [((5, 7, 3000), (None, 1, None)), ((70, 1, 1500), (None, None, 1)), ((30_000, 3), (None, 1))],
    ids=str,
)
def test_threads_and_instruction_sets_share_alike(
    name, shape, noise_shape, threads, instruction_set, assert_same_bits
):
    for dtype in (DTYPES["float16"], DTYPES["float32"]):
        x = array_of(shape, dtype)
        assert_same_bits(call(name, x, noise_shape), wanted(name, x, noise_shape))


def negative(array):
    return array[(slice(None, None, -1),) * array.ndim].copy()[
        (slice(None, None, -1),) * array.ndim
    ]


def transposed(array):
    return array.transpose().copy().transpose()


def swapped_in_the_middle(array):
    return np.moveaxis(np.moveaxis(array, 0, 1).copy(), 1, 0)


MORE_LAYOUTS = [negative, transposed, swapped_in_the_middle]
LAID_OUT = [((40, 30, 7), (None, 1, None)), ((40, 30, 7), (1, None, 1)), ((40, 30, 2), None)]


@functions
@pytest.mark.parametrize(("shape", "noise_shape"), LAID_OUT, ids=str)
def test_the_layout_changes_no_place(name, shape, noise_shape, dtype, layout, assert_same_bits):
    x = array_of(shape, dtype)
    expected = wanted(name, x, noise_shape)
    for lay_out in (layout, *MORE_LAYOUTS):
        laid_out = lay_out(x)
        assert_same_bits(call(name, laid_out, noise_shape), expected, "allocated")
        out = lay_out(np.ones(shape, dtype))
        assert call(name, x, noise_shape, out=out) is out
        assert_same_bits(out, expected, "given")
        assert call(name, laid_out, noise_shape, out=laid_out) is laid_out
        assert_same_bits(laid_out, expected, "in place")


@functions
def test_broadcast_and_byte_swapped_arrays_are_taken(name, assert_same_bits):
    row = values(DTYPES["float32"], 1500)
    x = np.broadcast_to(row, (6, 1500))
    expected = wanted(name, x, (None, 1))
    assert_same_bits(call(name, x, (None, 1)), expected)
    swapped = x.astype(">f4")
    actual = call(name, swapped, (None, 1))
    assert_same_bits(actual.astype("<f4"), expected)
    assert call(name, x, (None, 1), out=swapped) is swapped
    assert_same_bits(swapped.astype("<f4"), expected)
    assert call(name, x.astype(">f4"), (None, 1), out=swapped) is swapped
    assert_same_bits(swapped.astype("<f4"), expected)


@functions
def test_out_may_overlap_or_have_another_type(name, assert_same_bits):
    x = values(DTYPES["float32"], 6000, finite=True).reshape(20, 300)
    for out_dtype in (np.float64, np.float16, ml_dtypes.bfloat16):
        out = np.ones(x.shape, out_dtype)
        call(name, x, (1, None), out=out)
        assert_same_bits(out, wanted(name, x, (1, None)).astype(out_dtype))
    for shift in (-301, -1, 1, 299, 300):
        memory = values(DTYPES["float32"], 6000 + 301)
        x = memory[max(shift, 0) :][:6000].reshape(20, 300)
        out = memory[max(-shift, 0) :][:6000].reshape(20, 300)
        expected = wanted(name, x, (None, 1))
        assert_same_bits(call(name, x, (None, 1), out=out), expected, f"shift {shift}")
    memory = values(DTYPES["float32"], 6000)
    square = memory[:2500].reshape(50, 50)
    expected = wanted(name, square, (None, 1))
    assert_same_bits(call(name, square, (None, 1), out=square.T), expected)


@functions
def test_an_out_whose_elements_share_memory_gets_the_last_result(name, assert_same_bits):
    """As np.copyto would do; in place, no element sees the result of another."""
    x = np.full((3, 500), 2.5)
    expected = wanted(name, x, (None, 1))
    for source in (x, None):
        memory = np.full(3, 2.5)
        shared = as_strided(memory, (3, 500), (8, 0))
        call(name, shared if source is None else source, (None, 1), out=shared)
        assert_same_bits(memory, expected[:, -1])


@functions
def test_integers_lists_and_numbers_are_taken_as_float64(name, assert_same_bits):
    whole = np.arange(-6, 6).reshape(3, 4)
    expected = wanted(name, whole.astype(np.float64), (None, 1))
    for x in (whole, whole.tolist(), whole.astype(np.int8), whole.astype(">i4")):
        assert_same_bits(call(name, x, (None, 1)), expected)
    for x in (2.5, np.float32(2.5), np.array(2.5, np.float16)):
        for noise_shape in ((), None):
            actual = call(name, x, noise_shape, offset=5)
            assert np.ndim(actual) == 0
            assert_same_bits(actual, wanted(name, np.asarray(x), noise_shape, 5))


@given(st.data())
def test_any_shape_shares_noise_in_any_way(data):
    shape = data.draw(st.lists(st.sampled_from([0, 1, 2, 3, 7, 16, 33]), max_size=4).map(tuple))
    dimensions = data.draw(st.integers(0, len(shape)))
    lengths = shape[len(shape) - dimensions :]
    noise_shape = tuple(data.draw(st.sampled_from([None, 1, n])) for n in lengths)
    name = data.draw(st.sampled_from(list(AMOUNTS)))
    x = array_of(shape, np.dtype(np.float32))
    for given_shape in (noise_shape, list(noise_shape), np.array(noise_shape, object)):
        actual = call(name, x, given_shape, offset=300)
        expected = wanted(name, x, (1,) * (len(shape) - dimensions) + noise_shape, 300)
        np.testing.assert_array_equal(actual, expected)


def test_the_decisions_are_the_mask_of_the_noise_shape_broadcast():
    x = np.ones((6, 5, 4, 11))
    for noise_shape in ((6, 1, 1, 11), (6, 1, 1, 1), (1, 5, 4, 1), (11,), (4, 1)):
        kept = br.dropout(x, 0.4, **KEY, noise_shape=noise_shape) != 0
        mask = br.dropout_mask(noise_shape, 0.4, **KEY)
        np.testing.assert_array_equal(kept, np.broadcast_to(mask, x.shape))
        expected = expected_mask(mask.size, 0.4, **KEY).reshape(noise_shape)
        np.testing.assert_array_equal(mask, expected)


@functions
def test_nothing_and_everything_are_dropped_with_shared_noise_too(name, assert_same_bits):
    x = np.tile(hostile(DTYPES["float32"]), (5, 1))
    function = getattr(br, name)
    for noise_shape in ((None, 1), (1, 1), (1, None)):
        none = function(x, 0, **KEY, noise_shape=noise_shape)
        assert_same_bits(none, x, nan_bits=True)
        if name in ("dropout", "alpha_dropout"):
            all_ = function(x, 1, **KEY, noise_shape=noise_shape)
            assert_same_bits(all_, np.zeros_like(x))


@functions
@pytest.mark.parametrize(
    "bad",
    [(2, 1), (3, 5), (1, 3, 4), (None, None, None), (0, 4), (-1, 4), (4, 3), (2**70, 4), [3, 2]],
    ids=str,
)
def test_a_noise_shape_that_does_not_broadcast_is_an_error(name, bad, assert_same_bits):
    x = np.full((3, 4), 7.0)
    with pytest.raises(ValueError, match=r"noise_shape") as caught:
        call(name, x, bad, out=x)
    message = f"{name}: noise_shape must broadcast to the shape of x, (3, 4), got {bad!r}"
    assert str(caught.value) == message
    assert_same_bits(x, np.full((3, 4), 7.0))


@functions
@pytest.mark.parametrize("bad", [3, 3.0, "34", (3, 1.0), (3, "1"), ((3, 4),)], ids=repr)
def test_a_noise_shape_of_other_things_is_a_type_error(name, bad):
    x = np.full((3, 4), 7.0)
    with pytest.raises(TypeError, match=r"noise_shape") as caught:
        call(name, x, bad, out=x)
    message = f"{name}: noise_shape must be a tuple of integers and None, got {bad!r}"
    assert str(caught.value) == message
    assert (x == 7).all()
