"""Each parameter of `EarlyStopping`, one at a time: what it does, and what it refuses."""

import collections
import math

import numpy as np
import pytest

import bridle as br
from bridle import StopReason

INF, NAN = math.inf, math.nan


def run(values, **options):
    """Feed the values until it stops."""
    stopping = br.EarlyStopping(**{"patience": 99, "mode": "min", **options})
    for value in values:
        if stopping.update(value):
            break
    return stopping


def summary(stopping):
    return stopping.reason, stopping.stopped_epoch, stopping.best, stopping.best_epoch


class TestRelativeDelta:
    def test_is_a_fraction_of_the_best(self):
        stopping = run([100.0, 91.0, 90.0, 89.0], min_delta=0.1, delta="relative")
        assert (stopping.best, stopping.best_epoch) == (89.0, 3)

    @pytest.mark.parametrize(("mode", "worse"), [("min", -9.5), ("max", -10.5)])
    def test_a_worse_negative_value_is_no_improvement(self, mode, worse):
        stopping = run([-10.0, worse, worse], mode=mode, min_delta=0.1, delta="relative")
        assert (stopping.best, stopping.wait) == (-10.0, 2)

    @pytest.mark.parametrize(("mode", "better"), [("min", -11.5), ("max", -8.5)])
    def test_a_better_negative_value_is_one(self, mode, better):
        stopping = run([-10.0, better], mode=mode, min_delta=0.1, delta="relative")
        assert (stopping.best, stopping.wait) == (better, 0)

    def test_anything_better_beats_zero(self):
        stopping = run([0.0, -1e-300], min_delta=0.5, delta="relative")
        assert stopping.best == -1e-300

    @pytest.mark.parametrize("min_delta", [0.0, 0.5])
    def test_nothing_beats_infinity_and_everything_an_infinite_baseline(self, min_delta):
        stopping = run([1.0, -INF, -INF, 0.0], min_delta=min_delta, delta="relative", baseline=INF)
        assert (stopping.best, stopping.best_epoch, stopping.wait) == (-INF, 1, 2)

    def test_holds_for_the_baseline(self):
        options = {"min_delta": 0.5, "delta": "relative", "baseline": -10.0}
        assert run([-14.0], **options).wait == 1
        assert run([-16.0], **options).wait == 0


class TestNan:
    @pytest.mark.parametrize("bad", [NAN, INF])
    def test_ignored_value_counts_against_patience(self, bad):
        stopping = run([3.0, bad, bad, 2.0, bad, bad, bad], patience=3, nan="ignore")
        assert summary(stopping) == (StopReason.PATIENCE, 6, 2.0, 3)

    def test_ignored_first_value_is_never_best(self):
        stopping = run([NAN, INF, 5.0], nan="ignore")
        assert (stopping.best, stopping.best_epoch) == (5.0, 2)

    def test_nothing_but_ignored_values_stops_by_patience_and_keeps_no_weights(self):
        stopping = br.EarlyStopping(2, mode="min", nan="ignore", restore_best_weights=True)
        assert not stopping.update(NAN, np.zeros(1))
        assert stopping.update(NAN, np.zeros(1))
        with pytest.raises(RuntimeError, match="no value judged was finite"):
            stopping.restore(np.zeros(1))

    @pytest.mark.parametrize("patience", [0, 1])
    def test_first_epoch_is_never_the_last_one_by_patience(self, patience):
        stopping = br.EarlyStopping(patience, mode="max", nan="ignore")
        assert not stopping.update(NAN)
        assert stopping.update(NAN)

    @pytest.mark.parametrize(("mode", "bad"), [("min", NAN), ("min", INF), ("max", -INF)])
    def test_raise_leaves_everything_as_it_was(self, mode, bad):
        weights = np.ones(2)
        stopping = br.EarlyStopping(2, mode=mode, nan="raise", restore_best_weights=True)
        stopping.update(1.0, weights)
        before, last = stopping.state_dict()["state"], stopping.last
        message = f"^EarlyStopping: value must be finite, got {bad} in epoch 1$"
        with pytest.raises(FloatingPointError, match=message):
            stopping.update(bad, weights * 2)
        after = stopping.state_dict()["state"]
        assert {**after, "seconds": 0} == {**before, "seconds": 0}
        assert stopping.last == last
        assert not stopping.update(2.0, weights)
        assert (stopping.best_weights() == 1).all()

    def test_nothing_is_raised_during_warm_up(self):
        assert run([NAN, 1.0], nan="raise", start_from_epoch=1).best == 1.0


class TestTargetAndDivergence:
    @pytest.mark.parametrize(("mode", "values"), [("min", [3, 2, 1]), ("max", [1, 2, 3])])
    def test_target_is_reached_by_equality(self, mode, values):
        stopping = run(values, mode=mode, target=2)
        assert summary(stopping) == (StopReason.TARGET, 1, 2.0, 1)

    @pytest.mark.parametrize(("mode", "values"), [("min", [3, 2, 4]), ("max", [5, 6, 4])])
    def test_divergence_is_reached_by_equality(self, mode, values):
        stopping = run(values, mode=mode, divergence=4)
        assert (stopping.reason, stopping.stopped_epoch) == (StopReason.DIVERGED, 2)

    def test_epoch_on_target_is_best_even_if_its_gain_is_small(self):
        stopping = br.EarlyStopping(
            9, mode="min", target=0.5, min_delta=0.2, restore_best_weights=True
        )
        stopping.update(0.6, np.array([0.0]))
        assert stopping.update(0.5, np.array([1.0]))
        assert stopping.last == (True, True, StopReason.TARGET, 0.5, 1, 0)
        assert stopping.best_weights()[0] == 1.0

    def test_neither_is_judged_during_warm_up(self):
        assert run([0.0, 9.0, 5.0], target=1, divergence=8, start_from_epoch=2).best == 5.0

    def test_first_value_may_diverge(self):
        assert run([9.0], divergence=8).reason is StopReason.DIVERGED

    def test_ignored_infinity_is_as_bad_as_any_bound(self):
        assert run([1.0, INF], divergence=8, nan="ignore").reason is StopReason.DIVERGED
        assert run([1.0, NAN], divergence=8, nan="ignore").reason is StopReason.NONE

    def test_infinite_target_is_not_reached_by_infinity_on_the_bad_side(self):
        assert run([INF], target=INF, nan="ignore").reason is StopReason.NONE

    @pytest.mark.parametrize(("mode", "target"), [("min", 2.0), ("min", 3.0), ("max", 1.0)])
    def test_target_must_be_better_than_divergence(self, mode, target):
        with pytest.raises(ValueError, match=f"worse than the target {target}, got 2.0$"):
            br.EarlyStopping(1, mode=mode, target=target, divergence=2.0)


class TestSmoothing:
    def test_average_is_judged_in_place_of_the_value(self):
        stopping = run([4.0, 0.0, 4.0, 0.0], smoothing=0.5, target=1.5)
        assert stopping.best == 1.5  # 4, 2, 3, 1.5
        assert summary(stopping) == (StopReason.TARGET, 3, 1.5, 3)

    def test_warm_up_values_enter(self):
        assert run([8.0, 0.0], smoothing=0.5, start_from_epoch=1).best == 4.0

    def test_ignored_values_do_not(self):
        stopping = run([8.0, NAN, INF, 0.0], smoothing=0.5, nan="ignore")
        assert (stopping.best, stopping.best_epoch) == (4.0, 3)

    def test_infinity_on_the_good_side_is_judged_as_it_is(self):
        stopping = run([8.0, -INF, 0.0], smoothing=0.5)
        assert (stopping.best, stopping.metrics["value"].average) == (-INF, 4.0)

    def test_zero_is_no_smoothing(self):
        assert run([8.0, 3.0], smoothing=0).best == 3.0


@pytest.fixture
def at(monkeypatch):
    """Set the clock."""
    clock = collections.namedtuple("Clock", "monotonic")

    def set_clock(seconds):
        monkeypatch.setattr("bridle._stopping.state.time", clock(lambda: seconds))

    return set_clock


class TestMaxSeconds:
    def test_counts_from_the_first_update(self, at):
        at(0.0)
        stopping = br.EarlyStopping(99, mode="min", max_seconds=10)
        for now, stop in [(50.0, False), (59.5, False), (60.0, True)]:
            at(now)
            assert stopping.update(now) is stop
        assert summary(stopping) == (StopReason.TIME, 2, 50.0, 0)

    def test_stops_also_during_warm_up(self, at):
        at(5.0)
        stopping = br.EarlyStopping(99, mode="min", max_seconds=1, start_from_epoch=9)
        assert not stopping.update(1.0)
        at(6.0)
        assert stopping.update(1.0)
        assert (stopping.reason, stopping.best) == (StopReason.TIME, None)

    def test_refused_update_does_not_start_the_clock(self, at):
        at(0.0)
        stopping = br.EarlyStopping(99, mode="min", max_seconds=1)
        with pytest.raises(TypeError):
            stopping.update("0.5")
        at(100.0)
        assert not stopping.update(0.5)

    def test_reset_starts_anew(self, at):
        at(0.0)
        stopping = br.EarlyStopping(99, mode="min", max_seconds=1)
        stopping.update(0.5)
        stopping.reset()
        at(100.0)
        assert not stopping.update(0.5)

    def test_pause_between_save_and_load_does_not_count(self, at):
        at(0.0)
        stopping = br.EarlyStopping(99, mode="min", max_seconds=10)
        stopping.update(0.5)
        at(6.0)
        state = stopping.state_dict()
        at(1000.0)
        stopping.load_state_dict(state)
        at(1003.0)
        assert not stopping.update(0.5)
        at(1004.0)
        assert stopping.update(0.5)


class Fires:
    def update(self, value, training):
        return value >= 2

    def reset(self): ...

    def state_dict(self):
        return {}

    def load_state_dict(self, state): ...


def test_reasons_in_order_of_precedence(at):
    options = {
        "patience": 1,
        "target": 1.0,
        "divergence": 9.0,
        "max_seconds": 1,
        "criteria": [Fires()],
    }

    def reason(values, **changes):
        stopping = br.EarlyStopping(**{"mode": "min", **options, **changes})
        for i, value in enumerate(values):
            at(float(i))
            stopping.update(value)
        return stopping.reason.value

    assert reason([1.5, INF]) == "not_finite"
    assert reason([1.5, 9.0]) == "diverged"
    assert reason([1.5, 9.0], mode="max", divergence=None, target=9.0) == "target"
    assert reason([1.5, 2.0]) == "criterion"
    assert reason([1.5, 1.9]) == "patience"
    assert reason([1.5, 1.2]) == "time"
    assert reason([1.5, 1.2], max_seconds=2) == "none"
    names = [member.value for member in StopReason]
    order = "none not_finite diverged target criterion patience time reduced"
    assert names == order.split()


def test_last_before_and_after_updates():
    stopping = br.EarlyStopping(1, mode="max")
    assert stopping.last == br.Decision(False, False, StopReason.NONE, None, None, 0)
    stopping.update(1.0)
    assert stopping.last == br.Decision(False, True, StopReason.NONE, 1.0, 0, 0)
    stopping.update(0.5)
    stopped = br.Decision(True, False, StopReason.PATIENCE, 1.0, 0, 1)
    assert stopping.last == stopped
    stopping.update(2.0)
    assert stopping.last == stopped


BAD = [
    ({"delta": "rel"}, ValueError, "delta must be 'absolute' or 'relative', got 'rel'"),
    ({"nan": None}, ValueError, "nan must be 'stop', 'ignore' or 'raise', got None"),
    ({"combine": all}, ValueError, "combine must be 'any' or 'all', got <built-in"),
    ({"target": NAN}, ValueError, "target must not be NaN, got nan"),
    ({"divergence": NAN}, ValueError, "divergence must not be NaN, got nan"),
    ({"target": "x"}, TypeError, "target must be one number, got 'x'"),
    ({"divergence": True}, TypeError, "divergence must be one number, got True"),
    ({"max_seconds": 0}, ValueError, "max_seconds must be > 0, got 0"),
    ({"max_seconds": -1.5}, ValueError, "max_seconds must be > 0, got -1.5"),
    ({"max_seconds": NAN}, ValueError, "max_seconds must not be NaN, got nan"),
    ({"max_seconds": True}, TypeError, "max_seconds must be one number, got True"),
    ({"smoothing": 1}, ValueError, "smoothing must be < 1, got 1"),
    ({"smoothing": -0.1}, ValueError, "smoothing must be >= 0, got -0.1"),
    ({"smoothing": NAN}, ValueError, "smoothing must be >= 0, got nan"),
    ({"reduce": 1}, TypeError, "reduce must be callable, got 1"),
    ({"criteria": br.Plateau(2, 0)}, TypeError, "criteria must be a list or tuple, got Plateau"),
    ({"criteria": [3]}, TypeError, r"criteria\[0\] must be an object with update, reset,"),
    ({"criteria": [br.Plateau]}, TypeError, r"criteria\[0\] must be an object with update,"),
    ({"monitor": 3}, TypeError, "monitor must be a name or a mapping of names to modes, got 3"),
    ({"monitor": {}, "mode": None}, ValueError, "monitor must name at least one metric, got {}"),
    (
        {"monitor": {"a": "max"}},
        ValueError,
        "mode must be None or that of every metric in monitor, got",
    ),
    (
        {"monitor": {"a": "low"}, "mode": None},
        ValueError,
        r"monitor\['a'\] must be 'min' or 'max', got 'low'",
    ),
    (
        {"monitor": {1: "min"}, "mode": None},
        TypeError,
        "the names in monitor must be strings, got 1",
    ),
    ({"monitor": "a", "mode": None}, ValueError, "mode must be 'min' or 'max', got None"),
    ({"target": {"a": 1.0}}, TypeError, "target must be one number, got {'a': 1.0}"),
    (
        {"monitor": "loss", "target": {"los": 1.0}},
        ValueError,
        r"target must be for the metrics of monitor \('loss'\), got 'los'",
    ),
    ({"monitor": "a", "min_delta": {"a": -1}}, ValueError, r"min_delta\['a'\] must be >= 0, got"),
    ({"min_delta": None}, TypeError, "min_delta must be one number, got None"),
]


@pytest.mark.parametrize(("options", "error", "message"), BAD)
def test_bad_parameter_is_refused_in_one_line(options, error, message):
    with pytest.raises(error, match=f"^EarlyStopping: {message}") as caught:
        br.EarlyStopping(**{"patience": 1, "mode": "min", **options})
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("kind", ["GeneralizationLoss", "ProgressQuotient", "UnimprovedStrips"])
def test_criteria_of_losses_are_refused_for_a_score(kind):
    criterion = getattr(br, kind)(1)
    with pytest.raises(ValueError, match=rf"criteria\[0\] \({kind}\) must judge a loss"):
        br.EarlyStopping(1, mode="max", criteria=[criterion])
    with pytest.raises(ValueError, match="with mode 'min', got 'max'"):
        br.EarlyStopping(1, mode=None, monitor={"a": "max", "b": "min"}, criteria=[criterion])


def test_parameters_are_readable_and_fixed():
    stopping = br.EarlyStopping(3, mode="max", monitor="score", smoothing=0.5, nan="ignore")
    assert (stopping.monitor, stopping.smoothing, stopping.nan) == ("score", 0.5, "ignore")
    assert (stopping.delta, stopping.combine, stopping.criteria) == ("absolute", "all", ())
    for name in ("patience", "mode", "target", "best", "wait", "reason", "last"):
        with pytest.raises(AttributeError):
            setattr(stopping, name, 1)


def test_integers_beyond_floats_are_infinite():
    assert run([10**400], nan="ignore").best is None
    assert run([-(10**400)]).best == -INF


@pytest.mark.parametrize("training", [True, "0.5", np.zeros(2)])
def test_training_loss_must_be_a_number(training):
    with pytest.raises(TypeError, match=r"^EarlyStopping: training must be one number, got "):
        br.EarlyStopping(1, mode="min").update(0.5, training=training)
