"""Dropout of parts of an array, in several processes, has the bits of one process."""

import copy
import itertools

import pytest

torch = pytest.importorskip("torch")
if not torch.distributed.is_available():
    pytest.skip("this PyTorch knows one process alone", allow_module_level=True)

# Behind the line that skips all of this, as bridle.torch needs PyTorch.
import torch.distributed as dist  # noqa: E402
from torch.distributed.device_mesh import init_device_mesh  # noqa: E402
from torch.distributed.tensor import (  # noqa: E402
    DTensor,
    Partial,
    Replicate,
    Shard,
    distribute_tensor,
)
from torch.distributed.tensor.placement_types import _StridedShard  # noqa: E402
from torch.testing._internal.distributed.fake_pg import FakeStore  # noqa: E402

import bridle.torch as bt  # noqa: E402

from .processes import run_together  # noqa: E402

SHAPE = (7, 5, 4)  # no length but the last can be shared out evenly


def whole_of(dtype=torch.float32):
    return torch.randn(SHAPE, generator=torch.Generator().manual_seed(0)).to(dtype)


@pytest.fixture
def mesh_of():
    """Return a mesh of 2 x 3 processes as one of them sees it; the others do not exist."""

    def make(rank):
        if dist.is_initialized():
            dist.destroy_process_group()
        dist.init_process_group("fake", rank=rank, world_size=6, store=FakeStore())
        return init_device_mesh("cpu", (2, 3))

    yield make
    dist.destroy_process_group()


def part_of(whole, mesh, placements):
    """Cut what a process has out of the whole, by torch.chunk."""
    for placement, rank, count in zip(placements, mesh.get_coordinate(), mesh.shape, strict=True):
        if isinstance(placement, Shard):
            chunks = whole.chunk(count, placement.dim)
            empty = whole.narrow(placement.dim, 0, 0)
            whole = chunks[rank] if rank < len(chunks) else empty
    return whole


def as_part(part, mesh, placements, whole):
    like = {"shape": whole.shape, "stride": whole.stride()}
    return DTensor.from_local(part, mesh, placements, run_check=False, **like)


@pytest.mark.parametrize("rank", range(6))
def test_parts_have_the_masks_of_the_whole(mesh_of, rank):
    mesh = mesh_of(rank)
    places = [Shard(0), Shard(1), Shard(2), Replicate()]
    for placements in itertools.product(places, repeat=2):
        whole = whole_of(torch.float64).requires_grad_()
        expected = bt.Dropout(0.4, seed=3)(whole)
        (gradient,) = torch.autograd.grad(expected.square().sum(), whole)
        part = part_of(whole.detach(), mesh, placements).requires_grad_()
        result = bt.Dropout(0.4, seed=3)(as_part(part, mesh, placements, whole)).to_local()
        result.square().sum().backward()
        assert torch.equal(result, part_of(expected, mesh, placements)), placements
        assert torch.equal(part.grad, part_of(gradient, mesh, placements)), placements


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32])
@pytest.mark.parametrize("order", [(0, 1, 2), (2, 0, 1)])
def test_parts_of_any_type_and_layout(mesh_of, dtype, order):
    mesh = mesh_of(4)
    whole = whole_of(dtype).permute(order)
    x = as_part(part_of(whole, mesh, [Shard(2), Shard(1)]), mesh, [Shard(2), Shard(1)], whole)
    result = bt.Dropout(0.4, seed=3)(x)
    expected = part_of(bt.Dropout(0.4, seed=3)(whole), mesh, [Shard(2), Shard(1)])
    assert torch.equal(result.to_local(), expected)
    assert (result.shape, result.stride(), result.dtype) == (x.shape, x.stride(), dtype)


def test_a_graph_of_parts_is_made_once(mesh_of):
    torch.compiler.reset()
    mesh, whole = mesh_of(3), whole_of()
    part = part_of(whole, mesh, [Shard(0), Replicate()])
    x = as_part(part, mesh, [Shard(0), Replicate()], whole).requires_grad_()
    layer, plain = bt.Dropout(seed=1), bt.Dropout(seed=1)
    call = torch.compile(layer, backend="aot_eager", fullgraph=True)
    with torch._dynamo.config.patch(error_on_recompile=True):
        for _ in range(3):
            actual, expected = call(x), plain(x)
            assert torch.equal(actual.to_local(), expected.to_local())
            gradients = [torch.autograd.grad(y.sum(), x)[0] for y in (actual, expected)]
            assert torch.equal(*(gradient.to_local() for gradient in gradients))


@pytest.mark.parametrize(
    ("placements", "message"),
    [
        ([Shard(0), Replicate()], r"the part of a DTensor .* \(4, 5, 4\), got .* \(3, 5, 4\)"),
        (
            [Shard(0), _StridedShard(0, split_factor=2)],
            r"placements must be Shard, .*, got _S",
        ),
    ],
)
def test_parts_cut_in_other_ways_are_refused(mesh_of, placements, message):
    layer, whole = bt.Dropout(seed=1), whole_of()
    x = as_part(whole[:3], mesh_of(0), placements, whole)
    with pytest.raises(ValueError, match=f"Dropout: {message}"):
        layer(x)
    assert layer.stream == 0


def sums_and_sequences():
    """Check what needs other processes: parts that are summands, and styles of parallel modules."""
    from torch.distributed.tensor.parallel import SequenceParallel, parallelize_module

    mesh, rank = init_device_mesh("cpu", (2,)), dist.get_rank()
    whole = whole_of(torch.float64).requires_grad_()
    plain, layer = bt.Dropout(0.4, seed=3), bt.Dropout(0.4, seed=3)
    expected = plain(whole)
    summand = (whole.detach() if rank else torch.zeros_like(whole)).requires_grad_()
    result = layer(DTensor.from_local(summand, mesh, [Partial()], run_check=False))
    assert torch.equal(result.full_tensor(), expected)
    result.full_tensor().square().sum().backward()
    assert torch.equal(summand.grad, torch.autograd.grad(expected.square().sum(), whole)[0])

    split = distribute_tensor(whole.detach(), mesh, [Shard(1)])
    assert torch.equal(layer(split).full_tensor(), plain(whole))

    parallelize_module(layer, mesh, SequenceParallel(sequence_dim=0, use_local_output=True))
    batch = whole.detach()[:6]  # which DTensor.from_local takes for equal parts
    assert torch.equal(layer(batch.chunk(2)[rank]), plain(batch).chunk(2)[rank])


def resumed(folder):
    """Check that a sharded network whose state was saved goes on with the same masks."""
    import torch.distributed.checkpoint as dcp
    from torch.distributed.checkpoint.state_dict import get_model_state_dict, set_model_state_dict
    from torch.distributed.fsdp import fully_shard

    def network(seed):
        torch.manual_seed(seed)
        block = torch.nn.Sequential(torch.nn.Linear(8, 9), bt.Dropout(0.5, seed=seed))
        return fully_shard(torch.nn.Sequential(block, torch.nn.ReLU(), copy.deepcopy(block[1])))

    net, x = network(1), whole_of().flatten()[:40].reshape(5, 8)
    net(x).sum().backward()
    dcp.save(get_model_state_dict(net), checkpoint_id=folder)
    other = network(2)
    state = get_model_state_dict(other)
    dcp.load(state, checkpoint_id=folder)
    set_model_state_dict(other, state)
    for _ in range(2):
        assert torch.equal(other(x), net(x))


def in_two_processes(folder):
    sums_and_sequences()
    resumed(folder)


def test_two_processes_have_the_bits_of_one_also_where_they_are_resumed(tmp_path):
    run_together(in_two_processes, 2, tmp_path, tmp_path / "saved")
