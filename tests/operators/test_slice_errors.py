"""Bad arguments of the operators of slices: one line that names them, and nothing is written."""

import re

import numpy as np
import pytest

import bridle as br

from ..cases import NAN
from ..slice_cases import ALL_SLICES, COUNT, SLICE_PENALTIES, SLICES, vectors

GROUPED = [row for row in ALL_SLICES if row.groups]
BESIDE = [row for row in ALL_SLICES if row.beside]
MAPS = list(SLICES.values())


def parametrize(rows):
    return pytest.mark.parametrize("row", rows, ids=[row.name for row in rows])


every_row = parametrize(ALL_SLICES)
CHECKED = [
    pytest.param(row, name, id=f"{row.name}-{name}") for row in ALL_SLICES for name in row.checked
]


def refuses(row, kind, message, x=None, out=None, **arguments):
    """Call with bad arguments and look whether anything was written, in place or elsewhere."""
    x = vectors(np.dtype(np.float64), (4, 12)) if x is None else x
    arguments = {"axis": -1} | row.arguments(np.shape(x)[-1] if np.ndim(x) else 0) | arguments
    if "offsets" in arguments or "labels" in arguments:
        del arguments["axis"]
    function = getattr(br, row.name)
    outs = [None] if row.name in SLICE_PENALTIES else [x, np.full(np.shape(x), 7.0), None]
    for result in outs if out is None else [out]:
        held = [np.array(array, copy=True) for array in (x, result) if array is not None]
        if result is not None:
            arguments = arguments | {"out": result}
        with pytest.raises(kind, match=rf"^{row.name}: {message}") as caught:
            function(x, **arguments)
        assert "\n" not in str(caught.value)
        for array, before in zip((x, result), held, strict=False):
            np.testing.assert_array_equal(np.asarray(array), before)
        arguments.pop("out", None)


@pytest.mark.parametrize(("row", "parameter"), CHECKED)
def test_a_bad_number_is_named(row, parameter):
    domain = row.params[parameter]
    for bad in domain.bad:
        kinds = (int,) if domain is COUNT else (float, np.float64, np.array)
        for kind in kinds:
            number = kind(bad)
            message = re.escape(f"{parameter} must be {domain.rule}, got {number}")
            refuses(row, ValueError, message, **{parameter: number})


@pytest.mark.parametrize(("row", "parameter"), CHECKED)
@pytest.mark.parametrize(
    "bad", ["0.5", None, 0.5j, [0.5, 0.5], np.ones(2)], ids=lambda b: str(type(b))
)
def test_what_is_not_a_number_is_a_type_error(row, parameter, bad):
    kind = "an integer" if row.params[parameter] is COUNT else "a real number"
    refuses(row, TypeError, f"{parameter} must be {kind}", **{parameter: bad})


@parametrize([row for row in ALL_SLICES if COUNT in row.params.values()])
def test_a_count_is_an_integer(row):
    for parameter in row.params:
        for bad in (0.5, 2.0, NAN, np.float64(1)):
            refuses(row, TypeError, f"{parameter} must be an integer", **{parameter: bad})


def test_the_largest_norm_is_not_below_the_smallest():
    refuses(SLICES["min_max_norm"], ValueError, "max_value must be >= min_value", min_value=0.8)


def test_of_m_elements_no_more_than_m_stay():
    row = SLICES["project_n_m"]
    refuses(row, ValueError, "m must be >= n, got 4 with n 5", n=5, m=4)
    for m in (0, -1):
        refuses(row, ValueError, "m must be ", n=0, m=m)
        refuses(row, ValueError, "m must be ", np.empty((3, 0)), n=0, m=m)
    for size in (3, 6, 13):
        message = f"the length of a vector must be a multiple of m, 4, got {size}$"
        refuses(row, ValueError, message, vectors(np.dtype(np.float32), (2, size)))


@parametrize(BESIDE)
def test_what_lies_beside_has_the_length_of_a_vector(row):
    name = row.beside.name
    for shape in ((11,), (13,), (1,), (0,), (4, 12), (12, 1), ()):
        refuses(row, ValueError, f"{name} must ", **{name: np.ones(shape)})
    for bad in (["a"] * 12, [None] * 12, [[1.0], *[1.0] * 11], np.ones(12) * 1j):
        refuses(row, TypeError, f"{name} must ", **{name: bad})
    refuses(row, TypeError, f"{name} must not be masked", **{name: np.ma.ones(12)})


@parametrize(BESIDE)
def test_what_lies_beside_keeps_its_rule(row):
    name = row.beside.name
    x = vectors(np.dtype(np.float64), (4, 3))
    for message, numbers in row.beside.bad.items():
        for kind in (list, np.array, lambda v: np.array(v, np.float32)):
            refuses(row, ValueError, f"{name} {message}", x, **{name: kind(numbers)})


@every_row
def test_an_axis_that_is_not_there_is_named(row):
    for axis in (2, -3, 100):
        refuses(row, ValueError, "axis ", axis=axis)
    for axis in (0.5, "0"):
        refuses(row, TypeError, "axis ", axis=axis)
    with pytest.raises(ValueError, match=f"^{row.name}: axis "):
        getattr(br, row.name)(np.array(1.0), **row.arguments(1), axis=1)


@parametrize([row for row in ALL_SLICES if row.groups or row.axis == 0])
def test_axes_that_are_not_there_are_named(row):
    for axis in ((0, 2), (0, 0), (0, -2), (-3,)):
        refuses(row, ValueError, "axis ", axis=axis)
    refuses(row, TypeError, "axis ", axis=(0, 0.5))


@parametrize(GROUPED)
def test_bad_offsets_are_named(row):
    x = vectors(np.dtype(np.float64), (12,))
    for offsets in ([1, 12], [0, 11], [0, 13], [0, 7, 5, 12], [0, -1, 12], [], [[0, 12]], 12):
        refuses(row, ValueError, "offsets ", x, offsets=offsets)
    for offsets in ([0.0, 12.0], np.array([0, 12], np.float32), ["0", "12"], [0, [12]]):
        refuses(row, TypeError, "offsets ", x, offsets=offsets)
    refuses(row, TypeError, "offsets ", x, offsets=np.ma.array([0, 12]))
    refuses(row, ValueError, "offsets ", vectors(np.dtype(np.float64), (3, 4)), offsets=[0, 12])


@parametrize(GROUPED)
def test_bad_labels_are_named(row):
    x = vectors(np.dtype(np.float64), (3, 4))
    for shape in ((12,), (4, 3), (3,), (3, 4, 1), ()):
        refuses(row, ValueError, "labels ", x, labels=np.zeros(shape, int))
    for labels in (np.zeros((3, 4)), np.full((3, 4), "0"), [[0], [1, 2]]):
        refuses(row, TypeError, "labels ", x, labels=labels)
    refuses(row, TypeError, "labels ", x, labels=np.ma.zeros((3, 4), int))
    line = x.ravel()
    for largest in (2**48, 2**62, 2**63 - 1):
        labels = np.full((3, 4), largest)
        refuses(row, ValueError, rf"labels must be below 2\*\*48, got {largest}", x, labels=labels)
    both = {"labels": np.zeros(12, int), "offsets": [0, 12]}
    with pytest.raises((TypeError, ValueError), match=rf"^{row.name}: .*offsets.*labels"):
        getattr(br, row.name)(line, **row.arguments(12), **both)


@parametrize(GROUPED)
def test_bad_weights_are_named(row):
    matrix, line = vectors(np.dtype(np.float64), (3, 4)), vectors(np.dtype(np.float64), (12,))
    for bad in (-1.0, NAN, -5e-324):
        for position in (0, 2):
            weights = np.ones(3)
            weights[position] = bad
            message = f"weights must be >= 0, got {bad}"
            refuses(row, ValueError, message, matrix, weights=weights)
            refuses(row, ValueError, message, line, weights=weights, offsets=[0, 5, 5, 12])
            refuses(row, ValueError, message, line, weights=weights, labels=np.arange(12) % 3)
    for shape in ((2,), (4,), (3, 4), (1, 3), ()):
        refuses(row, ValueError, "weights ", matrix, weights=np.ones(shape))
    refuses(row, ValueError, "weights ", line, weights=np.ones(3), offsets=[0, 5, 12])
    refuses(row, ValueError, "weights ", line, weights=np.ones(2), labels=np.arange(12) % 3)
    for bad in (["a"] * 3, [1j] * 3, [None] * 3):
        refuses(row, TypeError, "weights ", matrix, weights=bad)
    refuses(row, TypeError, "weights must not be masked", matrix, weights=np.ma.ones(3))


@parametrize(MAPS)
def test_an_out_that_does_not_fit_stays_as_it_is(row):
    x = vectors(np.dtype(np.float64), (4, 12))
    read_only = np.full((4, 12), 7.0)
    read_only.flags.writeable = False
    refuses(row, ValueError, "out ", x, read_only)
    for shape in ((4, 11), (48,), (12, 4), (1, 4, 12), ()):
        refuses(row, ValueError, "out ", x, np.full(shape, 7.0))
    for dtype in ("int64", "bool", "U3"):
        refuses(row, TypeError, "out ", x, np.full((4, 12), 1, dtype))
    refuses(row, TypeError, "out ", x, np.ma.zeros((4, 12)))
    for out in ([[0.0] * 12] * 4, "out", 3):
        with pytest.raises(TypeError, match=f"^{row.name}: out "):
            getattr(br, row.name)(x, **row.arguments(12), axis=-1, out=out)
    whole = np.ones((4, 12), np.int64)
    refuses(row, TypeError, "out ", whole, whole)


@every_row
def test_arrays_of_other_types_are_a_type_error(row):
    for dtype in ("complex64", "longdouble", "object", "U3", "datetime64[s]"):
        with pytest.raises(TypeError, match=f"^{row.name}: "):
            getattr(br, row.name)(np.zeros((2, 12), dtype), **row.arguments(12), axis=-1)
    if row.name != "project_l0_ball":  # which takes lists of arrays
        with pytest.raises(TypeError, match=f"^{row.name}: "):
            getattr(br, row.name)([[1.0] * 12, [1.0] * 11], **row.arguments(12), axis=-1)
    masked = np.ma.array(np.ones((2, 12)), mask=np.eye(2, 12))
    with pytest.raises(TypeError, match=f"^{row.name}: .*masked"):
        getattr(br, row.name)(masked, **row.arguments(12), axis=-1)
    with pytest.raises(TypeError, match=f"^{row.name}: .*masked"):
        getattr(br, row.name)([masked[0], masked[1]], **row.arguments(12), axis=-1)


@every_row
def test_nothing_is_written_to_a_large_array_either(row, assert_same_bits):
    if not row.checked:
        pytest.skip("has no parameter")
    parameter = row.checked[-1]
    x = vectors(np.dtype(np.float32), (20, 20_000))
    before = x.copy()
    out = {} if row.name in SLICE_PENALTIES else {"out": x}
    arguments = row.arguments(20_000, **{parameter: row.params[parameter].bad[0]})
    with pytest.raises(ValueError, match=f"^{row.name}: {parameter} "):
        getattr(br, row.name)(x, **arguments, axis=-1, **out)
    assert_same_bits(x, before)


def test_bad_arguments_of_top_k_are_named():
    arrays = [np.ones(3), np.ones(4)]
    for k in (-1, 8):
        with pytest.raises(ValueError, match=r"^top_k_threshold: k must be "):
            br.top_k_threshold(arrays, k)
    for k in (1.0, "1", None):
        with pytest.raises(TypeError, match=r"^top_k_threshold: k must be an integer"):
            br.top_k_threshold(arrays, k)
    for bad in ([np.ones(3), np.ones(2, complex)], [np.ma.ones(3)], "abc"):
        with pytest.raises(TypeError, match=r"^top_k_threshold: "):
            br.top_k_threshold(bad, 1)
