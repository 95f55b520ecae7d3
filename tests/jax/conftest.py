"""What the tests of JAX share."""

import numpy as np
import pytest

jax = pytest.importorskip("jax")


@pytest.fixture
def set_x64():
    """Allow or forbid 64 bits until the end of the test."""
    before = jax.config.jax_enable_x64
    yield lambda allowed: jax.config.update("jax_enable_x64", allowed)
    jax.config.update("jax_enable_x64", before)


@pytest.fixture
def array_of(set_x64):
    """Make JAX's array of one of NumPy, with float64 allowed where that is its type."""

    def make(array):
        set_x64(array.dtype == np.float64)
        return jax.numpy.asarray(array)

    return make


@pytest.fixture
def error_of():
    """Run something, and return the words with which XLA refused it."""

    def run(call):
        with pytest.raises(jax.errors.JaxRuntimeError) as refused:
            jax.block_until_ready(call())
        return str(refused.value)

    return run
