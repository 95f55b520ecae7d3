"""The memory of PyTorch's tensors as arrays."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

HALVES = (torch.float16, torch.bfloat16)
TYPES = (*HALVES, torch.float32, torch.float64)


def check_device(name: str, tensor: torch.Tensor) -> None:
    if tensor.device.type != "cpu":
        raise ValueError(f"{name}: tensors must be on the CPU, got one on {tensor.device}")


def check_tensor(name: str, tensor: torch.Tensor) -> None:
    """Check that the memory of a tensor can be worked on."""
    check_device(name, tensor)
    if tensor.layout != torch.strided:
        raise ValueError(f"{name}: tensors must be dense, got one of layout {tensor.layout}")
    if tensor.dtype not in TYPES:
        rule = "tensors must be of type float16, bfloat16, float32 or float64"
        raise TypeError(f"{name}: {rule}, got one of {tensor.dtype}")


def array_of(name: str, tensor: torch.Tensor) -> NDArray[Any]:
    """Return the memory of a tensor as an array."""
    check_tensor(name, tensor)
    detached = tensor.detach()
    if tensor.dtype == torch.bfloat16:  # NumPy has no such type, but ml_dtypes
        return np.asarray(detached.view(torch.int16).numpy()).view("bfloat16")
    return np.asarray(detached.numpy())


def state_type(tensor: torch.Tensor) -> torch.dtype:
    return torch.float32 if tensor.dtype in HALVES else tensor.dtype
