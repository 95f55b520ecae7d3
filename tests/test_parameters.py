"""Parameters in containers: values are checked, no mask is overlooked, subclasses take over."""

import inspect

import numpy as np
import pytest

import bridle as br
from bridle import _core

from .cases import DTYPES, ELEMENTWISE, INF, NAN, PENALTIES, values
from .dropout.oracle import AMOUNTS, KEY

ROWS = [*ELEMENTWISE.values(), *PENALTIES.values()]
PARAMETERS = [
    pytest.param(row, name, id=f"{row.name}-{name}") for row in ROWS for name in row.params
]
CHECKED = [pytest.param(row, name, id=f"{row.name}-{name}") for row in ROWS for name in row.checked]
MAPS = [
    pytest.param(row, name, id=f"{row.name}-{name}")
    for row in ELEMENTWISE.values()
    for name in row.params
]


def calls(row, array):
    """Return ways to call the operator, most of which would write to the array."""
    function = getattr(br, row.name)
    if row.name in PENALTIES:
        return [lambda params, kw=kw: function(array, **params, **kw) for kw in ({}, {"axis": 0})]
    return [
        lambda params: function(array, **params, out=array),
        lambda params: function(array[::2], **params, out=array[::2]),
        lambda params: function(array, **params),
    ]


def masked_numbers(number, size):
    """Return a parameter as masked arrays, most of which hide nothing."""
    whole = np.full(size, number)
    return {
        "masked": np.ma.masked,
        "number": np.ma.array(number),
        "hidden number": np.ma.array(number, mask=True),
        "array": np.ma.array(whole),
        "hidden element": np.ma.array(whole, mask=np.arange(size) == 1),
        "in a list": [np.ma.array(number, mask=True)] * size,
    }


@pytest.mark.parametrize(("row", "parameter"), PARAMETERS)
def test_a_masked_parameter_is_refused(row, parameter, assert_same_bits):
    before = values(DTYPES["float32"], 4, finite=True)
    array = before.copy()
    for kind, masked in masked_numbers(row.sample_params[parameter], 4).items():
        for call in calls(row, array):
            with pytest.raises(TypeError) as caught:
                call(row.sample_params | {parameter: masked})
            message = f"{row.name}: {parameter} must not be masked, got "
            assert str(caught.value).startswith(message), kind
            assert "\n" not in str(caught.value)
            assert_same_bits(array, before)


def test_a_masked_out_or_where_is_refused(operator):
    function, x = getattr(br, operator.name), np.ones(4)
    for keywords in (
        {"out": np.ma.ones(4)},
        {"out": (np.ma.ones(4),)},
        {"out": np.zeros(4), "where": np.ma.array([True] * 4, mask=[0, 1, 0, 0])},
    ):
        name = list(keywords)[-1]
        with pytest.raises(TypeError, match=rf"^{operator.name}: {name} must not be masked, got "):
            function(x, **operator.sample_params, **keywords)


def test_a_masked_array_keeps_its_mask_or_is_refused(operator):
    function, mask = getattr(br, operator.name), np.array([False, True, False, False])
    x = np.ma.array([1.0, NAN, -2.0, 0.5], mask=mask)
    for name in (None, *operator.params):
        own = {} if name is None else {name: operator.spread(name, 4)}
        result = function(x, **(operator.sample_params | own))
        np.testing.assert_array_equal(np.ma.getmaskarray(result), mask)
        whole = operator.expected(x.data, **(operator.sample_params | own))
        np.testing.assert_array_equal(result.compressed(), whole[~mask])
    assert function(np.ma.masked, **operator.sample_params) is np.ma.masked
    for kept, keywords in ((x, {"out": np.ones(4)}), (x, {"subok": False}), ([x, x], {})):
        with pytest.raises(TypeError, match=rf"^{operator.name}: masked arrays are not supported"):
            function(kept, **operator.sample_params, **keywords)
        assert (keywords.get("out", 1) == np.ones(4)).all()


@pytest.mark.parametrize(("row", "parameter"), PARAMETERS)
def test_an_integer_beyond_every_float_is_infinite(row, parameter):
    if parameter == "lower":
        return  # nothing but itself is above an infinite one
    function, w = getattr(br, row.name), np.array([1.0, 2.0])
    allowed = row.params[parameter].good[-1] == INF
    if allowed:
        infinite, huge = (
            function(w, **(row.sample_params | {parameter: n})) for n in (INF, 10**400)
        )
        np.testing.assert_array_equal(huge, infinite)
    for number in (-(10**400), 10**400):
        if not row.params[parameter].breaks(INF if number > 0 else -INF):
            continue
        with pytest.raises(ValueError, match=rf"^{row.name}: {parameter} must be .*, got -?inf$"):
            function(w, **(row.sample_params | {parameter: number}))


@pytest.mark.parametrize("row", PENALTIES.values(), ids=lambda row: row.name)
def test_the_weights_of_a_penalty_must_not_be_masked(row):
    for w in (np.ma.ones(3), np.ma.masked, [np.ma.ones(3)] * 2):
        with pytest.raises(TypeError, match=rf"^{row.name}: masked arrays are not supported"):
            getattr(br, row.name)(w, **row.sample_params)


FAMILY = {
    "dropout": ("x", "p", "seed", "stream", "offset", "noise_shape", "block", "out"),
    "dropout_mask": ("shape", "p", "seed", "stream", "offset", "block"),
    "apply_dropout_mask": ("x", "bits", "p", "out"),
    "dropout_inference": ("x", "p", "out"),
    "alpha_dropout": ("x", "p", "seed", "stream", "offset", "noise_shape", "block", "out"),
    "gaussian_dropout": ("x", "p", "seed", "stream", "offset", "noise_shape", "block", "out"),
    "gaussian_noise": ("x", "stddev", "seed", "stream", "offset", "noise_shape", "block", "out"),
    "Dropout": ("p", "seed", "stream", "noise_shape"),
}
GIVEN = {
    "x": np.ones(8),
    "shape": 8,
    "bits": np.full(1, 255, np.uint8),
    "p": 0.5,
    "stddev": 0.5,
    "seed": 1,
    "stream": 2,
    "offset": 3,
    "noise_shape": (8,),
    "block": ((8,), (0,)),
    "out": np.ones(8),
}


def masked_integers(number):
    return [np.ma.array(number), np.ma.array(number, mask=True)]


MASKED = {
    "x": [np.ma.ones(8), [np.ma.array(1.0, mask=True)] * 8],
    "out": [np.ma.ones(8)],
    "bits": [np.ma.array(GIVEN["bits"])],
    "p": list(masked_numbers(0.5, 2).values()),
    "stddev": list(masked_numbers(0.5, 2).values()),
    "seed": masked_integers(1),
    "stream": masked_integers(1),
    "offset": masked_integers(1),
    "shape": [*masked_integers(8), (np.ma.array(8, mask=True),)],
    "noise_shape": [np.ma.array([8]), (np.ma.array(8, mask=True),)],
    "block": [((np.ma.array(8, mask=True),), (0,)), ((8,), (np.ma.array(0),))],
}


@pytest.mark.parametrize(
    ("function", "parameter"),
    [(function, name) for function, names in FAMILY.items() for name in names],
)
def test_no_mask_is_overlooked_by_the_dropout_family(function, parameter):
    assert set(inspect.signature(getattr(br, function)).parameters) - set(FAMILY[function]) <= {
        "packed",
        "inverted",
    }
    for masked in MASKED[parameter]:
        arguments = {name: GIVEN[name] for name in FAMILY[function]} | {parameter: masked}
        with pytest.raises(TypeError, match=rf"^{function}: ") as caught:
            getattr(br, function)(**arguments)
        assert "\n" not in str(caught.value)
        assert (GIVEN["out"] == 1).all()


def test_a_masked_number_of_threads_is_refused():
    before = br.get_num_threads()
    for masked in masked_integers(1):
        with pytest.raises(TypeError, match=r"^set_num_threads: n must not be masked"):
            br.set_num_threads(masked)
    assert br.get_num_threads() == before


def pandas_nullable(numbers):
    pandas = pytest.importorskip("pandas")
    return pandas.Series(
        [None if number != number else number for number in numbers], dtype="Float64"
    )


def polars_series(numbers):
    polars = pytest.importorskip("polars")
    return polars.Series([None if number != number else float(number) for number in numbers])


EAGER = {
    "pandas Series": lambda numbers: pytest.importorskip("pandas").Series(numbers),
    "pandas Index": lambda numbers: pytest.importorskip("pandas").Index(numbers),
    "pandas DataFrame": lambda numbers: pytest.importorskip("pandas").DataFrame([numbers]),
    "pandas with missing values": pandas_nullable,
    "xarray": lambda numbers: pytest.importorskip("xarray").DataArray(numbers),
    "polars": polars_series,
}


@pytest.fixture(params=EAGER.values(), ids=EAGER.keys())
def container(request):
    """Return a function that puts an array into a container; NaN is a missing value."""
    return request.param


@pytest.mark.parametrize(("row", "parameter"), PARAMETERS)
def test_what_a_container_holds_is_checked(row, parameter, container, assert_same_bits):
    before = values(DTYPES["float64"], 3, finite=True)
    array = before.copy()
    for bad in filter(row.params[parameter].breaks, (-0.5, NAN)):
        good = row.sample_params[parameter]
        held = container(np.array([good, bad, good]))
        for call in calls(row, array)[:1] + calls(row, array)[-1:]:
            with pytest.raises((ValueError, TypeError)) as caught:
                call(row.sample_params | {parameter: held})
            assert str(caught.value).startswith(f"{row.name}: {parameter} must be ")
            assert str(bad) in str(caught.value) or "NA" in str(caught.value)
            assert_same_bits(array, before)


@pytest.mark.parametrize(("row", "parameter"), MAPS)
def test_a_container_of_parameters_takes_over_as_in_numpy(row, parameter, container):
    x, own = values(DTYPES["float64"], 5, finite=True), row.spread(parameter, 5)
    result = getattr(br, row.name)(x, **(row.sample_params | {parameter: container(own)}))
    assert isinstance(result, type(np.multiply(x, container(own))))
    expected = row.expected(x, **(row.sample_params | {parameter: own}))
    np.testing.assert_array_equal(np.asarray(result, np.float64).reshape(5), expected)


@pytest.mark.parametrize("row", PENALTIES.values(), ids=lambda row: row.name)
def test_a_penalty_takes_the_values_of_a_container(row, container):
    w = values(DTYPES["float32"], 15, finite=True).reshape(5, 3)
    for parameter in row.checked:
        own, function = row.spread(parameter, 3), getattr(br, row.name)
        for keywords in ({}, {"axis": 0}):
            held = function(w, **(row.sample_params | {parameter: container(own)}), **keywords)
            plain = function(w, **(row.sample_params | {parameter: own}), **keywords)
            assert isinstance(held, np.ndarray | np.float64)
            np.testing.assert_array_equal(np.ravel(held), np.ravel(plain))


def lazy_arrays(number):
    """Return a Dask array, alone and in xarray, that must not be computed."""
    dask = pytest.importorskip("dask.array")
    array = dask.full(3, number).map_blocks(
        lambda block: pytest.fail("computed"), dtype=float, meta=np.ones(0)
    )
    try:
        import xarray
    except ImportError:
        return [array]
    return [array, xarray.DataArray(array)]


@pytest.mark.parametrize(("row", "parameter"), MAPS)
def test_what_is_lazy_is_handed_on_and_not_computed(row, parameter):
    for lazy in lazy_arrays(-0.5):
        result = getattr(br, row.name)(np.ones(3), **(row.sample_params | {parameter: lazy}))
        assert isinstance(result, type(lazy))


@pytest.mark.parametrize("row", PENALTIES.values(), ids=lambda row: row.name)
def test_a_penalty_does_not_compute_lazy_strengths(row):
    array, *wrapped = lazy_arrays(0.5)
    for name in row.params:
        cost = getattr(br, row.name)(np.ones(3), **(row.sample_params | {name: array}))
        assert type(cost) is type(array)
        for lazy in wrapped:
            with pytest.raises(TypeError, match=rf"^{row.name}: {name} must be computed first"):
                getattr(br, row.name)(np.ones(3), **(row.sample_params | {name: lazy}))


class Quantity(np.ndarray):
    """An array with a unit: it takes over wherever it is an argument."""

    def __array_ufunc__(self, ufunc, method, *inputs, **keywords):
        return ufunc, inputs, keywords


@pytest.mark.parametrize(("row", "parameter"), MAPS)
def test_a_subclass_with_rules_of_its_own_takes_over_once_checked(row, parameter):
    function, x = getattr(br, row.name), np.ones(3)
    for own in (row.spread(parameter, 3), np.array(row.sample_params[parameter])):
        quantity = own.view(Quantity)
        ufunc, inputs, keywords = function(x, **(row.sample_params | {parameter: quantity}), out=x)
        assert ufunc is _core.ufuncs[row.name]
        assert any(argument is quantity for argument in inputs)
        assert keywords["out"][0] is x
    if not row.params[parameter].bad:
        return
    bad = np.array(row.params[parameter].bad[0]).view(Quantity)
    with pytest.raises(ValueError, match=f"^{row.name}: {parameter} must be"):
        function(x, **(row.sample_params | {parameter: bad}))


@pytest.mark.filterwarnings("ignore:the matrix subclass:PendingDeprecationWarning")
@pytest.mark.parametrize(("row", "parameter"), MAPS)
def test_matrices_and_mapped_arrays_of_parameters_follow_numpy(row, parameter, tmp_path):
    function, x, own = getattr(br, row.name), np.ones((2, 3)), row.spread(parameter, 3)
    expected = row.expected(x, **(row.sample_params | {parameter: own}))
    mapped = np.memmap(tmp_path / "own", np.float64, "w+", shape=3)
    mapped[:] = own
    matrix = np.asmatrix(own)
    for held in (mapped, matrix):
        result = function(x, **(row.sample_params | {parameter: held}))
        assert type(result) is type(np.multiply(x, held))
        np.testing.assert_array_equal(result, expected)


def test_the_amounts_of_noise_may_lie_in_containers():
    xarray = pytest.importorskip("xarray")
    for name, amount in AMOUNTS.items():
        plain = getattr(br, name)(np.ones(8), amount, **KEY)
        held = getattr(br, name)(np.ones(8), xarray.DataArray(amount), **KEY)
        np.testing.assert_array_equal(held, plain)
