"""What a criterion is, and what those of bridle have in common."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Protocol, runtime_checkable

from bridle._stopping_checks import count, not_nan, real, truth


@runtime_checkable
class Criterion(Protocol):
    """What an `EarlyStopping` asks of each of its `criteria`.

    `update` gets the value of each epoch that is judged and finite, smoothed if there is smoothing,
    and the training loss, None where the loop gave none; True asks for the end of training.
    `reset` forgets everything; it is called once before the first value. `state_dict` returns what
    has to be remembered, made of what JSON has (infinities and NaN may be in it), and
    `load_state_dict` takes it back. They are also how an update that raises is undone.

    Examples
    --------
    >>> import bridle as br
    >>> class OverBudget:
    ...     def __init__(self, budget):
    ...         self.budget = budget
    ...     def update(self, value, training):
    ...         self.spent += value
    ...         return self.spent > self.budget
    ...     def reset(self):
    ...         self.spent = 0.0
    ...     def state_dict(self):
    ...         return {"spent": self.spent}
    ...     def load_state_dict(self, state):
    ...         self.spent = state["spent"]
    >>> stopping = br.EarlyStopping(patience=9, mode="min", criteria=[OverBudget(10)])
    >>> [stopping.update(value) for value in [5.0, 4.0, 3.0]]
    [False, False, True]
    """

    def update(self, value: float, training: float | None) -> bool:
        """Take the value of one epoch and tell whether training should stop."""

    def reset(self) -> None:
        """Forget all values."""

    def state_dict(self) -> Mapping[str, Any]:
        """Return what is remembered of the values."""

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take up what `state_dict` returned."""


class BuiltIn:
    """A criterion whose parameters are public attributes and whose memory is one dictionary.

    The dictionary is replaced as a whole, so that no interruption finds half of an update.
    """

    parameters: ClassVar[tuple[str, ...]]
    needs_loss: ClassVar[bool] = True
    empty: ClassVar[dict[str, Any]]

    def __init__(self) -> None:
        self.reset()

    def __repr__(self) -> str:
        given = ", ".join(f"{name}={getattr(self, name)}" for name in self.parameters)
        return f"{type(self).__name__}({given})"

    def reset(self) -> None:
        """Forget all values."""
        self._memory = copy.deepcopy(self.empty)

    def state_dict(self) -> dict[str, Any]:
        """Return what is remembered of the values."""
        return copy.deepcopy(self._memory)

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take up what `state_dict` returned, or raise ValueError."""
        missing = sorted(self.empty.keys() - set(state if isinstance(state, Mapping) else ()))
        if missing:
            raise ValueError(f"{self._name}: the state must have {', '.join(missing)}")
        self._memory = {name: self._checked(name, state[name]) for name in self.empty}

    @property
    def _name(self) -> str:
        return type(self).__name__

    def _checked(self, name: str, value: Any) -> Any:
        empty = self.empty[name]
        try:
            if isinstance(empty, list):
                if not isinstance(value, (list, tuple)):
                    raise TypeError
                return [real(self._name, name, item) for item in value]
            if isinstance(empty, int):
                return count(self._name, name, value)
            return None if value is None else not_nan(self._name, name, value)
        except (TypeError, ValueError) as error:
            raise ValueError(f"{self._name}: the state's {name} cannot be {value!r}") from error

    def _lowest(self, value: float) -> float:
        """Return the lowest value so far, this one included."""
        best = self._memory["best"]
        return value if best is None else min(float(best), value)


def states_of(criteria: Sequence[Criterion]) -> tuple[Mapping[str, Any], ...]:
    """Return what the criteria remember, in copies."""
    return tuple(copy.deepcopy(criterion.state_dict()) for criterion in criteria)


def any_fires(criteria: Sequence[Criterion], value: float, training: float | None) -> bool:
    """Show the values to every criterion and tell whether one of them asks for the end."""
    answers = [
        truth("EarlyStopping", f"criteria[{i}] ({type(criterion).__name__})", answer)
        for i, criterion in enumerate(criteria)
        for answer in [criterion.update(value, training)]
    ]
    return any(answers)
