"""The same bits whatever the processor offers to the mathematical libraries beneath.

glibc and NumPy have a form of pow, exp or log for each kind of processor, and these differ in the
last bit. So none of them may be on the way to a result.
"""

import json

import numpy as np
import pytest

import bridle as br

PROGRAM = """
import hashlib, json
import ml_dtypes
import numpy as np
import bridle as br

def numbers(*shape, seed=1):
    count = int(np.prod(shape))
    positions = np.arange(1, count + 1, dtype=np.uint64)
    scrambled = positions * np.uint64(2654435761 * seed) >> np.uint64(7)
    return ((scrambled % np.uint64(4001)).astype(np.float64) - 2000.0).reshape(shape) / 1024

def state(count, dtype):
    return [np.abs(numbers(3, 40, seed=5 + s)).astype(dtype) for s in range(count)]

def update(name, states, dtype, **keywords):
    w, g = numbers(3, 40).astype(dtype), numbers(3, 40, seed=2).astype(dtype)
    arrays = dict(zip(states, state(len(states), dtype)))
    strengths = {"l1": 0.1, "l2": 0.2}
    summary = getattr(br, name)(w, g, lr=0.05, **arrays, **strengths, **keywords)
    return [w, *arrays.values(), np.float64(summary.penalty)]

def catch_up(dtype, **keywords):
    w, rows = numbers(30, 8).astype(dtype), np.arange(30)
    for step in (0.05, 1e-4, 1e-11):
        br.catch_up(w, rows, 3 + rows**5, step, **keywords)
    return [w]

# Some of these powers, and some of those in alpha dropout, are known to differ in glibc 2.36.
STEPS = [(40, 0.932), (56, 0.962), (99, 0.986), (241, 0.991), (369, 0.993), (402, 0.993)]
STEPS += [(172, 0.996), (267, 0.997), (1, 0.9), (2, 0.95), (12345, 0.9999), (10**15, 0.9)]
results = {}
for dtype in ("float32", "float64"):
    moments = ["first_moment", "second_moment"]
    for t, beta in STEPS:
        for betas in ((beta, 0.999), (0.9, beta)):
            key = f"adamw {t} {betas} {dtype}"
            results[key] = update("adamw_update", moments, dtype, iteration=t, betas=betas)
    buffer = ["momentum_buffer"]
    results[f"sgd {dtype}"] = update("sgd_update", buffer, dtype, momentum=0.9)
    results[f"lion {dtype}"] = update("lion_update", buffer, dtype)
    results[f"adagrad {dtype}"] = update("adagrad_update", ["accumulator"], dtype)
    averages = ["square_average", "momentum_buffer", "gradient_average"]
    results[f"rmsprop {dtype}"] = update("rmsprop_update", averages, dtype, momentum=0.9)
    results[f"ftrl {dtype}"] = update("ftrl_update", ["linear", "accumulator"], dtype)
for dtype in ("float16", ml_dtypes.bfloat16, "float32", "float64"):
    toward = numbers(30, 8, seed=3).astype(dtype)
    for strengths in ({"l1": 0.1}, {"l2": 0.7}, {"l1": 1e-3, "l2": 0.2, "weight_decay": 0.3}):
        results[f"catch_up {dtype} {strengths}"] = catch_up(dtype, **strengths)
        key = f"catch_up toward {dtype} {strengths}"
        results[key] = catch_up(dtype, toward=toward, **strengths)
    x = numbers(3000).astype(dtype)
    results[f"penalties {dtype}"] = [
        br.l1_penalty(x, 0.3), br.l2_penalty(x, 0.3), br.elastic_net_penalty(x, 0.3, 0.7)
    ]
    results[f"elementwise {dtype}"] = [
        br.soft_threshold(x, 0.3), br.prox_l2(x, 0.3, 0.1), br.prox_elastic_net(x, 0.3, 0.7, 0.1),
        br.decay(x, 0.1), br.elastic_net_gradient(x, 0.3, 0.7)
    ]
    for p in (0.009205, 0.009345, 0.0094, 0.03094, 0.1, 1 / 3, 0.7, 0.999):
        key = {"p": p, "seed": 7, "stream": 3}
        results[f"dropout {dtype} {p}"] = [
            br.dropout(x, **key), br.dropout(x, inverted=False, **key), br.dropout_inference(x, p),
            br.alpha_dropout(x.astype("f8"), **key), br.alpha_dropout(x, **key),
            br.gaussian_dropout(x, **key), br.gaussian_noise(x, p, seed=7),
        ]
print(json.dumps({
    key: hashlib.sha256(b"".join(np.asarray(a).tobytes() for a in arrays)).hexdigest()
    for key, arrays in results.items()
}))
"""

WITHOUT_FMA = ",".join(f"-{name}{end}" for name in ("FMA", "AVX2") for end in ("", "_Usable"))


def without_numpy_features():
    """Return the names of all that NumPy would use here beyond its baseline."""
    umath = np._core._multiarray_umath
    found = umath.__cpu_features__
    return " ".join(name for name in umath.__cpu_dispatch__ if found.get(name))


@pytest.mark.parametrize(
    "environment",
    [
        {"GLIBC_TUNABLES": f"glibc.cpu.hwcaps={WITHOUT_FMA}"},
        {"NPY_DISABLE_CPU_FEATURES": without_numpy_features()},
    ],
    ids=["glibc without FMA", "NumPy's baseline"],
)
def test_a_lesser_processor_gives_the_same_bits(environment, run_python):
    results = []
    for variables in ({}, environment):
        done = run_python(PROGRAM, **variables)
        assert done.returncode == 0, done.stderr
        results.append(json.loads(done.stdout))
    here, there = results
    assert len(here) > 100
    differing = [key for key, digest in here.items() if there[key] != digest]
    assert not differing


def test_a_thread_that_flushes_subnormals_changes_no_bit(assert_same_bits):
    torch = pytest.importorskip("torch")
    numbers = np.linspace(-9e-309, 9e-309, 60).reshape(4, 15)
    toward = np.full_like(numbers, 7e-309)
    results = []
    for flush in (False, True):
        arrays = [numbers.copy() for _ in range(4)]
        if flush and not torch.set_flush_denormal(True):
            pytest.skip("this processor has no such mode")
        try:
            br.catch_up(arrays[0], [0, 2], 3, 1e-300, l1=1e-9)
            br.catch_up(arrays[1], [0, 2], 3, 1.0, l1=1e-310, weight_decay=0.25, toward=toward)
            br.proximal_step(arrays[2], 1.0, l1=1e-309)
            br.sgd_update(arrays[3], toward, 0.25, l1=1e-309)
        finally:
            torch.set_flush_denormal(False)
        results.append(arrays)
    for actual, expected in zip(results[1], results[0], strict=True):
        assert_same_bits(actual, expected)
