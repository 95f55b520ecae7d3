"""The layer: streams, the backward pass, inference, Monte-Carlo samples, saved states."""

import copy
import json
import re

import numpy as np
import pytest

import bridle as br

from ..cases import hostile, values
from .oracle import expected_dropout

X = values(np.dtype(np.float32), 700, finite=True).reshape(7, 100)


def expected(x, p, stream, seed=5, **options):
    return expected_dropout(np.asarray(x), p, seed=seed, stream=stream, **options)


def test_each_training_call_takes_the_next_stream(dtype, assert_same_bits):
    x = X.astype(dtype)
    layer = br.Dropout(0.3, seed=5, stream=40)
    for stream in (40, 41, 42):
        assert layer.stream == stream
        assert_same_bits(layer(x), expected(x, 0.3, stream))
    out = np.ones_like(x)
    assert layer(x, out=out) is out
    assert_same_bits(out, expected(x, 0.3, 43))
    assert layer(x, True, x) is x
    assert layer.stream == 45


def test_the_default_is_one_half_and_stream_zero(assert_same_bits):
    layer = br.Dropout(seed=np.uint64(2**64 - 1))
    assert (layer.p, layer.seed, layer.stream, layer.inverted) == (0.5, 2**64 - 1, 0, True)
    assert_same_bits(layer([1.0] * 70), expected(np.ones(70), 0.5, 0, seed=2**64 - 1))
    assert np.ndim(layer(3.0)) == 0


@pytest.mark.parametrize("inverted", [True, False])
def test_backward_applies_the_mask_of_the_last_training_call(dtype, inverted, assert_same_bits):
    layer = br.Dropout(0.3, seed=5, inverted=inverted)
    gradient = X[::-1].astype(dtype)
    layer(X)
    layer(X)
    wanted = expected(gradient, 0.3, 1, inverted=inverted)
    assert_same_bits(layer.backward(gradient), wanted)
    layer.eval(X)
    layer(X, training=False)
    layer(X, False, np.ones_like(X))
    layer.sample(X, 3)
    layer.p = 0.9
    assert_same_bits(layer.backward(gradient), wanted, "after everything else")
    out = np.ones_like(gradient)
    assert layer.backward(gradient, out) is out
    assert_same_bits(out, wanted)
    assert layer.backward(gradient, out=gradient) is gradient
    assert_same_bits(gradient, wanted)
    assert layer.stream == 5
    layer(X)
    assert_same_bits(layer.backward(X), expected(X, 0.9, 5, inverted=inverted))


def test_nothing_dropped_and_everything_dropped(dtype, assert_same_bits):
    x = hostile(dtype)
    layer = br.Dropout(0, seed=5)
    assert_same_bits(layer(x), x, nan_bits=True)
    assert_same_bits(layer.backward(x), x, nan_bits=True)
    layer.p = 1
    assert_same_bits(layer(x), np.zeros_like(x))
    assert_same_bits(layer.backward(x), np.zeros_like(x))
    assert layer.stream == 2  # as any training call


def test_noise_shape_belongs_to_every_call(assert_same_bits):
    layer = br.Dropout(0.4, seed=5, noise_shape=[np.int64(7), None, 1])
    x = np.ones((7, 30, 4))
    result = layer(x)
    column = expected(np.ones((7, 30, 1)), 0.4, 0)
    assert_same_bits(result, np.broadcast_to(column, x.shape))
    assert_same_bits(layer.backward(x), result)
    next_column = expected(np.ones((7, 30, 1)), 0.4, 1)
    assert_same_bits(layer.sample(x, 1), np.broadcast_to(next_column, (1, *x.shape)))


def test_inference_is_the_identity_or_the_classic_scaling(dtype, assert_same_bits):
    x = X.astype(dtype)
    compute = np.promote_types(np.float32, dtype).type
    layer = br.Dropout(0.25, seed=5)
    assert layer.eval(x) is x
    assert layer(x, training=False) is x
    out = np.ones_like(x)
    assert layer(x, training=False, out=out) is out
    assert_same_bits(out, x)
    classic = br.Dropout(0.25, seed=5, inverted=False)
    scaled = (x.astype(compute) * compute(0.75)).astype(dtype)
    scaled = np.where(scaled == 0, dtype.type(0), scaled)
    assert_same_bits(classic.eval(x), scaled)
    assert_same_bits(classic(x, False), scaled)
    assert classic(x, False, out) is out
    assert_same_bits(out, scaled)
    assert classic.stream == layer.stream == 0
    assert isinstance(layer.eval([1, 2]), np.ndarray)


def test_samples_are_the_next_calls_stacked(dtype, assert_same_bits):
    x = X.astype(dtype)
    layer, other = (br.Dropout(0.3, seed=5, stream=9) for _ in range(2))
    samples = layer.sample(x, 4)
    assert_same_bits(samples, np.stack([other(x) for _ in range(4)]))
    assert layer.stream == 13
    assert layer.sample(x, 0).shape == (0, *x.shape)
    assert layer.sample(2.0, np.int8(3)).shape == (3,)
    assert layer.sample(np.ones((0, 3)), 2).shape == (2, 0, 3)
    swapped = layer.sample(x.astype(x.dtype.newbyteorder()) if dtype.kind == "f" else x, 2)
    assert_same_bits(swapped, np.stack([expected(x, 0.3, stream) for stream in (18, 19)]))


def test_the_mean_of_many_samples_is_the_input():
    # 4000 draws of variance 3/7: 5 standard errors are 0.052. By chance, 6e-7 times 50 elements.
    mean = br.Dropout(0.3, seed=5).sample(np.ones(50), 4000).mean(axis=0)
    np.testing.assert_allclose(mean, 1, atol=0.052)


def through_json(state):
    return json.loads(json.dumps(state, allow_nan=False))


def test_a_resumed_layer_goes_on_as_if_never_interrupted(assert_same_bits):
    options = {"seed": 5, "noise_shape": (np.int64(7), None), "inverted": False}
    uninterrupted = br.Dropout(0.3, **options)
    for before in range(3):
        state = through_json(uninterrupted.state_dict())
        resumed = br.Dropout(0.3, **(options | {"seed": 77, "stream": 1}))
        resumed.load_state_dict(state)
        assert resumed.state_dict() == uninterrupted.state_dict() == state
        assert repr(resumed) == repr(uninterrupted)
        if before > 0:
            assert_same_bits(resumed.backward(X), uninterrupted.backward(X))
        assert_same_bits(resumed(X), uninterrupted(X))
        assert_same_bits(resumed.sample(X, 2), uninterrupted.sample(X, 2))


def test_backward_after_a_resumption_uses_the_old_probability(assert_same_bits):
    layer = br.Dropout(np.float32(0.25), seed=np.int64(5), stream=2**64 - 3)
    layer(X)
    layer.p = np.float32(0.5)
    state = through_json(layer.state_dict())
    assert state["config"] == {"p": 0.5, "noise_shape": None, "inverted": True}
    resumed = br.Dropout(0.9, seed=0)
    resumed.load_state_dict(state)
    assert_same_bits(resumed.backward(X), expected(X, 0.25, 2**64 - 3))
    assert resumed.p == 0.9  # the configuration given at construction stays
    assert_same_bits(resumed(X), expected(X, 0.9, 2**64 - 2))


def test_a_state_without_a_number_of_copies_loads(assert_same_bits):
    layer = br.Dropout(0.3, seed=77)
    copy.copy(layer)
    layer.load_state_dict({"config": {}, "state": {"seed": 5, "stream": 6, "last": None}})
    assert layer.state_dict()["state"] == {"seed": 5, "stream": 6, "last": None, "copies": 1}
    assert_same_bits(layer(X), expected(X, 0.3, 6))


def test_attributes_set_to_numbers_of_numpy_are_saved():
    layer = br.Dropout(0.25, seed=5)
    layer.stream = np.int64(6)
    assert copy.copy(layer).stream >= 2**63
    layer(X)
    through_json(layer.state_dict())


BAD_STATES = [
    None,
    3,
    {},
    {"config": {}},
    {"state": None},
    {"state": {"seed": 1, "stream": 0}},
    {"state": {"seed": 1, "last": None}},
    {"state": {"stream": 0, "last": None}},
    {"state": {"seed": -1, "stream": 0, "last": None}},
    {"state": {"seed": 1.0, "stream": 0, "last": None}},
    {"state": {"seed": 1, "stream": 2**64, "last": None}},
    {"state": {"seed": 1, "stream": "0", "last": None}},
    {"state": {"seed": 1, "stream": 0, "last": None, "copies": -1}},
    {"state": {"seed": 1, "stream": 0, "last": None, "copies": None}},
    {"state": {"seed": 1, "stream": 0, "last": 3}},
    {"state": {"seed": 1, "stream": 0, "last": [0, 0.5]}},
    {"state": {"seed": 1, "stream": 0, "last": [-1, 0.5, [3]]}},
    {"state": {"seed": 1, "stream": 0, "last": [0, 1.5, [3]]}},
    {"state": {"seed": 1, "stream": 0, "last": [0, None, [3]]}},
    {"state": {"seed": 1, "stream": 0, "last": [0, 0.5, 3]}},
    {"state": {"seed": 1, "stream": 0, "last": [0, 0.5, [-3]]}},
    {"state": {"seed": 1, "stream": 0, "last": [0, 0.5, ["3"]]}},
]


@pytest.mark.parametrize("state", BAD_STATES, ids=str)
def test_a_bad_state_changes_nothing(state):
    layer = br.Dropout(0.3, seed=5)
    layer(X)
    before = layer.state_dict()
    with pytest.raises(ValueError, match=r"^Dropout: not a state of Dropout: "):
        layer.load_state_dict(state)
    assert layer.state_dict() == before


def test_backward_needs_a_training_call(assert_same_bits):
    layer = br.Dropout(0.3, seed=5)
    layer.eval(X)
    layer.sample(X, 2)
    layer(X, training=False)
    with pytest.raises(RuntimeError, match=r"^Dropout: backward needs a training call before it$"):
        layer.backward(X)
    layer(X)
    out = np.full((100, 7), 7.0)
    with pytest.raises(ValueError, match="gradient") as caught:
        layer.backward(out, out=out)
    message = "Dropout: gradient must have the shape of the last training call, (7, 100), "
    assert str(caught.value) == message + "got (100, 7)"
    assert (out == 7).all()


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"p": 1.5}, ValueError, "p must be between 0 and 1, got 1.5"),
        ({"p": np.nan}, ValueError, "p must be between 0 and 1, got nan"),
        ({"p": "1"}, TypeError, "p must be a real number, got '1'"),
        ({"seed": -1}, ValueError, f"seed must be >= 0 and < {2**64}, got -1"),
        ({"seed": None}, TypeError, "seed must be an integer, got None"),
        ({"stream": 2**64}, ValueError, f"stream must be >= 0 and < {2**64}, got {2**64}"),
        ({"stream": 1.0}, TypeError, "stream must be an integer, got 1.0"),
        ({"noise_shape": 3}, TypeError, "noise_shape must be a tuple of integers and None, got 3"),
        (
            {"noise_shape": (1, 0.5)},
            TypeError,
            "noise_shape must be a tuple of integers and None, got (1, 0.5)",
        ),
    ],
    ids=str,
)
def test_bad_arguments_are_named(arguments, error, message):
    with pytest.raises(error, match=f"^{re.escape('Dropout: ' + message)}$"):
        br.Dropout(**({"seed": 5} | arguments))


def test_a_failed_call_takes_no_stream(assert_same_bits):
    layer = br.Dropout(0.3, seed=5, noise_shape=(7, 1))
    layer(X)
    before = layer.state_dict()
    with pytest.raises(ValueError, match=r"^Dropout: p must be between 0 and 1, got 2$"):
        layer.p = 2
    with pytest.raises(ValueError, match=r"^dropout: noise_shape must broadcast"):
        layer(X.T)
    with pytest.raises(ValueError, match=r"^dropout: out must have the shape of x"):
        layer(X, out=np.ones(3, np.float32))
    with pytest.raises(TypeError, match=r"^Dropout: the array must be of type"):
        layer(X.astype(complex))
    with pytest.raises(ValueError, match=r"^Dropout: n must be >= 0"):
        layer.sample(X, -1)
    with pytest.raises(TypeError, match=r"^Dropout: n must be an integer, got 2\.0"):
        layer.sample(X, 2.0)
    with pytest.raises(ValueError, match=r"^dropout: noise_shape must broadcast"):
        layer.sample(X.T, 2)
    last = br.Dropout(0.3, seed=5, stream=2**64 - 1)
    with pytest.raises(ValueError, match=r"^dropout: stream must be"):
        last.sample(X, 2)
    assert last.stream == 2**64 - 1
    assert layer.state_dict() == before


def test_the_representation_makes_an_equal_layer():
    layer = br.Dropout(0.25, seed=5, noise_shape=(None, np.int64(1)), inverted=False)
    layer(X)
    assert repr(layer) == "Dropout(0.25, seed=5, stream=1, noise_shape=(None, 1), inverted=False)"
