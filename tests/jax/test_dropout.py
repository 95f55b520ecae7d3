"""Dropout in JAX: the masks of NumPy's function, everywhere and in every transformation."""

import numpy as np
import pytest

jax = pytest.importorskip("jax")

import jax.numpy as jnp  # noqa: E402

import bridle as br  # noqa: E402
import bridle.jax as bj  # noqa: E402

X = np.random.default_rng(0).standard_normal((6, 50)).astype(np.float32)
MOST = 2**64 - 1


def assert_bits(actual, expected):
    assert actual.dtype == expected.dtype
    assert actual.shape == expected.shape
    assert np.asarray(actual).tobytes() == np.asarray(expected).tobytes()


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
@pytest.mark.parametrize("shape", [(), (3, 0, 2), (6, 50), (300, 700)], ids=str)
def test_bits_are_those_of_numpy(dtype, shape, array_of):
    x = np.random.default_rng(0).standard_normal(shape).astype(dtype)
    given = array_of(x)
    for p in (0.0, 0.1, 1.0):
        expected = np.asarray(br.dropout(x, p, seed=3, stream=5))
        assert_bits(bj.dropout(given, p, seed=3, stream=5), expected)
    assert_bits(jax.jit(lambda x: bj.dropout(x, p, seed=3, stream=5))(given), expected)


@pytest.mark.parametrize(
    "keywords",
    [
        {"seed": MOST, "stream": MOST},
        {"seed": 1, "offset": 2**64 - 1 - X.size},
        {"seed": 1, "inverted": False},
        {"seed": 1, "noise_shape": (None, 1)},
        {"seed": 1, "noise_shape": (50,), "stream": 4},
        {"seed": 1, "block": ((12, 100), (3, 50)), "offset": 7},
        {"seed": 1, "block": ((2**40, 2**23), (2**40 - 6, 2**23 - 50))},
    ],
    ids=str,
)
def test_keywords_are_those_of_numpy(keywords):
    expected = br.dropout(X, 0.3, **keywords)
    assert_bits(bj.dropout(X, 0.3, **keywords), expected)
    assert_bits(jax.jit(lambda x: bj.dropout(x, 0.3, **keywords))(X), expected)


@pytest.mark.parametrize("kind", ["int8", "uint16", "int32", "uint32", "int64", "uint64"])
def test_numbers_may_be_traced(kind, set_x64):
    set_x64(True)
    function = jax.jit(lambda x, *n: bj.dropout(x, 0.3, seed=n[0], stream=n[1], offset=n[2]))
    expected = br.dropout(X, 0.3, seed=3, stream=5, offset=7)
    assert_bits(function(X, *np.array([3, 5, 7], kind)), expected)
    most = np.iinfo(kind).max
    expected = br.dropout(X, 0.3, seed=int(most), stream=int(most))
    assert_bits(function(X, *np.array([most, most, 0], kind)), expected)


def test_a_traced_probability_is_the_number_that_it_is():
    p = np.float32(0.1)
    expected = br.dropout(X, float(p), seed=1)
    assert_bits(jax.jit(lambda x, p: bj.dropout(x, p, seed=1))(X, p), expected)
    half = jnp.bfloat16(0.1)
    assert_bits(bj.dropout(X, half, seed=1), br.dropout(X, float(half), seed=1))


def test_vmap_is_the_function_of_each_example():
    streams, rates = np.arange(6), np.linspace(0, 1, 6, dtype=np.float32)
    same = jax.vmap(lambda x: bj.dropout(x, 0.3, seed=1, offset=9))(X)
    own = jax.vmap(lambda x, s: bj.dropout(x, 0.3, seed=1, stream=s))(X, streams)
    of_one = jax.vmap(lambda s: bj.dropout(X[0], 0.3, seed=1, stream=s))(streams)
    rated = jax.vmap(lambda x, p: bj.dropout(x, p, seed=1), (1, 0), 1)(X.T, rates)
    for i in range(6):
        assert_bits(same[i], br.dropout(X[i], 0.3, seed=1, offset=9))
        assert_bits(own[i], br.dropout(X[i], 0.3, seed=1, stream=i))
        assert_bits(of_one[i], br.dropout(X[0], 0.3, seed=1, stream=i))
        assert_bits(rated[:, i], br.dropout(X[i], float(rates[i]), seed=1))


def test_vmap_in_vmap_has_rows_of_rows():
    x = X.reshape(2, 3, 5, 10)

    def inner(x, s):
        return bj.dropout(x, 0.3, seed=1, stream=s, noise_shape=(None, 1))

    mapped = jax.vmap(jax.vmap(inner, (0, 0)), (0, None))(x, np.arange(3))
    for i in range(2):
        for j in range(3):
            expected = br.dropout(x[i, j], 0.3, seed=1, stream=j, noise_shape=(None, 1))
            assert_bits(mapped[i, j], expected)


def test_the_mask_is_drawn_again_for_every_derivative():
    def function(x):
        return bj.dropout(x, 0.3, seed=1, stream=2)

    mask = br.dropout(np.ones_like(X), 0.3, seed=1, stream=2)
    ones = np.ones_like(X)
    assert_bits(jax.jvp(function, (X,), (ones,))[1], mask)
    assert_bits(jax.vjp(function, X)[1](ones)[0], mask)
    assert_bits(jax.linear_transpose(function, X)(ones)[0], mask)
    each = jax.vmap(jax.grad(lambda x: function(x).sum()))(X)
    assert_bits(each, np.stack([br.dropout(ones[0], 0.3, seed=1, stream=2)] * 6))
    second = jax.hessian(lambda x: (function(x) ** 2).sum() / 2)(X[0])
    factor = br.dropout(ones[0], 0.3, seed=1, stream=2)
    np.testing.assert_allclose(second, np.diag(factor**2))
    again = jax.grad(lambda x: (jax.checkpoint(function)(x) ** 2).sum() / 2)(X)
    np.testing.assert_allclose(again, mask**2 * X, 1e-6)


def test_nothing_is_stored_for_the_derivative():
    def loss(x):
        return bj.dropout(x, 0.3, seed=1).sum()

    jaxpr = str(jax.make_jaxpr(jax.grad(loss))(X))
    assert jaxpr.count("bridle_dropout") == 2
    assert "f32[6,50] = mul" not in jaxpr


def test_a_probability_has_no_derivative():
    with pytest.raises(TypeError, match=r"^dropout: p must not be differentiated"):
        jax.grad(lambda p: bj.dropout(X, p, seed=1).sum())(0.5)


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"p": 1.5}, ValueError),
        ({"p": "a"}, TypeError),
        ({"seed": -1}, ValueError),
        ({"stream": 2**64}, ValueError),
        ({"seed": 1.5}, TypeError),
        ({"offset": 2**64 - X.size}, ValueError),
        ({"noise_shape": (3, 1)}, ValueError),
        ({"block": ((2, 2), (0, 0))}, ValueError),
    ],
    ids=str,
)
def test_arguments_are_checked_as_in_numpy(arguments, error):
    given = {"p": 0.5, "seed": 1} | arguments
    with pytest.raises(error) as told:
        br.dropout(X, **given)
    with pytest.raises(error) as ours:
        bj.dropout(X, **given)
    assert ours.value.args[0].startswith(told.value.args[0])


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"p": 1.5}, "p must be between 0 and 1, got 1.5"),
        ({"p": np.nan}, "p must be between 0 and 1, got nan"),
        ({"seed": -1}, f"seed must be >= 0 and < {2**64}, got -1"),
        ({"stream": -2}, f"stream must be >= 0 and < {2**64}, got -2"),
        ({"offset": np.uint64(2**64 - X.size)}, f"offset must be >= 0 and < {2**64 - X.size}, got"),
    ],
    ids=str,
)
def test_what_is_traced_is_checked_when_the_program_runs(arguments, words, error_of, set_x64):
    set_x64(True)
    given = {"p": 0.5, "seed": 1} | arguments
    said = error_of(lambda: jax.jit(lambda given: bj.dropout(X, **given))(given))
    assert f"dropout: {words}" in said


def test_keys_and_arrays_name_no_random_numbers():
    for wrong in (jax.random.key(0), jnp.float32(1), jnp.array(True)):
        with pytest.raises(TypeError, match=r"^dropout: seed must be an integer, got"):
            bj.dropout(X, 0.5, seed=wrong)
    with pytest.raises(ValueError, match=r"^dropout: stream must be one number, got shape"):
        bj.dropout(X, 0.5, seed=1, stream=jnp.arange(3))


def test_donated_memory_is_that_of_the_result():
    x = jnp.ones(100_000)
    place = x.unsafe_buffer_pointer()
    function = jax.jit(lambda x: bj.dropout(x, 0.5, seed=1), donate_argnums=0)
    assert "copy(" not in function.lower(x).compile().as_text()
    assert function(x).unsafe_buffer_pointer() == place
