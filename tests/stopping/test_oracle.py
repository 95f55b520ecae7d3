"""`EarlyStopping` with everything at once, epoch by epoch, against the oracle; also resumed."""

import json
import math
import random

import pytest

import bridle as br

from .oracle import decisions

INF, NAN = math.inf, math.nan


class Clock:
    now = 0.0

    def monotonic(self):
        return self.now


@pytest.fixture
def clock(monkeypatch):
    """Replace the clock by one that only moves when told to."""
    replacement = Clock()
    monkeypatch.setattr("bridle._stopping.state.time", replacement)
    return replacement


def a_value(rng, specials):
    if rng.random() < 0.12:
        return rng.choice(specials)
    return rng.choice([-1, 1, 1, 1]) * rng.randint(1, 16) / 4


def some_criteria(rng, minimized):
    kinds = [("Plateau", {"window": rng.randint(2, 4), "tolerance": rng.choice([0.0, 0.4])})]
    if minimized:
        # Thresholds that no quotient of the values above hits, so that roundings do not matter.
        kinds += [
            ("GeneralizationLoss", {"threshold": rng.choice([12.34567, 123.4567])}),
            ("ProgressQuotient", {"threshold": 0.1234567, "strip": rng.randint(1, 4)}),
            ("UnimprovedStrips", {"strips": rng.randint(1, 2), "strip": rng.randint(1, 3)}),
        ]
    return rng.sample(kinds, rng.choice([0, 0, 1, min(2, len(kinds))]))


def per_metric(rng, names, values):
    """Return one of the values, or, of several metrics, a mapping for some of them."""
    if len(names) > 1 and rng.random() < 0.5:
        return {name: rng.choice([v for v in values if v is not None]) for name in names[1:]}
    return rng.choice(values)


def a_case(rng):
    """Return histories, times, training losses, modes and options."""
    names = ["loss", "score", "error"][: rng.choice([1, 1, 1, 2, 3])]
    modes = {name: rng.choice(["min", "max"]) for name in names}
    criteria = some_criteria(rng, modes["loss"] == "min")
    # A criterion of Prechelt's divides by the lowest value: there the oracle wants it finite.
    good = INF if modes["loss"] == "max" else -INF
    specials = rng.choice([[0.5], [NAN, -good] if criteria else [NAN, INF, -INF]])
    target = per_metric(rng, names, [None, None, -3.0, 3.0])
    divergence = None if target is not None else per_metric(rng, names, [None, None, 3.5, -3.5])
    options = {
        "patience": rng.randint(0, 5),
        "min_delta": per_metric(rng, names, [0.0, 0.25, 0.5]),
        "delta": rng.choice(["absolute", "relative"]),
        "baseline": per_metric(rng, names, [None, None, 1.0, -1.0]),
        "start_from_epoch": rng.choice([0, 0, 0, 1, 3]),
        "nan": rng.choice(["stop", "ignore"]),
        "target": target,
        "divergence": divergence,
        "max_seconds": rng.choice([None, None, 2.5]),
        "smoothing": rng.choice([None, None, 0.5, 0.25]),
        "combine": rng.choice(["any", "all"]),
        "criteria": criteria,
    }
    epochs = rng.randint(1, 14)
    histories = {name: [a_value(rng, specials) for _ in range(epochs)] for name in names}
    seconds = [0.0]
    while len(seconds) < epochs:
        seconds.append(seconds[-1] + rng.randint(0, 4) / 4)
    training = [rng.randint(1, 16) / 4 for _ in range(epochs)]
    return histories, seconds, training, modes, options


def made(modes, options):
    criteria = [getattr(br, name)(**arguments) for name, arguments in options["criteria"]]
    one = len(modes) == 1
    return br.EarlyStopping(
        **{**options, "criteria": criteria},
        mode=modes["loss"] if one else None,
        monitor="loss" if one else modes,
    )


def observed(stopping):
    standings = [tuple(standing[:3]) for standing in stopping.metrics.values()]
    last = stopping.last
    assert (last.best, last.best_epoch, last.wait) == standings[0]
    assert last.stop == (last.reason is not br.StopReason.NONE)
    assert stopping.reason is last.reason
    return last.reason.value, last.improved, standings


def updated(stopping, case, epoch, clock):
    histories, seconds, training, *_ = case
    clock.now = 1000 + seconds[epoch]
    value = {name: history[epoch] for name, history in histories.items()}
    return stopping.update({**value, "other": None}, training=training[epoch])


@pytest.mark.parametrize("seed", range(8))
def test_every_decision_is_that_of_the_oracle(seed, clock):
    rng = random.Random(seed)
    for _ in range(250):
        case = a_case(rng)
        stopping = made(*case[3:])
        for epoch, expected in enumerate(decisions(*case)):
            stop = updated(stopping, case, epoch, clock)
            assert observed(stopping) == expected, (case, epoch)
            assert stop == (expected[0] != "none")
            assert stopping.stopped_epoch == (epoch if stop else None)


def test_the_random_cases_meet_every_reason():
    rng = random.Random(0)
    met = {decisions(*a_case(rng))[-1][0] for _ in range(1000)}
    assert met == {"none", "not_finite", "diverged", "target", "criterion", "patience", "time"}


@pytest.mark.parametrize("seed", range(4))
def test_run_resumed_at_every_epoch_decides_as_the_uninterrupted_one(seed, clock):
    rng = random.Random(100 + seed)
    for _ in range(60):
        case = a_case(rng)
        expected = decisions(*case)
        for interruption in range(len(expected)):
            stopping = made(*case[3:])
            for epoch in range(interruption):
                updated(stopping, case, epoch, clock)
            text = json.dumps(stopping.state_dict(), allow_nan=False)
            clock.now += rng.choice([0, 50])  # the pause does not count
            resumed = made(*case[3:])
            paused = clock.now
            resumed.load_state_dict(json.loads(text))
            assert resumed.state_dict() == json.loads(text)
            seconds = case[1]
            for epoch in range(interruption, len(expected)):
                shift = seconds[interruption - 1] if interruption else seconds[0]
                clock.now = paused + seconds[epoch] - shift
                value = {name: history[epoch] for name, history in case[0].items()}
                resumed.update(value, training=case[2][epoch])
                assert observed(resumed) == expected[epoch], (case, interruption, epoch)
