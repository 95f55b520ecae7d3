"""The methods compared, the grids of their strengths, and what each does: all calls of bridle."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from time import perf_counter
from typing import Literal, ParamSpec, TypeVar

import bridle as br
from bridle._compare import Array
from bridle._compare.network import Mask, Network

P = ParamSpec("P")
R = TypeVar("R")
Model = Literal["network", "linear"]


@dataclass(frozen=True)
class Setting:
    """How a model is regularized; what is zero or None is switched off."""

    l1: float = 0.0
    l2: float = 0.0
    dropout: float = 0.0
    patience: int | None = None


@dataclass(frozen=True)
class Scale:
    """The numbers that a strength may be, and how a grid of them goes on beyond its ends."""

    rule: str
    allows: Callable[[float], bool]
    beyond: Callable[[float, int], float]
    rises: bool = True

    def ordered(self, strengths: Iterable[float]) -> list[float]:
        """Return the different strengths, weakest first."""
        return sorted(set(strengths), reverse=not self.rises)

    def further(self, end: float, direction: int) -> list[float]:
        """Return two more strengths beyond an end of a grid; -1 is towards the weaker."""
        first = self.beyond(end, direction)
        second = self.beyond(first, direction)
        return [strength for strength in (first, second) if self.allows(strength)]


def _next_power(strength: float, direction: int) -> float:
    tens, three = divmod(round(2 * math.log10(strength)) + direction, 2)
    return float(f"{3 if three else 1}e{tens}")


def _next_probability(p: float, direction: int) -> float:
    return round(p / 2 if direction < 0 else 1 - (1 - p) / 2, 6)


def _next_patience(patience: float, direction: int) -> float:
    return float(round(patience / 2 if direction > 0 else patience * 2))


PENALTY = Scale("a number > 0", lambda s: 0 < s < float("inf"), _next_power)
PROBABILITY = Scale("a number > 0 and < 1", lambda s: 0 < s < 1, _next_probability)
PATIENCE = Scale(
    "a whole number >= 1", lambda s: s >= 1 and s % 1 == 0, _next_patience, rises=False
)


@dataclass(frozen=True)
class Method:
    """One way to regularize, with the grids of strengths tried for each model, weakest first.

    ``meaning`` says what a strength is; `setting` turns one into what is done.
    """

    name: str
    title: str
    meaning: str
    explanation: str
    scale: Scale
    setting: Callable[[float, Model], Setting]
    network: tuple[float, ...]
    linear: tuple[float, ...]

    def grid(self, model: Model) -> tuple[float, ...]:
        """Return the strengths tried unless others are given."""
        return self.network if model == "network" else self.linear


# Of the elastic net's strength: the share that goes to L1, the rest to L2.
L1_SHARE: dict[Model, float] = {"network": 0.1, "linear": 0.5}
ALL_DROPOUT, ALL_PATIENCE = 0.2, 20


def _elastic_net(strength: float, model: Model) -> Setting:
    share = L1_SHARE[model]
    return Setting(l1=share * strength, l2=(1 - share) * strength)


def _all(strength: float, model: Model) -> Setting:
    penalties = _elastic_net(strength, model)
    return Setting(penalties.l1, penalties.l2, ALL_DROPOUT, ALL_PATIENCE)


NONE = Method(
    "none",
    "none",
    "",
    "The model as it is, free to learn its training samples by heart.",
    PENALTY,
    lambda strength, model: Setting(),
    (0.0,),
    (0.0,),
)
METHODS = (
    NONE,
    Method(
        "l1",
        "L1",
        "λ of λ·Σ|w|",
        "After every step each weight moves towards zero by the same amount and stops there: "
        "weights that do not earn their keep become exactly zero.",
        PENALTY,
        lambda strength, model: Setting(l1=strength),
        (1e-4, 3e-4, 1e-3, 3e-3, 1e-2),
        (1e-3, 3e-3, 1e-2, 3e-2, 1e-1),
    ),
    Method(
        "l2",
        "L2",
        "λ of λ·Σw²",
        "After every step each weight shrinks by the same factor: large weights are held back, "
        "but none ever reaches zero.",
        PENALTY,
        lambda strength, model: Setting(l2=strength),
        (3e-4, 1e-3, 3e-3, 1e-2, 3e-2),
        (1e-3, 3e-3, 1e-2, 3e-2, 1e-1),
    ),
    Method(
        "elastic_net",
        "elastic net",
        "λ, of which a part is that of L1 and the rest that of L2",
        "L1 and L2 at once: many exact zeros, and small weights among those that remain.",
        PENALTY,
        _elastic_net,
        (3e-4, 1e-3, 3e-3, 1e-2, 3e-2),
        (1e-3, 3e-3, 1e-2, 3e-2, 1e-1),
    ),
    Method(
        "dropout",
        "dropout",
        "p, the probability that a unit sits out",
        "In every step a random part of the units sits out, so that none can rely on another.",
        PROBABILITY,
        lambda strength, model: Setting(dropout=strength),
        (0.1, 0.25, 0.5, 0.7),
        (0.1, 0.25, 0.5, 0.7),
    ),
    Method(
        "early_stopping",
        "early stopping",
        "patience, in epochs",
        "Training ends when the loss on the validation samples has not fallen for a while, "
        "and the weights of the best epoch come back.",
        PATIENCE,
        lambda strength, model: Setting(patience=int(strength)),
        (30, 10, 3),
        (30, 10, 3),
    ),
    Method(
        "all",
        "all together",
        "λ of the elastic net",
        f"The elastic net with dropout of {ALL_DROPOUT} and early stopping with a patience of "
        f"{ALL_PATIENCE}.",
        PENALTY,
        _all,
        (3e-4, 1e-3, 3e-3, 1e-2),
        (1e-3, 3e-3, 1e-2, 3e-2),
    ),
)


class Regularization:
    """One setting at work on one model; ``seconds`` is the time spent in bridle so far."""

    def __init__(self, setting: Setting, model: Network, seed: int) -> None:
        self.setting = setting
        self.model = model
        self.seed = seed
        self.seconds = 0.0
        self._first_masked = 0 if len(model.layers) == 1 else 1
        self._stopping = (
            None
            if setting.patience is None
            else br.EarlyStopping(setting.patience, mode="min", restore_best_weights=True)
        )

    @property
    def best_epoch(self) -> int | None:
        """Epoch whose weights `finish` puts back, from 0."""
        return None if self._stopping is None else self._stopping.best_epoch

    def mask(self, step: int) -> Mask | None:
        """Return the dropout of one training step: the same units in both directions.

        It is of the hidden units; a linear model has none, and its inputs take their place.
        """
        return partial(self._drop, step) if self.setting.dropout > 0 else None

    def _drop(self, step: int, layer: int, values: Array) -> Array:
        if layer < self._first_masked:
            return values
        stream = step * 256 + layer
        return self._timed(br.dropout, values, self.setting.dropout, seed=self.seed, stream=stream)

    def shrink(self, learning_rate: float) -> None:
        """Apply the penalty's step to the weights, in place, after the descent's step."""
        weights, l1, l2 = self.model.weights, self.setting.l1, self.setting.l2
        if l1 > 0 and l2 > 0:
            self._timed(br.prox_elastic_net, weights, l1, l2, step=learning_rate, out=weights)
        elif l1 > 0:
            self._timed(br.soft_threshold, weights, learning_rate * l1, out=weights)
        elif l2 > 0:
            self._timed(br.prox_l2, weights, l2, step=learning_rate, out=weights)

    def should_stop(self, validation_loss: float) -> bool:
        """Take the result of an epoch and tell whether it shall be the last."""
        if self._stopping is None:
            return False
        return self._timed(self._stopping.update, validation_loss, self.model.parameters)

    def finish(self) -> None:
        """Put the weights of the best epoch back, if the setting keeps them."""
        if self._stopping is not None and self._stopping.best_epoch is not None:
            self._timed(self._stopping.restore, self.model.parameters)

    def _timed(self, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        start = perf_counter()
        try:
            return function(*args, **kwargs)
        finally:
            self.seconds += perf_counter() - start
