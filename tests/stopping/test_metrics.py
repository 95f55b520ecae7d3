"""`EarlyStopping` with metrics by name, one or several."""

import math

import numpy as np
import pytest

import bridle as br
from bridle import StopReason

BOTH = {"loss": "min", "score": "max"}


def several(patience=2, **options):
    return br.EarlyStopping(patience, mode=None, monitor=BOTH, **options)


def fed(stopping, *pairs):
    """Feed pairs of loss and score until it stops."""
    for loss, score in pairs:
        if stopping.update({"loss": loss, "score": score}):
            break
    return stopping


def test_one_metric_by_name_ignores_the_others():
    stopping = br.EarlyStopping(1, mode="max", monitor="score")
    assert not stopping.update({"score": 1.0, "loss": "unreadable"})
    assert stopping.update({"loss": None, "score": 0.5})
    assert (stopping.best, list(stopping.metrics)) == (1.0, ["score"])


def test_without_monitor_the_metric_is_called_value():
    stopping = br.EarlyStopping(1, mode="max")
    stopping.update(3.0)
    assert stopping.metrics["value"].best == 3.0


def test_each_metric_has_its_own_numbers():
    stopping = fed(several(9), (3.0, 1.0), (2.0, 0.5), (4.0, 2.0), (5.0, 1.0))
    loss, score = stopping.metrics.values()
    assert (loss.best, loss.best_epoch, loss.wait) == (2.0, 1, 2)
    assert (score.best, score.best_epoch, score.wait) == (2.0, 2, 1)
    assert (stopping.best, stopping.best_epoch, stopping.wait) == (2.0, 1, 2)


def test_all_metrics_must_have_exhausted_patience():
    stopping = fed(several(combine="all"), (3, 1), (4, 2), (4, 1), (4, 1))
    assert (stopping.reason, stopping.stopped_epoch) == (StopReason.PATIENCE, 3)


def test_or_one_of_them():
    stopping = fed(several(combine="any"), (3, 1), (4, 2), (4, 3), (4, 4))
    assert (stopping.reason, stopping.stopped_epoch) == (StopReason.PATIENCE, 2)


def test_kept_weights_and_improved_follow_the_first_metric():
    stopping = several(9, restore_best_weights=True)
    weights = np.zeros(1)
    improved = []
    for loss, score in [(3.0, 1.0), (4.0, 2.0), (2.0, 1.0), (5.0, 5.0)]:
        weights += 1
        stopping.update({"loss": loss, "score": score}, weights)
        improved.append(stopping.last.improved)
    assert improved == [True, False, True, False]
    assert stopping.best_weights()[0] == 3


def test_criteria_follow_the_first_metric():
    stopping = fed(several(9, criteria=[br.Plateau(2, 0)]), (3, 1), (2, 1), (1, 1), (1, 2))
    assert (stopping.reason, stopping.stopped_epoch) == (StopReason.CRITERION, 3)


@pytest.mark.parametrize(("combine", "epoch"), [("any", 1), ("all", 3)])
def test_targets_are_joined_too(combine, epoch):
    options = {"combine": combine, "target": {"loss": 2, "score": 5}}
    stopping = fed(several(9, **options), (3, 1), (2, 1), (4, 5), (1, 6))
    assert (stopping.reason, stopping.stopped_epoch) == (StopReason.TARGET, epoch)


def test_metric_without_a_target_has_no_say():
    stopping = fed(several(9, target={"score": 5}), (3, 1), (3, 5))
    assert stopping.reason is StopReason.TARGET


@pytest.mark.parametrize("combine", ["any", "all"])
def test_one_metric_that_diverges_or_is_not_finite_is_enough(combine):
    options = {"combine": combine, "divergence": {"score": -1}}
    assert fed(several(9, **options), (1, 1), (1, -1)).reason is StopReason.DIVERGED
    assert fed(several(9, **options), (1, -math.inf)).reason is StopReason.NOT_FINITE
    stopping = several(9, combine=combine, nan="raise")
    with pytest.raises(FloatingPointError, match="score must be finite, got nan in epoch 0"):
        fed(stopping, (1, math.nan))
    assert stopping.metrics["loss"].best is None


def test_thresholds_are_for_all_metrics_or_by_name():
    everywhere = fed(several(9, min_delta=0.5), (3, 1), (2.7, 1.3))
    assert [standing.wait for standing in everywhere.metrics.values()] == [1, 1]
    by_name = fed(several(9, min_delta={"score": 0.5}), (3, 1), (2.7, 1.3))
    assert [standing.wait for standing in by_name.metrics.values()] == [0, 1]
    baseline = fed(several(9, baseline={"score": 2}), (3, 1), (2, 1.5), (1, 3))
    assert [standing.wait for standing in baseline.metrics.values()] == [0, 0]
    assert fed(several(9, baseline={"score": 2}), (3, 1)).metrics["score"].wait == 1


def test_smoothing_is_for_each_metric():
    stopping = fed(several(9, smoothing=0.5), (4, 1), (2, 3))
    assert [standing.average for standing in stopping.metrics.values()] == [3.0, 2.0]


@pytest.mark.parametrize(
    ("value", "error", "message"),
    [
        ({"score": 1}, ValueError, "value must have the metric 'loss', got 'score'"),
        (
            {"los": 1, "score": 1},
            ValueError,
            "value must have the metric 'loss', got 'los', 'score'; did you mean 'los'?",
        ),
        ({}, ValueError, "value must have the metric 'loss', got none"),
        (0.5, TypeError, "value must be a mapping with 'loss', 'score', got 0.5"),
        ({"loss": "1", "score": 1}, TypeError, "value['loss'] must be one number, got '1'"),
        ({"loss": 1, "score": None}, TypeError, "value['score'] must be one number, got None"),
    ],
)
def test_wrong_metrics_are_refused_and_nothing_has_changed(value, error, message):
    stopping = several()
    with pytest.raises(error) as caught:
        stopping.update(value)
    assert str(caught.value) == f"EarlyStopping: {message}"
    assert stopping.last.best is None
    assert stopping.state_dict() == several().state_dict()


def test_mapping_without_monitor_is_refused():
    with pytest.raises(TypeError, match=r"value must be one number, got \{'loss': 1\}"):
        br.EarlyStopping(1, mode="min").update({"loss": 1})


def test_monitor_is_copied():
    monitor = dict(BOTH)
    stopping = br.EarlyStopping(1, mode=None, monitor=monitor)
    monitor["other"] = "min"
    assert not stopping.update({"loss": 1, "score": 1})
