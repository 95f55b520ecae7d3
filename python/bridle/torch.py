"""Optimizers and dropout for PyTorch on the CPU; import it explicitly.

The optimizers are `bridle.sgd_update` and `bridle.adamw_update`: they work on the memory of the
tensors, without a copy. PyTorch is needed for this module alone.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any, overload

import numpy as np
import torch
from numpy.typing import NDArray

from bridle._dropout import dropout
from bridle._noise import counter, probability
from bridle._update import adamw_update, sgd_update
from bridle._update_call import UpdateSummary

__all__ = ["Dropout", "ProxAdamW", "ProxSGD"]


def _array(name: str, tensor: torch.Tensor) -> NDArray[Any]:
    """Return the memory of a tensor as an array."""
    if tensor.device.type != "cpu":
        raise ValueError(f"{name}: tensors must be on the CPU, got one on {tensor.device}")
    if tensor.layout != torch.strided:
        raise ValueError(f"{name}: tensors must be dense, got one of layout {tensor.layout}")
    detached = tensor.detach()
    if tensor.dtype == torch.bfloat16:  # NumPy has no such type, but ml_dtypes
        return np.asarray(detached.view(torch.int16).numpy()).view("bfloat16")
    return np.asarray(detached.numpy())


class _Proximal(torch.optim.Optimizer):
    """What both optimizers share: groups, state, and the summary of the last step."""

    last_summary: UpdateSummary | None = None

    @overload
    def step(self, closure: None = None) -> None: ...
    @overload
    def step(self, closure: Callable[[], float]) -> float: ...
    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> float | None:
        """Update all parameters that have a gradient.

        Parameters
        ----------
        closure : callable, optional
            Evaluates the model again and returns the loss.

        Returns
        -------
        float or None
            What `closure` returned.
        """
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            for tensor in group["params"]:
                self._check(tensor)
        self.last_summary = _joined([self._update(group) for group in self.param_groups])
        return loss

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Load the state of an optimizer; see `torch.optim.Optimizer.load_state_dict`."""
        super().load_state_dict(state_dict)
        # PyTorch has given the state the type of its parameter; that of halves is float32.
        numbers = [i for group in state_dict["param_groups"] for i in group["params"]]
        tensors = [p for group in self.param_groups for p in group["params"]]
        for number, tensor in zip(numbers, tensors, strict=True):
            for name, value in state_dict["state"].get(number, {}).items():
                if isinstance(value, torch.Tensor):
                    self.state[tensor][name] = value.detach().clone()

    def _check(self, tensor: torch.Tensor) -> None:
        name = type(self).__name__
        _array(name, tensor)
        if tensor.grad is not None:
            _array(name, tensor.grad)

    def _update(self, group: dict[str, Any]) -> UpdateSummary:
        raise NotImplementedError

    def _state(self, tensor: torch.Tensor, name: str) -> torch.Tensor:
        state = self.state[tensor]
        if name not in state:
            half = tensor.dtype in (torch.float16, torch.bfloat16)
            dtype = torch.float32 if half else tensor.dtype
            state[name] = torch.zeros_like(tensor, dtype=dtype)
        return state[name]

    def _arrays(self, tensors: list[torch.Tensor]) -> list[NDArray[Any]]:
        return [_array(type(self).__name__, tensor) for tensor in tensors]


def _joined(summaries: list[UpdateSummary]) -> UpdateSummary:
    return UpdateSummary(
        math.fsum(s.penalty for s in summaries),
        sum(s.nonzeros for s in summaries),
        all(s.finite for s in summaries),
    )


def _regularization(group: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: group[name] for name in ("l1", "l2", "weight_decay", "decay", "cautious", *names)}


def _bump_versions(tensors: list[torch.Tensor]) -> None:
    # Autograd must notice that tensors it has saved have been written, as after PyTorch's own step.
    for tensor in tensors:
        torch.autograd.graph.increment_version(tensor)


class ProxSGD(_Proximal):
    r"""Stochastic gradient descent with decoupled decay and an elastic-net proximal step.

    See `bridle.sgd_update` for the formula. With `l1` > 0, weights become exact zeros.

    Parameters
    ----------
    params : iterable of tensor or of dict
        Parameters on the CPU, or groups of them; every option may be set per group.
    lr : float, default 1e-3
        Learning rate.
    momentum, nesterov, weight_decay, l1, l2, decay, cautious
        As for `bridle.sgd_update`.

    Attributes
    ----------
    last_summary : UpdateSummary or None
        Penalty, non-zeros and finiteness of the weights after the last step.

    Raises
    ------
    ValueError
        If a tensor is not on the CPU; nothing has been written then.

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

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-3,
        *,
        momentum: float = 0.0,
        nesterov: bool = False,
        weight_decay: float = 0.0,
        l1: float = 0.0,
        l2: float = 0.0,
        decay: str = "decoupled",
        cautious: bool = False,
    ) -> None:
        options: dict[str, Any] = {
            "lr": lr,
            "momentum": momentum,
            "nesterov": nesterov,
            "l1": l1,
            "l2": l2,
        }
        options |= {"weight_decay": weight_decay, "decay": decay, "cautious": cautious}
        super().__init__(params, options)
        for group in self.param_groups:
            _run_sgd(group, [], [], [] if group["momentum"] else None)

    def _update(self, group: dict[str, Any]) -> UpdateSummary:
        tensors = [p for p in group["params"] if p.grad is not None]
        gradients = self._arrays([p.grad for p in tensors])
        buffers = None
        if group["momentum"]:
            buffers = self._arrays([self._state(p, "momentum_buffer") for p in tensors])
        summary = _run_sgd(group, self._arrays(tensors), gradients, buffers)
        _bump_versions(tensors)
        return summary


def _run_sgd(group: dict[str, Any], weights: Any, gradients: Any, buffers: Any) -> UpdateSummary:
    return sgd_update(
        weights,
        gradients,
        group["lr"],
        momentum=group["momentum"],
        nesterov=group["nesterov"],
        momentum_buffer=buffers,
        **_regularization(group),
    )


class ProxAdamW(_Proximal):
    r"""AdamW with an elastic-net proximal step of the size that each element's update has.

    See `bridle.adamw_update` for the formula. With `l1` > 0, weights become exact zeros.

    Parameters
    ----------
    params : iterable of tensor or of dict
        Parameters on the CPU, or groups of them; every option may be set per group, so that a group
        with ``weight_decay=0`` and ``l1=0`` is exempt.
    lr : float, default 1e-3
        Learning rate.
    betas : tuple of float, default (0.9, 0.999)
        Decay rates of the moments.
    eps : float, default 1e-8
        Added to the denominator.
    weight_decay, l1, l2, decay, cautious, prox_step
        As for `bridle.adamw_update`, but `weight_decay` is 1e-2 by default, as in PyTorch.

    Attributes
    ----------
    last_summary : UpdateSummary or None
        Penalty, non-zeros and finiteness of the weights after the last step.

    Raises
    ------
    ValueError
        If a tensor is not on the CPU; nothing has been written then.

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

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
        *,
        l1: float = 0.0,
        l2: float = 0.0,
        decay: str = "decoupled",
        cautious: bool = False,
        prox_step: str = "adaptive",
    ) -> None:
        options: dict[str, Any] = {
            "lr": lr,
            "betas": betas,
            "eps": eps,
            "weight_decay": weight_decay,
            "l1": l1,
        }
        options |= {"l2": l2, "decay": decay, "cautious": cautious, "prox_step": prox_step}
        super().__init__(params, options)
        for group in self.param_groups:
            _run_adamw(group, [], [], [], [], 1)

    def _update(self, group: dict[str, Any]) -> UpdateSummary:
        tensors = [p for p in group["params"] if p.grad is not None]
        # Parameters that have had the same number of steps are updated together.
        by_step: dict[int, list[torch.Tensor]] = {}
        for p in tensors:
            self.state[p].setdefault("step", 0)
            by_step.setdefault(int(self.state[p]["step"]) + 1, []).append(p)
        summaries = []
        for step, members in by_step.items():
            arrays = (
                self._arrays(members),
                self._arrays([p.grad for p in members if p.grad is not None]),
                self._arrays([self._state(p, "exp_avg") for p in members]),
                self._arrays([self._state(p, "exp_avg_sq") for p in members]),
            )
            summaries.append(_run_adamw(group, *arrays, step))
            for p in members:
                self.state[p]["step"] = step
        _bump_versions(tensors)
        return _joined(summaries)


def _run_adamw(
    group: dict[str, Any], weights: Any, gradients: Any, first: Any, second: Any, step: int
) -> UpdateSummary:
    return adamw_update(
        weights,
        gradients,
        first,
        second,
        group["lr"],
        step,
        betas=tuple(group["betas"]),
        epsilon=group["eps"],
        **_regularization(group, "prox_step"),
    )


class _Masked(torch.autograd.Function):
    """Dropout whose backward pass draws the mask again."""

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor, p: float, seed: int, stream: int) -> torch.Tensor:
        ctx.key = p, seed, stream
        return _dropped(x, p, seed, stream)

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor, None, None, None]:
        p, seed, stream = ctx.key
        return _Masked.apply(gradients[0], p, seed, stream), None, None, None


def _dropped(x: torch.Tensor, p: float, seed: int, stream: int) -> torch.Tensor:
    result = torch.empty_like(x)
    dropout(_array("Dropout", x), p, seed=seed, stream=stream, out=_array("Dropout", result))
    return result


class Dropout(torch.nn.Module):
    """Dropout with a seed of its own, that saves no mask for the backward pass.

    Each training call uses the next `stream`, as `bridle.Dropout` does, and the decisions are those
    of `bridle.dropout` with this seed and stream. `eval()` makes it the identity.

    Parameters
    ----------
    p : float, default 0.5
        Probability of dropping an element.
    seed : int
        Names the random bits. Layers of a network need different seeds.
    stream : int, default 0
        Stream of the first training call; it is part of the module's `state_dict`.

    Raises
    ------
    ValueError
        If a tensor is not on the CPU.

    Examples
    --------
    >>> import torch
    >>> import bridle.torch
    >>> layer = bridle.torch.Dropout(0.5, seed=1)
    >>> layer(torch.ones(8))
    tensor([2., 0., 2., 2., 2., 0., 2., 0.])
    >>> layer.eval()(torch.ones(2))
    tensor([1., 1.])
    """

    def __init__(self, p: float = 0.5, *, seed: int, stream: int = 0) -> None:
        super().__init__()
        self.p = probability("Dropout", p)
        self.seed = counter("Dropout", "seed", seed)
        self.stream = counter("Dropout", "stream", stream)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Drop elements with the next stream, in training."""
        if not self.training:
            return x
        result: torch.Tensor = _Masked.apply(x, self.p, self.seed, self.stream)
        self.stream += 1
        return result

    def get_extra_state(self) -> dict[str, int]:
        """Return seed and stream for `state_dict`."""
        return {"seed": self.seed, "stream": self.stream}

    def set_extra_state(self, state: dict[str, int]) -> None:
        """Take seed and stream from a `state_dict`."""
        self.seed = counter("Dropout", "seed", state["seed"])
        self.stream = counter("Dropout", "stream", state["stream"])

    def extra_repr(self) -> str:
        """Return what `repr` shows."""
        return f"p={self.p}, seed={self.seed}, stream={self.stream}"
