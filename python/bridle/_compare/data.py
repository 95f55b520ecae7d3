"""The data: scikit-learn's handwritten digits or a CSV file, split anew for every repeat."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from bridle._compare import Array
from bridle._compare.table import Table
from bridle._compare.tasks import Classification, Regression, Task

DIGITS_TRAINING, DIGITS_VALIDATION = 400, 400
DIGITS_WRONG_LABELS = 0.1
FILE_TRAINING, FILE_VALIDATION = 0.6, 0.2
PARTS = ("training", "validation", "test")


@dataclass(frozen=True)
class Part:
    """Standardized samples by row, and of each the class as an index or a standardized number."""

    inputs: Array
    targets: Array


@dataclass(frozen=True)
class Split:
    """The samples of one repeat."""

    task: Task
    training: Part
    validation: Part
    test: Part

    @cached_property
    def curvature(self) -> float:
        """The largest curvature of a linear model's training loss, by the power method."""
        inputs = self.training.inputs
        vector = np.ones(inputs.shape[1], np.float32)
        value = 0.0
        for _ in range(30):
            vector = inputs.T @ (inputs @ (vector / (np.linalg.norm(vector) or 1.0)))
            value = float(np.linalg.norm(vector)) / len(inputs)
        # The bias sees ones, and the inputs are centred.
        return self.task.curvature * max(value, 1.0)


@dataclass(frozen=True)
class Dataset:
    """A table to learn from; ``sizes`` are the samples for training and for validation.

    ``name`` and ``notes`` describe it to the reader.
    """

    name: str
    notes: tuple[str, ...]
    table: Table
    sizes: tuple[int, int]

    @property
    def task(self) -> Task:
        """What is to be learned, in the target's own unit."""
        return Classification(self.table.classes) if self.table.classes else Regression(1.0)

    @property
    def samples(self) -> dict[str, int]:
        """How many samples each part of a split holds."""
        training, validation = self.sizes
        rows = len(self.table.target)
        return dict(zip(PARTS, (training, validation, rows - training - validation), strict=True))

    @property
    def summary(self) -> str:
        """The data in one line."""
        parts = ", ".join(f"{count:,} {part}" for part, count in self.samples.items())
        columns, classes = len(self.table.names), len(self.table.classes)
        goal = f"{classes:,} classes" if classes else "a number to predict"
        return f"{self.name}: {parts} samples, {columns:,} features, {goal}"

    def split(self, seed: Sequence[int]) -> Split:
        """Split at random and standardize by the training samples.

        Every part holds the classes in the same proportions. Missing values become the mean of
        the training samples.
        """
        table = self.table
        generator = np.random.default_rng(seed)
        order = generator.permutation(len(table.target))
        if table.classes:
            order = _stratified(order, table.target, generator)
        rows = np.split(order, np.cumsum(self.sizes))
        center, spread = _standard(table.features[rows[0]], table.indicator)
        task, targets = self.task, table.target
        if not table.classes:
            middle, scale = targets[rows[0]].mean(), targets[rows[0]].std() or 1.0
            task, targets = (
                Regression(float(scale)),
                ((targets - middle) / scale).astype(np.float32),
            )
        parts = []
        for part in rows:
            inputs = (table.features[part] - center) / spread
            np.nan_to_num(inputs, copy=False, nan=0.0)
            parts.append(Part(inputs.astype(np.float32), targets[part]))
        return Split(task, *parts)


def load_digits(seed: int) -> Dataset:
    """Load the 1,797 images of 8 x 8 pixels and mislabel one in ten.

    A small network reads clean digits almost perfectly however it is trained. Wrong labels, in
    all three parts alike, are something that it can only learn by heart.
    """
    import sklearn.datasets

    inputs, labels = sklearn.datasets.load_digits(return_X_y=True)
    generator = np.random.default_rng([seed, 1])
    wrong = generator.permutation(len(labels))[: round(DIGITS_WRONG_LABELS * len(labels))]
    labels[wrong] = (labels[wrong] + generator.integers(1, 10, len(wrong))) % 10
    table = Table(
        names=tuple(f"row {row} column {column}" for row in range(8) for column in range(8)),
        features=inputs / 16,
        indicator=np.ones(inputs.shape[1], bool),
        target=labels.astype(np.int64),
        classes=tuple(str(digit) for digit in range(10)),
        notes=(),
    )
    note = (
        f"One label in {1 / DIGITS_WRONG_LABELS:.0f} is wrong on purpose, in every part of the "
        "data, to give the network something to learn by heart: on unseen digits even a perfect "
        f"reader would score only about {100 * (1 - DIGITS_WRONG_LABELS):.0f} %."
    )
    sizes = DIGITS_TRAINING, DIGITS_VALIDATION
    return Dataset("Handwritten digits", (note,), table, sizes)


def load_file(path: Path, target: str, table: Table) -> Dataset:
    """Make a file's table a data set: three fifths to train on, a fifth to choose by."""
    rows = len(table.target)
    sizes = round(FILE_TRAINING * rows), round(FILE_VALIDATION * rows)
    return Dataset(f"{path.name}, column {target}", table.notes, table, sizes)


def _stratified(order: Array, labels: Array, generator: np.random.Generator) -> Array:
    """Spread the members of each class evenly over the order."""
    place = np.empty(len(labels))
    for label in np.unique(labels):
        members = order[labels[order] == label]
        place[members] = (np.arange(len(members)) + generator.random()) / len(members)
    return np.argsort(place, kind="stable")


def _standard(features: Array, indicator: Array) -> tuple[Array, Array]:
    """Return the mean and the standard deviation of each column, 1 where it is not to be scaled.

    Of a constant it is infinite: what training has not seen vary teaches nothing.
    """
    known = np.isfinite(features)
    count = np.maximum(known.sum(axis=0), 1)
    center = np.where(known, features, 0).sum(axis=0) / count
    spread = np.sqrt(np.where(known, (features - center) ** 2, 0).sum(axis=0) / count)
    # A constant's deviation may be a rounding error.
    varies = spread > 1e-9 * np.abs(center)
    return center, np.where(varies, np.where(indicator, 1.0, spread), np.inf)
