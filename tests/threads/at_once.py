"""Functions that are run by several threads at once."""

import contextlib
import sys
import threading


def run_in_threads(functions):
    """Run each function in a thread of its own, all at once; raise what one of them raises."""
    errors = []
    start = threading.Barrier(len(functions))

    def run(function):
        try:
            start.wait()
            function()
        except BaseException as error:  # pytest's failures too
            errors.append(error)

    threads = [threading.Thread(target=run, args=(function,)) for function in functions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]


@contextlib.contextmanager
def meanwhile(*functions):
    """Call functions again and again, each in a thread of its own, until the block ends."""
    ended = threading.Event()

    def repeat(function):
        while not ended.is_set():
            function()

    threads = [threading.Thread(target=repeat, args=(function,)) for function in functions]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        ended.set()
        for thread in threads:
            thread.join()


@contextlib.contextmanager
def switching_often():
    """Let an interpreter with a global lock hand it over as often as it can."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        yield
    finally:
        sys.setswitchinterval(before)
