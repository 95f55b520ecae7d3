"""A multilayer perceptron in NumPy: ReLU, softmax cross-entropy, and nothing of bridle."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

Array = NDArray[Any]
Mask = Callable[[int, Array], None]
"""Zeroes, in place, the units of hidden layer ``i`` that sit out this step.

It is applied to the layer's output and, in the backward pass, to the gradient by that output.
"""


class Network:
    """Fully connected layers of the given sizes.

    ``weights`` and ``biases`` hold one array per layer and are meant to be updated in place.
    """

    def __init__(
        self, sizes: Sequence[int], generator: np.random.Generator, dtype: DTypeLike = np.float32
    ) -> None:
        self.weights: list[Array] = []
        self.biases: list[Array] = []
        for fan_in, fan_out in pairwise(sizes):
            scale = np.sqrt(2.0 / fan_in)
            self.weights.append(
                (scale * generator.standard_normal((fan_in, fan_out))).astype(dtype)
            )
            self.biases.append(np.zeros(fan_out, dtype))

    @property
    def parameters(self) -> list[Array]:
        """All arrays that training changes."""
        return [*self.weights, *self.biases]

    def predict(self, inputs: Array) -> Array:
        """Return the logits: one row per sample, one column per class."""
        return self._forward(inputs, None)[-1]

    def gradients(
        self, inputs: Array, labels: Array, mask: Mask | None = None
    ) -> tuple[float, list[Array]]:
        """Return the mean loss of a batch and its gradient by ``parameters``, in their order."""
        layers = self._forward(inputs, mask)
        probabilities = softmax(layers.pop())
        rows = np.arange(len(labels))
        loss = -float(np.mean(np.log(np.maximum(probabilities[rows, labels], 1e-30))))

        upstream = probabilities
        upstream[rows, labels] -= 1
        upstream /= len(labels)
        by_weights: list[Array] = []
        by_biases: list[Array] = []
        for index in reversed(range(len(self.weights))):
            by_weights.insert(0, layers[index].T @ upstream)
            by_biases.insert(0, upstream.sum(axis=0))
            if index > 0:
                upstream = upstream @ self.weights[index].T
                if mask is not None:
                    mask(index - 1, upstream)
                upstream *= layers[index] > 0
        return loss, by_weights + by_biases

    def _forward(self, inputs: Array, mask: Mask | None) -> list[Array]:
        layers = [inputs]
        last = len(self.weights) - 1
        for index, (weight, bias) in enumerate(zip(self.weights, self.biases, strict=True)):
            output = layers[-1] @ weight
            output += bias
            if index < last:
                np.maximum(output, 0, out=output)
                if mask is not None:
                    mask(index, output)
            layers.append(output)
        return layers


def softmax(logits: Array) -> Array:
    """Turn each row of logits into probabilities."""
    exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))
    normalized: Array = exponentials / exponentials.sum(axis=1, keepdims=True)
    return normalized


def loss_and_accuracy(logits: Array, labels: Array) -> tuple[float, float]:
    """Return the mean cross-entropy and the share of samples whose class is predicted right."""
    shifted = logits - logits.max(axis=1, keepdims=True)
    log_partition = np.log(np.exp(shifted).sum(axis=1))
    losses = log_partition - shifted[np.arange(len(labels)), labels]
    hits = logits.argmax(axis=1) == labels
    return float(np.mean(losses, dtype=np.float64)), float(np.mean(hits))


class MomentumSGD:
    """Gradient descent along a moving average of the gradients.

    The average has weights that sum to one, so that a proximal step of ``learning_rate`` times a
    strength minimizes exactly loss + strength * penalty, whatever the momentum.
    """

    def __init__(self, parameters: Sequence[Array], learning_rate: float, momentum: float) -> None:
        self.parameters = parameters
        self.learning_rate = learning_rate
        self.momentum = momentum
        self.averages = [np.zeros_like(parameter) for parameter in parameters]

    def step(self, gradients: Sequence[Array]) -> None:
        """Move every parameter, in place."""
        moves = zip(self.parameters, self.averages, gradients, strict=True)
        for parameter, average, gradient in moves:
            average *= self.momentum
            average += (1 - self.momentum) * gradient
            parameter -= self.learning_rate * average
