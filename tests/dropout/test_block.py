"""A block of a larger array gets what the whole would have got there, bit for bit."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import bridle as br

from ..cases import values
from .oracle import AMOUNTS, KEY, expected_mask, family, positions, threshold_of, uniforms

functions = pytest.mark.parametrize("name", AMOUNTS)


def call(name, x, **keywords):
    return getattr(br, name)(x, AMOUNTS[name], **(KEY | keywords))


def corner(origin, shape):
    return tuple(slice(o, o + n) for o, n in zip(origin, shape, strict=True))


@st.composite
def blocks(draw, lengths=(1, 2, 3, 5, 17, 21)):
    """Return the shape of the whole, where the block begins, and its shape."""
    whole = draw(st.lists(st.sampled_from(lengths), max_size=4).map(tuple))
    origin = tuple(draw(st.integers(0, n)) for n in whole)
    shape = tuple(draw(st.integers(0, n - o)) for n, o in zip(whole, origin, strict=True))
    return whole, origin, shape


@given(st.data(), st.sampled_from(list(AMOUNTS)))
def test_a_block_is_that_slice_of_the_whole(data, name):
    whole, origin, shape = data.draw(blocks())
    choices = [[None, 1, n, total] for n, total in zip(shape, whole, strict=True)]
    noise_shape = data.draw(st.sampled_from([None, "some"]))
    if noise_shape is not None:
        noise_shape = tuple(data.draw(st.sampled_from(each)) for each in choices)
    offset = data.draw(st.sampled_from([0, 1, 511, 2000]))
    x = values(np.dtype(np.float32), int(np.prod(whole))).reshape(whole)
    # For the whole, a length is given by None or 1.
    general = noise_shape and tuple(1 if n == 1 else None for n in noise_shape)
    at = corner(origin, shape)
    expected = call(name, x, noise_shape=general, offset=offset)[at]
    key = {"noise_shape": noise_shape, "offset": offset, "block": (whole, origin)}
    np.testing.assert_array_equal(call(name, x[at], **key), expected)
    np.testing.assert_array_equal(call(name, x[at].copy(), **key), expected)
    index = positions(shape, noise_shape, (whole, origin)) + offset
    np.testing.assert_array_equal(
        call(name, x[at], **key), family(name, x[at], AMOUNTS[name], index)
    )


@given(blocks(), st.sampled_from([0, 3, 509]))
def test_the_mask_of_a_block_is_that_slice_of_the_mask(block, offset):
    whole, origin, shape = block
    key = {**KEY, "offset": offset}
    expected = expected_mask(int(np.prod(whole)), 0.3, **key).reshape(whole)[corner(origin, shape)]
    mask = br.dropout_mask(shape, 0.3, **key, block=(whole, origin))
    np.testing.assert_array_equal(mask, expected)
    packed = br.dropout_mask(shape, 0.3, **key, block=(whole, origin), packed=True)
    np.testing.assert_array_equal(packed, np.packbits(expected, bitorder="little"))


@functions
def test_every_way_of_cutting_gives_the_whole(name, dtype, assert_same_bits):
    whole = (6, 8, 1000)
    x = values(dtype, int(np.prod(whole))).reshape(whole)
    for noise_shape in (None, (None, 1, None), (None, None, 1)):
        expected = call(name, x, noise_shape=noise_shape)
        for parts in ((3, 1, 1), (2, 4, 1), (1, 2, 5), (1, 1, 125)):
            out = np.ones(whole, dtype)
            steps = [n // k for n, k in zip(whole, parts, strict=True)]
            for at in itertools.product(*map(range, parts)):
                origin = tuple(i * step for i, step in zip(at, steps, strict=True))
                part = corner(origin, steps)
                key = {"block": (whole, origin), "noise_shape": noise_shape, "out": out[part]}
                call(name, x[part], **key)
            assert_same_bits(out, expected, f"{parts} parts", nan_bits=True)


def test_the_backward_pass_of_a_shard_is_the_same_call(assert_same_bits):
    whole, origin = (64, 300), (16, 100)
    part = corner(origin, (32, 50))
    gradient = values(np.dtype(np.float64), 64 * 300).reshape(whole)
    of_the_whole = call("dropout", gradient)[part]
    of_the_shard = call("dropout", np.asfortranarray(gradient[part]), block=(whole, origin))
    assert_same_bits(of_the_shard, of_the_whole, nan_bits=True)
    forward = call("dropout", np.ones((32, 50), np.float16), block=(whole, origin))
    assert not of_the_shard[forward == 0].any()


@functions
def test_threads_and_instruction_sets_agree_on_a_large_block(
    name, threads, instruction_set, assert_same_bits
):
    whole, origin = (90, 40, 55), (3, 2, 5)
    x = values(np.dtype(np.float32), 85 * 37 * 50).reshape(85, 37, 50)
    for noise_shape in (None, (None, None, 1), (1, None, None)):
        index = positions(x.shape, noise_shape, (whole, origin))
        expected = family(name, x, AMOUNTS[name], index)
        actual = call(name, x, noise_shape=noise_shape, block=(whole, origin))
        assert_same_bits(actual, expected, str(noise_shape))


@functions
def test_a_column_of_a_matrix_is_a_block(name, dtype, threads, assert_same_bits):
    """Its random numbers lie apart, and are more than one block of the generator."""
    whole, origin = (41_000, 5), (700, 3)
    for width in (1, 2):
        x = values(dtype, 40_000 * width).reshape(40_000, width)
        expected = family(name, x, AMOUNTS[name], positions(x.shape, None, (whole, origin)))
        assert_same_bits(call(name, x, block=(whole, origin)), expected, f"{width} columns")


@pytest.mark.parametrize(
    ("whole", "origin", "shape"),
    [
        ((2**40, 2**20), (2**40 - 3, 77), (3, 5)),
        ((2**20, 2**40), (5, 2**40 - 600), (3, 600)),
        ((2**63 - 1,), (2**63 - 9,), (8,)),
        ((1, 2**32, 2**32 - 1), (0, 2**32 - 2, 5), (1, 2, 3)),  # a stride beyond 2⁶³
        ((4, 2**62 - 1), (0, 2**62 - 4), (4, 3)),
        ((2**32, 1, 2**31), (2**32 - 2, 0, 7), (2, 1, 1)),
        ((7, 0, 5), (7, 0, 5), (0, 0, 0)),
    ],
    ids=str,
)
def test_the_whole_may_be_larger_than_any_memory(whole, origin, shape):
    index = np.zeros(shape, np.uint64)
    for at in np.ndindex(shape):
        number = 0
        for n, o, i in zip(whole, origin, at, strict=True):
            number = number * n + o + i
        index[at] = number
    for offset in (0, 3):
        expected = uniforms(1, 2, index + np.uint64(offset)) < threshold_of(0.5)
        key = {"seed": 1, "stream": 2, "offset": offset, "block": (whole, origin)}
        np.testing.assert_array_equal(br.dropout_mask(shape, 0.5, **key), expected)
        actual = br.dropout(np.ones(shape), 0.5, **key)
        np.testing.assert_array_equal(actual, np.where(expected, 2.0, 0.0))


def masked(name, x, **keywords):
    """Call a function of the family, or dropout_mask, with the shape of x."""
    if name == "dropout_mask":
        return br.dropout_mask(x.shape, 0.5, **(KEY | keywords))
    return call(name, x, out=x, **keywords)


with_mask = pytest.mark.parametrize("name", [*AMOUNTS, "dropout_mask"])


@with_mask
@pytest.mark.parametrize(
    "block",
    [
        ((3, 4), (0, 1)),
        ((3, 4), (1, 0)),
        ((2, 4), (0, 0)),
        ((12,), (0,)),
        ((5, 5, 5), (0, 0, 0)),
        ((5, 5), (0,)),
        ((5, 5), (0, 0, 0)),
        ((0, 4), (0, 0)),
        ((5, 5), (2**62, 0)),
        ((), ()),
        (5, 0),
    ],
    ids=str,
)
def test_a_block_outside_the_whole_is_an_error(name, block):
    x = np.full((3, 4), 7.0)
    with pytest.raises(ValueError, match="block") as caught:
        masked(name, x, block=block)
    whole, origin = ((part,) if isinstance(part, int) else part for part in block)
    message = f"{name}: block must lie inside the global shape, got an array of shape (3, 4) "
    assert str(caught.value) == message + f"at {origin} in {whole}"
    assert (x == 7).all()


@with_mask
@pytest.mark.parametrize(
    ("block", "error"),
    [
        (((5, 5), (-1, 0)), ValueError),
        (((-5, 5), (0, 0)), ValueError),
        (((5, 2**63), (0, 0)), ValueError),
        (((5, 5),), ValueError),
        (((5, 5), (0, 0), (0, 0)), ValueError),
        ((), ValueError),
        (5, TypeError),
        ("ab", TypeError),
        (((5, 5), None), TypeError),
        (((5, None), (0, 0)), TypeError),
        (((5, 5), (0.0, 0.0)), TypeError),
    ],
    ids=str,
)
def test_a_block_that_is_no_pair_of_shapes_is_an_error(name, block, error):
    x = np.full((3, 4), 7.0)
    with pytest.raises(error, match="block") as caught:
        masked(name, x, block=block)
    message = f"{name}: block must be (global shape, origin), got {block!r}"
    assert str(caught.value) == message
    assert (x == 7).all()


@with_mask
def test_indices_stay_below_two_to_the_64(name):
    """They count the whole, not the block."""
    x = np.full((3, 4), 7.0)
    block = ((2**20, 2**20), (0, 0))
    masked(name, x.copy(), block=block, offset=2**64 - 2**40 - 1)
    with pytest.raises(ValueError, match=rf"^{name}: offset must be .*, got {2**64 - 2**39}$"):
        masked(name, x, block=block, offset=2**64 - 2**39)
    for whole in ((2**40, 2**40), (2**32, 2**32)):
        with pytest.raises(ValueError, match="block") as caught:
            masked(name, x, block=(whole, (0, 0)))
        message = f"{name}: block must count fewer than 2**64 random numbers, got "
        assert str(caught.value) == message + f"{whole[0] * whole[1]}"
    assert (x == 7).all()


@functions
def test_lengths_of_the_noise_may_be_local_or_global(name, assert_same_bits):
    whole, origin = (6, 5, 8), (2, 0, 3)
    x = values(np.dtype(np.float32), 3 * 5 * 4).reshape(3, 5, 4)
    for global_, local in (((6, 1, 8), (3, 1, 4)), ((1, 5, 1), (1, None, 1)), ((8,), (4,))):
        key = {"block": (whole, origin)}
        one = call(name, x, noise_shape=global_, **key)
        index = positions(x.shape, global_, (whole, origin))
        assert_same_bits(one, family(name, x, AMOUNTS[name], index))
        assert_same_bits(call(name, x, noise_shape=local, **key), one, nan_bits=True)
    for bad in ((5, 1, 1), (6, 1, 3), (2, 1, 8)):
        with pytest.raises(ValueError, match=rf"^{name}: noise_shape must broadcast"):
            call(name, x, noise_shape=bad, block=(whole, origin))
