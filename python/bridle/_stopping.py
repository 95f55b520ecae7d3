"""Early stopping: fed one number an epoch, it says when to stop and keeps the best weights."""

from __future__ import annotations

import enum
import math
import numbers
import operator
from typing import Any, Literal, SupportsFloat, SupportsIndex

import numpy as np

from bridle._snapshot import Arrays, Snapshot, Weights, arrays_of


class StopReason(enum.Enum):
    """Why an `EarlyStopping` asked for the end of training."""

    NONE = "none"
    """It did not."""
    PATIENCE = "patience"
    """`patience` epochs without an improvement."""
    NOT_FINITE = "not_finite"
    """The value was NaN, or infinite on the bad side."""


class EarlyStopping:
    r"""Tell a training loop when its metric has stopped improving.

    The loop calls `update` once an epoch and ends when it returns True. The weights of the best
    epoch can be kept and put back with `restore`.

    Parameters
    ----------
    patience : int
        Number of consecutive epochs without an improvement that stop training. 0 behaves as 1.
    mode : {"min", "max"}
        Whether a smaller or a larger value is better.
    min_delta : float, default=0.0
        By how much more than this a value has to beat the best one (or `baseline`) to count.
    baseline : float, optional
        Value to reach: `wait` starts again only at an improvement that beats the baseline too, so
        all epochs before count. One that improves never stops training, though: where `wait` has
        passed `patience` that way, the next epoch without an improvement does.
    start_from_epoch : int, default=0
        Values of the epochs before this one are counted but not judged: they are never the best,
        and none of them stops training, NaN included.
    restore_best_weights : bool, default=False
        Keep a copy of the weights given to `update` whenever the value improves, for `restore`.

    Attributes
    ----------
    best : float or None
        Best value so far, None before the first one.
    best_epoch : int or None
        Its epoch, the one whose weights are kept.
    wait : int
        Epochs since the last improvement that beat the baseline, if there is one.
    stopped_epoch : int or None
        Epoch whose update asked to stop, None as long as none has.
    reason : StopReason
        Why it asked to stop, `StopReason.NONE` as long as it has not.

    Notes
    -----
    The first value judged is an improvement. A later value :math:`v` is one if it beats the best
    value :math:`b` strictly by more than `min_delta` :math:`\delta`:

    .. math:: v + \delta < b \quad\text{(min)}, \qquad v - \delta > b \quad\text{(max)}.

    Gains too small to count leave `best` where it was, so they add up. The rule is a relative of
    criterion UP of [1]_, which stops after a number of successive rises; here every epoch is
    compared with the best one, not with the one before it.

    Names, counting and baseline follow the callback of Keras 3.15 [2]_, with these differences:

    - NaN, and infinity on the bad side (``inf`` for "min", ``-inf`` for "max"), stop training at
      once and are never the best value, so the weights of a diverged epoch are never kept.
    - `mode` is not guessed, and negative parameters are errors.
    - `best_epoch` and `stopped_epoch` are None, not 0, until there is one.
    - Weights come back when the loop calls `restore`, whatever has ended it: this object, the
      last epoch, ``break`` or an exception.

    References
    ----------
    .. [1] L. Prechelt, "Early stopping -- but when?", in Neural Networks: Tricks of the Trade,
       LNCS 1524, pp. 55-69, Springer, 1998. :doi:`10.1007/3-540-49430-8_3`
    .. [2] Keras documentation, "EarlyStopping",
       https://keras.io/api/callbacks/early_stopping/

    Examples
    --------
    >>> import numpy as np
    >>> import bridle as br
    >>> weights = np.zeros(3, dtype=np.float32)
    >>> stopping = br.EarlyStopping(patience=2, mode="min", restore_best_weights=True)
    >>> for epoch, loss in enumerate([0.9, 0.5, 0.7, 0.6, 0.4]):
    ...     weights += 1
    ...     if stopping.update(loss, weights):
    ...         break
    >>> epoch, stopping.reason
    (3, <StopReason.PATIENCE: 'patience'>)
    >>> stopping.best, stopping.best_epoch
    (0.5, 1)
    >>> stopping.restore(weights)
    >>> weights
    array([2., 2., 2.], dtype=float32)
    """

    def __init__(
        self,
        patience: int,
        *,
        mode: Literal["min", "max"],
        min_delta: float = 0.0,
        baseline: float | None = None,
        start_from_epoch: int = 0,
        restore_best_weights: bool = False,
    ) -> None:
        if mode not in ("min", "max"):
            raise ValueError(f"EarlyStopping: mode must be 'min' or 'max', got {mode!r}")
        self.patience = _count("patience", patience)
        self.mode = mode
        self.min_delta = _number("min_delta", min_delta)
        if not self.min_delta >= 0:
            raise ValueError(f"EarlyStopping: min_delta must be >= 0, got {min_delta}")
        self.baseline = None if baseline is None else _number("baseline", baseline)
        if self.baseline is not None and math.isnan(self.baseline):
            raise ValueError(f"EarlyStopping: baseline must not be NaN, got {baseline}")
        self.start_from_epoch = _count("start_from_epoch", start_from_epoch)
        self.restore_best_weights = bool(restore_best_weights)
        self.reset()

    def reset(self) -> None:
        """Forget all values, epochs and weights, as before the first `update`."""
        self.best: float | None = None
        self.best_epoch: int | None = None
        self.wait = 0
        self.stopped_epoch: int | None = None
        self.reason = StopReason.NONE
        self._next_epoch = 0
        self._snapshot = Snapshot()

    def update(
        self,
        value: SupportsFloat | SupportsIndex,
        weights: Weights | None = None,
        epoch: int | None = None,
    ) -> bool:
        """Take the value of one epoch and tell whether to stop.

        Parameters
        ----------
        value : float
            The metric: anything that ``float`` converts, save booleans and strings.
        weights : ndarray, list or tuple of ndarray, or mapping of names to ndarray, optional
            Required if `restore_best_weights`, ignored otherwise. Copied if the value improves,
            into buffers that the first copy allocates: shapes, dtypes, number and names stay.
        epoch : int, optional
            Number of the epoch, from 0. By default the one after the last update's.

        Returns
        -------
        bool
            True if training should stop. Once True, every further call returns True and does
            nothing else, until `reset`.
        """
        if self.reason is not StopReason.NONE:
            return True
        number = _number("value", value)
        epoch = self._next_epoch if epoch is None else _count("epoch", epoch)
        arrays = self._arrays_to_keep(weights)
        if epoch >= self.start_from_epoch:
            self.reason = self._judge(number, epoch, arrays)
        self._next_epoch = epoch + 1
        if self.reason is StopReason.NONE:
            return False
        self.stopped_epoch = epoch
        return True

    def restore(self, weights: Weights) -> None:
        """Copy the weights of the best epoch into the given arrays, bit for bit.

        Parameters
        ----------
        weights : ndarray, list or tuple of ndarray, or mapping of names to ndarray
            Arrays to overwrite, of the shapes, dtypes and number or names given to `update`.

        Raises
        ------
        RuntimeError
            If no weights were kept; the message tells why.
        ValueError
            If the arrays do not match or one is read-only. Nothing is written then.
        """
        if not self._snapshot.taken:
            raise RuntimeError(f"EarlyStopping: no weights to restore: {self._why_none_kept()}")
        self._snapshot.put(arrays_of(weights))

    def _arrays_to_keep(self, weights: Weights | None) -> Arrays:
        if not self.restore_best_weights:
            return {}
        if weights is None:
            raise ValueError(
                "EarlyStopping: weights must be given if restore_best_weights is True, got None"
            )
        arrays = arrays_of(weights)
        self._snapshot.check(arrays)
        return arrays

    def _judge(self, value: float, epoch: int, arrays: Arrays) -> StopReason:
        finite = not math.isnan(value) and value != (math.inf if self.mode == "min" else -math.inf)
        improved = finite and self._beats(value, self.best)
        if improved and self.restore_best_weights:
            self._snapshot.take(arrays)
        self.wait += 1
        if improved:
            self.best, self.best_epoch = value, epoch
            if self._beats(value, self.baseline):
                self.wait = 0
        elif not finite:
            return StopReason.NOT_FINITE
        elif self.wait >= self.patience:
            return StopReason.PATIENCE
        return StopReason.NONE

    def _beats(self, value: float, reference: float | None) -> bool:
        # Keras' expressions: the rearranged `reference - value > min_delta` rounds differently.
        if reference is None:
            return True
        if self.mode == "min":
            return value + self.min_delta < reference
        return value - self.min_delta > reference

    def _why_none_kept(self) -> str:
        if not self.restore_best_weights:
            return "restore_best_weights is False"
        if self._next_epoch == 0:
            return "update has taken no value"
        if self.reason is StopReason.NOT_FINITE:
            return f"the first value judged, of epoch {self.stopped_epoch}, was not finite"
        return f"epoch {self.start_from_epoch} (start_from_epoch) was not reached"


def _count(name: str, value: Any) -> int:
    try:
        count = operator.index(value)
    except TypeError:
        error = ValueError if isinstance(value, numbers.Real) else TypeError
        raise error(f"EarlyStopping: {name} must be an integer, got {_shown(value)}") from None
    if isinstance(value, bool):
        raise TypeError(f"EarlyStopping: {name} must be an integer, got {value}")
    if count < 0:
        raise ValueError(f"EarlyStopping: {name} must be >= 0, got {count}")
    return count


def _number(name: str, value: Any) -> float:
    scalar = value.item() if isinstance(value, np.ndarray) and value.size == 1 else value
    try:
        # These are what float() takes although they are no real numbers.
        if isinstance(scalar, (bool, np.bool_, str, bytes, bytearray, np.complexfloating)):
            raise TypeError
        return float(scalar)
    except (TypeError, ValueError, RuntimeError) as error:
        raise TypeError(f"EarlyStopping: {name} must be one number, got {_shown(value)}") from error


def _shown(value: object) -> str:
    return f"an array of shape {value.shape}" if isinstance(value, np.ndarray) else repr(value)
