"""`EarlyStopping` beside that of Keras, over thousands of random runs.

Keras is run with PyTorch where that is installed, else with its NumPy backend.
"""

import importlib.util
import json
import math
import os
import random
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import numpy as np
import pytest

import bridle as br

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("keras") is None, reason="Keras is not installed"
)

REFERENCE = Path(__file__).with_name("keras_reference.py")
INF, NAN = math.inf, math.nan
RUNS = 2500


def keras_outcomes(cases, floatx):
    done = subprocess.run(
        [sys.executable, str(REFERENCE), floatx],
        input=json.dumps(cases),
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def our_outcome(case, **further):
    options = case["options"]
    stopping = br.EarlyStopping(**options, **further)
    weights, epochs = np.zeros(1), 0
    for value in case["values"]:
        weights += 1
        epochs += 1
        if stopping.update(value, weights if options["restore_best_weights"] else None):
            break
    if options["restore_best_weights"] and stopping.best is not None:
        stopping.restore(weights)
    return stopping, {
        "epochs": epochs,
        "stopped": stopping.reason is not br.StopReason.NONE,
        "best": stopping.best,
        "best_epoch": stopping.best_epoch or 0,  # Keras says 0 where there is none
        "wait": stopping.wait,
        "weight": weights.item(),
    }


def without_rounding(rng):
    return rng.randint(-16, 16) / 4


def with_rounding(rng):
    return rng.uniform(-3, 3)


def options_of(rng, number):
    return {
        "patience": rng.randint(0, 6),
        "mode": rng.choice(["min", "max"]),
        "min_delta": rng.choice([0.0, 0.0, abs(number(rng)) / 4]),
        "baseline": rng.choice([None, None, number(rng)]),
        "start_from_epoch": rng.choice([0, 0, 0, 1, 2, 5]),
        "restore_best_weights": rng.random() < 0.6,
    }


def a_case(rng, number, specials=()):
    values = [number(rng)]
    for _ in range(rng.randint(0, 24)):
        special = specials and rng.random() < 0.1
        values.append(
            rng.choice(specials)
            if special
            else rng.choice([number(rng), rng.choice(values), values[-1] + number(rng) / 8])
        )
    return {"values": values, "options": options_of(rng, number)}


def first_judged(case):
    return next(iter(case["values"][case["options"]["start_from_epoch"] :]), None)


def is_bad(value, case):
    return math.isnan(value) or value == (INF if case["options"]["mode"] == "min" else -INF)


@pytest.mark.parametrize(
    ("floatx", "number"), [("float32", without_rounding), ("float64", with_rounding)]
)
def test_finite_runs_are_those_of_keras(floatx, number):
    rng = random.Random(number.__name__)
    cases = [a_case(rng, number) for _ in range(RUNS)]
    outcomes = keras_outcomes(cases, floatx)
    assert 0.2 < np.mean([theirs["stopped"] for theirs in outcomes]) < 0.9
    for case, theirs in zip(cases, outcomes, strict=True):
        assert our_outcome(case)[1] == theirs, case


def test_bad_values_count_as_in_keras_where_they_are_ignored_and_not_the_first():
    rng = random.Random(1)
    cases = [a_case(rng, without_rounding, [NAN, INF, -INF]) for _ in range(RUNS)]
    cases = [case for case in cases if not is_bad(first_judged(case) or 0, case)]
    assert len(cases) > RUNS // 2
    for case, theirs in zip(cases, keras_outcomes(cases, "float64"), strict=True):
        assert our_outcome(case, nan="ignore")[1] == theirs, case


def test_difference_a_bad_value_stops_at_once():
    rng = random.Random(2)
    cases = []
    while len(cases) < RUNS // 2:
        case = a_case(rng, without_rounding, [NAN, INF, -INF])
        start = case["options"]["start_from_epoch"]
        bad = [e for e, v in enumerate(case["values"]) if e >= start and is_bad(v, case)]
        if bad:
            cases.append((case, bad[0]))
    before = [{**case, "values": case["values"][:bad]} for case, bad in cases]
    for (case, bad), theirs in zip(cases, keras_outcomes(before, "float64"), strict=True):
        stopping, ours = our_outcome(case)
        if theirs["stopped"]:
            assert ours == theirs, case
            continue
        assert (stopping.reason, stopping.stopped_epoch) == (br.StopReason.NOT_FINITE, bad), case
        same = {"best", "best_epoch"}
        assert {key: ours[key] for key in same} == {key: theirs[key] for key in same}, case


def test_difference_a_first_value_that_is_not_finite_is_the_best_for_keras():
    if tuple(map(int, metadata.version("keras").split(".")[:2])) < (3, 7):
        pytest.skip("before Keras 3.7 a first value had to be better than an infinity")
    options = {"patience": 3, "mode": "min", "restore_best_weights": True}
    nan_first = {"values": [NAN, 3.0, 2.0, 1.0], "options": options}
    all_infinite = {"values": [INF] * 9, "options": options}
    nan, infinite = keras_outcomes([nan_first, all_infinite], "float64")
    assert math.isnan(nan["best"])
    assert (nan["best_epoch"], nan["weight"], nan["stopped"]) == (0, 1.0, True)
    _, ours = our_outcome(nan_first, nan="ignore")
    assert (ours["best"], ours["best_epoch"], ours["weight"]) == (1.0, 3, 4.0)
    assert (infinite["best"], infinite["epochs"]) == (INF, 4)
    for policy, epochs in [("stop", 1), ("ignore", 3)]:
        stopping, ours = our_outcome(all_infinite, nan=policy)
        assert (stopping.best, ours["epochs"]) == (None, epochs)
