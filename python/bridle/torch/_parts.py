"""Where the parts of PyTorch's distributed tensors lie in the whole."""

from __future__ import annotations

import sys
from typing import Any

import torch


def is_distributed(tensor: torch.Tensor) -> bool:
    """Tell whether a tensor is a DTensor, without importing what takes a second to import."""
    module = sys.modules.get("torch.distributed.tensor")
    return module is not None and isinstance(tensor, module.DTensor)


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
        begin = min(longest * mesh.get_local_rank(axis), lengths[dimension])
        origin[dimension] += begin
        lengths[dimension] = min(longest, lengths[dimension] - begin)
    local = tuple(tensor.to_local().shape)
    if local != tuple(lengths):
        rule = f"the part of a DTensor must be that of torch.chunk, {tuple(lengths)}"
        raise ValueError(f"{name}: {rule}, got one of shape {local}")
    return tuple(origin)
