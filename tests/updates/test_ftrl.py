"""Strengths of FTRL-Proximal, one for each array of a list: every array is updated as if alone."""

import operator
from functools import reduce

import numpy as np
import pytest

import bridle as br

from ..cases import DTYPES, NAN
from .calls import as_lists, parts, refused
from .data import operands
from .oracle import UPDATES

FTRL = UPDATES["ftrl"]
SHAPES = (257, 0, (3, 5), 40_000, ())
L1, L2 = (0.3, 0.0, 0.1, 0.2, 0.0), (0.0, 0.5, 0.7, 0.1, 0.3)


def lists(dtype):
    """Return the operands of each array, and w, gradient and state as lists of them."""
    each = [operands(FTRL, dtype, shape, seed) for seed, shape in enumerate(SHAPES)]
    state = [[one.state[s] for one in each] for s in range(2)]
    return each, [one.w for one in each], [one.gradient for one in each], state


@pytest.mark.parametrize("sequence", [list, tuple, np.array], ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("strengths", [{"l1": L1, "l2": L2}, {"l1": L1}, {"l2": L2}], ids=list)
def test_each_array_has_its_own_strengths(dtype, sequence, strengths, assert_same_bits):
    each, w, gradient, state = lists(dtype)
    alone = [one.copy() for one in each]
    summaries = [
        one.call(FTRL, **{name: values[i] for name, values in strengths.items()})
        for i, one in enumerate(alone)
    ]
    given = {name: sequence(values) for name, values in strengths.items()}
    summary = FTRL.call(w, gradient, state, **given)
    for one, other in zip(each, alone, strict=True):
        for array, wanted in zip(one.arrays, other.arrays, strict=True):
            assert_same_bits(array, wanted)
    assert summary.penalty == reduce(operator.add, [one.penalty for one in summaries])
    assert summary.nonzeros == sum(one.nonzeros for one in summaries)


def test_prepared_lists_and_strided_arrays_take_them_too(assert_same_bits):
    float64 = DTYPES["float64"]
    _, w, gradient, state = lists(float64)
    FTRL.call(w, gradient, state, l1=L1, l2=L2)
    _, *prepared = lists(float64)
    w2, gradient2 = br.prepare(prepared[0]), br.prepare(prepared[1])
    FTRL.call(w2, gradient2, [br.prepare(one) for one in prepared[2]], l1=L1, l2=L2)
    _, w3, gradient3, state3 = lists(float64)
    strided = [np.stack([array, array], -1)[..., 0] for array in w3]
    summary = FTRL.call(strided, gradient3, state3, l1=L1, l2=L2)
    for one, two, three in zip(w, w2, strided, strict=True):
        assert_same_bits(two, one)
        assert_same_bits(three, one)
    penalties = [br.elastic_net_penalty(*args) for args in zip(strided, L1, L2, strict=True)]
    assert summary.penalty == reduce(operator.add, penalties)


@pytest.mark.parametrize("name", ["l1", "l2"])
def test_a_sequence_that_does_not_fit_is_an_error(name):
    arrays = parts(FTRL, operands(FTRL, DTYPES["float64"], 3))
    rule = f"{name} must be a number, or one for each array of a list, got"
    for values in ([], [0.1], (0.1, 0.2, 0.3)):
        message = f"{rule} {len(values)} for a list of 4"
        refused(FTRL, as_lists(arrays), ValueError, message, **{name: values})
        message = f"{rule} {len(values)} for one array"
        refused(FTRL, arrays, ValueError, message, **{name: values})
    for bad in (-0.5, NAN):
        message = f"{name}[2] must be >= 0, got {bad}"
        refused(FTRL, as_lists(arrays), ValueError, message, **{name: [0, 0.1, bad, 1]})
