"""The criteria beside patience: what one is, those of Prechelt (1998), and a plateau test."""

from __future__ import annotations

import copy
import math
import statistics
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Protocol, runtime_checkable

from bridle._stopping.checks import count, non_negative, not_nan, real, shown, truth
from bridle._sums import sum_in_order


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
            raise ValueError(
                f"{self._name}: the state's {name} cannot be {shown(value)}"
            ) from error

    def _lowest(self, value: float) -> float:
        """Return the lowest value so far, this one included."""
        best = self._memory["best"]
        return value if best is None else min(float(best), value)


def excess(value: float, least: float) -> float:
    """Return by which fraction of `least` a value lies above it.

    This is value / least - 1; where `least` is negative, the fraction is of its size. Nothing lies
    above itself, and everything else lies infinitely far above zero.
    """
    if value == least:
        return 0.0
    if least == 0 or math.isinf(least):
        return math.inf
    return abs(value / least - 1)


class GeneralizationLoss(BuiltIn):
    r"""Stop when the loss is some percentage above the lowest one so far.

    .. math:: GL(t) = 100\left(\frac{E(t)}{E_\text{best}(t)} - 1\right) > \text{threshold},
              \qquad E_\text{best}(t) = \min_{t' \le t} E(t')

    This is criterion GL of Prechelt [1]_. Of a negative lowest loss, the percentage is of its
    absolute value; above a lowest loss of zero every loss is infinitely far.

    Parameters
    ----------
    threshold : float
        Percentage, at least 0.

    References
    ----------
    .. [1] L. Prechelt, "Early stopping -- but when?", in Neural Networks: Tricks of the Trade,
       LNCS 1524, pp. 55-69, Springer, 1998. :doi:`10.1007/3-540-49430-8_3`

    Examples
    --------
    >>> import bridle as br
    >>> criterion = br.GeneralizationLoss(threshold=25)
    >>> [criterion.update(loss) for loss in [2.0, 1.0, 1.25, 1.5]]
    [False, False, False, True]
    """

    parameters = ("threshold",)
    empty: ClassVar[dict[str, Any]] = {"best": None}

    def __init__(self, threshold: float) -> None:
        self.threshold = non_negative(self._name, "threshold", threshold)
        super().__init__()

    def update(self, value: float, training: float | None = None) -> bool:
        """Take the loss of one epoch and tell whether training should stop."""
        value = not_nan(self._name, "value", value)
        best = self._lowest(value)
        self._memory = {"best": best}
        return 100 * excess(value, best) > self.threshold


class ProgressQuotient(BuiltIn):
    r"""Stop when the loss has risen more than progress in training makes up for.

    .. math:: \frac{GL(t)}{P_k(t)} > \text{threshold}, \qquad P_k(t) = 1000 \left(
              \frac{\sum_{t'=t-k+1}^t T(t')}{k \min_{t'=t-k+1}^t T(t')} - 1\right)

    This is criterion PQ of Prechelt [1]_: GL as in `GeneralizationLoss`, :math:`T` the training
    loss, which `EarlyStopping.update` needs as ``training``. Epochs are grouped into strips of
    :math:`k`, in the order in which the criterion sees them, and it judges at the last epoch of
    each strip only, by the training losses of that strip.

    Where GL is 0, so is the quotient. Without progress (:math:`P_k = 0`) any other GL makes it
    infinite. A strip whose lowest training loss is zero, others being above it, has infinite
    progress and does not stop, nor does one whose training losses have no finite sum.

    Parameters
    ----------
    threshold : float
        At least 0.
    strip : int, default=5
        Number :math:`k` of epochs in a strip, at least 1. In strips of 1 progress is always 0.

    References
    ----------
    .. [1] L. Prechelt, "Early stopping -- but when?", in Neural Networks: Tricks of the Trade,
       LNCS 1524, pp. 55-69, Springer, 1998. :doi:`10.1007/3-540-49430-8_3`

    Examples
    --------
    >>> import bridle as br
    >>> criterion = br.ProgressQuotient(threshold=0.5, strip=2)
    >>> losses = [(1.0, 0.9), (0.8, 0.6), (0.9, 0.5), (1.0, 0.49)]
    >>> [criterion.update(loss, training) for loss, training in losses]
    [False, False, False, True]
    """

    parameters = ("threshold", "strip")
    empty: ClassVar[dict[str, Any]] = {"best": None, "training": []}

    def __init__(self, threshold: float, strip: int = 5) -> None:
        self.threshold = non_negative(self._name, "threshold", threshold)
        self.strip = count(self._name, "strip", strip, least=1)
        super().__init__()

    def update(self, value: float, training: float | None) -> bool:
        """Take both losses of one epoch and tell whether training should stop."""
        if training is None:
            raise ValueError(f"{self._name}: training must be given to update, got None")
        value, training = (
            not_nan(self._name, "value", value),
            real(self._name, "training", training),
        )
        best = self._lowest(value)
        losses = [*self._memory["training"], training]
        at_end = len(losses) >= self.strip
        self._memory = {"best": best, "training": [] if at_end else losses}
        loss = 100 * excess(value, best)
        if not at_end or loss == 0 or not math.isfinite(sum_in_order(losses)):
            return False
        progress = self._progress(losses)
        return progress == 0 or loss / progress > self.threshold

    def _progress(self, losses: list[float]) -> float:
        least = min(losses)
        if max(losses) == least:
            return 0.0  # the rounded sum may differ from the rounded product
        return 1000 * excess(sum_in_order(losses), len(losses) * least)


class UnimprovedStrips(BuiltIn):
    r"""Stop when the loss has risen from strip to strip several times in succession.

    .. math:: E(t) > E(t - k) > \dots > E(t - sk)

    This is criterion UP of Prechelt [1]_: the losses at the ends of strips of :math:`k` epochs are
    compared, and :math:`s` successive rises stop. The losses between them do not matter.

    Parameters
    ----------
    strips : int
        Number :math:`s` of rises, at least 1.
    strip : int, default=5
        Number :math:`k` of epochs in a strip, at least 1.

    References
    ----------
    .. [1] L. Prechelt, "Early stopping -- but when?", in Neural Networks: Tricks of the Trade,
       LNCS 1524, pp. 55-69, Springer, 1998. :doi:`10.1007/3-540-49430-8_3`

    Examples
    --------
    >>> import bridle as br
    >>> criterion = br.UnimprovedStrips(strips=2, strip=1)
    >>> [criterion.update(loss) for loss in [1.0, 2.0, 1.5, 1.6, 1.7]]
    [False, False, False, False, True]
    """

    parameters = ("strips", "strip")
    empty: ClassVar[dict[str, Any]] = {"previous": None, "epochs": 0, "rises": 0}

    def __init__(self, strips: int, strip: int = 5) -> None:
        self.strips = count(self._name, "strips", strips, least=1)
        self.strip = count(self._name, "strip", strip, least=1)
        super().__init__()

    def update(self, value: float, training: float | None = None) -> bool:
        """Take the loss of one epoch and tell whether training should stop."""
        value = not_nan(self._name, "value", value)
        memory = self._memory
        epochs = memory["epochs"] + 1
        if epochs < self.strip:
            self._memory = {**memory, "epochs": epochs}
            return False
        risen = memory["previous"] is not None and value > memory["previous"]
        rises = memory["rises"] + 1 if risen else 0
        self._memory = {"previous": value, "epochs": 0, "rises": rises}
        return bool(risen and rises >= self.strips)


class Plateau(BuiltIn):
    r"""Stop when the last values hardly differ.

    .. math:: \sqrt{\frac1n \sum_{i=1}^n (v_i - \bar v)^2} \le \text{tolerance}

    over the last :math:`n` values, computed exactly and rounded once: equal values have the
    deviation 0. It does not stop before there are :math:`n` values, nor where one is infinite.

    Parameters
    ----------
    window : int
        Number :math:`n` of values, at least 2.
    tolerance : float
        At least 0.

    Examples
    --------
    >>> import bridle as br
    >>> criterion = br.Plateau(window=3, tolerance=0.1)
    >>> [criterion.update(value) for value in [1.0, 0.5, 0.5, 0.6]]
    [False, False, False, True]
    """

    parameters = ("window", "tolerance")
    needs_loss = False
    empty: ClassVar[dict[str, Any]] = {"values": []}

    def __init__(self, window: int, tolerance: float) -> None:
        self.window = count(self._name, "window", window, least=2)
        self.tolerance = non_negative(self._name, "tolerance", tolerance)
        super().__init__()

    def update(self, value: float, training: float | None = None) -> bool:
        """Take the value of one epoch and tell whether training should stop."""
        value = not_nan(self._name, "value", value)
        values = [*self._memory["values"], value][-self.window :]
        self._memory = {"values": values}
        if len(values) < self.window or not all(map(math.isfinite, values)):
            return False
        return bool(statistics.pstdev(values) <= self.tolerance)


BUILT_IN: dict[str, type[BuiltIn]] = {
    f"bridle.{kind.__name__}": kind
    for kind in (GeneralizationLoss, ProgressQuotient, UnimprovedStrips, Plateau)
}


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
