"""Dropout for PyTorch: the decisions of `bridle.dropout`, and no stored mask."""

import copy
import pickle

import numpy as np
import pytest

torch = pytest.importorskip("torch")

# Behind the line that skips all of this, as bridle.torch needs PyTorch.
import bridle as br  # noqa: E402
import bridle.torch as bt  # noqa: E402

DTYPES = [torch.float64, torch.float32, torch.bfloat16, torch.float16]


@pytest.mark.parametrize("dtype", DTYPES)
def test_dropout_draws_the_decisions_of_the_function_and_counts_its_streams(dtype):
    layer = bt.Dropout(0.3, seed=5, stream=2)
    x = torch.ones(4, 50, dtype=dtype, requires_grad=True)
    for stream in (2, 3):
        result = layer(x)
        mask = br.dropout_mask((4, 50), 0.3, seed=5, stream=stream)
        assert np.array_equal((result != 0).numpy(), mask)
        (gradient,) = torch.autograd.grad(result.sum(), x)
        assert torch.equal(gradient, result.detach())


def test_gradients_of_dropout_pass_gradcheck_twice():
    def masked(x):
        return bt.Dropout(0.5, seed=1)(x).square()

    x = torch.randn(30, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(masked, x)
    assert torch.autograd.gradgradcheck(masked, x)


def test_dropout_saves_no_mask_and_goes_on_where_its_state_was():
    layer = bt.Dropout(0.5, seed=7)
    x = torch.ones(1000, requires_grad=True)
    saved = []
    with torch.autograd.graph.saved_tensors_hooks(saved.append, lambda t: t):
        layer(x)
    assert saved == []
    other = bt.Dropout(0.5, seed=0)
    other.load_state_dict(copy.deepcopy(layer.state_dict()))
    assert torch.equal(layer(x), other(x))
    assert layer.eval()(x) is x
    assert repr(layer) == "Dropout(p=0.5, seed=7, stream=2)"


@pytest.mark.parametrize("dtype", DTYPES)
def test_dropout_is_the_same_for_any_layout_and_number_of_threads(dtype):
    x = torch.randn(3, 40, 50, generator=torch.Generator().manual_seed(3)).to(dtype).movedim(0, 2)
    expected = bt.Dropout(0.4, seed=8)(x.contiguous())
    before = br.get_num_threads()
    try:
        for threads in (1, 2, 3):
            br.set_num_threads(threads)
            for same in (x, x.clone(), x.contiguous(memory_format=torch.contiguous_format)):
                assert torch.equal(bt.Dropout(0.4, seed=8)(same), expected)
    finally:
        br.set_num_threads(before)


@pytest.mark.filterwarnings("ignore:.*torch.jit")  # by PyTorch's own jvp
def test_dropout_has_derivatives_of_every_kind():
    x = torch.randn(30, dtype=torch.float64)
    kept = torch.from_numpy(br.dropout_mask((30,), 0.5, seed=1)).double()
    gradient = torch.func.grad(lambda value: bt.Dropout(0.5, seed=1)(value).sum())(x)
    assert torch.equal(gradient, 2 * kept)
    _, tangent = torch.func.jvp(lambda value: bt.Dropout(0.5, seed=1)(value), (x,), (x,))
    assert torch.equal(tangent, 2 * kept * x)


def two_layers(start=1):
    torch.manual_seed(0)
    return torch.nn.Sequential(
        torch.nn.Linear(8, 8), bt.Dropout(0.5, seed=start), torch.nn.Tanh(), bt.Dropout(seed=2)
    )


def gradients(net, call, steps=3, accumulated=2):
    """Return gradients and streams of a few steps, each of them of several calls of the layers."""
    x = torch.ones(5, 8, requires_grad=True)
    results = []
    for _ in range(steps):
        losses = [call(net, x).square().sum() for _ in range(accumulated)]
        net.zero_grad()
        sum(losses).backward()
        results += [p.grad.clone() for p in net.parameters()]
    return results, [layer.stream for layer in net if isinstance(layer, bt.Dropout)]


def checkpointed(net, x, **options):
    return torch.utils.checkpoint.checkpoint(net, x, **options)


@pytest.mark.parametrize("reentrant", [False, True])
def test_a_checkpointed_layer_has_the_same_mask_in_both_forward_passes(reentrant):
    expected, streams = gradients(two_layers(), lambda net, x: net(x))
    options = {"use_reentrant": reentrant}
    actual, same = gradients(two_layers(), lambda net, x: checkpointed(net, x, **options))
    assert same == streams == [6, 6]
    for a, b in zip(actual, expected, strict=True):
        assert torch.equal(a, b)


@pytest.mark.parametrize("reentrant", [False, True])
def test_dropout_refuses_to_be_computed_again_with_another_mask(reentrant):
    options = {"use_reentrant": reentrant, "preserve_rng_state": False}
    with pytest.raises(RuntimeError, match="Dropout: a training call during a backward pass must"):
        gradients(two_layers(), lambda net, x: checkpointed(net, x, **options), 1, 1)


def test_a_plain_call_leaves_the_random_state_of_pytorch_alone():
    layer, x = bt.Dropout(seed=1), torch.ones(9, requires_grad=True)
    before = torch.get_rng_state()
    layer(x).sum().backward()
    assert torch.equal(torch.get_rng_state(), before)


def compiled(net, x):
    return torch.compile(net, backend="aot_eager", fullgraph=True)(x)


def compiled_checkpoint(net, x):
    checkpoint = torch.compile(checkpointed, backend="aot_eager", fullgraph=True)
    return checkpoint(net, x, use_reentrant=False)


@pytest.mark.parametrize("call", [compiled, compiled_checkpoint])
def test_a_compiled_layer_draws_the_masks_of_the_plain_one_and_is_compiled_once(call):
    torch.compiler.reset()
    expected, streams = gradients(two_layers(), lambda net, x: net(x), 6)
    with torch._dynamo.config.patch(error_on_recompile=True):
        actual, same = gradients(two_layers(), call, 6)
    assert same == streams == [12, 12]
    for a, b in zip(actual, expected, strict=True):
        torch.testing.assert_close(a, b)


def test_networks_with_other_seeds_share_what_is_compiled():
    torch.compiler.reset()
    with torch._dynamo.config.patch(error_on_recompile=True):
        for seed in range(3):
            layer, plain = (bt.Dropout(seed=seed, stream=2**64 - 2) for _ in range(2))
            apply = torch.compile(bt.Dropout.forward, backend="aot_eager", fullgraph=True)
            assert torch.equal(apply(layer, torch.ones(100)), plain(torch.ones(100)))
            assert layer.stream == plain.stream == 2**64 - 1


def test_a_layer_used_twice_in_a_graph_draws_two_masks():
    torch.compiler.reset()
    x = torch.ones(100)
    layer, plain = bt.Dropout(seed=1), bt.Dropout(seed=1)
    both = torch.compile(lambda: (layer(x), layer(x)), backend="aot_eager", fullgraph=True)
    for _ in range(2):
        for a, b in zip(both(), (plain(x), plain(x)), strict=True):
            assert torch.equal(a, b)


def test_the_operators_keep_the_rules_of_pytorch():
    key, token = torch.tensor([1, 2]), torch.tensor(5)
    x = torch.ones(3, 4, dtype=torch.float64).t().requires_grad_()
    torch.library.opcheck(torch.ops.bridle.dropout.default, (x, 0.5, key))
    taken = torch.ops.bridle.take_dropout_key(key, token)
    assert (taken.tolist(), key.tolist()) == ([1, 2], [1, 3])


def test_a_call_that_fails_takes_no_stream_where_it_is_compiled_either():
    torch.compiler.reset()
    layer = bt.Dropout(seed=1)
    with pytest.raises(TypeError, match=r"Dropout: tensors must be of type .*, got one of"):
        torch.compile(layer, backend="aot_eager")(torch.ones(3, dtype=torch.int64))
    assert layer.stream == 0


@pytest.mark.parametrize("dtype", [torch.int64, torch.bool, torch.complex64, torch.float8_e5m2])
def test_dropout_names_a_type_that_it_does_not_take(dtype):
    layer = bt.Dropout(0.5, seed=1)
    with pytest.raises(TypeError, match=f"Dropout: tensors must be of type .*, got one of {dtype}"):
        layer(torch.ones(3).to(dtype))
    assert layer.stream == 0


def test_a_resumed_network_goes_on_with_the_same_masks(tmp_path):
    def network(seed):
        return torch.nn.Sequential(bt.Dropout(0.5, seed=seed), torch.nn.ReLU(), bt.Dropout(seed=2))

    net, x = network(1), torch.ones(100)
    for _ in range(3):
        net(x)
    torch.save(net.state_dict(), tmp_path / "net.pt")
    others = [network(5), pickle.loads(pickle.dumps(net))]
    others[0].load_state_dict(torch.load(tmp_path / "net.pt", weights_only=True))
    for expected in [net(x) for _ in range(2)], [net(x) for _ in range(2)]:
        for other in others:
            assert all(torch.equal(other(x), value) for value in expected)


def test_the_layers_of_an_encoder_draw_masks_of_their_own():
    layer = torch.nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)
    layer.dropout, layer.dropout1 = bt.Dropout(0.5, seed=1), bt.Dropout(0.5, seed=2)
    net = torch.nn.TransformerEncoder(layer, num_layers=3, enable_nested_tensor=False)
    drops = [*(block.dropout for block in net.layers), *(block.dropout1 for block in net.layers)]
    masks = {tuple(drop(torch.ones(64)).tolist()) for drop in [*drops, layer.dropout]}
    assert len(masks) == 7
    assert {drop.seed for drop in drops} == {1, 2}


@pytest.mark.parametrize("value", [-1, 2**64, 1.5, np.ma.masked])
@pytest.mark.parametrize("name", ["seed", "stream"])
def test_seed_and_stream_are_checked_where_they_are_set(name, value):
    layer = bt.Dropout(seed=3, stream=4)
    with pytest.raises((TypeError, ValueError), match=f"Dropout: {name} "):
        setattr(layer, name, value)
    setattr(layer, name, np.uint64(2**64 - 1))
    assert getattr(layer, name) == 2**64 - 1


def test_a_state_without_a_number_of_copies_loads_and_pickles_are_of_plain_numbers():
    layer = bt.Dropout(seed=3, stream=4)
    copy.deepcopy(layer)
    layer.load_state_dict({"_extra_state": {"seed": 5, "stream": 6}})
    assert layer.get_extra_state() == {"seed": 5, "stream": 6, "copies": 1}
    assert layer.__getstate__().items() >= {"p": 0.5, "seed": 5, "stream": 6}.items()
