"""What each of two processes does that train one model: a program that `test_shards.py` starts.

Every line of its input is the name of a function of this file and its arguments; it answers with a
line that is empty, or tells what went wrong.
"""

import json
import os
import sys
import traceback
import warnings
from datetime import timedelta

import pytest
import torch
from torch import distributed
from torch.distributed import checkpoint
from torch.distributed.checkpoint import state_dict as states
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import fully_shard
from torch.distributed.tensor import DTensor, Partial, Replicate, Shard, distribute_tensor

import bridle.torch as bt
from bridle import _core

KINDS = {"ProxSGD": (bt.ProxSGD, {"momentum": 0.9}), "ProxAdamW": (bt.ProxAdamW, {})}
SHAPES = ((7, 5), (1, 3), (4, 2, 3), (3,), (2, 600))  # uneven; less than one row for each process
HOW = {"lr": 0.05, "l1": 0.02, "weight_decay": 0.1}


def rank():
    return distributed.get_rank()


def mesh(*shape):
    names = tuple("abc"[: len(shape)])
    return init_device_mesh("cpu", shape or (2,), mesh_dim_names=names or None)


def drawn(seed, dtype):
    """Return a tensor of each shape, the same in all processes."""
    generator = torch.Generator().manual_seed(seed)
    return [torch.randn(shape, generator=generator).to(dtype) for shape in SHAPES]


class Weights(torch.nn.Module):
    """A module that is nothing but parameters."""

    def __init__(self, tensors):
        super().__init__()
        self.every = torch.nn.ParameterList(torch.nn.Parameter(t.clone()) for t in tensors)


def by_fully_shard(tensors):
    return list(fully_shard(Weights(tensors), mesh=mesh()).parameters())


def placed(tensors, where, *placements):
    shared = (distribute_tensor(t.clone(), where, placements) for t in tensors)
    return [torch.nn.Parameter(t) for t in shared]


def by_columns(tensors):
    """Shard the second axis of those that have one."""
    return [placed([t], mesh(), Shard(min(1, t.ndim - 1)))[0] for t in tensors]


def mixed(tensors):
    """Shard some parameters, replicate others, and leave the rest plain."""
    whole = placed(tensors[:1], mesh(), Replicate())
    hybrid = placed(tensors[1:2], mesh(2, 1), Replicate(), Shard(0))
    both = placed(tensors[2:3], mesh(1, 2), Shard(0), Shard(1))
    plain = [torch.nn.Parameter(tensors[3].clone())]
    return [*whole, *hybrid, *both, *plain, *placed(tensors[4:], mesh(), Shard(0))]


LAYOUTS = {f.__name__: f for f in (by_fully_shard, by_columns, mixed)}


def set_gradients(parameters, gradients):
    for p, g in zip(parameters, gradients, strict=True):
        sharded = isinstance(p, DTensor)
        p.grad = distribute_tensor(g.clone(), p.device_mesh, p.placements) if sharded else g.clone()


def whole(tensor):
    return tensor.full_tensor() if isinstance(tensor, DTensor) else tensor


def assert_equal_state(optimizer, parameters, expected_optimizer, expected):
    for p, q in zip(parameters, expected, strict=True):
        assert torch.equal(whole(p), q)
        state, other = optimizer.state[p], expected_optimizer.state[q]
        assert state.keys() == other.keys()
        assert state["step"] == other["step"]
        for name in sorted(state.keys() - {"step"}):
            assert isinstance(state[name], DTensor) == isinstance(p, DTensor), name
            assert state[name].dtype == other[name].dtype
            assert torch.equal(whole(state[name]), other[name]), name


def two_processes_end_with_the_bits_of_one(kind, layout, dtype, options):
    kind, own = KINDS[kind]
    options = HOW | own | options
    dtype = getattr(torch, dtype)
    start = drawn(1, dtype)
    parameters, expected = LAYOUTS[layout](start), [torch.nn.Parameter(t.clone()) for t in start]
    optimizer, reference = kind(parameters, **options), kind(expected, **options)
    for step in range(3):
        gradients = drawn(100 + step, dtype)
        if step == 1:  # another number of steps from here on, and other places in the call
            gradients[0] = None
        for p, q, gradient in zip(parameters, expected, gradients, strict=True):
            p.grad = q.grad = None
            if gradient is not None:
                set_gradients([p, q], [gradient, gradient])
        optimizer.step(grad_scale=0.5)
        reference.step(grad_scale=0.5)
        here, there = optimizer.last_summary, reference.last_summary
        assert here[1:] == there[1:]
        assert here.penalty == pytest.approx(there.penalty, rel=1e-14)
    assert_equal_state(optimizer, parameters, reference, expected)


def a_weight_that_is_not_finite_is_seen_by_all():
    parameters = by_fully_shard(drawn(1, torch.float32))
    optimizer = bt.ProxSGD(parameters, lr=1.0)
    gradients = drawn(2, torch.float32)
    gradients[0][6, 4] = torch.inf  # of the last process
    set_gradients(parameters, gradients)
    optimizer.step()
    assert not optimizer.last_summary.finite
    with pytest.raises(FloatingPointError, match="clip_grad_norm_: the norm must be finite, got"):
        bt.clip_grad_norm_(parameters, 1.0)
    assert torch.equal(whole(parameters[0].grad), gradients[0])


def gradients_are_clipped_by_the_norm_of_all_shards(layout):
    start, gradients = drawn(1, torch.float32), drawn(2, torch.float32)
    expected = [torch.nn.Parameter(t.clone()) for t in start]
    set_gradients(expected, gradients)
    norm = bt.clip_grad_norm_(expected, 1.0)
    for stored in (False, True):
        parameters = LAYOUTS[layout](start)
        set_gradients(parameters, gradients)
        optimizer = bt.ProxSGD(parameters, lr=1.0)
        found = bt.clip_grad_norm_(parameters, 1.0, optimizer=optimizer if stored else None)
        assert found.item() == pytest.approx(norm.item(), rel=1e-15), (found, norm)
        written = [whole(p.grad) for p in parameters]
        for g, given, clipped in zip(written, gradients, expected, strict=True):
            if stored:
                assert torch.equal(g, given)
            else:
                torch.testing.assert_close(g, clipped.grad, rtol=1e-6, atol=0)
        optimizer.step()
        for p, w, clipped in zip(parameters, start, expected, strict=True):
            torch.testing.assert_close(whole(p).detach(), w - clipped.grad, rtol=1e-5, atol=1e-6)


def gradients_of_other_placements_are_brought_to_those_of_their_parameters():
    """As those of replicated parameters are, of which each process has a part of the sum."""
    (parameter,) = placed([torch.ones(4, 3)], mesh(), Shard(0))
    part = torch.full((4, 3), 1.0 + rank())
    parameter.grad = DTensor.from_local(part, mesh(), [Partial()])
    optimizer = bt.ProxSGD([parameter], lr=1.0)
    assert bt.clip_grad_norm_([parameter], 1e9).item() == pytest.approx(3 * 12**0.5)
    optimizer.step()
    assert torch.equal(whole(parameter).detach(), torch.full((4, 3), -2.0))
    arriving = DTensor.from_local(part, mesh(), [Partial()])
    parameter.grad = arriving.redistribute(placements=[Shard(0)], async_op=True)
    optimizer.step()
    assert torch.equal(whole(parameter).detach(), torch.full((4, 3), -5.0))


def processes_without_gradients_take_part():
    parameters = by_fully_shard(drawn(1, torch.float32))
    optimizer = bt.ProxSGD(parameters, lr=1.0)
    if rank() == 0:
        parameters[0].grad = torch.zeros_like(parameters[0])
    optimizer.step()
    assert optimizer.last_summary.nonzeros == parameters[0].to_local().numel() or rank() == 1
    assert bt.clip_grad_norm_(parameters, 1.0).item() == 0.0


def an_error_in_one_process_leaves_it_as_it_was():
    parameters = by_fully_shard(drawn(1, torch.float32))
    optimizer = bt.ProxAdamW(parameters, lr=1.0)
    set_gradients(parameters, drawn(2, torch.float32))
    if rank() == 1:
        before = [p.to_local().detach().clone() for p in parameters]
        moment = optimizer.state[parameters[-1]]["exp_avg"]
        by_columns = DTensor.from_local(torch.zeros(2, 300), mesh(), [Shard(1)], run_check=False)
        for other in (torch.zeros(2, 600), by_columns):
            optimizer.state[parameters[-1]]["exp_avg"] = other
            with pytest.raises(ValueError, match="exp_avg must be placed as its parameter is"):
                optimizer.step()
        assert all(torch.equal(p.to_local(), b) for p, b in zip(parameters, before, strict=True))
        assert not any(optimizer.state[p]["step"] for p in parameters)
        optimizer.state[parameters[-1]]["exp_avg"] = moment
    optimizer.step()
    assert optimizer.last_summary.finite


def net_of(sharded):
    torch.manual_seed(3)
    layers = torch.nn.Linear(5, 7), torch.nn.Tanh(), torch.nn.Linear(7, 1, bias=False)
    net = torch.nn.Sequential(*layers).bfloat16()
    if sharded:
        fully_shard(net, mesh=mesh())
        net.set_force_sum_reduction_for_comms(True)  # PyTorch 2.8's mean by gloo is the sum
    return net


def trained(net, optimizer, steps):
    for step in steps:
        generator = torch.Generator().manual_seed(step)
        optimizer.zero_grad()
        net(torch.randn(11, 5, generator=generator).bfloat16()).square().mean().backward()
        optimizer.step()


def with_optimizer(kind, sharded, **changes):
    kind, own = KINDS[kind]
    net = net_of(sharded)
    random = {"rounding": "stochastic", "seed": 3, "master_weights": True}
    return net, kind(net.parameters(), **own, **HOW | random | changes)


def parts_of(net, optimizer, options):
    parts = states.get_state_dict(net, optimizer, options=options)
    return dict(zip(("net", "optimizer"), parts, strict=True))


def a_checkpoint_goes_on_bit_for_bit(kind, folder, how, sharded):
    """Save by two processes; go on in two, or, where they are not `sharded`, in one each."""
    options = states.StateDictOptions(**how)
    net, optimizer = with_optimizer(kind, True)
    trained(net, optimizer, range(3))
    checkpoint.save(parts_of(net, optimizer, options), checkpoint_id=folder)
    again, resumed = with_optimizer(kind, sharded, lr=9.0, decay="full", weight_decay=0.5)
    before = [whole(p).clone() for p in again.parameters()]
    parts = parts_of(again, resumed, options)
    assert resumed.last_summary is None
    assert all(torch.equal(whole(p), b) for p, b in zip(again.parameters(), before, strict=True))
    checkpoint.load(parts, checkpoint_id=folder, no_dist=not sharded)
    loaded = {"model_state_dict": parts["net"], "optim_state_dict": parts["optimizer"]}
    states.set_state_dict(again, resumed, **loaded, options=options)
    assert resumed.param_groups[0]["lr"] == HOW["lr"]
    for n, o in ((net, optimizer), (again, resumed)):
        trained(n, o, range(3, 6))
    for p, q in zip(net.parameters(), again.parameters(), strict=True):
        assert torch.equal(whole(p), whole(q))
        assert torch.equal(whole(optimizer.state[p]["master"]), whole(resumed.state[q]["master"]))
        assert optimizer.state[p]["step"] == resumed.state[q]["step"] == 6


def a_whole_state_is_sent_from_one_process(kind):
    """Without a file: the first process has all of it."""
    net, optimizer = with_optimizer(kind, True)
    trained(net, optimizer, range(3))
    gather = states.StateDictOptions(full_state_dict=True, cpu_offload=True)
    parts = states.get_state_dict(net, optimizer, options=gather)
    again, resumed = with_optimizer(kind, True)
    send = states.StateDictOptions(full_state_dict=True, broadcast_from_rank0=True)
    if rank() > 0:
        parts = {}, {}
    states.set_model_state_dict(again, parts[0], options=send)
    states.set_optimizer_state_dict(again, resumed, parts[1], options=send)
    trained(net, optimizer, range(3, 6))
    trained(again, resumed, range(3, 6))
    for p, q in zip(net.parameters(), again.parameters(), strict=True):
        assert torch.equal(whole(p), whole(q))


def training_is_that_of_one_process(kind):
    net, optimizer = with_optimizer(kind, True)
    plain, reference = with_optimizer(kind, False)
    trained(net, optimizer, range(4))
    trained(plain, reference, range(4))
    assert_equal_state(optimizer, list(net.parameters()), reference, list(plain.parameters()))


def the_other_one_is_killed(folder):
    parameters = by_fully_shard(drawn(1, torch.float32))
    optimizer = bt.ProxAdamW(parameters, lr=1.0)
    set_gradients(parameters, drawn(2, torch.float32))
    if rank() == 1:
        os._exit(1)
    with pytest.raises(RuntimeError, match=r"closed by peer|reset by peer"):
        optimizer.step()
    with pytest.raises(Exception, match=r"closed by peer|reset by peer|[Bb]roken pipe|failed"):
        checkpoint.save({"state": optimizer.state_dict()}, checkpoint_id=folder)


def main(number, meeting, seconds):
    warnings.simplefilter("error")
    warnings.filterwarnings("ignore", "torch.distributed is disabled")  # says `no_dist=True`
    warnings.filterwarnings("ignore", "TypedStorage is deprecated")  # which PyTorch 2.8 itself uses
    _core.require_all_threads(True)
    torch.set_num_threads(1)
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # where gloo tells of its connections
    distributed.init_process_group(
        "gloo",
        init_method=f"file://{meeting}",
        rank=int(number),
        world_size=2,
        timeout=timedelta(seconds=int(seconds)),
    )
    for line in sys.stdin:
        name, arguments = json.loads(line)
        try:
            globals()[name](**arguments)
            answer = ""
        except BaseException:  # as those of checkpoints are
            answer = traceback.format_exc()
        print(json.dumps(answer), file=answers, flush=True)
    distributed.destroy_process_group()


if __name__ == "__main__":
    main(*sys.argv[1:])
