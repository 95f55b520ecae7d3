"""A training step in Numba that calls bridle's C functions, without the GIL.

The address of a function comes from `bridle.c_api_address`; ctypes gives it a type that Numba can
call. Run it: ``python numba_kernel.py`` (needs numba).
"""

import ctypes
from concurrent.futures import ThreadPoolExecutor

import numba
import numpy as np

import bridle as br


def elementwise_f32(name, parameters):
    """Return the float32 function of an elementwise operator, as Numba calls it."""
    types = [ctypes.c_void_p, *[ctypes.c_float] * parameters, ctypes.c_void_p, ctypes.c_int64]
    return ctypes.CFUNCTYPE(ctypes.c_int, *types)(br.c_api_address(name))


def slices_f32(name, parameters):
    """Return the float32 function of an operator of slices, as Numba calls it."""
    pointer, size = ctypes.c_void_p, ctypes.c_int64
    types = [pointer, size, size, size, *[ctypes.c_double] * parameters, pointer, pointer]
    return ctypes.CFUNCTYPE(ctypes.c_int, *types)(br.c_api_address(name))


decay = elementwise_f32("decay_f32", 1)
soft_threshold = elementwise_f32("soft_threshold_f32", 1)
group_soft_threshold = slices_f32("group_soft_threshold_f32", 1)


@numba.njit(nogil=True)
def train(w, target, rate, iterations):
    """Move w towards the target, in squared error, with weight decay and an L1 penalty."""
    address, size = w.ctypes.data, w.size
    for _ in range(iterations):
        for i in range(size):
            w[i] -= rate * (w[i] - target[i])
        if decay(address, rate * np.float32(0.01), address, size) != 0:
            return False
        if soft_threshold(address, rate * np.float32(0.5), address, size) != 0:
            return False
    return True


@numba.njit(nogil=True)
def train_units(w, target, rate, iterations):
    """Do the same with a penalty on the norm of each row: the group lasso."""
    address, (height, width) = w.ctypes.data, w.shape
    for _ in range(iterations):
        w -= rate * (w - target)
        if group_soft_threshold(address, height, width, 1, rate * 4.0, 0, address) != 0:
            return False
    return True


def main():
    """Train several arrays at a time, and do the same step by step in NumPy and bridle."""
    rate, iterations = np.float32(0.1), 100
    targets = [np.random.default_rng(seed).normal(size=10_000).astype("f4") for seed in range(4)]
    arrays = [np.zeros_like(target) for target in targets]
    with ThreadPoolExecutor() as pool:
        done = list(pool.map(lambda w, target: train(w, target, rate, iterations), arrays, targets))
    assert all(done)
    assert not train(arrays[0].copy(), targets[0], np.float32(np.nan), 1)  # NaN is refused
    for w, target in zip(arrays, targets, strict=True):
        expected = np.zeros_like(target)
        for _ in range(iterations):
            expected -= rate * (expected - target)
            br.decay(expected, rate * np.float32(0.01), out=expected)
            br.soft_threshold(expected, rate * np.float32(0.5), out=expected)
        np.testing.assert_allclose(w, expected, atol=1e-5)
        print(f"zeros: {np.mean(w == 0):.1%}")
    units = np.zeros((500, 20), np.float32)
    target = targets[0].reshape(units.shape)
    assert train_units(units, target, 0.1, iterations)
    expected = np.zeros_like(units)
    for _ in range(iterations):
        expected -= np.float32(0.1) * (expected - target)
        br.group_soft_threshold(expected, 0.4, out=expected)
    np.testing.assert_allclose(units, expected, atol=1e-5)
    print(f"rows that are zero: {np.mean(~units.any(axis=1)):.1%}")


if __name__ == "__main__":
    main()
