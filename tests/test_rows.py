"""Matrices of contiguous rows, of which columns were cut off, are worked on where they lie."""

import tracemalloc

import numpy as np
import pytest

import bridle as br

from .cases import DTYPES
from .updates.data import operands
from .updates.oracle import UPDATES

MEGABYTE = 2**20


def cut(array):
    """Return equal elements in rows that lie apart, the first of them within a cache line."""
    wide = np.zeros((*array.shape[:-1], array.shape[-1] + 3), array.dtype)
    wide[..., 1:-2] = array
    return wide[..., 1:-2]


def reversed_rows(array):
    return array[::-1].copy()[::-1]


def columns(array):
    """Return equal elements of which the columns are contiguous and lie apart."""
    return cut(array.T).T


LAYOUTS = {
    "all cut": [cut] * 6,
    "the weights alone": [cut, *[np.copy] * 5],
    "the gradient alone": [np.copy, cut, *[np.copy] * 4],
    "in turn": [reversed_rows, cut] * 3,
    "columns": [columns] * 6,
    "columns and whole columns": [columns, np.asfortranarray] * 3,
    "every other element, which is copied": [lambda a: np.repeat(a, 2, axis=1)[:, ::2]] * 6,
}


def laid_out(given, layout):
    changes = iter(layout)
    return given.map(lambda array: next(changes)(array))


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS)
@pytest.mark.parametrize("shape", [(70, 65), (5, 3, 1000), (3, 9001)], ids=str)
@pytest.mark.parametrize("row", UPDATES.values(), ids=UPDATES)
def test_rows_are_updated_as_a_contiguous_array_is(row, shape, layout, dtype, assert_same_bits):
    if len(shape) > 2 and columns in layout:
        shape = (shape[0] * shape[1], shape[2])
    strengths = {"l1": 0.02, "l2": 0.01} if row.regularized else {}
    more = {"weight_decay": 0.1, "toward": True} if row.function != "ftrl_update" else {}
    for keywords in ({}, strengths, strengths | more):
        given = operands(row, dtype, shape)
        other = laid_out(given, layout)
        summary, again = given.call(row, **keywords), other.call(row, **keywords)
        for one, wanted in zip(other.arrays, given.arrays, strict=True):
            assert_same_bits(one, wanted, keywords)
        assert again[1:] == summary[1:]
        if strengths and keywords:
            assert again.penalty == br.elastic_net_penalty(other.w, 0.02, 0.01)


@pytest.mark.parametrize(
    "layout", [LAYOUTS["all cut"], LAYOUTS["columns"]], ids=["rows", "columns"]
)
@pytest.mark.parametrize("half", ["float16", "bfloat16"])
def test_random_bits_belong_to_positions_whatever_the_layout(layout, half, assert_same_bits):
    row = UPDATES["adagrad"]
    given = operands(row, DTYPES[half], (70, 65))
    other = laid_out(given, layout)
    for one in (given, other):
        one.call(row, l1=1e-4, rounding="stochastic", seed=1, stream=2, offset=3)
    assert_same_bits(other.w, given.w)


def test_penalties_visit_memory_as_ravel_does(penalty, dtype):
    rng = np.random.default_rng(1)
    whole = rng.standard_normal((6, 7, 130, 4)).astype(dtype)
    for _ in range(60):
        view = whole.transpose(rng.permutation(4))
        view = view[tuple(slice(None, None, rng.choice([1, 1, 2, -1])) for _ in range(4))]
        view = view[..., : rng.integers(1, view.shape[-1] + 1)]
        expected = penalty.expected(view.ravel(order="K"), **penalty.sample_params)
        assert getattr(br, penalty.name)(view, **penalty.sample_params) == expected


@pytest.mark.parametrize(
    "work",
    [
        lambda w: br.l1_penalty(w),
        lambda w: br.elastic_net_penalty(w, 1.0, 1.0),
        lambda w: br.proximal_step(w, 0.1, l1=0.1),
        lambda w: br.dropout(w, 0.1, seed=1, out=w),
        lambda w: br.alpha_dropout(w, 0.1, seed=1, out=w),
        lambda w: br.gaussian_noise(w, 0.1, seed=1, out=w),
        lambda w: br.soft_threshold(w, 0.1, out=w),
    ],
)
def test_there_are_no_hidden_copies(work):
    w = np.ones((2000, 1001), np.float32)[:, :-1]  # 8 MB
    tracemalloc.start()
    try:
        work(w)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < MEGABYTE
