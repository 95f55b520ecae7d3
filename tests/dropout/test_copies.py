"""Copies of dropout layers draw masks of their own; checkpoints go on with the same."""

import copy
import pickle

import numpy as np
import pytest

import bridle as br
from bridle._dropout.copies import stream_of_copy

try:
    import torch

    import bridle.torch as bt
except ImportError:
    torch = None

LAYERS = [
    pytest.param(lambda **o: br.Dropout(**o), id="numpy"),
    pytest.param(
        lambda **o: bt.Dropout(**o),
        id="torch",
        marks=pytest.mark.skipif(torch is None, reason="could not import 'torch'"),
    ),
]


def mask(layer):
    x = np.ones(64, np.float32)
    return tuple(np.asarray(layer(x if isinstance(layer, br.Dropout) else torch.from_numpy(x))))


def family(make):
    """Copies of a layer and of its copies, by both ways of copying, between training calls."""
    layer = make(seed=1)
    layers = [layer]
    for _ in range(2):
        layers += [copy.deepcopy(layer), copy.copy(layer)]
        mask(layer)
    layers += [copy.deepcopy(layers[1]), copy.copy(layers[1]), copy.deepcopy(layers[2])]
    layers += copy.deepcopy([layer, layers[1]])
    return layers


@pytest.mark.parametrize("make", LAYERS)
def test_no_two_copies_share_a_mask_and_a_program_that_is_run_again_makes_the_same(make):
    masks = [[mask(layer) for _ in range(3)] for layer in family(make)]
    assert len({m for of_a_layer in masks for m in of_a_layer}) == 3 * len(masks)
    assert masks == [[mask(layer) for _ in range(3)] for layer in family(make)]


@pytest.mark.parametrize("make", LAYERS)
def test_two_layers_of_one_seed_and_stream_share_their_masks(make):
    assert mask(make(seed=1, stream=7)) == mask(make(seed=1, stream=7))


@pytest.mark.parametrize("make", LAYERS)
@pytest.mark.parametrize("through", ["pickle", "state_dict"])
def test_checkpoints_go_on_with_the_same_masks_and_the_same_copies(make, through):
    layer = copy.deepcopy(make(seed=1))
    copy.deepcopy(layer)
    mask(layer)
    if through == "pickle":
        resumed = pickle.loads(pickle.dumps(layer))
    else:
        resumed = make(seed=5)
        resumed.load_state_dict(layer.state_dict())
    for a, b in [(layer, resumed), (copy.deepcopy(layer), copy.deepcopy(resumed))]:
        assert [mask(a) for _ in range(3)] == [mask(b) for _ in range(3)]


@pytest.mark.parametrize("make", LAYERS)
def test_a_copy_has_all_the_rest_and_a_layer_in_two_places_stays_one(make):
    layer = make(p=0.25, seed=9)
    layer.note = ["something of the user's"]
    one, two = copy.deepcopy([layer, layer])
    assert one is two
    assert (one.p, one.seed, one.note) == (0.25, 9, layer.note)
    assert one.note is not layer.note
    assert copy.copy(layer).note is layer.note


def test_streams_of_copies_are_far_from_small_ones_from_each_other_and_from_the_end():
    streams = {stream_of_copy(stream, n) for stream in range(300) for n in range(1, 300)}
    streams |= {stream_of_copy(stream_of_copy(0, n), m) for n in range(1, 99) for m in range(1, 99)}
    ordered = sorted(streams)
    assert len(ordered) == 300 * 299 + 98 * 98
    assert ordered[0] >= 2**63
    assert ordered[-1] < 2**63 + 2**62
    assert np.diff(np.array(ordered, np.uint64)).min() > 2**20


def test_the_stream_of_a_copy_is_the_same_in_every_version():
    # SplitMix64 seeded with 0 gives first 0xE220A8397B1DCDAF; that plus one is mixed once more.
    assert stream_of_copy(0, 1) == 9990740170263886431
    assert stream_of_copy(2**64 - 1, 2) == 10694931276525861203
