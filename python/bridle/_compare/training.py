"""Training of one model, with everything recorded that the report shows."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib import import_module
from time import perf_counter

import numpy as np

import bridle as br
from bridle._compare import Array
from bridle._compare.data import PARTS, Part, Split
from bridle._compare.methods import Model, Regularization, Setting
from bridle._compare.network import MomentumDescent, Network

WATCHED = 1000
"""So many training samples at most are looked at to follow the loss."""


@dataclass(frozen=True)
class Settings:
    """What all methods share.

    A linear model is trained on all samples at once, and its learning rate is in units of the
    inverse of the loss's largest curvature.
    """

    model: Model
    seed: int
    repeats: int
    epochs: int
    batch_size: int
    hidden: tuple[int, ...]
    learning_rate: float
    momentum: float
    longest_gradient: float | None


def plan(
    model: Model, samples: int, seed: int, repeats: int | None, epochs: int | None, quick: bool
) -> Settings:
    """Choose for so many training samples what is not given.

    A network takes a number of steps, not of epochs, to learn, so that files of all sizes take
    similar times.
    """
    repeats = repeats or (3 if quick else 5)
    if model == "linear":
        epochs = epochs or (150 if quick else 300)
        # With this momentum, up to 38 converge; 10 are twice as slow as 20.
        return Settings(model, seed, repeats, epochs, samples, (), 20.0, 0.9, None)
    batch_size = min(max(2 ** round(math.log2(samples / 16)), 16), 512)
    steps, most = (500, 40) if quick else (1300, 100)
    if epochs is None:
        epochs = min(max(math.ceil(steps * batch_size / samples), 5), most)
    return Settings(model, seed, repeats, epochs, batch_size, (128, 64), 0.2, 0.9, 1.0)


@dataclass
class Outcome:
    """One trained model. ``losses`` and ``scores`` hold those of each part of the split.

    ``finite`` tells whether the weights and the loss that was minimized are.
    """

    finite: bool
    losses: dict[str, float]
    scores: dict[str, dict[str, float]]
    zeros_percent: float
    l1_norm: float
    l2_norm: float
    epochs: int
    best_epoch: int
    time_per_epoch_ms: float
    fastest_epoch_ms: float
    time_in_bridle_percent: float
    history: dict[str, list[float]]
    weights: Array


@dataclass
class Run:
    """The training of one model; all of a repeat start alike and draw the same batches."""

    split: Split
    setting: Setting
    settings: Settings
    repeat: int
    steps: int = 0
    epoch_seconds: list[float] = field(default_factory=list)
    history: dict[str, list[float]] = field(
        default_factory=lambda: {"train_loss": [], "validation_loss": []}
    )

    def __post_init__(self) -> None:
        settings, split = self.settings, self.split
        self.generator = np.random.default_rng([settings.seed, 3, self.repeat])
        sizes = (split.training.inputs.shape[1], *settings.hidden, split.task.outputs)
        self.model = Network(sizes, self.generator)
        self.descent = MomentumDescent(
            self.model.parameters, settings.momentum, settings.longest_gradient
        )
        self.learning_rate = settings.learning_rate
        if settings.model == "linear":
            self.learning_rate /= split.curvature
        seed = int(self.generator.integers(2**63))
        self.regularization = Regularization(self.setting, self.model, seed)

    def epoch(self) -> bool:
        """Train on every sample once; tell whether to stop."""
        start = perf_counter()
        samples, size = self.split.training, self.settings.batch_size
        if size < len(samples.targets):
            order = self.generator.permutation(len(samples.targets))
            for first in range(0, len(order), size):
                rows = order[first : first + size]
                self._step(samples.inputs[rows], samples.targets[rows])
        else:
            self._step(samples.inputs, samples.targets)
        elapsed = perf_counter() - start
        loss = self._follow()
        if not math.isfinite(loss):
            self.epoch_seconds.append(elapsed)
            return True
        start = perf_counter()
        stop = self.regularization.should_stop(loss)
        self.epoch_seconds.append(elapsed + perf_counter() - start)
        return stop

    def _step(self, inputs: Array, targets: Array) -> None:
        mask = self.regularization.mask(self.steps)
        gradient = self.model.gradient(inputs, targets, self.split.task, mask)
        self.descent.step(gradient, self.learning_rate)
        self.regularization.shrink(self.learning_rate)
        self.steps += 1

    def _follow(self) -> float:
        """Record the losses; return that of the validation samples."""
        split = self.split
        watched = Part(split.training.inputs[:WATCHED], split.training.targets[:WATCHED])
        for name, part in (("train_loss", watched), ("validation_loss", split.validation)):
            loss = split.task.loss(self.model.predict(part.inputs), part.targets)
            self.history[name].append(loss)
        return self.history["validation_loss"][-1]

    def outcome(self) -> Outcome:
        """Measure the model that the training ends with."""
        self.regularization.finish()
        split, model = self.split, self.model
        scores, losses = {}, {}
        for name in PARTS:
            part = getattr(split, name)
            outputs = model.predict(part.inputs)
            scores[name] = split.task.scores(outputs, part.targets)
            losses[name] = split.task.loss(outputs, part.targets)
        finite = math.isfinite(losses["training"]) and np.isfinite(model.parameters).all()
        epochs, seconds = len(self.epoch_seconds), sum(self.epoch_seconds)
        best = self.regularization.best_epoch
        return Outcome(
            finite=bool(finite),
            losses=losses,
            scores=scores,
            zeros_percent=100 * float(np.mean(model.weights == 0)),
            l1_norm=br.l1_penalty(model.weights),
            l2_norm=math.sqrt(br.l2_penalty(model.weights)),
            epochs=epochs,
            best_epoch=epochs if best is None else best + 1,
            time_per_epoch_ms=1e3 * float(np.median(self.epoch_seconds)),
            fastest_epoch_ms=1e3 * min(self.epoch_seconds),
            time_in_bridle_percent=100 * self.regularization.seconds / seconds,
            history=self.history,
            weights=model.weights.copy(),
        )


def train(
    split: Split, setting: Setting, settings: Settings, repeat: int, on_epoch: Callable[[], None]
) -> Outcome:
    """Train one model; `on_epoch` is called after each epoch."""
    run = Run(split, setting, settings, repeat)
    for _ in range(settings.epochs):
        stop = run.epoch()
        on_epoch()
        if stop:
            break
    return run.outcome()


@contextmanager
def reproducible(threads: int) -> Iterator[None]:
    """Let bridle use `threads` threads and BLAS one: its sums depend on how many it uses."""
    threadpoolctl = import_module("threadpoolctl")  # It has no types.
    before = br.get_num_threads()
    with threadpoolctl.threadpool_limits(limits=1, user_api="blas"):
        # Within, since a BLAS built on OpenMP limits its whole runtime.
        br.set_num_threads(threads)
        try:
            # A model that diverges is a result; NumPy's warnings about it are not.
            with np.errstate(all="ignore"):
                yield
        finally:
            br.set_num_threads(before)
