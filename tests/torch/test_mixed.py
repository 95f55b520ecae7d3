"""Half parameters: masters beside them, stochastic rounding; and scales of the gradients."""

import copy

import numpy as np
import pytest

torch = pytest.importorskip("torch")

# Behind the line that skips all of this, as bridle.torch needs PyTorch.
import bridle as br  # noqa: E402
import bridle.torch as bt  # noqa: E402
from bridle._updates.functions import adamw_update, sgd_update  # noqa: E402

KINDS = {bt.ProxSGD: {"momentum": 0.9}, bt.ProxAdamW: {}}
HALVES = [torch.bfloat16, torch.float16]
SHAPES = ((3, 50), (), (7,), (40, 4))
HOW = {"l1": 0.01, "weight_decay": 0.1}


@pytest.fixture(params=KINDS)
def kind(request):
    return request.param


def array(tensor):
    if tensor.dtype == torch.bfloat16:
        return tensor.detach().view(torch.int16).numpy().view("bfloat16")
    return tensor.detach().numpy()


def parameters(*dtypes):
    """Return a parameter of each shape, of these types in turn."""
    generator = torch.Generator().manual_seed(1)
    drawn = [torch.randn(shape, generator=generator) for shape in SHAPES]
    return [torch.nn.Parameter(x.to(dtypes[i % len(dtypes)])) for i, x in enumerate(drawn)]


def draw_gradients(params, step, among=None):
    generator = torch.Generator().manual_seed(100 + step)
    for i, parameter in enumerate(params):
        gradient = torch.randn(parameter.shape, generator=generator).to(parameter.dtype)
        parameter.grad = gradient if among is None or i in among else None


def by_function(kind, weights, gradients, state, step, **keywords):
    """Take the step of an optimizer by the function for arrays."""
    if kind is bt.ProxSGD:
        return sgd_update(
            weights, gradients, 0.05, momentum=0.9, momentum_buffer=state[0], **HOW, **keywords
        )
    return adamw_update(weights, gradients, *state, 0.05, step, **HOW, **keywords)


@pytest.mark.parametrize("half", HALVES)
@pytest.mark.parametrize("rounding", ["nearest", "stochastic"])
def test_masters_are_stepped_and_copied_to_the_parameters(kind, half, rounding):
    params = parameters(half)
    options = {"rounding": rounding, "seed": 5, **KINDS[kind], **HOW}
    optimizer = kind(params, 0.05, master_weights=True, **options)
    masters = [array(p.detach().float()) for p in params]
    state = [[np.zeros_like(m) for m in masters] for _ in range(2)]
    copies = [array(p.detach().clone()) for p in params]
    random = {"rounding": "stochastic", "seed": 5} if rounding == "stochastic" else {}
    for step in range(1, 5):
        draw_gradients(params, step)
        summary = by_function(
            kind,
            masters,
            [array(p.grad) for p in params],
            state,
            step,
            copy_out=copies,
            grad_scale=0.5,
            **random | ({"stream": step} if random else {}),
        )
        optimizer.step(grad_scale=0.5)
        assert optimizer.last_summary == summary
    for p, master, expected in zip(params, masters, copies, strict=True):
        assert array(optimizer.state[p]["master"]).tobytes() == master.tobytes()
        assert array(p).tobytes() == expected.tobytes()
        moments = {v.dtype for v in optimizer.state[p].values() if isinstance(v, torch.Tensor)}
        assert moments == {torch.float32}


@pytest.mark.parametrize("half", HALVES)
def test_without_masters_halves_are_rounded_at_random_where_that_is_asked_for(kind, half):
    """Positions count through all parameters, whatever their types and whoever has a gradient."""
    params = parameters(half, torch.float32)
    optimizer = kind(params, 0.05, rounding="stochastic", seed=5, **KINDS[kind], **HOW)
    flat = np.cumsum([0, *(p.numel() for p in params)])
    optimizer.state_dict()  # which makes the state
    for among in ({0, 1, 2}, {2}, {0, 2, 3}):
        before = [array(p.detach().clone()) for p in params]
        saved = [copy.deepcopy(optimizer.state[p]) for p in params]
        draw_gradients(params, len(among), among)
        optimizer.step()
        for i in among:
            step = saved[i]["step"] + 1
            names = ["momentum_buffer"] if KINDS[kind] else ["exp_avg", "exp_avg_sq"]
            state = [array(saved[i][name]) for name in names]
            random = {"rounding": "stochastic", "seed": 5, "stream": step, "offset": int(flat[i])}
            keywords = random if params[i].dtype == half else {}
            by_function(kind, before[i], array(params[i].grad), state, step, **keywords)
            assert array(params[i]).tobytes() == before[i].tobytes(), (step, i)


def test_masters_stay_when_a_run_is_resumed(kind, tmp_path):
    def run(params, optimizer, steps):
        for step in steps:
            draw_gradients(params, step)
            optimizer.step()

    options = {"lr": 1e-3, "master_weights": True, **KINDS[kind]}
    params, again = parameters(torch.bfloat16), parameters(torch.bfloat16)
    optimizer, resumed = kind(params, **options), kind(again, **options)
    run(params, optimizer, range(3))
    torch.save([params, optimizer.state_dict()], tmp_path / "state.pt")
    run(params, optimizer, range(3, 6))
    saved, state = torch.load(tmp_path / "state.pt", weights_only=False)
    resumed.load_state_dict(state)
    with torch.no_grad():
        for p, q in zip(again, saved, strict=True):
            p.copy_(q)
    run(again, resumed, range(3, 6))
    for p, q in zip(params, again, strict=True):
        assert torch.equal(p, q)
        assert torch.equal(optimizer.state[p]["master"], resumed.state[q]["master"])


def test_masters_follow_weights_that_are_loaded_before_the_first_step(kind):
    (p,) = [torch.nn.Parameter(torch.ones(3, dtype=torch.bfloat16))]
    optimizer = kind([p], 0.0, master_weights=True)
    optimizer.state_dict()  # which makes it
    with torch.no_grad():
        p.fill_(2.0)
    p.grad = torch.zeros_like(p)
    optimizer.step()
    assert p.tolist() == [2.0] * 3
    finer = torch.full((3,), 2.0 + 2**-20)
    other = kind([p], 0.0, master_weights=True, weight_decay=0.0)
    other.state[p]["master"] = finer.clone()  # which rounds to the weights
    other.step()
    assert torch.equal(other.state[p]["master"], finer)


def test_types_that_need_no_master_have_none(kind):
    params = parameters(torch.float32, torch.float64, torch.bfloat16)
    optimizer = kind(params, master_weights=True)
    draw_gradients(params, 1)
    optimizer.step()
    has_master = ["master" in optimizer.state[p] for p in params]
    assert has_master == [p.dtype == torch.bfloat16 for p in params]


@pytest.mark.skipif(not hasattr(torch.Tensor, "grad_dtype"), reason="this PyTorch has none")
@pytest.mark.parametrize("given", [torch.float16, torch.float32])
def test_gradients_of_any_half_type_are_read_as_they_are(kind, given):
    p, q = (torch.nn.Parameter(torch.linspace(-1, 1, 20).bfloat16()) for _ in range(2))
    gradient = torch.linspace(-3, 2, 20).to(given)
    p.grad_dtype, q.grad_dtype = given, torch.float32
    p.grad, q.grad = gradient, gradient.float()
    for parameter in (p, q):
        kind([parameter], 0.1, master_weights=True).step()
    assert torch.equal(p, q)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"rounding": "stochastic"}, ValueError, "seed must be given"),
        ({"rounding": "up"}, ValueError, "rounding must be"),
        ({"rounding": "stochastic", "seed": -1}, ValueError, "seed must be >= 0"),
        ({"master_weights": "yes"}, TypeError, "master_weights must be True or False, got 'yes'"),
        ({"maximize": None}, TypeError, "maximize must be True or False, got None"),
        ({"capturable": True}, ValueError, "capturable must be False, got True"),
        ({"differentiable": True}, ValueError, "differentiable must be False, got True"),
    ],
)
def test_bad_options_are_refused_at_construction(kind, options, error, message):
    with pytest.raises(error, match=message):
        kind(parameters(torch.float32), **options)


@pytest.mark.parametrize("scale", [float("nan"), "1", None, torch.ones(2)])
def test_a_bad_scale_of_gradients_is_refused_before_anything_is_written(kind, scale):
    params = parameters(torch.float32)
    optimizer = kind(params)
    draw_gradients(params, 1)
    before = [p.detach().clone() for p in params]
    with pytest.raises((TypeError, ValueError), match=f"{kind.__name__}: grad_scale must"):
        optimizer.step(grad_scale=scale)
    assert all(map(torch.equal, params, before))


def test_options_without_effect_are_taken_and_no_group_has_them(kind):
    free = {"foreach": True, "fused": False}
    p, q = parameters(torch.float32)[:2]
    optimizer = kind([{"params": [p], **free}], **free, capturable=False, differentiable=False)
    optimizer.add_param_group({"params": [q], "fused": None, "capturable": False})
    assert [set(group) - {"params"} for group in optimizer.param_groups] == [
        set(optimizer.defaults)
    ] * 2


def test_a_scaled_step_is_that_of_the_scaled_gradient(kind):
    first, second = parameters(torch.float32), parameters(torch.float32)
    one, other = kind(first, **KINDS[kind]), kind(second, **KINDS[kind], maximize=True)
    for step in range(3):
        draw_gradients(first, step)
        draw_gradients(second, step)
        for p in second:
            p.grad.mul_(-0.375)
        one.step(grad_scale=torch.tensor(0.375))
        other.step(lambda: 0.0)
        assert all(map(torch.equal, first, second))


def test_errors_in_arrays_of_a_later_call_leave_the_earlier_ones_as_they_were(kind):
    """Parameters of another type are a call of their own."""
    wide, half = torch.nn.Parameter(torch.ones(3)), torch.nn.Parameter(torch.ones(3).bfloat16())
    optimizer = kind([wide, half], master_weights=True)
    wide.grad, half.grad = torch.ones(3), torch.ones(3).bfloat16()
    half.data = half.data[:1].expand(3)
    with pytest.raises(ValueError, match=r"copy_out\[0\] must have elements that share no memory"):
        optimizer.step()
    assert wide.tolist() == [1.0] * 3
    assert optimizer.state[wide]["step"] == 0


def test_the_summary_is_of_the_masters(kind):
    p = torch.nn.Parameter(torch.ones(4, dtype=torch.bfloat16))
    p.grad = torch.ones_like(p)
    optimizer = kind([p], 0.1, l1=0.5, master_weights=True)
    optimizer.step()
    penalty = br.l1_penalty(array(optimizer.state[p]["master"]), 0.5)
    assert optimizer.last_summary.penalty == penalty
