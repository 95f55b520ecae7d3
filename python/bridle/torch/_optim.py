"""Optimizers for PyTorch: the fused updates on the memory of its tensors."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple, overload

import torch
from numpy.typing import NDArray

from bridle._updates.call import UpdateSummary
from bridle._updates.functions import adamw_update, sgd_update
from bridle.torch._arrays import HALVES, array_of, check_device, state_type

__all__ = ["ProxAdamW", "ProxSGD"]

_NOT_SUPPORTED = ("amsgrad", "dampening", "maximize")
_WITHOUT_EFFECT = ("capturable", "differentiable", "foreach", "fused")
_PYTORCH_ONLY = (*_NOT_SUPPORTED, *_WITHOUT_EFFECT, "decoupled_weight_decay")
"""Options of PyTorch's optimizers that groups of these do not have."""


class _Call(NamedTuple):
    """One update: tensors of a group that have had the same number of steps, and their arrays."""

    options: dict[str, Any]
    tensors: list[torch.Tensor]
    weights: list[NDArray[Any]]
    gradients: list[NDArray[Any]]
    state: list[list[NDArray[Any]]]
    step: int


class _Proximal(torch.optim.Optimizer):
    """What both optimizers share: groups, state, and the summary of the last step."""

    _theirs: str
    """Names of the optimizers of PyTorch whose state may be loaded."""
    _telling: tuple[str, str]
    """An option of the groups of this optimizer, and one of theirs, that others do not have."""
    _state_of_a_tensor: tuple[str, ...]
    """What the state of a tensor that has had a step consists of, where that is always the same."""

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

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Load the state of an optimizer; see `torch.optim.Optimizer.load_state_dict`.

        It may come from ``torch.optim.SGD``, ``Adam`` or ``AdamW`` as well; options which those do
        not have keep their values. Weights decay as they did in the optimizer of the state: where
        that is ``SGD`` or ``Adam`` with a `weight_decay`, `decay` becomes ``"coupled"``.

        Raises
        ------
        ValueError, TypeError
            If it is no state of such an optimizer, uses what is not supported (``amsgrad``,
            ``dampening``, ``maximize``), or does not tell ``Adam`` from ``AdamW``, as those of old
            versions of PyTorch; nothing has changed then.
        """
        adopted: dict[str, Any] = {}

        def adopt(_: Any, state: dict[str, Any]) -> dict[str, Any]:
            adopted.update(self._adopted(state))
            return adopted

        def keep_types(_: Any) -> None:
            self._keep_types(adopted)

        hooks = (
            self.register_load_state_dict_pre_hook(adopt),
            self.register_load_state_dict_post_hook(keep_types, prepend=True),
        )
        try:
            super().load_state_dict(state_dict)
        finally:
            for hook in hooks:
                hook.remove()

    def __getstate__(self) -> dict[str, Any]:
        return {**super().__getstate__(), "last_summary": self.last_summary}

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        self.defaults.pop("differentiable", None)  # which PyTorch adds, and groups would take over

    def _adopted(self, state_dict: dict[str, Any]) -> dict[str, Any]:
        """Return a state in the terms of this optimizer, checked."""
        saved, own = state_dict["param_groups"], self.param_groups
        if len(saved) != len(own):
            return state_dict  # which PyTorch refuses
        groups = [self._adopted_group(*pair) for pair in zip(saved, own, strict=True)]
        numbers = {number for group in groups for number in group["params"]}
        state = {
            key: self._adopted_state(value) if key in numbers else value
            for key, value in state_dict["state"].items()
        }
        return {**state_dict, "state": state, "param_groups": groups}

    def _adopted_group(self, saved: dict[str, Any], own: dict[str, Any]) -> dict[str, Any]:
        name, (ours, theirs) = type(self).__name__, self._telling
        if not saved.keys() >= {"decay", ours}:
            if theirs not in saved:
                rule = f"param_groups must be those of {name} or of {self._theirs}"
                raise ValueError(f"{name}: {rule}, got options {', '.join(saved)}")
            decay = self._decay_of_theirs(saved) if saved["weight_decay"] else own["decay"]
            saved = {**saved, "decay": decay}
        kept = {option: value for option, value in own.items() if option in self.defaults}
        group = {**kept, **saved}
        self._check(group, [])
        return {option: value for option, value in group.items() if option not in _PYTORCH_ONLY}

    def _adopted_state(self, saved: dict[str, Any]) -> dict[str, Any]:
        """Return the state of a tensor; other names than its own are those of the user."""
        missing = [name for name in self._state_of_a_tensor if name not in saved]
        if 0 < len(missing) < len(self._state_of_a_tensor):
            name, rule = type(self).__name__, " and ".join(self._state_of_a_tensor)
            raise ValueError(f"{name}: the state must have {rule}, got {', '.join(saved)}")
        return {**saved, "step": int(saved["step"])} if "step" in saved else saved

    def _keep_types(self, adopted: dict[str, Any]) -> None:
        """Undo what PyTorch does: it gives the state of halves their type instead of float32."""
        numbers = [i for group in adopted["param_groups"] for i in group["params"]]
        tensors = [p for group in self.param_groups for p in group["params"]]
        for number, tensor in zip(numbers, tensors, strict=True):
            for name, value in adopted["state"].get(number, {}).items():
                if isinstance(value, torch.Tensor):
                    to = tensor.device, state_type(tensor)
                    self.state[tensor][name] = value.detach().to(*to, copy=True)

    def _check(self, group: dict[str, Any], tensors: list[torch.Tensor]) -> None:
        """Check the options of a group, and where its tensors are."""
        name = type(self).__name__
        for option in _NOT_SUPPORTED:
            if group.get(option):
                raise ValueError(f"{name}: {option} is not supported, got {group[option]}")
        options = self._options(group)
        self._run(_Call(options, [], [], [], [[] for _ in self._state_names(options)], 1))
        for tensor in tensors:
            check_device(name, tensor)

    def _options(self, group: dict[str, Any]) -> dict[str, Any]:
        return {name: _plain(group[name]) for name in self.defaults}

    def _calls(self, group: dict[str, Any]) -> Iterator[_Call]:
        options = self._options(group)
        by_step: dict[int, list[torch.Tensor]] = {}
        for tensor in group["params"]:
            if tensor.grad is not None:
                by_step.setdefault(self._next_step(tensor), []).append(tensor)
        for step, tensors in by_step.items():
            yield _Call(
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

    def _taken(self, call: _Call) -> UpdateSummary:
        summary = self._run(call)
        for tensor in call.tensors:
            # Autograd must notice that tensors it has saved were written, as after PyTorch's step.
            torch.autograd.graph.increment_version(tensor)
        return summary

    def _next_step(self, tensor: torch.Tensor) -> int:
        """Return the number of the next step of a tensor, where that matters."""
        return 1

    def _decay_of_theirs(self, group: dict[str, Any]) -> str:
        """Return how weights decay in the optimizer of PyTorch that a group comes from."""
        raise NotImplementedError

    def _state_names(self, options: dict[str, Any]) -> tuple[str, ...]:
        """Return what the state of a tensor is called; each optimizer has its own."""
        raise NotImplementedError

    def _run(self, call: _Call) -> UpdateSummary:
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


def _regularization(options: dict[str, Any], *names: str) -> dict[str, Any]:
    return {
        name: options[name] for name in ("l1", "l2", "weight_decay", "decay", "cautious", *names)
    }


class ProxSGD(_Proximal):
    r"""Stochastic gradient descent with decoupled decay and an elastic-net proximal step.

    See `bridle.sgd_update` for the formula. With `l1` > 0, weights become exact zeros.

    Parameters
    ----------
    params : iterable of tensor or of dict
        Parameters of type float16, bfloat16, float32 or float64 on the CPU, or groups of them;
        every option may be set per group.
    lr : float or tensor of one element, default 1e-3
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

    _theirs = "torch.optim.SGD"
    _telling = "momentum", "dampening"
    _state_of_a_tensor = ()

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

    def _decay_of_theirs(self, group: dict[str, Any]) -> str:
        return "coupled"

    def _state_names(self, options: dict[str, Any]) -> tuple[str, ...]:
        return ("momentum_buffer",) if options["momentum"] else ()

    def _run(self, call: _Call) -> UpdateSummary:
        options = call.options
        return sgd_update(
            call.weights,
            call.gradients,
            options["lr"],
            momentum=options["momentum"],
            nesterov=options["nesterov"],
            momentum_buffer=call.state[0] if call.state else None,
            **_regularization(options),
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
    lr : float or tensor of one element, default 1e-3
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

    _theirs = "torch.optim.Adam or AdamW"
    _telling = "betas", "amsgrad"
    _state_of_a_tensor = ("step", "exp_avg", "exp_avg_sq")

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

    def _decay_of_theirs(self, group: dict[str, Any]) -> str:
        if "decoupled_weight_decay" not in group:
            name, rule = type(self).__name__, "must have decoupled_weight_decay or decay"
            why = "as Adam and AdamW of old versions of PyTorch write the same"
            raise ValueError(f"{name}: param_groups {rule}, {why}, got options {', '.join(group)}")
        return "decoupled" if group["decoupled_weight_decay"] else "coupled"

    def _next_step(self, tensor: torch.Tensor) -> int:
        return int(self.state[tensor].get("step", 0)) + 1

    def _state_names(self, options: dict[str, Any]) -> tuple[str, ...]:
        return "exp_avg", "exp_avg_sq"

    def _run(self, call: _Call) -> UpdateSummary:
        options = call.options
        first, second = call.state
        summary = adamw_update(
            call.weights,
            call.gradients,
            first,
            second,
            options["lr"],
            call.step,
            betas=tuple(options["betas"]),
            epsilon=options["eps"],
            **_regularization(options, "prox_step"),
        )
        for tensor in call.tensors:
            self.state[tensor]["step"] = call.step
        return summary
