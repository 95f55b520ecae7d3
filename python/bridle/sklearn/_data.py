"""From what users give to a problem: weights of samples, targets and their losses."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.class_weight import compute_class_weight
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import _check_sample_weight

from bridle._call import any_number, choice, counter, non_negative, shown
from bridle._solvers.problem import check_regularizer
from bridle.sklearn._design import Array, Design, largest_size_of
from bridle.sklearn._losses import (
    Huber,
    Logistic,
    Loss,
    Multinomial,
    Poisson,
    Squared,
    SquaredHinge,
)
from bridle.sklearn._problem import Problem

OF_NUMBERS = ("squared", "huber", "poisson")
OF_CLASSES = ("log", "squared_hinge")
TYPES = (np.float64, np.float32)
"""The types of data matrices; others become the first."""
FORMATS = ("csr", "csc")


def check_options(owner: str, options: dict[str, Any], losses: tuple[str, ...]) -> None:
    """Check what does not depend on the data."""
    check_regularizer(owner, options["regularizer"])
    choice(owner, "loss", options["loss"], losses)
    delta = any_number(owner, "delta", options.get("delta", 1.0))
    if not 0 < delta < np.inf:
        raise ValueError(f"{owner}: delta must be > 0 and finite, got {delta}")
    if counter(owner, "max_iterations", options["max_iterations"]) == 0:
        raise ValueError(f"{owner}: max_iterations must be >= 1, got 0")
    non_negative(owner, "tolerance", options["tolerance"])


class Data:
    """Samples that have been checked, their targets and weights, and the loss."""

    def __init__(
        self, owner: str, samples: Any, y: Any, sample_weight: Any, options: dict[str, Any]
    ) -> None:
        self.owner, self.samples, self.options = owner, samples, options
        self.classes: NDArray[Any] | None = None
        weights: Array = _check_sample_weight(sample_weight, samples, dtype=samples.dtype)
        if (weights < 0).any():
            raise ValueError(f"{owner}: sample_weight must be >= 0, got {weights.min()}")
        if options["loss"] in OF_CLASSES:
            check_classification_targets(y)
            self.classes, self.targets = np.unique(y, return_inverse=True)
            if len(self.classes) < 2:
                got = f"one class, {self.classes[0]!r}"
                raise ValueError(f"{owner}: y must have at least 2 classes, got {got}")
            weights = weights * self._class_weights(weights, y)[self.targets]
        else:
            self.targets = np.asarray(y, samples.dtype)
            if options["loss"] == "poisson" and (self.targets < 0).any():
                least = self.targets.min()
                raise ValueError(f"{owner}: y must be >= 0 for the loss 'poisson', got {least}")
        self.weights = weights

    def _class_weights(self, weights: Array, y: Any) -> Array:
        given, classes = self.options["class_weight"], self.classes
        assert classes is not None
        if given is None:
            factors = np.ones(len(classes))
        elif isinstance(given, str) and given == "balanced":  # of the weights, not of the numbers
            totals = np.bincount(self.targets, weights)
            factors = np.divide(1.0, totals, out=np.zeros(len(classes)), where=totals > 0)
        else:
            factors = compute_class_weight(given, classes=classes, y=y)
        if not (factors >= 0).all():
            raise ValueError(f"{self.owner}: class_weight must be >= 0, got {shown(given)}")
        return factors.astype(weights.dtype)

    @property
    def outputs(self) -> tuple[int, ...]:
        """The shape of the intercepts: several classes have one each."""
        return () if self.classes is None or len(self.classes) == 2 else (len(self.classes),)

    def loss(self, rows: Any = slice(None)) -> Loss:
        """Return the loss of some samples."""
        name, targets, dtype = self.options["loss"], self.targets[rows], self.samples.dtype
        if self.classes is None:
            if name == "huber":
                return Huber(targets, float(self.options["delta"]))
            return Squared(targets) if name == "squared" else Poisson(targets)
        if name == "log" and self.outputs:
            return Multinomial(targets, len(self.classes))
        is_class = targets[:, None] == np.arange(len(self.classes)) if self.outputs else targets
        signs = np.where(is_class, 1, -1).astype(dtype)
        return Logistic(signs) if name == "log" else SquaredHinge(signs)

    def problem(self, counts: Any = 1) -> Problem:
        """Return the problem of the samples, each of them so many times: 0 leaves it out."""
        weights = self.weights * counts
        total = weights.sum(dtype=np.float64)
        if not 0 < total < np.inf:
            rule = "weights of samples must have a sum > 0 and finite"
            raise ValueError(f"{self.owner}: {rule}, got {total}")
        shares = (weights / total).astype(self.samples.dtype)
        is_centered = bool(self.options["fit_intercept"])
        design = Design(self.samples, shares, is_centered=is_centered)
        size, most = design.largest_size, largest_size_of(self.samples.dtype)
        if size != 0 and not 1 / most <= size <= most:
            rule = f"X must have columns of sizes from {1 / most:.2g} to {most:.2g}"
            raise ValueError(f"{self.owner}: {rule}, got {size:.2g}; scale them")
        shape = (*self.outputs, self.samples.shape[1])
        self.options["regularizer"].value(np.zeros(shape, self.samples.dtype))  # do they fit?
        # The slopes are differences between numbers of about this size, which their rounding has.
        size = 1.0 if self.classes is not None else math.sqrt(shares @ np.square(self.targets))
        return Problem(design, self.loss(), self.outputs, self.options["regularizer"], size)
