"""Rows that are timed while the processors have other work.

Every contender has a process of its own, since the threads of one would disturb those of another
while they spin. This process starts them and the load, and tells them when to time what.
"""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import functools
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from bench.peers import works
from bench.peers.arrays import SET_THREADS, namespace, restore
from bench.peers.machine import quietest
from bench.peers.measure import SETTLE_SECONDS, Timing
from bench.peers.report import Row
from bench.peers.verify import VERIFIED, verify
from bench.peers.works import Work

QUICK_SIZES, QUICK_PROCESSES = (20_000,), (1,)
ROUNDS = 2  # turns of every contender
# A turn, by the number of busy processes. Where they hold all processors, the scheduler's slices of
# some milliseconds decide by luck what a call takes, so that more calls are needed.
TURN_SECONDS = (0.4, 0.6, 1.8)
BLOCK_SECONDS = 0.1  # of calls with as many threads; then it is the turn of the other number
# Ends on its own when the process that started it has gone.
BUSY_PROCESS = """
import os
parent = os.getppid()
while os.getppid() == parent:
    for _ in range(100_000): pass
"""
TIMED = """
def calls(seconds, samples, clock):
    {statement}
    now = again = clock()
    end = now + seconds
    while True:
        if now >= again:
            {between}
            again = clock() + {every}
        begin = clock()
        {statement}
        now = clock()
        samples.append(now - begin)
        if now >= end: break
"""


def busy_rows(arguments: argparse.Namespace) -> list[Row]:
    """Verify and time the rows that the command line asks for."""
    sizes, processes = works.BUSY_SIZES, arguments.busy or QUICK_PROCESSES
    if arguments.quick:
        sizes = QUICK_SIZES
    chosen = [w for w in works.busy(sizes, processes) if arguments.only in w.name]
    if "PyTorch" not in SET_THREADS:
        chosen = [work.without("PyTorch") for work in chosen]
    if not chosen:
        return []
    errors = _verify(chosen, arguments.threads)
    rows = []
    with contextlib.ExitStack() as stack:
        workers = {name: stack.enter_context(_started(name, arguments)) for name in SET_THREADS}
        for work in chosen:
            print(work.name, file=sys.stderr, flush=True)
            assert work.load
            with _load(work.load.processes) as others:
                children = [*others, *(worker.process.pid for worker in workers.values())]
                timed = functools.partial(_measure, work, workers, arguments.quick)
                timings, disturbance = quietest(
                    timed, arguments.attempts, arguments.patience, children
                )
            rows.append(Row(work, timings, errors[_unloaded(work)], disturbance))
    return rows


def _verify(chosen: list[Work], threads: int) -> dict[str, dict[str, float]]:
    """Verify what is timed under several loads once, in this process."""
    errors: dict[str, dict[str, float]] = {}
    short = namespace(VERIFIED, threads)
    names = short
    for work in sorted(chosen, key=lambda work: work.size):
        if _unloaded(work) not in errors:
            if names["n"] != work.size:
                names = namespace(work.size, threads)
            errors[_unloaded(work)] = verify(work, names, short)
    return errors


def _unloaded(work: Work) -> str:
    return work.name.partition(";")[0]


def _measure(work: Work, workers: dict[str, Worker], quick: bool) -> dict[str, Timing]:
    """Let the contenders take turns, then ask what their calls took."""
    assert work.load
    seconds = TURN_SECONDS[min(work.load.processes, len(TURN_SECONDS) - 1)]
    for _ in range(1 if quick else ROUNDS):
        for name, code in work.statements.items():
            workers[name].ask(
                size=work.size,
                code=TIMED.format(statement=code, between=work.load.code, every=work.load.every),
                turn=0.0 if quick else seconds,
                block=0.0 if quick else BLOCK_SECONDS,
            )
    timings = {}
    for name in work.statements:
        one, all_threads = (Timing(**timing) for timing in workers[name].ask())
        timings |= {name: all_threads, works.one_thread(name): one}
    return timings


@contextlib.contextmanager
def _load(processes: int) -> Iterator[list[int]]:
    """Keep that many processes busy; gives their ids."""
    command = [sys.executable, "-c", BUSY_PROCESS]
    with contextlib.ExitStack() as stack:
        started = [stack.enter_context(_killed(command)) for _ in range(processes)]
        time.sleep(0.2 if started else 0.0)  # until they run
        yield [process.pid for process in started]


@contextlib.contextmanager
def _killed(command: list[str], **options: Any) -> Iterator[subprocess.Popen[str]]:
    """Start a process that is killed at the end."""
    with subprocess.Popen(command, text=True, **options) as process:
        try:
            yield process
        finally:
            process.kill()


@contextlib.contextmanager
def _started(contender: str, arguments: argparse.Namespace) -> Iterator[Worker]:
    command = [sys.executable, "-m", "bench.peers", "--serve", contender]
    command += ["--threads", str(arguments.threads), "--import-order", arguments.import_order]
    with _killed(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        yield Worker(process)


@dataclasses.dataclass(frozen=True)
class Worker:
    """The process of a contender, as seen by the one that asks it."""

    process: subprocess.Popen[str]

    def ask(self, **request: Any) -> Any:
        """Send what `serve` understands, and return its answer."""
        assert self.process.stdin
        assert self.process.stdout
        print(json.dumps(request), file=self.process.stdin, flush=True)
        answer = self.process.stdout.readline()
        if not answer:
            raise RuntimeError(f"bench.peers: {self.process.args!r} has ended")
        return json.loads(answer)


def serve(contender: str, threads: int) -> int:
    """Answer the requests on standard input: a turn to be timed or, empty, what calls took."""
    set_threads = SET_THREADS[contender]
    spaces: dict[int, dict[str, Any]] = {}
    samples: dict[int, list[float]] = {1: [], threads: []}
    both = ((1, samples[1]), (threads, samples[threads]))
    for line in sys.stdin:
        answer = None
        if request := json.loads(line):
            if request["size"] not in spaces:
                spaces[request["size"]] = namespace(request["size"], threads)
            names = spaces[request["size"]]
            exec(request["code"], names)
            # bridle keeps account for each thread that calls: a new one knows of no other row.
            with ThreadPoolExecutor(max_workers=1) as caller:
                caller.submit(_turn, names, set_threads, both, request).result()
        else:
            answer = [dataclasses.asdict(Timing.of(measured)) for _, measured in both]
            for _, measured in both:
                measured.clear()
        print(json.dumps(answer), flush=True)
    return 0


def _turn(
    names: dict[str, Any],
    set_threads: Callable[[int], object],
    both: tuple[tuple[int, list[float]], ...],
    request: dict[str, Any],
) -> None:
    """Time blocks of calls with one thread and with all of them in turn."""
    restore(names)
    time.sleep(SETTLE_SECONDS)
    end = time.perf_counter() + request["turn"]
    while True:
        for threads, samples in both:
            set_threads(threads)
            names["calls"](request["block"], samples, time.perf_counter)
        if time.perf_counter() >= end:
            break
