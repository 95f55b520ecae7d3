"""Arguments that another thread changes during a call: an error or some result, never a crash."""

import contextlib
import functools
import time

import numpy as np
import pytest

import bridle as br

from ..cases import DTYPES
from ..slice_cases import SLICE_PENALTIES, SLICES
from .at_once import meanwhile, switching_often

SECONDS = 0.25  # of each race
LENGTHS = (64, 300_000)  # worked on by the caller alone, and by all threads
ERRORS = (ValueError, TypeError, IndexError, FloatingPointError)


def until(seconds, function):
    """Call a function for some time; what the race makes of its arguments may be refused."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        with contextlib.suppress(ERRORS):
            function()


def rewriter(array, *contents):
    """Return what fills an array with one content after the other."""

    def write():
        for content in contents:
            np.copyto(array, content)

    return write


def test_a_list_that_changes_is_one_list_or_an_error():
    weights, gradients = ([np.zeros(4) for _ in range(20)] for _ in range(2))

    def change():
        for group in (weights, gradients):
            group.clear()
            group.extend([np.zeros(4) for _ in range(20)])
            group.reverse()

    calls = (
        lambda: br.sgd_update(weights, gradients, lr=0.1, l1=[0.1] * 20),
        lambda: br.global_norm(gradients),
        lambda: br.prepare(weights),
        lambda: br.accumulate(weights, gradients),
        lambda: br.EarlyStopping(1, mode="min", restore_best_weights=True).update(1.0, weights),
        lambda: br.top_k_threshold(weights, 3),
    )
    with switching_often(), meanwhile(change):
        for call in calls:
            until(SECONDS, call)


@pytest.mark.parametrize("prepared", [False, True], ids=["given", "prepared"])
def test_a_mapping_that_changes_never_gives_an_array_the_gradient_of_another(prepared):
    primes = [2, 3, 5, 7, 11, 13, 17, 19]
    weights = {str(p): np.zeros(6) for p in primes}
    gradients = {str(p): np.full(6, float(p)) for p in primes}
    given = br.prepare(weights) if prepared else weights

    def change():
        for group in (weights, gradients):
            for p in primes[:-1]:
                group[str(p)] = group.pop(str(p))  # to the end

    with switching_often(), meanwhile(change):
        until(2 * SECONDS, lambda: br.sgd_update(given, gradients, lr=1.0))
        until(SECONDS, lambda: br.accumulate(given, gradients, scale=-1.0))
    done = {p: weights[str(p)] for p in primes}
    assert any(array.any() for array in done.values())
    for p, array in done.items():
        assert not (array % p).any(), f"{p}: {array}"


class Moves(dict):
    """A mapping whose first name goes to the end as soon as its names have been told."""

    def __iter__(self):
        names = list(super().__iter__())
        self[names[0]] = self.pop(names[0])
        return iter(names)


def test_names_and_arrays_of_a_mapping_are_looked_up_together():
    weights = Moves(a=np.zeros(3), b=np.zeros(3))
    br.sgd_update(weights, {"a": np.full(3, 2.0), "b": np.full(3, 5.0)}, lr=1.0)
    np.testing.assert_array_equal(weights["a"], -2.0)
    np.testing.assert_array_equal(weights["b"], -5.0)


@pytest.mark.parametrize("length", LENGTHS)
@pytest.mark.parametrize("row", [*SLICES.values(), *SLICE_PENALTIES.values()], ids=lambda r: r.name)
def test_vectors_may_change_while_they_are_looked_through(row, length):
    """Numbers that were large become small, infinite or NaN between two looks at them."""
    dtypes = [DTYPES["float32"], DTYPES["float64"]] if length > 64 else [DTYPES["float64"]]
    for dtype in dtypes:
        few = np.resize([1e-20, 3.0, -1.0, 2.0], length)
        contents = [few, np.resize([np.inf, -2.0, 1e30], length), np.resize([1, np.nan], length)]
        contents = [content.astype(dtype) for content in contents]
        x = contents[0].copy()
        call = functools.partial(getattr(br, row.name), x, **row.arguments(length))
        with meanwhile(rewriter(x, *contents[:2], *contents, *contents[:1])):
            until(SECONDS / 10, call)


@pytest.mark.parametrize("length", LENGTHS)
def test_labels_and_offsets_may_change_during_a_call(length):
    """No label then leads out of the sums, and no offset out of the array."""
    x = np.linspace(-1, 1, length, dtype=np.float32)
    inside, outside = np.arange(length) % 7, np.resize([2**60, -(2**60), 5], length)
    labels = inside.copy()
    offsets = np.linspace(0, length, 9).astype(int)
    calls = (
        lambda: br.group_soft_threshold(x, 0.1, labels=labels),
        lambda: br.group_l2_penalty(x, 0.1, labels=labels),
        lambda: br.prox_group_linf(x, 0.1, labels=labels),
        lambda: br.group_soft_threshold(x, 0.1, offsets=offsets),
        lambda: br.prox_group_linf(x, 0.1, offsets=offsets),
    )
    changes = rewriter(labels, outside, inside), rewriter(offsets, offsets + 2**60, offsets.copy())
    with switching_often(), meanwhile(*changes):
        for call in calls:
            until(SECONDS, call)


def test_rows_and_parameters_may_change_during_an_update():
    table, gradient = np.ones((1000, 16)), np.ones((500, 16))
    rows = np.arange(500)
    strengths = np.ones(16)
    changes = (
        rewriter(rows, np.arange(500) + 2**60, np.arange(500)),
        rewriter(strengths, np.full(16, np.nan), np.ones(16)),
    )
    calls = (
        lambda: br.sgd_update(table, gradient, lr=0.1, rows=rows),
        lambda: br.catch_up(table, rows, 3, 0.1, l1=0.1),
        lambda: br.soft_threshold(table, strengths),
        lambda: br.L1(strengths).prox(table, 0.5),
    )
    with switching_often(), meanwhile(*changes):
        for call in calls:
            until(SECONDS, call)
