"""What the optimizers share: groups, state, and the steps."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple, overload

import torch
from numpy.typing import NDArray

from bridle._call import any_number
from bridle._updates.call import Starts, UpdateSummary, check_arrays, flag
from bridle.torch._arrays import HALVES, array_of, check_device
from bridle.torch._shards import (
    Sharding,
    gradient_of,
    local,
    of_all_shards,
    places_of,
    sharding_of,
    shardings_of,
    was_written,
)
from bridle.torch._state import FALSE_ALONE, MASTER, NOT_SUPPORTED, WITHOUT_EFFECT, Stateful


class Shared(NamedTuple):
    """What tensors of a group share that are updated in one call."""

    step: int
    """Number of the step, where that matters."""
    clip_scale: float
    rounds: bool
    """Whether halves are written that are not rounded to nearest, or beside their masters."""
    sharding: Sharding | None


class Call(NamedTuple):
    """One update: tensors of a group that have much in common, and the arrays of their parts."""

    options: dict[str, Any]
    shared: Shared
    tensors: list[torch.Tensor]
    weights: list[NDArray[Any]]
    gradients: list[NDArray[Any]]
    state: list[list[NDArray[Any]]]
    keywords: dict[str, Any]
    """Those of the update that are no options of a group."""


class Proximal(Stateful):
    """An optimizer whose step is one of the fused updates."""

    _update: str
    """The name of the update."""
    _state_of_the_update: tuple[str, ...]
    """What the update calls its state."""
    _counts_steps: bool
    """Whether the update depends on the number of the step."""

    last_summary: UpdateSummary | None = None

    def __init__(
        self, params: Iterable[Any], defaults: dict[str, Any], unsupported: dict[str, Any]
    ) -> None:
        self._clip_scales: dict[torch.Tensor, float] = {}
        self._refuse(unsupported)
        super().__init__(params, defaults)

    @overload
    def step(self, closure: None = None, *, grad_scale: float = 1.0) -> None: ...
    @overload
    def step(self, closure: Callable[[], float], *, grad_scale: float = 1.0) -> float: ...
    @torch._disable_dynamo  # opaque to torch.compile: there is nothing in it that could be fused
    @torch.no_grad()
    def step(
        self, closure: Callable[[], float] | None = None, *, grad_scale: float = 1.0
    ) -> float | None:
        """Update all parameters that have a gradient.

        Where parameters are sharded, all processes must call it.

        Parameters
        ----------
        closure : callable, optional
            Evaluates the model again and returns the loss.
        grad_scale : float, default 1.0
            Multiplies the gradients, in the same pass: the reciprocal of a loss scale. It comes
            beside the scale of `clip_grad_norm_`.

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
        scale = any_number(type(self).__name__, "grad_scale", plain(grad_scale))
        self._forget_others()
        for group in self.param_groups:
            self._check(group, group["params"])
        calls = self._calls(scale)
        if len(calls) > 1:  # a single one checks its arrays before it writes
            for call in calls:
                self._check_arrays(call)
        summaries = [(call.shared.sharding, self._taken(call)) for call in calls]
        self._clip_scales.clear()
        self.last_summary = self._of_all_shards(summaries)
        return loss

    @torch._disable_dynamo
    def zero_grad(self, set_to_none: bool = True) -> None:
        """Reset the gradients, and forget the scale that they were to be clipped with."""
        super().zero_grad(set_to_none)
        self._clip_scales.clear()

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Add a group of parameters; see `torch.optim.Optimizer.add_param_group`."""
        super().add_param_group(param_group)
        group = self.param_groups[-1]
        try:
            self._check(group, group["params"])
        except (TypeError, ValueError):
            self.param_groups.pop()
            raise
        for option in WITHOUT_EFFECT:
            group.pop(option, None)
        self._announce_state(group)

    def __getstate__(self) -> dict[str, Any]:
        own = {"last_summary": self.last_summary, "_clip_scales": self._clip_scales}
        return {**super().__getstate__(), **own}

    def _refuse(self, options: dict[str, Any]) -> None:
        """Refuse what is not supported."""
        name = type(self).__name__
        for option in (*NOT_SUPPORTED, *FALSE_ALONE):
            if options.get(option):
                rule = "is not supported" if option in NOT_SUPPORTED else "must be False"
                raise ValueError(f"{name}: {option} {rule}, got {options[option]}")

    def _check(self, group: dict[str, Any], tensors: list[torch.Tensor]) -> None:
        """Check the options of a group, and where its tensors are."""
        self._refuse(group)
        options, name = self._options(group), type(self).__name__
        for option in ("master_weights", "maximize"):
            flag(name, option, options[option])
        shared = Shared(1, 1.0, True, None)
        state: list[list[NDArray[Any]]] = [[] for _ in self._state_names(options)]
        keywords = self._keywords(options, shared, 1.0, [], Starts())
        self._run(Call(options, shared, [], [], [], state, keywords))
        for tensor in tensors:
            check_device(name, tensor)

    def _options(self, group: dict[str, Any]) -> dict[str, Any]:
        return {name: plain(group[name]) for name in self.defaults}

    def _calls(self, grad_scale: float) -> list[Call]:
        calls: list[Call] = []
        start = 0
        for group in self.param_groups:
            starts = {}
            for tensor in group["params"]:
                starts[tensor], start = start, start + tensor.numel()
            calls += self._calls_of(group, grad_scale, starts)
        return calls

    def _calls_of(
        self, group: dict[str, Any], grad_scale: float, starts: dict[torch.Tensor, int]
    ) -> Iterator[Call]:
        options = self._options(group)
        alike: dict[Shared, list[torch.Tensor]] = {}
        for tensor in group["params"]:
            if tensor.grad is not None:
                alike.setdefault(self._shared(tensor, options), []).append(tensor)
        for shared, tensors in alike.items():
            yield self._call(options, shared, tensors, grad_scale, starts)

    def _shared(self, tensor: torch.Tensor, options: dict[str, Any]) -> Shared:
        stochastic = options["rounding"] == "stochastic"
        rounds = tensor.dtype in HALVES and (options["master_weights"] or stochastic)
        matters = self._counts_steps or (rounds and stochastic)
        step = self._step_of(tensor) + 1
        scale = self._clip_scales.get(tensor, 1.0)
        return Shared(step if matters else 1, scale, rounds, sharding_of(tensor))

    def _call(
        self,
        options: dict[str, Any],
        shared: Shared,
        tensors: list[torch.Tensor],
        grad_scale: float,
        starts: dict[torch.Tensor, int],
    ) -> Call:
        in_whole = shared.rounds and options["rounding"] == "stochastic"
        rows, first = [], []
        for tensor in tensors:
            arrays = self._arrays(tensor, options)
            for part, start in places_of(tensor) if in_whole else ((..., 0),):
                rows.append([array[part] for array in arrays])
                first.append(starts[tensor] + start)
        weights, gradients, *others = (list(column) for column in zip(*rows, strict=True))
        count = len(self._state_names(options))
        copies = others[count] if len(others) > count else None
        keywords = self._keywords(options, shared, grad_scale, copies, Starts(first))
        return Call(options, shared, tensors, weights, gradients, others[:count], keywords)

    def _arrays(self, tensor: torch.Tensor, options: dict[str, Any]) -> list[NDArray[Any]]:
        """Return the memory of weights, gradient and state, and where the weights are copied to."""
        name = type(self).__name__
        weights = array_of(name, local(tensor))
        gradient = array_of(name, local(gradient_of(tensor)))
        state = {each: self._state(tensor, each) for each in self._names_of(tensor, options)}
        if MASTER in state:
            return [state.pop(MASTER), gradient, *state.values(), weights]
        return [weights, gradient, *state.values()]

    def _keywords(
        self,
        options: dict[str, Any],
        shared: Shared,
        grad_scale: float,
        copies: list[NDArray[Any]] | None,
        starts: Starts,
    ) -> dict[str, Any]:
        sign = -1.0 if options["maximize"] else 1.0
        scale = sign * shared.clip_scale * grad_scale
        keywords: dict[str, Any] = {"grad_scale": scale, "copy_out": copies}
        if shared.rounds:
            keywords |= {"rounding": options["rounding"], "seed": options["seed"]}
            keywords |= {"stream": shared.step, "offset": starts}
        return keywords

    def _check_arrays(self, call: Call) -> None:
        """Check the arrays of one of several calls before another one writes anything."""
        state = dict(zip(self._state_of_the_update, call.state, strict=False))
        groups = {"w": call.weights, "gradient": call.gradients, **state}
        check_arrays(self._update, groups | {"copy_out": call.keywords["copy_out"]})

    def _taken(self, call: Call) -> UpdateSummary:
        summary = self._run(call)
        for tensor in call.tensors:
            self.state[tensor]["step"] = self._step_of(tensor) + 1
            # Autograd must notice that tensors it has saved were written, as after PyTorch's step.
            was_written(tensor)
        return summary

    def _of_all_shards(
        self, summaries: list[tuple[Sharding | None, UpdateSummary]]
    ) -> UpdateSummary:
        """Join summaries; processes exchange those of shards, whoever has a gradient or not."""
        found = [summary for sharding, summary in summaries if sharding is None]
        tensors = (tensor for group in self.param_groups for tensor in group["params"])
        for sharding in shardings_of(tensors):
            own = joined([summary for of, summary in summaries if of == sharding])
            for penalty, nonzeros, finite in of_all_shards(own, sharding):
                found.append(UpdateSummary(penalty, int(nonzeros), bool(finite)))
        return joined(found)

    def _run(self, call: Call) -> UpdateSummary:
        """Call the update of the optimizer."""
        raise NotImplementedError  # each optimizer has its own


def plain(value: Any) -> Any:
    """Return an option as a number, which may be given as a tensor of one element."""
    if isinstance(value, tuple | list):
        return tuple(map(plain, value))
    return value.item() if isinstance(value, torch.Tensor) and value.numel() == 1 else value


def joined(summaries: list[UpdateSummary]) -> UpdateSummary:
    return UpdateSummary(
        math.fsum(s.penalty for s in summaries),
        sum(s.nonzeros for s in summaries),
        all(s.finite for s in summaries),
    )


def regularization(options: dict[str, Any], *names: str) -> dict[str, Any]:
    return {
        name: options[name] for name in ("l1", "l2", "weight_decay", "decay", "cautious", *names)
    }
