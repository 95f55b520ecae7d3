"""Dropout against an independent generator, written from the description of the bits alone."""

import ml_dtypes
import numpy as np
import pytest

import bridle as br
from bridle import _core

from ..cases import DTYPES, INF, NAN, SIZES, hostile, values, with_positive_zeros
from .oracle import (
    CONSTANTS,
    chacha,
    draws,
    expected_dropout,
    expected_mask,
    halves,
    threshold_of,
    uniforms,
)


def test_the_reference_reproduces_the_published_block():
    """RFC 8439, section 2.3.2: twenty rounds of the same function."""
    key = np.arange(32, dtype=np.uint8).view("<u4").tolist()
    block = chacha([*CONSTANTS, *key, 1, 0x09000000, 0x4A000000, 0], 20)
    published = "e4e7f110 15593bd1 1fdd0f50 c47120a3 c7f4d1c7 0368c033 9aaa2204 4e6cd4c3"
    published += " 466482d2 09aa9f07 05d7c214 a2028bd9 d19c12b5 b94e16de e883d0cb 4e3c50a2"
    assert " ".join(f"{word:08x}" for word in block) == published


@pytest.mark.parametrize("index", [0, 1, 31, 32, 511, 512, 2**33 + 700, 2**63 + 12345])
@pytest.mark.parametrize("domain", [0, 1])
def test_the_reference_agrees_with_one_draw_at_a_time(index, domain):
    seed, stream = 0x0123456789ABCDEF, 0xFEDCBA9876543210
    s, j = divmod(index, 512)
    block = 16 * s + j // 2 % 16
    words = [*CONSTANTS, *halves(seed), domain, 0, 0, 0, 0, 0, *halves(block), *halves(stream)]
    word = chacha(words, 8)[j // 2 // 16]
    assert draws(seed, stream, domain, [index])[0] == (word >> 16 if j % 2 else word & 0xFFFF)


KEYS = [
    {"seed": 1},
    {"seed": 2**32 + 7, "stream": 3, "offset": 511},
    {"seed": 2**64 - 1, "stream": 2**64 - 1, "offset": 4095},
    {"seed": 0, "stream": 2**40, "offset": 2**40 + 3},
    {"seed": 5, "stream": 1, "offset": 2**41 - 3},  # the block counter passes 2³²
    {"seed": 6, "offset": 2**64 - 30_001},
]


@pytest.mark.parametrize("key", KEYS, ids=str)
def test_the_mask_is_that_of_the_reference(key, instruction_set, threads):
    for p in (0.5, 0.1, 1 / 3, 0.999):
        expected = expected_mask(30_000, p, **key)
        np.testing.assert_array_equal(br.dropout_mask(30_000, p, **key), expected)
        packed = br.dropout_mask(30_000, p, **key, packed=True)
        np.testing.assert_array_equal(packed, np.packbits(expected, bitorder="little"))


def test_every_size_and_offset_around_the_blocks_is_masked_alike(instruction_set):
    expected = expected_mask(4097 + max(SIZES), 0.3, seed=9)
    for offset in (0, 1, 7, 510, 511, 512, 513, 4095, 4096, 4097):
        for size in SIZES:
            keep = expected[offset:][:size]
            actual = br.dropout_mask(size, 0.3, seed=9, offset=offset)
            np.testing.assert_array_equal(actual, keep, f"{size} elements from {offset}")
            packed = br.dropout_mask(size, 0.3, seed=9, offset=offset, packed=True)
            np.testing.assert_array_equal(packed, np.packbits(keep, bitorder="little"))


def test_frozen_decisions():
    assert br.dropout_mask(64, 0.5, seed=1, packed=True).tobytes().hex() == "5de2d6779b665c65"
    key = {"seed": 2**63 + 11, "stream": 2**35, "offset": 2**40 + 3}
    assert br.dropout_mask(64, 0.1, **key, packed=True).tobytes().hex() == "ffdff3ff7fffefdf"


def positions_of_interest():
    """Return positions at the edges of blocks, and those of the least and greatest high halves."""
    high = draws(3, 0, 0, np.arange(400_000))
    extreme = [np.flatnonzero(high == value)[:3] for value in (0, 1, 32768, 65534, 65535)]
    return np.concatenate([[0, 1, 511, 512, 1023, 1024, 4095, 4096], *extreme]).tolist()


def test_ties_of_the_high_half_are_settled_by_the_low_half(instruction_set):
    for index in positions_of_interest():
        u = int(uniforms(3, 0, [index])[0])
        near = {u - 1, u, u + 1, u // 65536 * 65536, (u // 65536 + 1) * 65536}
        for threshold in sorted(t for t in near if 0 < t < 2**32):
            p = 1 - threshold / 2**32  # exact
            assert threshold_of(p) == threshold
            for begin in (index, index - index % 512, max(index - 5, 0)):
                mask = br.dropout_mask(index - begin + 20, p, seed=3, offset=begin)
                assert mask[index - begin] == (u < threshold), (index, threshold)
                np.testing.assert_array_equal(
                    mask, expected_mask(mask.size, p, seed=3, offset=begin)
                )


@pytest.mark.parametrize(
    ("p", "threshold"),
    [
        (2.0**-33, 2**32),
        (3 * 2.0**-33, 2**32 - 2),
        (0.5 + 2.0**-33, 2**31),
        (0.5 + 3 * 2.0**-33, 2**31 - 2),
        (1e-9, 2**32 - 4),
    ],
)
def test_the_threshold_is_rounded_half_to_even_and_gives_the_scale(p, threshold):
    assert threshold_of(p) == threshold
    for inverted, scale in ((True, 2.0**32 / threshold), (False, 1.0)):
        assert br.dropout(np.ones(200), p, seed=3, inverted=inverted).max() == scale


@pytest.mark.parametrize("inverted", [True, False])
def test_kept_elements_are_scaled_and_dropped_ones_are_positive_zeros(
    dtype, instruction_set, inverted, assert_same_bits
):
    x = values(dtype, max(SIZES) + 1)
    for p in (0.1, 0.5, 0.9999):
        for size in SIZES:
            for begin in (0, 1):
                key = {"seed": 4, "stream": 2, "offset": 500}
                part = x[begin : begin + size]
                actual = br.dropout(part, p, **key, inverted=inverted)
                expected = expected_dropout(part, p, **key, inverted=inverted)
                assert_same_bits(actual, expected, f"{size} elements, p = {p}")


def test_every_value_is_dropped_and_kept(dtype, instruction_set, assert_same_bits):
    x = hostile(dtype)
    for seed in range(8):
        actual = br.dropout(x, 0.5, seed=seed)
        assert_same_bits(actual, expected_dropout(x, 0.5, seed=seed))


def test_no_probability_is_the_identity_bit_for_bit(dtype, layout, assert_same_bits):
    x = layout(np.resize(hostile(dtype), 20_000))
    for inverted in (True, False):
        out = np.ones(x.shape, dtype)
        assert br.dropout(x, 0.0, seed=1, inverted=inverted, out=out) is out
        assert_same_bits(out, x, nan_bits=True)
        assert_same_bits(br.dropout(x, 0, seed=1), x, nan_bits=True)
    assert br.dropout_mask(20_001, 0.0, seed=1).all()
    packed = br.dropout_mask(20_001, 0.0, seed=1, packed=True)
    np.testing.assert_array_equal(packed, np.packbits(np.ones(20_001, bool), bitorder="little"))


def test_certain_dropping_gives_positive_zeros(dtype, layout, assert_same_bits):
    x = layout(np.resize(hostile(dtype), 20_000))
    for p in (1, 1.0, 1 - 1e-12):  # the last one is realised as 1
        assert_same_bits(br.dropout(x, p, seed=1), np.zeros(x.shape, dtype))
        assert_same_bits(br.dropout(x, p, seed=1, inverted=False), np.zeros(x.shape, dtype))
        assert not br.dropout_mask(20_001, p, seed=1).any()
        assert not br.dropout_mask(20_001, p, seed=1, packed=True).any()


def test_a_tiny_probability_is_realised_as_none(dtype, assert_same_bits):
    x = np.resize(hostile(dtype), 20_000)
    actual = with_positive_zeros(br.dropout(x, 1e-12, seed=1))
    assert_same_bits(actual, with_positive_zeros(x))


def test_positions_are_counted_in_c_order_in_any_layout(dtype, layout, assert_same_bits):
    for shape in ((4099,), (7, 1031), (2, 3, 5000)):
        x = values(dtype, int(np.prod(shape))).reshape(shape)
        expected = expected_dropout(x, 0.3, seed=1, offset=77)
        laid_out = layout(x)
        assert_same_bits(br.dropout(laid_out, 0.3, seed=1, offset=77), expected, "allocated")
        out = layout(np.ones(shape, dtype))
        assert br.dropout(x, 0.3, seed=1, offset=77, out=out) is out
        assert_same_bits(out, expected, "given")
        assert br.dropout(laid_out, 0.3, seed=1, offset=77, out=laid_out) is laid_out
        assert_same_bits(laid_out, expected, "in place")
        mask = br.dropout_mask(shape, 0.3, seed=1, offset=77)
        np.testing.assert_array_equal(
            mask, expected_mask(x.size, 0.3, seed=1, offset=77).reshape(shape)
        )


@pytest.mark.parametrize("size", [1000, 70_000])
@pytest.mark.parametrize("shift", [-513, -33, -1, 1, 17, 512])
def test_out_may_overlap_the_input(dtype, size, shift, assert_same_bits):
    memory = values(dtype, size + abs(shift))
    x, out = memory[max(shift, 0) :][:size], memory[max(-shift, 0) :][:size]
    expected = expected_dropout(x, 0.3, seed=1)
    br.dropout(x, 0.3, seed=1, out=out)
    assert_same_bits(out, expected)
    backwards = expected_dropout(x, 0.3, seed=1)
    br.dropout(x, 0.3, seed=1, out=x[::-1])
    assert_same_bits(x[::-1], backwards)


def test_out_may_have_another_type(assert_same_bits):
    x = values(DTYPES["float32"], 5000, finite=True)
    for dtype in (np.float64, np.float16, ml_dtypes.bfloat16):
        out = np.ones(5000, dtype)
        br.dropout(x, 0.3, seed=1, out=out)
        assert_same_bits(out, expected_dropout(x, 0.3, seed=1).astype(dtype))


def test_numbers_lists_integers_and_empty_arrays_are_taken(assert_same_bits):
    expected = expected_dropout(np.array([1.0, 2.0, 3.0]), 0.5, seed=1)
    for x in ([1.0, 2.0, 3.0], (1, 2, 3), np.array([1, 2, 3], np.int8)):
        assert_same_bits(br.dropout(x, 0.5, seed=1), expected)
    for x in (NAN, -INF, np.float32(3), np.array(3, ml_dtypes.bfloat16)):
        array = np.asarray(x)
        assert_same_bits(br.dropout(x, 0.5, seed=1), expected_dropout(array, 0.5, seed=1))
    for shape in ((0,), (0, 3), (3, 0)):
        assert br.dropout(np.ones(shape, np.float16), 0.5, seed=1).shape == shape
        assert br.dropout_mask(shape, 0.5, seed=1).shape == shape
    assert br.dropout_mask(0, 0.5, seed=1, packed=True).shape == (0,)
    assert br.dropout_mask((), 0.5, seed=1).shape == ()


def test_byte_swapped_arrays_are_taken(assert_same_bits):
    x = values(DTYPES["float32"], 5000)
    expected = expected_dropout(x, 0.5, seed=1)
    assert_same_bits(br.dropout(x.astype(">f4"), 0.5, seed=1).astype(np.float32), expected)
    out = x.astype(">f4")
    br.dropout(x, 0.5, seed=1, out=out)
    assert_same_bits(out.astype(np.float32), expected)


def test_a_result_beyond_the_cache_agrees_with_the_reference(large_float64, assert_same_bits):
    x, memory, edges = large_float64
    for begin, offset in ((0, 0), (3, 77)):
        out = memory[begin:][: x.size]
        br.dropout(x, 0.3, seed=1, offset=offset, out=out)
        for edge in edges:
            key = {"seed": 1, "offset": offset + edge.start}
            assert_same_bits(out[edge], expected_dropout(x[edge], 0.3, **key))


@pytest.mark.parametrize("at_end", [False, True])
def test_nothing_beyond_the_arrays_is_touched(
    dtype, instruction_set, guarded_pages, at_end, assert_same_bits
):
    x_page, out_page, mask_page, _ = guarded_pages
    everything = values(dtype, 141)
    for size in range(141):
        for p in (0.0, 0.3, 1.0):
            x = x_page.place(everything[:size], at_end=at_end)
            out = out_page.place(np.ones(size, dtype), at_end=at_end)
            br.dropout(x, p, seed=1, offset=450, out=out)
            expected = br.dropout(everything[:size], p, seed=1, offset=450)
            assert_same_bits(out, expected, f"{size} elements")
            for packed in (False, True):
                mask = br.dropout_mask(size, p, seed=1, packed=packed)
                place = mask_page.place(np.full(mask.shape, 85, mask.dtype), at_end=at_end)
                draws = (1, 0, threshold_of(p), 0)
                _core.noise_mask([size], draws, [1], packed, place)
                np.testing.assert_array_equal(place, mask)
