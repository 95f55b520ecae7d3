"""Every public function, called by several threads at once with the same arrays to read.

What this finds, it finds above all where Python has no global lock.
"""

import random
from collections.abc import Mapping

import numpy as np
import pytest

import bridle as br

from ..memmap_calls import CALLS
from .at_once import run_in_threads, switching_often

THREADS = 4
SEVERAL_WORKERS = 1030  # rows of 64 elements


def as_bytes(result):
    """Return all that a result has, for comparison bit for bit."""
    if isinstance(result, np.ndarray | np.generic):
        return str(result.dtype), result.shape, result.tobytes()
    if isinstance(result, Mapping):
        return {key: as_bytes(value) for key, value in result.items()}
    if isinstance(result, list | tuple):
        return tuple(as_bytes(each) for each in result)
    return repr(result)


class Run:
    """A call whose arrays to read are the same for all threads."""

    def __init__(self, name, rows):
        self.name, self.call = name, CALLS[name]
        self.arrays = self.call.arrays(rows)
        for array_name, array in self.arrays.items():
            array.flags.writeable = array_name in self.call.written
        self.expected = self()

    def __call__(self):
        own = {name: self.arrays[name].copy() for name in self.call.written}
        result = self.call.run(self.arrays | own)
        return as_bytes(result), as_bytes(own)


@pytest.mark.parametrize("rows", [3, SEVERAL_WORKERS])
def test_calls_at_once_give_the_bits_that_each_gives_alone(rows):
    runs = [Run(name, rows) for name in CALLS]

    def check(order):
        for run in order:
            assert run() == run.expected, run.name

    orders = [random.Random(thread).sample(runs, len(runs)) for thread in range(THREADS)]
    with switching_often():
        run_in_threads([lambda order=order: check(order) for order in orders])


def test_regularizers_and_prepared_lists_may_be_shared():
    """They are objects that never change."""
    regularizer = 0.3 * br.L1(0.5) + br.L2(np.linspace(0, 1, 64))
    w = np.linspace(-2, 2, 64)
    gradients = br.prepare({"a": np.full(9, 0.5), "b": np.full((2, 3), 0.25)})

    def call():
        weights = {"a": np.ones(9), "b": np.ones((2, 3))}
        summary = br.sgd_update(weights, gradients, lr=0.1, l1=0.1)
        results = regularizer.prox(w, 0.5), regularizer.value(w), regularizer.subgradient(w)
        facts = hash(regularizer), repr(regularizer), regularizer.get_params()
        return as_bytes([summary, weights, results, list(map(repr, facts))])

    expected = call()

    def check():
        for _ in range(100):
            assert call() == expected

    with switching_often():
        run_in_threads([check] * THREADS)


FIRST_CALLS = """
import threading

start = threading.Barrier(8)
results, errors = [], []


def call(number):
    try:
        start.wait()
        import bridle as br  # which none of them has imported before
        import numpy as np

        x = np.linspace(-2, 2, 200_000, dtype=np.float32)
        calls = [
            lambda: br.soft_threshold(x, 0.5),
            lambda: br.dropout(x, 0.3, seed=1),
            lambda: br.project_simplex(x),
            lambda: br.project_l0_ball(x, 777),
            lambda: br.group_soft_threshold(x, 0.1, labels=np.arange(x.size) % 1000),
            lambda: br.l1_penalty(x, 1.0),
            lambda: br.L1(0.5).prox(x, 1.0),
            lambda: br.global_norm([x]),
        ]
        order = calls[number:] + calls[:number]
        found = [str(call()) for call in order]
        results.append(found[len(calls) - number:] + found[: len(calls) - number])
    except BaseException as error:
        errors.append(error)
        raise


threads = [threading.Thread(target=call, args=(number,)) for number in range(8)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
assert not errors and len(results) == 8
assert all(found == results[0] for found in results)
"""


def test_threads_may_make_the_first_calls_at_once(run_python):
    """The import, the first look at processors and instruction sets, the workers' start."""
    result = run_python(FIRST_CALLS, BRIDLE_NUM_THREADS="3")
    assert (result.returncode, result.stderr) == (0, "")
