"""Clipping by the norm of all gradients: PyTorch's, but exact, and without writing gradients."""

import copy
import math

import pytest

torch = pytest.importorskip("torch")

# Behind the line that skips all of this, as bridle.torch needs PyTorch.
import bridle.torch as bt  # noqa: E402


def parameters(seed=1):
    generator = torch.Generator().manual_seed(seed)
    drawn = [torch.randn(shape, generator=generator) for shape in ((300, 7), (), (40,))]
    types = (torch.float32, torch.float64, torch.bfloat16)
    params = [torch.nn.Parameter(x.to(t)) for x, t in zip(drawn, types, strict=True)]
    for p in params:
        p.grad = torch.randn(p.shape, generator=generator).to(p.dtype)
    return params


def assert_close(a, b):
    """Compare with PyTorch, which adds squares in the type of the gradients."""
    rtol = 1e-2 if a.dtype == torch.bfloat16 else 1e-4
    torch.testing.assert_close(a, b, rtol=rtol, atol=0)


def norm_of(params):
    return math.sqrt(math.fsum(float((p.grad.double() ** 2).sum()) for p in params))


@pytest.mark.parametrize("most", [0.0, 1.0, 1e3])
def test_gradients_are_scaled_in_place_as_pytorch_does(most):
    ours, theirs = parameters(), parameters()
    norm = bt.clip_grad_norm_(ours, most)
    assert norm.dtype == torch.float64
    assert norm.item() == pytest.approx(norm_of(theirs), rel=1e-15)
    torch.nn.utils.clip_grad_norm_(theirs, most)
    for p, q in zip(ours, theirs, strict=True):
        assert_close(p.grad, q.grad)


def test_a_single_tensor_and_tensors_without_gradients_will_do():
    p = torch.nn.Parameter(torch.ones(2))
    assert bt.clip_grad_norm_(p, 1.0).item() == 0.0
    assert bt.clip_grad_norm_([], 1.0).item() == 0.0
    p.grad = torch.tensor([3.0, 4.0])
    assert bt.clip_grad_norm_(iter([p, p]), 5.0).item() == 5.0  # which is counted once
    assert p.grad.tolist() == [3.0, 4.0]


def test_autograd_notices_that_gradients_were_scaled():
    p = torch.nn.Parameter(torch.ones(2))
    p.grad = torch.tensor([3.0, 4.0])
    version = p.grad._version
    bt.clip_grad_norm_(p, 9.0)
    assert p.grad._version == version
    bt.clip_grad_norm_(p, 1.0)
    assert p.grad._version > version


@pytest.mark.parametrize("kind", [bt.ProxSGD, bt.ProxAdamW])
def test_an_optimizer_scales_in_its_next_step_and_nothing_else_is_written(kind):
    ours, theirs = parameters(), parameters()
    optimizers = kind(ours, 0.1), kind(theirs, 0.1)
    before = [p.grad.clone() for p in ours]
    norm = bt.clip_grad_norm_(ours, 1.0, optimizer=optimizers[0])
    assert all(torch.equal(p.grad, b) for p, b in zip(ours, before, strict=True))
    optimizers[0].step(grad_scale=0.5)
    optimizers[1].step(grad_scale=0.5 / norm.item())
    assert all(map(torch.equal, ours, theirs))
    for optimizer in optimizers:  # the scale is used once
        optimizer.step()
    assert all(map(torch.equal, ours, theirs))


def pending(optimizer, params, most=1.0):
    bt.clip_grad_norm_(params, most, optimizer=optimizer)
    return optimizer


def test_a_scale_is_dropped_with_the_gradients_and_replaced_by_the_next():
    ours, theirs = parameters(), parameters()
    one, other = bt.ProxSGD(ours, 0.1), bt.ProxSGD(theirs, 0.1)
    pending(one, ours).zero_grad()
    for p, q in zip(ours, theirs, strict=True):
        p.grad = q.grad.clone()
    one.step()
    other.step()
    assert all(map(torch.equal, ours, theirs))
    pending(pending(one, ours, 1e-3), ours, 1.0).step()
    pending(other, theirs, 1.0).step()
    assert all(map(torch.equal, ours, theirs))


def test_groups_of_parameters_may_be_clipped_on_their_own():
    ours, theirs = parameters(), parameters()
    one, other = bt.ProxSGD(ours, 0.1), bt.ProxSGD(theirs, 0.1)
    pending(one, ours[:1])
    pending(one, ours[1:], 0.5)
    one.step()
    bt.clip_grad_norm_(theirs[:1], 1.0)
    bt.clip_grad_norm_(theirs[1:], 0.5)
    other.step()
    for p, q in zip(ours, theirs, strict=True):
        assert_close(p, q)


def test_copies_of_an_optimizer_keep_the_scale():
    params = parameters()
    optimizer = pending(bt.ProxSGD(params, 0.1), params)
    other = copy.deepcopy(optimizer)
    copied = other.param_groups[0]["params"]
    for p, q in zip(params, copied, strict=True):
        q.grad = p.grad.clone()
    optimizer.step()
    other.step()
    assert all(map(torch.equal, params, copied))


@pytest.mark.parametrize("bad", [math.inf, -math.inf, math.nan])
@pytest.mark.parametrize("stored", [False, True])
def test_a_norm_that_is_not_finite_is_an_error_and_nothing_is_written(bad, stored):
    params = parameters()
    optimizer = pending(bt.ProxSGD(params, 0.1), params)
    scales = dict(optimizer._clip_scales)
    params[2].grad[3] = bad
    before = [p.grad.clone() for p in params]
    with pytest.raises(FloatingPointError, match="clip_grad_norm_: the norm must be finite, got"):
        bt.clip_grad_norm_(params, 1.0, optimizer=optimizer if stored else None)
    for p, b in zip(params, before, strict=True):
        torch.testing.assert_close(p.grad, b, rtol=0, atol=0, equal_nan=True)
    assert optimizer._clip_scales == scales


@pytest.mark.parametrize(
    ("error", "message", "change"),
    [
        (ValueError, "max_norm must be >= 0, got -1", {"max_norm": -1}),
        (ValueError, "max_norm must be >= 0, got nan", {"max_norm": math.nan}),
        (TypeError, "optimizer must be a ProxAdamW or ProxSGD, got SGD", {"optimizer": "theirs"}),
        (ValueError, "parameters must be those of the optimizer, got 3", {"optimizer": "others"}),
        (ValueError, "must be dense", {"gradient": torch.ones(300, 7).to_sparse()}),
        (ValueError, "on the CPU", {"gradient": torch.ones(300, 7, device="meta")}),
    ],
)
def test_what_does_not_fit_is_refused_and_nothing_is_written(error, message, change):
    params = parameters()
    optimizers = {
        "theirs": torch.optim.SGD(params, 0.1),
        "others": bt.ProxSGD(parameters(2), 0.1),
    }
    if "gradient" in change:
        first = torch.nn.Parameter(change["gradient"].detach())
        first.grad = change["gradient"]
        params.append(first)
    before = [p.grad.clone() for p in params[:3]]
    with pytest.raises(error, match=f"clip_grad_norm_: .*{message}"):
        bt.clip_grad_norm_(
            params, change.get("max_norm", 1.0), optimizer=optimizers.get(change.get("optimizer"))
        )
    assert all(torch.equal(p.grad, b) for p, b in zip(params, before, strict=False))
