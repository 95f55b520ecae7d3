"""Early stopping as a callback of Keras."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras

from bridle._stopping.callback import TrackerCallback


class EarlyStopping(TrackerCallback, keras.callbacks.Callback):
    """A `bridle.EarlyStopping` as a callback of Keras, on any of its backends.

    A second ``fit`` starts afresh.

    Parameters
    ----------
    patience, mode, min_delta, ...
        As for `bridle.EarlyStopping`. Epochs have Keras' numbers, so they begin at
        ``initial_epoch``; with ``validation_freq``, those without validation are not judged.
    monitor : str or mapping of str to {"min", "max"}
        Names as in Keras' logs, such as "val_loss".
    training : str, optional
        The training loss, for criteria that need it: "loss".
    restore_best_weights : bool, default=False
        Keep a copy of ``model.get_weights()`` and put it back at the end of training, whatever has
        ended it, save an exception: after one, ``tracker.best_weights()`` has them.

    Attributes
    ----------
    tracker : bridle.EarlyStopping
        All that it knows: ``best``, ``best_epoch``, ``reason``, …

    Raises
    ------
    ValueError
        From ``fit``, if there is no such metric; the message lists those that there are. It comes
        with the second validation, or after several epochs if there was none.

    Examples
    --------
    >>> import keras
    >>> import numpy as np
    >>> import bridle.keras
    >>> x = np.linspace(-1, 1, 64).reshape(-1, 1)
    >>> model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    >>> model.compile("sgd", "mse")
    >>> stopping = bridle.keras.EarlyStopping(
    ...     3, mode="min", monitor="val_loss", smoothing=0.5, restore_best_weights=True
    ... )
    >>> fit = model.fit(
    ...     x, 2 * x, validation_split=0.25, epochs=20, verbose=0, callbacks=[stopping]
    ... )
    >>> stopping.tracker.best_epoch is not None
    True
    """

    def on_train_begin(self, logs: Mapping[str, Any] | None = None) -> None:
        """Start afresh, or from a state that was loaded."""
        self._begin()
        self._without_validation = 0

    def on_epoch_end(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Take the logs of one epoch."""
        values = dict(logs or {})
        missing = [name for name in self._wanted if name not in values]
        if any(map(_of_validation, missing)) and not any(map(_of_validation, values)):
            self._seen.update(values)
            self._without_validation += 1  # none was due, or there are no data for it
        elif self._take(values, epoch=epoch, weights=self.model.get_weights):
            self.model.stop_training = True

    def on_train_end(self, logs: Mapping[str, Any] | None = None) -> None:
        """Put the best weights back, if they were kept."""
        if self._evaluations == 0 and self._without_validation > 1:
            self._check_seen()
        if (best := self._best_weights()) is not None:
            self.model.set_weights(best)


def _of_validation(name: str) -> bool:
    return name.startswith("val_")
