"""Interrupts an `EarlyStopping` by real signals at random moments; writes what came of it.

A program of its own, so that the signals reach nobody else.
"""

import contextlib
import json
import os
import random
import signal
import sys
import time

import numpy as np

import bridle as br


class Interrupted(BaseException):
    """What the handler raises, any number of times in one call."""


class Sum:
    """A criterion that is no single assignment."""

    def reset(self):
        self.count = 0
        self.sum = 0.0

    def update(self, value, training):
        self.count += 1
        self.sum += value
        return False

    def state_dict(self):
        return {"count": self.count, "sum": self.sum}

    def load_state_dict(self, state):
        self.count = state["count"]
        self.sum = state["sum"]


def tracker():
    criteria = [br.UnimprovedStrips(99, 2), Sum(), br.ProgressQuotient(1e9, 3), br.Plateau(9, 0)]
    return br.EarlyStopping(
        10**9, mode="min", restore_best_weights=True, smoothing=0.5, criteria=criteria
    )


def model(epoch=0):
    return {"w": np.full((1000, 300), epoch, np.float32), "b": np.full(9, epoch, np.float64)}


def epoch_of(weights):
    """Return the one number that all weights are."""
    (number,) = {float(n) for array in weights.values() for n in (array.min(), array.max())}
    return number


def everything(stopping):
    """Return all that may change, the time apart; the weights as their epoch."""
    state = stopping.state_dict()["state"]
    del state["seconds"]
    try:
        return state, epoch_of(stopping.best_weights())
    except RuntimeError:
        return state, None


class Alarm:
    """Raises `Interrupted` some times in succession, wherever bridle is at work."""

    package = os.path.dirname(br.__file__)
    left = 0

    def __init__(self):
        signal.signal(signal.SIGALRM, self.ring)

    def ring(self, _, frame):
        while frame and not frame.f_code.co_filename.startswith(self.package):
            frame = frame.f_back
        if frame and self.left:
            self.left -= 1
            raise Interrupted

    def during(self, seconds, call, *arguments):
        """Call, and interrupt it after so many seconds, or not."""
        self.left = random.choice([1, 1, 2, 3])
        signal.setitimer(signal.ITIMER_REAL, seconds, 2e-4)
        with contextlib.suppress(Interrupted):
            call(*arguments)
        signal.setitimer(signal.ITIMER_REAL, 0)
        self.left = 0


def duration(call, *arguments):
    start = time.perf_counter()
    call(*arguments)
    return time.perf_counter() - start


def interrupted_updates(alarm, seconds):
    """Return the number of calls that were broken off."""
    broken, end = 0, time.monotonic() + seconds
    stopping, twin, epoch = tracker(), tracker(), 0
    while time.monotonic() < end:
        epoch += 1
        value, weights = -float(epoch), model(epoch)
        before = everything(stopping)
        epoch_end = (value, weights, epoch, 1.0)
        typical = duration(twin.update, *epoch_end)
        alarm.during(random.random() * typical, stopping.update, *epoch_end)
        after = everything(stopping)
        assert after in (before, everything(twin)), (before, after)
        assert after[1] is None or after[1] == stopping.best_epoch
        if after == before:
            broken += 1
            stopping.update(*epoch_end)
        assert everything(stopping) == everything(twin)
    return broken


def interrupted_restores(alarm, seconds):
    broken, end = 0, time.monotonic() + seconds
    stopping = tracker()
    stopping.update(0.0, model(7), training=1.0)
    typical = duration(stopping.restore, model())
    while time.monotonic() < end:
        weights = model(3)
        alarm.during(random.random() * typical, stopping.restore, weights)
        assert epoch_of(weights) in (3, 7)
        broken += epoch_of(weights) == 3
    return broken


def interrupted_loads(alarm, seconds):
    """`reset` and `load_state_dict` change the record and the criteria, or neither."""
    broken, end = 0, time.monotonic() + seconds
    other = tracker()
    other.update(2.0, model(5), 5, 1.0)
    state = other.state_dict()
    while time.monotonic() < end:
        stopping = tracker()
        stopping.update(1.0, model(3), 3, 1.0)
        before = everything(stopping)
        change = random.choice([[stopping.reset], [stopping.load_state_dict, state]])
        alarm.during(random.random() * 2e-4, *change)
        if stopping.best == 1.0:
            broken += 1
            assert everything(stopping) == before
        else:
            expected = other if stopping.best == 2.0 else tracker()
            assert everything(stopping) == (everything(expected)[0], None)
    return broken


def main(seed, seconds):
    random.seed(seed)
    alarm = Alarm()
    parts = [interrupted_updates, interrupted_restores, interrupted_loads]
    json.dump({part.__name__: part(alarm, seconds / 3) for part in parts}, sys.stdout)


if __name__ == "__main__":
    main(int(sys.argv[1]), float(sys.argv[2]))
