"""Early stopping for LightGBM; import it explicitly.

LightGBM is needed for this module alone.
"""

from __future__ import annotations

from typing import Any

from lightgbm.callback import CallbackEnv, EarlyStopException

from bridle._stopping.callback import TrackerCallback, by_name

__all__ = ["EarlyStopping"]


class EarlyStopping(TrackerCallback):
    """A `bridle.EarlyStopping` as a callback of LightGBM, for ``train``, ``cv`` and the estimators.

    The booster's ``best_iteration`` is that of the best value, whatever has ended training, so that
    it predicts with the best iterations alone and is saved without the others. A second training
    starts afresh.

    Parameters
    ----------
    patience, mode, min_delta, ...
        As for `bridle.EarlyStopping`. An epoch is an iteration, counted from 0, those of
        ``init_model`` included. ``restore_best_weights`` makes no difference.
    monitor : str or mapping of str to {"min", "max"}
        Data set and metric, as in "valid_0-l2"; the metric alone if only one data set has it.
        ``cv`` names its data sets "train" and "valid", and the means are judged.
    training : str, optional
        The training loss, for criteria that need it, as in "training-l2".

    Attributes
    ----------
    tracker : bridle.EarlyStopping
        All that it knows: ``best``, ``best_epoch``, ``reason``, …

    Raises
    ------
    ValueError
        From training, if there is no such metric; the message lists those that there are. Or if
        boosting is "dart", which changes earlier trees: the best iteration cannot be had again.

    Examples
    --------
    >>> import lightgbm
    >>> import numpy as np
    >>> import bridle.lightgbm
    >>> x = np.random.default_rng(0).standard_normal((200, 3))
    >>> y = x[:, 0] + np.random.default_rng(1).standard_normal(200)
    >>> train = lightgbm.Dataset(x[:100], y[:100])
    >>> stopping = bridle.lightgbm.EarlyStopping(5, mode="min", monitor="held_out-l2")
    >>> booster = lightgbm.train(
    ...     {"objective": "l2", "num_threads": 1, "verbosity": -1},
    ...     train,
    ...     valid_sets=[train.create_valid(x[100:], y[100:])],
    ...     valid_names=["held_out"],
    ...     callbacks=[stopping],
    ... )
    >>> booster.best_iteration == stopping.tracker.best_epoch + 1
    True
    """

    copies_weights = False
    order = 30  # after what logs and records, as LightGBM's own
    before_iteration = False

    def __call__(self, env: CallbackEnv) -> None:
        """Take the metrics of one iteration."""
        if env.iteration == env.begin_iteration:
            self._begin()
            _refuse_dart(env.params)
            self._best: Any = None
        results = env.evaluation_result_list or []
        stop = self._take(by_name(result[:3] for result in results), epoch=env.iteration)
        if self.tracker.last.improved or self._best is None:
            self._best = results
        if stop or env.iteration == env.end_iteration - 1:
            best = self.tracker.best_epoch
            raise EarlyStopException(env.iteration if best is None else best, self._best)


def _refuse_dart(params: dict[str, Any]) -> None:
    if "dart" in (params.get(name) for name in ("boosting", "boosting_type", "boost")):
        raise ValueError(
            "EarlyStopping: boosting must leave the trees of the best iteration alone, got 'dart'"
        )
