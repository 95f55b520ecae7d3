"""Several processes that agree on the end of training through `reduce`."""

import json
import math
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import bridle as br
from bridle import StopReason

NAN = math.nan
PROGRAM = Path(__file__).with_name("processes.py")
RAISED = "EarlyStopping: value must be finite, got nan in epoch 2"


@pytest.mark.parametrize(
    ("case", "seen"),
    [
        (
            "patience",
            [
                [0, 3, "reduced", 4, None],
                [1, 3, "reduced", 4, None],
                [2, 3, "patience", 4, None],
            ],
        ),
        (
            "nan",
            [[0, None, "none", 3, RAISED], [1, 2, "reduced", 3, None], [2, 2, "reduced", 3, None]],
        ),
        (
            "two",
            [
                [0, 3, "patience", 4, None],
                [1, 3, "reduced", 4, None],
                [2, 3, "patience", 4, None],
            ],
        ),
    ],
)
def test_all_processes_stop_in_the_same_epoch(case, seen):
    done = subprocess.run(
        [sys.executable, str(PROGRAM), case],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == seen


def run(values, **options):
    """Feed the values until it stops."""
    stopping = br.EarlyStopping(**{"patience": 99, "mode": "min", **options})
    for value in values:
        if stopping.update(value):
            break
    return stopping


def summary(stopping):
    return stopping.reason, stopping.stopped_epoch, stopping.best, stopping.best_epoch


def test_reduce_is_called_once_with_each_decision_also_in_warm_up_and_not_after_the_stop():
    asked = []
    stopping = br.EarlyStopping(
        1, mode="min", start_from_epoch=1, reduce=lambda stop: asked.append(stop) or stop
    )
    for value in [NAN, 1.0, 2.0, 3.0]:
        stopping.update(value)
    assert asked == [False, False, True]
    assert all(type(stop) is bool for stop in asked)


def test_reduce_another_process_may_ask():
    stopping = br.EarlyStopping(9, mode="min", reduce=lambda stop: np.True_)
    assert stopping.update(1.0) is True
    assert summary(stopping) == (StopReason.REDUCED, 0, 1.0, 0)


def test_reduce_own_reason_stays_where_all_stop():
    assert run([NAN], reduce=lambda stop: True).reason is StopReason.NOT_FINITE


def test_reduce_veto_lets_training_go_on():
    stopping = run([1.0, 2.0, 3.0, 0.5], patience=1, reduce=lambda stop: False)
    assert summary(stopping) == (StopReason.NONE, None, 0.5, 3)
    assert not stopping.last.stop


def test_reduce_nan_that_raises_tells_the_others_first():
    asked = []
    stopping = br.EarlyStopping(9, mode="min", nan="raise", reduce=asked.append)
    with pytest.raises(TypeError, match="reduce must return a bool, got None"):
        stopping.update(1.0)
    stopping = br.EarlyStopping(
        9, mode="min", nan="raise", reduce=lambda stop: asked.append(stop) or False
    )
    asked.clear()
    with pytest.raises(FloatingPointError):
        stopping.update(NAN)
    assert asked == [True]


def test_reduce_exception_leaves_everything_as_it_was():
    def broken(stop):
        raise ConnectionError

    plateau = br.Plateau(2, 0.0)
    stopping = br.EarlyStopping(
        9, mode="min", reduce=broken, restore_best_weights=True, criteria=[plateau]
    )
    with pytest.raises(ConnectionError):
        stopping.update(1.0, np.ones(2))
    assert stopping.last == br.EarlyStopping(9, mode="min").last
    assert plateau.state_dict() == {"values": []}
    with pytest.raises(RuntimeError, match="update has taken no value"):
        stopping.best_weights()
