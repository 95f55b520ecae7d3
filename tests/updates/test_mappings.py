"""Mappings of names to arrays: what belongs together is told by the keys."""

import numpy as np
import pytest

import bridle as br

from ..cases import DTYPES
from ..conftest import by_name
from .calls import call, parts, refused
from .data import operands
from .oracle import UPDATES

FLOAT32 = DTYPES["float32"]
SHAPES = {"kernel": (5, 4), "bias": (4,), "scale": ()}


@pytest.fixture(**by_name(UPDATES))
def row(request):
    return request.param


def model(row):
    """Return mappings of arrays by the names of the parameters."""
    every = {key: parts(row, operands(row, FLOAT32, shape)) for key, shape in SHAPES.items()}
    names = every["bias"].keys()
    return {name: {key: arrays[name] for key, arrays in every.items()} for name in names}


def copied(arrays):
    return {name: {key: a.copy() for key, a in group.items()} for name, group in arrays.items()}


def turned(group):
    return dict(reversed(group.items()))


def as_given(group):
    return group


@pytest.mark.parametrize("prepared", [as_given, br.prepare], ids=["dict", "prepared"])
def test_companions_go_by_their_keys_and_numbers_by_the_order_of_w(row, prepared, assert_same_bits):
    arrays = model(row)
    expected = {name: list(group.values()) for name, group in copied(arrays).items()}
    options = {"l1": [0.1, 0.0, 0.3]}
    wanted = call(row, expected, **options)
    given = {
        name: prepared(group if name == "w" else turned(group)) for name, group in arrays.items()
    }
    summary = call(row, given, **options)
    assert summary == wanted
    for name, group in arrays.items():
        for array, other in zip(group.values(), expected[name], strict=True):
            assert_same_bits(array, other)


def test_messages_name_the_key(row):
    arrays = model(row)
    name = list(arrays)[1]
    wrong = copied(arrays)
    wrong[name]["bias"] = np.zeros(3, np.float32)
    message = f"{name}['bias'] must have the shape of w, got float32 of shape (3,)"
    with pytest.raises(ValueError, match=rf"^{row.function}: ") as error:
        call(row, wrong)
    assert str(error.value) == f"{row.function}: {message}"


def test_other_keys_are_an_error(row):
    for change, got in (
        (lambda group: group.pop("bias"), "none of 'bias'"),
        (lambda group: group.update(more=np.zeros(2, np.float32)), "also 'more'"),
    ):
        for name in list(model(row))[1:]:
            arrays = model(row)
            change(arrays[name])
            with pytest.raises(ValueError, match=r".") as error:
                call(row, arrays)
            assert str(error.value) == f"{row.function}: {name} must have the keys of w, got {got}"


def test_a_mapping_goes_with_mappings_alone(row):
    arrays = model(row)
    name = list(arrays)[1]
    lists = arrays | {name: list(arrays[name].values())}
    refused(row, lists, ValueError, f"{name} must be a mapping, as w is, got list")
