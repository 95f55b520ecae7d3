"""Calls from several Python threads, after a fork, and what sets the number of threads."""

import multiprocessing
import os
import subprocess
import sys

import numpy as np
import pytest

import bridle as br
from bridle import _core

from ..cases import DTYPES, ELEMENTWISE, PENALTIES, THREADED_SIZES, values
from .at_once import run_in_threads

SIZE = THREADED_SIZES[1]
FORK_TIMEOUT = 60  # seconds, after which a hanging child is taken for hung


def work(x):
    """Call everything once on an array that is not changed."""
    results = [getattr(br, row.name)(x, **row.sample_params) for row in ELEMENTWISE.values()]
    results += [getattr(br, row.name)(x, **row.sample_params) for row in PENALTIES.values()]
    return [*results, br.dropout(x, 0.3, seed=1), br.dropout_mask(x.size, 0.3, seed=1)]


def test_calls_from_several_threads_do_not_disturb_each_other(assert_same_bits, threads):
    inputs = [values(dtype, SIZE, finite=True) for dtype in DTYPES.values()]
    expected = [work(x) for x in inputs]

    def check(x, wanted):
        for _ in range(3):
            for one, other in zip(work(x), wanted, strict=True):
                assert_same_bits(one, other)

    pairs = list(zip(inputs, expected, strict=True))
    run_in_threads([lambda p=p: check(*p) for p in pairs + pairs])


def test_calls_in_place_from_several_threads_do_not_disturb_each_other(assert_same_bits):
    x = values(DTYPES["float32"], 4 * SIZE)
    expected = br.soft_threshold(br.decay(x, 0.1), 0.3)

    def shrink(part):
        br.decay(part, 0.1, out=part)
        br.soft_threshold(part, 0.3, out=part)

    run_in_threads([lambda part=part: shrink(part) for part in np.split(x, 4)])
    assert_same_bits(x, expected)


def test_the_number_of_threads_may_change_during_calls(assert_same_bits, set_threads):
    x = values(DTYPES["float32"], SIZE, finite=True)
    expected = work(x)

    def change():
        for k in range(200):
            set_threads(1 + k % 5)

    def check():
        for _ in range(5):
            for one, other in zip(work(x), expected, strict=True):
                assert_same_bits(one, other)

    run_in_threads([change, check, check])


def report(x, queue):
    queue.put([np.asarray(result).tobytes() for result in work(x)])


@pytest.mark.skipif(sys.platform == "win32", reason="there is no fork")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_a_forked_child_computes_the_same_and_does_not_hang(set_threads):
    set_threads(3)
    x = values(DTYPES["float32"], SIZE, finite=True)
    expected = [np.asarray(result).tobytes() for result in work(x)]
    context = multiprocessing.get_context("fork")
    queue = context.Queue()
    child = context.Process(target=report, args=(x, queue), daemon=True)
    child.start()
    try:
        assert queue.get(timeout=FORK_TIMEOUT) == expected
        child.join(FORK_TIMEOUT)
        assert child.exitcode == 0
    finally:
        child.kill()
        child.join()
    assert [np.asarray(result).tobytes() for result in work(x)] == expected  # nor does the parent


def test_the_number_of_threads_is_what_was_set(set_threads):
    for n in (1, 2, np.int64(7), 65535):
        set_threads(n)
        assert br.get_num_threads() == n
        assert br.show_config("dicts")["threads"] == n


@pytest.mark.parametrize("n", [0, -1, 65536, 2**40])
def test_a_number_of_threads_out_of_range_is_an_error(n, set_threads):
    set_threads(2)
    with pytest.raises(ValueError, match=f"^set_num_threads: n must be .*, got {n}$"):
        br.set_num_threads(n)
    assert br.get_num_threads() == 2


@pytest.mark.parametrize("n", [2.0, "2", None, [2]], ids=repr)
def test_a_number_of_threads_that_is_no_integer_is_a_type_error(n):
    with pytest.raises(TypeError):
        br.set_num_threads(n)


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({"OMP_NUM_THREADS": "3"}, 3),
        ({"BRIDLE_NUM_THREADS": "2"}, 2),
        ({"BRIDLE_NUM_THREADS": "5", "OMP_NUM_THREADS": "3"}, 5),
        ({"OMP_NUM_THREADS": "3,2"}, 3),
    ],
    ids=str,
)
def test_our_variable_wins_over_that_of_openmp(run_python, variables, expected):
    result = run_python("import bridle; print(bridle.get_num_threads())", **variables)
    assert result.stdout.strip() == str(expected), result.stderr
    assert not result.stderr


NO_NUMBERS = ["auto", "0", "-3", "", "1e1", "2.0", " 2", "65536", "1" + "0" * 30]


@pytest.mark.parametrize("text", NO_NUMBERS, ids=repr)
def test_a_number_of_threads_that_is_none_is_named_and_the_next_rule_applies(run_python, text):
    program = "import bridle; print(bridle.get_num_threads())"
    result = run_python(program, BRIDLE_NUM_THREADS=text, OMP_NUM_THREADS="3")
    assert result.stdout.strip() == "3", result.stderr
    message = "BRIDLE_NUM_THREADS must be a whole number between 1 and 65535, "
    message += f"got {text!r}, which is ignored"
    assert result.stderr.splitlines() == [f"<string>:1: RuntimeWarning: {message}"]


@pytest.mark.parametrize("path", ["", "/lib/libgomp.so.1"])
def test_the_configuration_names_the_openmp_runtime_or_says_that_there_is_none(
    path, monkeypatch, capsys
):
    monkeypatch.setattr(_core, "openmp_runtime", lambda: path)
    br.show_config()
    lines = dict(line.split(":", 1) for line in capsys.readouterr().out.splitlines())
    assert lines["openmp runtime"].strip() == (path or "none")


by_the_runtime = pytest.mark.skipif(
    not _core.openmp_runtime(), reason="built without OpenMP, whose runtime would be limited"
)


@by_the_runtime
def test_the_limits_of_threadpoolctl_are_respected_until_a_number_is_set(run_python):
    program = """
import bridle, threadpoolctl
before = bridle.get_num_threads()
with threadpoolctl.threadpool_limits(1):
    print(bridle.get_num_threads())
print(bridle.get_num_threads() == before)
bridle.set_num_threads(3)
with threadpoolctl.threadpool_limits(1):
    print(bridle.get_num_threads())
"""
    result = run_python(program, OMP_NUM_THREADS="4")
    assert result.stdout.split() == ["1", "True", "3"], result.stderr


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="there are no affinity masks")
@pytest.mark.parametrize(
    "variables",
    [
        pytest.param({"OMP_THREAD_LIMIT": "1"}, marks=by_the_runtime),
        {"OMP_DYNAMIC": "true"},
        pytest.param({"OMP_MAX_ACTIVE_LEVELS": "0"}, marks=by_the_runtime),
        {"OMP_PROC_BIND": "true", "OMP_NUM_THREADS": "3"},
        {"OMP_PLACES": "cores", "OMP_NUM_THREADS": "3"},
        {"OMP_STACKSIZE": "64k", "BRIDLE_NUM_THREADS": "3"},
        {"OMP_WAIT_POLICY": "active", "BRIDLE_NUM_THREADS": "3"},
    ],
    ids=str,
)
def test_the_processors_of_the_caller_stay_as_they_are(run_python, variables):
    program = """
import os, time
import numpy as np
import bridle as br
x = np.ones(4_000_000, np.float32)
before = os.sched_getaffinity(0)
for _ in range(5):
    time.sleep(0.01)  # the workers fall asleep
    for _ in range(3):
        br.decay(x, 0.0, out=x)
        assert os.sched_getaffinity(0) == before
assert (x == 1).all()
print(br.get_num_threads())
"""
    result = run_python(program, **variables)
    assert result.returncode == 0, result.stderr
    limited = {"OMP_THREAD_LIMIT", "OMP_MAX_ACTIVE_LEVELS"} & variables.keys()
    if limited:
        assert result.stdout.strip() == "1"


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="there are no affinity masks")
def test_the_default_is_the_number_of_processors_that_the_thread_may_use(run_python):
    program = """
import os
import bridle
allowed = os.sched_getaffinity(0)
print(bridle.get_num_threads() <= len(allowed))
os.sched_setaffinity(0, {min(allowed)})
print(bridle.get_num_threads())
"""
    result = run_python(program)
    assert result.stdout.split() == ["True", "1"], result.stderr


@pytest.mark.parametrize("method", ["fork", "forkserver", "spawn"])
@pytest.mark.skipif(sys.platform == "win32", reason="there is no fork")
def test_a_child_says_the_number_of_threads_that_it_uses(tmp_path, method):
    program = tmp_path / "child.py"
    program.write_text(
        """
import multiprocessing, os, sys, threading
import numpy as np
import bridle as br
from bridle import _core

def report(queue):
    _core.require_all_threads(True)
    br.soft_threshold(np.ones(1_000_000, np.float32), 0.5)
    queue.put((br.get_num_threads(), len(os.listdir("/proc/self/task"))))

if __name__ == "__main__":
    br.set_num_threads(3)
    os.environ["BRIDLE_NUM_THREADS"] = "3"
    br.soft_threshold(np.ones(1_000_000, np.float32), 0.5)
    context = multiprocessing.get_context(sys.argv[1])
    queue = context.SimpleQueue()
    child = context.Process(target=report, args=(queue,))
    child.start()
    print(*queue.get())
    child.join()
"""
    )
    result = subprocess.run(
        [sys.executable, "-W", "ignore", program, method],
        capture_output=True,
        text=True,
        timeout=FORK_TIMEOUT,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    number, running = map(int, result.stdout.split())
    assert number == 3
    assert running >= 3  # the caller and two workers


@by_the_runtime
def test_a_limit_of_threadpoolctl_holds_in_the_thread_that_set_it(run_python):
    program = """
import bridle, threading, threadpoolctl
show = lambda: print(bridle.get_num_threads())
def in_another_thread():
    thread = threading.Thread(target=show)
    thread.start()
    thread.join()
with threadpoolctl.threadpool_limits(1):
    show(), in_another_thread()
bridle.set_num_threads(3)
in_another_thread()
"""
    result = run_python(program, OMP_NUM_THREADS="4")
    assert result.stdout.split() == ["1", "4", "3"], result.stderr
