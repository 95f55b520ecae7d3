"""The driver of operators whose result at an element depends on the vector that it belongs to."""

import math
from itertools import pairwise, product

import numpy as np
import pytest

from bridle import _core

from ..cases import DTYPES

# Shapes with the axes of a vector: rows, columns, short and long ones, several axes.
SLICES = [
    *[((7, 5), axes) for axes in ((0,), (1,), (0, 1))],
    *[((1000, length), (1,)) for length in (1, 3, 10, 24, 25)],
    *[((50, 200), axes) for axes in ((0,), (1,))],
    *[((6, 7, 8), axes) for axes in ((0, 2), (1,), (0, 1))],
    *[((5000, 70), (0,)), ((9000, 9), (0,))],
    *[((3, 140_000), (1,)), ((140_000, 3), (0,)), ((200_001,), (0,))],
    *[((4, 0), (1,)), ((0, 4), (1,)), ((1,), (0,))],
]


def apply(name, x, out, axes, given, weights=None, offsets=None):
    """Call the core itself: it works where the arrays lie, and copies nothing."""
    _core.apply_to_slices(name, x, out, list(axes), list(given), weights, offsets, None, False)
    return out


def group_soft_threshold(x, axes, threshold, weights=None):
    wide = x.astype(np.longdouble)
    norm = np.sqrt((wide * wide).sum(axes, keepdims=True))
    limit = np.longdouble(threshold)
    if weights is not None:
        limit = limit * weights.reshape(norm.shape)
    with np.errstate(divide="ignore", invalid="ignore"):
        return wide * np.where(norm > limit, 1 - limit / norm, 0)


def layouts(x):
    """The same array as it may lie in memory."""
    yield x.copy()
    yield np.array(x, order="F")
    wide = np.zeros([2 * length + 1 for length in x.shape], x.dtype)
    inside = wide[tuple(slice(1, None, 2) for _ in x.shape)]
    inside[...] = x
    yield inside
    yield x[..., ::-1].copy()[..., ::-1]


@pytest.mark.parametrize(("shape", "axes"), SLICES)
@pytest.mark.parametrize("dtype", DTYPES)
def test_same_bits_in_every_layout_and_close_to_the_definition(dtype, shape, axes):
    generator = np.random.default_rng(0)
    x = generator.standard_normal(shape).astype(dtype)
    count = math.prod(length for axis, length in enumerate(shape) if axis not in axes)
    weights = generator.random(count)
    results = []
    for array, out in product(layouts(x), ("in place", "C", "F")):
        place = array.copy(order="K") if out == "in place" else np.empty(shape, dtype, order=out)
        source = place if out == "in place" else array
        results.append(apply("group_soft_threshold", source, place, axes, [0.7], weights).copy())
    for array in layouts(x):  # where it lies
        results.append(apply("group_soft_threshold", array, array, axes, [0.7], weights).copy())
    for other in results[1:]:
        assert other.tobytes() == results[0].tobytes()
    expected = group_soft_threshold(x, axes, np.longdouble(0.7), weights)
    ulp = 2.0 ** -{"float16": 11, "bfloat16": 8, "float32": 24, "float64": 53}[str(x.dtype)]
    np.testing.assert_allclose(results[0].astype(np.longdouble), expected, rtol=4 * ulp, atol=4e-8)


@pytest.mark.parametrize("dtype", DTYPES)
def test_pieces_between_offsets_are_vectors_of_their_own(dtype):
    generator = np.random.default_rng(1)
    x = generator.standard_normal(200_000).astype(dtype)
    cuts = np.sort(generator.integers(0, 5000, 900))
    offsets = np.concatenate([[0], cuts, cuts[-1:], [20_000, len(x)]]).astype(np.int64)
    out = apply("group_soft_threshold", x, np.empty_like(x), [0], [0.7], None, offsets)
    for first, last in pairwise(offsets):
        piece = x[first:last].copy()
        apply("group_soft_threshold", piece, piece, [0], [0.7])
        assert piece.tobytes() == out[first:last].tobytes()


def test_many_long_columns_are_shared_out():
    x = np.random.default_rng(5).standard_normal((131_100, 66), dtype=np.float32)
    out = apply("group_soft_threshold", x, np.empty_like(x), [0], [50.0])
    for column in (0, 63, 64, 65):
        alone = x[:, column].copy()
        apply("group_soft_threshold", alone, alone, [0], [50.0])
        assert alone.tobytes() == out[:, column].tobytes()


@pytest.mark.parametrize("axis", [0, 1])
@pytest.mark.parametrize(
    ("dtype", "size"),
    [(np.float64, s) for s in (1.7e308, 1e300, 1.0, 1e-300, 5e-324)]
    + [(np.float32, s) for s in (3e38, 1e-38, 1e-45)],
)
def test_norms_neither_overflow_nor_underflow(dtype, size, axis):
    x = np.full((300, 300), size, dtype)
    for norm in (1.0, 1e-22):
        out = apply("min_max_norm", x, np.empty_like(x), [axis], [norm, norm, 1.0])
        found = np.sqrt((out.astype(np.longdouble) ** 2).sum(axis))
        np.testing.assert_allclose(found.astype(float), norm, rtol=1e-6)


@pytest.mark.parametrize("length", [3, 40, 300, 5000])
def test_vectors_inside_a_set_keep_every_bit(length):
    x = np.random.default_rng(2).standard_normal((64, length))
    x[:, 0] = -0.0
    x[::2] *= 0.1 / np.linalg.norm(x[::2], axis=1, keepdims=True)
    out = apply("min_max_norm", x, np.empty_like(x), [1], [0.0, 0.2, 1.0])
    assert out[::2].tobytes() == x[::2].tobytes()
    assert not np.signbit(out[1::2, 0]).any()
    np.testing.assert_allclose(np.linalg.norm(out[1::2], axis=1), 0.2)
    columns = np.ascontiguousarray(x.T)
    apply("min_max_norm", columns, columns, [0], [0.0, 0.2, 1.0])
    assert columns.T.tobytes() == out.tobytes()


@pytest.mark.parametrize("name", ["group_soft_threshold", "prox_sparse_group", "min_max_norm"])
@pytest.mark.parametrize("shape", [(9, 3), (9, 100), (2, 140_000)])
def test_nan_spoils_its_vector_alone_and_zeros_stay(name, shape):
    x = np.random.default_rng(3).standard_normal(shape).astype(np.float32)
    x[0, 1] = np.nan
    x[1] = -0.0
    given = {"group_soft_threshold": [0.1], "prox_sparse_group": [0.1, 0.1, 1]}.get(
        name, [1, 1, 0.5]
    )
    out = apply(name, x, np.empty_like(x), [1], given)
    assert np.isnan(out[0]).all()
    assert not out[1].any()
    assert np.isfinite(out[2:]).all()


def test_sparse_group_is_one_after_the_other():
    x = np.random.default_rng(4).standard_normal((40, 30))
    out = apply("prox_sparse_group", x, np.empty_like(x), [1], [0.3, 0.5, 1.0])
    soft = np.sign(x) * np.maximum(np.abs(x) - 0.3, 0)
    expected = group_soft_threshold(soft, 1, 0.5)
    np.testing.assert_allclose(out, expected.astype(float), atol=1e-15)
