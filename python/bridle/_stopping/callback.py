"""What the callbacks for other packages' training loops share: a tracker, and what feeds it."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, ClassVar, Literal

from bridle._stopping.checks import names
from bridle._stopping.criteria import Criterion
from bridle._stopping.judgement import StopReason
from bridle._stopping.metric import Mode
from bridle._stopping.rules import OWNER, PerMetric, Reduce
from bridle._stopping.snapshot import Weights
from bridle._stopping.tracker import EarlyStopping

_TRACKERS = inspect.signature(EarlyStopping).parameters


class TrackerCallback:
    """One `bridle.EarlyStopping`, fed by a training loop that somebody else wrote.

    The class of a framework inherits from this one first and then from the framework's own. It
    calls `_begin` when a training starts and `_take` with what each evaluation has measured.
    """

    copies_weights: ClassVar[bool] = True
    """Whether the best model is kept as a copy of weights, not as a number of trees."""
    cannot_restore: ClassVar[str | None] = None
    """Why not, where the framework keeps its callbacks away from the model."""

    def __init__(
        self,
        patience: int,
        *,
        mode: Mode | None,
        monitor: str | Mapping[str, Mode],
        training: str | None = None,
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
        given = locals()
        super().__init__()
        if not isinstance(monitor, (str, Mapping)):
            raise TypeError(f"{OWNER}: monitor must name a metric, got {monitor!r}")
        if training is not None and not isinstance(training, str):
            raise TypeError(f"{OWNER}: training must name the training loss, got {training!r}")
        if restore_best_weights and self.cannot_restore is not None:
            raise ValueError(
                f"{OWNER}: restore_best_weights must be False ({self.cannot_restore}), got True"
            )
        given["restore_best_weights"] = restore_best_weights and self.copies_weights
        self.tracker = EarlyStopping(**{name: given[name] for name in _TRACKERS})
        self.training = training
        self.restore_best_weights = bool(restore_best_weights)
        self._resumes = False
        self._forget()

    def __repr__(self) -> str:
        training = "" if self.training is None else f"training={self.training!r}, "
        return f"{type(self).__name__}({training}tracker={self.tracker!r})"

    def state_dict(self) -> dict[str, Any]:
        """Return what the tracker's `state_dict` returns."""
        return self.tracker.state_dict()

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Take up a state: the next training goes on from it instead of starting afresh."""
        self.tracker.load_state_dict(state_dict)
        self._resumes = True

    def _whole_state(self) -> dict[str, Any]:  # for bridle.save_checkpoint
        return self.tracker._whole_state()

    def _load_whole_state(self, state: Mapping[str, Any]) -> None:
        self.tracker._load_whole_state(state)
        self._resumes = True

    @property
    def _wanted(self) -> tuple[str, ...]:
        training = () if self.training is None else (self.training,)
        return (*self.tracker.metrics, *training)

    @property
    def _key(self) -> str:
        """Under which name a checkpoint has the state, whatever the other parameters are."""
        return f"bridle.EarlyStopping({', '.join(self.tracker.metrics)})"

    @property
    def _stopped(self) -> bool:
        return self.tracker.reason is not StopReason.NONE

    def _begin(self) -> None:
        """Start a training: afresh, unless a state was loaded for it."""
        if not self._resumes:
            self.tracker.reset()
        elif self._lacks_weights():
            raise ValueError(
                f"{OWNER}: restore_best_weights must be False to go on from a state without "
                "weights, got True"
            )
        self._resumes = False
        self._forget()

    def _lacks_weights(self) -> bool:
        wanted = self.tracker.restore_best_weights and self.tracker.best is not None
        return wanted and self.tracker._record.snapshot.buffers is None

    def _forget(self) -> None:
        self._evaluations = 0
        self._values: dict[str, Any] = {}
        self._seen: set[str] = set()

    def _take(
        self,
        values: Mapping[str, Any],
        *,
        epoch: int | None = None,
        weights: Callable[[], Weights] | None = None,
        continued: bool = False,
    ) -> bool:
        """Take what one evaluation has measured and tell whether training should stop.

        Nothing is judged before all that is wanted is there. `continued` says that the values
        belong to the evaluation of the call before. `weights` is called if they may be kept.
        """
        self._evaluations += not continued
        self._values = {**(self._values if continued else {}), **values}
        self._seen.update(values)
        if not all(name in self._values for name in self._wanted):
            if self._evaluations > 1:
                self._check_seen()
            return self._stopped
        values, self._values = self._values, {}
        return self.tracker.update(
            {name: values[name] for name in self.tracker.metrics},
            weights() if weights is not None and self.tracker.restore_best_weights else None,
            epoch,
            None if self.training is None else values[self.training],
        )

    def _best_weights(self) -> Any:
        """Return the weights to put back at the end of training, None if there are none."""
        kept = self.tracker.restore_best_weights and self.tracker.best is not None
        return self.tracker.best_weights() if kept else None

    def _check_seen(self) -> None:
        """Raise ValueError for a name that has appeared in no evaluation."""
        for name in self._wanted:
            if name not in self._seen:
                parameter = "training" if name == self.training else "monitor"
                got = f"{name!r}, not among {names(sorted(self._seen), name)}"
                raise ValueError(f"{OWNER}: {parameter} must name what is measured, got {got}")


def by_name(measured: Iterable[tuple[str, str, Any]]) -> dict[str, Any]:
    """Return values of data sets and metrics by name: "data-metric", and "metric" of only one."""
    values: dict[str, Any] = {}
    of_metric: dict[str, list[Any]] = {}
    for data, metric, value in measured:
        values[f"{data}-{metric}"] = value
        of_metric.setdefault(metric, []).append(value)
    return {**{name: found[0] for name, found in of_metric.items() if len(found) == 1}, **values}
