"""Regularizers as objects: checked once, never changed, shown, compared, copied and pickled."""

import copy
import inspect
import pickle

import numpy as np
import pytest

import bridle as br

from ..cases import DTYPES, INF, NAN
from .rows import ROWS

EVERY = pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
WITH_PARAMETERS = pytest.mark.parametrize(
    ("row", "name"),
    [
        pytest.param(row, name, id=f"{row.name}-{name}")
        for row in ROWS.values()
        for name in row.sample
    ],
)
NAMESPACE = vars(np) | vars(br) | {name: dtype.type for name, dtype in DTYPES.items()}


def kinds(row):
    """Return objects of a class with all kinds of parameters."""
    arrays = [row.spread(5, dtype) for dtype in DTYPES.values()]
    matrix = {name: value.reshape(1, 5) for name, value in row.spread(5, np.float64).items()}
    return [row.make(), *(row.make(**params) for params in (*arrays, matrix))]


@EVERY
def test_the_parameters_are_those_of_the_function_and_attributes(row):
    assert list(inspect.signature(row.cls).parameters) == list(row.sample)
    assert row.cls.__match_args__ == tuple(row.sample)
    by_name, by_place = row.make(), row.cls(*row.sample.values())
    assert by_name == by_place
    for name, value in row.sample.items():
        assert getattr(by_name, name) == value
        assert type(getattr(by_name, name)) is float
    assert row.make(**{name: np.float32(1.0) for name in ("strength",) if name in row.sample})


@WITH_PARAMETERS
def test_a_number_is_a_float_and_an_array_a_read_only_copy(row, name):
    given = row.parameters.spread(name, 5, np.float32)
    kept = getattr(row.make(**{name: given}), name)
    np.testing.assert_array_equal(kept, given)
    assert kept.dtype == np.float32
    assert not np.shares_memory(kept, given)
    with pytest.raises(ValueError, match="read-only"):
        kept[0] = 1.0
    given[:] = 7.0
    assert (kept != 7.0).all()
    others = row.parameters.whole_params
    whole = others[name]
    for number in (int(whole), np.float32(whole), np.int8(whole), np.array(whole)):
        assert type(getattr(row.make(**(others | {name: number})), name)) is float
    for array in ([int(whole)] * 5, np.full(5, whole, np.int8), given.astype(">f8") * 0 + whole):
        kept = getattr(row.make(**(others | {name: array})), name)
        np.testing.assert_array_equal(kept, np.full(5, whole))
        assert kept.dtype == np.float64


@EVERY
def test_nothing_can_be_changed(row):
    regularizer = row.make()
    before = repr(regularizer)
    for name in (*row.sample, "is_convex", "value", "other"):
        with pytest.raises(AttributeError, match=f"^{row.name}: {name} must not be changed"):
            setattr(regularizer, name, 1.0)
        with pytest.raises(AttributeError, match=f"^{row.name}: {name} must not be changed"):
            delattr(regularizer, name)
    assert not hasattr(regularizer, "__dict__")
    assert repr(regularizer) == before


@EVERY
def test_the_repr_is_an_expression_that_makes_it_again(row):
    for regularizer in kinds(row):
        with np.printoptions(precision=2, threshold=2, suppress=True, sign="+"):
            text = repr(regularizer)
        assert "\n" not in text
        again = eval(text, dict(NAMESPACE))
        assert again == regularizer
        assert repr(again) == text
        assert text.startswith(f"{row.name}(")
        assert all(f"{name}=" in text for name in row.sample)


def test_infinities_and_nan_are_shown_too():
    for regularizer in (br.Box(-INF, INF), br.L2SP(NAN, 1), br.L2SP([NAN, -INF], [1e-300, 2])):
        assert eval(repr(regularizer), dict(NAMESPACE)) == regularizer
    assert repr(br.Box(-INF, 1)) == "Box(lower=-inf, upper=1.0)"
    assert repr(br.L1(np.array([0.1, 1], np.float32))) == (
        "L1(strength=array([0.1, 1. ], dtype=float32))"
    )
    assert len(repr(br.L1(np.ones(10**6)))) < 200


@EVERY
def test_equal_parameters_make_equal_objects(row):
    for first, second in zip(kinds(row), kinds(row), strict=True):
        assert first == second
        assert hash(first) == hash(second)
        assert len({first, second}) == 1
    assert row.make() != "a string"
    assert all(row.make() != other.make() for other in ROWS.values() if other is not row)
    for name, value in row.sample.items():
        kept = row.make(**{name: row.parameters.spread(name, 5)})
        for other in (value * 1.1, np.full(4, value), [value], np.full(5, value, np.float32)):
            assert row.make(**{name: other}) not in (row.make(), kept)


def test_arrays_of_another_dtype_make_another_object():
    assert br.L1(np.ones(2, np.float32)) != br.L1(np.ones(2))


def test_zeros_and_nan_compare_as_numbers_do_save_that_nan_is_itself():
    for first, second in ((br.Box(-0.0, 1), br.Box(0.0, 1)), (br.L2SP(NAN, 1), br.L2SP(-NAN, 1))):
        assert first == second
        assert hash(first) == hash(second)


@EVERY
@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_pickles_and_copies_are_equal(row, protocol):
    for regularizer in kinds(row):
        again = pickle.loads(pickle.dumps(regularizer, protocol))
        assert again == regularizer
        assert again.value([[1.0] * 5]) == regularizer.value([[1.0] * 5])
        for value in (getattr(again, name) for name in row.sample):
            assert isinstance(value, float) or not value.flags.writeable
        assert copy.copy(regularizer) is copy.deepcopy(regularizer) is regularizer


@WITH_PARAMETERS
def test_a_bad_parameter_is_named_at_once(row, name):
    domain = row.parameters.params[name]
    for bad in domain.bad:
        for given in (bad, [row.sample[name], bad]):
            with pytest.raises(ValueError, match=f"^{row.name}: {name} ") as caught:
                row.make(**{name: given})
            message = f"{row.name}: {name} must be {domain.rule}, got {bad}"
            assert str(caught.value).startswith(message)
    for bad in ("0.5", None, 1j, [0.5, None], [0.5, [0.5]], {}, np.ma.ones(3), np.ma.masked):
        with pytest.raises(TypeError, match=f"^{row.name}: {name} must ") as caught:
            row.make(**{name: bad})
        assert "\n" not in str(caught.value)


def test_what_does_not_fit_together_is_named():
    with pytest.raises(ValueError, match=r"^Box: upper must be >= lower, got 1.0 with lower 2.0$"):
        br.Box(2, 1)
    for row in ROWS.values():
        if len(row.sample) == 2:
            two, three = (row.spread(size, np.float64) for size in (2, 3))
            first, second = row.sample
            message = rf"^{row.name}: {first} and {second} must fit, got \(2,\) and \(3,\)$"
            with pytest.raises(ValueError, match=message):
                row.cls(two[first], three[second])


class Lazy:
    """What has rules of its own for ufuncs, and no values yet."""

    def __array_ufunc__(self, *arguments, **keywords):
        raise AssertionError("computed")


@WITH_PARAMETERS
def test_lazy_parameters_must_be_computed_first(row, name):
    with pytest.raises(TypeError, match=f"^{row.name}: {name} must be computed first, got "):
        row.make(**{name: Lazy()})


def test_eager_containers_are_copied_to_arrays():
    pandas = pytest.importorskip("pandas")
    factors = pandas.Series([0.1, 0.2], index=["a", "b"])
    assert br.L1(factors) == br.L1([0.1, 0.2])


@EVERY
def test_it_follows_the_protocol(row):
    assert isinstance(row.make(), br.Regularizer)
    assert row.cls.is_convex is row.is_convex


def test_a_class_of_the_users_follows_it_with_three_members():
    class Smallest:
        is_convex = False

        def __init__(self, least):
            self.least = least

        def value(self, w):
            return float(np.min(w) * self.least)

        def prox(self, w, step=1.0, out=None):
            return np.multiply(w, 1 / (1 + step), out=out)

    assert isinstance(Smallest(1.0), br.Regularizer)
    for other in (1.0, object(), br.l1_penalty, np.ones(3)):
        assert not isinstance(other, br.Regularizer)


def test_a_subclass_may_have_another_constructor():
    class Ridge(br.L2):
        def __init__(self, c):
            super().__init__(c / 2)

    assert Ridge(1.0).value([2.0]) == 2.0
    assert Ridge(1.0) == Ridge(1.0) != br.L2(0.5)
    made, arguments = Ridge(1.0).__reduce__()
    assert made(*arguments) == Ridge(1.0)


@EVERY
def test_the_docstring_has_formula_source_and_example(row):
    text = inspect.getdoc(row.cls)
    assert text.count(".. math::") == 1
    assert ".. [1]" in text
    assert f"br.{row.name}(" in text
    for name in (*row.sample, row.prox, *([row.penalty] if row.penalty else [])):
        assert name in text
    for member in ("value", "prox", "__call__"):
        assert inspect.getdoc(getattr(row.cls, member))
