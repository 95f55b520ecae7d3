"""Tensors that lie in several processes: PyTorch's DTensors, of which each process has a shard."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import numpy as np
import torch


class Sharding(NamedTuple):
    """How a tensor is shared out: the processes, and whether each axis of theirs has other shards.

    Along the other axes processes have the same shard.
    """

    mesh: Any
    sharded: tuple[bool, ...]


def is_distributed(tensor: object) -> bool:
    module = sys.modules.get("torch.distributed.tensor")  # without it there are none
    return module is not None and isinstance(tensor, module.DTensor)


def sharding_of(tensor: torch.Tensor) -> Sharding | None:
    """Return how a tensor is shared out, or None where each process has all of it."""
    if not is_distributed(tensor):
        return None
    sharded = tuple(not placement.is_replicate() for placement in tensor.placements)
    return Sharding(tensor.device_mesh, sharded) if any(sharded) else None


def placement_of(tensor: torch.Tensor) -> tuple[Any, ...] | None:
    """Return the processes of a tensor and what each axis of theirs has, or None if it is plain."""
    return (tensor.device_mesh, *tensor.placements) if is_distributed(tensor) else None


def shardings_of(tensors: Iterable[torch.Tensor]) -> list[Sharding]:
    """Return the different ones, in an order that is the same in all processes."""
    return [s for s in dict.fromkeys(map(sharding_of, tensors)) if s is not None]


def local(tensor: torch.Tensor) -> torch.Tensor:
    """Return what this process has of a tensor, in the same memory."""
    if not is_distributed(tensor):
        return tensor
    shard = tensor._local_tensor
    return shard.wait() if hasattr(shard, "wait") else shard


def was_written(tensor: torch.Tensor) -> None:
    """Tell autograd that the memory of a tensor was written."""
    for each in dict.fromkeys((tensor, local(tensor))):
        torch.autograd.graph.increment_version(each)


def gradient_of(tensor: torch.Tensor) -> torch.Tensor:
    """Return the gradient of a tensor, which has one, shared out as the tensor is."""
    gradient = tensor.grad
    assert gradient is not None
    if (
        is_distributed(tensor)
        and is_distributed(gradient)
        and gradient.placements != tensor.placements
    ):
        gradient = gradient.redistribute(tensor.device_mesh, tensor.placements)
        tensor.grad = gradient
    return gradient


def of_all_shards(numbers: Iterable[float], sharding: Sharding) -> list[list[float]]:
    """Return the numbers of all shards; all processes must call it."""
    mesh, every = sharding
    rows = torch.tensor([list(numbers)], dtype=torch.float64, device=mesh.device_type)
    for axis in range(mesh.ndim):
        if every[axis]:
            parts = [torch.empty_like(rows) for _ in range(mesh.size(axis))]
            torch.distributed.all_gather(parts, rows, group=mesh.get_group(axis))
            rows = torch.cat(parts)
    return rows.tolist()


def places_of(tensor: torch.Tensor) -> Iterator[tuple[Any, int]]:
    """Return parts of what this process has of a tensor, and where they start in the whole.

    A part is an index of the local array; its elements lie beside each other in the whole tensor,
    in C order.
    """
    if not is_distributed(tensor) or local(tensor).numel() == 0:
        yield ..., 0
        return
    from torch.distributed.tensor._utils import compute_local_shape_and_global_offset

    whole = tuple(tensor.shape)
    shape, first = compute_local_shape_and_global_offset(
        whole, tensor.device_mesh, tensor.placements
    )
    apart = [math.prod(whole[axis + 1 :]) for axis in range(len(whole))]
    start = sum(i * distance for i, distance in zip(first, apart, strict=True))
    cut = [axis for axis in range(len(whole)) if shape[axis] != whole[axis]]
    rows = shape[: max(cut, default=0)]
    if math.prod(rows) == 1:
        yield ..., start
        return
    for row in np.ndindex(*rows):
        yield row, start + sum(i * distance for i, distance in zip(row, apart, strict=False))


def without_partial_sums(tensor: Any) -> Any:
    """Return a DTensor whose parts have elements of the whole, where they are summands."""
    from torch.distributed.tensor import Replicate

    placements = [Replicate() if p.is_partial() else p for p in tensor.placements]
    return tensor.redistribute(placements=placements) if tensor.placements != placements else tensor


def origin_of_part(name: str, tensor: Any) -> tuple[int, ...]:
    """Return where the part of this process begins in a DTensor; parts are those of torch.chunk."""
    from torch.distributed.tensor import Shard

    origin, lengths = [0] * tensor.ndim, list(tensor.shape)
    mesh = tensor.device_mesh
    for axis, placement in enumerate(tensor.placements):
        if placement.is_replicate():
            continue
        if type(placement) is not Shard:
            raise ValueError(
                f"{name}: placements must be Shard, Replicate or Partial, got {placement}"
            )
        dimension = placement.dim
        longest = -(-lengths[dimension] // mesh.size(axis))
        begin = min(longest * mesh.get_coordinate()[axis], lengths[dimension])
        origin[dimension] += begin
        lengths[dimension] = min(longest, lengths[dimension] - begin)
    local = tuple(tensor.to_local().shape)
    if local != tuple(lengths):
        rule = f"the part of a DTensor must be that of torch.chunk, {tuple(lengths)}"
        raise ValueError(f"{name}: {rule}, got one of shape {local}")
    return tuple(origin)
