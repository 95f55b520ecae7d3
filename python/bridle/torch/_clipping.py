"""Clipping gradients by the norm of all of them, in one pass that only reads."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import torch

from bridle._arrays import Listed, listed
from bridle._call import non_negative
from bridle._models.call import SCALE, combine
from bridle._models.norms import GlobalNorm, clip_scale_of, measured
from bridle.torch._arrays import array_of
from bridle.torch._shards import (
    Sharding,
    gradient_of,
    local,
    of_all_shards,
    sharding_of,
    was_written,
)
from bridle.torch._stepping import Proximal, plain

__all__ = ["clip_grad_norm_"]

_NAME = "clip_grad_norm_"


@torch._disable_dynamo
@torch.no_grad()
def clip_grad_norm_(
    parameters: torch.Tensor | Iterable[torch.Tensor],
    max_norm: float,
    *,
    optimizer: Proximal | None = None,
) -> torch.Tensor:
    r"""Clip the gradients of parameters so that their joint norm is at most `max_norm`.

    .. math:: g \leftarrow g \cdot \min(1, \text{max\_norm} / \ell_2)

    Parameters
    ----------
    parameters : tensor or iterable of tensor
        Parameters on the CPU; those without a gradient do not count. Where they are sharded, the
        norm is that of all shards, and all processes must call this.
    max_norm : float
        At least 0.
    optimizer : ProxAdamW or ProxSGD, optional
        The optimizer of these parameters: its next step scales their gradients as it reads them,
        and nothing is written here. The scale is used once; `optimizer.zero_grad` drops it, and
        another call replaces it.

    Returns
    -------
    Tensor
        The norm before clipping, a number of type float64.

    Raises
    ------
    FloatingPointError
        If the norm is not finite; nothing has been written or stored then, in no process.
    ValueError, TypeError
        If a number or a tensor does not fit; nothing has been written or stored then.

    See Also
    --------
    bridle.global_norm : The norm, with the same accuracy.

    Notes
    -----
    The norm is that of the gradients as they are. If they are still multiplied by a loss scale,
    which the `grad_scale` of the step takes away, so must be `max_norm`.

    Examples
    --------
    >>> import torch
    >>> import bridle.torch
    >>> w = torch.tensor([1.0, 1.0], requires_grad=True)
    >>> optimizer = bridle.torch.ProxSGD([w], lr=0.5)
    >>> w.grad = torch.tensor([3.0, 4.0])
    >>> bridle.torch.clip_grad_norm_([w], 1.0, optimizer=optimizer)
    tensor(5., dtype=torch.float64)
    >>> optimizer.step()
    >>> w
    tensor([0.7000, 0.6000], requires_grad=True)
    """
    most = non_negative(_NAME, "max_norm", plain(max_norm))
    tensors = [parameters] if isinstance(parameters, torch.Tensor) else list(parameters)
    if optimizer is not None:
        _check_optimizer(optimizer, tensors)
    gradients = {t: gradient_of(t) for t in tensors if t.grad is not None}
    groups: dict[Sharding | None, list[torch.Tensor]] = {}
    for tensor in dict.fromkeys(tensors):  # also without a gradient: all processes do the same
        groups.setdefault(sharding_of(tensor), []).extend(
            [gradients[tensor]] if tensor in gradients else []
        )
    arrays = {sharding: _listed(group) for sharding, group in groups.items()}
    norm = _norm_of(arrays, written=optimizer is None)
    scale = clip_scale_of(_NAME, norm, most)
    if optimizer is not None:
        optimizer._clip_scales |= dict.fromkeys(gradients, scale)
    elif scale < 1.0:
        for group in arrays.values():
            combine(SCALE, scale, group)
        for gradient in gradients.values():
            was_written(gradient)
    return torch.tensor(norm.l2, dtype=torch.float64, device="cpu")


def _check_optimizer(optimizer: Any, tensors: list[torch.Tensor]) -> None:
    if not isinstance(optimizer, Proximal):
        got = type(optimizer).__name__
        raise TypeError(f"{_NAME}: optimizer must be a ProxAdamW or ProxSGD, got {got}")
    own = {tensor for group in optimizer.param_groups for tensor in group["params"]}
    foreign = sum(tensor not in own for tensor in tensors)
    if foreign > 0:
        rule = "parameters must be those of the optimizer"
        raise ValueError(f"{_NAME}: {rule}, got {foreign} of others")


def _listed(gradients: list[torch.Tensor]) -> Listed:
    arrays = tuple(array_of(_NAME, local(gradient)) for gradient in gradients)
    return listed(_NAME, "gradients", arrays)


def _norm_of(arrays: dict[Sharding | None, Listed], *, written: bool) -> GlobalNorm:
    norms = []
    for sharding, group in arrays.items():
        own = measured(group, 1.0, written=written)
        every = [own] if sharding is None else of_all_shards(own, sharding)
        norms += [GlobalNorm(l2, largest, bool(finite)) for l2, largest, finite in every]
    largest = [norm.largest for norm in norms]
    if any(math.isnan(number) for number in largest):
        return GlobalNorm(math.nan, math.nan, False)
    l2 = math.hypot(*(norm.l2 for norm in norms))
    return GlobalNorm(l2, max(largest, default=0.0), all(norm.finite for norm in norms))
