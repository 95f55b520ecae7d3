"""Loading the states of optimizers, also of those of PyTorch."""

from __future__ import annotations

from typing import Any

import torch

from bridle.torch._arrays import state_type

NOT_SUPPORTED = ("amsgrad", "dampening")
FALSE_ALONE = ("capturable", "differentiable")
WITHOUT_EFFECT = (*FALSE_ALONE, "foreach", "fused")
_PYTORCH_ONLY = (*NOT_SUPPORTED, *WITHOUT_EFFECT, "decoupled_weight_decay")
"""Options of PyTorch's optimizers that groups of these do not have."""


class Loading(torch.optim.Optimizer):
    """An optimizer that loads its own states and those of PyTorch's."""

    _theirs: str
    """Names of the optimizers of PyTorch whose state may be loaded."""
    _telling: tuple[str, str]
    """An option of the groups of this optimizer, and one of theirs, that others do not have."""
    _state_of_a_tensor: tuple[str, ...]
    """What the state of a tensor that has had a step consists of, where that is always the same."""
    _tensors_of_the_state: tuple[str, ...]
    """What in it has the shape of its tensor."""

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
                self._complete_state(group)

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
            if saved.get(own) is not None and saved[own].shape != tensor.shape:
                rule = f"{own} must have the shape of its parameter, {tuple(tensor.shape)}"
                raise ValueError(f"{type(self).__name__}: {rule}, got {tuple(saved[own].shape)}")
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
        raise NotImplementedError

    def _complete_state(self, group: dict[str, Any]) -> None:
        """Make what is missing in the state of the tensors of a group."""
        raise NotImplementedError

    def _check(self, group: dict[str, Any], tensors: list[torch.Tensor]) -> None:
        """Check the options of a group, and where its tensors are."""
        raise NotImplementedError
