"""What is learned, classes or a number: the loss, its gradient, and the scores of predictions.

A task says how many columns of ``outputs`` a model has, and what they are worth. Losses are means
over samples in float64, and `gradient` is that of the mean loss by the outputs. ``score`` names the
one of the `scores` that methods are judged by, of which more is better, ``unit`` its unit, and
``decimals`` how many of it are worth reading. A
model whose score is more than ``failed_below`` under the baseline's has diverged: that is more
than having learned nothing. ``curvature`` bounds the second derivative of a sample's loss by its
outputs.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar, TypeAlias

import numpy as np

from bridle._compare import Array


@dataclass(frozen=True)
class Classification:
    """Softmax and cross-entropy; two classes have one output, the log-odds of the second."""

    classes: tuple[str, ...]
    name: ClassVar = "classification"
    score: ClassVar = "accuracy_percent"
    unit: ClassVar = " %"
    decimals: ClassVar = 1
    failed_below: ClassVar = 30.0

    @property
    def outputs(self) -> int:
        """Number of columns of the outputs."""
        return 1 if len(self.classes) == 2 else len(self.classes)

    @property
    def curvature(self) -> float:
        """Of the softmax, or of the logistic function."""
        return 0.25 if self.outputs == 1 else 0.5

    def loss(self, outputs: Array, targets: Array) -> float:
        """Return the mean loss of the samples."""
        logits = _logits(outputs)
        shifted = logits - logits.max(axis=1, keepdims=True)
        losses = np.log(np.exp(shifted).sum(axis=1)) - shifted[np.arange(len(targets)), targets]
        return float(np.mean(losses, dtype=np.float64))

    def gradient(self, outputs: Array, targets: Array) -> Array:
        """Return the gradient of the mean loss by the outputs."""
        gradient = _softmax(_logits(outputs))
        gradient[np.arange(len(targets)), targets] -= 1
        gradient /= len(targets)
        return gradient[:, 1:] if outputs.shape[1] == 1 else gradient

    def scores(self, outputs: Array, targets: Array) -> dict[str, float]:
        """Return every score of the predictions."""
        predicted = _logits(outputs).argmax(axis=1)
        samples = np.bincount(targets, minlength=len(self.classes))
        hits = np.bincount(targets[predicted == targets], minlength=len(self.classes))
        present = samples > 0
        scores = {
            "accuracy_percent": 100 * float(hits.sum() / samples.sum()),
            "balanced_accuracy_percent": 100 * float(np.mean(hits[present] / samples[present])),
        }
        if len(self.classes) == 2:
            scores["roc_auc"] = _roc_auc(outputs[:, 0], targets)
        return scores

    def baseline(self, targets: Array) -> Array:
        """Return the outputs, one row, of the best prediction that knows nothing but `targets`."""
        shares = np.bincount(targets, minlength=len(self.classes)) / len(targets)
        logits = np.log(np.maximum(shares, 1e-6))[np.newaxis]
        return logits[:, 1:] - logits[:, :1] if self.outputs == 1 else logits


@dataclass(frozen=True)
class Regression:
    """Half the mean squared error of standardized targets, of which one is ``scale`` of theirs."""

    scale: float
    name: ClassVar = "regression"
    score: ClassVar = "r2"
    unit: ClassVar = ""
    decimals: ClassVar = 3
    failed_below: ClassVar = 10.0
    curvature: ClassVar = 1.0
    outputs: ClassVar = 1

    def loss(self, outputs: Array, targets: Array) -> float:
        """Return the mean loss of the samples."""
        return 0.5 * _mean_square(outputs[:, 0] - targets)

    def gradient(self, outputs: Array, targets: Array) -> Array:
        """Return the gradient of the mean loss by the outputs."""
        return (outputs - targets[:, np.newaxis]) / len(targets)

    def scores(self, outputs: Array, targets: Array) -> dict[str, float]:
        """Return every score of the predictions."""
        error = _mean_square(outputs[:, 0] - targets)
        spread = float(np.var(targets, dtype=np.float64))
        # Of a constant, the convention of scikit-learn.
        r2 = 1 - error / spread if spread > 0 else float(error == 0)
        return {"r2": r2, "rmse": self.scale * math.sqrt(error)}

    def baseline(self, targets: Array) -> Array:
        """Return the outputs, one row, of the best prediction that knows nothing but `targets`."""
        return np.full((1, 1), targets.mean(dtype=np.float64))


Task: TypeAlias = Classification | Regression


def _logits(outputs: Array) -> Array:
    if outputs.shape[1] > 1:
        return outputs
    return np.concatenate([np.zeros_like(outputs), outputs], axis=1)


def _softmax(logits: Array) -> Array:
    exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))
    probabilities: Array = exponentials / exponentials.sum(axis=1, keepdims=True)
    return probabilities


def _mean_square(values: Array) -> float:
    return float(np.mean(np.square(values, dtype=np.float64)))


def _roc_auc(outputs: Array, targets: Array) -> float:
    from sklearn.metrics import roc_auc_score

    if not np.isfinite(outputs).all() or len(np.unique(targets)) < 2:
        return math.nan
    return float(roc_auc_score(targets, outputs))
