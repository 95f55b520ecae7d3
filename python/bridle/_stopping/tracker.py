"""Early stopping: it says when to stop, and keeps the weights of the best epoch."""

from __future__ import annotations

import inspect
import math
from collections.abc import Mapping, Sequence
from typing import Literal, SupportsFloat, SupportsIndex, TypeAlias

from bridle._stopping.checks import count, real, truth
from bridle._stopping.criteria import Criterion, any_fires
from bridle._stopping.file import Resumable
from bridle._stopping.judgement import (
    StopReason,
    raise_if_not_finite,
    reason_of,
    recorded,
    values_of,
    verdicts_of,
)
from bridle._stopping.metric import Mode, Standing
from bridle._stopping.rules import OWNER, Monitor, PerMetric, Reduce, Rules
from bridle._stopping.snapshot import Arrays, Weights, arrays_of, container_of
from bridle._stopping.state import Clock, Record, State

Number: TypeAlias = SupportsFloat | SupportsIndex


class EarlyStopping(Resumable):
    r"""Tell a training loop when its metric has stopped improving.

    The loop calls `update` once an epoch and ends when it returns True. The weights of the best
    epoch can be kept and put back with `restore`.

    Parameters
    ----------
    patience : int
        Number of consecutive epochs without an improvement that stop training. 0 behaves as 1,
        and epoch 0 is never the last.
    mode : {"min", "max"} or None
        Whether a smaller or a larger value is better. None if `monitor` gives the modes.
    monitor : str or mapping of str to {"min", "max"}, optional
        None: `update` takes a number. A name: it takes a mapping, and judges that metric of it.
        Names with their modes: several metrics, each with its own best value and wait. `best`,
        `best_epoch`, `wait`, the kept weights and the criteria follow the first of them.
    min_delta : float or mapping of str to float, default=0.0
        By how much more than this a value has to beat the best one (or `baseline`) to count. This
        and the three other thresholds of a metric may be given by name, for some of the metrics.
    delta : {"absolute", "relative"}, default="absolute"
        Whether `min_delta` is that amount or a fraction of the size of what is to be beaten.
    baseline : float or mapping of str to float, optional
        Value to reach: `wait` starts again only at an improvement that beats the baseline too, so
        all epochs before count. One that improves never stops training, though: where `wait` has
        passed `patience` that way, the next epoch without an improvement does.
    start_from_epoch : int, default=0
        Values of the epochs before this one are counted but not judged: they are never the best,
        and none of them stops training, NaN included.
    restore_best_weights : bool, default=False
        Keep a copy of the weights given to `update` whenever the value improves, for `restore`.
    nan : {"stop", "ignore", "raise"}, default="stop"
        What NaN and infinity on the bad side (``inf`` for "min", ``-inf`` for "max") do: stop at
        once; count as no improvement; or raise FloatingPointError. They are never the best value.
    target : float or mapping of str to float, optional
        A value at least as good stops training. The first one is best, however small its gain.
    divergence : float or mapping of str to float, optional
        A value at least as bad stops training. One metric is enough.
    max_seconds : float, optional
        Time since the first update after which an epoch is the last, also before
        `start_from_epoch`.
    smoothing : float, optional
        Factor :math:`f` in [0, 1) of a moving average, which is judged in place of the value:
        :math:`s_0 = v_0`, :math:`s_t = f s_{t-1} + (1 - f) v_t`. Values that are not judged yet
        enter it; values that are not finite never do and are judged as they are.
    criteria : sequence of Criterion, default=()
        Further reasons to stop, any of which is enough: `GeneralizationLoss`, `ProgressQuotient`,
        `UnimprovedStrips`, `Plateau` or your own. They see the values that are judged and finite.
    combine : {"any", "all"}, default="all"
        Whether one metric or all of them together must have exhausted `patience`, or be on
        `target`, for training to stop.
    reduce : callable, optional
        Called once per update with the decision of this process, a bool; what it returns is the
        decision. An all-reduce lets several processes agree.

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
    last : Decision
        All that the last update decided.
    metrics : dict of str to Standing
        The best value, its epoch and the wait of every metric by name (without `monitor`: "value").

    Notes
    -----
    The first value judged is an improvement. A later value :math:`v` is one if it beats the best
    value :math:`b` strictly by more than :math:`\delta`, which is `min_delta` or, if relative,
    `min_delta` times :math:`|b|`:

    .. math:: v + \delta < b \quad\text{(min)}, \qquad v - \delta > b \quad\text{(max)}.

    Gains too small to count leave `best` where it was, so they add up. The rule is a relative of
    criterion UP of [1]_, which stops after a number of successive rises; here every epoch is
    compared with the best one, not with the one before it.

    Names, counting and baseline follow the callback of Keras 3.15 [2]_; ``docs/early-stopping.md``
    lists the differences, and tells more of several metrics, processes and resumed training.

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
        mode: Mode | None,
        monitor: Monitor = None,
        min_delta: PerMetric = 0.0,
        delta: Literal["absolute", "relative"] = "absolute",
        baseline: PerMetric | None = None,
        start_from_epoch: int = 0,
        restore_best_weights: bool = False,
        nan: Literal["stop", "ignore", "raise"] = "stop",
        target: PerMetric | None = None,
        divergence: PerMetric | None = None,
        max_seconds: float | None = None,
        smoothing: float | None = None,
        criteria: Sequence[Criterion] = (),
        combine: Literal["any", "all"] = "all",
        reduce: Reduce | None = None,
    ) -> None:
        self._rules = Rules.checked(locals())
        self._metrics = self._rules.metrics()
        self._start_anew()

    def __repr__(self) -> str:
        given = inspect.signature(EarlyStopping).parameters.items()
        defaults = {name: one.default for name, one in given if one.default is not one.empty}
        best, best_epoch, wait, _ = self._state.standings[0]
        return (
            f"<{type(self).__name__}: {self._rules.shown(defaults)}; "
            f"best={best}, best_epoch={best_epoch}, wait={wait}, reason={self.reason.value!r}>"
        )

    def reset(self) -> None:
        """Forget all values, epochs and weights, as before the first `update`."""
        self._change(self._start_anew)

    def update(
        self,
        value: Number | Mapping[str, Number],
        weights: Weights | None = None,
        epoch: int | None = None,
        training: Number | None = None,
    ) -> bool:
        """Take the value of one epoch and tell whether to stop.

        Where it raises, nothing has changed and the epoch may be given again. What a signal handler
        raises, as for Ctrl-C, may also come just after all has changed, but never in between.

        Parameters
        ----------
        value : float, or mapping of str to float
            The metric: anything that ``float`` converts, save booleans, strings, dates and masked
            arrays. With `monitor` a mapping that has its names; other entries are ignored.
        weights : ndarray, list or tuple of ndarray, or mapping of names to ndarray, optional
            Required if `restore_best_weights`, an error otherwise, since they would be lost. Copied
            if the value improves, into buffers that the first copy allocates: shapes, dtypes,
            number and names stay.
        epoch : int, optional
            Number of the epoch, from 0. By default the one after the last update's.
        training : float, optional
            The training loss, for criteria that need it.

        Returns
        -------
        bool
            True if training should stop. Once True, every further call returns True and does
            nothing else, until `reset`.

        Raises
        ------
        TypeError, ValueError
            If an argument is no such number or array, or a metric is missing.
        FloatingPointError
            If `nan` is "raise" and a value is not finite.
        """
        if self.reason is not StopReason.NONE:
            return True
        values = values_of(value, self._metrics, self.monitor is not None)
        epoch = self._state.next_epoch if epoch is None else count(OWNER, "epoch", epoch)
        loss = None if training is None else real(OWNER, "training", training)
        arrays = self._arrays_to_keep(weights)

        def judge() -> None:
            state, snapshot = self._judged(values, epoch, loss), self._record.snapshot
            if state.improved and self.restore_best_weights:
                snapshot = snapshot.place_for(arrays, container_of(weights))
                snapshot.take(arrays, self, "_record", Record(state, snapshot))
            else:
                self._record = Record(state, snapshot)

        self._change(judge)
        return self.reason is not StopReason.NONE

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
        self._check_kept()
        self._record.snapshot.put(arrays_of(weights))

    def best_weights(self) -> Weights:
        """Return copies of the weights of the best epoch, structured as they were given.

        After `load` a named tuple is a plain one.

        Raises
        ------
        RuntimeError
            If no weights were kept; the message tells why.
        """
        self._check_kept()
        return self._record.snapshot.copied()

    def _start_anew(self) -> None:
        for criterion in self.criteria:
            criterion.reset()
        self._record = Record(State(standings=(Standing(),) * len(self._metrics)))

    def _arrays_to_keep(self, weights: Weights | None) -> Arrays:
        kept = self.restore_best_weights
        if kept is (weights is None):
            got = "None" if kept else type(weights).__name__
            raise ValueError(
                f"{OWNER}: weights must{'' if kept else ' not'} be given if restore_best_weights "
                f"is {kept}, got {got}"
            )
        if weights is None:
            return {}
        arrays = arrays_of(weights)
        self._record.snapshot.check(arrays)
        return arrays

    def _judged(self, values: list[float], epoch: int, loss: float | None) -> State:
        before = self._state
        clock = before.clock or Clock()
        reason, improved = StopReason.NONE, False
        if epoch < self.start_from_epoch:
            standings = recorded(self._metrics, before.standings, values)
        else:
            verdicts = verdicts_of(self._metrics, before.standings, values, epoch)
            if self.nan == "raise" and not all(verdict.finite for verdict in verdicts):
                self._agreed(StopReason.NOT_FINITE)
                raise_if_not_finite(self._metrics, verdicts, epoch)
            first = verdicts[0]
            fired = first.finite and any_fires(self.criteria, first.value, loss)
            reason = reason_of(self._rules, self._metrics, verdicts, fired, epoch)
            standings = tuple(verdict.standing for verdict in verdicts)
            improved = first.improved
        if reason is StopReason.NONE and clock.seconds >= (self.max_seconds or math.inf):
            reason = StopReason.TIME
        reason = self._agreed(reason)
        stopped_epoch = None if reason is StopReason.NONE else epoch
        return State(standings, epoch + 1, stopped_epoch, reason, improved, clock)

    def _agreed(self, reason: StopReason) -> StopReason:
        if self.reduce is None:
            return reason
        stops = reason is not StopReason.NONE
        if not truth(OWNER, "reduce", self.reduce(stops)):
            return StopReason.NONE
        return reason if stops else StopReason.REDUCED

    def _check_kept(self) -> None:
        if self._record.snapshot.buffers is None:
            raise RuntimeError(f"{OWNER}: no weights to restore: {self._why_none_kept()}")

    def _why_none_kept(self) -> str:
        if not self.restore_best_weights:
            return "restore_best_weights is False"
        if self._state.next_epoch == 0:
            return "update has taken no value"
        if self.best is not None:
            return "they are not part of what load_state_dict took; see save and load"
        if self.reason is StopReason.NOT_FINITE:
            return f"the first value judged, of epoch {self.stopped_epoch}, was not finite"
        if self._state.next_epoch <= self.start_from_epoch:
            return f"epoch {self.start_from_epoch} (start_from_epoch) was not reached"
        return "no value judged was finite"
