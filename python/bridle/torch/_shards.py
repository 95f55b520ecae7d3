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


def _distributed(tensor: object) -> bool:
    module = sys.modules.get("torch.distributed.tensor")  # without it there are none
    return module is not None and isinstance(tensor, module.DTensor)


def sharding_of(tensor: torch.Tensor) -> Sharding | None:
    """Return how a tensor is shared out, or None where each process has all of it."""
    if not _distributed(tensor):
        return None
    sharded = tuple(not placement.is_replicate() for placement in tensor.placements)
    return Sharding(tensor.device_mesh, sharded) if any(sharded) else None


def placement_of(tensor: torch.Tensor) -> tuple[Any, ...] | None:
    """Return the processes of a tensor and what each axis of theirs has, or None if it is plain."""
    return (tensor.device_mesh, *tensor.placements) if _distributed(tensor) else None


def shardings_of(tensors: Iterable[torch.Tensor]) -> list[Sharding]:
    """Return the different ones, in an order that is the same in all processes."""
    return [s for s in dict.fromkeys(map(sharding_of, tensors)) if s is not None]


def local(tensor: torch.Tensor) -> torch.Tensor:
    """Return what this process has of a tensor, in the same memory."""
    if not _distributed(tensor):
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
    if _distributed(tensor) and _distributed(gradient) and gradient.placements != tensor.placements:
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
    if not _distributed(tensor) or local(tensor).numel() == 0:
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
