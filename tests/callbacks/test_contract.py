"""In every framework the callback decides as the tracker alone would."""

import importlib
import inspect
import math
import sys

import numpy as np
import pytest

import bridle as br
from bridle._stopping.callback import TrackerCallback, by_name

from .frameworks import FRAMEWORKS, THEIR_WARNINGS, Script, imported

NAN = math.nan
pytestmark = THEIR_WARNINGS


@pytest.fixture(params=FRAMEWORKS)
def framework(request, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # where some leave files
    imported(request.param)
    return FRAMEWORKS[request.param]


def callback_of(framework, patience=2, *, mode="min", monitor="first", **keywords):
    if isinstance(monitor, dict):
        name = {framework.monitor.format(key): value for key, value in monitor.items()}
    else:
        name = framework.monitor.format(monitor)
    adapter = importlib.import_module(framework.module)
    return adapter.EarlyStopping(patience, mode=mode, monitor=name, **keywords)


def outcome(tracker):
    return tracker.best, tracker.best_epoch, tracker.wait, tracker.stopped_epoch, tracker.reason


def alone(values, patience=2, *, mode="min", **keywords):
    """Return what the tracker does without a framework, and how many values it takes."""
    stopping = br.EarlyStopping(patience, mode=mode, **keywords)
    count = 0
    for value in values:
        count += 1
        if stopping.update(value):
            break
    return outcome(stopping), count


UNTIL_THE_END = [5.0, 4.0, 3.0, 2.0]
RUNS = {
    "patience": ([3.0, 1.0, 2.0, 4.0, 0.0], {}),
    "to the end": (UNTIL_THE_END, {}),
    "maximum": ([3.0, 4.0, 4.0, 2.0, 9.0], {"mode": "max"}),
    "smoothing": ([8.0, 2.0, 4.0, 2.0, 9.0, 9.0, 1.0], {"smoothing": 0.5}),
    "target": ([8.0, 2.0, 1.0, 0.5], {"target": 1.5}),
    "nan stops": ([8.0, NAN, 1.0], {}),
    "nan ignored": ([NAN, 2.0, NAN, 1.0, 4.0, 4.0, 3.0], {"nan": "ignore"}),
    "criterion": ([8.0, 2.0, 3.0, 0.5], {"patience": 9, "criteria": [br.GeneralizationLoss(20)]}),
    "warm-up": ([1.0, 5.0, 4.0, 6.0, 6.0, 0.0], {"start_from_epoch": 2}),
}


def skip_if_nan_cannot_be(framework):
    if framework is FRAMEWORKS["catboost"]:
        pytest.skip("CatBoost refuses metrics that are NaN")


@pytest.mark.parametrize("run", RUNS)
def test_training_ends_where_the_tracker_says(framework, run):
    values, keywords = RUNS[run]
    if any(map(math.isnan, values)):
        skip_if_nan_cannot_be(framework)
    expected, count = alone(values, **keywords)
    callback = callback_of(framework, **keywords)
    _, evaluations = framework.run(callback, Script(values))
    assert (outcome(callback.tracker), evaluations) == (expected, count)


def test_a_second_training_starts_afresh(framework):
    callback = callback_of(framework)
    framework.run(callback, Script([0.5, 0.1, 0.3, 0.2]))
    assert callback.tracker.best == 0.1
    values = [3.0, 1.0, 2.0, 4.0, 0.0]
    _, evaluations = framework.run(callback, Script(values))
    assert (outcome(callback.tracker), evaluations) == alone(values)


def test_an_unknown_metric_is_an_error_at_the_second_evaluation(framework):
    script = Script(UNTIL_THE_END)
    right, wrong = (framework.monitor.format(name) for name in ("first", "fisrt"))
    with pytest.raises(Exception, match="EarlyStopping") as caught:
        framework.run(callback_of(framework, monitor="fisrt"), script)
    assert script.count == 2
    message = str(caught.value)
    assert f"EarlyStopping: monitor must name what is measured, got '{wrong}', not" in message
    assert f"did you mean '{right}'?" in message
    assert caught.type.__name__ == ("CatBoostError" if "RMSE" in message else "ValueError")


def test_an_error_of_the_tracker_reaches_the_user(framework):
    skip_if_nan_cannot_be(framework)
    script = Script([1.0, NAN, 1.0])
    with pytest.raises(Exception, match=r"FloatingPointError|must be finite, got nan in epoch 1"):
        framework.run(callback_of(framework, nan="raise"), script)
    assert script.count == 2


def test_criteria_see_the_training_loss(framework):
    seen = []

    class Watching:
        def update(self, value, training):
            seen.append(training)
            return False

        def reset(self):
            seen.clear()

        def state_dict(self):
            return {}

        def load_state_dict(self, state):
            pass

    criteria = [Watching()]
    callback = callback_of(framework, criteria=criteria, training=framework.training)
    framework.run(callback, Script(UNTIL_THE_END))
    assert len(seen) == 4
    assert all(0 < loss < 9 for loss in seen)
    assert seen[0] != seen[-1]
    script = Script(UNTIL_THE_END)
    with pytest.raises(Exception, match="training must name what is measured, got 'training_los'"):
        framework.run(callback_of(framework, training="training_los"), script)


@pytest.mark.parametrize("framework", sorted(FRAMEWORKS.keys() - {"catboost"}), indirect=True)
@pytest.mark.parametrize(("combine", "count"), [("any", 4), ("all", 5)])
def test_several_metrics(framework, combine, count):
    monitor = {"first": "min", "second": "max"}
    callback = callback_of(framework, mode=None, monitor=monitor, combine=combine)
    script = Script([3.0, 1.0, 2.0, 2.0, 2.0, 0.0], [1.0, 2.0, 3.0, 2.0, 2.0, 9.0])
    _, evaluations = framework.run(callback, script)
    assert evaluations == count
    best = [standing.best for standing in callback.tracker.metrics.values()]
    assert best == [1.0, 3.0]


def test_a_state_that_was_loaded_goes_on(framework, tmp_path):
    values, keywords = [8.0, 2.0, 4.0, 2.0, 9.0, 9.0, 1.0], {"smoothing": 0.5}
    expected, _ = alone(values, **keywords)
    (first, second, third) = (callback_of(framework, **keywords) for _ in range(3))
    framework.run(first, Script(values[:3]))
    path = tmp_path / "run.npz"
    br.save_checkpoint(path, stopping=first)
    second.load_state_dict(first.state_dict())
    br.load_checkpoint(path, stopping=third)
    for callback in (second, third):
        framework.run(callback, Script(values[3:]))
        reason = outcome(callback.tracker)[-1]
        assert (callback.tracker.best, reason) == (expected[0], expected[-1])


@pytest.mark.parametrize("framework", ["keras", "lightning", "transformers"], indirect=True)
def test_a_state_without_the_weights_that_are_wanted_is_an_error(framework):
    callback = callback_of(framework)
    framework.run(callback, Script([3.0, 1.0]))
    again = callback_of(framework, restore_best_weights=True)
    again.load_state_dict(callback.state_dict())
    with pytest.raises(ValueError, match="restore_best_weights must be False to go on from a stat"):
        framework.run(again, Script([2.0]))


def test_keywords_are_those_of_the_tracker(framework):
    adapter = importlib.import_module(framework.module).EarlyStopping
    ours = dict(inspect.signature(adapter).parameters)
    assert ours.pop("training").default is None
    theirs = inspect.signature(br.EarlyStopping).parameters
    assert ours.keys() == theirs.keys()
    for name, parameter in theirs.items():
        wanted = parameter.empty if name == "monitor" else parameter.default
        assert (ours[name].default, ours[name].kind) == (wanted, parameter.kind)


def test_arguments_are_checked_at_once(framework):
    for bad in ({"patience": -1}, {"smoothing": 2.0}, {"mode": "auto"}):
        with pytest.raises(ValueError, match="EarlyStopping: "):
            callback_of(framework, **bad)
    adapter = importlib.import_module(framework.module).EarlyStopping
    with pytest.raises(TypeError, match="monitor must name a metric, got None"):
        adapter(2, mode="min", monitor=None)
    with pytest.raises(TypeError, match="training must name the training loss, got 3"):
        callback_of(framework, training=3)
    assert repr(callback_of(framework)).startswith("EarlyStopping(tracker=<EarlyStopping: ")


@pytest.mark.parametrize("name", FRAMEWORKS)
def test_only_the_named_framework_is_needed(name, monkeypatch):
    imported(name)
    for other in FRAMEWORKS.keys() - {name}:
        monkeypatch.setitem(sys.modules, other, None)  # whose import is an error
    for module in (f"bridle.{name}", f"bridle.{name}._stopping", "bridle._stopping.modules"):
        monkeypatch.delitem(sys.modules, module, raising=False)
    monkeypatch.setattr(br, name, getattr(br, name))  # the same as before, after the test
    assert importlib.import_module(f"bridle.{name}").EarlyStopping.__module__ in sys.modules


def test_bridle_alone_imports_no_framework(run_python):
    frameworks = {*FRAMEWORKS, "torch"}
    done = run_python(f"import sys, bridle; assert not {frameworks} & sys.modules.keys()")
    assert done.returncode == 0, done.stderr


def test_metrics_have_the_names_of_their_data_sets_or_their_own():
    measured = [("a", "auc", 1.0), ("b", "auc", 2.0), ("b", "error", 3.0)]
    assert by_name(measured) == {"a-auc": 1.0, "b-auc": 2.0, "b-error": 3.0, "error": 3.0}


def test_values_of_one_evaluation_may_come_one_by_one():
    callback = TrackerCallback(2, mode=None, monitor={"a": "min", "c": "min"})
    callback._begin()
    for evaluation in range(3):
        for name in "abc":
            stop = callback._take({name: 1.0 + evaluation}, continued=name != "a")
            assert stop == (evaluation == 2 and name == "c")
    assert callback.tracker.best_epoch == 0
    assert np.all([s.wait == 2 for s in callback.tracker.metrics.values()])
