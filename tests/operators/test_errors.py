"""Bad arguments: the message names function, argument and value, and nothing is written."""

import numpy as np
import pytest

import bridle as br

from ..cases import DTYPES, ELEMENTWISE, NAN, PENALTIES, THREADED_SIZES, values

ROWS = [*ELEMENTWISE.values(), *PENALTIES.values()]
PARAMETERS = [
    pytest.param(row, name, id=f"{row.name}-{name}") for row in ROWS for name in row.params
]
CHECKED = [pytest.param(row, name, id=f"{row.name}-{name}") for row in ROWS for name in row.checked]


def calls(row, array):
    """Return ways to call the operator, most of which would write to the array."""
    function = getattr(br, row.name)
    if row.name in PENALTIES:
        axes = ({}, {"axis": 0}, {"keepdims": True})
        return [lambda params, kw=kw: function(array, **params, **kw) for kw in axes]
    other = np.zeros_like(array)
    return [
        lambda params: function(array, **params, out=array),
        lambda params: function(array[::2], **params, out=array[::2]),
        lambda params: function(other, **params, out=array, where=True),
        lambda params: function(array, **params),
    ]


def in_number_types(value):
    """Return a bad value as each kind of number that holds it."""
    kinds = [int, float, np.float64, np.float32, np.float16, np.int8, np.array]
    if not np.isfinite(value):
        kinds.remove(int)
    with np.errstate(all="ignore"):
        numbers = [kind(np.float64(value)) for kind in kinds]
    return [number for number in numbers if same(number, value)]


def same(number, value):
    return float(number) == value or (np.isnan(number) and np.isnan(value))


@pytest.mark.parametrize(("row", "parameter"), CHECKED)
def test_a_bad_number_is_named_and_nothing_is_written(row, parameter, dtype, assert_same_bits):
    domain = row.params[parameter]
    before = values(dtype, 70)
    for bad in domain.bad:
        for number in in_number_types(bad):
            array = before.copy()
            for call in calls(row, array):
                with pytest.raises(ValueError, match=f"^{row.name}: {parameter} ") as caught:
                    call(row.sample_params | {parameter: number})
                message = f"{row.name}: {parameter} must be {domain.rule}, got {number}"
                assert str(caught.value) == message
                assert_same_bits(array, before, nan_bits=True)


@pytest.mark.parametrize("kind", [*DTYPES.values(), np.dtype(np.int64)], ids=str)
@pytest.mark.parametrize(("row", "parameter"), CHECKED)
def test_one_bad_element_of_an_array_of_parameters_is_found(row, parameter, kind, assert_same_bits):
    before = values(DTYPES["float64"], 70)
    good = np.full(70, row.whole_params[parameter], kind)
    with np.errstate(all="ignore"):
        bad_in_kind = np.array(row.params[parameter].bad).astype(kind)
    for bad, exact in zip(bad_in_kind, row.params[parameter].bad, strict=True):
        if not same(bad, exact):
            continue
        for position in (0, 33, 69):
            array, own = before.copy(), good.copy()
            own[position] = bad
            for call in calls(row, array)[::2]:
                with pytest.raises(ValueError, match=rf"^{row.name}: {parameter} must be .*, got "):
                    call(row.sample_params | {parameter: own})
                assert_same_bits(array, before, nan_bits=True)


BETWEEN = [row for row in ROWS if "lower" in row.params]


@pytest.mark.parametrize("row", BETWEEN, ids=lambda row: row.name)
def test_an_upper_bound_below_the_lower_one_is_named_and_nothing_is_written(row, assert_same_bits):
    before = values(DTYPES["float32"], 70)
    array, message = before.copy(), f"{row.name}: upper must be >= lower, got 1.0 with lower 2.0"
    bounds = np.linspace(3, 4, 70), np.linspace(3, 4, 70)
    bounds[0][5], bounds[1][5] = 2.0, 1.0
    column, line = np.array([[0.5], [2.0]]), np.array([2.5, 3.0, 1.0])
    for lower, upper in ((2.0, 1.0), (np.full(70, 2.0), 1.0), (2.0, np.full(70, 1.0)), bounds):
        for call in calls(row, array):
            with pytest.raises(ValueError, match=f"^{row.name}: ") as caught:
                call({"lower": lower, "upper": upper})
            assert str(caught.value) == message
            assert_same_bits(array, before, nan_bits=True)
    with pytest.raises(ValueError, match=f"^{message}$"):
        getattr(br, row.name)(np.ones((2, 3)), column, line)
    with pytest.raises(
        ValueError, match=rf"^{row.name}: lower and upper must fit, got \(2,\) and \(3,\)$"
    ):
        getattr(br, row.name)(1.0, np.ones(2), np.ones(3))
    equal = getattr(br, row.name)(before, 2.0, 2.0)
    assert_same_bits(equal, row.expected(before, lower=2.0, upper=2.0))


@pytest.mark.parametrize(("row", "parameter"), CHECKED)
def test_nothing_is_written_to_a_large_array_either(row, parameter, assert_same_bits):
    before = values(DTYPES["float32"], THREADED_SIZES[0])
    array = before.copy()
    own = row.spread(parameter, array.size, np.float32)
    own[-1] = NAN
    for bad in (row.params[parameter].bad[0], own):
        with pytest.raises(ValueError, match=parameter):
            calls(row, array)[0](row.sample_params | {parameter: bad})
    assert_same_bits(array, before, nan_bits=True)


@pytest.mark.parametrize(("row", "parameter"), PARAMETERS)
@pytest.mark.parametrize(
    "bad",
    ["0.5", None, 0.5j, [0.5, None], [0.5, [0.5]], np.complex64(1), np.float64],
    ids=str,
)
def test_what_is_not_a_number_is_a_type_error(row, parameter, bad):
    for call in calls(row, np.ones(2)):
        with pytest.raises(TypeError, match=f"^{row.name}: {parameter} must be a real number"):
            call(row.sample_params | {parameter: bad})


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
@pytest.mark.parametrize("dtype", ["complex64", "longdouble", "object", "U3", "datetime64[s]"])
def test_arrays_of_other_types_are_a_type_error(row, dtype):
    if dtype == "longdouble" and np.dtype(dtype) == np.float64:
        pytest.skip("long double is double here")
    if dtype == "complex64" and row.name in ELEMENTWISE and row.takes_complex:
        pytest.skip("it takes complex numbers")
    with pytest.raises(TypeError, match=row.name):
        getattr(br, row.name)(np.zeros(3, dtype), **row.sample_params)


@pytest.mark.parametrize("row", PENALTIES.values(), ids=lambda row: row.name)
def test_lists_of_unequal_lengths_are_a_type_error(row):
    with pytest.raises(TypeError, match=f"^{row.name}: the array must be "):
        getattr(br, row.name)([[1.0], [2.0, 3.0]], **row.sample_params)


@pytest.mark.parametrize("row", PENALTIES.values(), ids=lambda row: row.name)
def test_an_axis_that_is_not_there_is_an_error(row):
    for axis in (2, -3, (0, 2), (0, 0), (0, -2)):
        with pytest.raises(ValueError, match=r"axis"):  # AxisError is one
            getattr(br, row.name)(np.ones((2, 3)), **row.sample_params, axis=axis)
    with pytest.raises(TypeError):
        getattr(br, row.name)(np.ones((2, 3)), **row.sample_params, axis=0.5)


@pytest.mark.parametrize("row", ELEMENTWISE.values(), ids=lambda row: row.name)
def test_an_out_that_does_not_fit_is_an_error_and_stays_as_it_is(row, assert_same_bits):
    x = np.ones(70)
    read_only = np.full(70, 7.0)
    read_only.flags.writeable = False
    outs = [np.full(69, 7.0), np.full((70, 1), 7.0), np.full(70, 7), read_only]
    for out in (*outs, np.full(1, 7.0)):
        before = out.copy()
        with pytest.raises((TypeError, ValueError)):
            getattr(br, row.name)(x, **row.sample_params, out=out)
        assert_same_bits(out, before)
    for out in ([0.0] * 70, "out", 3):
        with pytest.raises(TypeError):
            getattr(br, row.name)(x, **row.sample_params, out=out)
