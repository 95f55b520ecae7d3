"""The compiled step gives what NumPy and bridle give, also from several threads at a time."""

from concurrent.futures import ThreadPoolExecutor

import bridle_kernel
import numpy as np

import bridle as br


def main():
    """Compare, and see a bad strength refused."""
    rate, strength = np.float32(0.5), np.float32(0.25)  # exact, whatever the compiler contracts
    random = np.random.default_rng(0)
    arrays = random.normal(size=(8, 100_000)).astype(np.float32)
    gradient = random.normal(size=100_000).astype(np.float32)
    expected = br.soft_threshold(arrays - rate * gradient, rate * strength)
    with ThreadPoolExecutor(4) as pool:
        step = bridle_kernel.proximal_step
        penalties = list(pool.map(lambda w: step(w, gradient, rate, strength), arrays))
    np.testing.assert_array_equal(arrays, expected)
    np.testing.assert_array_equal(penalties, br.l1_penalty(expected, strength, axis=1))
    try:
        bridle_kernel.proximal_step(arrays[0], gradient, rate, -1.0)
    except ValueError as error:
        print(error)
    else:
        raise AssertionError("a negative strength was accepted")
    print(f"zeros: {np.mean(arrays == 0):.1%}")


if __name__ == "__main__":
    main()
