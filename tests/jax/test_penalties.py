"""Penalties in JAX: the sums of NumPy's functions, rounded once."""

import numpy as np
import pytest

jax = pytest.importorskip("jax")

import jax.numpy as jnp  # noqa: E402

import bridle as br  # noqa: E402
import bridle.jax as bj  # noqa: E402

names = pytest.mark.parametrize("name", ["l1_penalty", "l2_penalty"])


def weights(shape, dtype="float32"):
    return np.random.default_rng(0).standard_normal(shape).astype(dtype)


def assert_sums(actual, expected, dtype=np.float32):
    assert actual.dtype == dtype
    assert actual.shape == np.shape(expected)
    assert np.asarray(actual).tobytes() == np.asarray(expected, dtype).tobytes()


@names
@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
@pytest.mark.parametrize("shape", [(), (0,), (2, 0), (5,), (7, 33), (70_000,)], ids=str)
def test_sums_are_those_of_numpy_rounded_once(name, dtype, shape, array_of):
    w, function = weights(shape, dtype), getattr(bj, name)
    given = array_of(w)
    expected = getattr(br, name)(w, 0.1)
    result = np.float64 if dtype == "float64" else np.float32
    assert_sums(function(given, 0.1), expected, result)
    assert_sums(jax.jit(lambda w: function(w, 0.1))(given), expected, result)


@names
def test_small_results_are_not_flushed_to_zero_as_xla_does(name):
    w = np.full(3, {"l1_penalty": 1e-40, "l2_penalty": 1e-20}[name], np.float32)
    expected = getattr(br, name)(w)
    assert 0 < expected < np.finfo(np.float32).smallest_normal
    assert_sums(jax.jit(getattr(bj, name))(w), expected)


@names
def test_a_traced_strength_is_the_number_that_it_is(name):
    w = weights((7, 33))
    expected = getattr(br, name)(w, float(np.float32(0.1)))
    assert_sums(jax.jit(getattr(bj, name))(w, np.float32(0.1)), expected)


@names
@pytest.mark.parametrize("axis", [0, 1, -1, (0, 2), (2, 0), (), None], ids=str)
@pytest.mark.parametrize("keepdims", [False, True])
def test_axes_are_those_of_numpy(name, axis, keepdims):
    w = weights((5, 4, 7))
    expected = getattr(br, name)(w, 0.3, axis=axis, keepdims=keepdims)
    assert_sums(getattr(bj, name)(w, 0.3, axis=axis, keepdims=keepdims), expected)


@names
def test_vmap_is_the_function_of_each_example(name):
    w, strengths = weights((2, 3, 40)), np.linspace(0, 1, 3, dtype=np.float32)
    function, plain = getattr(bj, name), getattr(br, name)
    mapped = jax.vmap(jax.vmap(function, (0, None)), (1, 0), 1)(w, strengths)
    expected = [[plain(w[i, j], float(strengths[j])) for j in range(3)] for i in range(2)]
    assert_sums(mapped, expected)


@names
@pytest.mark.parametrize("wrong", [-0.5, np.nan])
def test_strengths_are_checked(name, wrong, error_of):
    words = f"{name}: strength must be >= 0, got {wrong}"
    with pytest.raises(ValueError, match=words):
        getattr(bj, name)(jnp.ones(3), wrong)
    assert words in error_of(lambda: jax.jit(getattr(bj, name))(jnp.ones(3), wrong))


def test_a_strength_is_one_number():
    with pytest.raises(ValueError, match=r"^l1_penalty: strength must be one number, got shape"):
        bj.l1_penalty(jnp.ones(3), jnp.ones(3))
    with pytest.raises(TypeError, match=r"^l1_penalty: strength must be a real number"):
        bj.l1_penalty(jnp.ones(3), jnp.array(1j))
