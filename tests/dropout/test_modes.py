"""Stored decisions, the classic mode, alpha dropout, and what becomes of special values."""

import math

import ml_dtypes
import numpy as np
import pytest

import bridle as br

from ..cases import DTYPES, INF, NAN, SIZES, hostile, values, with_positive_zeros
from .oracle import (
    AMOUNTS,
    KEY,
    alpha_numbers,
    expected_dropout,
    family,
    positions,
    threshold_of,
)

PROBABILITIES = (0.0, 1e-12, 1e-3, 0.3, 0.5, 0.999, 1 - 1e-12, 1.0)


def stored(shape, p, **keywords):
    return br.dropout_mask(shape, p, **KEY, **keywords, packed=True)


def apply_reference(x, bits, p, inverted=True):
    """Apply any bits, whether drawn with p or not."""
    compute = np.float64 if x.dtype == np.float64 else np.float32
    scale = compute(2.0**32 / threshold_of(p)) if inverted else compute(1)
    keep = np.unpackbits(bits, count=x.size, bitorder="little").reshape(x.shape)
    with np.errstate(all="ignore"):
        scaled = (x.astype(compute) * scale).astype(x.dtype)
    return with_positive_zeros(np.where(keep, scaled, x.dtype.type(0)))


@pytest.mark.parametrize("inverted", [True, False])
def test_stored_decisions_give_the_bits_of_dropout(dtype, layout, inverted, assert_same_bits):
    for shape in ((), (1,), (4099,), (7, 1031), (2, 3, 5, 7)):
        x = layout(values(dtype, math.prod(shape)).reshape(shape)) if shape else dtype.type(-1.5)
        for p in PROBABILITIES:
            bits = stored(shape, p)
            expected = br.dropout(x, p, **KEY, inverted=inverted)
            actual = br.apply_dropout_mask(x, bits, p, inverted=inverted)
            assert_same_bits(actual, expected, f"{shape}, p = {p}", nan_bits=True)
            assert np.asarray(actual).strides == np.asarray(expected).strides


def test_any_bits_are_taken_at_every_size(dtype, instruction_set, assert_same_bits):
    x = values(dtype, max(SIZES) + 1)
    bits = np.random.default_rng(3).integers(0, 256, x.size // 8 + 3, np.uint8)
    for size in SIZES:
        for begin in (0, 1):
            own = bits[begin : begin + (size + 7) // 8]
            actual = br.apply_dropout_mask(x[begin:][:size], own, 0.3)
            assert_same_bits(actual, apply_reference(x[begin:][:size], own, 0.3), f"{size}")


def every_nan(dtype):
    """Return zeros, infinities and NaNs of both signs and of several payloads."""
    unsigned, info = np.dtype(f"u{dtype.itemsize}"), ml_dtypes.finfo(dtype)
    infinity = int(np.array(INF, dtype).view(unsigned))
    payloads = [0, 1, 2, (1 << info.nmant) - 1, 1 << (info.nmant - 1)]
    positive = np.array([infinity + payload for payload in payloads] + [0, 1], unsigned)
    negative = positive | unsigned.type(1 << (8 * dtype.itemsize - 1))
    return np.concatenate([positive, negative]).view(dtype)


@pytest.mark.parametrize("inverted", [True, False])
def test_stored_bits_with_p_of_zero_keep_the_bits_of_x(dtype, layout, inverted, assert_same_bits):
    before = np.resize(every_nan(dtype), (3, 700))
    x = layout(before.copy())
    bits = np.random.default_rng(3).integers(0, 256, (x.size + 7) // 8, np.uint8)
    keep = np.unpackbits(bits, count=x.size, bitorder="little").reshape(x.shape) != 0
    for own, expected in (
        (stored(x.shape, 0.0), br.dropout(x, 0.0, **KEY, inverted=inverted)),
        (bits, np.where(keep, x, dtype.type(0))),
    ):
        out, in_place = layout(np.ones(x.shape, dtype)), layout(before.copy())
        for target in (None, out, in_place):
            source = in_place if target is in_place else x
            actual = br.apply_dropout_mask(source, own, 0.0, inverted=inverted, out=target)
            assert_same_bits(actual, expected, nan_bits=True)
    assert_same_bits(x, before, nan_bits=True)
    for x in (dtype.type(-0.0), np.zeros(0, dtype)):
        assert_same_bits(br.apply_dropout_mask(x, stored(x.shape, 0), 0), x, nan_bits=True)


def test_threads_share_the_stored_bits(dtype, threads, instruction_set, assert_same_bits):
    x = values(dtype, 3 * 50_001).reshape(3, 50_001)
    bits = stored(x.shape, 0.3)
    expected = apply_reference(x, bits, 0.3)
    assert_same_bits(br.apply_dropout_mask(x, bits, 0.3), expected)
    transposed = np.asfortranarray(x)
    assert br.apply_dropout_mask(transposed, bits, 0.3, out=transposed) is transposed
    assert_same_bits(transposed, expected)


def test_bits_beyond_the_last_element_do_not_matter(assert_same_bits):
    x = np.arange(1.0, 14.0)
    bits = np.array([0b10110011, 0b11101010], np.uint8)
    expected = apply_reference(x, bits, 0.5)
    for fill in range(8):
        own = bits.copy()
        own[1] = own[1] & 31 | fill << 5
        assert_same_bits(br.apply_dropout_mask(x, own, 0.5), expected)


def test_bits_may_be_strided_read_only_or_share_memory(dtype, assert_same_bits):
    x = values(dtype, 3001, finite=True)
    bits = stored(x.size, 0.3)
    expected = apply_reference(x, bits, 0.3)
    wide = np.zeros((bits.size, 3), np.uint8)
    wide[:, 1] = bits
    backwards = bits[::-1].copy()[::-1]
    bits.flags.writeable = False
    for own in (bits, wide[:, 1], backwards):
        assert_same_bits(br.apply_dropout_mask(x, own, 0.3), expected)
    for at in (0, 1, 8, 2000):
        out = np.ones(3001, dtype)
        shared = out.view(np.uint8)[at:][: bits.size]
        shared[:] = bits
        br.apply_dropout_mask(x, shared, 0.3, out=out)
        assert_same_bits(out, expected, f"bits {at} bytes into the result")
        own_memory = x.copy()
        shared = own_memory.view(np.uint8)[at:][: bits.size]
        before, own_bits = own_memory.copy(), shared.copy()
        br.apply_dropout_mask(own_memory, shared, 0.3, out=own_memory)
        assert_same_bits(own_memory, apply_reference(before, own_bits, 0.3))


def test_stored_decisions_go_to_other_types_and_orders(assert_same_bits):
    x = values(DTYPES["float32"], 3000, finite=True)
    bits = stored(x.size, 0.3)
    expected = apply_reference(x, bits, 0.3)
    for dtype in (np.float64, np.float16, ml_dtypes.bfloat16, np.dtype(">f4")):
        out = np.ones(3000, dtype)
        assert br.apply_dropout_mask(x, bits, 0.3, out=out) is out
        assert_same_bits(out.astype(out.dtype.newbyteorder("=")), expected.astype(out.dtype.name))
    swapped = br.apply_dropout_mask(x.astype(">f4"), bits, 0.3)
    assert_same_bits(swapped.astype("<f4"), expected)
    memory = np.append(x, 1.0).astype(np.float32)
    br.apply_dropout_mask(memory[:-1], bits, 0.3, out=memory[1:])
    assert_same_bits(memory[1:], expected)
    whole = br.apply_dropout_mask([1, 2, 3], np.array([5], np.uint8), 0.5)
    assert_same_bits(whole, np.array([2.0, 0.0, 6.0]))


@pytest.mark.parametrize(
    ("bits", "error", "message"),
    [
        (np.zeros(2, np.int8), TypeError, "bits must be an array of uint8, got int8"),
        (np.zeros(2, bool), TypeError, "bits must be an array of uint8, got bool"),
        ([0, 0], TypeError, "bits must be an array of uint8, got list"),
        (None, TypeError, "bits must be an array of uint8, got NoneType"),
        (np.zeros(1, np.uint8), ValueError, "(1,)"),
        (np.zeros(3, np.uint8), ValueError, "(3,)"),
        (np.zeros(0, np.uint8), ValueError, "(0,)"),
        (np.zeros((2, 1), np.uint8), ValueError, "(2, 1)"),
        (np.zeros((), np.uint8), ValueError, "()"),
    ],
    ids=repr,
)
def test_bits_that_do_not_fit_are_an_error(bits, error, message):
    x = np.full(12, 7.0)
    if error is ValueError:
        message = f"bits must have shape (2,), one bit for each element of x, got {message}"
    with pytest.raises(error, match="bits") as caught:
        br.apply_dropout_mask(x, bits, 0.5, out=x)
    assert str(caught.value) == f"apply_dropout_mask: {message}"
    assert (x == 7).all()


@pytest.mark.parametrize("name", ["apply_dropout_mask", "dropout_inference"])
@pytest.mark.parametrize("p", [-0.5, 1.5, NAN, INF, 2, 2**70, -(2**70)], ids=repr)
def test_a_probability_outside_its_range_is_an_error(name, p):
    x = np.full(8, 7.0)
    bits = [np.zeros(1, np.uint8)] * (name == "apply_dropout_mask")
    with pytest.raises(ValueError, match=rf"^{name}: p must be between 0 and 1, got {p}$"):
        getattr(br, name)(x, *bits, p, out=x)
    for bad in ("0.5", None, [0.5], 0.5j):
        with pytest.raises(TypeError, match=rf"^{name}: p must be a real number, got "):
            getattr(br, name)(x, *bits, bad, out=x)
    assert (x == 7).all()


@pytest.mark.parametrize("name", ["apply_dropout_mask", "dropout_inference", *AMOUNTS])
def test_an_out_that_does_not_fit_is_an_error(name):
    function = getattr(br, name)
    x, p = np.ones(8), AMOUNTS.get(name, 0.5)
    positional = [np.zeros(1, np.uint8), p] if name == "apply_dropout_mask" else [p]
    key = KEY if name in AMOUNTS else {}
    read_only = np.full(8, 7.0)
    read_only.flags.writeable = False
    for out, error, message in (
        (np.full(7, 7.0), ValueError, "out must have the shape of x, (8,), got (7,)"),
        (np.full((1, 8), 7.0), ValueError, "out must have the shape of x, (8,), got (1, 8)"),
        (np.full(8, 7), TypeError, "cannot write float64 to out of type int64"),
        (read_only, ValueError, "out must be writeable, got one that is read-only"),
        ([7.0] * 8, TypeError, "out must be an array, got list"),
    ):
        with pytest.raises(error, match=name) as caught:
            function(x, *positional, **key, out=out)
        assert str(caught.value) == f"{name}: {message}"
        assert (np.asarray(out) == 7).all()
    with pytest.raises(TypeError, match=rf"^{name}: masked arrays"):
        function(np.ma.masked_array(x), *positional, **key)
    with pytest.raises(TypeError, match=rf"^{name}: the array must be of type .*, got complex128$"):
        function(x + 0j, *positional, **key)


def test_inference_scales_by_the_realised_probability(dtype, layout, assert_same_bits):
    compute = np.float64 if dtype == np.float64 else np.float32
    x = layout(np.resize(hostile(dtype), (3, 2000)))
    for p in PROBABILITIES:
        with np.errstate(all="ignore"):
            scaled = (x.astype(compute) * compute(threshold_of(p) / 2**32)).astype(dtype)
        expected = with_positive_zeros(scaled)
        if p == 0:
            expected = x.copy()
        assert_same_bits(br.dropout_inference(x, p), expected, f"p = {p}")
        out = layout(np.ones(x.shape, dtype))
        assert br.dropout_inference(x, p, out) is out
        assert_same_bits(out, expected)
    assert_same_bits(br.dropout_inference(x, 0.0, out=x), x, nan_bits=True)


def test_both_modes_have_the_expectation_of_the_input():
    """In the classic mode the mean over masks is the input scaled as inference does."""
    x = values(np.dtype(np.float64), 50, finite=True)
    for p in (0.1, 0.5, 0.7):
        for inverted, mean in ((True, x), (False, br.dropout_inference(x, p))):
            total = np.zeros(50)
            for stream in range(2000):
                total += br.dropout(x, p, seed=2, stream=stream, inverted=inverted)
            kept = 1 - threshold_of(p) / 2**32
            error = np.sqrt(kept * (1 - kept) / 2000) / (kept if inverted else 1)
            # 5 standard errors: 6e-7 by chance, for each of 300 elements.
            assert (np.abs(total / 2000 - mean) <= 5 * error * np.abs(x)).all()


@pytest.mark.parametrize("name", AMOUNTS)
def test_nothing_done_is_the_identity_bit_for_bit(name, dtype, layout, assert_same_bits):
    x = layout(np.resize(np.append(hostile(dtype), every_nan(dtype)), (3, 2000)))
    for zero in (0, 0.0, -0.0, np.float16(0), False):
        out = np.ones(x.shape, dtype)
        assert getattr(br, name)(x, zero, **KEY, out=out) is out
        assert_same_bits(out, x, nan_bits=True)
        assert_same_bits(getattr(br, name)(x, zero, **KEY), x, nan_bits=True)
        assert_same_bits(br.dropout_inference(x, zero), x, nan_bits=True)


def test_alpha_dropout_of_certainty_gives_positive_zeros(dtype, layout, assert_same_bits):
    x = layout(np.resize(hostile(dtype), (3, 2000)))
    for p in (1, 1.0, 1 - 1e-12):
        assert_same_bits(br.alpha_dropout(x, p, **KEY), np.zeros(x.shape, dtype))


def test_alpha_dropout_follows_its_formula(dtype, instruction_set, assert_same_bits):
    x = np.resize(hostile(dtype), 6000)
    index = positions(x.shape)
    for p in (1e-12, 1e-3, 0.1, 0.5, 0.9, 0.9999):
        actual = br.alpha_dropout(x, p, **KEY)
        assert_same_bits(actual, family("alpha_dropout", x, p, index), f"p = {p}")


def test_what_alpha_dropout_drops_is_the_constant_whatever_it_was(dtype, assert_same_bits):
    keep = br.dropout_mask(4000, 0.5, **KEY)
    dropped = np.float64(alpha_numbers(0.5)[2]).astype(dtype)
    for value in (NAN, INF, -INF, -0.0, 1.0):
        result = br.alpha_dropout(np.full(4000, value).astype(dtype), 0.5, **KEY)
        assert_same_bits(result[~keep], np.full((~keep).sum(), dropped))
        zeros = br.dropout(np.full(4000, value).astype(dtype), 0.5, **KEY)[~keep]
        assert_same_bits(zeros, np.zeros_like(zeros))


def test_the_constants_of_alpha_dropout_are_those_of_its_paper():
    for p in (0.05, 0.1, 0.5):
        kept, dropped = np.sort(np.unique(br.alpha_dropout(np.zeros(4000), p, **KEY)))[::-1]
        alpha = 1.0507009873554805 * 1.6732632423543772  # SELU's scale times its alpha
        a = ((1 - p) * (1 + p * alpha**2)) ** -0.5
        np.testing.assert_allclose([kept, dropped], [a * p * alpha, a * (p - 1) * alpha], 1e-9)


def test_alpha_dropout_keeps_the_mean_and_variance_of_selu():
    x = np.random.default_rng(3).normal(size=1_000_000)
    x = (x - x.mean()) / x.std()
    for p in (0.05, 0.2, 0.5):
        result = br.alpha_dropout(x, p, **KEY)
        # Standard errors 0.001 and below 0.002: 5 of them, 6e-7 by chance.
        assert abs(result.mean()) < 0.005
        assert abs(result.var() - 1) < 0.01


def test_the_family_does_not_lose_what_is_not_a_number(dtype):
    """Kept NaNs stay, as does a kept infinity; dropped ones vanish."""
    keep = br.dropout_mask(3000, 0.5, **KEY)
    for value in (NAN, INF):
        x = np.full(3000, value).astype(dtype)
        for result in (br.dropout(x, 0.5, **KEY), br.dropout(x, 0.5, **KEY, inverted=False)):
            np.testing.assert_array_equal(
                np.isnan(result) if value != value else result == INF, keep
            )
        for name in ("gaussian_dropout", "gaussian_noise"):
            assert not np.isfinite(getattr(br, name)(x, 0.5, **KEY).astype(np.float64)).any()


def test_subnormal_numbers_are_kept_and_scaled(dtype, assert_same_bits):
    least = ml_dtypes.finfo(dtype).smallest_subnormal
    x = (np.arange(1, 4001) * np.float64(least)).astype(dtype)
    assert_same_bits(br.dropout(x, 0.5, seed=3), expected_dropout(x, 0.5, seed=3))
    assert (br.dropout(x, 0.5, seed=3).astype(np.float64) > 0).sum() > 1800
    halved = br.dropout_inference(x[:1], 0.75)  # rounds to zero
    assert_same_bits(halved, np.zeros(1, dtype))
