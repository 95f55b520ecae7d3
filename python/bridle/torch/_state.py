"""The state of optimizers: what it is made of, saving it, and loading also those of PyTorch."""

from __future__ import annotations

from typing import Any

import torch
from numpy.typing import NDArray

from bridle.torch._arrays import HALVES, array_of, state_type
from bridle.torch._shards import local, placement_of

NOT_SUPPORTED = ("amsgrad", "dampening")
FALSE_ALONE = ("capturable", "differentiable")
WITHOUT_EFFECT = (*FALSE_ALONE, "foreach", "fused")
_PYTORCH_ONLY = (*NOT_SUPPORTED, *WITHOUT_EFFECT, "decoupled_weight_decay")
"""Options of PyTorch's optimizers that groups of these do not have."""

MASTER = "master"
"""The name of the float32 weights in the state of a half parameter."""


class Stateful(torch.optim.Optimizer):
    """An optimizer that loads its own states and those of PyTorch's.

    The state names what the first step will make, so that tools which save and load it find that
    there is some, and take no step with zeros for gradients to make it.
    """

    _theirs: str
    """Names of the optimizers of PyTorch whose state may be loaded."""
    _telling: tuple[str, str]
    """An option of the groups of this optimizer, and one of theirs, that others do not have."""
    _state_of_a_tensor: tuple[str, ...]
    """What the state of a tensor that has had a step consists of, where that is always the same."""
    _tensors_of_the_state: tuple[str, ...]
    """What in it has the shape of its tensor."""

    @torch._disable_dynamo
    def state_dict(self) -> dict[str, Any]:
        """Return the state; see `torch.optim.Optimizer.state_dict`.

        It has all that the next step will need, also before the first one.
        """
        self._forget_others()
        for group in self.param_groups:
            options = self._options(group)
            for tensor in group["params"]:
                if tensor.requires_grad:
                    self._step_of(tensor)
                    for name in self._names_of(tensor, options):
                        self._made(tensor, name)
        return super().state_dict()

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Load the state of an optimizer; see `torch.optim.Optimizer.load_state_dict`.

        It may come from ``torch.optim.SGD``, ``Adam`` or ``AdamW`` as well; options which those do
        not have keep their values. Weights decay as they did in the optimizer of the state: where
        that is ``SGD`` or ``Adam`` with a `weight_decay`, `decay` becomes ``"coupled"``.

        Raises
        ------
        ValueError, TypeError
            If it is no state of such an optimizer, uses what is not supported (``amsgrad``,
            ``dampening``), or does not tell ``Adam`` from ``AdamW``, as those of old
            versions of PyTorch; nothing has changed then.
        """
        adopted: dict[str, Any] = {}

        def adopt(_: Any, state: dict[str, Any]) -> dict[str, Any]:
            adopted.update(self._adopted(state))
            return adopted

        def keep_types(_: Any) -> None:
            self._keep_types(adopted)
            for group in self.param_groups:
                self._announce_state(group)

        hooks = (
            self.register_load_state_dict_pre_hook(adopt),
            self.register_load_state_dict_post_hook(keep_types, prepend=True),
        )
        try:
            super().load_state_dict(state_dict)
        finally:
            for hook in hooks:
                hook.remove()

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        self.defaults.pop("differentiable", None)  # which PyTorch adds, and groups would take over

    def _adopted(self, state_dict: dict[str, Any]) -> dict[str, Any]:
        """Return a state in the terms of this optimizer, checked."""
        saved, own = state_dict["param_groups"], self.param_groups
        if len(saved) != len(own):
            return state_dict  # which PyTorch refuses
        groups = [self._adopted_group(*pair) for pair in zip(saved, own, strict=True)]
        tensors = {
            number: tensor
            for pair in zip(groups, own, strict=True)
            for number, tensor in zip(*(group["params"] for group in pair), strict=False)
        }
        state = {
            key: self._adopted_state(value, tensors[key]) if key in tensors else value
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
        checked = {name: value for name, value in group.items() if name not in WITHOUT_EFFECT}
        self._check(checked, [])
        return {option: value for option, value in group.items() if option not in _PYTORCH_ONLY}

    def _adopted_state(self, saved: dict[str, Any], tensor: torch.Tensor) -> dict[str, Any]:
        """Return the state of a tensor; other names than its own are those of the user."""
        missing = [name for name in self._state_of_a_tensor if name not in saved]
        if 0 < len(missing) < len(self._state_of_a_tensor):
            name, rule = type(self).__name__, " and ".join(self._state_of_a_tensor)
            raise ValueError(f"{name}: the state must have {rule}, got {', '.join(saved)}")
        for own in self._tensors_of_the_state:
            if saved.get(own) is not None:
                self._check_fits(own, saved[own], tensor)
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

    def _decay_of_theirs(self, group: dict[str, Any]) -> str:
        """Return how weights decay in the optimizer of PyTorch that a group comes from."""
        raise NotImplementedError  # each optimizer has its own

    def _announce_state(self, group: dict[str, Any]) -> None:
        """Name what the state of tensors will have."""
        options = self._options(group)
        for tensor in group["params"]:
            if tensor.requires_grad:
                self._step_of(tensor)
                for name in self._names_of(tensor, options):
                    self.state[tensor].setdefault(name, None)

    def _forget_others(self) -> None:
        """Forget tensors that never had a step and were put out of their groups by others."""
        own = {tensor for group in self.param_groups for tensor in group["params"]}
        for tensor in self.state.keys() - own:
            if self.state[tensor].get("step") == 0:
                del self.state[tensor]

    def _step_of(self, tensor: torch.Tensor) -> int:
        """Return how many steps a tensor has had."""
        return int(self.state[tensor].setdefault("step", 0))

    def _names_of(self, tensor: torch.Tensor, options: dict[str, Any]) -> tuple[str, ...]:
        """Return the names of the tensors in the state of one."""
        has_master = tensor.dtype in HALVES and options["master_weights"]
        return (*self._state_names(options), *((MASTER,) if has_master else ()))

    def _state(self, tensor: torch.Tensor, name: str) -> NDArray[Any]:
        """Return the memory of a tensor of the state."""
        value = self._made(tensor, name)
        self._check_fits(name, value, tensor)
        return array_of(type(self).__name__, local(value))

    def _check_fits(self, name: str, value: torch.Tensor, tensor: torch.Tensor) -> None:
        own = type(self).__name__
        if value.shape != tensor.shape:
            rule = f"{name} must have the shape of its parameter, {tuple(tensor.shape)}"
            raise ValueError(f"{own}: {rule}, got {tuple(value.shape)}")
        if placement_of(value) != placement_of(tensor):
            rule = f"{name} must be placed as its parameter is, {placement_of(tensor)}"
            raise ValueError(f"{own}: {rule}, got {placement_of(value)}")

    def _made(self, tensor: torch.Tensor, name: str) -> torch.Tensor:
        """Return a tensor of the state, which is made where there is none."""
        state, dtype = self.state[tensor], state_type(tensor)
        if name == MASTER:
            self._follow(tensor, state)
        elif state.get(name) is None:
            state[name] = torch.zeros_like(tensor, dtype=dtype)
        elif state[name].dtype != dtype and self._step_of(tensor) == 0:
            state[name] = state[name].to(dtype)  # as that of the parameter was changed meanwhile
        return state[name]

    def _follow(self, tensor: torch.Tensor, state: dict[str, Any]) -> None:
        """Make the master of a tensor, again if weights were loaded before the first step."""
        master = state.get(MASTER)
        if master is not None and self._step_of(tensor) > 0:
            return
        if master is None or not torch.equal(local(master).to(tensor.dtype), local(tensor)):
            state[MASTER] = tensor.detach().to(torch.float32, copy=True)

    def _state_names(self, options: dict[str, Any]) -> tuple[str, ...]:
        """Return what the state of the update is called here."""
        raise NotImplementedError  # each optimizer has its own

    def _options(self, group: dict[str, Any]) -> dict[str, Any]:
        """Return the options of a group as numbers."""
        raise NotImplementedError  # stepping knows, which is built on this

    def _check(self, group: dict[str, Any], tensors: list[torch.Tensor]) -> None:
        """Check the options of a group, and where its tensors are."""
        raise NotImplementedError  # stepping knows, which is built on this
