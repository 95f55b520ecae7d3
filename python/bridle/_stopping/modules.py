"""The weights of a PyTorch module as arrays, for an `EarlyStopping` to keep."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from numpy.typing import NDArray


def arrays_of_module(module: Any) -> dict[str, NDArray[Any]]:
    """Return all tensors of a module's state by name; what NumPy has no type for, as integers."""
    return {name: _numbers(tensor).cpu().numpy() for name, tensor in _tensors(module).items()}


def put_into_module(module: Any, arrays: Mapping[str, NDArray[Any]]) -> None:
    """Write what `arrays_of_module` returned into the tensors of the module, on any device."""
    with torch.no_grad():
        for name, tensor in _tensors(module).items():
            _numbers(tensor).copy_(torch.from_numpy(arrays[name]))


def _tensors(module: Any) -> dict[str, torch.Tensor]:
    state = module.state_dict().items()
    return {name: value for name, value in state if isinstance(value, torch.Tensor)}


def _numbers(tensor: torch.Tensor) -> torch.Tensor:
    detached = tensor.detach()
    if detached.dtype == torch.bfloat16:
        return detached.view(torch.int16)
    eight_bits = detached.is_floating_point() and detached.element_size() == 1
    return detached.view(torch.uint8) if eight_bits else detached
