"""TensorFlow's own tests of its proximal optimizers, on bridle's updates.

Argument: the folder tensorflow/python/training of TensorFlow's sources.
"""

import sys
from pathlib import Path

import tensorflow as tf
from suite import Suite
from tensorflow.python.training.proximal_adagrad import ProximalAdagradOptimizer
from tensorflow.python.training.proximal_gradient_descent import ProximalGradientDescentOptimizer

import bridle as br

tf.compat.v1.disable_eager_execution()
suite = Suite({})
METHODS = ("_apply_dense", "_apply_sparse", "_resource_apply_dense", "_resource_apply_sparse")


def take_step(update, gradient, variable, rows=None, slots=()):
    """Return the operation that updates a variable and its slots, or some rows of them."""
    variables = [variable, *slots]
    if isinstance(gradient, tf.IndexedSlices):
        gradient, rows = gradient.values, gradient.indices

    def call(gradient, rows, *arrays):
        arrays = [array.copy() for array in arrays]
        parts = [array[rows] for array in arrays]
        update(parts[0], gradient, *parts[1:])
        for array, part in zip(arrays, parts, strict=True):
            array[rows] = part
        return arrays

    rows = tf.range(tf.shape(variable)[0]) if rows is None else rows
    types = [one.dtype.base_dtype for one in variables]
    results = tf.numpy_function(call, [gradient, rows, *variables], types)
    pairs = zip(variables, results, strict=True)
    return tf.group(*[one.assign(tf.reshape(new, one.shape)) for one, new in pairs])


def strengths(optimizer):
    """Here the square has the factor 1/2."""
    return {
        "l1": optimizer._l1_regularization_strength,
        "l2": optimizer._l2_regularization_strength / 2,
    }


@suite.replaces(ProximalGradientDescentOptimizer, *METHODS)
def gradient_descent(self, gradient, variable, rows=None):
    def update(w, g):
        br.sgd_update(w, g, self._learning_rate, **strengths(self))

    return take_step(update, gradient, variable, rows)


@suite.replaces(ProximalAdagradOptimizer, *METHODS)
def adagrad(self, gradient, variable, rows=None):
    def update(w, g, accumulator):
        br.adagrad_update(w, g, accumulator, self._learning_rate, epsilon=0.0, **strengths(self))

    return take_step(update, gradient, variable, rows, [self.get_slot(variable, "accumulator")])


if __name__ == "__main__":
    folder = Path(sys.argv.pop(1)).resolve()
    suite.run([folder / "proximal_gradient_descent_test.py", folder / "proximal_adagrad_test.py"])
