"""JAXopt's own tests of proximal operators and proximal gradient, on bridle's operators.

Argument: the folder tests of JAXopt's sources.
"""

import sys
from functools import partial
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
from jaxopt import prox
from jaxopt._src import prox as source
from suite import Suite

import bridle as br

SKIPPED = {}
suite = Suite(SKIPPED)


@partial(jax.custom_jvp, nondiff_argnums=(0,))
def traced(function, x, l1, l2):
    """Call a function of bridle on what JAX computes."""

    def call(x, l1, l2):
        return function(np.asarray(x), np.asarray(l1), np.asarray(l2))

    shape = jnp.broadcast_shapes(jnp.shape(x), jnp.shape(l1), jnp.shape(l2))
    result = jax.ShapeDtypeStruct(shape, jnp.result_type(x))
    return jax.pure_callback(call, result, x, l1, l2, vmap_method="broadcast_all")


@traced.defjvp
def _(function, primals, tangents):
    (x, _, l2), (dx, dl1, dl2) = primals, tangents
    z = traced(function, *primals)
    return z, ((z != 0) * (dx - jnp.sign(x) * dl1) - 2 * z * dl2) / (1 + 2 * l2)


def like(x, strength):
    """Return a tree of strengths: one number is that of all leaves."""
    return jax.tree.map(lambda _: strength, x) if jnp.isscalar(strength) else strength


def replaces(name):
    def put(function):
        suite.replaces(source, name)(function)
        setattr(prox, name, getattr(source, name))

    return put


@replaces("prox_lasso")
def prox_lasso(x, l1reg=1.0, scaling=1.0):
    def soft_threshold(x, l1, l2):
        return br.soft_threshold(x, l1)

    l1reg = like(x, 1.0 if l1reg is None else l1reg)
    return jax.tree.map(lambda x, l1: traced(soft_threshold, x, scaling * l1, 0.0), x, l1reg)


# Here the square has the factor 1/2, and in the elastic net the strength of L1 besides.
@replaces("prox_elastic_net")
def prox_elastic_net(x, hyperparams=(1.0, 1.0), scaling=1.0):
    def leaf(x, l1, ratio):
        return traced(br.prox_elastic_net, x, scaling * l1, scaling * l1 * ratio / 2)

    l1reg, ratios = (1.0, 1.0) if hyperparams is None else hyperparams
    return jax.tree.map(leaf, x, like(x, l1reg), like(x, ratios))


@replaces("prox_ridge")
def prox_ridge(x, l2reg=1.0, scaling=1.0):
    def prox_l2(x, l1, l2):
        return br.prox_l2(x, l2)

    l2 = scaling * (1.0 if l2reg is None else l2reg) / 2
    return jax.tree.map(lambda x: traced(prox_l2, x, 0.0, l2), x)


if __name__ == "__main__":
    tests = Path(sys.argv.pop(1)).resolve()
    suite.run([tests / "prox_test.py", tests / "proximal_gradient_test.py"])
