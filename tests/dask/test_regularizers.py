"""Regularizer objects: lazy proximal operators, and values that are asked for aloud."""

import dask.array as da
import numpy as np
import pytest

import bridle as br

from .calls import CHUNKS, computed

OBJECTS = [
    br.L1(0.3),
    br.ElasticNet(0.3, 0.2),
    br.MCP(0.3, 2.0),
    br.Box(-0.5, 0.5),
    br.GroupL2(0.3),
    br.SparseGroup(0.1, 0.3),
    br.LinfNorm(0.3),
    br.Simplex(2.0),
    br.L0Ball(9),
    br.Nuclear(0.5),
]


@pytest.mark.parametrize("regularizer", OBJECTS, ids=lambda r: type(r).__name__)
def test_proximal_operators_are_lazy_and_values_are_refused(regularizer, weights):
    x = weights()
    lazy = da.from_array(x, CHUNKS["both"])
    found = computed(regularizer.prox(lazy, 0.7))
    np.testing.assert_allclose(found, regularizer.prox(x, 0.7), rtol=1e-6, atol=1e-12)
    with pytest.raises(TypeError, match=f"{type(regularizer).__name__}: .* computed first"):
        regularizer.value(lazy)
    with pytest.raises(TypeError, match="must be computed first"):
        (2.0 * regularizer + br.L2(0.5)).value(lazy)


def test_what_wants_numbers_refuses_lazy_ones():
    lazy = da.asarray(0.5)
    x = np.ones(3)
    for call in (
        lambda: br.EarlyStopping(1, mode="min").update(lazy),
        lambda: br.L1(lazy),
        lambda: br.dropout(x, lazy, seed=1),
        lambda: br.dropout(x, 0.5, seed=da.asarray(1)),
        lambda: br.global_norm(x, scale=lazy),
        lambda: br.project_l1_ball(x, [lazy]),
        lambda: br.group_l2_penalty(x, labels=da.asarray([0, 0, 1])),
        lambda: br.prox_nuclear(np.eye(3), lazy),
        lambda: br.fista(lambda x: x, br.L1(0.1), x, step=lazy),
        lambda: br.fista(lambda x: da.asarray(x), br.L1(0.1), x),
    ):
        with pytest.raises(TypeError, match="computed first"):
            call()
