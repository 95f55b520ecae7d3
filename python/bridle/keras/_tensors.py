"""Tensors of PyTorch, which the objects and functions see as arrays."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn

import numpy as np
import torch
from numpy.typing import NDArray

HALVES = (torch.float16, torch.bfloat16)


def penalty(regularizer: Any, x: torch.Tensor) -> torch.Tensor:
    """Return what a regularizer says that a tensor costs, to be derived by autograd."""
    if x.device.type == "meta":  # Keras looks at shapes and types only
        return x.new_empty((), dtype=_scalar_type(x))
    return _Penalty.apply(x, regularizer)


def mapped(function: Callable[[NDArray[Any]], Any], x: torch.Tensor) -> torch.Tensor:
    """Return the result of a function of an array as a tensor of the same type."""
    return _tensor("Constraint: projection", function(_array("Constraint", x)), x)


class _Penalty(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: torch.Tensor, regularizer: Any) -> torch.Tensor:
        ctx.save_for_backward(x)
        ctx.regularizer = regularizer
        return torch.tensor(
            float(regularizer.value(_array("Regularizer", x))), dtype=_scalar_type(x)
        )

    @staticmethod
    def backward(ctx: Any, gradient: torch.Tensor) -> tuple[torch.Tensor, None]:
        return _Slope.apply(*ctx.saved_tensors, gradient, ctx.regularizer), None


class _Slope(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: torch.Tensor, factor: torch.Tensor, regularizer: Any) -> torch.Tensor:
        given = regularizer.subgradient(_array("Regularizer", x))
        return _tensor("Regularizer: subgradient", given, x) * factor

    @staticmethod
    def backward(ctx: Any, gradient: torch.Tensor) -> NoReturn:
        raise NotImplementedError("Regularizer: there is no second derivative")


def _scalar_type(x: torch.Tensor) -> torch.dtype:
    return torch.float32 if x.dtype in HALVES else x.dtype


def _array(owner: str, x: torch.Tensor) -> NDArray[Any]:
    if x.device.type != "cpu":
        raise ValueError(f"{owner}: tensors must be on the CPU, got one on {x.device}")
    detached = x.detach()
    if x.dtype == torch.bfloat16:  # NumPy has no such type, but ml_dtypes
        return np.asarray(detached.view(torch.int16).numpy()).view("bfloat16")
    return np.asarray(detached.numpy())


def _tensor(function: str, result: Any, like: torch.Tensor) -> torch.Tensor:
    array = np.asarray(result, order="C")
    if array.shape != tuple(like.shape):
        raise ValueError(
            f"{function} must return an array of the shape of its argument, "
            f"{tuple(like.shape)}, got {array.shape}"
        )
    if array.dtype == "bfloat16":
        return torch.from_numpy(array.view(np.int16)).view(torch.bfloat16).to(like.dtype)
    return torch.from_numpy(array).to(like.dtype)
