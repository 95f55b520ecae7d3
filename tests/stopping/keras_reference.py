"""Runs Keras' own EarlyStopping on cases from stdin, and writes what became of it to stdout.

A program of its own: Keras brings threads, warnings and global settings with it.
"""

import json
import math
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "foreign"))
import keras_backend  # noqa: F401 - before Keras

# isort: split
import keras
import numpy as np


class Model:
    """All that the callback asks of a model: its weight is the number of epochs trained."""

    stop_training = False

    def __init__(self):
        self.weights = [np.zeros(1)]

    def get_weights(self):
        return [weight.copy() for weight in self.weights]

    def set_weights(self, weights):
        self.weights = [weight.copy() for weight in weights]


def best_of(callback, mode):
    """Return its best value, None where it has seen none: before Keras 3.7 that was an infinity."""
    before = tuple(map(int, keras.__version__.split(".")[:2])) < (3, 7)
    none = math.inf if mode == "min" else -math.inf
    return None if before and callback.best == none else callback.best


def outcome(case):
    callback = keras.callbacks.EarlyStopping(monitor="metric", **case["options"])
    model = Model()
    callback.set_model(model)
    callback.on_train_begin()
    epochs = 0
    for epoch, value in enumerate(case["values"]):
        model.weights[0] += 1
        callback.on_epoch_end(epoch, {"metric": value})
        epochs += 1
        if model.stop_training:
            break
    callback.on_train_end()
    return {
        "epochs": epochs,
        "stopped": model.stop_training,
        "best": best_of(callback, case["options"]["mode"]),
        "best_epoch": callback.best_epoch,
        "wait": callback.wait,
        "weight": model.weights[0].item(),
    }


if __name__ == "__main__":
    keras.config.set_floatx(sys.argv[1])  # the type in which Keras compares
    json.dump([outcome(case) for case in json.load(sys.stdin)], sys.stdout)
