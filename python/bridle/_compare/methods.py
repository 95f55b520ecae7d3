"""The methods compared, and what each does to a network: all calls of bridle's operators."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from time import perf_counter
from typing import ParamSpec, TypeVar

import bridle as br
from bridle._compare.network import Array, Mask

P = ParamSpec("P")
R = TypeVar("R")


@dataclass(frozen=True)
class Method:
    """Strengths of one way to regularize; they multiply plain sums, and 0 switches them off."""

    name: str
    title: str
    explanation: str
    l1: float = 0.0
    l2: float = 0.0
    dropout: float = 0.0
    patience: int | None = None


# The strengths were chosen by the accuracy on the digits' validation samples, over several seeds.
METHODS = (
    Method("none", "none", "The network as it is: free to learn its training samples by heart."),
    Method(
        "l1",
        "L1",
        "After every step each weight moves towards zero by the same amount and stops there: "
        "weights that do not earn their keep become exactly zero.",
        l1=2e-3,
    ),
    Method(
        "l2",
        "L2",
        "After every step each weight shrinks by the same factor: large weights are held back, "
        "but none ever reaches zero.",
        l2=7e-3,
    ),
    Method(
        "elastic_net",
        "elastic net",
        "L1 and L2 at once: many exact zeros, and small weights among those that remain.",
        l1=5e-4,
        l2=7e-3,
    ),
    Method(
        "dropout",
        "dropout",
        "In every step a random part of the hidden units sits out, so that none can rely on "
        "another.",
        dropout=0.7,
    ),
    Method(
        "early_stopping",
        "early stopping",
        "Training ends when the loss on the validation samples has stopped falling, "
        "and the weights of the best epoch come back.",
        patience=20,
    ),
    Method(
        "all",
        "all together",
        "L1, L2 and dropout, each milder than alone, and early stopping.",
        l1=5e-4,
        l2=3e-3,
        dropout=0.5,
        patience=20,
    ),
)


class Regularization:
    """One method at work on one network; ``seconds`` is the time spent in bridle so far."""

    def __init__(self, method: Method, learning_rate: float, seed: int) -> None:
        self.method = method
        self.learning_rate = learning_rate
        self.seed = seed
        self.seconds = 0.0
        self._stopping = (
            None
            if method.patience is None
            else br.EarlyStopping(method.patience, mode="min", restore_best_weights=True)
        )

    @property
    def best_epoch(self) -> int | None:
        """Epoch whose weights `finish` puts back, from 0."""
        return None if self._stopping is None else self._stopping.best_epoch

    def mask(self, step: int) -> Mask | None:
        """Return the dropout of one training step: the same units in both directions."""
        return partial(self._drop, step) if self.method.dropout > 0 else None

    def _drop(self, step: int, layer: int, values: Array) -> None:
        stream = step * 256 + layer
        self._timed(
            br.dropout, values, self.method.dropout, seed=self.seed, stream=stream, out=values
        )

    def shrink(self, weights: Sequence[Array]) -> None:
        """Apply the penalty's step to the weights, in place, after the optimizer's step."""
        rate, l1, l2 = self.learning_rate, self.method.l1, self.method.l2
        for weight in weights:
            if l1 > 0 and l2 > 0:
                self._timed(br.prox_elastic_net, weight, l1, l2, step=rate, out=weight)
            elif l1 > 0:
                self._timed(br.soft_threshold, weight, rate * l1, out=weight)
            elif l2 > 0:
                # 2: the gradient of l2 * w**2.
                self._timed(br.decay, weight, 2 * rate * l2, out=weight)

    def penalty(self, weights: Sequence[Array]) -> float:
        """Return what the method adds to the loss."""
        l1, l2 = self.method.l1, self.method.l2
        if l1 > 0 and l2 > 0:
            return float(
                sum(self._timed(br.elastic_net_penalty, weight, l1, l2) for weight in weights)
            )
        if l1 > 0:
            return float(sum(self._timed(br.l1_penalty, weight, l1) for weight in weights))
        if l2 > 0:
            return float(sum(self._timed(br.l2_penalty, weight, l2) for weight in weights))
        return 0.0

    def should_stop(self, validation_loss: float, parameters: Sequence[Array]) -> bool:
        """Take the result of an epoch and tell whether it shall be the last."""
        if self._stopping is None:
            return False
        return self._timed(self._stopping.update, validation_loss, parameters)

    def finish(self, parameters: Sequence[Array]) -> None:
        """Put the weights of the best epoch back, if the method keeps them."""
        if self._stopping is not None and self._stopping.best_epoch is not None:
            self._stopping.restore(parameters)

    def _timed(self, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        start = perf_counter()
        try:
            return function(*args, **kwargs)
        finally:
            self.seconds += perf_counter() - start
