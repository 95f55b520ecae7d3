"""Early stopping for Lightning; import it explicitly.

Lightning is needed for this module alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from lightning.pytorch import Callback
from lightning.pytorch.trainer.states import TrainerFn

from bridle._stopping.callback import TrackerCallback
from bridle._stopping.modules import arrays_of_module, put_into_module

__all__ = ["EarlyStopping"]


class EarlyStopping(TrackerCallback, Callback):
    """A `bridle.EarlyStopping` as a callback of Lightning's ``Trainer``.

    Its state, kept weights included, is part of Lightning's checkpoints, so that
    ``fit(..., ckpt_path=...)`` goes on where that run was, with the parameters given here. Any
    other ``fit`` starts afresh. One process that stops, stops all.

    Parameters
    ----------
    patience, mode, min_delta, ...
        As for `bridle.EarlyStopping`. Epochs are evaluations, numbered from 0: the ends of epochs
        or, if the Trainer validates more or less often, of validations. Give ``start_from_epoch``
        in place of the Trainer's ``min_epochs``, which only puts off a stop that is decided.
    monitor : str or mapping of str to {"min", "max"}
        Names as they are logged, such as "val_loss".
    training : str, optional
        The training loss, for criteria that need it, as it is logged.
    restore_best_weights : bool, default=False
        Keep a copy of the module's state and put it back at the end of training, whatever has
        ended it, save an exception. Not for modules in shards.

    Attributes
    ----------
    tracker : bridle.EarlyStopping
        All that it knows: ``best``, ``best_epoch``, ``reason``, …

    Raises
    ------
    ValueError
        From ``fit``, if there is no such metric; the message lists those that there are.

    Examples
    --------
    >>> import bridle.lightning
    >>> from lightning.pytorch import Trainer
    >>> stopping = bridle.lightning.EarlyStopping(
    ...     3, mode="min", monitor="val_loss", smoothing=0.5, restore_best_weights=True
    ... )
    >>> trainer = Trainer(callbacks=[stopping], max_epochs=100)  # doctest: +SKIP
    """

    @property
    def state_key(self) -> str:
        """Name of the state in a checkpoint, which does not change with patience."""
        return self._key

    def state_dict(self) -> dict[str, Any]:
        """Return the tracker's state, and tensors of the weights that are kept."""
        state = self._whole_state()
        kept = state["weights"]
        if kept is not None:
            arrays = {name: torch.tensor(array) for name, array in kept["arrays"].items()}
            state["weights"] = {**kept, "arrays": arrays}
        return state

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Take up a state: the next training goes on from it instead of starting afresh."""
        state, kept = dict(state_dict), state_dict["weights"]
        if kept is not None:
            arrays = {name: tensor.numpy(force=True) for name, tensor in kept["arrays"].items()}
            state["weights"] = {**kept, "arrays": arrays}
        self._load_whole_state(state)

    def on_train_start(self, trainer: Any, pl_module: Any) -> None:
        """Start afresh, or from a state that was loaded."""
        self._begin()

    def on_train_epoch_end(self, trainer: Any, pl_module: Any) -> None:
        """Take the metrics of one epoch, if they are taken then."""
        self._look(trainer, pl_module, at_epoch_end=True)

    def on_validation_end(self, trainer: Any, pl_module: Any) -> None:
        """Take the metrics of one validation, if they are taken then."""
        self._look(trainer, pl_module, at_epoch_end=False)

    def on_train_end(self, trainer: Any, pl_module: Any) -> None:
        """Put the best weights back, if they were kept."""
        if (best := self._best_weights()) is not None:
            put_into_module(pl_module, best)

    def _look(self, trainer: Any, pl_module: Any, at_epoch_end: bool) -> None:
        interval = trainer.val_check_interval  # of epochs if it is a float, else of batches
        whole = isinstance(interval, float) and interval == 1.0
        each_epoch = whole and trainer.check_val_every_n_epoch == 1
        trains = trainer.state.fn == TrainerFn.FITTING and not trainer.sanity_checking
        if each_epoch is not at_epoch_end or not trains or trainer.fast_dev_run:
            return
        stop = self._take(trainer.callback_metrics, weights=lambda: arrays_of_module(pl_module))
        stop = trainer.strategy.reduce_boolean_decision(stop, all=False)
        trainer.should_stop = trainer.should_stop or stop
