"""The optimizers for PyTorch: the steps of its own, with exact zeros."""

import copy
import doctest
import itertools
import pickle

import pytest

torch = pytest.importorskip("torch")

# Behind the line that skips all of this, as bridle.torch needs PyTorch.
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


@pytest.mark.parametrize(("ours", "theirs"), PAIRS)
@pytest.mark.parametrize(("dtype", "rtol"), [(torch.float64, 1e-13), (torch.float32, 1e-5)])
def test_a_thousand_steps_along_given_gradients_agree_to_rounding(ours, theirs, dtype, rtol):
    generator = torch.Generator().manual_seed(5)
    draws = torch.randn(1001, 200, generator=generator, dtype=torch.float64).to(dtype)
    a, b = (torch.nn.Parameter(draws[0].clone()) for _ in range(2))
    optimizers = ours([a]), theirs([b])
    for draw in draws[1:]:
        gradient = draw + 0.3 * a.detach()
        for parameter, optimizer in zip((a, b), optimizers, strict=True):
            parameter.grad = gradient.clone()
            optimizer.step()
    assert (a - b).detach().abs().max() <= rtol * b.detach().abs().max()


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
        ({"lr": 3.0, "weight_decay": 1.0}, r"lr \* weight_decay must be between 0 and 1"),
    ],
)
def test_bad_options_are_refused_at_construction(options, message):
    with pytest.raises(ValueError, match=message):
        bt.ProxAdamW([torch.ones(1, requires_grad=True)], **options)


def with_gradient(value, gradient=None, dtype=torch.float32):
    w = torch.nn.Parameter(torch.full((3,), value, dtype=dtype))
    w.grad = torch.ones(3, dtype=dtype) if gradient is None else gradient
    return w


def spoilt_options(optimizer):
    optimizer.param_groups[1]["lr"] = -1.0


def spoilt_type(optimizer):
    optimizer.param_groups[1]["params"][0] = with_gradient(1.0, dtype=torch.complex64)


def spoilt_layout(optimizer):
    optimizer.param_groups[1]["params"][0].grad = torch.ones(3).to_sparse()


def spoilt_gradient(optimizer):
    w = optimizer.param_groups[1]["params"][0]
    w.grad, w.grad_dtype = None, torch.float64
    w.grad = torch.ones(3, dtype=torch.float64)


def spoilt_state(optimizer):
    w = optimizer.param_groups[1]["params"][0]
    optimizer.state[w] |= {"momentum_buffer": torch.ones(4), "exp_avg": torch.ones(4)}


@pytest.mark.parametrize("kind", [bt.ProxSGD, bt.ProxAdamW])
@pytest.mark.parametrize(
    ("spoil", "error", "message"),
    [
        (spoilt_options, ValueError, "lr must be >= 0, got -1.0"),
        (spoilt_type, TypeError, "tensors must be of type .*, got one of torch.complex64"),
        (spoilt_layout, ValueError, "tensors must be dense, got one of layout torch.sparse_coo"),
        (spoilt_gradient, TypeError, "must be of torch.float32, got torch.float64"),
        (spoilt_state, ValueError, r"must have the shape of its parameter, \(3,\), got \(4,\)"),
    ],
)
def test_an_error_in_a_later_group_leaves_the_earlier_ones_as_they_were(
    kind, spoil, error, message
):
    if spoil is spoilt_gradient and not hasattr(torch.Tensor, "grad_dtype"):
        pytest.skip("this PyTorch has no gradients of another type")
    first, options = with_gradient(1.0), {"momentum": 0.9} if kind is bt.ProxSGD else {}
    groups = [{"params": [first]}, {"params": [with_gradient(1.0)]}]
    optimizer = kind(groups, lr=0.1, **options)
    spoil(optimizer)
    with pytest.raises(error, match=message):
        optimizer.step()
    assert first.tolist() == [1.0, 1.0, 1.0]
    assert optimizer.last_summary is None


@pytest.mark.parametrize("kind", [bt.ProxSGD, bt.ProxAdamW])
@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"lr": -1.0}, "lr must be >= 0, got -1.0"),
        ({"maximize": True}, "maximize is not supported, got True"),
    ],
)
def test_a_group_is_checked_when_it_is_added(kind, options, message):
    optimizer = kind([with_gradient(1.0)], lr=0.1)
    with pytest.raises(ValueError, match=message):
        optimizer.add_param_group({"params": [with_gradient(2.0)], **options})
    assert len(optimizer.param_groups) == 1
    other = with_gradient(2.0)
    optimizer.add_param_group({"params": [other], "lr": 0.0, "l1": 0.5, "weight_decay": 0.0})
    optimizer.step()
    assert optimizer.last_summary == (3.0, 6, True)


THEIRS = {bt.ProxSGD: torch.optim.SGD, bt.ProxAdamW: torch.optim.AdamW}


@pytest.mark.parametrize("kind", THEIRS)
def test_the_state_of_an_optimizer_of_pytorch_may_be_loaded(kind):
    options = {"lr": 0.1, "weight_decay": 0.0} | (
        {"momentum": 0.9} if kind is bt.ProxSGD else {"betas": (0.8, 0.9)}
    )
    a, b = with_gradient(1.0), with_gradient(1.0)
    theirs = THEIRS[kind]([a], **options)
    theirs.step()
    with torch.no_grad():
        b.copy_(a)
    ours = kind([b], lr=5.0, l1=0.25)
    ours.load_state_dict(theirs.state_dict())
    assert ours.param_groups[0]["l1"] == 0.25
    ours.param_groups[0]["l1"] = 0.0
    theirs.step()
    ours.step()
    torch.testing.assert_close(a, b, rtol=1e-6, atol=0)
    torch.testing.assert_close(a.grad, b.grad)


@pytest.mark.parametrize("kind", [bt.ProxSGD, bt.ProxAdamW])
def test_a_state_takes_the_type_of_its_parameter(kind):
    options = {"lr": 0.1} | ({"momentum": 0.9} if kind is bt.ProxSGD else {})
    wide = kind([with_gradient(1.0, dtype=torch.float64)], **options)
    wide.step()
    for dtype, expected in ((torch.float32, torch.float32), (torch.bfloat16, torch.float32)):
        w = with_gradient(1.0, dtype=dtype)
        narrow = kind([w], **options)
        narrow.load_state_dict(wide.state_dict())
        narrow.step()
        tensors = [value for value in narrow.state[w].values() if isinstance(value, torch.Tensor)]
        assert {value.dtype for value in tensors} == {expected}


@pytest.mark.parametrize("again", [copy.deepcopy, lambda o: pickle.loads(pickle.dumps(o))])
def test_copies_of_an_optimizer_go_on_alike(again):
    w = with_gradient(1.0)
    optimizer = bt.ProxAdamW([w], lr=0.1, l1=0.01)
    optimizer.step()
    other = again(optimizer)
    (copied,) = other.param_groups[0]["params"]
    copied.grad = w.grad.clone()
    optimizer.step()
    other.step()
    assert torch.equal(w, copied)
    assert other.last_summary == optimizer.last_summary


def test_schedulers_hooks_clipping_and_scaling_work_as_with_other_optimizers():
    nets, called = (model(), model()), []
    optimizers = (
        bt.ProxAdamW(nets[0].parameters(), lr=0.01),
        torch.optim.AdamW(nets[1].parameters(), lr=0.01),
    )
    optimizers[0].register_step_pre_hook(lambda *_: called.append("pre"))
    optimizers[0].register_step_post_hook(lambda *_: called.append("post"))
    x = torch.randn(11, 5, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    for net, optimizer in zip(nets, optimizers, strict=True):
        scheduler = torch.optim.lr_scheduler.OneCycleLR(optimizer, 0.1, total_steps=10)
        scaler = torch.amp.GradScaler("cpu")
        for _ in range(9):
            optimizer.zero_grad(set_to_none=False)
            scaler.scale(net(x).square().mean()).backward()
            scaler.unscale_(optimizer)
            torch.nn.utils.clip_grad_norm_(net.parameters(), 0.1)
            scaler.step(optimizer)
            scaler.update()
            scheduler.step()
    for a, b in zip(nets[0].parameters(), nets[1].parameters(), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-11, atol=1e-13)
    assert called == ["pre", "post"] * 9


@pytest.mark.parametrize("kind", [bt.ProxSGD, bt.ProxAdamW])
def test_any_memory_layout_gives_the_same(kind):
    values = torch.randn(4, 6, generator=torch.Generator().manual_seed(2))
    layouts = (
        lambda t: t.clone(),
        lambda t: t.t().contiguous().t(),
        lambda t: t.repeat_interleave(2, 0)[::2],
    )
    results = []
    for of_weights, of_gradients in itertools.product(layouts, layouts):
        w = torch.nn.Parameter(of_weights(values[:2]))
        w.grad = of_gradients(values[2:])
        optimizer = kind([w], lr=0.1, l1=0.01, weight_decay=0.1)
        for _ in range(3):
            optimizer.step()
        results.append(w.detach().clone())
    assert all(torch.equal(result, results[0]) for result in results)


def test_the_examples_print_what_the_docstrings_say():
    assert not doctest.testmod(bt).failed
