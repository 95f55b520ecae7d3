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


@pytest.mark.parametrize("reentrant", [False, True])
def test_dropout_refuses_to_be_computed_again_with_another_mask(reentrant):
    layer, x = bt.Dropout(0.5, seed=1), torch.ones(50, requires_grad=True)
    result = torch.utils.checkpoint.checkpoint(
        lambda value: layer(value) * value, x, use_reentrant=reentrant
    )
    with pytest.raises(RuntimeError, match="Dropout: a training call must not happen during a"):
        result.sum().backward()


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
    others = [network(5), copy.deepcopy(net), pickle.loads(pickle.dumps(net))]
    others[0].load_state_dict(torch.load(tmp_path / "net.pt", weights_only=True))
    for expected in [net(x) for _ in range(2)], [net(x) for _ in range(2)]:
        for other in others:
            assert all(torch.equal(other(x), value) for value in expected)
