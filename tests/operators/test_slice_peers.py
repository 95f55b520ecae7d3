"""Other libraries' constraints and projections: where they are right, and where they are not.

Their formulas are written down here as they are published, in NumPy; a test of an error that one of
them makes shows what is right.
"""

import importlib

import numpy as np
import pytest

import bridle as br

from ..cases import INF, NAN
from ..slice_cases import vectors

FLOAT32, FLOAT64 = np.dtype(np.float32), np.dtype(np.float64)


def group_lasso(x, threshold):  # jaxopt, skglm, pyproximal for groups of ordinary size
    norm = np.linalg.norm(x, axis=-1, keepdims=True)
    return x * np.maximum(1 - threshold / norm, 0)


def sorted_simplex(x, radius):  # jaxopt, optax, pyproximal, by Held, Wolfe and Crowder
    ordered = np.sort(x)[::-1]
    sums = np.cumsum(ordered) - radius
    last = np.flatnonzero(ordered * np.arange(1, x.size + 1) > sums)[-1]
    return np.maximum(x - sums[last] / (last + 1), 0)


def sorted_l1_ball(x, radius):
    inside = np.abs(x).sum() <= radius
    return x if inside else np.sign(x) * sorted_simplex(np.abs(x), radius)


def halfspace(x, normal, offset):  # jaxopt, optax, pyproximal
    return x - np.maximum(x @ normal - offset, 0) / (normal @ normal) * normal


def hyperplane(x, normal, offset):
    return x - (x @ normal - offset) / (normal @ normal) * normal


def block_mcp(x, strength, gamma, step):  # skglm, where step < gamma and no row is zero
    norm = np.linalg.norm(x)
    if norm <= step * strength:
        return np.zeros_like(x)
    if norm > gamma * strength:
        return x
    return (1 - step * strength / norm) * x / (1 - step / gamma)


def pooled_slope(x, strengths):  # skglm, a stack of pools
    order = np.argsort(-np.abs(x))
    pools = []
    for value in np.abs(x)[order] - strengths:
        pools.append([value, 1])
        while len(pools) > 1 and pools[-2][0] <= pools[-1][0]:
            (a, n), (b, m) = pools[-2:]
            pools[-2:] = [[(a * n + b * m) / (n + m), n + m]]
    result = np.empty_like(x)
    result[order] = np.concatenate([[max(value, 0)] * n for value, n in pools])
    return np.sign(x) * result


AGREEMENTS = {
    "group lasso": (lambda x: br.group_soft_threshold(x, 0.7), lambda x: group_lasso(x, 0.7)),
    "simplex": (lambda x: br.project_simplex(x, 2.0), lambda x: sorted_simplex(x, 2.0)),
    "l1 ball": (lambda x: br.project_l1_ball(x, 2.0), lambda x: sorted_l1_ball(x, 2.0)),
    "l2 ball": (lambda x: br.project_l2_ball(x, 2.0), lambda x: x * min(1, 2 / np.sqrt(x @ x))),
    "linf ball": (lambda x: br.project_linf_ball(x, 0.5), lambda x: np.clip(x, -0.5, 0.5)),
    "linf norm": (lambda x: br.prox_linf_norm(x, 2.0), lambda x: x - sorted_l1_ball(x, 2.0)),
    "half-space": (
        lambda x: br.project_halfspace(x, np.linspace(-1, 2, 50), 0.5),
        lambda x: halfspace(x, np.linspace(-1, 2, 50), 0.5),
    ),
    "hyperplane": (
        lambda x: br.project_hyperplane(x, np.linspace(-1, 2, 50), 0.5),
        lambda x: hyperplane(x, np.linspace(-1, 2, 50), 0.5),
    ),
    "block MCP": (
        lambda x: br.prox_group_mcp(x, 3.0, 4.0, 0.5),
        lambda x: block_mcp(x, 3.0, 4.0, 0.5),
    ),
    "SLOPE": (
        lambda x: br.prox_slope(x, np.linspace(1, 0, 50)),
        lambda x: pooled_slope(x, np.linspace(1, 0, 50)),
    ),
    "two of four": (
        lambda x: br.project_n_m(x[:48]),
        lambda x: np.where(
            (np.argsort(np.argsort(-np.abs(x[:48]).reshape(-1, 4), 1), 1) < 2).ravel(), x[:48], 0
        ),
    ),
}


@pytest.mark.parametrize(("own", "theirs"), AGREEMENTS.values(), ids=AGREEMENTS)
def test_on_ordinary_vectors_all_agree(own, theirs):
    rng = np.random.default_rng(1)
    for scale in (0.01, 0.3, 1.0, 10.0):
        x = scale * rng.standard_normal(50)
        np.testing.assert_allclose(own(x), theirs(x), rtol=1e-12, atol=1e-13 * scale)


@pytest.mark.parametrize("axis", [0, 1, (0, 1)])
def test_the_constraints_of_keras(axis):
    """Keras divides by a norm that is a ten-millionth too large."""
    constraints = pytest.importorskip("keras").constraints
    w = vectors(FLOAT32, (30, 20))
    w[:, 3], w[5] = 0.1 * w[:, 3] + 0.1, 0.2 * w[5] + 0.1
    list_axis = list(axis) if isinstance(axis, tuple) else axis
    pairs = [
        (br.max_norm(w, 1.5, axis=axis), constraints.MaxNorm(1.5, axis=list_axis)),
        (br.unit_norm(w, axis=axis), constraints.UnitNorm(axis=list_axis)),
        (
            br.min_max_norm(w, 1.0, 1.5, 0.3, axis=axis),
            constraints.MinMaxNorm(1.0, 1.5, rate=0.3, axis=list_axis),
        ),
    ]
    for own, constraint in pairs:
        np.testing.assert_allclose(own, np.asarray(constraint(w)), rtol=1e-5, atol=1e-7)


def test_the_defaults_are_those_of_keras():
    constraints = pytest.importorskip("keras").constraints
    w = 3 * vectors(FLOAT32, (30, 20))
    for own, theirs in (
        (br.max_norm, constraints.MaxNorm),
        (br.unit_norm, constraints.UnitNorm),
        (br.min_max_norm, constraints.MinMaxNorm),
    ):
        np.testing.assert_allclose(own(w), np.asarray(theirs()(w)), rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize(
    ("module", "call", "own"),
    [
        ("jaxopt", lambda m, x: m.projection.projection_simplex(x, 2.0), AGREEMENTS["simplex"]),
        ("jaxopt", lambda m, x: m.projection.projection_l1_ball(x, 2.0), AGREEMENTS["l1 ball"]),
        ("optax", lambda m, x: m.projections.projection_simplex(x, 2.0), AGREEMENTS["simplex"]),
        ("optax", lambda m, x: m.projections.projection_l1_ball(x, 2.0), AGREEMENTS["l1 ball"]),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_the_libraries_themselves_where_they_are_installed(module, call, own):
    library = pytest.importorskip(module, exc_type=ImportError)
    if module == "jaxopt":
        importlib.import_module("jaxopt.projection")
    x = np.random.default_rng(2).standard_normal(50).astype(np.float32)
    np.testing.assert_allclose(own[0](x), np.asarray(call(library, x)), rtol=2e-5, atol=1e-6)


# One test for each error -------------------------------------------------------------------------


@pytest.mark.parametrize("row_of_zeros", [0, 1, 2])
def test_a_zero_group_is_not_nan(row_of_zeros):
    """skglm's BlockMCP and BlockSCAD give NaN, its prox of blocks raises."""
    x = vectors(FLOAT64, (3, 4))
    x[row_of_zeros] = 0
    for prox in (
        br.prox_group_mcp(x, 0.5, 3.0),
        br.prox_group_scad(x, 0.5, 3.7),
        br.group_soft_threshold(x, 0.5),
        br.prox_sparse_group(x, 0.1, 0.5),
        br.prox_group_linf(x, 0.5),
    ):
        assert not prox[row_of_zeros].any()
        assert not np.isnan(prox).any()


def test_a_zero_group_without_threshold_is_not_nan():
    """0/0 in ProximalOperators.jl's NormL2 with λ = 0, and skglm's BST(0, 0)."""
    zeros = np.zeros(5)
    for y in (
        br.group_soft_threshold(zeros, 0.0),
        br.prox_l2_norm(zeros, 0.0),
        br.prox_l2_norm(zeros, 1.0, 0.0),
        br.prox_group_mcp(zeros, 0.0, 2.0),
        br.prox_group_scad(zeros, 0.0, 3.0),
        br.prox_linf_norm(zeros, 0.0),
    ):
        np.testing.assert_array_equal(y, zeros)


@pytest.mark.parametrize(
    ("step", "gamma", "norm", "right"), [(2.5, 2.0, 2.3, 2.3), (4.0, 2.0, 3.0, 3.0)]
)
def test_group_mcp_beyond_the_convex_steps(step, gamma, norm, right):
    """skglm's prox_MCP gives 0, since the minimum of a concave piece lies at its ends."""
    x = norm * np.array([0.6, -0.8])
    np.testing.assert_allclose(
        br.prox_group_mcp(x, 1.0, gamma, step), right * np.array([0.6, -0.8]), rtol=1e-15
    )


def test_group_scad_beyond_the_convex_steps():
    """pyproximal's SCAD gives 0.9; skglm's divides by zero at step = gamma - 1."""
    x = 3.9 * np.array([0.6, -0.8])
    np.testing.assert_allclose(br.prox_group_scad(x, 1.0, 3.7, 3.0), x, rtol=1e-15)
    assert np.isfinite(br.prox_group_scad(x, 1.0, 3.0, 2.0)).all()


def test_the_norm_of_float16_does_not_overflow():
    """optax's projection_l2_ball gives 0: the square of 300 is infinite in float16."""
    x = np.array([300, 0], np.float16)
    np.testing.assert_array_equal(br.project_l2_ball(x, 400.0), x)
    np.testing.assert_array_equal(br.project_l2_ball(x, 150.0), x / 2)
    np.testing.assert_array_equal(br.max_norm(x, 400.0), x)


def test_the_norm_of_float32_does_not_overflow():
    """optax's projection_l2_ball of [1e30, 0] gives 0."""
    x = np.array([1e30, 0], np.float32)
    np.testing.assert_array_equal(br.project_l2_ball(x, 1.0), [1.0, 0.0])
    np.testing.assert_array_equal(br.project_l2_ball(x, 2e30), x)


def test_the_norm_of_tiny_numbers_does_not_vanish():
    """jaxopt's group lasso of [1e-30, 1e-30] with threshold 1e-31 gives 0."""
    x = np.full(2, 1e-30, np.float32)
    expected = x.astype(np.float64) * (1 - 1e-31 / np.linalg.norm(x.astype(np.float64)))
    np.testing.assert_allclose(br.group_soft_threshold(x, 1e-31), expected, rtol=1e-7)
    tiny = np.full(2, 1e-300)
    np.testing.assert_allclose(
        br.group_soft_threshold(tiny, 1e-301), tiny * (1 - 0.1 / np.sqrt(2)), rtol=1e-15
    )


def test_a_vector_of_zeros_on_the_sphere_stays():
    """jaxopt's projection_l2_sphere gives NaN, ProximalOperators.jl's a random vector."""
    np.testing.assert_array_equal(br.unit_norm(np.zeros(3)), np.zeros(3))


@pytest.mark.parametrize("project", [br.project_l1_ball, br.project_l2_ball, br.project_linf_ball])
def test_a_ball_of_radius_zero_is_the_origin(project):
    """jaxopt's projection_l1_ball gives NaN."""
    y = project(np.array([1.0, -2.0, 0.0]), 0.0)
    np.testing.assert_array_equal(y, np.zeros(3))
    assert not np.signbit(y).any()


def test_none_of_the_largest_is_none():
    """pyproximal's L0Ball of radius 0 returns x, the slice [:-0] being empty."""
    np.testing.assert_array_equal(br.project_l0_ball(np.array([1.0, -2.0, 3.0]), 0), np.zeros(3))


def test_a_matrix_inside_a_ball_keeps_its_shape():
    """sigpy's l1_proj flattens what is inside already."""
    x = np.array([[0.1, -0.2], [0.2, 0.1]])
    for project in (br.project_l1_ball, br.project_l2_ball, br.project_linf_ball):
        np.testing.assert_array_equal(project(x, 1.0), x)


def test_a_million_float32_fill_a_ball():
    """The sorted and summed float32 of jaxopt leave 99999.978 of 100000."""
    x = np.random.default_rng(3).standard_normal(1_000_000).astype(np.float32)
    y = br.project_l1_ball(x, 1e5)
    assert np.abs(y).sum(dtype=np.longdouble) == pytest.approx(1e5, rel=3e-7)


def test_a_simplex_of_large_float32_adds_up_to_its_radius():
    """Sums of 1e30 minus 1 lose the 1: the sort formula gives 0 or NaN."""
    x = np.array([1e30, 1e30, -1e30, 1.0], np.float32)
    np.testing.assert_array_equal(br.project_simplex(x, 1.0), [0.5, 0.5, 0, 0])
    y = br.project_simplex(np.full(1000, 1e30, np.float32), 1.0)
    np.testing.assert_allclose(y, 1e-3, rtol=1e-6)


def test_equal_elements_in_large_numbers_share_a_radius():
    """What a cumulative sum in float32 loses: 1e8 of them here, a hundredth of which is tried."""
    y = br.project_simplex(np.full(1_000_000, 0.1, np.float32), 1.0)
    np.testing.assert_allclose(y, 1e-6, rtol=1e-6)
    np.testing.assert_array_equal(y, y[0])


def test_max_norm_changes_nothing_inside():
    """Keras' MaxNorm takes 6.6 % from a column of norm 1.4e-6 in each call."""
    columns = np.array([[1e-3, 1e-6, 0.6], [0.0, 1e-6, -0.8]], np.float32)
    w = columns.copy()
    for _ in range(100):
        br.max_norm(w, 10.0, out=w)
        br.min_max_norm(w, 0.0, 10.0, out=w)
    np.testing.assert_array_equal(w, columns)


def test_unit_norm_of_a_small_column_is_one():
    """Keras' UnitNorm makes 0.934 of it."""
    w = np.array([[1e-6], [1e-6]], np.float32)
    assert np.linalg.norm(br.unit_norm(w).astype(np.float64)) == pytest.approx(1, rel=1e-7)
    w = np.array([[1e-300], [1e-300]])
    assert np.linalg.norm(br.unit_norm(w)) == pytest.approx(1, rel=1e-15)


@pytest.mark.parametrize("position", [0, 1, 2])
def test_nan_makes_the_whole_group_nan(position):
    """jaxopt's group lasso makes zeros of the others, and hides the NaN in one element."""
    x = np.array([3.0, 4.0, 5.0])
    x[position] = NAN
    for y in (
        br.group_soft_threshold(x, 1.0),
        br.prox_l2_norm(x, 1.0),
        br.prox_group_linf(x, 1.0),
        br.project_l2_ball(x),
        br.project_l1_ball(x),
        br.project_simplex(x),
        br.max_norm(x),
    ):
        assert np.isnan(y).all()


def test_zeros_that_are_made_are_positive():
    """The lost sign of jaxopt, pyproximal, sporco, sigpy and PyTorch is a -0.0 in the dead zone."""
    x = np.array([-1.0, -0.1, 0.1, -0.1])
    for y in (
        br.group_soft_threshold(x, 5.0),
        br.prox_sparse_group(x, 0.5, 0.1),
        br.project_l1_ball(x, 0.5),
        br.project_l0_ball(x, 1),
        br.project_n_m(x, 1, 4),
        br.prox_slope(x, np.full(4, 0.5)),
    ):
        assert not np.signbit(y[y == 0]).any()


def test_a_threshold_of_infinity_and_an_infinite_element():
    """sigpy gives NaN for an infinite element, whatever the threshold."""
    x = np.array([1.0, -2.0])
    np.testing.assert_array_equal(br.group_soft_threshold(x, INF), [0, 0])
    np.testing.assert_array_equal(br.prox_linf_norm(x, INF), [0, 0])
    np.testing.assert_array_equal(br.project_l2_ball(x, INF), x)
    np.testing.assert_array_equal(br.project_linf_ball(np.array([INF, -2.0]), 1.0), [1, -1])


def test_integers_are_not_truncated():
    """In place NumPy would lose the fractions; jaxopt promotes."""
    assert br.project_simplex(np.array([1, 2, 3])).dtype == np.float64
    x = np.array([1, 2, 3])
    with pytest.raises(TypeError, match=r"^project_simplex: out "):
        br.project_simplex(x, out=x)
