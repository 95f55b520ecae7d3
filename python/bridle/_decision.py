"""What early stopping answers: whether to stop, and why."""

from __future__ import annotations

import enum
from typing import NamedTuple


class StopReason(enum.Enum):
    """Why an `EarlyStopping` asked for the end of training.

    Where several would do in the same epoch, the reason is the first of them in this order.

    Examples
    --------
    >>> import bridle as br
    >>> stopping = br.EarlyStopping(patience=3, mode="max", target=0.9)
    >>> stopping.update(0.95), stopping.reason
    (True, <StopReason.TARGET: 'target'>)
    """

    NONE = "none"
    """It did not."""
    NOT_FINITE = "not_finite"
    """The value was NaN, or infinite on the bad side."""
    DIVERGED = "diverged"
    """The value was at least as bad as `divergence`."""
    TARGET = "target"
    """The value was at least as good as `target`."""
    CRITERION = "criterion"
    """One of the `criteria` asked."""
    PATIENCE = "patience"
    """`patience` epochs without an improvement."""
    TIME = "time"
    """`max_seconds` have passed since the first update."""
    REDUCED = "reduced"
    """Nothing here: another process asked, through `reduce`."""


class Decision(NamedTuple):
    """What the last update of an `EarlyStopping` decided: its `last`.

    Attributes
    ----------
    stop : bool
        Whether training should stop, as `update` returned it.
    improved : bool
        Whether the value is the best one so far.
    reason : StopReason
        Why training should stop.
    best : float or None
        The best value so far.
    best_epoch : int or None
        Its epoch.
    wait : int
        Epochs counted against `patience`.

    Examples
    --------
    >>> import bridle as br
    >>> stopping = br.EarlyStopping(patience=3, mode="min")
    >>> stopping.update(0.5)
    False
    >>> stopping.last.improved, stopping.last.best
    (True, 0.5)
    """

    stop: bool
    improved: bool
    reason: StopReason
    best: float | None
    best_epoch: int | None
    wait: int
