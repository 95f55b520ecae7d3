"""Selection over a list of arrays, as over their concatenation."""

import math
from itertools import accumulate

import numpy as np
import pytest

import bridle as br

from ..cases import DTYPES, INF, NAN, hostile

KINDS = [*DTYPES, "mixed"]
SHAPES = [(3,), (), (40, 50), (0,), (2, 3, 4), (70_000,)]


def weights(kind, seed=0, shapes=SHAPES):
    """Return arrays of many equal magnitudes, with edges of the type but NaN."""
    rng = np.random.default_rng(seed)
    types = [*DTYPES.values()] * 2 if kind == "mixed" else [DTYPES[kind]] * len(shapes)
    arrays = []
    for shape, dtype in zip(shapes, types, strict=False):
        edges = hostile(dtype)
        pool = np.concatenate([edges[~np.isnan(edges)], rng.normal(size=90).astype(dtype)])
        arrays.append(rng.choice(pool, size=shape).astype(dtype))
    return arrays


def joined(arrays):
    return np.concatenate([np.abs(a).astype(np.float64).ravel() for a in arrays])


def counts(size):
    return [0, 1, 2, 5, size // 3, size // 2, size - 1, size]


def kept(arrays, k):
    """Return the arrays with all but the k largest set to zero, the first of equal ones stay."""
    chosen = np.zeros(sum(a.size for a in arrays), bool)
    chosen[np.argsort(-joined(arrays), kind="stable")[:k]] = True
    ends = [*accumulate(a.size for a in arrays)]
    parts = [
        part.reshape(a.shape) for part, a in zip(np.split(chosen, ends)[:-1], arrays, strict=True)
    ]
    return [np.where(part, a, a.dtype.type(0)) for part, a in zip(parts, arrays, strict=True)]


@pytest.mark.parametrize("kind", KINDS)
def test_a_list_is_one_vector(kind, assert_same_bits):
    arrays = weights(kind)
    magnitudes = np.sort(joined(arrays))[::-1]
    for k in counts(len(magnitudes)):
        threshold = br.top_k_threshold(arrays, k)
        assert type(threshold) is float
        assert threshold == (magnitudes[k - 1] if k > 0 else INF)
        results = br.project_l0_ball(arrays, k)
        assert type(results) is list
        for result, expected in zip(results, kept(arrays, k), strict=True):
            assert_same_bits(result, expected)
    whole = br.project_l0_ball(tuple(arrays), 10**30)
    for result, array in zip(whole, arrays, strict=True):
        assert_same_bits(result, array)


@pytest.mark.parametrize("size", [1, 3, 5000])
def test_equal_elements_are_counted_through_the_list(size, assert_same_bits):
    arrays = [np.full(size, sign, np.float32) for sign in (1, -1, 1)]
    for k in range(0, 3 * size + 1, max(1, size // 3)):
        for result, expected in zip(br.project_l0_ball(arrays, k), kept(arrays, k), strict=True):
            assert_same_bits(result, expected)


def test_one_array_is_a_list_of_one(dtype, layout, assert_same_bits):
    (array,) = weights(dtype.name, shapes=[(50, 60)])
    for k in counts(array.size):
        assert br.top_k_threshold(layout(array), k) == br.top_k_threshold([array], k)
        (result,) = br.project_l0_ball([layout(array)], k)
        assert_same_bits(result, br.project_l0_ball(array.ravel(), k).reshape(array.shape))


def test_results_into_given_arrays(dtype, layout, assert_same_bits):
    shapes = [(50, 60), (4, 5)]
    arrays = weights(dtype.name, shapes=shapes)
    expected = kept(arrays, 1000)
    own = [layout(array) for array in arrays]
    assert br.project_l0_ball(own, 1000, out=own) is own
    out = tuple(layout(np.ones(shape, dtype)) for shape in shapes)
    assert br.project_l0_ball([layout(array) for array in arrays], 1000, out=out) is out
    prepared = br.prepare([array.copy() for array in arrays])
    assert br.top_k_threshold(prepared, 1000) == br.top_k_threshold(arrays, 1000)
    br.project_l0_ball(prepared, 1000, out=prepared)
    for results in (own, out, prepared):
        for result, each in zip(results, expected, strict=True):
            assert_same_bits(result, each)


def test_results_may_lie_where_other_arrays_do(dtype, assert_same_bits):
    arrays = weights(dtype.name, shapes=[(100,), (100,), (100,)])
    expected = kept(arrays, 120)
    memory = np.concatenate(arrays)
    parts = np.split(memory, 3)
    rotated = [parts[1], parts[2], parts[0]]
    for result, each in zip(br.project_l0_ball(parts, 120, out=rotated), expected, strict=True):
        assert_same_bits(result, each)
    table = np.array(arrays[:2]).T.copy()
    expected = kept(arrays[:2], 60)
    br.project_l0_ball([table[:, 0], table[:, 1]], 60, out=[table[:, 1], table[:, 0]])
    assert_same_bits(table[:, 1], expected[0])
    assert_same_bits(table[:, 0], expected[1])


def test_a_nan_spoils_all_of_the_list(dtype):
    arrays = weights(dtype.name)
    arrays[-1][-1] = NAN
    for k in (0, 5, 10**6):
        assert math.isnan(br.top_k_threshold(arrays, min(k, 70_000)))
        for result in br.project_l0_ball(arrays, k):
            assert np.isnan(result).all()


def test_numbers_and_lists_of_numbers_are_one_array(assert_same_bits):
    assert br.top_k_threshold([[3, -4], [1, 2]], 2) == 3.0
    assert br.top_k_threshold(-2.5, 1) == 2.5
    assert br.top_k_threshold([], 0) == INF
    assert_same_bits(br.project_l0_ball([[3, -4], [1, 2]], 1), np.array([[0.0, -4], [0, 2]]))
    result = br.project_l0_ball([np.array([3, -4]), np.array([1, 2])], 1)
    assert_same_bits(result, np.array([[0.0, -4], [0, 0]]))
    assert br.project_l0_ball([np.float32(3), np.float32(4)], 1).tolist() == [0, 4]


class Column:
    """What lies in another library's container."""

    def __init__(self, numbers):
        self.numbers = np.array(numbers)

    def __array__(self, dtype=None, copy=None):
        return self.numbers


def test_containers_that_are_arrays_may_be_listed(assert_same_bits):
    columns = [Column([3.0, 1.0]), Column([-4.0, 2.0, 0.5])]
    assert br.top_k_threshold(columns, 2) == 3.0
    first, second = br.project_l0_ball(columns, 2)
    assert_same_bits(first, np.array([3.0, 0.0]))
    assert_same_bits(second, np.array([-4.0, 0.0, 0.0]))


LIST = [np.ones(3), np.ones(2, np.float32)]
BAD = [
    ((LIST, -1), {}, ValueError, "k must be >= 0, got -1"),
    ((LIST, 1.0), {}, TypeError, "k must be an integer, got 1.0"),
    ((LIST, None), {}, TypeError, "k must be an integer, got None"),
    ((LIST, np.ma.masked), {}, TypeError, "k must not be masked, got masked"),
    (([np.ones(2), np.ma.ones(2)], 1), {}, TypeError, "masked arrays are not supported; "),
    (([np.ones(2), np.ones(2, complex)], 1), {}, TypeError, "the array must be of type float16"),
    ((LIST, 1), {"axis": 0}, ValueError, "axis must be left alone for a list of arrays, got 0"),
    ((LIST, 1), {"out": LIST[0]}, ValueError, "out must be a list of 2 arrays, got array("),
    ((LIST, 1), {"out": LIST[:1]}, ValueError, "out must be a list of 2 arrays, got 1 of them"),
    ((LIST, 1), {"out": [*LIST[:1], [1.0]]}, TypeError, "out must be an array, got [1.0]"),
    ((LIST, 1), {"out": [*LIST[:1], None]}, TypeError, "out must be an array, got None"),
    ((LIST, 1), {"out": [*LIST[:1], np.ones(3, "f4")]}, ValueError, "out must have the shape "),
    ((LIST, 1), {"out": [*LIST[:1], np.ones(2, "i4")]}, TypeError, "out must hold float32"),
    ((LIST, 1), {"out": [*LIST[:1], np.ma.ones(2)]}, TypeError, "out must not be masked, got "),
    ((LIST, 1), {"out": np.ma.ones((2, 3))}, TypeError, "out must not be masked, got "),
]


@pytest.mark.parametrize(("given", "keywords", "error", "message"), BAD)
def test_mistakes_are_named_and_nothing_is_written(given, keywords, error, message):
    functions = [br.project_l0_ball] + [br.top_k_threshold] * (not keywords)
    for function in functions:
        with pytest.raises(error) as caught:
            function(*given, **keywords)
        assert str(caught.value).startswith(f"{function.__name__}: {message}")
        assert "\n" not in str(caught.value)
    assert all((array == 1).all() for array in LIST)


def test_more_than_there_are_is_an_error():
    with pytest.raises(ValueError, match=r"^top_k_threshold: k must be <= 5, the number of elem"):
        br.top_k_threshold(LIST, 6)
