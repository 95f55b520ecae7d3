"""Optimizers for PyTorch: the fused updates on the memory of its tensors."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch

from bridle._updates.call import UpdateSummary
from bridle._updates.functions import adamw_update, sgd_update
from bridle.torch._state import MASTER
from bridle.torch._stepping import Call, Proximal, regularization

__all__ = ["ProxAdamW", "ProxSGD"]


class ProxSGD(Proximal):
    r"""Stochastic gradient descent with decoupled decay and an elastic-net proximal step.

    See `bridle.sgd_update` for the formula. With `l1` > 0, weights become exact zeros.

    Parameters
    ----------
    params : iterable of tensor or of dict
        Parameters of type float16, bfloat16, float32 or float64 on the CPU, or groups of them;
        every option may be set per group. Of those that are sharded over processes (DTensors, as
        `fully_shard` makes them) each process steps its shards.
    lr : float or tensor of one element, default 1e-3
        Learning rate.
    momentum, nesterov, weight_decay, l1, l2, decay, cautious
        As for `bridle.sgd_update`.
    master_weights : bool, default False
        Step float32 weights, kept in the state as ``"master"``, of which float16 and bfloat16
        parameters are copies: small steps are not lost. They follow weights that are loaded before
        the first step; later the state must be loaded with the weights.
    rounding : {"nearest", "stochastic"}, default "nearest"
        How half parameters, copies or not, are rounded; "stochastic" needs a `seed`, draws other
        random bits in each step, and has no effect on parameters of other types.
    seed : int, optional
        Names the random bits, see `bridle.adamw_update`; positions count through all parameters of
        all groups, so that shards of a parameter get the bits that it would get in one process.
    maximize : bool, default False
        Go up along the gradients instead of down.
    foreach, fused : bool or None, default None
        Without effect, as the steps are fused; for exchange with the optimizers of PyTorch.
    capturable, differentiable : bool, default False
        Must be False.

    Attributes
    ----------
    last_summary : UpdateSummary or None
        Penalty, non-zeros and finiteness of the weights that the last step has written, in all
        groups and all shards; masters count instead of their copies, parameters without a gradient
        not at all.

    Raises
    ------
    ValueError, TypeError
        If an option does not fit or a tensor is not on the CPU, and, in a step, if a tensor with a
        gradient is not dense or not of one of the types; no weight has been written then.

    Notes
    -----
    Gradients may be of any of the types, but of float64 only where the parameter is; they are read
    as they are. The state can be saved before the first step, so that tools which load it, such as
    ``torch.distributed.checkpoint``, take no step to make it.

    The step exchanges the summary of sharded parameters between their processes, three numbers
    each, so all of them must call it; to read `last_summary` asks for nothing.

    Examples
    --------
    >>> import torch
    >>> import bridle.torch
    >>> w = torch.tensor([1.0, 0.05], requires_grad=True)
    >>> optimizer = bridle.torch.ProxSGD([w], lr=0.1, l1=1.0)
    >>> w.sum().backward()
    >>> optimizer.step()
    >>> w
    tensor([0.8000, 0.0000], requires_grad=True)
    >>> optimizer.last_summary.nonzeros
    1
    """

    _theirs = "torch.optim.SGD"
    _telling = "momentum", "dampening"
    _state_of_a_tensor = ()
    _tensors_of_the_state = ("momentum_buffer", MASTER)
    _update = "sgd_update"
    _state_of_the_update = ("momentum_buffer",)
    _counts_steps = False

    def __init__(
        self,
        params: Iterable[Any],
        lr: float | torch.Tensor = 1e-3,
        *,
        momentum: float = 0.0,
        nesterov: bool = False,
        weight_decay: float = 0.0,
        l1: float = 0.0,
        l2: float = 0.0,
        decay: str = "decoupled",
        cautious: bool = False,
        master_weights: bool = False,
        rounding: str = "nearest",
        seed: int | None = None,
        maximize: bool = False,
        foreach: bool | None = None,
        fused: bool | None = None,
        capturable: bool = False,
        differentiable: bool = False,
    ) -> None:
        options: dict[str, Any] = {"lr": lr, "momentum": momentum, "nesterov": nesterov}
        options |= {"l1": l1, "l2": l2, "weight_decay": weight_decay, "decay": decay}
        options |= {"cautious": cautious, "master_weights": master_weights}
        options |= {"rounding": rounding, "seed": seed, "maximize": maximize}
        unsupported = {"capturable": capturable, "differentiable": differentiable}
        super().__init__(params, options, unsupported)

    def _decay_of_theirs(self, group: dict[str, Any]) -> str:
        return "coupled"

    def _state_names(self, options: dict[str, Any]) -> tuple[str, ...]:
        return ("momentum_buffer",) if options["momentum"] else ()

    def _run(self, call: Call) -> UpdateSummary:
        options = call.options
        return sgd_update(
            call.weights,
            call.gradients,
            options["lr"],
            momentum=options["momentum"],
            nesterov=options["nesterov"],
            momentum_buffer=call.state[0] if call.state else None,
            **regularization(options),
            **call.keywords,
        )


class ProxAdamW(Proximal):
    r"""AdamW with an elastic-net proximal step of the size that each element's update has.

    See `bridle.adamw_update` for the formula. With `l1` > 0, weights become exact zeros.

    Parameters
    ----------
    params : iterable of tensor or of dict
        Parameters of type float16, bfloat16, float32 or float64 on the CPU, or groups of them;
        every option may be set per group, so that a group with ``weight_decay=0`` and ``l1=0`` is
        exempt. Of those that are sharded over processes (DTensors, as `fully_shard` makes them)
        each process steps its shards.
    lr : float or tensor of one element, default 1e-3
        Learning rate.
    betas : tuple of float, default (0.9, 0.999)
        Decay rates of the moments.
    eps : float, default 1e-8
        Added to the denominator.
    weight_decay, l1, l2, decay, cautious, prox_step
        As for `bridle.adamw_update`, but `weight_decay` is 1e-2 by default, as in PyTorch.
    master_weights : bool, default False
        Step float32 weights, kept in the state as ``"master"``, of which float16 and bfloat16
        parameters are copies: small steps are not lost. They follow weights that are loaded before
        the first step; later the state must be loaded with the weights.
    rounding : {"nearest", "stochastic"}, default "nearest"
        How half parameters, copies or not, are rounded; "stochastic" needs a `seed`, draws other
        random bits in each step, and has no effect on parameters of other types.
    seed : int, optional
        Names the random bits, see `bridle.adamw_update`; positions count through all parameters of
        all groups, so that shards of a parameter get the bits that it would get in one process.
    maximize : bool, default False
        Go up along the gradients instead of down.
    foreach, fused : bool or None, default None
        Without effect, as the steps are fused; for exchange with the optimizers of PyTorch.
    capturable, differentiable : bool, default False
        Must be False.

    Attributes
    ----------
    last_summary : UpdateSummary or None
        Penalty, non-zeros and finiteness of the weights that the last step has written, in all
        groups and all shards; masters count instead of their copies, parameters without a gradient
        not at all.

    Raises
    ------
    ValueError, TypeError
        If an option does not fit or a tensor is not on the CPU, and, in a step, if a tensor with a
        gradient is not dense or not of one of the types; no weight has been written then.

    Notes
    -----
    Gradients may be of any of the types, but of float64 only where the parameter is; they are read
    as they are. The state can be saved before the first step, so that tools which load it, such as
    ``torch.distributed.checkpoint``, take no step to make it.

    The step exchanges the summary of sharded parameters between their processes, three numbers
    each, so all of them must call it; to read `last_summary` asks for nothing.

    Examples
    --------
    >>> import torch
    >>> import bridle.torch
    >>> model = torch.nn.Linear(4, 2)
    >>> optimizer = bridle.torch.ProxAdamW(model.parameters(), lr=0.1, l1=10.0)
    >>> model(torch.ones(3, 4)).sum().backward()
    >>> optimizer.step()
    >>> optimizer.last_summary.finite
    True
    """

    _theirs = "torch.optim.Adam or AdamW"
    _telling = "betas", "amsgrad"
    _state_of_a_tensor = ("step", "exp_avg", "exp_avg_sq")
    _tensors_of_the_state = ("exp_avg", "exp_avg_sq", MASTER)
    _update = "adamw_update"
    _state_of_the_update = ("first_moment", "second_moment")
    _counts_steps = True

    def __init__(
        self,
        params: Iterable[Any],
        lr: float | torch.Tensor = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
        *,
        l1: float = 0.0,
        l2: float = 0.0,
        decay: str = "decoupled",
        cautious: bool = False,
        prox_step: str = "adaptive",
        master_weights: bool = False,
        rounding: str = "nearest",
        seed: int | None = None,
        maximize: bool = False,
        foreach: bool | None = None,
        fused: bool | None = None,
        capturable: bool = False,
        differentiable: bool = False,
    ) -> None:
        options: dict[str, Any] = {"lr": lr, "betas": betas, "eps": eps}
        options |= {"weight_decay": weight_decay, "l1": l1, "l2": l2, "decay": decay}
        options |= {"cautious": cautious, "prox_step": prox_step, "master_weights": master_weights}
        options |= {"rounding": rounding, "seed": seed, "maximize": maximize}
        unsupported = {"capturable": capturable, "differentiable": differentiable}
        super().__init__(params, options, unsupported)

    def _decay_of_theirs(self, group: dict[str, Any]) -> str:
        if "decoupled_weight_decay" not in group:
            name, rule = type(self).__name__, "must have decoupled_weight_decay or decay"
            why = "as Adam and AdamW of old versions of PyTorch write the same"
            raise ValueError(f"{name}: param_groups {rule}, {why}, got options {', '.join(group)}")
        return "decoupled" if group["decoupled_weight_decay"] else "coupled"

    def _state_names(self, options: dict[str, Any]) -> tuple[str, ...]:
        return "exp_avg", "exp_avg_sq"

    def _run(self, call: Call) -> UpdateSummary:
        options = call.options
        first, second = call.state
        return adamw_update(
            call.weights,
            call.gradients,
            first,
            second,
            options["lr"],
            call.shared.step,
            betas=tuple(options["betas"]),
            epsilon=options["eps"],
            **regularization(options, "prox_step"),
            **call.keywords,
        )
