"""Derivatives of the elementwise operators and penalties, in every mode."""

import numpy as np
import pytest

jax = pytest.importorskip("jax")

import jax.numpy as jnp  # noqa: E402

import bridle as br  # noqa: E402
import bridle.jax as bj  # noqa: E402

RNG = np.random.default_rng(0)
X = RNG.standard_normal((3, 4)).astype(np.float32)


def soft(x, t):
    return jnp.sign(x) * jnp.maximum(jnp.abs(x) - t, 0)


PLAIN = {
    "soft_threshold": soft,
    "prox_elastic_net": lambda x, l1, l2, step: soft(x, step * l1) / (1 + 2 * step * l2),
    "decay": lambda w, rate: w * (1 - rate),
    "l1_penalty": lambda w, strength: strength * jnp.sum(jnp.abs(w)),
    "l2_penalty": lambda w, strength: strength * jnp.sum(w * w),
}
PARAMETERS = {
    "soft_threshold": (0.3,),
    "prox_elastic_net": (0.4, 0.7, 0.6),
    "decay": (0.1,),
    "l1_penalty": (0.7,),
    "l2_penalty": (0.7,),
}
CASES = [
    pytest.param(name, argument, id=f"{name}-{argument}")
    for name, parameters in PARAMETERS.items()
    for argument in range(len(parameters) + 1)
]


@pytest.mark.parametrize(("name", "argument"), CASES)
def test_derivatives_are_those_of_the_formula(name, argument):
    given = [X, *map(np.float32, PARAMETERS[name])]
    ours, plain = getattr(bj, name), PLAIN[name]
    expected = jax.jacrev(plain, argument)(*given)
    for mode in (jax.jacfwd, jax.jacrev):
        np.testing.assert_allclose(mode(ours, argument)(*given), expected, 1e-5, 1e-6)


@pytest.mark.parametrize("name", PARAMETERS)
def test_derivatives_of_each_example_are_those_of_the_formula(name):
    given = [X, *map(np.float32, PARAMETERS[name])]
    every = tuple(range(len(given)))

    def slopes(function):
        slope = jax.grad(lambda *given: jnp.sum(function(*given) ** 2), every)
        return jax.vmap(slope, (0, *[None] * (len(given) - 1)))(*given)

    for a, b in zip(slopes(getattr(bj, name)), slopes(PLAIN[name]), strict=True):
        np.testing.assert_allclose(a, b, 1e-5, 1e-6)


@pytest.mark.parametrize("name", PARAMETERS)
def test_second_derivatives_are_those_of_the_formula(name):
    given = [X[0], *map(np.float32, PARAMETERS[name])]
    every = tuple(range(len(given)))

    def hessian(function):
        return jax.hessian(lambda *given: jnp.sum(function(*given) ** 2), every)(*given)

    found, expected = hessian(getattr(bj, name)), hessian(PLAIN[name])
    for a, b in zip(jax.tree.leaves(found), jax.tree.leaves(expected), strict=True):
        np.testing.assert_allclose(a, b, 1e-4, 1e-5)


def test_derivatives_by_parameters_of_rows_and_elements():
    t = RNG.random((3, 1)).astype(np.float32)
    l2 = RNG.random((3, 4)).astype(np.float32)

    def loss(prox):
        return lambda x, l1, l2: jnp.sum(prox(x, l1, l2, 0.5) ** 2)

    found = jax.grad(loss(bj.prox_elastic_net), (0, 1, 2))(X, t, l2)
    expected = jax.grad(loss(PLAIN["prox_elastic_net"]), (0, 1, 2))(X, t, l2)
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_allclose(a, b, 1e-5, 1e-6)


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_kinks_have_derivative_zero_and_what_is_off_has_none(dtype):
    x = jnp.array([-0.5, -0.25, 0.0, 0.5, 0.75], dtype)
    slope = jax.vmap(jax.grad(bj.soft_threshold), (0, None))
    assert slope(x, 0.5).tolist() == [0, 0, 0, 0, 1]
    assert slope(x, 0.0).tolist() == [1, 1, 1, 1, 1]
    ridge = jax.vmap(jax.grad(lambda x: bj.prox_elastic_net(x, 0.0, 0.5, 1.0)))
    assert ridge(x).tolist() == [0.5] * 5
    assert slope(x, 0.5).dtype == dtype


def test_infinite_parameters_of_no_penalty_leave_derivatives_finite():
    slope = jax.grad(lambda x: bj.prox_elastic_net(x, 0.0, 0.0, np.inf))
    assert slope(2.0) == 1.0
    assert jax.grad(lambda x: bj.soft_threshold(x, np.inf))(2.0) == 0.0


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
@pytest.mark.parametrize("name", ["l1_penalty", "l2_penalty"])
def test_the_gradient_of_a_penalty_has_the_bits_of_numpy(name, dtype, array_of):
    w = np.array([-3.0, -0.0, 0.0, 0.3, 1e3], dtype)
    strengths = {"l1_penalty": (0.1, 0.0), "l2_penalty": (0.0, 0.1)}
    gradient = jax.grad(getattr(bj, name))(array_of(w), 0.1)
    expected = br.elastic_net_gradient(w, *strengths[name])
    assert gradient.dtype == dtype
    np.testing.assert_array_equal(np.asarray(gradient), expected)
