"""Laws of the operators of slices, each for all of them: see slice_cases.py."""

import itertools

import numpy as np
import pytest

import bridle as br

from ..cases import DTYPES, INF, NAN
from ..slice_cases import COMPUTED, SLICE_PENALTIES, SLICES, STORED, vectors

Long = np.longdouble
ROUNDING = 1e-12  # of laws that are tried in float64
SIZES = (1, 2, 3, 8, 12, 36, 100)


def rows_with(law):
    """Parametrize by the rows that name a law."""
    rows = [row for row in SLICES.values() if law in row.laws]
    return pytest.mark.parametrize("row", rows, ids=[row.name for row in rows])


def rows_where(condition):
    rows = [row for row in SLICES.values() if condition(row)]
    return pytest.mark.parametrize("row", rows, ids=[row.name for row in rows])


every_row = rows_where(lambda row: True)
every_dtype = pytest.mark.parametrize("dtype", DTYPES.values(), ids=str)


def apply(row, x, arguments=None, **keywords):
    """Call the operator; each row of x is a vector unless `axis` says otherwise."""
    arguments = row.arguments(x.shape[-1]) if arguments is None else arguments
    return getattr(br, row.name)(x, **arguments, **({"axis": -1} | keywords))


def defined(row, x, arguments, weights=None):
    own = itertools.repeat(None) if weights is None else weights
    return np.stack([row.defined(v, w, **arguments) for v, w in zip(x, own, strict=False)])


def sizes_of(row):
    return [size for size in SIZES if row.fits(size)]


def assert_close(actual, expected, x, context):
    """Compare with what is right: one rounding to the type, a few of the computation before."""
    dtype = actual.dtype
    scale = np.maximum(np.abs(x.astype(Long)), np.abs(expected)).max(-1, keepdims=True)
    allowed = 1.01 * STORED[dtype] * np.abs(expected) + 8 * COMPUTED[dtype] * scale
    allowed += 2 * float(np.finfo(np.float32 if dtype.itemsize == 2 else dtype).smallest_subnormal)
    if dtype.itemsize == 2:
        allowed += least(dtype)
    error = np.abs(actual.astype(Long) - expected)
    worst = np.unravel_index(np.argmax(error - allowed), error.shape)
    assert (error <= allowed).all(), (
        f"{actual[worst]!r} instead of {expected[worst]!r} at {worst}, {context}"
    )


def least(dtype):
    """Return the smallest positive number of a type."""
    return float(np.nextafter(dtype.type(0), dtype.type(1)))


# Powers of two that lead to either end of each type; parameters go along where they can.
ENDS = dict(zip(DTYPES.values(), ((11, -20), (122, -130), (122, -140), (1018, -1065)), strict=True))


@every_dtype
@every_row
def test_the_result_is_that_of_the_definition(row, dtype):
    for size in sizes_of(row):
        for params in row.parameter_sets:
            x = vectors(dtype, (3, size), seed=size)
            arguments = row.arguments(size, **params)
            expected = defined(row, x, arguments)
            assert_close(apply(row, x, arguments), expected, x, arguments)
            if row.groups:
                weights = np.array([0.0, 0.6, 3.0])
                expected = defined(row, x, arguments, weights)
                assert_close(apply(row, x, arguments, weights=weights), expected, x, arguments)


@every_dtype
@rows_where(lambda row: row.scaled)
def test_the_result_is_right_at_either_end_of_the_type(row, dtype):
    for size in (1, 8, 36):
        for power in ENDS[dtype]:
            x = np.ldexp(vectors(np.float64, (3, size), seed=size), power).astype(dtype)
            changed = {name: np.ldexp(row.sample_params[name], power) for name in row.scaled}
            arguments = row.arguments(size, **changed)
            assert_close(apply(row, x, arguments), defined(row, x, arguments), x, arguments)


@pytest.mark.parametrize("dtype", ["float32", "float64", "bfloat16"])
@rows_where(lambda row: "radius" in row.params or row.name == "max_norm")
def test_elements_may_exceed_the_radius_thirty_orders_of_magnitude(row, dtype):
    (radius,) = row.params
    x = (vectors(np.float64, (4, 36)) * 1e30).astype(DTYPES[dtype])
    x[0] = np.abs(x[0, 0]) + x[0] * 0
    for value in (1.0, 1e-8, 1e-30):
        arguments = row.arguments(36, **{radius: value})
        y = apply(row, x, arguments)
        expected = defined(row, x, arguments)
        # Weightless elements stay what they are; the others are measured by the radius.
        near = np.abs(expected) <= 1e3 * value
        error = np.abs(y.astype(Long) - expected)
        units = 1.01 * STORED[y.dtype] + 8 * COMPUTED[y.dtype]
        allowed = units * np.maximum(np.abs(expected), value) + 2 * least(y.dtype)
        assert (error <= allowed)[near].all()
        np.testing.assert_array_equal(y[~near], x[~near])


def penalty_of(row, params, arguments):
    """Return the penalty whose prox a row is, by definition, and the step."""
    penalty = SLICE_PENALTIES[row.penalty]
    given = arguments | {"strength": arguments.get("strength", arguments.get("threshold"))}
    names = [*penalty.params, *([penalty.beside.name] if penalty.beside else [])]
    own = {name: given[name] for name in names}
    return (lambda z: penalty.definition(z, **own)), Long(params.get("step", 1.0))


def competitors(x, z, rng):
    """Yield vectors near and far: what may be better than z."""
    yield from (x, np.zeros_like(x), z * 0.5, (x + z) / 2, np.sign(x) * np.abs(z).mean())
    for distance in (1e-6, 1e-3, 0.1, 1.0, 10.0):
        for _ in range(6):
            move = rng.standard_normal(x.size)
            yield z + distance * move
            yield z + distance * np.where(z != 0, move, 0)
            one = np.zeros_like(x)
            one[rng.integers(x.size)] = rng.choice([-distance, distance])
            yield z + one


@rows_where(lambda row: row.penalty)
def test_no_other_vector_has_a_lower_objective(row):
    rng = np.random.default_rng(1)
    for size, params in itertools.product((1, 2, 5, 30), row.parameter_sets):
        arguments = row.arguments(size, **params)
        penalty, step = penalty_of(row, params, arguments)
        for x in vectors(np.float64, (4, size), seed=2) * 2:
            z = apply(row, x, arguments).astype(Long)

            def objective(y, x=x, penalty=penalty, step=step):
                return ((y - x) ** 2).sum() / 2 + step * penalty(y)

            found = objective(z) * (1 - Long(ROUNDING)) - 1e-24  # z is rounded to float64
            for other in competitors(x.astype(Long), z, rng):
                assert found <= objective(other), arguments


@rows_with("optimal")
def test_what_is_taken_away_is_a_subgradient(row):
    """The penalty lies above its tangent everywhere: enough for a minimum of a convex function."""
    rng = np.random.default_rng(3)
    for size, params in itertools.product((1, 2, 5, 30), row.parameter_sets):
        arguments = row.arguments(size, **params)
        penalty, step = penalty_of(row, params, arguments)
        if step == 0:
            continue
        for x in vectors(np.float64, (4, size), seed=4) * 2:
            z = apply(row, x, arguments).astype(Long)
            slope = (x - z) / step
            for y in (*competitors(x.astype(Long), z, rng), 1e3 * slope, -1e3 * z):
                rise = slope @ (y - z)
                rounding = Long(ROUNDING) * (penalty(y) + penalty(z) + np.abs(slope * y).sum())
                assert penalty(y) >= penalty(z) + rise - rounding - 1e-15, arguments


@rows_with("firm")
def test_convex_ones_are_firmly_nonexpansive(row):
    for size in (1, 3, 4, 24):
        for params in row.parameter_sets:
            x = vectors(np.float64, (30, size), seed=5) * 2
            y = apply(row, x, row.arguments(size, **params))
            dx, dy = x[:, np.newaxis] - x, y[:, np.newaxis] - y
            inner, square = (dx * dy).sum(-1), (dy * dy).sum(-1)
            scale = max(np.abs(x).max(), np.abs(y).max()) * np.abs(dx).max() * size
            assert (square <= inner + ROUNDING * scale).all(), params


@rows_with("nearest")
def test_no_vector_of_the_set_lies_on_the_far_side_of_a_projection(row):
    """(x - z)·(y - z) ≤ 0 for every y of the set: z is the nearest."""
    for size, params in itertools.product((1, 2, 6, 30), row.parameter_sets):
        arguments = row.arguments(size, **params)
        x = vectors(np.float64, (6, size), seed=6) * 2
        z = apply(row, x, arguments).astype(Long)
        others = vectors(np.float64, (40, size), seed=7) * np.array(
            [[0.1], [1.0], [20.0], [300.0]] * 10
        )
        for y in defined(row, others, arguments):
            inner = ((x - z) * (y - z)).sum(-1)
            scale = (np.abs(x - z) * (np.abs(y) + np.abs(z) + np.abs(x))).sum(-1)
            assert (inner <= Long(ROUNDING) * scale).all(), arguments


@rows_with("nearest of few")
def test_no_other_choice_of_elements_lies_nearer(row):
    """Every choice of elements is tried."""
    x = vectors(np.float64, (50, 4), seed=8)
    for params in row.parameter_sets:
        arguments = row.arguments(4, **params)
        y = apply(row, x, arguments)
        assert ((y == x) | (y == 0)).all()
        for kept in itertools.product((0.0, 1.0), repeat=4):
            other = x * kept
            allowed = [row.broken(z, **arguments) == 0 for z in other]
            nearer = ((other - x) ** 2).sum(1) < ((y - x) ** 2).sum(1)
            assert not (nearer & allowed).any(), (params, kept)


@every_dtype
@rows_where(lambda row: row.broken)
def test_what_comes_out_is_in_the_set(row, dtype):
    for size, params in itertools.product(sizes_of(row), row.parameter_sets):
        arguments = row.arguments(size, **params)
        x = vectors(dtype, (4, size), seed=9)
        x[0, 0] = 1.0  # no vector of norm zero has norm one
        for before, z in zip(x, apply(row, x, arguments), strict=True):
            if row.name == "unit_norm" and not before.any():
                continue
            broken = row.broken(z.astype(Long), **arguments)
            assert broken <= 1.01 * STORED[dtype] + 16 * COMPUTED[dtype], (params, before, z)


@every_dtype
@rows_where(lambda row: row.broken)
def test_a_second_projection_changes_no_more_than_rounding(row, dtype):
    for size, params in itertools.product(sizes_of(row), row.parameter_sets):
        arguments = row.arguments(size, **params)
        x = vectors(dtype, (4, size), seed=10)
        once = apply(row, x, arguments)
        twice = apply(row, once, arguments)
        largest = np.maximum(np.abs(x), np.abs(once)) if row.beside else np.abs(once)
        units = 4 * STORED[dtype] + 16 * COMPUTED[dtype]
        allowed = units * largest.astype(Long).max(-1, keepdims=True) + 2 * least(dtype)
        assert (np.abs(twice.astype(Long) - once) <= allowed).all()


@every_dtype
@rows_where(lambda row: row.inside)
def test_what_is_in_the_set_keeps_its_bits(row, dtype, assert_same_bits):
    elements, arguments = row.inside
    x = np.array([elements] * 3, dtype)
    assert_same_bits(apply(row, x, arguments), x)
    columns = np.ascontiguousarray(x.T)
    assert_same_bits(apply(row, columns, arguments, axis=0), columns)
    assert_same_bits(apply(row, columns, arguments, axis=0, out=columns).T, x)


@every_dtype
@rows_where(lambda row: any(name in row.params for name in ("radius", "k")))
def test_a_radius_of_zero_gives_positive_zeros(row, dtype, assert_same_bits):
    (radius,) = row.params
    for size in (1, 3, 12, 100):
        x = vectors(dtype, (3, size), seed=11)
        arguments = row.arguments(size, **{radius: 0})
        expected = np.zeros_like(x)
        if row.beside:  # weight 0 leaves the element alone
            free = arguments[row.beside.name] == 0
            expected[:, free] = x[:, free]
        assert_same_bits(apply(row, x, arguments), expected)


@every_dtype
@rows_where(lambda row: row.groups or row.name in ("prox_l2_norm", "prox_linf_norm", "prox_slope"))
def test_a_vector_of_zeros_becomes_positive_zeros(row, dtype, assert_same_bits):
    for size, params in itertools.product((1, 3, 100), row.parameter_sets):
        for zeros in (np.zeros((2, size), dtype), -np.zeros((2, size), dtype)):
            y = apply(row, zeros, row.arguments(size, **params))
            if 0.0 in params.values():
                np.testing.assert_array_equal(y, 0)  # nothing may have been changed
            else:
                assert_same_bits(y, np.zeros_like(y))


@rows_where(lambda row: row.axis == 0)
def test_no_norm_is_made_of_a_vector_of_zeros(row):
    zeros = np.array([[0.0, -0.0, 0.0]] * 2)
    for params in row.parameter_sets:
        np.testing.assert_array_equal(apply(row, zeros, params), zeros)


@every_dtype
@every_row
def test_every_zero_produced_is_positive(row, dtype):
    for size, params in itertools.product(sizes_of(row), row.parameter_sets):
        x = vectors(dtype, (4, size), seed=12)
        y = apply(row, x, row.arguments(size, **params))
        produced = (y == 0) & (x != 0)
        assert not np.signbit(y[produced]).any(), params


def without_effect(row, size):
    """Return arguments with which a prox is the identity."""
    names = [name for name in ("threshold", "strength", "l1", "group") if name in row.params]
    return row.arguments(size, **dict.fromkeys(names or ["step"], 0.0))


@every_dtype
@rows_where(lambda row: row.penalty)
def test_without_strength_nothing_changes(row, dtype):
    for size in sizes_of(row):
        x = vectors(dtype, (3, size), seed=13)
        arguments = without_effect(row, size)
        np.testing.assert_array_equal(apply(row, x, arguments), x)
        if "step" in row.params:
            np.testing.assert_array_equal(apply(row, x, row.arguments(size, step=0.0)), x)


@every_dtype
@pytest.mark.parametrize("size", [4, 100, 5000])
@every_row
def test_a_nan_spoils_its_vector_alone(row, dtype, size, assert_same_bits):
    x = vectors(dtype, (5, size), seed=14)
    expected = apply(row, x)
    for position in (0, size // 2, size - 1):
        spoiled = x.copy()
        spoiled[3, position] = NAN
        y = apply(row, spoiled)
        assert np.isnan(y[3]).all()
        assert_same_bits(np.delete(y, 3, 0), np.delete(expected, 3, 0))


@every_dtype
@pytest.mark.parametrize("size", [4, 100])
@every_row
def test_infinities_disturb_no_other_vector(row, dtype, size, assert_same_bits):
    x = vectors(dtype, (6, size), seed=15)
    expected = apply(row, x)
    hostile = x.copy()
    hostile[1, 1], hostile[2, 0], hostile[2, 3] = INF, -INF, INF
    hostile[4] = -INF
    y = apply(row, hostile)
    touched = [1, 2, 4]
    assert_same_bits(np.delete(y, touched, 0), np.delete(expected, touched, 0))
    if {"shrinks"} & set(row.laws):
        kept = ~np.isnan(y)
        assert (np.abs(y[kept]) <= np.abs(hostile[kept])).all()


@rows_with("odd")
def test_the_sign_passes_through(row):
    for size, params in itertools.product(sizes_of(row), row.parameter_sets):
        x = vectors(np.float64, (4, size), seed=16)
        arguments = row.arguments(size, **params)
        np.testing.assert_array_equal(apply(row, -x, arguments), -apply(row, x, arguments))


@rows_with("shrinks")
def test_no_element_grows_or_changes_its_sign(row):
    for size, params in itertools.product(sizes_of(row), row.parameter_sets):
        x = vectors(np.float32, (4, size), seed=17)
        y = apply(row, x, row.arguments(size, **params))
        assert (np.abs(y) <= np.abs(x)).all()
        assert (y * np.sign(x) >= 0).all()


@rows_with("permutes")
def test_the_order_of_the_elements_does_not_matter(row):
    """But for the rounding of sums."""
    rng = np.random.default_rng(18)
    for size, params in itertools.product(sizes_of(row), row.parameter_sets):
        x = vectors(np.float64, (4, size), seed=18)
        order = rng.permutation(size)
        arguments = row.arguments(size, **params)
        y, other = apply(row, x, arguments), apply(row, x[:, order], arguments)
        np.testing.assert_allclose(other, y[:, order], rtol=1e-14, atol=1e-14)


@rows_with("reverses")
def test_the_direction_does_not_matter(row):
    for size, params in itertools.product(sizes_of(row), row.parameter_sets):
        x = vectors(np.float64, (4, size), seed=19)
        arguments = row.arguments(size, **params)
        y, other = apply(row, x, arguments), apply(row, x[:, ::-1], arguments)
        np.testing.assert_allclose(other, y[:, ::-1], rtol=1e-14, atol=1e-14)


@every_dtype
@rows_where(lambda row: row.dual)
def test_what_a_prox_takes_away_is_the_projection_on_the_dual_ball(row, dtype):
    """Moreau: prox of t·norm + projection on the dual ball of radius t = identity."""
    name, strength = row.dual
    for size, params in itertools.product(sizes_of(row), row.parameter_sets):
        x = vectors(dtype, (4, size), seed=20)
        radius = params[strength] * params.get("step", 1.0)
        whole = apply(row, x, params).astype(Long) + getattr(br, name)(x, radius)
        units = 2.02 * STORED[dtype] + 16 * COMPUTED[dtype]
        scale = np.abs(x.astype(Long)).max(-1, keepdims=True)
        assert (np.abs(whole - x) <= units * scale + 2 * least(dtype)).all(), params
        if row.groups:
            weights = np.array([0.0, 0.5, 1.0, 4.0])
            parts = [getattr(br, name)(v, radius * w) for v, w in zip(x, weights, strict=True)]
            whole = apply(row, x, params, weights=weights).astype(Long) + np.stack(parts)
            assert (np.abs(whole - x) <= units * scale + 2 * least(dtype)).all(), params


@rows_where(lambda row: row.scaled)
def test_parameters_scale_with_the_elements(row, assert_same_bits):
    """By a power of two, to which rounding is blind."""
    for size in (3, 8, 100):
        x = vectors(np.float64, (3, size), seed=21)
        expected = apply(row, x) * 2.0**40
        changed = {name: row.sample_params[name] * 2.0**40 for name in row.scaled}
        assert_same_bits(
            apply(row, x * 2.0**40, row.arguments(size, **changed)) + 0.0, expected + 0.0
        )


ALIKE = pytest.mark.parametrize("power", [-1060, -1000, -140, 140, 1000])


@ALIKE
@pytest.mark.parametrize("project", [br.project_halfspace, br.project_hyperplane])
def test_the_length_of_a_normal_does_not_matter(project, power, dtype, assert_same_bits):
    x, normal = vectors(dtype, (3, 7), seed=30), np.array([1, -2, 0, 0.5, 3, -0.25, 1])
    expected = project(x, normal, 0.25)
    scaled = project(x, np.ldexp(normal, power), np.ldexp(0.25, power))
    assert_same_bits(scaled, expected)


@ALIKE
def test_weights_and_radius_scale_together(power, dtype, assert_same_bits):
    x, weights = vectors(dtype, (3, 7), seed=31), np.array([1, 2, 0, 0.5, 3, 0.25, 1])
    expected = br.project_weighted_l1_ball(x, weights, 0.75)
    scaled = br.project_weighted_l1_ball(x, np.ldexp(weights, power), np.ldexp(0.75, power))
    assert_same_bits(scaled, expected)


# Long vectors ------------------------------------------------------------------------------------

SIMPLEX_LIKE = ("project_simplex", "project_l1_ball", "project_weighted_l1_ball")


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("element", [1.0, 3e-4, 1e30])
@pytest.mark.parametrize("name", SIMPLEX_LIKE)
def test_a_million_equal_elements_share_the_radius(name, element, dtype):
    x = np.full(1_000_000, element, dtype)
    beside = {"weights": np.ones(x.size)} if "weighted" in name else {}
    y = getattr(br, name)(x, **beside, radius=10.0)
    np.testing.assert_allclose(y, 1e-5, rtol=1e-6 if dtype == "float32" else 1e-12)
    assert y.sum(dtype=Long) == pytest.approx(10.0, rel=3e-7 if dtype == "float32" else 1e-13)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", ["prox_linf_norm", "prox_group_linf"])
def test_a_million_equal_elements_are_cut_together(name, dtype):
    x = np.full(1_000_000, 3.0, dtype)
    y = getattr(br, name)(x, 1e6)
    np.testing.assert_allclose(y, 2.0, rtol=3e-7 if dtype == "float32" else 1e-13)


def orders(size):
    """Yield vectors that are worst for one algorithm or another."""
    x = vectors(np.float64, (size,), seed=22)
    rising = np.sort(x)
    yield from (rising, rising[::-1].copy(), np.sort(np.abs(x))[::-1].copy())
    yield 2.0 ** -np.arange(size).clip(0, 1000).astype(np.float64)
    yield np.where(np.arange(size) % 2 == 0, 1.0, -1.0)
    yield np.concatenate([[1e6], np.full(size - 1, 1e-6)])
    yield np.arange(size) % 3.0


@rows_where(lambda row: not row.groups and row.scaled)
def test_sorted_and_adversarial_vectors_are_as_any_other(row):
    size = 600
    for x in orders(size):
        arguments = row.arguments(size)
        expected = row.defined(x, **arguments)
        assert_close(apply(row, x, arguments), expected, x, arguments)


def simplex_by_sorting(x, radius):
    ordered = np.sort(x.astype(Long))[::-1]
    levels = (np.cumsum(ordered) - radius) / np.arange(1, x.size + 1)
    return np.maximum(x - levels[np.flatnonzero(ordered > levels)[-1]], 0)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("kind", ["normal", "rising", "falling", "uniform"])
def test_long_vectors_are_projected_as_short_ones(kind, dtype):
    rng = np.random.default_rng(23)
    x = rng.standard_normal(200_000) if kind != "uniform" else rng.random(200_000)
    x = {"rising": np.sort(x), "falling": np.sort(x)[::-1]}.get(kind, x).astype(dtype)
    signs = rng.choice([-1, 1], x.size).astype(dtype)
    tolerance = 4 * STORED[x.dtype]
    for radius in (1e-3, 1.0, 3e4):
        expected = simplex_by_sorting(x, radius)
        y = br.project_simplex(x, radius)
        assert np.abs(y - expected).max() <= tolerance * np.abs(x).max()
        assert y.sum(dtype=Long) == pytest.approx(radius, rel=3e-7)
        sizes = np.abs(x)
        ball = br.project_l1_ball(sizes * signs, radius)
        expected = np.minimum(simplex_by_sorting(sizes, radius), sizes) * signs
        assert np.abs(ball - expected).max() <= tolerance * sizes.max()
        rest = br.prox_linf_norm(sizes * signs, radius)
        assert np.abs(rest + expected - sizes * signs).max() <= tolerance * sizes.max()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("strength", [0.01, 0.7, 50.0, 1e5])
@pytest.mark.parametrize("kind", ["noise", "walk", "steps", "rising", "equal"])
def test_long_total_variation_is_optimal(kind, strength, dtype):
    """Sums of x - z never exceed the strength, and are that large where z rises or falls."""
    rng, size = np.random.default_rng(24), 100_000
    noise = rng.standard_normal(size)
    x = {
        "noise": noise,
        "walk": np.cumsum(noise) / 10,
        "steps": np.repeat(noise[: size // 100], 100) + noise / 10,
        "rising": np.linspace(-5, 5, size),
        "equal": np.full(size, 0.3),
    }[kind].astype(dtype)
    z = br.prox_total_variation(x, strength)
    sums = np.cumsum(x.astype(Long) - z)
    rounding = Long(4 * STORED[x.dtype]) * np.abs(x).max()
    # The rounding of z adds up within each run of equal values.
    rises = np.flatnonzero(z[1:] != z[:-1])
    allowed = rounding * size / 4
    assert abs(sums[-1]) <= allowed
    assert np.abs(sums).max() <= strength + allowed
    exact = np.sign(z[rises].astype(Long) - z[rises + 1])
    assert np.abs(sums[rises] - exact * strength).max(initial=0) <= allowed


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_long_slope_is_what_pooling_gives(dtype):
    rng, size = np.random.default_rng(25), 50_000
    x = rng.standard_normal(size).astype(dtype)
    strengths = np.linspace(2.0, 0.0, size)
    z = br.prox_slope(x, strengths, 0.5)
    order = np.argsort(-np.abs(x), kind="stable")
    taken = np.abs(x.astype(Long))[order] - np.abs(z.astype(Long))[order]
    sorted_z = np.abs(z)[order]
    assert (np.diff(sorted_z) <= 0).all()
    # What is taken away is a convex mixture of permuted strengths: their partial sums dominate.
    excess = np.cumsum(taken) - np.cumsum(0.5 * strengths.astype(Long))
    rounding = 4 * STORED[x.dtype] * size / 10
    assert excess.max() <= rounding
    ends = np.flatnonzero((sorted_z[:-1] != sorted_z[1:]) & (sorted_z[:-1] > 0))
    assert np.abs(excess[ends]).max() <= rounding


# Small and empty ---------------------------------------------------------------------------------


@every_dtype
@every_row
def test_empty_arrays_stay_empty(row, dtype):
    for shape in ((0,), (0, 8), (3, 0), (0, 0), (2, 0, 8)):
        if not row.fits(shape[-1]):
            continue
        x = np.empty(shape, dtype)
        y = apply(row, x)
        assert y.shape == shape
        assert y.dtype == dtype
        assert apply(row, x, out=x) is x


@every_row
def test_a_vector_of_one_element(row):
    if row.multiple > 1:
        pytest.skip("has whole blocks")
    x = np.array([[-2.0], [0.25], [0.0], [1e300], [-5e-324]])
    arguments = row.arguments(1)
    assert_close(apply(row, x, arguments), defined(row, x, arguments), x, arguments)


@pytest.mark.parametrize("row", SLICE_PENALTIES.values(), ids=SLICE_PENALTIES)
def test_a_penalty_is_the_sum_over_all_vectors(row, dtype):
    function = getattr(br, row.name)
    for size in (0, 1, 3, 33, 5000):
        w = vectors(dtype, (3, size), seed=26)
        arguments = row.arguments(size)
        expected = sum((row.defined(v, **arguments) for v in w), Long(0))
        value = function(w, **arguments)
        assert type(value) is np.float64
        assert value == pytest.approx(float(expected), rel=1e-14, abs=0)
        columns = function(np.ascontiguousarray(w.T), **arguments, axis=0)
        assert columns == pytest.approx(float(expected), rel=1e-14, abs=0)
        if row.groups:
            weights = np.array([0.0, 0.6, 3.0])
            pairs = zip(w, weights, strict=True)
            expected = sum((row.defined(v, own, **arguments) for v, own in pairs), Long(0))
            value = function(w, **arguments, weights=weights)
            assert value == pytest.approx(float(expected), rel=1e-14, abs=0)


@pytest.mark.parametrize("row", SLICE_PENALTIES.values(), ids=SLICE_PENALTIES)
def test_a_penalty_of_nothing_is_zero_and_of_nan_is_nan(row):
    function = getattr(br, row.name)
    for shape in ((0,), (0, 3), (3, 0)):
        value = function(np.empty(shape), **row.arguments(shape[-1]))
        assert value == 0.0
        assert not np.signbit(value)
    w = np.ones((3, 5))
    w[1, 2] = NAN
    assert np.isnan(function(w, **row.arguments(5)))
    infinite = np.where(np.isnan(w), INF, w)
    assert not function(infinite, **row.arguments(5)) < 0


@pytest.mark.parametrize("row", SLICE_PENALTIES.values(), ids=SLICE_PENALTIES)
@pytest.mark.parametrize("power", [1015, -1060])
def test_a_penalty_neither_over_nor_underflows(row, power):
    w = np.ldexp(vectors(np.float64, (2, 12), seed=27), power)
    arguments = row.arguments(12)
    if "gamma" in arguments:
        arguments["strength"] = np.ldexp(1.0, power // 2)
    expected = float(sum((row.defined(v, **arguments) for v in w), Long(0)))
    value = getattr(br, row.name)(w, **arguments)
    assert value == pytest.approx(expected, rel=1e-13, abs=2e-323)


def exact_top_k(arrays, k):
    magnitudes = np.concatenate([np.abs(a.astype(np.float64)).ravel() for a in arrays])
    return float(np.sort(magnitudes)[::-1][k - 1])


@pytest.mark.parametrize("sizes", [(1,), (100, 0, 3), (70_000, 5, 40_000)])
def test_the_kth_largest_of_a_list(sizes, dtype):
    arrays = [vectors(dtype, (size,), seed=28 + i) for i, size in enumerate(sizes)]
    total = sum(sizes)
    for k in {1, 2, total // 3, total - 1, total} & set(range(1, total + 1)):
        value = br.top_k_threshold(arrays, k)
        assert type(value) is float
        assert value == exact_top_k(arrays, k)
    mixed = [arrays[0], *[a.astype(np.float64) for a in arrays[1:]]]
    assert br.top_k_threshold(mixed, total) == exact_top_k(mixed, total)
    strided = [np.repeat(a, 2)[::2] for a in arrays]
    assert br.top_k_threshold(strided, 1) == exact_top_k(arrays, 1)
    matrix = np.asfortranarray(np.resize(arrays[0], (4, 6)))
    assert br.top_k_threshold([matrix], 5) == exact_top_k([matrix], 5)
