"""What the optimizers share: groups, state, and the steps."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple, overload

import torch
from numpy.typing import NDArray

from bridle._updates.call import UpdateSummary
from bridle.torch._arrays import HALVES, array_of, check_device, state_type
from bridle.torch._loading import NOT_SUPPORTED, Loading


class Call(NamedTuple):
    """One update: tensors of a group that have had the same number of steps, and their arrays."""

    options: dict[str, Any]
    tensors: list[torch.Tensor]
    weights: list[NDArray[Any]]
    gradients: list[NDArray[Any]]
    state: list[list[NDArray[Any]]]
    step: int


class Proximal(Loading):
    """An optimizer whose step is one of the fused updates."""

    last_summary: UpdateSummary | None = None

    @overload
    def step(self, closure: None = None) -> None: ...
    @overload
    def step(self, closure: Callable[[], float]) -> float: ...
    @torch._disable_dynamo  # opaque to torch.compile: there is nothing in it that could be fused
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
            self._check(group, group["params"])
        calls = [call for group in self.param_groups for call in self._calls(group)]
        self.last_summary = _joined([self._taken(call) for call in calls])
        return loss

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Add a group of parameters; see `torch.optim.Optimizer.add_param_group`."""
        super().add_param_group(param_group)
        try:
            self._check(self.param_groups[-1], self.param_groups[-1]["params"])
        except (TypeError, ValueError):
            self.param_groups.pop()
            raise

    def __getstate__(self) -> dict[str, Any]:
        return {**super().__getstate__(), "last_summary": self.last_summary}

    def _check(self, group: dict[str, Any], tensors: list[torch.Tensor]) -> None:
        """Check the options of a group, and where its tensors are."""
        name = type(self).__name__
        for option in NOT_SUPPORTED:
            if group.get(option):
                raise ValueError(f"{name}: {option} is not supported, got {group[option]}")
        options = self._options(group)
        self._run(Call(options, [], [], [], [[] for _ in self._state_names(options)], 1))
        for tensor in tensors:
            check_device(name, tensor)

    def _options(self, group: dict[str, Any]) -> dict[str, Any]:
        return {name: _plain(group[name]) for name in self.defaults}

    def _calls(self, group: dict[str, Any]) -> Iterator[Call]:
        options = self._options(group)
        by_step: dict[int, list[torch.Tensor]] = {}
        for tensor in group["params"]:
            if tensor.grad is not None:
                by_step.setdefault(self._next_step(tensor), []).append(tensor)
        for step, tensors in by_step.items():
            yield Call(
                options,
                tensors,
                [array_of(type(self).__name__, tensor) for tensor in tensors],
                [self._gradient(tensor) for tensor in tensors],
                [[self._state(t, name) for t in tensors] for name in self._state_names(options)],
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

    def _taken(self, call: Call) -> UpdateSummary:
        summary = self._run(call)
        for tensor in call.tensors:
            # Autograd must notice that tensors it has saved were written, as after PyTorch's step.
            torch.autograd.graph.increment_version(tensor)
        return summary

    def _next_step(self, tensor: torch.Tensor) -> int:
        """Return the number of the next step of a tensor, where that matters."""
        return 1

    def _state_names(self, options: dict[str, Any]) -> tuple[str, ...]:
        """Return what the state of a tensor is called; each optimizer has its own."""
        raise NotImplementedError

    def _run(self, call: Call) -> UpdateSummary:
        """Call the update of the optimizer."""
        raise NotImplementedError


def _plain(value: Any) -> Any:
    """Return an option as a number, which may be given as a tensor of one element."""
    if isinstance(value, tuple | list):
        return tuple(map(_plain, value))
    return value.item() if isinstance(value, torch.Tensor) and value.numel() == 1 else value


def _joined(summaries: list[UpdateSummary]) -> UpdateSummary:
    return UpdateSummary(
        math.fsum(s.penalty for s in summaries),
        sum(s.nonzeros for s in summaries),
        all(s.finite for s in summaries),
    )


def regularization(options: dict[str, Any], *names: str) -> dict[str, Any]:
    return {
        name: options[name] for name in ("l1", "l2", "weight_decay", "decay", "cautious", *names)
    }
