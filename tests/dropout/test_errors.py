"""Bad arguments of dropout: the message names function, argument, value; nothing is written."""

import ml_dtypes
import numpy as np
import pytest

import bridle as br

from ..cases import NAN


def dropout(x=(1.0, 2.0), p=0.5, **keywords):
    return br.dropout(x, p, **({"seed": 1} | keywords))


def dropout_mask(shape=3, p=0.5, **keywords):
    return br.dropout_mask(shape, p, **({"seed": 1} | keywords))


@pytest.mark.parametrize("function", [dropout, dropout_mask], ids=lambda f: f.__name__)
@pytest.mark.parametrize("p", [-0.5, 1.5, NAN, -5e-324, np.inf, np.float32(1.5), 2], ids=repr)
def test_a_probability_outside_its_range_is_an_error(function, p):
    with pytest.raises(ValueError, match=rf"^{function.__name__}: p must be .*, got {p}$"):
        function(p=p)


@pytest.mark.parametrize("function", [dropout, dropout_mask], ids=lambda f: f.__name__)
@pytest.mark.parametrize("name", ["seed", "stream", "offset"])
@pytest.mark.parametrize("value", [-1, 2**64, 10**30, np.int8(-1)], ids=repr)
def test_an_integer_outside_its_range_is_an_error(function, name, value):
    with pytest.raises(ValueError, match=rf"^{function.__name__}: {name} must be .*, got {value}$"):
        function(**{name: value})


@pytest.mark.parametrize("function", [dropout, dropout_mask], ids=lambda f: f.__name__)
@pytest.mark.parametrize("name", ["p", "seed", "stream", "offset"])
@pytest.mark.parametrize("value", ["1", None, [0.5], 1j], ids=repr)
def test_an_argument_of_another_type_is_a_type_error(function, name, value):
    with pytest.raises(TypeError, match=f"^{function.__name__}: {name} must be"):
        function(**{name: value})
    if name != "p":
        with pytest.raises(TypeError, match=f"^{function.__name__}: {name} must be an integer"):
            function(**{name: 1.0})


def test_a_length_that_is_none_is_an_error():
    for shape in (-1, (3, -1), 2**63):
        with pytest.raises(ValueError, match=r"^dropout_mask: shape must be"):
            dropout_mask(shape)
    for shape in (1.5, (3, None), "3"):
        with pytest.raises(TypeError, match=r"^dropout_mask: shape must be"):
            dropout_mask(shape)


@pytest.mark.parametrize(
    ("out", "error"),
    [
        (np.full(69, 7.0), ValueError),
        (np.full((70, 1), 7.0), ValueError),
        (np.full((1, 70), 7.0), ValueError),
        (np.full(70, 7), TypeError),
        (np.full(70, True), TypeError),
        ([0.0] * 70, TypeError),
    ],
    ids=["shorter", "column", "row", "integers", "bool", "list"],
)
def test_an_out_of_dropout_that_does_not_fit_stays_as_it_is(out, error):
    before = np.array(out)
    with pytest.raises(error, match=r"^dropout: "):
        dropout(np.ones(70), out=out)
    np.testing.assert_array_equal(out, before)


def test_nothing_is_written_when_an_argument_of_dropout_is_bad(assert_same_bits):
    x = np.ones(70_000, ml_dtypes.bfloat16)
    x.flags.writeable = False
    with pytest.raises(ValueError, match="read-only"):
        dropout(x, out=x)
    x = x.copy()
    for bad in ({"p": 1.5}, {"seed": -1}, {"stream": 2**64}, {"offset": -1}):
        with pytest.raises(ValueError, match=next(iter(bad))):
            dropout(x, out=x, **bad)
    with pytest.raises(TypeError, match="complex64"):
        dropout(np.ones(3, np.complex64))
    assert (x == 1).all()
