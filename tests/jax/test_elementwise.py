"""Elementwise operators in JAX: NumPy's bits, broadcasting, vmap, checks, memory."""

import numpy as np
import pytest

jax = pytest.importorskip("jax")

import jax.numpy as jnp  # noqa: E402

import bridle as br  # noqa: E402
import bridle.jax as bj  # noqa: E402
from bridle.jax import _elementwise  # noqa: E402

PARAMETERS = {"soft_threshold": (0.3,), "prox_elastic_net": (0.4, 0.7, 0.6), "decay": (0.1,)}
TYPES = ["float16", "bfloat16", "float32", "float64"]
SHAPES = [(), (3, 0), (7, 33), (2, 1, 70_000)]
SPECIAL = [np.nan, np.inf, -np.inf, -0.0, 0.3, -0.3, 1e-40, -1e-310, 6e-8]

names = pytest.mark.parametrize("name", PARAMETERS)


def numbers(shape, dtype="float32", seed=0):
    drawn = np.random.default_rng(seed).standard_normal(shape)
    drawn.reshape(-1)[: len(SPECIAL)] = SPECIAL[: drawn.size]
    return drawn.astype(dtype)


def assert_bits(actual, expected):
    assert isinstance(actual, jax.Array)
    assert actual.shape == expected.shape
    assert actual.dtype == expected.dtype
    assert np.asarray(actual).tobytes() == np.asarray(expected).tobytes()


@names
@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_bits_are_those_of_numpy(name, dtype, shape, array_of):
    x = numbers(shape, dtype)
    expected = np.asarray(getattr(br, name)(x, *PARAMETERS[name]))
    function, given = getattr(bj, name), array_of(x)
    assert_bits(function(given, *PARAMETERS[name]), expected)
    assert_bits(jax.jit(lambda x: function(x, *PARAMETERS[name]))(given), expected)


@names
def test_parameters_may_be_traced_and_never_change_the_type(name, array_of):
    x = numbers((7, 33), "bfloat16")
    given = [np.float32(p) for p in PARAMETERS[name]]
    traced = jax.jit(getattr(bj, name))(array_of(x), *given)
    assert_bits(traced, getattr(br, name)(x, *map(float, given)))


@pytest.mark.parametrize(
    "shape", [(), (5,), (4, 5), (4, 1), (3, 1, 1), (3, 1, 5), (1, 4, 1), (2, 3, 4, 5)], ids=str
)
def test_parameters_are_broadcast_as_in_numpy(shape):
    x = numbers((3, 4, 5))
    threshold = np.random.default_rng(1).random(shape).astype(np.float32)
    assert_bits(bj.soft_threshold(x, threshold), br.soft_threshold(x, threshold))
    traced = jax.jit(lambda x, t: bj.prox_elastic_net(x, 0.5, t, 0.3))(x, threshold)
    assert_bits(traced, br.prox_elastic_net(x, 0.5, threshold, 0.3))


def test_parameters_lie_in_rows_and_elements_side_by_side():
    x = numbers((3, 4, 5))
    l1 = np.random.default_rng(1).random((3, 1, 1)).astype(np.float32)
    l2 = np.random.default_rng(2).random((3, 4, 5)).astype(np.float32)
    step = np.random.default_rng(3).random((3, 4, 1)).astype(np.float32)
    expected = br.prox_elastic_net(x, l1, l2, step)
    assert_bits(bj.prox_elastic_net(x, l1, l2, step), expected)


def test_integers_get_the_default_float_type():
    result = bj.soft_threshold(jnp.array([-3, 0, 2]), 1)
    assert_bits(result, np.array([-2, 0, 1], np.float32))
    assert_bits(bj.decay(3, 0.5), np.float32(1.5))


@pytest.mark.parametrize("axes", [(0, None), (None, 0), (0, 0), (1, 0), (2, None)], ids=str)
def test_vmap_is_the_function_of_each_example(axes):
    shapes = {None: (3, 5), 0: (4, 3, 5), 1: (3, 4, 5), 2: (3, 5, 4)}
    x = numbers(shapes[axes[0]])
    thresholds = np.linspace(0, 1, 4, dtype=np.float32) if axes[1] == 0 else np.float32(0.3)
    mapped = jax.vmap(bj.soft_threshold, axes)(x, thresholds)
    for i in range(4):
        one = x if axes[0] is None else np.take(x, i, axes[0])
        assert_bits(mapped[i], br.soft_threshold(one, thresholds.reshape(-1)[i * (axes[1] == 0)]))


def test_vmap_in_vmap_has_rows_of_rows():
    x = numbers((2, 4, 3, 5))
    l1 = np.random.default_rng(1).random((4, 3, 1)).astype(np.float32)
    step = np.linspace(0, 1, 2, dtype=np.float32)
    inner = jax.vmap(bj.prox_elastic_net, (0, 0, None, None))
    mapped = jax.vmap(inner, (0, None, None, 0))(x, l1, 0.25, step)
    for i in range(2):
        for j in range(4):
            assert_bits(mapped[i, j], br.prox_elastic_net(x[i, j], l1[j], 0.25, float(step[i])))


@names
def test_numbers_are_checked_before_anything_is_compiled(name):
    with pytest.raises(ValueError, match=f"^{name}: .* must be .*, got -0.5"):
        jax.jit(lambda x: getattr(bj, name)(x, -0.5, *PARAMETERS[name][1:]))(jnp.ones(3))


@names
@pytest.mark.parametrize("wrong", [-0.5, np.nan, -1e-40])
def test_what_is_traced_is_checked_when_the_program_runs(name, wrong, error_of):
    given = np.float32(wrong), *PARAMETERS[name][1:]
    with pytest.raises(ValueError, match=name) as told:
        getattr(br, name)(np.ones(3, np.float32), *map(np.float32, given))
    assert str(told.value) in error_of(lambda: jax.jit(getattr(bj, name))(jnp.ones(3), *given))


def test_one_wrong_number_of_many_is_found(error_of):
    thresholds = jnp.ones((4, 5)).at[3, 4].set(-2.0)
    said = error_of(lambda: bj.soft_threshold(jnp.ones((4, 5)), thresholds))
    assert "soft_threshold: threshold must be >= 0, got -2.0" in said
    said = error_of(lambda: jax.vmap(bj.soft_threshold)(jnp.ones((2, 3)), jnp.array([0.0, -2.0])))
    assert "soft_threshold: threshold must be >= 0, got -2.0" in said


@pytest.mark.parametrize(
    ("x", "threshold", "words"),
    [
        ([1.0], 1.0, "the array must be one of JAX or NumPy, got"),
        (np.ma.masked_array([1.0]), 1.0, "the array must be one of JAX or NumPy, got"),
        (np.ones(2, np.complex64), 1.0, "the array must be of type .* got complex64"),
        (np.ones(2, np.float32), "a", "threshold must be a real number or an array of them"),
        (np.ones(2, np.float32), jnp.ones(2, jnp.complex64), "threshold must be .* got complex64"),
        (np.ones(2, np.float32), jax.random.key(0), "threshold must be .* got key"),
    ],
)
def test_what_is_no_array_of_real_numbers_is_refused(x, threshold, words):
    with pytest.raises(TypeError, match=f"^soft_threshold: {words}"):
        bj.soft_threshold(x, threshold)


@names
def test_donated_memory_is_that_of_the_result(name):
    function = jax.jit(lambda x: getattr(bj, name)(x, *PARAMETERS[name]), donate_argnums=0)
    x = jnp.asarray(numbers(100_000)).copy()
    expected = getattr(br, name)(np.asarray(x), *PARAMETERS[name])
    compiled = function.lower(x).compile()
    assert "copy(" not in compiled.as_text()
    assert compiled.memory_analysis().temp_size_in_bytes == 0
    place = x.unsafe_buffer_pointer()
    result = function(x)
    assert result.unsafe_buffer_pointer() == place
    assert x.is_deleted()
    assert_bits(result, expected)


def test_what_is_not_donated_stays_as_it_is():
    x = jnp.ones(100_000)
    for function in (bj.soft_threshold, jax.jit(bj.soft_threshold)):
        assert_bits(function(x, 0.5), np.full(100_000, 0.5, np.float32))
        assert_bits(x, np.ones(100_000, np.float32))


def test_other_values_are_not_compiled_anew():
    x, size = jnp.ones(3), _elementwise._compiled._cache_size
    bj.soft_threshold(x, 0.5)
    before = size()
    for threshold in (0.25, 1, np.float64(0.125)):
        bj.soft_threshold(x, threshold)
    assert size() == before


CALLS = {
    "soft_threshold": lambda x: bj.soft_threshold(x, 0.3),
    "prox_elastic_net": lambda x: bj.prox_elastic_net(x, 0.3, 0.4),
    "decay": lambda x: bj.decay(x, 0.3),
    "l1_penalty": bj.l1_penalty,
    "l2_penalty": bj.l2_penalty,
    "dropout": lambda x: bj.dropout(x, 0.5, seed=1),
}


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("platforms", [("cuda",), ("cpu", "tpu")], ids=str)
def test_there_is_nothing_but_the_cpu(name, platforms):
    with pytest.raises(NotImplementedError, match=f"^{name}: JAX must compile it for the CPU"):
        jax.jit(CALLS[name]).trace(jnp.ones(3)).lower(lowering_platforms=platforms)


def test_threads_are_those_of_bridle(set_threads):
    x = numbers(300_000)
    expected = br.soft_threshold(x, 0.3)
    for threads in (1, 2, 3):
        set_threads(threads)
        assert_bits(jax.jit(bj.soft_threshold)(x, 0.3), expected)
        assert br.get_num_threads() == threads
