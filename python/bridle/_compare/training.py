"""Training of one network per method, with everything recorded that the report shows."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib import import_module
from time import perf_counter

import numpy as np

import bridle as br
from bridle._compare.data import Dataset
from bridle._compare.methods import Method, Regularization
from bridle._compare.network import Array, MomentumSGD, Network, loss_and_accuracy

HISTORY = (
    "train_loss",
    "train_accuracy_percent",
    "validation_loss",
    "validation_accuracy_percent",
    "test_loss",
    "test_accuracy_percent",
    "penalty",
    "zeros_percent",
    "time_ms",
)


@dataclass(frozen=True)
class Settings:
    """What all methods share."""

    epochs: int
    seed: int
    hidden: tuple[int, ...] = (512, 256)
    batch_size: int = 32
    learning_rate: float = 0.2
    momentum: float = 0.9


@dataclass
class Result:
    """One trained network. Percentages are of 100; keys of ``history`` are those of HISTORY."""

    method: Method
    epochs: int
    best_epoch: int
    train_loss: float
    test_loss: float
    train_accuracy_percent: float
    test_accuracy_percent: float
    zeros_percent: float
    l1_norm: float
    l2_norm: float
    time_per_epoch_ms: float
    time_in_bridle_percent: float
    weights: Array
    history: dict[str, list[float]]

    @property
    def gap_points(self) -> float:
        """By how many percentage points the test accuracy falls short of the training's."""
        return self.train_accuracy_percent - self.test_accuracy_percent


@dataclass
class Run:
    """The training of one method; all start from the same weights and draw the same batches."""

    method: Method
    data: Dataset
    settings: Settings
    seconds: float = 0.0
    steps: int = 0
    history: dict[str, list[float]] = field(default_factory=lambda: {name: [] for name in HISTORY})

    def __post_init__(self) -> None:
        settings = self.settings
        self.generator = np.random.default_rng([settings.seed, 0])
        sizes = (self.data.features, *settings.hidden, self.data.classes)
        self.network = Network(sizes, self.generator)
        self.optimizer = MomentumSGD(
            self.network.parameters, settings.learning_rate, settings.momentum
        )
        self.regularization = Regularization(self.method, settings.learning_rate, settings.seed)

    def epoch(self) -> bool:
        """Train on every sample once; tell whether to stop."""
        start = perf_counter()
        samples = self.data.training
        order = self.generator.permutation(len(samples.labels))
        for first in range(0, len(order), self.settings.batch_size):
            rows = order[first : first + self.settings.batch_size]
            self._step(samples.inputs[rows], samples.labels[rows])
        penalty = self.regularization.penalty(self.network.weights)
        elapsed = perf_counter() - start
        validation_loss = self._record(penalty)
        start = perf_counter()
        stop = self.regularization.should_stop(validation_loss, self.network.parameters)
        elapsed += perf_counter() - start
        self.history["time_ms"].append(1e3 * elapsed)
        self.seconds += elapsed
        return stop

    def _step(self, inputs: Array, labels: Array) -> None:
        mask = self.regularization.mask(self.steps)
        _, gradients = self.network.gradients(inputs, labels, mask)
        self.optimizer.step(gradients)
        self.regularization.shrink(self.network.weights)
        self.steps += 1

    def _record(self, penalty: float) -> float:
        data = self.data
        for part, samples in (
            ("train", data.training),
            ("validation", data.validation),
            ("test", data.test),
        ):
            loss, accuracy = loss_and_accuracy(self.network.predict(samples.inputs), samples.labels)
            self.history[f"{part}_loss"].append(loss)
            self.history[f"{part}_accuracy_percent"].append(100 * accuracy)
        self.history["penalty"].append(penalty)
        self.history["zeros_percent"].append(_zeros_percent(self.network.weights))
        return self.history["validation_loss"][-1]

    def result(self) -> Result:
        """Measure the network that the method ends with."""
        self.regularization.finish(self.network.parameters)
        network, data = self.network, self.data
        train = loss_and_accuracy(network.predict(data.training.inputs), data.training.labels)
        test = loss_and_accuracy(network.predict(data.test.inputs), data.test.labels)
        epochs = len(self.history["penalty"])
        best = self.regularization.best_epoch
        return Result(
            method=self.method,
            epochs=epochs,
            best_epoch=epochs if best is None else best + 1,
            train_loss=train[0],
            test_loss=test[0],
            train_accuracy_percent=100 * train[1],
            test_accuracy_percent=100 * test[1],
            zeros_percent=_zeros_percent(network.weights),
            l1_norm=sum(br.l1_penalty(weight) for weight in network.weights),
            l2_norm=math.sqrt(sum(br.l2_penalty(weight) for weight in network.weights)),
            time_per_epoch_ms=1e3 * self.seconds / epochs,
            time_in_bridle_percent=100 * self.regularization.seconds / self.seconds,
            weights=np.concatenate([weight.ravel() for weight in network.weights]),
            history=self.history,
        )


def train(
    method: Method, data: Dataset, settings: Settings, on_epoch: Callable[[], None]
) -> Result:
    """Train one network; `on_epoch` is called after each epoch."""
    run = Run(method, data, settings)
    for _ in range(settings.epochs):
        stop = run.epoch()
        on_epoch()
        if stop:
            break
    return run.result()


@contextmanager
def reproducible(threads: int | None) -> Iterator[None]:
    """Let bridle use `threads` threads and BLAS one: its sums depend on how many it uses."""
    threadpoolctl = import_module("threadpoolctl")  # It has no types.
    before = br.get_num_threads()
    with threadpoolctl.threadpool_limits(limits=1, user_api="blas"):
        # Within, since a BLAS built on OpenMP limits its whole runtime.
        br.set_num_threads(before if threads is None else threads)
        try:
            # A network that diverges is a result; NumPy's warnings about it are not.
            with np.errstate(all="ignore"):
                yield
        finally:
            br.set_num_threads(before)


def _zeros_percent(weights: list[Array]) -> float:
    size = sum(weight.size for weight in weights)
    return 100 * float(sum(np.count_nonzero(weight == 0) for weight in weights)) / size
