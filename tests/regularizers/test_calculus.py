"""What is made of regularizers: multiples, sums, parts, translations, envelopes, conjugates."""

import copy
import pickle
import re

import numpy as np
import pytest

import bridle as br

from .examples import EVERY, GROUPS, MADE, SLICES, named
from .test_laws import drawn

OBJECTS = pytest.mark.parametrize(("regularizer", "shape"), **named(EVERY))
NEW = pytest.mark.parametrize(("regularizer", "shape"), **named([*SLICES, *MADE]))
CONVEX = [(r, shape) for r, shape in EVERY if r.is_convex]
PROXES = {
    "GroupL2": ("group_soft_threshold", "group_l2_penalty"),
    "SparseGroup": ("prox_sparse_group", "sparse_group_penalty"),
    "GroupLinf": ("prox_group_linf", "group_linf_penalty"),
    "GroupMCP": ("prox_group_mcp", "group_mcp_penalty"),
    "GroupSCAD": ("prox_group_scad", "group_scad_penalty"),
    "L2Norm": ("prox_l2_norm", "l2_norm_penalty"),
    "LinfNorm": ("prox_linf_norm", "linf_norm_penalty"),
    "Slope": ("prox_slope", "slope_penalty"),
    "TotalVariation": ("prox_total_variation", "total_variation_penalty"),
    "Nuclear": ("prox_nuclear", "nuclear_penalty"),
    "Simplex": ("project_simplex", None),
    "L1Ball": ("project_l1_ball", None),
    "L2Ball": ("project_l2_ball", None),
    "LinfBall": ("project_linf_ball", None),
    "L0Ball": ("project_l0_ball", None),
}


class AtLeast:
    """A class as users write them: three members."""

    is_convex = True

    def __init__(self, least):
        self.least = least

    def value(self, w):
        return 0.0 if np.all(np.asarray(w) >= self.least) else np.inf

    def prox(self, w, step=1.0, out=None):
        return np.maximum(w, self.least, out=out)


@pytest.mark.parametrize(("regularizer", "shape"), **named(SLICES))
def test_objects_have_the_bits_of_their_functions(regularizer, shape, dtype, assert_same_bits):
    prox, penalty = PROXES[type(regularizer).__name__]
    params, w = regularizer.get_params(), drawn(3, shape, dtype)
    for step in (1.0, 0.4, np.float32(0.3)):
        if prox == "group_soft_threshold":
            own = params | {"threshold": float(step) * params["strength"]}
            del own["strength"]
        else:
            own = params | ({"step": step} if penalty else {})
        expected = getattr(br, prox)(w, **own)
        assert_same_bits(regularizer.prox(w, step), expected)
        place = w.copy()
        assert regularizer.prox(place, step, out=place) is place
        assert_same_bits(place, expected)
    if penalty:
        assert regularizer.value(w) == getattr(br, penalty)(w, **params)
        assert type(regularizer(w)) is float
    else:
        assert regularizer.value(regularizer.prox(w)) == 0.0
        outside = np.full(shape, 3.0, dtype)
        assert regularizer.value(outside) == np.inf


@NEW
def test_they_are_values(regularizer, shape):
    again = eval(repr(regularizer), vars(np) | vars(br))
    assert "\n" not in repr(regularizer)
    for same in (again, pickle.loads(pickle.dumps(regularizer)), regularizer.set_params()):
        assert same == regularizer
        assert same is not regularizer
        assert hash(same) == hash(regularizer)
        assert same.get_params(deep=False).keys() == regularizer.get_params(deep=False).keys()
    assert copy.deepcopy(regularizer) is regularizer.__sklearn_clone__() is regularizer
    assert not hasattr(regularizer, "__dict__")
    assert isinstance(regularizer, br.Regularizer)
    for name, value in regularizer.get_params().items():
        with pytest.raises(AttributeError, match="must not be changed"):
            setattr(regularizer, name, value)
        assert not isinstance(value, np.ndarray) or not value.flags.writeable
    others = [other for other, _ in EVERY if other is not regularizer and other == regularizer]
    assert others == []


def test_options_are_shown_where_they_are_given():
    assert repr(br.L2Norm(1)) == "L2Norm(strength=1.0)"
    assert repr(br.L0Ball(2, axis=(0, 1))) == "L0Ball(k=2, axis=(0, 1))"
    groups = br.GroupL2(1, offsets=[0, 2])
    assert repr(groups) == f"GroupL2(strength=1.0, offsets={groups.offsets!r})"
    parts = br.SeparableSum([(slice(2), br.L1(1)), ([3], br.L2(2))])
    index = f"(slice(None, 2, None), L1(strength=1.0)), ({parts.parts[1][0]!r}, L2(strength=2.0))"
    assert repr(parts) == f"SeparableSum(parts=({index}))"


@OBJECTS
def test_parameters_are_found_and_changed_by_name(regularizer, shape):
    params = regularizer.get_params(deep=True)
    assert params.items() >= regularizer.get_params(deep=False).items()
    for name, value in params.items():
        if isinstance(value, float) and value > 0 and name.rpartition("__")[2] != "lower":
            changed = regularizer.set_params(**{name: 0.75 * value + 2.0})
            assert changed != regularizer
            assert type(changed) is type(regularizer)
            assert changed.get_params()[name] == 0.75 * value + 2.0
            assert changed.set_params(**{name: value}) == regularizer
    with pytest.raises(ValueError, match=r"^\w+: parameters are .*, got 'nonsense'$"):
        regularizer.set_params(nonsense=1)


def test_components_are_named_as_in_scikit_learn():
    both = br.LinfNorm(1.0) + br.L2(0.5)
    assert both.set_params(first__strength=3.0, second=br.L2(2)).get_params() == {
        "first": br.LinfNorm(3.0),
        "first__strength": 3.0,
        "first__axis": -1,
        "second": br.L2(2.0),
        "second__strength": 2.0,
    }
    parts = br.SeparableSum([(slice(2), br.L1(1.0)), ([3], br.L2(2.0))])
    assert parts.get_params()["1__strength"] == 2.0
    assert parts.set_params(**{"0__strength": 5}).parts[0][1] == br.L1(5.0)
    with pytest.raises(ValueError, match="parameters are strength, got 'strength__a'"):
        br.L1(1).set_params(strength__a=1)


def test_scikit_learn_clones_to_the_same():
    sklearn = pytest.importorskip("sklearn.base")
    regularizer = br.L1(1.0) + br.Nuclear(2.0)
    assert sklearn.clone(regularizer) is regularizer


@pytest.mark.parametrize(("regularizer", "shape"), **named(CONVEX))
def test_moreaus_identity_and_the_envelope(regularizer, shape):
    w, eta = drawn(5, shape), 0.7
    dual, envelope = br.Conjugate(regularizer), br.MoreauEnvelope(regularizer, eta)
    identity = regularizer.prox(w, eta) + eta * dual.prox(w / eta, 1 / eta)
    np.testing.assert_allclose(identity, w, atol=1e-12)
    gradient = envelope.gradient(w)
    np.testing.assert_allclose(gradient, dual.prox(w / eta, 1 / eta), atol=1e-12)
    np.testing.assert_allclose(
        envelope.prox(w, 0.5), w - 0.5 * envelope.gradient(envelope.prox(w, 0.5)), atol=1e-12
    )
    small = 1e-6
    for place in list(np.ndindex(shape))[:4]:
        moved = np.zeros(shape)
        moved[place] = small
        slope = (envelope.value(w + moved) - envelope.value(w - moved)) / (2 * small)
        np.testing.assert_allclose(gradient[place], slope, atol=1e-6)
    if dual._closed is None:
        name = type(regularizer).__name__
        message = (
            rf"^Conjugate: there is no value, since the conjugate of {name} has no closed form$"
        )
        with pytest.raises(NotImplementedError, match=message):
            dual.value(gradient)
        return
    near = regularizer.prox(w, eta)  # Fenchel and Young, with equality at a subgradient
    value = dual.value(gradient)
    np.testing.assert_allclose(value, np.sum(gradient * near) - regularizer.value(near), atol=1e-9)


def test_what_is_not_convex_has_no_conjugate_and_no_envelope():
    for make in (br.Conjugate, lambda r: br.MoreauEnvelope(r, 1.0)):
        for regularizer in (br.L0(1.0), br.L0Ball(2), br.L1(1) + br.MCP(1, 2)):
            with pytest.raises(ValueError, match=r"^\w+: regularizer must be convex, got "):
                make(regularizer)
    for mu in (0.0, -1.0, np.inf, np.nan):
        with pytest.raises(ValueError, match=r"^MoreauEnvelope: mu must be > 0 and finite, got"):
            br.MoreauEnvelope(br.L1(1.0), mu)


def test_multiples_are_of_the_same_class_where_a_strength_is_a_factor():
    assert 0.5 * br.L1(2.0) == br.L1(1.0)
    assert br.ElasticNet([2, 4], 1) * 3 == br.ElasticNet([6.0, 12.0], 3.0)
    assert 2 * br.SparseGroup(1, 2, axis=0) == br.SparseGroup(2, 4, axis=0)
    assert 2 * br.Slope([2, 1]) == br.Slope([4, 2])
    assert 2 * br.MCP(1, 3) == br.MCP(2, 1.5)
    for each in (br.Box(0, 1), br.Simplex(), br.L0Ball(2), br.NonNegative()):
        assert 0 * each == 3 * each == each
    assert 2 * (3 * br.SCAD(1, 3)) == br.Scaled(br.SCAD(1, 3), 6)
    assert 2 * br.Translated(br.L1(1), 0.5) == br.Translated(br.L1(2), 0.5)
    for bad in (-1, np.nan, np.inf):
        with pytest.raises(ValueError, match=r"^L1: factor must be >= 0 and finite, got "):
            bad * br.L1(1.0)
    for bad in ("2", None, 1j, [1.0], np.ones(2)):
        with pytest.raises(TypeError, match=r"^L1: factor must be a real number|can't multiply"):
            br.L1(1.0) * bad
    with pytest.raises(TypeError):
        br.L1(1.0) * br.L1(1.0)


def test_sums_with_a_name_have_it():
    groups = {"offsets": [0, 2, 6]}
    for parts, whole in (
        ((br.L1(1), br.L2(2)), br.ElasticNet(1, 2)),
        ((br.L1([1, 2]), br.L1(1)), br.L1([2.0, 3.0])),
        ((br.L2(1), br.L2(1)), br.L2(2)),
        ((br.ElasticNet(1, 2), br.L2(1)), br.ElasticNet(1, 3)),
        ((br.L1(1), br.NonNegative()), br.NonNegativeL1(1)),
        ((br.L2(1), br.NonNegative()), br.NonNegativeL2(1)),
        ((br.NonNegativeL1(1), br.L1(1)), br.NonNegativeL1(2)),
        ((br.L1(1), br.GroupL2(2, **groups)), br.SparseGroup(1, 2, **groups)),
        ((br.SparseGroup(1, 2, **groups), br.L1(1)), br.SparseGroup(2, 2, **groups)),
        ((br.LinfNorm(1), br.L2(1)), br.Sum(br.LinfNorm(1), br.L2(1))),
    ):
        first, second = parts
        for total in (first + second, second + first):
            assert total == whole or total == br.Sum(second, first)
        w = (
            np.abs(drawn(2, 6))[:2]
            if isinstance(parts[0], br.L1) and np.ndim(parts[0].strength)
            else np.abs(drawn(2, 6))
        )
        np.testing.assert_allclose(whole.value(w), first.value(w) + second.value(w), rtol=1e-14)
    w = np.zeros(3)
    assert br.sgd_update(w, np.ones(3), 0.1, regularizer=0.5 * br.L1(1) + br.L2(1)).finite


def test_a_sum_without_a_closed_form_says_so():
    both = br.L1(1.0) + br.Nuclear(1.0)
    assert both.value([[3.0, 0.0]]) == 6.0
    message = "Sum: there is no prox, since the sum of L1 and Nuclear has no closed form of it"
    with pytest.raises(NotImplementedError, match=f"^{message}$"):
        both.prox(np.ones((2, 2)))
    for call in ("subgradient", "lambda_max"):
        with pytest.raises(NotImplementedError, match=r"^Sum: there "):
            getattr(both, call)(np.ones((2, 2)))


def test_a_class_of_the_users_works_everywhere():
    own, w = AtLeast(0.5), np.array([0.0, 1.0, 4.0])
    for total in (br.L1(1.0) + own, own + br.L1(1.0)):
        assert total.value([1.0, 2.0]) == 3.0
    for total in (br.L2(0.5) + own, own + br.L2(0.5)):
        np.testing.assert_array_equal(total.prox(w), [0.5, 0.5, 2.0])
    np.testing.assert_array_equal(br.Scaled(own, 2.0).prox(w), [0.5, 1.0, 4.0])
    np.testing.assert_array_equal(br.Translated(own, 1.0).prox(w), [1.5, 1.5, 4.0])
    parts = br.SeparableSum([(slice(1), own)])
    np.testing.assert_array_equal(parts.prox(w), [0.5, 1.0, 4.0])
    np.testing.assert_array_equal(br.Conjugate(own).prox(w), w - np.maximum(w, 0.5))
    np.testing.assert_array_equal(br.MoreauEnvelope(own, 2.0).gradient(w), [-0.25, 0, 0])
    with pytest.raises(NotImplementedError, match=r"since AtLeast has none$"):
        parts.subgradient(w)
    for make in (br.Conjugate, lambda r: br.Scaled(r, 1), lambda r: br.Sum(r, own)):
        with pytest.raises(TypeError, match=r"^\w+: \w+ must be a regularizer, got "):
            make(AtLeast)
    with pytest.raises(TypeError):
        br.L1(1.0) + 1


def test_a_subclass_with_functions_of_its_own_is_not_added_as_its_base():
    class Doubled(br.L1):
        def value(self, w):
            return 2 * super().value(w)

    assert (Doubled(1.0) + br.L1(1.0)).value([3.0]) == 9.0
    assert (br.L1(1.0) + Doubled(1.0)).value([3.0]) == 9.0


def test_parts_are_those_of_the_whole(assert_same_bits):
    w = drawn(4, (6,))
    first, second = br.L1(0.3), br.L2Norm(0.5)
    parts = br.SeparableSum([(slice(0, 3), first), ([5, -2], second)])
    expected = w.copy()
    expected[:3], expected[[5, 4]] = first.prox(w[:3], 0.7), second.prox(w[[5, 4]], 0.7)
    assert_same_bits(parts.prox(w, 0.7), expected)
    assert parts.value(w) == first.value(w[:3]) + second.value(w[[5, 4]])
    place = w.copy()
    assert parts.prox(place, 0.7, out=place) is place
    assert_same_bits(place, expected)
    whole = br.SeparableSum([(slice(0, 2), first), (slice(2, 6), first)])
    assert_same_bits(whole.prox(w, 0.7), first.prox(w, 0.7))
    gradient = drawn(9, (6,))
    for name in ("lambda_max", "subgradient"):
        one, other = (getattr(r, name)(gradient) for r in (whole, first))
        np.testing.assert_allclose(one, other)


@pytest.mark.parametrize(
    ("indices", "message"),
    [
        (([0, 1], slice(1, 3)), r"parts must not overlap, got 1 again in parts\[1\]"),
        (([2, -2],), r"parts must not overlap, got 2 again in parts\[0\]"),
        (([4],), r"parts\[0\]\[0\] must lie within 4 weights, got 4"),
        (([-5],), r"parts\[0\]\[0\] must lie within 4 weights, got -5"),
        ((slice(0, 5),), r"parts\[0\]\[0\] must lie within 4 weights, got 5"),
    ],
)
def test_indices_are_checked_against_the_weights(indices, message):
    parts = br.SeparableSum([(index, br.L1(1.0)) for index in indices])
    for call in (parts.value, parts.prox, parts.subgradient, parts.lambda_max):
        with pytest.raises(ValueError, match=f"^SeparableSum: {message}$"):
            call(np.ones(4))


@pytest.mark.parametrize("index", [[True, False], 1, [0.5], "a", [[1]], None, slice(0.5)])
def test_an_index_is_a_slice_or_integers(index):
    with pytest.raises((TypeError, ValueError), match=r"^SeparableSum: parts\[0\]\[0\] must be "):
        br.SeparableSum([(index, br.L1(1.0))])


def test_groups_are_checked_by_the_constructor():
    for options, message in (
        ({"offsets": [0, 2], "labels": [0, 1]}, "offsets and labels must not both be given"),
        ({"offsets": [1, 2]}, "offsets must go from 0 to 2, got 1 to 2"),
        ({"offsets": [0, 3, 2]}, "offsets must "),
        ({"offsets": [0, 2], "weights": [1.0, 2.0]}, "weights must be one for each group"),
        ({"weights": [-1.0]}, "weights must be >= 0, got -1.0"),
        ({"labels": [0, 1], "axis": 0}, "axis must not be given with offsets or labels, got 0"),
    ):
        with pytest.raises(ValueError, match=f"^GroupL2: {re.escape(message)}"):
            br.GroupL2(1.0, **options)
    for options in ({"axis": 0.5}, {"labels": [0.5]}, {"weights": ["a"]}):
        with pytest.raises(TypeError, match=r"^GroupL2: \w+ must be "):
            br.GroupL2(1.0, **options)
    for cls, bad in ((br.L2Norm, -1.0), (br.Simplex, np.nan), (br.L0Ball, -1), (br.Nuclear, -1)):
        with pytest.raises(ValueError, match=rf"^{cls.__name__}: \w+ must be >= 0"):
            cls(bad)
    for cls, bad in ((br.Slope, [1.0, 2.0]), (br.Slope, [-1.0])):
        with pytest.raises(ValueError, match=r"^Slope: strengths must "):
            cls(bad)
    assert br.GroupL2(1.0, **GROUPS[3]).offsets.dtype == np.int64
    for make in (br.GroupL2(1.0), br.Simplex(), br.Nuclear(1.0)):
        name = type(make).__name__
        if name != "Simplex":
            with pytest.raises(ValueError, match=f"^{name}: step must be >= 0, got -1"):
                make.prox(np.ones((2, 2)), -1)
        for call in (make.value, make.prox, make.subgradient):
            with pytest.raises(TypeError, match=f"^{name}: "):
                call(np.ma.ones((2, 2)))
        with pytest.raises(ValueError, match=f"^{name}: out must have the shape"):
            make.prox(np.ones((2, 2)), out=np.ones(2))


def test_parts_are_added_from_the_left():
    parts = [(slice(i, i + 1), br.L1(1.0)) for i in range(3)]
    assert br.SeparableSum(parts).value([1.0, 1e-16, 1e-16]) == 1.0
