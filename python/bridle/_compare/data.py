"""The data: scikit-learn's handwritten digits or a CSV file, split in three parts."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bridle._compare import CompareError
from bridle._compare.network import Array
from bridle._compare.table import Table, read_table

DIGITS_TRAINING, DIGITS_VALIDATION = 400, 400
DIGITS_WRONG_LABELS = 0.1
CSV_TRAINING, CSV_VALIDATION = 0.6, 0.2


@dataclass(frozen=True)
class Part:
    """Samples by row and the class of each, as an index."""

    inputs: Array
    labels: Array


@dataclass(frozen=True)
class Dataset:
    """A classification problem; ``name`` and ``note`` describe it to the reader."""

    name: str
    note: str
    classes: int
    training: Part
    validation: Part
    test: Part

    @property
    def features(self) -> int:
        """Number of columns of the inputs."""
        return int(self.training.inputs.shape[1])

    @property
    def summary(self) -> str:
        """The data in one line."""
        sizes = (len(part.labels) for part in (self.training, self.validation, self.test))
        parts = "{:,} training, {:,} validation, {:,} test samples".format(*sizes)
        return f"{self.name}: {parts}, {self.features:,} features, {self.classes:,} classes"


def load_digits(seed: int) -> Dataset:
    """Load the 1,797 images of 8 x 8 pixels and mislabel one in ten.

    A small network reads clean digits almost perfectly however it is trained. Wrong labels, in
    all three parts alike, are something that it can only learn by heart.
    """
    import sklearn.datasets

    inputs, labels = sklearn.datasets.load_digits(return_X_y=True)
    inputs = (inputs / 16).astype(np.float32)
    labels = labels.astype(np.int64)
    generator = np.random.default_rng([seed, 1])
    wrong = generator.permutation(len(labels))[: round(DIGITS_WRONG_LABELS * len(labels))]
    labels[wrong] = (labels[wrong] + generator.integers(1, 10, len(wrong))) % 10
    sizes = DIGITS_TRAINING, DIGITS_VALIDATION
    return Dataset(
        "Handwritten digits",
        f"One label in {1 / DIGITS_WRONG_LABELS:.0f} is wrong on purpose, in every part of the "
        "data, to give the network something to learn by heart: on unseen digits even a perfect "
        f"reader would score only about {100 * (1 - DIGITS_WRONG_LABELS):.0f} %.",
        10,
        *_parts(inputs, labels, sizes, seed),
    )


def load_csv(path: Path, target: str, seed: int) -> Dataset:
    """Load a CSV file and standardize its features by the training samples.

    Raises
    ------
    CompareError
        If the file cannot be read as numeric features and one column of labels.
    """
    table = read_table(path, target)
    classes, labels = np.unique(np.array(table.labels), return_inverse=True)
    sizes = round(CSV_TRAINING * len(labels)), round(CSV_VALIDATION * len(labels))
    training, validation, test = _parts(table.features, labels, sizes, seed)
    inputs = _standardized(path, table, training, validation, test)
    parts = zip(inputs, (training, validation, test), strict=True)
    return Dataset(
        f"{path.name}, column {target}",
        "Features are standardized by the training samples. One test sample is worth "
        f"{100 / len(test.labels):.2g} points of accuracy.",
        len(classes),
        *(Part(features, part.labels) for features, part in parts),
    )


def _parts(inputs: Array, labels: Array, sizes: tuple[int, int], seed: int) -> list[Part]:
    """Split at random such that every part holds the classes in the same proportions."""
    generator = np.random.default_rng([seed, 2])
    order = generator.permutation(len(labels))
    place = np.empty(len(labels))
    for label in np.unique(labels):
        members = order[labels[order] == label]
        place[members] = (np.arange(len(members)) + generator.random()) / len(members)
    rows = np.split(np.argsort(place, kind="stable"), np.cumsum(sizes))
    return [Part(inputs[part], labels[part]) for part in rows]


def _standardized(path: Path, table: Table, training: Part, *others: Part) -> list[Array]:
    lowest, highest = training.inputs.min(axis=0), training.inputs.max(axis=0)
    with np.errstate(over="ignore", invalid="ignore"):
        center = training.inputs.mean(axis=0)
        spread = np.where(lowest < highest, training.inputs.std(axis=0), 1.0)
        standardized = [
            ((part.inputs - center) / spread).astype(np.float32) for part in (training, *others)
        ]
    finite = np.all([np.isfinite(features).all(axis=0) for features in standardized], axis=0)
    finite &= np.isfinite(spread)
    if not finite.all():
        name = table.names[int(finite.argmin())]
        raise CompareError(f"{path}: the values of column {name!r} are too large to standardize")
    return standardized
