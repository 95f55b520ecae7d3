"""Optimizers for PyTorch: the fused updates on the memory of its tensors."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple, overload

import torch
from numpy.typing import NDArray

from bridle._update import adamw_update, sgd_update
from bridle._update_call import UpdateSummary
from bridle.torch._arrays import HALVES, array_of, check_device, state_type

__all__ = ["ProxAdamW", "ProxSGD"]

_NOT_SUPPORTED = ("amsgrad", "dampening", "maximize")


class _Call(NamedTuple):
    """One update: tensors of a group that have had the same number of steps, and their arrays."""

    group: dict[str, Any]
    tensors: list[torch.Tensor]
    weights: list[NDArray[Any]]
    gradients: list[NDArray[Any]]
    state: list[list[NDArray[Any]]]
    step: int


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

        Raises
        ------
        ValueError, TypeError
            If a tensor or an option of any group does not fit; no weight has been written then.
        """
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            self._check(group)
        calls = [call for group in self.param_groups for call in self._calls(group)]
        self.last_summary = _joined([self._taken(call) for call in calls])
        return loss

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Add a group of parameters; see `torch.optim.Optimizer.add_param_group`."""
        super().add_param_group(param_group)
        try:
            self._check(self.param_groups[-1])
        except (TypeError, ValueError):
            self.param_groups.pop()
            raise

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Load the state of an optimizer; see `torch.optim.Optimizer.load_state_dict`.

        It may come from ``torch.optim.SGD``, ``Adam`` or ``AdamW`` as well; options which those do
        not have keep the values that this optimizer was made with.
        """
        super().load_state_dict(state_dict)
        # PyTorch has given the state the type of its parameter; that of halves is float32.
        numbers = [i for group in state_dict["param_groups"] for i in group["params"]]
        tensors = [p for group in self.param_groups for p in group["params"]]
        for number, tensor in zip(numbers, tensors, strict=True):
            for name, value in state_dict["state"].get(number, {}).items():
                if name == "step":
                    self.state[tensor][name] = int(value)
                elif isinstance(value, torch.Tensor):
                    to = tensor.device, state_type(tensor)
                    self.state[tensor][name] = value.detach().to(*to, copy=True)

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        for group in self.param_groups:
            for name, value in self.defaults.items():
                group.setdefault(name, value)

    def _check(self, group: dict[str, Any]) -> None:
        """Check the options of a group, and where its tensors are."""
        name = type(self).__name__
        for option in _NOT_SUPPORTED:
            if group.get(option):
                raise ValueError(f"{name}: {option} is not supported, got {group[option]}")
        self._run(_Call(group, [], [], [], [[] for _ in self._state_names(group)], 1))
        for tensor in group["params"]:
            check_device(name, tensor)

    def _calls(self, group: dict[str, Any]) -> Iterator[_Call]:
        by_step: dict[int, list[torch.Tensor]] = {}
        for tensor in group["params"]:
            if tensor.grad is not None:
                by_step.setdefault(self._next_step(tensor), []).append(tensor)
        for step, tensors in by_step.items():
            yield _Call(
                group,
                tensors,
                [array_of(type(self).__name__, tensor) for tensor in tensors],
                [self._gradient(tensor) for tensor in tensors],
                [[self._state(t, name) for t in tensors] for name in self._state_names(group)],
                step,
            )

    def _gradient(self, tensor: torch.Tensor) -> NDArray[Any]:
        name, gradient = type(self).__name__, tensor.grad
        assert gradient is not None
        array = array_of(name, gradient)
        if gradient.dtype not in (tensor.dtype, state_type(tensor)):
            either = f"{tensor.dtype}" + (" or torch.float32" if tensor.dtype in HALVES else "")
            rule = f"the gradient of a tensor of {tensor.dtype} must be of {either}"
            raise TypeError(f"{name}: {rule}, got {gradient.dtype}")
        return array

    def _state(self, tensor: torch.Tensor, name: str) -> NDArray[Any]:
        state = self.state[tensor]
        if state.get(name) is None:
            state[name] = torch.zeros_like(tensor, dtype=state_type(tensor))
        if state[name].shape != tensor.shape:
            rule = f"{name} must have the shape of its parameter, {tuple(tensor.shape)}"
            raise ValueError(f"{type(self).__name__}: {rule}, got {tuple(state[name].shape)}")
        return array_of(type(self).__name__, state[name])

    def _taken(self, call: _Call) -> UpdateSummary:
        summary = self._run(call)
        for tensor in call.tensors:
            # Autograd must notice that tensors it has saved were written, as after PyTorch's step.
            torch.autograd.graph.increment_version(tensor)
        return summary

    def _next_step(self, tensor: torch.Tensor) -> int:
        """Return the number of the next step of a tensor, where that matters."""
        return 1

    def _state_names(self, group: dict[str, Any]) -> tuple[str, ...]:
        """Return what the state of a tensor is called; each optimizer has its own."""
        raise NotImplementedError

    def _run(self, call: _Call) -> UpdateSummary:
        """Call the update of the optimizer."""
        raise NotImplementedError


def _joined(summaries: list[UpdateSummary]) -> UpdateSummary:
    return UpdateSummary(
        math.fsum(s.penalty for s in summaries),
        sum(s.nonzeros for s in summaries),
        all(s.finite for s in summaries),
    )


def _regularization(group: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: group[name] for name in ("l1", "l2", "weight_decay", "decay", "cautious", *names)}


class ProxSGD(_Proximal):
    r"""Stochastic gradient descent with decoupled decay and an elastic-net proximal step.

    See `bridle.sgd_update` for the formula. With `l1` > 0, weights become exact zeros.

    Parameters
    ----------
    params : iterable of tensor or of dict
        Parameters of type float16, bfloat16, float32 or float64 on the CPU, or groups of them;
        every option may be set per group.
    lr : float, default 1e-3
        Learning rate.
    momentum, nesterov, weight_decay, l1, l2, decay, cautious
        As for `bridle.sgd_update`.

    Attributes
    ----------
    last_summary : UpdateSummary or None
        Penalty, non-zeros and finiteness of the weights that the last step has written, in all
        groups; parameters without a gradient do not count.

    Raises
    ------
    ValueError, TypeError
        If an option does not fit or a tensor is not on the CPU, and, in a step, if a tensor with a
        gradient is not dense or not of one of the types; no weight has been written then.

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

    def _state_names(self, group: dict[str, Any]) -> tuple[str, ...]:
        return ("momentum_buffer",) if group["momentum"] else ()

    def _run(self, call: _Call) -> UpdateSummary:
        group = call.group
        return sgd_update(
            call.weights,
            call.gradients,
            group["lr"],
            momentum=group["momentum"],
            nesterov=group["nesterov"],
            momentum_buffer=call.state[0] if call.state else None,
            **_regularization(group),
        )


class ProxAdamW(_Proximal):
    r"""AdamW with an elastic-net proximal step of the size that each element's update has.

    See `bridle.adamw_update` for the formula. With `l1` > 0, weights become exact zeros.

    Parameters
    ----------
    params : iterable of tensor or of dict
        Parameters of type float16, bfloat16, float32 or float64 on the CPU, or groups of them;
        every option may be set per group, so that a group with ``weight_decay=0`` and ``l1=0`` is
        exempt.
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
        Penalty, non-zeros and finiteness of the weights that the last step has written, in all
        groups; parameters without a gradient do not count.

    Raises
    ------
    ValueError, TypeError
        If an option does not fit or a tensor is not on the CPU, and, in a step, if a tensor with a
        gradient is not dense or not of one of the types; no weight has been written then.

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

    def _next_step(self, tensor: torch.Tensor) -> int:
        return int(self.state[tensor].get("step", 0)) + 1

    def _state_names(self, group: dict[str, Any]) -> tuple[str, ...]:
        return "exp_avg", "exp_avg_sq"

    def _run(self, call: _Call) -> UpdateSummary:
        group = call.group
        first, second = call.state
        summary = adamw_update(
            call.weights,
            call.gradients,
            first,
            second,
            group["lr"],
            call.step,
            betas=tuple(group["betas"]),
            epsilon=group["eps"],
            **_regularization(group, "prox_step"),
        )
        for tensor in call.tensors:
            self.state[tensor]["step"] = call.step
        return summary
