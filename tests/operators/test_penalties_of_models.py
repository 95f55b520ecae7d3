"""Penalties of several arrays: added in order; a nested list of numbers is one array."""

import re

import ml_dtypes
import numpy as np
import pytest

import bridle as br

from ..cases import DTYPES, NAN, values

NUMBERS = {"l1_penalty": (0.3,), "l2_penalty": (0.7,), "elastic_net_penalty": (0.3, 0.7)}


@pytest.fixture(params=NUMBERS)
def name(request):
    return request.param


def arrays():
    every = [values(dtype, 3000, finite=True).reshape(30, 100) for dtype in DTYPES.values()]
    return [*every, every[2][:, :-1], every[3].T, np.arange(5), np.zeros(0), np.array(2.0)]


def test_the_penalties_are_added_in_order(name, threads):
    function, numbers = getattr(br, name), NUMBERS[name]
    total = np.float64(0)
    for array in arrays():
        total += function(array, *numbers)
    named = {f"layer.{i}": array for i, array in enumerate(arrays())}
    for several in (arrays(), tuple(arrays()), named, br.prepare(arrays()), br.prepare(named)):
        result = function(several, *numbers)
        assert type(result) is np.float64
        assert result == total


def test_nothing_costs_nothing(name):
    for nothing in ([], (), {}, br.prepare([])):
        assert getattr(br, name)(nothing, *NUMBERS[name]) == 0.0


def test_a_nested_list_of_numbers_is_one_array(name):
    function, numbers = getattr(br, name), NUMBERS[name]
    nested = [[-3.0, 0.5], [2.0, 0.0]]
    assert function(nested, *numbers) == function(np.array(nested), *numbers)
    by_columns = function(nested, *numbers, axis=0)
    np.testing.assert_array_equal(by_columns, function(np.array(nested), *numbers, axis=0))
    numbers_of_numpy = [np.float64(-3.0), np.float64(0.5)]
    assert function(numbers_of_numpy, *numbers, axis=0) == function([-3.0, 0.5], *numbers)


@pytest.mark.parametrize(
    ("keywords", "message"),
    [
        ({"axis": 0}, "axis must be left alone for several arrays, got 0"),
        ({"axis": ()}, "axis must be left alone for several arrays, got ()"),
        ({"keepdims": True}, "keepdims must be left alone for several arrays, got True"),
    ],
    ids=str,
)
def test_several_arrays_have_no_axis(name, keywords, message):
    for several in ([np.ones(3)], {"w": np.ones(3)}, br.prepare([np.ones(3)])):
        with pytest.raises(TypeError, match=f"^{re.escape(f'{name}: {message}')}$"):
            getattr(br, name)(several, *NUMBERS[name], **keywords)


def test_the_strengths_of_several_arrays_are_numbers(name):
    first = "l1" if name == "elastic_net_penalty" else "strength"
    rest = NUMBERS[name][1:]
    message = f"{name}: {first} must be a number for several arrays, got [0.1, 0.2]"
    with pytest.raises(TypeError, match=f"^{re.escape(message)}$"):
        getattr(br, name)([np.ones(2), np.ones(2)], [0.1, 0.2], *rest)
    for bad in (-0.5, NAN):
        for several in ([np.ones(2)], {}):
            with pytest.raises(ValueError, match=rf"^{name}: {first} must be >= 0, got {bad}$"):
                getattr(br, name)(several, bad, *rest)


@pytest.mark.parametrize("bad", [np.array(["x"]), np.ones(2, complex), None, np.array([object()])])
def test_what_is_no_array_of_numbers_is_named(name, bad):
    several = {"layer.bias": np.ones(2), "layer.weight": bad}
    with pytest.raises(TypeError, match=rf"^{name}: w\['layer.weight'\] must be of type float16, "):
        getattr(br, name)(several, *NUMBERS[name])


def test_halves_keep_their_precision():
    half = np.full(10_000, 0.1, ml_dtypes.bfloat16)
    assert br.l2_penalty([half, half]) == 2 * br.l2_penalty(half)
