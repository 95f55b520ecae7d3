"""Dropout and noise of Dask arrays: the numbers of the whole, in whatever blocks."""

import dask.array as da
import numpy as np
import pytest

import bridle as br
import bridle.dask

from ..memmap_calls import KEY
from .calls import CHUNKS, computed

KEY_OF_BLOCKS = KEY | {"offset": 2**40}
NOISE = {
    "dropout": br.dropout,
    "alpha_dropout": br.alpha_dropout,
    "gaussian_dropout": br.gaussian_dropout,
    "gaussian_noise": br.gaussian_noise,
}


@pytest.fixture(params=CHUNKS.values(), ids=list(CHUNKS))
def chunks(request):
    return request.param


@pytest.mark.parametrize("name", NOISE)
@pytest.mark.parametrize("noise_shape", [None, (None, 1), (1, 64), (64,), (1, 1)], ids=str)
def test_places_count_in_the_whole(name, noise_shape, chunks, weights):
    options = {"noise_shape": noise_shape, **KEY_OF_BLOCKS}
    found = computed(NOISE[name](da.from_array(weights(), chunks), 0.4, **options))
    assert np.array_equal(found, NOISE[name](weights(), 0.4, **options))


@pytest.mark.parametrize("p", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("inverted", [True, False])
def test_stored_masks_are_applied(p, inverted, chunks, weights):
    x = weights().copy()
    x[3, 5] = np.nan
    lazy = da.from_array(x, chunks)
    bits = br.dropout_mask(x.shape, 0.3, **KEY, packed=True)
    expected = br.apply_dropout_mask(x, bits, p, inverted=inverted)
    own = bridle.dask.dropout_mask(x.shape, 0.3, **KEY, packed=True, chunks=7)
    for array, given in ((lazy, bits), (lazy, own), (x, own)):
        found = computed(br.apply_dropout_mask(array, given, p, inverted=inverted))
        assert np.array_equal(found, expected, equal_nan=True)
    for wrong in (own[1:], own.astype(np.int8), bits[1:]):
        with pytest.raises(ValueError, match="apply_dropout_mask: bits must be of type uint8"):
            br.apply_dropout_mask(lazy, wrong, p)


def test_masks_have_the_bits_of_masks(chunks):
    mask = bridle.dask.dropout_mask((12, 64), 0.3, **KEY_OF_BLOCKS, chunks=chunks)
    assert mask.chunks == da.empty((12, 64), chunks=chunks).chunks
    assert np.array_equal(computed(mask), br.dropout_mask((12, 64), 0.3, **KEY_OF_BLOCKS))


@pytest.mark.parametrize("size", [0, 1, 7, 8, 9, 767])
def test_packed_masks_end_with_the_last_decision(size):
    how = KEY_OF_BLOCKS | {"packed": True}
    mask = bridle.dask.dropout_mask(size, 0.3, **how, chunks=5)
    assert np.array_equal(computed(mask), br.dropout_mask(size, 0.3, **how))


def test_masks_are_checked_when_they_are_asked_for():
    for wrong in ({"p": 1.5}, {"seed": -1}, {"stream": 2**64}, {"offset": 2**64 - 3}):
        with pytest.raises(ValueError, match=f"^dropout_mask: {next(iter(wrong))} must be"):
            bridle.dask.dropout_mask(**{"shape": (2, 4), "p": 0.5, **KEY, **wrong})


def test_a_layer_draws_for_dask_arrays_what_it_draws_for_others(chunks, weights):
    x = weights()
    lazy = da.from_array(x, chunks)
    one, other = (br.Dropout(0.4, seed=3, noise_shape=(None, 1)) for _ in range(2))
    for found, expected in (
        (one(lazy), other(x)),
        (one.backward(lazy), other.backward(x)),
        (one.sample(lazy, 3), other.sample(x, 3)),
        (one.sample(lazy, 0), other.sample(x, 0)),
        (one(lazy), other(x)),
    ):
        assert np.array_equal(computed(found), expected)
    assert one.state_dict() == other.state_dict()
    assert one.eval(lazy) is lazy


@pytest.mark.parametrize("name", NOISE)
def test_places_that_are_told_twice_or_not_known_are_refused(name, weights):
    lazy = da.from_array(weights(), 8)
    with pytest.raises(ValueError, match=f"^{name}: block must be left alone for Dask arrays"):
        NOISE[name](lazy, 0.4, **KEY, block=((12, 64), (0, 0)))
    with pytest.raises(ValueError, match=f"^{name}: .* call compute_chunk_sizes"):
        NOISE[name](lazy[lazy > 0], 0.4, **KEY)
    known = lazy[lazy > 0].compute_chunk_sizes()
    found = computed(NOISE[name](known, 0.4, **KEY))
    assert np.array_equal(found, NOISE[name](known.compute(), 0.4, **KEY))
