"""The proximal step of an optimizer of optax: exact zeros, schedules, trees."""

import sys

import numpy as np
import pytest

jax = pytest.importorskip("jax")
optax = pytest.importorskip("optax")

import jax.numpy as jnp  # noqa: E402

import bridle as br  # noqa: E402
import bridle.jax as bj  # noqa: E402

RNG = np.random.default_rng(0)
DATA = RNG.standard_normal((64, 20)).astype(np.float32)
TRUTH = np.zeros(20, np.float32)
TRUTH[:3] = 2, -1, 1
TARGET = DATA @ TRUTH


def loss(weights):
    return jnp.mean((DATA @ weights["kernel"] + weights["bias"] - TARGET) ** 2) / 2


def trained(optimizer, steps=200):
    weights = {"kernel": jnp.asarray(RNG.standard_normal(20), "float32"), "bias": jnp.ones(())}
    state = optimizer.init(weights)

    @jax.jit
    def step(weights, state):
        updates, state = optimizer.update(jax.grad(loss)(weights), state, weights)
        return optax.apply_updates(weights, updates), state

    for _ in range(steps):
        weights, state = step(weights, state)
    return weights, state


def test_training_ends_with_exact_zeros_where_the_optimum_has_them():
    rate = optax.exponential_decay(0.2, 50, 0.9)
    optimizer = optax.chain(
        optax.sgd(rate),
        optax.masked(
            bj.proximal(l1=0.1, l2=0.01, learning_rate=rate), {"kernel": True, "bias": False}
        ),
    )
    weights, _ = trained(optimizer)
    kernel = np.asarray(weights["kernel"])
    assert np.flatnonzero(kernel).tolist() == [0, 1, 2]
    assert not np.signbit(kernel[3:]).any()
    gradient = jax.grad(loss)(weights)
    np.testing.assert_allclose(gradient["bias"], 0, atol=1e-5)
    slope = gradient["kernel"] + 0.1 * np.sign(kernel) + 0.02 * kernel
    np.testing.assert_allclose(slope[:3], 0, atol=1e-4)


@pytest.mark.parametrize("dtype", ["bfloat16", "float32"])
def test_weights_are_those_of_the_operator(dtype):
    w = jnp.asarray(RNG.standard_normal(5000) * np.exp(RNG.standard_normal(5000) * 5), dtype)
    u = jnp.asarray(RNG.standard_normal(5000), dtype)
    transformation = bj.proximal(l1=0.5, l2=0.25, learning_rate=0.5)
    updates, _ = transformation.update(u, transformation.init(w), w)
    assert updates.dtype == dtype
    found = np.asarray(optax.apply_updates(w, updates))
    exact = np.asarray(br.prox_elastic_net(np.asarray(w + u), 0.5, 0.25, 0.5))
    old = np.asarray(w)
    assert (exact == 0).sum() > 100
    assert not found[exact == 0].view(f"u{found.itemsize}").any()
    near = np.abs(old.astype(float)) / 2 <= np.abs(exact.astype(float))
    near &= np.abs(exact.astype(float)) <= 2 * np.abs(old.astype(float))
    near &= np.sign(old) == np.sign(exact)
    assert near.sum() > 100
    np.testing.assert_array_equal(found[near], exact[near])
    unit = float(jnp.finfo(dtype).eps)
    moved = np.abs(old.astype(float)) + 2 * np.abs(exact.astype(float))
    assert (np.abs(found.astype(float) - exact.astype(float)) <= unit * moved).all()
    assert (np.sign(found) * np.sign(exact) >= 0).all()


def test_a_schedule_counts_updates_and_numbers_have_no_state():
    schedule = optax.linear_schedule(1.0, 0.0, 4)
    transformation = bj.proximal(l1=1.0, learning_rate=schedule)
    w, state = jnp.full(2, 10.0), transformation.init(None)
    for step in (1.0, 0.75, 0.5):
        updates, state = transformation.update(jnp.zeros(2), state, w)
        np.testing.assert_allclose(updates, -step)
    assert state == optax.ScaleByScheduleState(count=3)
    assert bj.proximal(l1=1.0).init(w) == optax.EmptyState()


def test_hyper_parameters_may_be_injected():
    injected = optax.inject_hyperparams(bj.proximal)
    transformation = injected(l1=0.5, learning_rate=optax.linear_schedule(1.0, 0.0, 4))
    w, state = jnp.full(2, 10.0), transformation.init(jnp.zeros(2))
    for step in (0.5, 0.375):
        updates, state = jax.jit(transformation.update)(jnp.zeros(2), state, w)
        np.testing.assert_allclose(updates, -step)


def test_what_has_no_update_stays_without_one():
    transformation = bj.proximal(l1=0.5)
    updates, _ = transformation.update(
        {"a": None, "b": jnp.zeros(1)}, None, {"a": jnp.ones(1), "b": jnp.ones(1)}
    )
    assert updates["a"] is None
    assert updates["b"] == -0.5


@pytest.mark.parametrize("name", ["l1", "l2", "learning_rate"])
def test_numbers_are_checked(name, error_of):
    for wrong in (-0.5, np.nan):
        with pytest.raises(ValueError, match=f"^proximal: {name} must be >= 0, got {wrong}$"):
            bj.proximal(**{name: wrong})
    with pytest.raises(TypeError, match=f"^proximal: {name} must be a real number, got"):
        bj.proximal(**{name: "a"})

    def update(value):
        return bj.proximal(**{name: value}).update(jnp.zeros(2), None, jnp.ones(2))

    assert "must be >= 0, got -0.5" in error_of(lambda: jax.jit(update)(-0.5))


def test_update_needs_the_weights():
    with pytest.raises(ValueError, match=r"^proximal: update must be given the weights"):
        bj.proximal(l1=1.0).update(jnp.zeros(2), None)


def test_without_optax_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "optax", None)
    with pytest.raises(ImportError, match=r'^proximal: needs optax, .* "bridle\[jax\]"$'):
        bj.proximal(l1=1.0)
