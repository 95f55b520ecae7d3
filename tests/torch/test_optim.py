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
    (
        lambda p: bt.ProxSGD(p, 1e-3, weight_decay=0.1, decay="coupled", maximize=True),
        lambda p: torch.optim.SGD(p, 1e-3, weight_decay=0.1, maximize=True),
    ),
    (
        lambda p: bt.ProxAdamW(p, 1e-3, maximize=True),
        lambda p: torch.optim.AdamW(p, 1e-3, maximize=True),
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
        (spoilt_gradient, TypeError, "must be of type float16, bfloat16 or float32, .* float64"),
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
        ({"amsgrad": True}, "amsgrad is not supported, got True"),
        ({"capturable": True}, "capturable must be False, got True"),
        ({"differentiable": True}, "differentiable must be False, got True"),
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


DECAYING = {
    torch.optim.SGD: (bt.ProxSGD, "coupled"),
    torch.optim.Adam: (bt.ProxAdamW, "coupled"),
    torch.optim.AdamW: (bt.ProxAdamW, "decoupled"),
}


@pytest.mark.parametrize("theirs", DECAYING)
@pytest.mark.parametrize("mine", ["coupled", "decoupled", "full"])
def test_weights_go_on_decaying_as_the_state_says(theirs, mine):
    kind, expected = DECAYING[theirs]
    a, b = with_gradient(1.0), with_gradient(1.0)
    optimizer = theirs([a], lr=0.1, weight_decay=0.5)
    optimizer.step()
    with torch.no_grad():
        b.copy_(a)
    ours = kind([b], lr=0.1, decay=mine)
    ours.load_state_dict(optimizer.state_dict())
    assert ours.param_groups[0]["decay"] == expected
    optimizer.step()
    ours.step()
    torch.testing.assert_close(a, b, rtol=1e-6, atol=0)
    own = kind([b], lr=0.1, decay=mine, weight_decay=0.25)
    other = kind([with_gradient(1.0)], lr=0.1)
    other.load_state_dict(own.state_dict())
    assert other.param_groups[0]["decay"] == mine


def test_without_a_decay_its_kind_stays_as_it_is():
    theirs = torch.optim.Adam([with_gradient(1.0)])
    ours = bt.ProxAdamW([with_gradient(1.0)], decay="full")
    ours.load_state_dict(theirs.state_dict())
    assert ours.param_groups[0]["decay"] == "full"


def test_options_that_a_state_does_not_have_keep_the_values_of_their_group():
    def groups():
        return [{"params": [with_gradient(1.0)], "l1": l1} for l1 in (0.25, 0.0)]

    plain = [{"params": group["params"]} for group in groups()]
    ours = bt.ProxAdamW(groups(), l1=5.0)
    options = [set(group) for group in ours.param_groups]
    ours.load_state_dict(torch.optim.AdamW(plain).state_dict())
    assert [group["l1"] for group in ours.param_groups] == [0.25, 0.0]
    assert [set(group) for group in ours.param_groups] == options


def of(optimizer, change=lambda state: None, **options):
    optimizer = optimizer([with_gradient(1.0)], **options)
    optimizer.step()
    state = copy.deepcopy(optimizer.state_dict())
    change(state)
    return state


def old_version(state):
    del state["param_groups"][0]["decoupled_weight_decay"]


def half_a_state(state):
    del state["state"][0]["exp_avg_sq"]


def another_shape(state):
    state["state"][0]["exp_avg"] = torch.ones(4)


@pytest.mark.parametrize(
    ("kind", "state", "message"),
    [
        (bt.ProxAdamW, of(torch.optim.SGD), "must be those of ProxAdamW or of torch.optim.Adam or"),
        (bt.ProxSGD, of(torch.optim.Adam), "must be those of ProxSGD or of torch.optim.SGD, got"),
        (bt.ProxSGD, of(bt.ProxAdamW), "must be those of ProxSGD or of torch.optim.SGD, got"),
        (bt.ProxAdamW, of(bt.ProxSGD), "must be those of ProxAdamW or of torch.optim.Adam or"),
        (bt.ProxAdamW, of(torch.optim.NAdam), "must be those of ProxAdamW"),
        (bt.ProxAdamW, of(torch.optim.RAdam), "must be those of ProxAdamW"),
        (bt.ProxAdamW, of(torch.optim.Adam, amsgrad=True), "amsgrad is not supported, got True"),
        (bt.ProxSGD, of(torch.optim.SGD, dampening=0.5), "dampening is not supported, got 0.5"),
        (bt.ProxAdamW, of(bt.ProxAdamW, another_shape), r"parameter, \(3,\), got \(4,\)"),
        (
            bt.ProxAdamW,
            of(torch.optim.AdamW, old_version),
            "must have decoupled_weight_decay or decay, as Adam and AdamW of old versions",
        ),
        (
            bt.ProxAdamW,
            of(bt.ProxAdamW, half_a_state),
            "must have step and exp_avg and exp_avg_sq, got ",
        ),
    ],
)
def test_a_state_that_does_not_fit_is_refused_and_changes_nothing(kind, state, message):
    optimizer = kind([with_gradient(1.0)], lr=0.1)
    optimizer.step()
    before = repr(optimizer.state_dict())
    with pytest.raises(ValueError, match=message):
        optimizer.load_state_dict(state)
    assert repr(optimizer.state_dict()) == before
    assert not optimizer._optimizer_load_state_dict_pre_hooks


def test_hooks_see_and_change_what_is_loaded():
    optimizer = bt.ProxAdamW([with_gradient(1.0, dtype=torch.bfloat16)], lr=0.1)
    optimizer.step()
    state = optimizer.state_dict()
    seen = []
    optimizer.register_load_state_dict_pre_hook(
        lambda _, loaded: loaded["param_groups"][0].update(lr=0.25)
    )
    optimizer.register_load_state_dict_post_hook(
        lambda o: seen.extend(
            value.dtype for value in next(iter(o.state.values())).values() if torch.is_tensor(value)
        )
    )
    optimizer.load_state_dict(state)
    assert optimizer.param_groups[0]["lr"] == 0.25
    assert seen == [torch.float32, torch.float32]


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


THROUGH = {
    "deepcopy": copy.deepcopy,
    "pickle": lambda optimizer: pickle.loads(pickle.dumps(optimizer)),
    "state_dict": lambda optimizer: optimizer.load_state_dict(optimizer.state_dict()) or optimizer,
}


@pytest.mark.parametrize("kind", THEIRS)
@pytest.mark.parametrize("through", THROUGH)
def test_copies_and_loaded_states_have_the_options_and_the_summary_they_had(kind, through):
    optimizer = kind([with_gradient(1.0)], lr=0.1, l1=0.5)
    optimizer.step()
    options, summary = set(optimizer.param_groups[0]), optimizer.last_summary
    other = THROUGH[through](optimizer)
    other.add_param_group({"params": [with_gradient(1.0)]})
    assert [set(group) for group in other.param_groups] == [options, options]
    assert other.last_summary == summary is not None


@pytest.mark.filterwarnings("ignore:torch.distributed is (disabled|unavailable)")
@pytest.mark.filterwarnings("ignore:TypedStorage is deprecated")  # which PyTorch 2.8 itself uses
@pytest.mark.parametrize("kind", THEIRS)
def test_a_distributed_checkpoint_loads_what_it_saved(kind, tmp_path):
    checkpoint = pytest.importorskip("torch.distributed.checkpoint")
    from torch.distributed.checkpoint import state_dict as states

    options = {"lr": 0.05, "l1": 1e-3} | ({"momentum": 0.9} if kind is bt.ProxSGD else {})
    net, again = model(), model()
    optimizer, resumed = kind(net.parameters(), **options), kind(again.parameters(), **options)
    train(net, optimizer, 3)
    # As in a run that was resumed before: what loading adds would be missing in the file.
    resumed.load_state_dict(optimizer.state_dict())
    for a, b in ((net, optimizer), (again, resumed)):
        parts = {"net": a.state_dict(), "optimizer": states.get_optimizer_state_dict(a, b)}
        if b is optimizer:
            checkpoint.save(parts, checkpoint_id=tmp_path / "saved", no_dist=True)
        checkpoint.load(parts, checkpoint_id=tmp_path / "saved", no_dist=True)
        states.set_optimizer_state_dict(a, b, parts["optimizer"])
        a.load_state_dict(parts["net"])
    for a, b in zip(train(net, optimizer, 3), train(again, resumed, 3), strict=True):
        assert torch.equal(a, b)


@pytest.mark.parametrize("kind", THEIRS)
@pytest.mark.parametrize("shape", [(), (1,), (1, 1)])
def test_numbers_may_be_tensors_of_one_element_of_any_shape(kind, shape):
    def tensor(value):
        return torch.full(shape, value, dtype=torch.float64, requires_grad=True)

    momentum = {"momentum": 0.5} if kind is bt.ProxSGD else {}
    options = {"lr": 0.25, "weight_decay": 0.5, "l1": 0.125, "l2": 0.25, **momentum}
    tensors = {name: tensor(value) for name, value in options.items()}
    if kind is bt.ProxAdamW:
        options |= {"betas": (0.5, 0.75), "eps": 0.5}
        tensors |= {"betas": (tensor(0.5), tensor(0.75)), "eps": tensor(0.5)}
    a, b = with_gradient(1.0), with_gradient(1.0)
    for w, given in ((a, options), (b, tensors)):
        optimizer = kind([w], **given)
        optimizer.step()
        optimizer.step()
    assert torch.equal(a, b)
    with pytest.raises(TypeError, match=r"lr must be a number, or a list, tuple or array"):
        kind([a], lr=torch.ones(2))


@pytest.mark.parametrize("kind", THEIRS)
def test_a_compiled_train_step_takes_the_steps_of_the_plain_one(kind):
    def weights(compiled):
        torch.compiler.reset()
        net = model()
        optimizer = kind(net.parameters(), lr=0.05, l1=1e-3)

        def step(x):
            optimizer.zero_grad()
            net(x).square().mean().backward()
            optimizer.step()

        if compiled:
            step = torch.compile(step, backend="eager")
        generator = torch.Generator().manual_seed(4)
        for _ in range(12):  # more than the eight times that a function is compiled
            step(torch.randn(11, 5, generator=generator, dtype=torch.float64))
        return [p.detach() for p in net.parameters()]

    with torch._dynamo.config.patch(error_on_recompile=True):
        for a, b in zip(weights(True), weights(False), strict=True):
            assert torch.equal(a, b)


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


@pytest.mark.parametrize("name", bt.__all__)
def test_the_examples_print_what_the_docstrings_say(name):
    examples = doctest.DocTestParser().get_doctest(getattr(bt, name).__doc__, {}, name, None, None)
    results = doctest.DocTestRunner().run(examples)
    assert results.attempted > 0
    assert results.failed == 0


@pytest.mark.parametrize("kind", THEIRS)
def test_a_compiled_step_of_training_is_that_of_a_plain_one_and_is_compiled_once(kind):
    def trained(through):
        net = model(torch.bfloat16)
        optimizer = kind(net.parameters(), lr=0.1, l1=1e-3, master_weights=True)
        schedule = torch.optim.lr_scheduler.ExponentialLR(optimizer, 0.5)

        @through
        def step(x):
            optimizer.zero_grad()
            net(x).square().mean().backward()
            bt.clip_grad_norm_(net.parameters(), 0.1, optimizer=optimizer)
            optimizer.step(grad_scale=0.5)

        for i in range(4):
            step(torch.ones(3, 5, dtype=torch.bfloat16))
            schedule.step()
            if i == 0:
                torch.compiler.set_stance("fail_on_recompile")
        torch.compiler.set_stance("default")
        return [p.detach() for p in net.parameters()]

    torch.compiler.reset()
    compiled = trained(torch.compile(backend="aot_eager"))
    for a, b in zip(compiled, trained(lambda step: step), strict=True):
        assert torch.equal(a, b)


@pytest.mark.parametrize("kind", THEIRS)
def test_a_state_is_saved_before_the_first_step_that_is_the_one_it_begins_with(kind):
    options = {"momentum": 0.9} if kind is bt.ProxSGD else {}
    w, frozen = with_gradient(1.0), torch.ones(2)
    optimizer = kind([w, frozen], **options)
    assert set(optimizer.state) == {w}  # tools look there whether a step must make it
    names = set(optimizer.state[w]) - {"step"}
    assert all(optimizer.state[w][name] is None for name in names)  # and takes no memory yet
    state = optimizer.state_dict()["state"][0]
    assert state.keys() == {"step", *names} > {"step"}
    assert state["step"] == 0
    assert all(state[name].shape == w.shape and not state[name].any() for name in names)
    optimizer.step()
    assert optimizer.state[w]["step"] == 1
    assert all(optimizer.state[w][name] is state[name] for name in names)
    optimizer.load_state_dict({**optimizer.state_dict(), "state": {}})
    assert set(optimizer.state[w]) == {"step", *names}


@pytest.mark.parametrize("kind", THEIRS)
@pytest.mark.parametrize("use", [lambda o: o.step(), lambda o: o.state_dict()])
def test_parameters_that_others_put_in_place_of_these_have_the_state(kind, use):
    """As tools do that shard or offload a model after the optimizer was made."""
    w, other = with_gradient(1.0), with_gradient(2.0)
    optimizer = kind([w], momentum=0.9) if kind is bt.ProxSGD else kind([w])
    optimizer.param_groups[0]["params"] = [other]
    use(optimizer)
    assert set(optimizer.state) == {other}
    optimizer.step()
    assert len(optimizer.state_dict()["state"]) == 1
    assert w.tolist() == [1.0] * 3


@pytest.mark.parametrize("kind", THEIRS)
def test_the_type_of_a_parameter_may_change_before_the_first_step(kind):
    options = {"momentum": 0.9} if kind is bt.ProxSGD else {}
    net = model(torch.float32)
    optimizer = kind(net.parameters(), **options, master_weights=True)
    for dtype, master in ((torch.float64, False), (torch.bfloat16, True)):
        net.to(dtype)
        other = copy.deepcopy(optimizer)
        (first, *_) = other.param_groups[0]["params"]
        first.grad = torch.ones_like(first)
        other.step()
        assert ("master" in other.state[first]) == master


@pytest.mark.filterwarnings("ignore:torch.distributed is (disabled|unavailable)")
@pytest.mark.filterwarnings("ignore:TypedStorage is deprecated")  # which PyTorch 2.8 itself uses
@pytest.mark.parametrize("kind", THEIRS)
def test_tools_that_save_a_state_take_no_step(kind):
    """They would take one with zeros for gradients and a learning rate of zero."""
    states = pytest.importorskip("torch.distributed.checkpoint.state_dict")
    net = model(torch.bfloat16)
    before = copy.deepcopy(net.state_dict())
    options = {"weight_decay": 0.5, "decay": "full", "l1": 0.5, "master_weights": True}
    optimizer = kind(net.parameters(), **options)
    saved = states.get_optimizer_state_dict(net, optimizer)
    states.set_optimizer_state_dict(net, optimizer, saved)
    assert {state["step"] for state in saved["state"].values()} == {0}
    assert optimizer.last_summary is None
    for name, value in net.state_dict().items():
        assert torch.equal(value, before[name])
