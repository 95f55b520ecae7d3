"""All that an `EarlyStopping` remembers between two updates."""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, TypeGuard

from bridle._stopping.checks import as_json, from_json, names, shown
from bridle._stopping.criteria import Criterion, states_of
from bridle._stopping.judgement import Decision, StopReason
from bridle._stopping.metric import Metric, Standing
from bridle._stopping.rules import OWNER, Parameters, type_of
from bridle._stopping.snapshot import Snapshot


class Clock:
    """Seconds that pass: a copy and a pickle have the seconds, not the moment of this machine."""

    def __init__(self, seconds: float = 0.0) -> None:
        self._start = time.monotonic() - seconds

    def __reduce__(self) -> tuple[type[Clock], tuple[float]]:
        return Clock, (self.seconds,)

    @property
    def seconds(self) -> float:
        """Seconds since the start."""
        return time.monotonic() - self._start


class State(NamedTuple):
    """What the values given so far have led to."""

    standings: tuple[Standing, ...]
    next_epoch: int = 0
    stopped_epoch: int | None = None
    reason: StopReason = StopReason.NONE
    improved: bool = False
    clock: Clock | None = None
    """It runs since the first update."""

    def as_json(
        self,
        metrics: Sequence[Metric],
        criteria: Sequence[Criterion],
        remembered: Sequence[Mapping[str, Any]],
    ) -> dict[str, Any]:
        """Return the state as JSON, and what the criteria remember with it."""
        state = {
            "next_epoch": self.next_epoch,
            "stopped_epoch": self.stopped_epoch,
            "reason": self.reason.value,
            "improved": self.improved,
            "seconds": None if self.clock is None else self.clock.seconds,
            "metrics": [
                {"name": metric.name, "mode": metric.mode, **standing._asdict()}
                for metric, standing in zip(metrics, self.standings, strict=True)
            ],
            "criteria": [
                {"type": type_of(criterion), "state": memory}
                for criterion, memory in zip(criteria, remembered, strict=True)
            ],
        }
        return dict(as_json(f"{OWNER}: state", state))

    @classmethod
    def from_json(cls, state: Mapping[str, Any], metrics: Sequence[Metric]) -> State:
        """Return the state of a tracker of these metrics, or raise ValueError."""
        _check(isinstance(state, Mapping), "state", "a mapping", state)
        expected = {*cls._fields, "seconds", "metrics", "criteria"} - {"standings", "clock"}
        missing = sorted(expected - state.keys())
        _check(not missing, "state", f"complete: {names(missing)} missing", sorted(state))
        stopped_epoch, reason = state["stopped_epoch"], state["reason"]
        reasons = [member.value for member in StopReason]
        _check(reason in reasons, "reason", f"one of {names(reasons)}", reason)
        _check(is_count(state["next_epoch"]), "next_epoch", "an epoch", state["next_epoch"])
        stopped = reason != StopReason.NONE.value
        matches = is_count(stopped_epoch) if stopped else stopped_epoch is None
        _check(matches, "stopped_epoch", f"that of reason {reason!r}", stopped_epoch)
        _check(isinstance(state["improved"], bool), "improved", "a bool", state["improved"])
        seconds = from_json(state["seconds"])
        elapsed = seconds is None or (is_number(seconds) and 0 <= seconds < math.inf)
        _check(elapsed, "seconds", "None or not negative", seconds)
        return cls(
            standings=_standings(state["metrics"], metrics),
            next_epoch=state["next_epoch"],
            stopped_epoch=stopped_epoch,
            reason=StopReason(reason),
            improved=state["improved"],
            clock=None if seconds is None else Clock(seconds),
        )


class Record(NamedTuple):
    """All that an `EarlyStopping` remembers between two updates.

    Never changed but replaced as a whole, by one assignment, so that what replaces it happens
    entirely or not at all, wherever an exception comes from.
    """

    state: State
    snapshot: Snapshot = Snapshot()
    before: tuple[Mapping[str, Any], ...] | None = None
    """While the criteria change: their states that belong to this record."""


class Readings:
    """What an `EarlyStopping` shows of its state."""

    _metrics: tuple[Metric, ...]
    _record: Record

    @property
    def _state(self) -> State:
        return self._record.state

    @property
    def best(self) -> float | None:
        """Best value so far, None before the first one."""
        return self._state.standings[0].best

    @property
    def best_epoch(self) -> int | None:
        """Epoch of the best value, the one whose weights are kept."""
        return self._state.standings[0].best_epoch

    @property
    def wait(self) -> int:
        """Epochs since the last improvement that beat the baseline, if there is one."""
        return self._state.standings[0].wait

    @property
    def metrics(self) -> dict[str, Standing]:
        """How each metric stands, by name."""
        names = [metric.name for metric in self._metrics]
        return dict(zip(names, self._state.standings, strict=True))

    @property
    def stopped_epoch(self) -> int | None:
        """Epoch whose update asked to stop, None as long as none has."""
        return self._state.stopped_epoch

    @property
    def reason(self) -> StopReason:
        """Why it asked to stop, `StopReason.NONE` as long as it has not."""
        return self._state.reason

    @property
    def last(self) -> Decision:
        """All that the last update decided."""
        stop = self.reason is not StopReason.NONE
        best, best_epoch, wait, _ = self._state.standings[0]
        return Decision(stop, self._state.improved, self.reason, best, best_epoch, wait)


class Changing(Parameters, Readings):
    """How an `EarlyStopping` changes: its record and its criteria together, or neither."""

    def _change(self, change: Callable[[], None]) -> None:
        """Call what makes a new record, and undo what it did to the criteria if it makes none."""
        self._undo()  # Where an interruption broke off an undoing, it is still due.
        self._record = self._record._replace(before=states_of(self.criteria))
        try:
            change()
        except BaseException:
            self._undo()
            raise

    def _undo(self) -> None:
        record = self._record
        if record.before is None:
            return
        for criterion, state in zip(self.criteria, record.before, strict=True):
            criterion.load_state_dict(copy.deepcopy(state))
        self._record = record._replace(before=None)


def parts(state: Any) -> tuple[Any, Any]:
    """Return the configuration and the state that a state dictionary is made of."""
    whole = isinstance(state, Mapping) and {"config", "state"} <= state.keys()
    _check(whole, "state", "a mapping with 'config' and 'state'", state)
    return state["config"], state["state"]


def load_criteria(criteria: Sequence[Criterion], saved: Any) -> None:
    """Give each saved state to the next criterion of its class; the others start anew."""
    entries = isinstance(saved, (list, tuple)) and all(
        isinstance(entry, Mapping) and {"type", "state"} <= entry.keys() for entry in saved
    )
    _check(entries, "criteria", "a list of types and states", saved)
    left = list(saved)
    for criterion in criteria:
        criterion.reset()
        found = next((e for e in left if e["type"] == type_of(criterion)), None)
        if found is not None:
            left.remove(found)
            criterion.load_state_dict(from_json(found["state"]))


def is_count(value: Any) -> TypeGuard[int]:
    """Whether a value is an integer that is not negative."""
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def is_number(value: Any) -> TypeGuard[float]:
    """Whether a value is a number."""
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _standings(saved: Any, metrics: Sequence[Metric]) -> tuple[Standing, ...]:
    keys = {"name", "mode", *Standing._fields}
    entries = isinstance(saved, (list, tuple)) and all(
        isinstance(entry, Mapping) and keys <= entry.keys() for entry in saved
    )
    _check(entries, "metrics", f"a list of {names(sorted(keys))}", saved)
    given = [(entry["name"], entry["mode"]) for entry in saved]
    wanted = [(metric.name, metric.mode) for metric in metrics]
    _check(given == wanted, "metrics", f"those of monitor, {wanted}", given)
    return tuple(_standing(entry) for entry in saved)


def _standing(entry: Mapping[str, Any]) -> Standing:
    values = from_json({name: entry[name] for name in Standing._fields})
    best, average = values["best"], values["average"]
    number = best is None or (is_number(best) and not math.isnan(best))
    _check(number, "best", "None or a number", best)
    epoch = values["best_epoch"]
    matches = epoch is None if best is None else is_count(epoch)
    _check(matches, "best_epoch", f"that of best {best}", epoch)
    _check(is_count(values["wait"]), "wait", "a number of epochs", values["wait"])
    finite = average is None or (is_number(average) and math.isfinite(average))
    _check(finite, "average", "None or a finite number", average)
    return Standing(
        best=None if best is None else float(best),
        best_epoch=epoch,
        wait=values["wait"],
        average=None if average is None else float(average),
    )


def _check(correct: bool, name: str, rule: str, value: object) -> None:
    if not correct:
        place = name if name == "state" else f"{name} of the state"
        raise ValueError(f"{OWNER}: {place} must be {rule}, got {shown(value)}")
