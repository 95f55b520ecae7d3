"""Every function works in a thread with a small stack; C++ tests measure what each kind takes."""

from pathlib import Path

import pytest

PROGRAM = """
import threading
import ml_dtypes
import numpy as np
import bridle as br
from bridle import _core

LAYOUTS = [lambda a: a, lambda a: a[:, :-3], lambda a: a[:, ::2], lambda a: a.T]
DTYPES = [np.float16, ml_dtypes.bfloat16, np.float32, np.float64]

def everything(dtype, layout):
    wide = np.float32 if np.dtype(dtype).itemsize == 2 else dtype
    a = lambda d=dtype: layout(np.ones((400, 400), d))
    x, rows = a(), np.arange(10)
    br.soft_threshold(x, 0.1)
    br.soft_threshold(x, 0.1, out=x)
    br.prox_elastic_net(x, 0.1, 0.1, np.ones(x.shape[1]))
    br.l1_penalty(x)
    br.elastic_net_penalty(x, 1, 1, axis=0)
    br.elastic_net_penalty(x, 1, 1, axis=1)
    br.dropout(x, 0.3, seed=1)
    br.dropout(x, 0.3, seed=1, out=x, noise_shape=(1, None))
    br.gaussian_dropout(x, 0.3, seed=1, out=x)
    br.alpha_dropout(x, 0.3, seed=1)
    br.dropout_mask(x.shape, 0.3, seed=1, packed=True)
    strengths = {"l1": 0.1, "l2": 0.1, "weight_decay": 0.1}
    br.adamw_update(a(), a(), a(wide), a(wide), 1e-3, 1, toward=a(), **strengths)
    if wide is not dtype:
        br.sgd_update(a(), a(), 1e-3, rounding="stochastic", seed=1, stream=2)
    br.accumulate(a(wide), a())
    br.average_update([a(wide)], [a()], 0.9)
    br.cast(a(), a(wide))
    br.cast({"w": a(wide)}, {"w": a()})
    br.clip_by_global_norm(a(), 1.0)
    if wide is not dtype:
        br.cast(a(np.float64), a(), rounding="stochastic", seed=1, stream=2)
    br.catch_up(a(), rows, 5, 0.1, l1=0.1)
    br.catch_up(a(), rows, 5, 0.1, weight_decay=0.1, toward=a())
    stopping = br.EarlyStopping(2, mode="min", restore_best_weights=True)
    stopping.update(1.0, np.ones(1000, dtype))

def run():
    for dtype in DTYPES:
        for layout in LAYOUTS:
            everything(dtype, layout)
    print("done")
"""

# Whatever takes arrays, with what NumPy, LAPACK and files have in it.
EVERY_CALL = """
import threading
import bridle as br
from bridle import _core
from tests.memmap_calls import CALLS

def run():
    for name, call in CALLS.items():
        print(name, file=sys.stderr, flush=True)  # the last one is what failed
        call.run(call.arrays(1500))  # worth two threads
    print("done")
"""

# With glibc on aarch64 a thread has at least 128 KiB.
IN_A_THREAD = """
import os
least = os.sysconf("SC_THREAD_STACK_MIN") if hasattr(os, "sysconf") else 0
_core.require_all_threads(True)
br.set_num_threads(2)
threading.stack_size(max({kib} * 1024, least))
thread = threading.Thread(target=run)
thread.start()
thread.join()
"""

STACKS = [{}, {"OMP_STACKSIZE": "64k"}]


@pytest.mark.parametrize("variables", STACKS, ids=str)
def test_every_function_works_with_a_stack_of_64_kib(run_python, variables):
    result = run_python(PROGRAM + IN_A_THREAD.format(kib=64), **variables)
    assert result.stdout == "done\n", result.stderr


@pytest.mark.parametrize("variables", STACKS, ids=str)
def test_every_call_with_arrays_works_with_a_stack_of_128_kib(run_python, variables):
    root = str(Path(__file__).parents[2])
    start = f"import sys\nsys.path.insert(0, {root!r})\n"
    result = run_python(start + EVERY_CALL + IN_A_THREAD.format(kib=128), **variables)
    assert result.stdout == "done\n", result.stderr
