"""Arrays that do not fit: the message of an update says what and which; nothing is written."""

import re

import ml_dtypes
import numpy as np
import pytest
from numpy.lib.stride_tricks import as_strided

import bridle as br
from bridle import _core

from ..cases import DTYPES
from ..conftest import by_name, placed
from .calls import REGULARIZED, as_lists, call, parts, refused
from .data import operands
from .oracle import UPDATES, rich

FLOAT16, FLOAT32, FLOAT64 = DTYPES["float16"], DTYPES["float32"], DTYPES["float64"]


@pytest.fixture(**by_name(UPDATES))
def row(request):
    return request.param


@pytest.fixture(**by_name(REGULARIZED))
def regularized(request):
    return request.param


def test_an_array_of_another_shape_is_an_error(row):
    arrays = parts(row, operands(row, FLOAT32, (3, 5)))
    for name in list(arrays)[1:]:
        for shape in ((5, 3), (15,), (3, 5, 1), (3, 4), (1, 5), (), (0,)):
            wrong = np.zeros(shape, np.float32)
            message = f"{name} must have the shape of w, got float32 of shape {shape}"
            refused(row, arrays | {name: wrong}, ValueError, message)
        lists = as_lists(arrays)
        lists[name][3] = np.zeros((5, 3), np.float32)
        message = f"{name}[3] must have the shape of w, got float32 of shape (5, 3)"
        refused(row, lists, ValueError, message)


def test_an_array_of_another_type_is_an_error(row, dtype):
    arrays = parts(row, operands(row, dtype, 7))
    wide = dtype == FLOAT64
    halves = [DTYPES["float16"], DTYPES["bfloat16"]]
    for name in list(arrays)[1:]:
        if name == "gradient":
            rule = "must be of type float16, bfloat16 or float32, as w is not float64"
            if wide:
                rule = "must be of type float16, bfloat16, float32 or float64"
            allowed = [*halves, FLOAT32, *([FLOAT64] if wide else [])]
        elif name in row.states and not wide:
            rule, allowed = "must be float32 or bfloat16", [FLOAT32, DTYPES["bfloat16"]]
        else:
            rule, allowed = "must have the type of w", [dtype]
        for kind in [*DTYPES.values(), np.dtype(int), np.dtype(complex), np.dtype(object)]:
            if kind in allowed:
                continue
            wrong = np.zeros(7, kind)
            message = f"{name} {rule}, got {kind} of shape (7,)"
            refused(row, arrays | {name: wrong}, TypeError, message)
            lists = as_lists(arrays)
            lists[name][1] = wrong
            message = f"{name}[1] {rule}, got {kind} of shape (7,)"
            refused(row, lists, TypeError, message)


@pytest.mark.parametrize("kind", ["i4", "?", "c8", "g", "O", "U3", ">f4", ">f8", ">f2", "m8[s]"])
def test_weights_of_another_type_are_an_error(row, kind):
    w = np.zeros(3, kind)
    if w.dtype == np.float64:
        pytest.skip("long double is double here")
    arrays = parts(row, operands(row, FLOAT32, 3)) | {"w": w}
    rule = "must be of type float16, bfloat16, float32 or float64"
    refused(row, arrays, TypeError, f"w {rule}, got {w.dtype} of shape (3,)")
    lists = {name: [array] for name, array in arrays.items()}
    refused(row, lists, TypeError, f"w[0] {rule}, got {w.dtype} of shape (3,)")


def test_arrays_that_are_not_aligned_or_not_native_are_an_error(row):
    arrays = parts(row, operands(row, FLOAT64, 3))
    for name, array in arrays.items():
        rule = "must have the type of w"
        if name in ("w", "gradient"):
            rule = "must be of type float16, bfloat16, float32 or float64"
        wrong = f"{name} {rule}, got float64 of shape (3,) that is not aligned"
        refused(row, arrays | {name: placed(array, 1)}, TypeError, wrong)
        swapped = array.astype(">f8")
        refused(row, arrays | {name: swapped}, TypeError, f"{name} {rule}, got >f8 of shape (3,)")


def test_what_is_no_array_is_an_error(row):
    arrays = parts(row, operands(row, FLOAT64, 3))
    for name in arrays:
        if name == "toward":
            continue
        rule = f"{name} must be an array, or a list, tuple or mapping of arrays, got"
        bad = ((3.0, "float"), ("w", "str"), (set(), "set"), (iter([]), None))
        for wrong, kind in (*bad, (np.float64(3.0), "float64")):
            got = kind or type(wrong).__name__
            refused(row, arrays | {name: wrong}, TypeError, f"{rule} {got}")
        lists = as_lists(arrays)
        for wrong, kind in ((3.0, "float"), ([1.0], "list"), (None, "NoneType")):
            lists[name][2] = wrong
            refused(row, lists, TypeError, f"{name}[2] must be an array, got {kind}")
        optional = row.function in ("sgd_update", "rmsprop_update") and (
            name in ("momentum_buffer", "gradient_average")
        )
        if not optional:
            refused(row, arrays | {name: None}, TypeError, f"{rule} NoneType")


@pytest.mark.parametrize("keyword", ["l1", "l2", "weight_decay"])
def test_weights_that_are_no_arrays_are_an_error_whatever_else_is_given(regularized, keyword):
    arrays = parts(regularized, operands(regularized, FLOAT16, 3))
    message = "w must be an array, or a list, tuple or mapping of arrays, got NoneType"
    random = {"rounding": "stochastic", "seed": 1, "stream": 1}
    refused(regularized, arrays | {"w": None}, TypeError, message, **{keyword: [0.1]}, **random)
    lists = as_lists(arrays)
    lists["w"][3] = None
    refused(regularized, lists, TypeError, "w[3] must be an array, got NoneType", **random)


def test_lists_must_be_of_equal_length(row):
    arrays = parts(row, operands(row, FLOAT64, 3))
    for name in list(arrays)[1:]:
        for count in (0, 3, 5):
            lists = as_lists(arrays)
            lists[name] = [arrays[name].copy() for _ in range(count)]
            message = f"{name} must be a list of 4 arrays, as w is, got {count} in a list"
            refused(row, lists, ValueError, message)
            prepared = {n: br.prepare(v) for n, v in lists.items()}
            with pytest.raises(ValueError, match=f"^{row.function}: {name} must be a list of 4 "):
                call(row, prepared)
        message = f"{name} must be a list of 4 arrays, as w is, got an array"
        refused(row, as_lists(arrays) | {name: arrays[name]}, ValueError, message)
        message = f"{name} must be an array, as w is, got 1 in a list"
        refused(row, arrays | {name: [arrays[name].copy()]}, ValueError, message)


def test_arrays_that_are_written_must_be_writeable(row):
    arrays = parts(row, operands(row, FLOAT64, 3))
    for name in arrays:
        fixed = arrays[name].copy()
        fixed.flags.writeable = False
        lists = as_lists(arrays)
        lists[name][2] = fixed
        if name in ("gradient", "toward"):
            call(row, lists)
            call(row, arrays | {name: fixed})
            continue
        message = f"{name} must be writeable, got float64 of shape (3,)"
        refused(row, arrays | {name: fixed}, ValueError, message)
        message = f"{name}[2] must be writeable, got float64 of shape (3,)"
        refused(row, lists, ValueError, message)


@pytest.mark.parametrize("step", [1, 2, -1], ids=["contiguous", "every other", "reversed"])
def test_what_is_written_must_share_no_memory_with_the_others(row, step):
    arrays = parts(row, operands(row, FLOAT64, 12))
    names = list(arrays)
    for i, one in enumerate(names):
        for other in names[i + 1 :]:
            memory = np.ones(60)
            for shift in (0, 2, 10, 22):
                if {one, other} == {"gradient", "toward"}:
                    continue
                shared = {
                    one: memory[: 12 * abs(step)][::step],
                    other: memory[shift : shift + 12 * abs(step)][::step],
                }
                if not np.shares_memory(*shared.values()):
                    call(row, arrays | shared)
                    continue
                message = f"{other} must share no memory with {one}, got arrays that overlap"
                refused(row, arrays | shared, ValueError, message)


def test_arrays_between_each_other_are_not_taken_for_overlapping(row):
    arrays = parts(row, operands(row, FLOAT64, (4, 5)))
    memory = np.zeros((4, 5, len(arrays)))
    mixed = {name: memory[..., k] for k, name in enumerate(arrays)}
    for name, array in arrays.items():
        mixed[name][...] = array
    assert call(row, mixed) == call(row, arrays)
    for name, array in arrays.items():
        np.testing.assert_array_equal(mixed[name], array)
    columns = {name: list(array.copy().T) for name, array in arrays.items()}
    call(row, columns)
    call(row, {name: list(array.copy()) for name, array in arrays.items()})


def test_no_array_may_be_in_a_list_twice(row):
    arrays = parts(row, operands(row, FLOAT64, 12))
    for name in arrays:
        memory = np.ones(15)
        for first, second in ((0, 0), (0, 3), (3, 0)):
            lists = as_lists(arrays)
            lists[name][0] = memory[first : first + 12]
            lists[name][3] = memory[second : second + 12]
            if name in ("gradient", "toward"):
                call(row, lists)
                continue
            message = f"{name}[3] must share no memory with {name}[0], got arrays that overlap"
            refused(row, lists, ValueError, message)


def test_no_array_may_be_in_two_lists(row):
    arrays = parts(row, operands(row, FLOAT64, 12))
    names = list(arrays)
    for i, one in enumerate(names):
        for other in names[i + 1 :]:
            lists = as_lists(arrays)
            lists[other][2] = lists[one][1]
            if {one, other} == {"gradient", "toward"}:
                call(row, lists)
                continue
            message = f"{other}[2] must share no memory with {one}[1], got arrays that overlap"
            refused(row, lists, ValueError, message)
            prepared = lists | {other: br.prepare(lists[other])}
            with pytest.raises(ValueError, match=f"^{re.escape(f'{row.function}: {message}')}$"):
                call(row, prepared)


def test_elements_that_are_written_must_share_no_memory(row):
    arrays = parts(row, operands(row, FLOAT64, (4, 3)))
    memory = np.ones(40)
    interleaved = (8, 40)
    for name in arrays:
        for strides in ((0, 8), (8, 8), (16, 24), interleaved):
            shared = as_strided(memory, (4, 3), strides)
            if name in ("gradient", "toward") or strides == interleaved:
                call(row, arrays | {name: shared})
                continue
            message = f"{name} must have elements that share no memory, got some that do"
            refused(row, arrays | {name: shared}, ValueError, message)


def test_a_masked_array_is_an_error_since_its_mask_would_be_overlooked(row):
    arrays = parts(row, operands(row, FLOAT64, 5))
    message = "masked arrays are not supported; fill or compress them first"
    for name, array in arrays.items():
        masked = np.ma.array(array, mask=[0, 1, 0, 0, 1])
        refused(row, arrays | {name: masked}, TypeError, message)
        lists = as_lists(arrays)
        lists[name][3] = masked
        refused(row, lists, TypeError, message)


def test_nothing_is_written_to_large_arrays_either(row):
    lists = as_lists(parts(row, operands(row, FLOAT32, 70_000)), 2)
    lists["w"][1] = lists["w"][1].astype(ml_dtypes.bfloat16)
    before = [array.tobytes() for arrays in lists.values() for array in arrays]
    with pytest.raises(TypeError, match=rf"^{row.function}: "):
        call(row, lists | {"w": [lists["w"][0], lists["w"][1].astype(int)]}, **rich(row))
    assert [array.tobytes() for arrays in lists.values() for array in arrays] == before


def test_of_a_long_list_the_first_wrong_array_is_told(set_threads):
    # Several threads look at it, each at a part.
    _core.require_all_threads(True)
    try:
        set_threads(4)
        for places in ((999,), (998, 999), (300, 301, 700), (0, 999)):
            weights = [np.ones(2, np.float32) for _ in range(1000)]
            gradients = [np.ones(2, np.float32) for _ in range(1000)]
            for kind, place in zip((3, 4, 5), places, strict=False):
                gradients[place] = np.ones(kind, np.float32)
            message = f"gradient[{places[0]}] must have the shape of w, got float32 of shape (3,)"
            with pytest.raises(ValueError, match=re.escape(message)):
                br.sgd_update(weights, gradients, lr=0.1)
            assert all((w == 1).all() for w in weights)
    finally:
        _core.require_all_threads(False)
