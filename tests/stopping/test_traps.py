"""The mistakes that other implementations of early stopping are known for, by name."""

import copy
import math
import pickle

import numpy as np
import pytest

import bridle as br
from bridle import StopReason

INF, NAN = math.inf, math.nan


def run(values, patience=99, mode="min", **options):
    """Feed the values until it stops; return the tracker and the number of epochs."""
    stopping = br.EarlyStopping(patience, mode=mode, **options)
    for epoch, value in enumerate(values):
        if stopping.update(value):
            return stopping, epoch + 1
    return stopping, len(values)


def test_trap_nan_first_becomes_best_and_its_weights_come_back():
    weights = np.zeros(1)
    stopping = br.EarlyStopping(9, mode="min", nan="ignore", restore_best_weights=True)
    for value in [NAN, 3.0, 4.0, NAN]:
        weights += 1
        stopping.update(value, weights)
    stopping.restore(weights)
    assert (stopping.best, weights[0]) == (3.0, 2.0)


@pytest.mark.parametrize("nan", ["stop", "ignore"])
def test_trap_nan_counts_as_an_improvement(nan):
    stopping, _ = run([1.0, NAN], nan=nan)
    assert (stopping.best, stopping.wait) == (1.0, 1)


@pytest.mark.parametrize(("mode", "good"), [("min", -INF), ("max", INF)])
@pytest.mark.parametrize("delta", ["absolute", "relative"])
def test_trap_everything_beats_an_infinite_best(mode, good, delta):
    stopping, epochs = run([good, 1.0, 2.0, 0.0], 3, mode, delta=delta, min_delta=0.1)
    assert (stopping.best, epochs, stopping.reason) == (good, 4, StopReason.PATIENCE)


def test_trap_infinite_losses_never_end():
    assert run([INF] * 5)[1] == 1
    assert run([INF] * 5, 3, nan="ignore")[1] == 3


@pytest.mark.parametrize("mode", ["min", "max"])
def test_trap_relative_delta_takes_worse_negative_values(mode):
    sign = 1 if mode == "max" else -1
    drift = [-100 - sign * k / 10 for k in range(9)]  # a little worse each time
    stopping, epochs = run(drift, 4, mode, delta="relative", min_delta=1e-2)
    assert (stopping.best, epochs) == (-100, 5)


def test_trap_slow_drift_moves_the_best_without_counting():
    stopping, epochs = run([10 - 0.4 * k for k in range(9)], 3, min_delta=1)
    assert (epochs, stopping.wait, stopping.reason) == (9, 2, StopReason.NONE)


@pytest.mark.parametrize("patience", [1, 2, 5])
def test_trap_patience_off_by_one(patience):
    assert run([1.0] * 20, patience)[1] == patience + 1


def test_trap_patience_zero_stops_although_it_improves():
    assert run([3.0, 2.0, 1.0], 0)[0].reason is StopReason.NONE


def test_trap_negative_patience_is_accepted():
    with pytest.raises(ValueError, match="patience must be >= 0, got -1"):
        run([], -1)


def test_trap_baseline_is_a_deadline_and_an_improvement_never_the_end():
    values = [9, 8, 7, 6, 7]  # the baseline of 5 is never reached
    assert run(values, 2, baseline=5)[1] == 5
    assert run([9, 9, 9], 2, baseline=5)[1] == 2


@pytest.mark.parametrize("mode", ["auto", "Min", "minimize", "accuracy", None])
def test_trap_mode_is_guessed(mode):
    with pytest.raises(ValueError, match="mode must be 'min' or 'max'"):
        run([], mode=mode)


def test_trap_best_weights_share_memory_with_those_in_training():
    weights = np.ones(3)
    stopping = br.EarlyStopping(9, mode="min", restore_best_weights=True)
    stopping.update(1.0, weights)
    handed_out = stopping.best_weights()
    weights *= 5
    handed_out *= 7
    stopping.restore(weights)
    assert (weights == 1).all()


@pytest.mark.parametrize("end", ["target", "nan", "time", "exception", "last epoch"])
def test_trap_weights_are_not_restored_unless_patience_ended_training(end):
    weights = np.zeros(1)
    stopping = br.EarlyStopping(
        99,
        mode="min",
        restore_best_weights=True,
        target=0.1 if end == "target" else None,
        max_seconds=1e-9 if end == "time" else None,
    )
    best = 0.1 if end == "target" else 1.0
    try:
        for value in [2.0, best, NAN if end == "nan" else 3.0]:
            weights += 1
            if value == 3.0 and end == "exception":
                raise KeyboardInterrupt
            if stopping.update(value, weights):
                break
    except KeyboardInterrupt:
        pass
    weights[...] = -1
    stopping.restore(weights)
    assert weights[0] == stopping.best_epoch + 1


def test_trap_weights_come_from_warm_up():
    stopping = br.EarlyStopping(
        9, mode="min", start_from_epoch=1, max_seconds=1e-9, restore_best_weights=True
    )
    stopping.update(1.0, np.ones(1))
    with pytest.raises(RuntimeError, match=r"epoch 1 \(start_from_epoch\) was not reached"):
        stopping.restore(np.ones(1))


def test_trap_resumed_run_brings_back_the_old_patience():
    stopping, _ = run([1.0, 2.0], 5)
    resumed = br.EarlyStopping(2, mode="min")
    resumed.load_state_dict(stopping.state_dict())
    assert (resumed.patience, resumed.wait, resumed.update(2.0)) == (2, 1, True)


def test_trap_resumed_run_forgets_best_and_wait():
    stopping, _ = run([1.0, 2.0, 2.0], 5)
    resumed = br.EarlyStopping(5, mode="min")
    resumed.load_state_dict(stopping.state_dict())
    assert resumed.last == stopping.last


def test_trap_state_survives_into_the_next_training():
    stopping, _ = run([0.1, 2.0], 1)
    stopping.reset()
    assert [stopping.update(v) for v in [5.0, 4.0, 4.5]] == [False, False, True]
    assert (stopping.best, stopping.best_epoch, stopping.stopped_epoch) == (4.0, 1, 2)


def test_trap_processes_disagree_and_do_not_know_why():
    stopping, epochs = run([2.0, 1.0], reduce=lambda stop: True)
    assert (epochs, stopping.reason, stopping.stopped_epoch) == (1, StopReason.REDUCED, 0)


@pytest.mark.parametrize("make", [np.float16, np.float32, np.array, float, int])
def test_trap_best_is_whatever_type_came_in(make):
    stopping, _ = run([make(3)])
    assert (stopping.best, type(stopping.best)) == (3.0, float)


def test_trap_array_given_as_value_changes_later():
    value = np.array(1.0)
    stopping, _ = run([value])
    value[...] = 9
    assert stopping.best == 1.0


@pytest.mark.parametrize("value", [{"w": np.zeros((9, 9))}, "x" * 10**6], ids=["lines", "length"])
def test_trap_message_floods_the_log(value):
    with pytest.raises(TypeError, match=r"must be one number, got an object of type \w+$"):
        run([value])


@pytest.mark.parametrize(
    "clone", [copy.copy, copy.deepcopy, lambda s: pickle.loads(pickle.dumps(s))]
)
def test_trap_copies_share_state(clone):
    stopping = br.EarlyStopping(
        2, mode="min", restore_best_weights=True, criteria=[br.Plateau(2, 0.0)]
    )
    stopping.update(1.0, np.ones(2))
    other = clone(stopping)
    other.update(0.5, np.zeros(2))
    assert (stopping.best, other.best) == (1.0, 0.5)
    assert stopping.best_weights().tolist() == [1, 1]
    assert stopping.criteria[0].state_dict() == {"values": [1.0]}
