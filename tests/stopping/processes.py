"""Starts processes that train side by side and agree on the end; writes what each of them saw.

A program of its own, so that the processes it spawns can import it.
"""

import json
import math
import multiprocessing
import sys

import bridle as br

VALUES = {
    # Only the last process runs out of patience; nobody else would stop.
    "patience": [[9, 8, 7, 6, 5, 4], [9, 8, 7, 6, 5, 4], [1, 2, 2, 2, 2, 2]],
    # The first one meets NaN in epoch 2 and raises.
    "nan": [[9, 8, math.nan, 6, 5, 4], [9, 8, 7, 6, 5, 4], [9, 8, 7, 6, 5, 4]],
    # Two have a reason of their own in the same epoch.
    "two": [[1, 2, 2, 2], [9, 8, 7, 6], [1, 2, 2, 2]],
}


def train(rank, values, nan, barrier, flags, results):
    calls = 0

    def any_process(stop):
        nonlocal calls
        calls += 1
        flags[rank] = stop
        barrier.wait(timeout=60)
        result = any(flags)
        barrier.wait(timeout=60)  # nobody writes before everybody has read
        return result

    stopping = br.EarlyStopping(3, mode="min", nan=nan, reduce=any_process)
    raised = None
    try:
        for value in values:
            if stopping.update(value):
                break
    except FloatingPointError as error:
        raised = str(error)
    results.put((rank, stopping.stopped_epoch, stopping.reason.value, calls, raised))


def main(name):
    context = multiprocessing.get_context("spawn")
    count = len(VALUES[name])
    barrier, flags = context.Barrier(count), context.Array("b", count)
    results = context.SimpleQueue()
    processes = [
        context.Process(target=train, args=(rank, values, "raise", barrier, flags, results))
        for rank, values in enumerate(VALUES[name])
    ]
    for process in processes:
        process.start()
    seen = sorted(results.get() for _ in processes)
    for process in processes:
        process.join()
    json.dump(seen, sys.stdout)


if __name__ == "__main__":
    main(sys.argv[1])
