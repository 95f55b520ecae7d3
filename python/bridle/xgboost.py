"""Early stopping for XGBoost; import it explicitly.

XGBoost is needed for this module alone.
"""

from __future__ import annotations

from typing import Any

import xgboost

from bridle._stopping.callback import TrackerCallback, by_name

__all__ = ["EarlyStopping"]


class EarlyStopping(TrackerCallback, xgboost.callback.TrainingCallback):
    """A `bridle.EarlyStopping` as a callback of XGBoost, for ``train``, ``cv`` and the estimators.

    The booster gets the attributes ``best_iteration`` and ``best_score``, as from XGBoost's own
    callback, so that predictions of the estimators use the best iterations alone. The score is the
    one that was judged, smoothed if there is smoothing. A second training starts afresh.

    Parameters
    ----------
    patience, mode, min_delta, ...
        As for `bridle.EarlyStopping`. An epoch is an iteration, counted from 0, those of a booster
        that training continues included.
    monitor : str or mapping of str to {"min", "max"}
        Data set and metric, as in "validation-logloss"; the metric alone if only one data set has
        it. ``cv`` names its data sets "train" and "test", and the means are judged.
    training : str, optional
        The training loss, for criteria that need it, as in "train-logloss".
    restore_best_weights : bool, default=False
        Return the booster without the iterations after the best one, as with ``save_best``.

    Attributes
    ----------
    tracker : bridle.EarlyStopping
        All that it knows: ``best``, ``best_epoch``, ``reason``, …

    Raises
    ------
    ValueError
        From training, if there is no such metric; the message lists those that there are.

    Examples
    --------
    >>> import numpy as np
    >>> import xgboost
    >>> import bridle.xgboost
    >>> x = np.random.default_rng(0).standard_normal((200, 3))
    >>> y = x[:, 0] + np.random.default_rng(1).standard_normal(200)
    >>> train, held_out = xgboost.DMatrix(x[:100], y[:100]), xgboost.DMatrix(x[100:], y[100:])
    >>> stopping = bridle.xgboost.EarlyStopping(5, mode="min", monitor="held_out-rmse")
    >>> booster = xgboost.train(
    ...     {"nthread": 1},
    ...     train,
    ...     num_boost_round=100,
    ...     evals=[(train, "train"), (held_out, "held_out")],
    ...     callbacks=[stopping],
    ...     verbose_eval=False,
    ... )
    >>> booster.best_iteration == stopping.tracker.best_epoch
    True
    """

    copies_weights = False

    def before_training(self, model: Any) -> Any:
        """Start afresh, or from a state that was loaded."""
        if self.restore_best_weights and not isinstance(model, xgboost.Booster):
            raise ValueError(
                "EarlyStopping: restore_best_weights must be False for cv, which returns no model"
            )
        self._begin()
        self._done = model.num_boosted_rounds()
        return model

    def after_iteration(self, model: Any, epoch: int, evals_log: Any) -> bool:
        """Take the metrics of one iteration."""
        measured = [
            (data, metric, history[-1][0] if isinstance(history[-1], tuple) else history[-1])
            for data, metrics in evals_log.items()
            for metric, history in metrics.items()
        ]
        stop = self._take(by_name(measured), epoch=self._done + epoch)
        if self.tracker.last.improved:
            self._mark(model)
        return stop

    def after_training(self, model: Any) -> Any:
        """Leave out the iterations after the best one, if asked to."""
        if self.tracker.best_epoch is None or not self.restore_best_weights:
            return model
        return self._mark(model[: self.tracker.best_epoch + 1])

    def _mark(self, model: Any) -> Any:
        best, epoch = self.tracker.best, self.tracker.best_epoch
        model.set_attr(best_iteration=str(epoch), best_score=str(best))
        return model
