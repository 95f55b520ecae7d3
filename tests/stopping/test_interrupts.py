"""Record, criteria and weights change together or not at all, wherever an exception comes from."""

import json
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path

import numpy as np
import pytest

import bridle as br

from . import interrupts as program
from .interrupts import Interrupted, everything


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="needs an interval timer")
def test_real_signals_at_random_moments():
    done = subprocess.run(
        [sys.executable, program.__file__, "0", "4"],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert all(broken > 0 for broken in json.loads(done.stdout).values())


# An exception while a generator is closed goes to the console alone.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


class Tracer:
    """Does something before the n-th opcode of bridle, or line of what it calls."""

    package = str(Path(br.__file__).parent)

    def __init__(self, action, number=None):
        self.action, self.number, self.seen = action, number, 0

    def __call__(self, frame, event, _):
        if frame.f_code.co_filename.startswith(self.package):
            frame.f_trace_opcodes, frame.f_trace_lines = True, False
        if event in ("opcode", "line"):
            self.seen += 1
            if self.number in (None, self.seen):
                self.action()
        return self

    def during(self, call):
        """Tell whether the action raised."""
        before = sys.gettrace()
        sys.settrace(self)
        try:
            call()
        except Interrupted:
            return True
        finally:
            sys.settrace(before)
        return False


def interrupt():
    raise Interrupted


def moments(make, call):
    """Return at how many moments a call with what was made may be interrupted."""
    for _ in range(2):  # from the second time on Python 3.12 tells of every opcode
        made, tracer = make(), Tracer(lambda: None)
        tracer.during(partial(call, made))
    return tracer.seen


def small(epoch):
    return {"w": np.full(3, epoch, np.float32), "b": np.full(2, epoch, np.float64)}


def used():
    """Return a tracker with something in every part of its record."""
    stopping = program.tracker()
    for epoch, value in enumerate([5.0, 3.0, 4.0]):
        stopping.update(value, small(epoch), training=value)
    return stopping


STATE = used().state_dict()
STATE["state"]["next_epoch"] = 77

CHANGES = {
    "first update": (program.tracker, lambda stopping: stopping.update(1.0, small(9), 9, 1.0)),
    "improvement": (used, lambda stopping: stopping.update(-9.0, small(9), 9, 1.0)),
    "none": (used, lambda stopping: stopping.update(9.0, small(9), 9, 1.0)),
    "reset": (used, lambda stopping: stopping.reset()),
    "load_state_dict": (used, lambda stopping: stopping.load_state_dict(STATE)),
}


@pytest.mark.parametrize("change", CHANGES)
def test_an_exception_at_any_moment_leaves_the_old_or_the_new(change):
    make, call = CHANGES[change]
    before, new = everything(make()), make()
    call(new)
    after, outcomes = everything(new), set()
    count = moments(make, call)
    last = range(count - 30, count + 1)  # what follows the change is short
    for number in (*range(1, count, 7), *last):
        stopping = make()
        Tracer(interrupt, number).during(partial(call, stopping))
        now = everything(stopping)
        assert now in (before, after), number
        outcomes.add(now == after)
    assert outcomes == {False, True}


@pytest.mark.parametrize("change", CHANGES)
def test_a_handler_that_reads_at_any_moment_sees_the_old_or_the_new(change):
    make, call = CHANGES[change]
    stopping, states = make(), []
    before = everything(stopping)
    Tracer(lambda: states.append(everything(stopping))).during(lambda: call(stopping))
    after = everything(stopping)
    assert all(state in (before, after) for state in states)
    assert before in states
    assert states == sorted(states, key=lambda state: state == after)


def test_restore_writes_all_arrays_or_none():
    stopping = used()
    for number in range(1, moments(lambda: small(9), stopping.restore) + 1):
        weights = small(9)
        Tracer(interrupt, number).during(partial(stopping.restore, weights))
        assert program.epoch_of(weights) in (1, 9)


@pytest.mark.parametrize(
    "make",
    [
        lambda: br.GeneralizationLoss(5.0),
        lambda: br.ProgressQuotient(5.0, 2),
        lambda: br.UnimprovedStrips(2, 2),
        lambda: br.Plateau(2, 0.0),
    ],
)
def test_criterion_alone_takes_a_value_or_none_of_it(make):
    def used_one():
        criterion = make()
        criterion.update(2.0, 2.0)
        return criterion

    def call(criterion):
        criterion.update(1.0, 1.0)

    before, new = used_one(), used_one()
    call(new)
    states = [before.state_dict(), new.state_dict()]
    for number in range(1, moments(used_one, call) + 1):
        criterion = used_one()
        Tracer(interrupt, number).during(partial(call, criterion))
        assert criterion.state_dict() in states


class Undone(program.Sum):
    """Breaks off the first undoing."""

    left = 1

    def load_state_dict(self, state):
        self.left, left = 0, self.left
        if left:
            raise Interrupted
        super().load_state_dict(state)


def test_undoing_that_is_broken_off_too_is_made_good():
    asked = []

    def fails_once(stop):
        asked.append(stop)
        if len(asked) == 2:
            raise ConnectionError
        return stop

    plateau = br.Plateau(9, 0.0)
    options = {"mode": "min", "reduce": fails_once, "criteria": [Undone(), plateau]}
    stopping = br.EarlyStopping(9, **options)
    stopping.update(3.0)
    before = everything(stopping)
    with pytest.raises(Interrupted):
        stopping.update(2.0)
    assert everything(stopping) == before
    stopping.update(1.0)
    assert stopping.criteria[0].state_dict() == {"count": 2, "sum": 4.0}
    assert plateau.state_dict() == {"values": [3.0, 1.0]}
