"""What an update tells of the new weights: the penalty of the public function, bit for bit."""

import numpy as np
import pytest

import bridle as br

from ..cases import DTYPES, INF, NAN, values
from ..conftest import LAYOUTS, by_name
from .data import operands
from .oracle import UPDATES

L1, L2 = 0.3, 0.45


@pytest.fixture(**by_name(UPDATES))
def row(request):
    return request.param


def same(one, other):
    return np.float64(one).tobytes() == np.float64(other).tobytes()


@pytest.mark.parametrize("size", [0, 1, 33, 4096, 4097, 3 * 4096 + 5, 70_000, 200_003])
def test_the_penalty_is_that_of_the_new_weights(dtype, size, threads):
    w = values(dtype, size, finite=True)
    summary = br.proximal_step(w, 0.1, l1=L1, l2=L2)
    assert same(summary.penalty, br.elastic_net_penalty(w, L1, L2))
    assert summary.nonzeros == np.count_nonzero(w)
    assert summary.finite is True
    assert isinstance(summary.penalty, float)
    assert isinstance(summary.nonzeros, int)


@pytest.mark.parametrize("strengths", [{}, {"l1": L1}, {"l2": L2}, {"l1": L1, "l2": L2}], ids=str)
def test_every_update_gives_it(row, dtype, strengths):
    given = operands(row, dtype, 5000)
    summary = given.call(row, 2, **strengths)
    l1, l2 = strengths.get("l1", 0.0), strengths.get("l2", 0.0)
    assert same(summary.penalty, br.elastic_net_penalty(given.w, l1, l2))
    assert summary.nonzeros == np.count_nonzero(given.w)
    assert summary.finite


def test_a_list_adds_those_of_its_arrays_in_order(row):
    each = [operands(row, dtype, 3000 + k) for k, dtype in enumerate(DTYPES.values())]
    gradient = [one.gradient for one in each] if row.has_gradient else None
    state = [[one.state[s] for one in each] for s in range(len(row.states))]
    ftrl = row.function == "ftrl_update"
    l1 = [L1] * 4 if ftrl else [L1, 0.0, L1, 0.1]
    l2 = [L2] * 4 if ftrl else [0.0, 0.0, L2, 0.2]
    strengths = {"l1": L1, "l2": L2} if ftrl else {"l1": l1, "l2": l2}
    w = [one.w for one in each]
    summary = row.call(w, gradient, state, 2, **strengths)
    expected = 0.0
    for array, one, two in zip(w, l1, l2, strict=True):
        expected += br.elastic_net_penalty(array, one, two)
    assert same(summary.penalty, expected)
    assert summary.nonzeros == sum(map(np.count_nonzero, w))


@pytest.mark.parametrize("layout", [n for n in LAYOUTS if n != "unaligned"])
@pytest.mark.parametrize("other", ["C order", "Fortran order"])
def test_the_layout_does_not_matter(dtype, layout, other):
    given = operands(UPDATES["sgd"], dtype, (37, 251))
    w, g = LAYOUTS[layout](given.w), LAYOUTS[other](given.gradient)
    summary = UPDATES["sgd"].call(w, g, [], l1=L1, l2=L2)
    assert same(summary.penalty, br.elastic_net_penalty(w, L1, L2))
    assert summary.nonzeros == np.count_nonzero(w)


def test_the_layout_does_not_matter_in_a_list_either():
    w = [np.asfortranarray(operands(UPDATES["sgd"], np.dtype(float), (37, 251)).w), np.ones(3)]
    g = [np.ones((37, 251)), np.ones(3)]
    summary = br.sgd_update(w, g, 0.1, l1=[L1, 0.2], l2=[L2, 0.0])
    expected = br.elastic_net_penalty(w[0], L1, L2) + br.elastic_net_penalty(w[1], 0.2, 0.0)
    assert same(summary.penalty, expected)


@pytest.mark.parametrize("bad", [INF, -INF, NAN], ids=str)
@pytest.mark.parametrize("position", [0, 4095, 4096, 69_999])
def test_one_weight_that_is_not_finite_is_seen(dtype, bad, position, threads):
    w = np.ones(70_000, dtype)
    w[position] = bad
    summary = br.proximal_step(w, 0.1, l1=L1)
    assert summary.finite is False
    assert summary.nonzeros == w.size
    assert same(summary.penalty, br.l1_penalty(w, L1)) or np.isnan(bad)
    assert br.proximal_step(w[:position], 0.0).finite is True
    assert br.proximal_step([np.zeros(7), w, np.ones(3)], 0.0).finite is False


def test_the_largest_and_the_smallest_numbers_are_finite_and_not_zero(dtype):
    edges = np.abs(values(dtype, 997))
    w = edges[np.isfinite(edges)]
    summary = br.proximal_step(w, 0.1)
    assert summary == (0.0, np.count_nonzero(w), True)


def test_weights_that_leave_the_range_are_not_finite():
    for dtype, much in (("float16", 6e4), ("float32", 3e38), ("float64", 1.7e308)):
        w = np.full(3, much, dtype)
        assert br.sgd_update(w, -w, 1.0).finite is False
        assert np.isinf(w).all()


def test_the_summary_is_a_named_tuple_that_says_what_it_is():
    summary = br.UpdateSummary(penalty=0.5, nonzeros=3, finite=True)
    assert summary == (0.5, 3, True)
    assert summary._fields == ("penalty", "nonzeros", "finite")
    assert repr(summary) == "UpdateSummary(penalty=0.5, nonzeros=3, finite=True)"
    assert br.proximal_step([], 0.1) == (0.0, 0, True)
