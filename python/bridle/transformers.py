"""Early stopping for the Trainer of transformers; import it explicitly.

Transformers is needed for this module alone.
"""

from __future__ import annotations

from typing import Any

from transformers import TrainerCallback

from bridle._stopping.callback import TrackerCallback
from bridle._stopping.modules import arrays_of_module, put_into_module

__all__ = ["EarlyStopping"]


class EarlyStopping(TrackerCallback, TrainerCallback):
    """A `bridle.EarlyStopping` as a callback of the ``Trainer`` of transformers.

    Its state is part of the Trainer's checkpoints: ``train(resume_from_checkpoint=...)`` goes on
    where that run was, with the parameters given here. Any other ``train`` starts afresh. Neither
    ``load_best_model_at_end`` nor ``metric_for_best_model`` is needed.

    Parameters
    ----------
    patience, mode, min_delta, ...
        As for `bridle.EarlyStopping`. Epochs are evaluations, numbered from 0.
    monitor : str or mapping of str to {"min", "max"}
        Names as the Trainer logs them, such as "eval_loss", or "eval_web_loss" if ``eval_dataset``
        is a mapping that has "web". All data sets of one step are one evaluation.
    training : str, optional
        The training loss, for criteria that need it: "loss", the last one that was logged.
    restore_best_weights : bool, default=False
        Keep a copy of the model's state and put it back at the end of training, whatever has ended
        it, save an exception. Checkpoints have no place for it: to go on from one, use
        ``load_best_model_at_end``. Not for models in shards.

    Attributes
    ----------
    tracker : bridle.EarlyStopping
        All that it knows: ``best``, ``best_epoch``, ``reason``, …

    Raises
    ------
    ValueError
        From ``train``, if there is no such metric; the message lists those that there are. Or if
        it goes on from a checkpoint with `restore_best_weights`.

    Examples
    --------
    >>> import bridle.transformers
    >>> stopping = bridle.transformers.EarlyStopping(
    ...     3, mode="min", monitor="eval_loss", smoothing=0.5
    ... )
    >>> trainer = Trainer(model, arguments, callbacks=[stopping])  # doctest: +SKIP
    """

    _trains = False

    def on_train_begin(self, args: Any, state: Any, control: Any, **others: Any) -> None:
        """Start afresh, or from the state of the checkpoint."""
        saved = state.stateful_callbacks.get(self._key)
        if saved is not None:
            self.load_state_dict(saved)
        self._begin()
        self._trains, self._step = True, None

    def on_evaluate(
        self, args: Any, state: Any, control: Any, metrics: Any, model: Any = None, **others: Any
    ) -> None:
        """Take the metrics of one data set."""
        if not self._trains:
            return
        continued, self._step = state.global_step == self._step, state.global_step
        losses = [{"loss": log["loss"]} for log in state.log_history if "loss" in log]
        values = {**metrics, **(losses[-1] if losses else {})}
        if self._take(values, weights=lambda: arrays_of_module(model), continued=continued):
            control.should_training_stop = True
        state.stateful_callbacks[self._key] = self.state_dict()

    def on_train_end(
        self, args: Any, state: Any, control: Any, model: Any = None, **others: Any
    ) -> None:
        """Put the best weights back, if they were kept."""
        self._trains = False
        if (best := self._best_weights()) is not None:
            put_into_module(model, best)
