"""The model in plain NumPy, layers of ReLU or a single linear one, and its descent."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import DTypeLike

from bridle._compare import Array
from bridle._compare.tasks import Task

Mask = Callable[[int, Array], Array]
"""Returns values with those of layer ``i``'s inputs that sit out this step zeroed.

It is applied to the inputs and, in the backward pass, to the gradient by them.
"""


class Network:
    """Layers of the given sizes; two sizes are a linear model.

    ``parameters`` is one array, updated in place: first all weights, which are what is penalized,
    then all biases. ``layers`` are the views of it that a layer multiplies with and adds.
    """

    def __init__(
        self, sizes: Sequence[int], generator: np.random.Generator, dtype: DTypeLike = np.float32
    ) -> None:
        self.sizes = sizes
        weights = weight_count(sizes)
        self.parameters = np.zeros(weights + sum(sizes[1:]), dtype)
        self.weights = self.parameters[:weights]
        self.layers = self._views(self.parameters)
        if len(sizes) > 2:
            for weight, _ in self.layers:
                scale = np.sqrt(2.0 / len(weight))
                weight[...] = scale * generator.standard_normal(weight.shape)

    def predict(self, inputs: Array) -> Array:
        """Return the outputs: one row per sample."""
        return self._forward(inputs, None)[-1]

    def gradient(
        self, inputs: Array, targets: Array, task: Task, mask: Mask | None = None
    ) -> Array:
        """Return the gradient of a batch's mean loss by ``parameters``."""
        activations = self._forward(inputs, mask)
        upstream = task.gradient(activations.pop(), targets)
        gradient = np.empty_like(self.parameters)
        by_layer = self._views(gradient)
        for index in reversed(range(len(self.layers))):
            by_weight, by_bias = by_layer[index]
            np.matmul(activations[index].T, upstream, out=by_weight)
            np.sum(upstream, axis=0, out=by_bias)
            if index > 0:
                upstream = upstream @ self.layers[index][0].T
                if mask is not None:
                    upstream = mask(index, upstream)
                upstream *= activations[index] > 0
        return gradient

    def _forward(self, inputs: Array, mask: Mask | None) -> list[Array]:
        """Return the inputs of every layer, and the outputs."""
        values = [inputs]
        for index, (weight, bias) in enumerate(self.layers):
            if mask is not None:
                values[-1] = mask(index, values[-1])
            output = values[-1] @ weight
            output += bias
            if index < len(self.layers) - 1:
                np.maximum(output, 0, out=output)
            values.append(output)
        return values

    def _views(self, parameters: Array) -> list[tuple[Array, Array]]:
        shapes = list(pairwise(self.sizes))
        ends = np.cumsum([*(a * b for a, b in shapes), *self.sizes[1:]])
        pieces = np.split(parameters, ends[:-1])
        weights = [piece.reshape(shape) for piece, shape in zip(pieces, shapes, strict=False)]
        return list(zip(weights, pieces[len(shapes) :], strict=True))


def weight_count(sizes: Sequence[int]) -> int:
    """Return how many weights a network of these sizes has, without biases."""
    return sum(fan_in * fan_out for fan_in, fan_out in pairwise(sizes))


class MomentumDescent:
    """Gradient descent along a moving average of the gradients.

    The average has weights that sum to one, so that a proximal step of the learning rate times a
    strength minimizes exactly loss + strength * penalty, whatever the momentum. A gradient longer
    than `longest`, if there is one, is shortened to it first.
    """

    def __init__(self, parameters: Array, momentum: float, longest: float | None) -> None:
        self.parameters = parameters
        self.momentum = momentum
        self.longest = longest
        self._average = np.zeros_like(parameters)

    def step(self, gradient: Array, learning_rate: float) -> None:
        """Move the parameters, in place."""
        weight = 1 - self.momentum
        if self.longest is not None:
            length = math.sqrt(np.vdot(gradient, gradient))
            # Also a length that is not finite leaves the gradient as it is.
            weight *= self.longest / length if self.longest < length < math.inf else 1.0
        self._average *= self.momentum
        gradient *= weight
        self._average += gradient
        np.multiply(self._average, learning_rate, out=gradient)
        self.parameters -= gradient
