"""The adapters to PyTorch: optimizers that leave exact zeros, and dropout without a stored mask."""

import copy
import doctest

import numpy as np
import pytest

torch = pytest.importorskip("torch")

import bridle as br  # noqa: E402
import bridle.torch as bt  # noqa: E402


def model(dtype=torch.float64):
    torch.manual_seed(3)
    layers = torch.nn.Linear(5, 7), torch.nn.Tanh(), torch.nn.Linear(7, 2)
    return torch.nn.Sequential(*layers).to(dtype)


def train(net, optimizer, steps=20, dtype=torch.float64):
    generator = torch.Generator().manual_seed(4)
    for _ in range(steps):
        x = torch.randn(11, 5, generator=generator, dtype=torch.float64).to(dtype)
        optimizer.zero_grad()
        net(x).square().mean().backward()
        optimizer.step()
    return [p.detach().clone() for p in net.parameters()]


PAIRS = [
    (lambda p: bt.ProxSGD(p, 0.1), lambda p: torch.optim.SGD(p, 0.1)),
    (
        lambda p: bt.ProxSGD(p, 0.1, momentum=0.9, weight_decay=0.01, decay="coupled"),
        lambda p: torch.optim.SGD(p, 0.1, momentum=0.9, weight_decay=0.01),
    ),
    (
        lambda p: bt.ProxSGD(p, 0.1, momentum=0.9, nesterov=True),
        lambda p: torch.optim.SGD(p, 0.1, momentum=0.9, nesterov=True),
    ),
    (lambda p: bt.ProxAdamW(p, 0.01), lambda p: torch.optim.AdamW(p, 0.01)),
    (
        lambda p: bt.ProxAdamW(p, 0.01, (0.8, 0.95), 1e-6, 0.1, decay="coupled"),
        lambda p: torch.optim.Adam(p, 0.01, (0.8, 0.95), 1e-6, 0.1),
    ),
]


@pytest.mark.parametrize(("ours", "theirs"), PAIRS)
def test_without_penalties_the_steps_are_those_of_pytorch(ours, theirs):
    nets = model(), model()
    actual = train(nets[0], ours(nets[0].parameters()))
    expected = train(nets[1], theirs(nets[1].parameters()))
    for a, b in zip(actual, expected, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-11, atol=1e-13)


@pytest.mark.parametrize("kind", [bt.ProxSGD, bt.ProxAdamW])
def test_an_l1_penalty_makes_exact_zeros_and_the_summary_counts_the_rest(kind):
    net = model()
    optimizer = kind(net.parameters(), lr=0.05, l1=0.05)
    weights = train(net, optimizer, 200)
    nonzeros = sum(int(torch.count_nonzero(w)) for w in weights)
    assert nonzeros < sum(w.numel() for w in weights) / 2
    penalty = sum(float(br.l1_penalty(w.numpy(), 0.05)) for w in weights)
    assert optimizer.last_summary.nonzeros == nonzeros
    assert optimizer.last_summary.penalty == pytest.approx(penalty, rel=1e-14)
    assert optimizer.last_summary.finite


def test_groups_have_options_of_their_own():
    net = model()
    exempt = [p for p in net.parameters() if p.ndim == 1]
    others = [p for p in net.parameters() if p.ndim > 1]
    groups = [{"params": others}, {"params": exempt, "l1": 0.0, "weight_decay": 0.0}]
    optimizer = bt.ProxAdamW(groups, lr=0.05, l1=10.0)
    train(net, optimizer, 50)
    assert all(not p.any() for p in others)
    assert all(p.all() for p in exempt)


@pytest.mark.parametrize("kind", [bt.ProxSGD, bt.ProxAdamW])
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16, torch.float16])
def test_a_saved_optimizer_goes_on_bit_for_bit(kind, dtype, tmp_path):
    options = {"lr": 0.05, "l1": 1e-3} | ({"momentum": 0.9} if kind is bt.ProxSGD else {})
    net = model(dtype)
    optimizer = kind(net.parameters(), **options)
    train(net, optimizer, 3, dtype)
    torch.save([net.state_dict(), optimizer.state_dict()], tmp_path / "state.pt")
    expected = train(net, optimizer, 3, dtype)
    again = model(dtype)
    resumed = kind(again.parameters(), **options)
    weights, state = torch.load(tmp_path / "state.pt")
    again.load_state_dict(weights)
    resumed.load_state_dict(state)
    for a, b in zip(train(again, resumed, 3, dtype), expected, strict=True):
        assert torch.equal(a, b)


def test_tensors_are_written_in_place_and_autograd_notices():
    w = torch.ones(3, requires_grad=True)
    place, version = w.data_ptr(), w._version
    loss = (w * w).sum()
    w.grad = torch.ones(3)
    bt.ProxSGD([w], lr=0.5).step()
    assert w.data_ptr() == place
    assert w._version > version
    assert w.tolist() == [0.5, 0.5, 0.5]
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        loss.backward()


def test_parameters_without_a_gradient_stay_as_they_are():
    w, other = torch.ones(2, requires_grad=True), torch.ones(2, requires_grad=True)
    optimizer = bt.ProxAdamW([w, other], lr=0.5)
    w.grad = torch.ones(2)
    optimizer.step()
    assert other.tolist() == [1.0, 1.0]
    other.grad = torch.ones(2)
    optimizer.step()
    assert optimizer.state[w]["step"] == 2
    assert optimizer.state[other]["step"] == 1


def test_a_closure_is_evaluated_with_gradients():
    w = torch.ones(2, requires_grad=True)
    optimizer = bt.ProxSGD([w], lr=0.25)

    def closure():
        optimizer.zero_grad()
        loss = w.sum()
        loss.backward()
        return loss

    assert optimizer.step(closure).item() == 2.0
    assert w.tolist() == [0.75, 0.75]


def test_tensors_elsewhere_are_refused_before_anything_is_written():
    w, far = torch.ones(2, requires_grad=True), torch.ones(2, device="meta", requires_grad=True)
    w.grad, far.grad = torch.ones(2), torch.ones(2, device="meta")
    with pytest.raises(ValueError, match="ProxSGD: tensors must be on the CPU, got one on meta"):
        bt.ProxSGD([w, far]).step()
    assert w.tolist() == [1.0, 1.0]
    with pytest.raises(ValueError, match="Dropout: tensors must be on the CPU, got one on meta"):
        bt.Dropout(seed=1)(far)
    sparse = torch.ones(2, requires_grad=True)
    sparse.grad = torch.ones(2).to_sparse()
    with pytest.raises(ValueError, match="ProxAdamW: tensors must be dense, got one of layout"):
        bt.ProxAdamW([sparse]).step()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"lr": -1.0}, "adamw_update: lr must be >= 0, got -1.0"),
        ({"l1": -1.0}, "adamw_update: l1 must be >= 0, got -1.0"),
        ({"betas": (1.0, 0.9)}, "must be >= 0 and < 1, got 1.0"),
        ({"decay": "none"}, "adamw_update: decay must be"),
        ({"lr": 3.0, "weight_decay": 1.0}, "the rate of the decay must be between 0 and 1"),
    ],
)
def test_bad_options_are_refused_at_construction(options, message):
    with pytest.raises(ValueError, match=message):
        bt.ProxAdamW([torch.ones(1, requires_grad=True)], **options)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16, torch.float16])
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


def test_the_examples_print_what_the_docstrings_say():
    assert not doctest.testmod(bt).failed
