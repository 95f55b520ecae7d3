"""`EarlyStopping` as a judge of values: against a reference, Keras' outcomes, and bad arguments."""

import decimal
import fractions
import math
import re

import ml_dtypes
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import bridle as br

NONE, PATIENCE, NOT_FINITE = map(br.StopReason, ["none", "patience", "not_finite"])
INF, NAN = math.inf, math.nan


def run(values, patience, **options):
    """Feed the values until it stops; return the tracker and the number of epochs."""
    stopping = br.EarlyStopping(patience, **options)
    for epoch, value in enumerate(values):
        if stopping.update(value):
            return stopping, epoch + 1
    return stopping, len(values)


def state(stopping):
    return (
        stopping.stopped_epoch,
        stopping.reason,
        stopping.best,
        stopping.best_epoch,
        stopping.wait,
    )


def reference(values, patience, mode, min_delta, baseline, start_from_epoch):
    """Return the final state, read off the whole history without counters."""
    sign = 1 if mode == "max" else -1
    epochs = range(start_from_epoch, len(values))
    bad = {e for e in epochs if math.isnan(values[e]) or values[e] == -sign * INF}

    def beats(value, other):
        return other is None or sign * (value - other) > min_delta

    records = []
    for e in epochs:
        if e not in bad and beats(values[e], values[records[-1]] if records else None):
            records.append(e)
    restarts = [e for e in records if beats(values[e], baseline)]

    def wait(epoch):
        return epoch - max([e for e in restarts if e <= epoch], default=start_from_epoch - 1)

    misses = [e for e in epochs if e not in records and wait(e) >= patience]
    stop = min([*misses, *bad], default=None)
    last = len(values) - 1 if stop is None else stop
    best_epoch = max([e for e in records if e <= last], default=None)
    best = None if best_epoch is None else values[best_epoch]
    reason = NONE if stop is None else NOT_FINITE if stop in bad else PATIENCE
    return stop, reason, best, best_epoch, max(wait(last), 0)


STEPS = st.integers(-8, 8).map(lambda k: k / 4)


@settings(max_examples=400, deadline=None)
@given(
    values=st.lists(st.one_of(STEPS, STEPS, st.sampled_from([NAN, INF, -INF])), max_size=16),
    patience=st.integers(0, 5),
    mode=st.sampled_from(["min", "max"]),
    min_delta=st.sampled_from([0.0, 0.25, 0.5]),
    baseline=st.none() | STEPS,
    start_from_epoch=st.sampled_from([0, 0, 1, 2, 4]),
)
def test_history_matches_reference(values, patience, **options):
    stopping, epochs = run(values, patience, **options)
    assert state(stopping) == reference(values, patience, **options)
    assert epochs == (len(values) if stopping.stopped_epoch is None else stopping.stopped_epoch + 1)


# Outcomes of keras.callbacks.EarlyStopping 3.15.1: stopped epoch, best, its epoch, wait.
KERAS = [
    ([4, 3, 3, 2, 2, 2, 1], 3, {"mode": "min"}, (None, 1, 6, 0)),
    ([4, 3, 3, 2, 2, 2, 1], 2, {"mode": "min"}, (5, 2, 3, 2)),
    ([4, 3, 3, 2], 0, {"mode": "min"}, (2, 3, 1, 1)),
    ([1, 1.5, 1.75, 2, 2.25], 3, {"mode": "max", "min_delta": 0.5}, (None, 1.75, 2, 2)),
    ([1, 1.5, 2, 1.5, 1], 2, {"mode": "max", "min_delta": 0.5}, (4, 2, 2, 2)),
    ([9, 8, 7, 6, 7, 5], 3, {"mode": "min", "baseline": 5.5}, (4, 6, 3, 5)),
    ([9, 8, 5, 6, 7, 4], 3, {"mode": "min", "baseline": 5.5}, (None, 4, 5, 0)),
    ([9, 9, 9, 5], 3, {"mode": "min", "baseline": 5.5}, (2, 9, 0, 3)),
    ([0, 5, 4, 3, 6, 1, 1], 2, {"mode": "max", "start_from_epoch": 2}, (6, 6, 4, 2)),
    ([9, 1, 8, 7, 7, 7, 7], 3, {"mode": "min", "start_from_epoch": 2}, (6, 7, 3, 3)),
    ([5, 6], 1, {"mode": "min", "start_from_epoch": 2}, (None, None, None, 0)),
    ([5, 4.5, 4], 1, {"mode": "min", "min_delta": 0.5, "baseline": 4.5}, (1, 5, 0, 2)),
    ([0.4, 0.3, 0.2], 2, {"mode": "min", "min_delta": 0.1}, (None, 0.2, 2, 0)),
]


@pytest.mark.parametrize(("values", "patience", "options", "outcome"), KERAS)
def test_outcome_is_that_of_keras(values, patience, options, outcome):
    stopping, _ = run(values, patience, **options)
    stopped_epoch, *rest = outcome
    reason = NONE if stopped_epoch is None else PATIENCE
    assert state(stopping) == (stopped_epoch, reason, *rest)


@pytest.mark.parametrize("mode", ["min", "max"])
@pytest.mark.parametrize("patience", [0, 1])
def test_patience_zero_is_one_and_never_stops_at_first_epoch(mode, patience):
    stopping = br.EarlyStopping(patience, mode=mode)
    assert not stopping.update(3.0)
    assert stopping.update(3.0)
    assert state(stopping) == (1, PATIENCE, 3.0, 0, 1)


def test_small_gains_add_up():
    stopping, epochs = run([10, 9.6, 9.2, 8.8], 3, mode="min", min_delta=1)
    assert (stopping.best, stopping.wait, epochs) == (8.8, 0, 4)


@pytest.mark.parametrize(("mode", "bad"), [("min", NAN), ("max", NAN), ("min", INF), ("max", -INF)])
@pytest.mark.parametrize("before", [[], [2.0, 1.0, 3.0]])
def test_bad_value_stops_at_once_and_is_never_best(mode, bad, before):
    stopping, epochs = run([*before, np.float16(bad), 0.0], 10, mode=mode)
    assert (stopping.reason, stopping.stopped_epoch, epochs) == (
        NOT_FINITE,
        len(before),
        len(before) + 1,
    )
    best = {"min": 1.0, "max": 3.0}[mode] if before else None
    assert stopping.best == best
    assert stopping.best_epoch == (before.index(best) if before else None)


def test_bad_value_is_the_reason_where_patience_ends_too():
    stopping, _ = run([1.0, NAN], 1, mode="min")
    assert stopping.reason is NOT_FINITE


@pytest.mark.parametrize(("mode", "good"), [("min", -INF), ("max", INF)])
def test_infinity_on_the_good_side_is_best(mode, good):
    stopping, epochs = run([0.0, good, good, good], 2, mode=mode, min_delta=0.5)
    assert (stopping.best, stopping.best_epoch, stopping.reason, epochs) == (good, 1, PATIENCE, 4)


def test_values_before_start_are_not_judged():
    stopping, _ = run([-5.0, NAN, INF, 4.0, 5.0], 9, mode="min", start_from_epoch=3)
    assert state(stopping) == (None, NONE, 4.0, 3, 1)


def test_update_after_the_stop_changes_nothing():
    stopping, _ = run([1.0, 2.0], 1, mode="min")
    before = state(stopping)
    assert stopping.update(0.0)
    assert stopping.update(NAN, epoch=7)
    assert state(stopping) == before == (1, PATIENCE, 1.0, 0, 1)


def test_epoch_may_be_given_and_counts_on_from_there():
    stopping = br.EarlyStopping(2, mode="max", start_from_epoch=11)
    assert not stopping.update(9.0, epoch=10)
    assert not stopping.update(5.0)
    assert stopping.best_epoch == 11
    stopping.update(6.0, epoch=np.int64(20))
    assert (stopping.best_epoch, type(stopping.best_epoch)) == (20, int)
    assert not stopping.update(6.0)
    assert stopping.update(6.0)
    assert stopping.stopped_epoch == 22


def test_refused_update_does_not_count_as_an_epoch():
    stopping = br.EarlyStopping(1, mode="min")
    with pytest.raises(TypeError):
        stopping.update("0.5")
    with pytest.raises(ValueError, match="epoch must be >= 0, got -1"):
        stopping.update(0.5, epoch=-1)
    stopping.update(0.5)
    assert state(stopping) == (None, NONE, 0.5, 0, 0)


def test_reset_makes_it_new():
    stopping, _ = run([1.0, NAN], 2, mode="min", start_from_epoch=0)
    stopping.reset()
    assert state(stopping) == (None, NONE, None, None, 0)
    assert not stopping.update(5.0)
    assert (stopping.best, stopping.best_epoch) == (5.0, 0)


class Convertible:
    def __float__(self):
        return 0.5


@pytest.mark.parametrize(
    "value",
    [
        0.5,
        np.float16(0.5),
        np.float32(0.5),
        np.longdouble(0.5),
        ml_dtypes.bfloat16(0.5),
        np.array(0.5),
        np.array([[0.5]], dtype=np.float32),
        np.array(0.5, dtype=object),
        np.array(0.5, dtype=ml_dtypes.bfloat16),
        fractions.Fraction(1, 2),
        decimal.Decimal("0.5"),
        Convertible(),
    ],
    ids=lambda value: type(value).__name__,
)
def test_value_becomes_a_python_float(value):
    stopping = br.EarlyStopping(1, mode="min")
    stopping.update(value)
    assert (stopping.best, type(stopping.best)) == (0.5, float)


@pytest.mark.parametrize("value", [3, np.int8(3), np.array(3), np.uint64(3)])
def test_value_may_be_an_integer(value):
    stopping, _ = run([value], 1, mode="max")
    assert (stopping.best, type(stopping.best)) == (3.0, float)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (True, "True"),
        (np.False_, "np.False_"),
        (np.array(True), r"an array of shape \(\)"),
        ("0.5", "'0.5'"),
        (np.str_("0.5"), r"np.str_\('0.5'\)"),
        (np.array("0.5"), r"an array of shape \(\)"),
        (b"0.5", "b'0.5'"),
        (bytearray(b"0.5"), r"bytearray\(b'0.5'\)"),
        (np.zeros(2), r"an array of shape \(2,\)"),
        (np.zeros(0), r"an array of shape \(0,\)"),
        ([0.5], r"\[0.5\]"),
        (0.5 + 0j, r"\(0.5\+0j\)"),
        (np.complex64(0.5), r"np.complex64\(0.5\+0j\)"),
        (np.array(0.5 + 0j), r"an array of shape \(\)"),
        (None, "None"),
    ],
)
def test_value_that_is_no_number_is_refused(value, shown):
    stopping = br.EarlyStopping(1, mode="min")
    with pytest.raises(TypeError, match=f"^EarlyStopping: value must be one number, got {shown}$"):
        stopping.update(value)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"patience": -1}, "patience must be >= 0, got -1"),
        ({"patience": 2.5}, "patience must be an integer, got 2.5"),
        ({"patience": NAN}, "patience must be an integer, got nan"),
        ({"start_from_epoch": -3}, "start_from_epoch must be >= 0, got -3"),
        ({"start_from_epoch": 0.5}, "start_from_epoch must be an integer, got 0.5"),
        ({"min_delta": -0.5}, "min_delta must be >= 0, got -0.5"),
        ({"min_delta": NAN}, "min_delta must be >= 0, got nan"),
        ({"baseline": NAN}, "baseline must not be NaN, got nan"),
        ({"mode": "auto"}, "mode must be 'min' or 'max', got 'auto'"),
        ({"mode": None}, "mode must be 'min' or 'max', got None"),
    ],
)
def test_parameter_out_of_range_is_a_value_error(options, message):
    with pytest.raises(ValueError, match=f"^EarlyStopping: {message}$"):
        br.EarlyStopping(**{"patience": 1, "mode": "min", **options})


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"patience": "3"}, "patience must be an integer, got '3'"),
        ({"patience": True}, "patience must be an integer, got True"),
        ({"patience": np.True_}, "patience must be an integer, got np.True_"),
        ({"patience": None}, "patience must be an integer, got None"),
        ({"start_from_epoch": [1]}, r"start_from_epoch must be an integer, got \[1\]"),
        ({"min_delta": "0"}, "min_delta must be one number, got '0'"),
        ({"min_delta": False}, "min_delta must be one number, got False"),
        ({"baseline": "x"}, "baseline must be one number, got 'x'"),
    ],
)
def test_parameter_of_wrong_type_is_a_type_error(options, message):
    with pytest.raises(TypeError, match=f"^EarlyStopping: {message}$"):
        br.EarlyStopping(**{"patience": 1, "mode": "min", **options})


def test_mode_is_required():
    with pytest.raises(TypeError, match="mode"):
        br.EarlyStopping(3)


def test_parameters_may_be_numpy_numbers():
    stopping = br.EarlyStopping(np.int32(2), mode="max", min_delta=np.float32(0.5), baseline=1)
    assert (stopping.patience, stopping.min_delta, stopping.baseline) == (2, 0.5, 1.0)


def any_process(stop):
    return stop


@pytest.mark.parametrize(
    ("options", "shown"),
    [
        ({}, ""),
        ({"min_delta": 0.5, "restore_best_weights": True}, ", min_delta=0.5, restore_best_.*=True"),
        ({"criteria": [br.Plateau(2, 0.0)]}, r", criteria=\[Plateau\(window=2, tolerance=0.0\)\]"),
        ({"criteria": [br.Plateau(2, 0.0)] * 99}, r", criteria=\[99 criteria\]"),
        ({"reduce": any_process}, ", reduce=any_process"),
        ({"monitor": dict.fromkeys(map(str, range(999)), "min")}, ", monitor=an object of .* dict"),
    ],
)
def test_representation_is_short_and_tells_the_numbers(options, shown):
    stopping = br.EarlyStopping(1, mode="min", **options)
    start = f"<EarlyStopping: patience=1, mode='min'{shown}; "
    assert re.fullmatch(
        start + "best=None, best_epoch=None, wait=0, reason='none'>", repr(stopping)
    )
    stopping = br.EarlyStopping(1, mode="min")
    for value in [3.0, 2.0, 4.0]:
        stopping.update(value)
    assert repr(stopping).endswith("; best=2.0, best_epoch=1, wait=1, reason='patience'>")


class Bare:
    """A criterion whose text is an address."""

    def update(self, value, training): ...

    def reset(self): ...

    def state_dict(self):
        return {}

    def load_state_dict(self, state): ...


def test_representation_has_no_address():
    assert "criteria=[Bare]" in repr(br.EarlyStopping(1, mode="min", criteria=[Bare()]))
