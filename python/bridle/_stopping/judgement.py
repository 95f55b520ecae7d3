"""The judgement of one epoch: what the values of the metrics say about going on, and the answer."""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from bridle._stopping.checks import names, real, shown
from bridle._stopping.metric import Metric, Standing, Verdict
from bridle._stopping.rules import OWNER, Rules


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


def values_of(given: Any, metrics: Sequence[Metric], monitored: bool) -> list[float]:
    """Return the value of each metric as a float, from what `update` was given."""
    if not monitored:
        return [real(OWNER, "value", given)]
    if not isinstance(given, Mapping):
        wanted = names(metric.name for metric in metrics)
        raise TypeError(f"{OWNER}: value must be a mapping with {wanted}, got {shown(given)}")
    for metric in metrics:
        if metric.name not in given:
            got = names(given, metric.name)
            raise ValueError(f"{OWNER}: value must have the metric {metric.name!r}, got {got}")
    return [real(OWNER, f"value[{metric.name!r}]", given[metric.name]) for metric in metrics]


def recorded(
    metrics: Sequence[Metric], standings: Sequence[Standing], values: Sequence[float]
) -> tuple[Standing, ...]:
    """Return where the metrics stand after an epoch that is not judged."""
    triples = zip(metrics, standings, values, strict=True)
    return tuple(metric.recorded(standing, value)[0] for metric, standing, value in triples)


def verdicts_of(
    metrics: Sequence[Metric], standings: Sequence[Standing], values: Sequence[float], epoch: int
) -> tuple[Verdict, ...]:
    """Return what the values of an epoch mean."""
    triples = zip(metrics, standings, values, strict=True)
    return tuple(metric.judge(standing, value, epoch) for metric, standing, value in triples)


def raise_if_not_finite(metrics: Sequence[Metric], verdicts: Sequence[Verdict], epoch: int) -> None:
    """Raise FloatingPointError for a value that can never be the best one."""
    for metric, verdict in zip(metrics, verdicts, strict=False):
        if not verdict.finite:
            raise FloatingPointError(
                f"{OWNER}: {metric.name} must be finite, got {verdict.value} in epoch {epoch}"
            )


def reason_of(
    rules: Rules, metrics: Sequence[Metric], verdicts: Sequence[Verdict], fired: bool, epoch: int
) -> StopReason:
    """Return the first reason to stop that the verdicts of an epoch give, time left aside."""
    joined = any if rules.combine == "any" else all
    targets = [v.on_target for m, v in zip(metrics, verdicts, strict=True) if m.target is not None]
    exhausted = [not v.improved and v.standing.wait >= rules.patience for v in verdicts]
    asked = {
        StopReason.NOT_FINITE: rules.nan == "stop" and not all(v.finite for v in verdicts),
        StopReason.DIVERGED: any(v.diverged for v in verdicts),
        StopReason.TARGET: bool(targets) and joined(targets),
        StopReason.CRITERION: fired,
        StopReason.PATIENCE: epoch > 0 and joined(exhausted),
    }
    return next((reason for reason, yes in asked.items() if yes), StopReason.NONE)
