"""Operators of whole matrices: singular values by rotations of columns, cosines one by one."""

import importlib.util
import inspect
import json
import os
import subprocess
import sys
import tracemalloc
from itertools import combinations
from pathlib import Path

import ml_dtypes
import numpy as np
import pytest

import bridle as br
from bridle._operators import matrices

from ..cases import INF, NAN

LONG = np.longdouble
EPSILON = {"float16": 2**-11, "bfloat16": 2**-8, "float32": 2**-23, "float64": 2**-52}
SHAPES = [(1, 1), (1, 5), (5, 1), (4, 4), (3, 7), (8, 5), (2, 3, 4, 3), (5, 2, 2)]
HADAMARD = np.array([[1, 1, 1, 1], [1, -1, 1, -1], [1, 1, -1, -1], [1, -1, -1, 1]]) / 2.0


def singular(a):
    """Return columns that are orthogonal, their norms and the rotation of the matrix to them."""
    u, v = a.astype(LONG), np.eye(a.shape[1], dtype=LONG)
    for _ in range(40):
        for p, q in combinations(range(a.shape[1]), 2):
            between = u[:, p] @ u[:, q]
            if between == 0:
                continue
            cotangent = (u[:, q] @ u[:, q] - u[:, p] @ u[:, p]) / (2 * between)
            tangent = (1 if cotangent >= 0 else -1) / (abs(cotangent) + np.hypot(1, cotangent))
            cosine = 1 / np.hypot(1, tangent)
            turn = np.array([[cosine, cosine * tangent], [-cosine * tangent, cosine]])
            u[:, [p, q]] = u[:, [p, q]] @ turn
            v[:, [p, q]] = v[:, [p, q]] @ turn
    return u, np.sqrt((u * u).sum(0)), v


def shrunk(a, threshold):
    if a.ndim > 2:
        return np.array([shrunk(each, threshold) for each in a])
    u, sizes, v = singular(a)
    with np.errstate(divide="ignore"):
        return (u * np.where(sizes > threshold, 1 - threshold / sizes, 0)) @ v.T


def nuclear_norm(a):
    return sum(map(nuclear_norm, a)) if a.ndim > 2 else singular(a)[1].sum()


def cosines(w):
    """Return the cosine of each pair of rows."""
    wide = w.astype(LONG)
    norms = [np.sqrt((row * row).sum()) for row in wide]
    return {
        (i, j): (wide[i] @ wide[j]) / (norms[i] * norms[j]) if norms[i] * norms[j] else LONG(0)
        for i, j in combinations(range(len(w)), 2)
    }


def orthogonality(w):
    values = cosines(w)
    return sum(map(abs, values.values())) / len(values) if values else LONG(0)


def matrix(shape, dtype=np.float64, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype(dtype)


@pytest.mark.parametrize("shape", SHAPES)
def test_singular_values_are_shrunk_as_defined(dtype, shape, layout):
    x = matrix(shape, dtype)
    x[..., 0] = x[..., -1]  # of lower rank
    result = br.prox_nuclear(layout(x), 0.5, 1.4)
    assert result.dtype == dtype
    expected = shrunk(x, LONG(0.5) * LONG(1.4))
    bound = 8 * EPSILON[dtype.name] * np.sqrt((x.astype(LONG) ** 2).sum((-2, -1), keepdims=True))
    assert (np.abs(result.astype(LONG) - expected) <= bound).all()


@pytest.mark.parametrize("sizes", [(4, 2, 1, 0.5), (2, 2, 2, 2), (3, 3, 0, 0), (1e6, 1, 1e-6, 0)])
def test_known_singular_values_equal_ones_too(sizes):
    x = (HADAMARD * sizes) @ HADAMARD[::-1]
    expected = (HADAMARD * np.maximum(np.array(sizes) - 1, 0)) @ HADAMARD[::-1]
    np.testing.assert_allclose(br.prox_nuclear(x, 1.0), expected, atol=1e-15 * max(sizes), rtol=0)
    np.testing.assert_allclose(br.nuclear_penalty(x, 3.0), 3 * sum(sizes), rtol=1e-15)


def test_the_residual_lies_in_the_dual_ball():
    x = matrix((6, 9))
    z = br.prox_nuclear(x, 2.0)
    residual = singular((x - z).T)[1]
    assert residual.max() <= 2 * (1 + 1e-14)
    assert np.linalg.matrix_rank(z) == (singular(x.T)[1] > 2).sum()
    np.testing.assert_allclose(((x - z) * z).sum(), br.nuclear_penalty(z, 2.0))


@pytest.mark.parametrize(
    ("dtype", "power"), [("f4", 120), ("f4", -110), ("f8", 1015), ("f8", -960)]
)
def test_nothing_depends_on_the_unit(dtype, power, assert_same_bits):
    x, unit = matrix((5, 4), dtype), np.ldexp(np.dtype(dtype).type(1), power)
    threshold, penalty = np.ldexp(1.5, power), br.nuclear_penalty(x)
    assert_same_bits(br.prox_nuclear(x * unit, threshold), br.prox_nuclear(x, 1.5) * unit)
    np.testing.assert_allclose(br.nuclear_penalty(x * unit), np.ldexp(penalty, power), rtol=1e-15)
    assert br.nuclear_penalty(x * unit, np.ldexp(1.0, -power)) == penalty
    assert br.orthogonal_penalty(x * unit) == br.orthogonal_penalty(x)
    slope = br.orthogonal_gradient(x.astype("f8"))
    assert_same_bits(br.orthogonal_gradient(x.astype("f8") * unit), np.ldexp(slope, -power))


@pytest.mark.parametrize("extreme", ["max", "smallest_subnormal"])
def test_the_ends_of_the_range(dtype, extreme):
    size = float(getattr(ml_dtypes.finfo(dtype), extreme))
    x = np.full((4, 4), size, dtype)
    assert (br.prox_nuclear(x, 1e-300 if size < 1 else 1.0).astype(float) >= size / 2).all()
    assert not br.prox_nuclear(x, INF).any()
    factor = 0.25 if size < 1 else 0.125
    np.testing.assert_allclose(br.nuclear_penalty(x, factor), 4 * factor * size, rtol=1e-14)
    np.testing.assert_allclose(br.orthogonal_penalty(x), 1.0)
    assert np.isfinite(br.orthogonal_gradient(x).astype(float)).all()


@pytest.mark.parametrize(("strength", "step"), [(0.0, 1.0), (1.0, 0.0), (0, INF), (INF, 0.0)])
def test_no_penalty_gives_back_every_bit(dtype, strength, step, assert_same_bits):
    x = np.array([[[-0.0, 1.0], [INF, 1e-7]], [[NAN, 1.0], [2.0, -0.0]]]).astype(dtype)
    result = br.prox_nuclear(x, strength, step)
    assert_same_bits(result[0], x[0])
    assert np.isnan(result[1].astype(float)).all()


def test_zeros_are_positive_and_exact(dtype):
    x = matrix((4, 6, 5), dtype)
    x[0] = -0.0
    x[1:, 2] = x[1:, :, 3] = -0.0
    for strength in (1e-3, 0.5, 100.0, INF):
        z = br.prox_nuclear(x, strength).astype(float)
        assert not z[0].any()
        assert not z[1:, 2].any()
        assert not z[1:, :, 3].any()
        assert not np.signbit(z[z == 0]).any()
        assert strength < 100 or not z.any()
    tiny = np.full((2, 2), -1e-7, np.float16)  # its result rounds to zero
    assert not np.signbit(br.prox_nuclear(tiny, 2e-7)).any()


@pytest.mark.parametrize("bad", [NAN, INF, -INF])
def test_what_has_no_singular_values_is_nan_and_its_neighbours_are_not(bad, assert_same_bits):
    x = matrix((3, 4, 4), np.float32)
    expected = br.prox_nuclear(x, 0.5)
    x[1, 2, 3] = bad
    expected[1] = NAN
    assert_same_bits(br.prox_nuclear(x, 0.5), expected)
    np.testing.assert_equal(br.nuclear_penalty(x), abs(bad))
    x[0, 0, 0] = NAN
    assert np.isnan(br.nuclear_penalty(x))
    assert br.nuclear_penalty(x, 0.0) == 0.0
    assert np.isnan(br.orthogonal_penalty(x[1]))
    assert np.isnan(br.orthogonal_gradient(x[1])).all()
    assert br.orthogonal_penalty(x[1], 0) == 0.0


@pytest.mark.parametrize("shape", [(0, 0), (0, 3), (3, 0), (0, 2, 2), (2, 0, 2)])
def test_nothing_gives_nothing(dtype, shape):
    x = np.empty(shape, dtype)
    assert br.prox_nuclear(x, 1.0).shape == shape
    assert br.nuclear_penalty(x) == 0.0
    if len(shape) == 2:
        assert br.orthogonal_penalty(x) == 0.0
        assert br.orthogonal_gradient(x).shape == shape


def test_penalties_add_up_in_float64(dtype):
    x = matrix((3, 2, 5, 4), dtype)
    total = br.nuclear_penalty(x, 1.5)
    assert isinstance(total, np.float64)
    np.testing.assert_allclose(float(total), float(1.5 * nuclear_norm(x)), rtol=2e-15)
    assert br.nuclear_penalty(np.zeros((2, 2)), INF) == 0.0
    assert br.nuclear_penalty(x, INF) == INF


@pytest.mark.parametrize("mode", ["rows", "columns"])
@pytest.mark.parametrize("block", [1, 7, 2**20])
def test_cosines_of_all_pairs(dtype, mode, block, monkeypatch):
    monkeypatch.setattr(matrices, "BLOCK", block)
    w = matrix((7, 5), dtype)
    w[3] = 0
    w[:, 2] = 0
    vectors = w if mode == "rows" else w.T
    penalty = br.orthogonal_penalty(w, 2.5, mode=mode)
    assert isinstance(penalty, np.float64)
    np.testing.assert_allclose(penalty, float(2.5 * orthogonality(vectors)), rtol=1e-14)


@pytest.mark.parametrize("mode", ["rows", "columns"])
@pytest.mark.parametrize("block", [1, 7, 2**20])
def test_the_gradient_is_that_of_the_penalty(mode, block, monkeypatch):
    monkeypatch.setattr(matrices, "BLOCK", block)
    w = matrix((6, 5), seed=3)
    slope = br.orthogonal_gradient(w, 2.5, mode=mode)
    for place in np.ndindex(w.shape):
        step = np.zeros(w.shape, LONG)
        step[place] = LONG(2) ** -16
        ends = [w + step, w - step] if mode == "rows" else [(w + step).T, (w - step).T]
        rise = orthogonality(ends[0]) - orthogonality(ends[1])
        np.testing.assert_allclose(slope[place], float(2.5 * rise * 2**15), rtol=1e-7, atol=1e-9)


def test_the_gradient_of_zero_vectors_and_right_angles(dtype, assert_same_bits):
    w = np.array([[1, 0, 0], [0, -2, 0], [0, 0, 0]], dtype)
    for mode in ("rows", "columns"):
        assert_same_bits(br.orthogonal_gradient(w, 3.0, mode=mode), np.zeros((3, 3), dtype))
        assert_same_bits(br.orthogonal_gradient(w, INF, mode=mode), np.zeros((3, 3), dtype))
    blocks = np.zeros((2, 12), dtype)
    blocks[0, :5], blocks[1, 5:] = matrix(5, dtype), matrix(7, dtype)
    assert not br.orthogonal_gradient(blocks).any()
    lone = np.array([[1, 2]], dtype)
    assert br.orthogonal_penalty(lone) == 0.0
    assert_same_bits(br.orthogonal_gradient(lone), np.zeros((1, 2), dtype))
    w = np.array([[1, 2, 3], [0, 0, 0], [2, 1, 0]], dtype)
    slope = br.orthogonal_gradient(w)
    assert not slope[1].any()
    alone = br.orthogonal_gradient(w[::2].astype(float)) / 3  # one of three pairs
    np.testing.assert_allclose(slope[::2].astype(float), alone, rtol=2 * EPSILON[dtype.name])


def test_many_vectors_need_little_memory():
    w = matrix((3000, 4))
    tracemalloc.start()
    try:
        br.orthogonal_gradient(w)
        br.orthogonal_penalty(w)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 8 * 3000 * 3000 / 2  # half of all cosines


def test_integers_and_lists_are_float64():
    for function in (br.prox_nuclear, br.orthogonal_gradient):
        assert function([[3, 1], [0, 2]], 1.0).dtype == np.float64
    assert br.nuclear_penalty([[3, 0], [0, -2]]) == 5.0


CALLS = {
    "prox_nuclear": lambda x, **kw: br.prox_nuclear(x, **({"strength": 0.5} | kw)),
    "orthogonal_gradient": lambda w, **kw: br.orthogonal_gradient(w, **({"strength": 0.5} | kw)),
    "columns": lambda w, **kw: br.orthogonal_gradient(w, **({"mode": "columns"} | kw)),
    "identity": lambda x, **kw: br.prox_nuclear(x, **({"strength": 0.0} | kw)),
}


@pytest.mark.parametrize("name", CALLS)
def test_results_into_given_arrays(name, dtype, layout, assert_same_bits):
    call, x = CALLS[name], matrix((5, 4), dtype)
    expected = call(x)
    out = layout(np.full((5, 4), 7, dtype))
    assert call(x, out=out) is out
    assert_same_bits(out, expected)
    own = layout(x)
    assert call(own, out=own) is own
    assert_same_bits(own, expected)
    wide = np.zeros((6, 4), dtype)
    wide[:5] = x
    call(wide[:5], out=wide[1:])
    assert_same_bits(wide[1:], expected)
    double = np.ones((5, 4))
    assert_same_bits(call(x, out=double), expected.astype(np.float64))
    swapped = x.astype(x.dtype.newbyteorder(">")) if dtype.name != "bfloat16" else x
    assert_same_bits(call(swapped), expected)


FUNCTIONS = ("prox_nuclear", "nuclear_penalty", "orthogonal_penalty", "orthogonal_gradient")
BAD = [
    ({"strength": -1.0}, ValueError, "strength must be >= 0, got -1.0"),
    ({"strength": NAN}, ValueError, "strength must be >= 0, got nan"),
    ({"strength": "1"}, TypeError, "strength must be a real number, got '1'"),
    ({"strength": [1.0]}, TypeError, "strength must be a real number, got [1.0]"),
    ({"strength": np.ma.masked}, TypeError, "strength must not be masked, got masked"),
    ({"step": -1.0}, ValueError, "step must be >= 0, got -1.0"),
    ({"step": None}, TypeError, "step must be a real number, got None"),
    ({"mode": "row"}, ValueError, "mode must be 'rows' or 'columns', got 'row'"),
    ({"out": [1.0]}, TypeError, "out must be an array, got [1.0]"),
    ({"out": np.ones(5)}, ValueError, "out must have the shape (5, 4), got (5,)"),
    ({"out": np.ones((5, 4), "i8")}, TypeError, "out must hold float64, got int64"),
    ({"out": np.broadcast_to(1.0, (5, 4))}, ValueError, "out must be writeable"),
    ({"out": np.ma.ones((5, 4))}, TypeError, "out must not be masked, got "),
    ({"x": np.ma.ones((5, 4))}, TypeError, "masked arrays are not supported; "),
    ({"x": np.ones((5, 4), complex)}, TypeError, "the array must be of type float16"),
    ({"x": np.ones(4)}, ValueError, ""),
    ({"x": 1.0}, ValueError, ""),
]


@pytest.mark.parametrize(
    ("name", "wrong", "error", "message"),
    [
        pytest.param(name, *row, id=f"{name}-{next(iter(row[0]))}-{k}")
        for name in FUNCTIONS
        for k, row in enumerate(BAD)
        if row[0].keys() <= {"x", *inspect.signature(getattr(br, name)).parameters}
    ],
)
def test_mistakes_are_named_and_nothing_is_written(name, wrong, error, message, assert_same_bits):
    takes = inspect.signature(getattr(br, name)).parameters
    x = wrong.get("x", matrix((5, 4)))
    out = np.full((5, 4), 7.0)
    given = {"strength": 0.5} | ({"out": out} if "out" in takes else {})
    given |= {key: value for key, value in wrong.items() if key != "x"}
    with pytest.raises(error) as caught:
        getattr(br, name)(x, **given)
    assert str(caught.value).startswith(f"{name}: {message}")
    assert "\n" not in str(caught.value)
    assert_same_bits(out, np.full((5, 4), 7.0))
    if "out" in wrong and isinstance(wrong["out"], np.ndarray):
        assert (np.asarray(wrong["out"]) == 1).all()


KERAS = """
import json, sys
sys.path.insert(0, sys.argv[1])
import keras_backend
import keras, numpy
keras.backend.set_floatx("float64")
for rows, factor in json.load(sys.stdin):
    w = keras.ops.convert_to_tensor(numpy.array(rows))
    print(float(keras.regularizers.OrthogonalRegularizer(factor)(w)))
"""


@pytest.mark.skipif(importlib.util.find_spec("keras") is None, reason="Keras is not installed")
def test_keras_gives_the_same_up_to_what_it_adds_to_norms():
    cases = [
        (matrix(shape, seed=seed), factor, mode)
        for seed, shape in enumerate([(2, 2), (5, 3), (3, 5), (20, 30)])
        for factor, mode in ((0.01, "rows"), (2.0, "columns"))
    ]
    # A program of its own: Keras brings threads, warnings and global settings with it.
    done = subprocess.run(
        [sys.executable, "-c", KERAS, str(Path(__file__).parents[1] / "foreign")],
        input=json.dumps(  # its columns are wrong on NumPy arrays
            [((w if mode == "rows" else w.T).tolist(), factor) for w, factor, mode in cases]
        ),
        env={**os.environ, "KERAS_BACKEND": "numpy"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    ours = [br.orthogonal_penalty(w, factor, mode=mode) for w, factor, mode in cases]
    np.testing.assert_allclose(ours, [*map(float, done.stdout.split())], rtol=1e-6)
