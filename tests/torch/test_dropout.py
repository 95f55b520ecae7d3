"""Dropout for PyTorch: the decisions of `bridle.dropout`, and no stored mask."""

import copy
import pickle
import shutil
from functools import partial

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


@pytest.mark.filterwarnings("ignore:.*torch.jit")
def test_second_derivatives_of_the_operations_of_many_examples():
    x = torch.randn(5, dtype=torch.float64)
    kept = torch.from_numpy(br.dropout_mask((5,), 0.5, seed=1)).double()
    cubes = lambda value: bt.Dropout(0.5, seed=1)(value).pow(3).sum()  # noqa: E731
    assert torch.equal(torch.func.hessian(cubes)(x), torch.diag(6 * 8 * kept * x))
    rows = torch.func.vmap(torch.func.grad(cubes), randomness="same")(x.expand(3, 5))
    assert torch.equal(rows, (3 * 8 * kept * x**2).expand(3, 5))


@pytest.mark.parametrize("gradients", [False, True])
def test_examples_of_vmap_have_the_mask_of_one(gradients):
    x = torch.randn(2, 5, 3, 4)
    layer = bt.Dropout(seed=1)
    of_one = torch.func.vmap(layer, in_dims=1, out_dims=1, randomness="same")
    with torch.set_grad_enabled(gradients):
        actual = torch.func.vmap(of_one, in_dims=2, randomness="same")(x)
    kept = torch.from_numpy(br.dropout_mask((2, 4), 0.5, seed=1))
    expected = torch.where(kept[:, None, None, :], 2 * x, 0).movedim(2, 0)
    assert torch.equal(actual, expected)
    assert layer.stream == 1


@pytest.mark.parametrize("gradients", [False, True])
@pytest.mark.parametrize("randomness", ["error", "different"])
def test_vmap_must_be_told_that_examples_share_a_mask(randomness, gradients):
    layer = bt.Dropout(seed=1)
    call = torch.func.vmap(layer, randomness=randomness)
    message = f"Dropout: randomness of vmap .*, got '{randomness}'"
    with torch.set_grad_enabled(gradients), pytest.raises(ValueError, match=message):
        call(torch.ones(3, 4))
    assert layer.stream == 0


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


class Seeded(torch.nn.Module):
    """A block that sets PyTorch's random state, as those do that draw the same noise each time."""

    def __init__(self, layer):
        super().__init__()
        self.layer = layer

    def forward(self, x):
        torch.manual_seed(0)
        return self.layer(x).square()


@pytest.mark.parametrize("reentrant", [False, True])
def test_layers_that_meet_the_same_random_state_are_told_apart(reentrant):
    def gradient(call):
        first = bt.Dropout(seed=1)
        blocks = [Seeded(layer) for layer in (first, bt.Dropout(seed=2), copy.deepcopy(first))]
        for _ in range(3):  # and so are the steps
            x = torch.linspace(1, 2, 100, dtype=torch.float64, requires_grad=True)
            y = x
            for block in blocks:
                y = call(block, y)
            y.sum().backward()
        return x.grad

    expected = gradient(lambda block, x: block(x))
    actual = gradient(lambda block, x: checkpointed(block, x, use_reentrant=reentrant))
    assert torch.equal(actual, expected)


@pytest.mark.parametrize("reentrant", [False, True])
def test_calls_of_a_layer_that_cannot_be_told_apart_are_not_made_again(reentrant):
    block, x = Seeded(bt.Dropout(seed=1)), torch.ones(9, requires_grad=True)
    results = [checkpointed(block, x, use_reentrant=reentrant) for _ in range(2)]
    with pytest.raises(RuntimeError, match=r"Dropout: calls of a layer .* cannot be told apart"):
        sum(results).sum().backward()


def test_a_plain_call_leaves_the_random_state_of_pytorch_alone():
    layer, x = bt.Dropout(seed=1), torch.ones(9, requires_grad=True)
    before = torch.get_rng_state()
    layer(x).sum().backward()
    assert torch.equal(torch.get_rng_state(), before)


def compiled(net, x, backend):
    return torch.compile(net, backend=backend, fullgraph=True)(x)


def compiled_checkpoint(net, x, backend):
    checkpoint = torch.compile(checkpointed, backend=backend, fullgraph=True)
    return checkpoint(net, x, use_reentrant=False)


def checkpoint_of_what_is_compiled(net, x, backend, reentrant=False):
    whole = torch.compile(net, backend=backend, fullgraph=True)
    return checkpointed(whole, x, use_reentrant=reentrant)


@pytest.mark.filterwarnings("ignore:.*torch.jit")  # by inductor
@pytest.mark.parametrize("backend", ["aot_eager", "inductor"])
@pytest.mark.parametrize("call", [compiled, compiled_checkpoint, checkpoint_of_what_is_compiled])
def test_a_compiled_layer_draws_the_masks_of_the_plain_one_and_is_compiled_once(call, backend):
    if backend == "inductor" and not shutil.which("g++"):
        pytest.skip("there is no g++")
    torch.compiler.reset()
    expected, streams = gradients(two_layers(), lambda net, x: net(x), 6)
    with torch._dynamo.config.patch(error_on_recompile=True):
        actual, same = gradients(two_layers(), lambda net, x: call(net, x, backend), 6)
    assert same == streams == [12, 12]
    for a, b in zip(actual, expected, strict=True):
        torch.testing.assert_close(a, b)


def test_training_evaluation_and_another_p_need_one_graph_each_at_most():
    torch.compiler.reset()
    torch._dynamo.utils.counters.clear()
    layer, plain, x = bt.Dropout(seed=1), bt.Dropout(seed=1), torch.ones(50)
    call = torch.compile(layer, backend="aot_eager", fullgraph=True)
    stance = "default"
    for step in range(6):
        for training in (True, False):
            layer.train(training)
            plain.train(training)
            layer.p = plain.p = step / 10
            with torch.compiler.set_stance(stance):
                assert torch.equal(call(x), plain(x))
        stance = "fail_on_recompile"
    assert torch._dynamo.utils.counters["stats"]["unique_graphs"] <= 2
    assert not torch._dynamo.utils.counters["graph_break"]


def test_a_graph_of_any_length_draws_the_masks_of_each():
    torch.compiler.reset()
    layer, plain = bt.Dropout(seed=1), bt.Dropout(seed=1)
    call = torch.compile(layer, backend="aot_eager", fullgraph=True, dynamic=True)
    with torch._dynamo.config.patch(error_on_recompile=True):
        for length in (5, 50, 77):
            x = torch.ones(3, length)
            assert torch.equal(call(x), plain(x))


def test_networks_with_other_seeds_share_what_is_compiled():
    torch.compiler.reset()
    with torch._dynamo.config.patch(error_on_recompile=True):
        for seed in range(3):
            layer, plain = (bt.Dropout(seed=seed, stream=2**64 - 2) for _ in range(2))
            apply = torch.compile(bt.Dropout.forward, backend="aot_eager", fullgraph=True)
            assert torch.equal(apply(layer, torch.ones(100)), plain(torch.ones(100)))
            assert layer.stream == plain.stream == 2**64 - 1


def test_a_compiled_layer_has_the_same_mask_in_the_two_graphs_of_a_reentrant_checkpoint():
    torch.compiler.reset()
    expected, streams = gradients(two_layers(), lambda net, x: net(x))
    call = partial(checkpoint_of_what_is_compiled, backend="aot_eager", reentrant=True)
    actual, same = gradients(two_layers(), call)
    assert same == streams
    for a, b in zip(actual, expected, strict=True):
        torch.testing.assert_close(a, b)


@pytest.mark.filterwarnings("ignore")  # by dynamo, of what it meets beside its graphs
@pytest.mark.parametrize("transform", [torch.func.vmap, torch.func.grad])
def test_transformations_that_are_compiled_leave_the_layer_beside_their_graphs(transform):
    torch.compiler.reset()
    options = {"randomness": "same"} if transform is torch.func.vmap else {}
    layer, plain, x = bt.Dropout(seed=1), bt.Dropout(seed=1), torch.randn(3, 20)
    call, expected = (
        transform(lambda value, drop=drop: drop(value).square().sum(), **options)
        for drop in (layer, plain)
    )
    assert torch.equal(torch.compile(call, backend="aot_eager")(x), expected(x))
    torch.compiler.reset()
    with pytest.raises(torch._dynamo.exc.Unsupported):
        torch.compile(call, backend="aot_eager", fullgraph=True)(x)


def test_a_layer_used_twice_in_a_graph_draws_two_masks():
    torch.compiler.reset()
    x = torch.ones(100)
    layer, plain = bt.Dropout(seed=1), bt.Dropout(seed=1)
    both = torch.compile(lambda: (layer(x), layer(x)), backend="aot_eager", fullgraph=True)
    for _ in range(2):
        for a, b in zip(both(), (plain(x), plain(x)), strict=True):
            assert torch.equal(a, b)


@pytest.mark.parametrize("block", [(), ([8, 8], [4, 5])])
@pytest.mark.parametrize("dtype", DTYPES)
def test_the_operators_keep_the_rules_of_pytorch(dtype, block):
    layer = bt.Dropout(seed=1, stream=2)
    x = torch.ones(3, 4, dtype=dtype).t().requires_grad_(dtype == torch.float64)
    key = torch.from_numpy(layer._key)
    if not block:
        assert torch.equal(torch.ops.bridle.dropout(x, key), bt.Dropout(seed=1, stream=2)(x))
    torch.library.opcheck(torch.ops.bridle.dropout.default, (x, key, *block))
    taken = torch.ops.bridle.take_dropout_key(key, torch.tensor(5))
    assert (taken - key).tolist() == [0, -1, 0, 0]
    assert layer.stream == 3


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


@pytest.mark.parametrize("value", [-1, 1.5, np.nan, np.ma.masked])
def test_p_is_checked_where_it_is_set(value):
    layer = bt.Dropout(0.25, seed=3)
    with pytest.raises((TypeError, ValueError), match="Dropout: p "):
        layer.p = value
    layer.p = 0.75
    assert (layer.p, copy.deepcopy(layer).p, pickle.loads(pickle.dumps(layer)).p) == (0.75,) * 3


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
