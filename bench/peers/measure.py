"""Timing: the contenders take turns, so that what disturbs the machine disturbs all of them."""

from __future__ import annotations

import math
import time
import timeit
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from bench.peers.arrays import restore
from bench.peers.works import IDLE_SECONDS, Work

import bridle as br

# Until the threads of the last contender have stopped spinning: OpenBLAS 40 ms, libgomp 8 ms.
SETTLE_SECONDS = 0.06
LEAST_ROUNDS = 3


@dataclass(frozen=True)
class Plan:
    """How much is timed."""

    rounds: int
    samples: int  # in a contender's turn
    sample_seconds: float  # fast statements are repeated until a sample takes this long
    budget_seconds: float  # of a contender; a slow one gets fewer rounds, but at least three
    settle_seconds: float = SETTLE_SECONDS
    is_warmed_up: bool = True  # by an untimed sample in each turn


@dataclass(frozen=True)
class Timing:
    """Seconds of one execution of a statement."""

    mean: float
    error: float  # the standard error of the mean
    median: float
    p90: float
    p99: float
    samples: int

    @staticmethod
    def of(samples: Sequence[float]) -> Timing:
        median, p90, p99 = (float(q) for q in np.percentile(samples, [50, 90, 99]))
        mean, error = np.mean(samples), np.std(samples) / math.sqrt(len(samples))
        return Timing(float(mean), float(error), median, p90, p99, len(samples))


QUICK = Plan(rounds=1, samples=1, sample_seconds=0.0, budget_seconds=0.0, settle_seconds=0.0)
PLANS = {
    "memory": Plan(rounds=10, samples=2, sample_seconds=0.0, budget_seconds=6.0),
    "cache": Plan(rounds=12, samples=5, sample_seconds=2e-3, budget_seconds=4.0),
    "small": Plan(rounds=12, samples=5, sample_seconds=1e-3, budget_seconds=4.0),
    "long": Plan(LEAST_ROUNDS, 1, sample_seconds=0.0, budget_seconds=0.0, is_warmed_up=False),
}
IDLE_ROUNDS = 300


def measure(work: Work, names: dict[str, Any], quick: bool) -> dict[str, Timing]:
    """Time every contender of a row.

    A turn begins with a rest, in which the threads of the other libraries go to sleep, and with one
    untimed sample, in which the contender wakes its own, unless that takes seconds.
    """
    plan = QUICK if quick else PLANS[work.group]
    timers = {name: timeit.Timer(code, globals=names) for name, code in work.statements.items()}
    numbers = {name: _number(timer, plan, names) for name, timer in timers.items()}
    samples: dict[str, list[float]] = {name: [] for name in timers}
    spent = dict.fromkeys(timers, 0.0)
    order = list(timers)
    for turn in range(plan.rounds):
        for name in order:
            if spent[name] > plan.budget_seconds and turn >= LEAST_ROUNDS:
                continue
            begin = time.perf_counter()
            restore(names)
            time.sleep(plan.settle_seconds)
            if plan.is_warmed_up:
                timers[name].timeit(numbers[name])
            for _ in range(plan.samples):
                samples[name].append(timers[name].timeit(numbers[name]) / numbers[name])
            spent[name] += time.perf_counter() - begin
        order = order[1:] + order[:1]
    return {name: Timing.of(times) for name, times in samples.items()}


def measure_idle(work: Work, names: dict[str, Any], quick: bool) -> dict[str, Timing]:
    """Time single calls after a rest each, with all threads and with one in turn."""
    timer = timeit.Timer(work.statements["bridle"], globals=names)
    threads = {"bridle": names["threads"], "one thread": 1}
    samples: dict[str, list[float]] = {name: [] for name in threads}
    restore(names)
    for _ in range(1 if quick else IDLE_ROUNDS):
        for name, count in threads.items():
            br.set_num_threads(count)
            time.sleep(IDLE_SECONDS)
            samples[name].append(timer.timeit(1))
    br.set_num_threads(names["threads"])
    return {name: Timing.of(times) for name, times in samples.items()}


def _number(timer: timeit.Timer, plan: Plan, names: dict[str, Any]) -> int:
    """How often a sample executes its statement."""
    number = 1
    if plan.sample_seconds == 0:
        return number
    while (seconds := timer.timeit(number)) < plan.sample_seconds:
        wanted = plan.sample_seconds / max(seconds, 1e-9) * number
        number = max(2 * number, int(min(wanted, 100 * number)))
    restore(names)
    return number
