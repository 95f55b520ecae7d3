"""Early stopping for CatBoost; import it explicitly.

CatBoost is needed by those who train with it, not by this module itself.
"""

from __future__ import annotations

import math
from typing import Any

from bridle._stopping.callback import TrackerCallback, by_name

__all__ = ["EarlyStopping"]


class EarlyStopping(TrackerCallback):
    """A `bridle.EarlyStopping` as a callback of CatBoost, for ``fit`` of its estimators.

    CatBoost's callbacks end training, but have no access to the model. Which iterations it keeps is
    CatBoost's own decision: with ``use_best_model``, the default where there is an ``eval_set``,
    those up to the best value of ``eval_metric`` on the last data set, without smoothing;
    otherwise all. `tracker` tells which iteration is the best by its own rules:
    ``model.shrink(tracker.best_epoch + 1)`` keeps that one if ``use_best_model=False``. CatBoost
    takes no callbacks on GPUs and in ``cv``. A second training starts afresh.

    Parameters
    ----------
    patience, mode, min_delta, ...
        As for `bridle.EarlyStopping`. An epoch is an iteration of this training, counted from 0;
        with ``metric_period``, those in between are not judged. ``restore_best_weights=True`` is an
        error.
    monitor : str or mapping of str to {"min", "max"}
        Data set and metric, as in "validation-Logloss"; the metric alone if only one data set has
        it. The data sets are "learn" and "validation", or several "validation_0", "validation_1".
    training : str, optional
        The training loss, for criteria that need it, as in "learn-Logloss".

    Attributes
    ----------
    tracker : bridle.EarlyStopping
        All that it knows: ``best``, ``best_epoch``, ``reason``, …

    Raises
    ------
    catboost.CatBoostError
        From training, with the message of what was raised here: if there is no such metric, a
        ValueError that lists those that there are.

    Examples
    --------
    >>> import catboost
    >>> import numpy as np
    >>> import bridle.catboost
    >>> x = np.random.default_rng(0).standard_normal((200, 3))
    >>> y = x[:, 0] + np.random.default_rng(1).standard_normal(200)
    >>> stopping = bridle.catboost.EarlyStopping(5, mode="min", monitor="validation-RMSE")
    >>> model = catboost.CatBoostRegressor(
    ...     iterations=500, thread_count=1, verbose=False, allow_writing_files=False
    ... )
    >>> model = model.fit(x[:100], y[:100], eval_set=(x[100:], y[100:]), callbacks=[stopping])
    >>> model.best_iteration_ == stopping.tracker.best_epoch
    True
    """

    copies_weights = False
    cannot_restore = "CatBoost's callbacks have no access to the model; see use_best_model"
    _iteration = math.inf
    _measured = 0

    def after_iteration(self, info: Any) -> bool:
        """Take the metrics of one iteration and return whether training should go on."""
        if info.iteration <= self._iteration:
            self._begin()
            self._measured = 0
        self._iteration = info.iteration
        histories = [
            (data, metric, history)
            for data, metrics in info.metrics.items()
            for metric, history in metrics.items()
        ]
        before, self._measured = self._measured, max(len(h) for *_, h in histories)
        if self._measured == before:
            return not self._stopped  # between two evaluations of metric_period
        current = [(d, m, h[-1]) for d, m, h in histories if len(h) == self._measured]
        return not self._take(by_name(current), epoch=info.iteration - 1)
