"""Arrays that do not fit: the message says what and which, and nothing has been written."""

import re
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np
import pytest
from numpy.lib.stride_tricks import as_strided

import bridle as br

from ..conftest import by_name, placed

ANY_FLOAT = "must be of type float16, bfloat16, float32 or float64"
WIDE = "must be float32 or float64"
NARROW = "must be float16, bfloat16 or float32, as {} is float32"


@dataclass(frozen=True)
class Row:
    """A function, the names of its arrays, those that it writes, and what their types must be."""

    function: str
    names: tuple[str, ...]
    written: str
    rules: tuple[str, ...]
    options: dict[str, float] = field(default_factory=dict)

    def call(self, arrays):
        return getattr(br, self.function)(*(arrays[name] for name in self.names), **self.options)

    def refused(self, arrays, error, message):
        """Check that a call fails with just this message and writes nothing."""
        every = [a for value in arrays.values() for a in flat(value)]
        before = [array.tobytes() for array in every]
        with pytest.raises(error, match=f"^{re.escape(f'{self.function}: {message}')}$"):
            self.call(arrays)
        assert [array.tobytes() for array in every] == before


def flat(value):
    items = value.values() if isinstance(value, dict) else value
    items = [value] if isinstance(value, np.ndarray) or not np.iterable(items) else items
    return [array for array in items if isinstance(array, np.ndarray)]


ROWS = {
    row.function: row
    for row in (
        Row("global_norm", ("arrays",), "", (ANY_FLOAT,)),
        Row("clip_by_global_norm", ("arrays",), "arrays", (ANY_FLOAT,), {"max_norm": 0.5}),
        Row("cast", ("x", "out"), "out", (ANY_FLOAT, ANY_FLOAT)),
        Row("accumulate", ("total", "gradient"), "total", (WIDE, NARROW.format("total"))),
        Row(
            "average_update",
            ("average", "w"),
            "average",
            (WIDE, NARROW.format("average")),
            {"decay": 0.5},
        ),
    )
}
PAIRED = {name: row for name, row in ROWS.items() if len(row.names) == 2}
WRITING = {name: row for name, row in ROWS.items() if row.written}


@pytest.fixture(**by_name(ROWS))
def row(request):
    return request.param


@pytest.fixture(**by_name(PAIRED))
def paired(request):
    return request.param


@pytest.fixture(**by_name(WRITING))
def writing(request):
    return request.param


def single(row, shape=(3, 4)):
    return {name: np.ones(shape, np.float32) for name in row.names}


def lists(row, count=4):
    return {name: [np.ones((3, 4), np.float32) for _ in range(count)] for name in row.names}


def mappings(row):
    return {name: dict(zip("abcd", arrays, strict=True)) for name, arrays in lists(row).items()}


def test_what_is_no_array_is_an_error(row):
    for name in row.names:
        for bad in (None, "w", iter([])):
            if row.function == "global_norm":
                continue  # which makes an array of it
            got = type(bad).__name__
            message = f"{name} must be an array, or a list, tuple or mapping of arrays, got {got}"
            row.refused(single(row) | {name: bad}, TypeError, message)
        for bad, got in ((None, "NoneType"), (1.0, "float"), ({}, "dict")):
            arrays = lists(row)
            arrays[name][2] = bad
            row.refused(arrays, TypeError, f"{name}[2] must be an array, got {got}")
            arrays = mappings(row)
            arrays[name]["c"] = bad
            row.refused(arrays, TypeError, f"{name}['c'] must be an array, got {got}")


def test_arrays_of_other_types_are_an_error(row):
    for name, rule in zip(row.names, row.rules, strict=True):
        for kind in ("i4", "?", "c8", "O", ">f4"):
            bad = np.ones((3, 4), kind)
            got = f"{bad.dtype} of shape (3, 4)"
            row.refused(single(row) | {name: bad}, TypeError, f"{name} {rule}, got {got}")
            arrays = mappings(row)
            arrays[name]["b"] = bad
            row.refused(arrays, TypeError, f"{name}['b'] {rule}, got {got}")
        bad = placed(np.ones((3, 4), np.float32), 1)
        got = "float32 of shape (3, 4) that is not aligned"
        row.refused(single(row) | {name: bad}, TypeError, f"{name} {rule}, got {got}")


@pytest.mark.parametrize("name", ["accumulate", "average_update"])
def test_doubles_go_with_doubles(name):
    row = ROWS[name]
    first, second = row.names
    arrays = single(row) | {second: np.ones((3, 4))}
    row.refused(arrays, TypeError, f"{second} {row.rules[1]}, got float64 of shape (3, 4)")
    arrays = single(row) | {first: np.ones((3, 4))}
    message = f"{second} must be float64, as {first} is, got float32 of shape (3, 4)"
    row.refused(arrays, TypeError, message)


def test_other_shapes_are_an_error(paired):
    first, second = paired.names
    for shape in ((4, 3), (12,), (3, 4, 1), (1, 4), (), (0,)):
        bad = np.ones(shape, np.float32)
        message = f"must have the shape of {first}, got float32 of shape {shape}"
        paired.refused(single(paired) | {second: bad}, ValueError, f"{second} {message}")
        arrays = lists(paired)
        arrays[second][3] = bad
        paired.refused(arrays, ValueError, f"{second}[3] {message}")


def test_lists_go_with_lists_of_equal_length(paired):
    first, second = paired.names
    for count in (0, 3, 5):
        arrays = lists(paired) | {second: [np.ones((3, 4), np.float32)] * count}
        message = f"{second} must be a list of 4 arrays, as {first} is, got {count} in a list"
        paired.refused(arrays, ValueError, message)
    one = single(paired)
    message = f"{second} must be a list of 4 arrays, as {first} is, got an array"
    paired.refused(lists(paired) | {second: one[second]}, ValueError, message)
    message = f"{second} must be an array, as {first} is, got 1 in a list"
    paired.refused(one | {second: [one[second]]}, ValueError, message)


def test_mappings_go_with_mappings_of_the_same_keys(paired):
    first, second = paired.names
    missing, more = mappings(paired), mappings(paired)
    del missing[second]["c"]
    paired.refused(missing, ValueError, f"{second} must have the keys of {first}, got none of 'c'")
    more[second]["z"] = more[second]["a"].copy()
    paired.refused(more, ValueError, f"{second} must have the keys of {first}, got also 'z'")
    mixed = mappings(paired) | {second: lists(paired)[second]}
    paired.refused(mixed, ValueError, f"{second} must be a mapping, as {first} is, got list")
    mixed = lists(paired) | {second: mappings(paired)[second]}
    paired.refused(mixed, ValueError, f"{second} must be a list, as {first} is, got dict")
    mixed = single(paired) | {second: mappings(paired)[second]}
    paired.refused(mixed, ValueError, f"{second} must be an array, as {first} is, got dict")
    fixed = {name: MappingProxyType(value) for name, value in mappings(paired).items()}
    paired.call(fixed)


def test_what_is_written_must_be_writeable(writing):
    fixed = np.ones((3, 4), np.float32)
    fixed.flags.writeable = False
    name, got = writing.written, "float32 of shape (3, 4)"
    message = f"must be writeable, got {got}"
    writing.refused(single(writing) | {name: fixed}, ValueError, f"{name} {message}")
    arrays = mappings(writing)
    arrays[name]["d"] = fixed
    writing.refused(arrays, ValueError, f"{name}['d'] {message}")
    shared = as_strided(np.ones(40, np.float32), (3, 4), (0, 4))
    message = f"{name} must have elements that share no memory, got some that do"
    writing.refused(single(writing) | {name: shared}, ValueError, message)


def test_what_is_read_may_be_read_only_and_repeated(paired):
    for name in paired.names:
        if name != paired.written:
            fixed = np.ones((3, 4), np.float32)
            fixed.flags.writeable = False
            paired.call(lists(paired) | {name: [fixed] * 4})
    memory = np.ones((3, 4), np.float32)
    assert br.global_norm([memory, memory]).l2 == np.sqrt(24)


def test_what_is_written_shares_no_memory(writing):
    memory = np.ones(40, np.float32)
    name = writing.written
    arrays = lists(writing)
    arrays[name][0], arrays[name][2] = (memory[k : k + 12].reshape(3, 4) for k in (0, 11))
    message = f"{name}[2] must share no memory with {name}[0], got arrays that overlap"
    writing.refused(arrays, ValueError, message)


def test_what_is_read_shares_no_memory_with_what_is_written(paired):
    memory = np.ones(40, np.float32)
    first, second = paired.names
    for shift in (0, 4, 11):
        both = {first: memory[:12].reshape(3, 4), second: memory[shift : shift + 12].reshape(3, 4)}
        message = f"{second} must share no memory with {first}, got arrays that overlap"
        paired.refused(both, ValueError, message)
    paired.call({first: memory[:24:2], second: memory[1:24:2]})  # between each other


def test_masked_arrays_are_an_error(row):
    message = "masked arrays are not supported; fill or compress them first"
    for name in row.names:
        arrays = lists(row)
        arrays[name][1] = np.ma.array(arrays[name][1], mask=False)
        row.refused(arrays, TypeError, message)


def test_arrays_that_changed_since_they_were_prepared_are_an_error(writing):
    arrays = lists(writing)
    prepared = {name: br.prepare(value) for name, value in arrays.items()}
    arrays[writing.written][1].resize((2, 2), refcheck=False)
    name, rule = writing.written, "must be as it was when it was prepared"
    message = f"{name}[1] {rule}, got float32 of shape (2, 2) that has changed"
    writing.refused(prepared, ValueError, message)
