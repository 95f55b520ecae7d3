"""The C functions of the operators of slices are the Python functions."""

import ctypes

import numpy as np
import pytest

import bridle as br

from ..cases import NAN
from ..slice_cases import ALL_SLICES, NORMAL, SLICE_PENALTIES, SLICES, vectors

TYPES = {"f32": np.float32, "f64": np.float64}
# before, length, after
ROWS, COLUMNS, WHOLE, MIDDLE = (7, 12, 1), (1, 12, 9), (1, 12, 1), (3, 8, 5)
LARGE = [(2, 70_000, 1), (20_000, 8, 1), (1, 4100, 33), (1, 8, 20_000), (1, 200_000, 1)]
EMPTY = [(0, 4, 3), (3, 4, 0), (3, 0, 2), (0, 0, 0)]
SMALL = [ROWS, COLUMNS, WHOLE, MIDDLE]

every_row = pytest.mark.parametrize("row", ALL_SLICES, ids=lambda row: row.name)
every_type = pytest.mark.parametrize("suffix", TYPES)
with_groups = pytest.mark.parametrize(
    "row", [row for row in ALL_SLICES if row.groups], ids=lambda row: row.name
)


def function(row, suffix, form=""):
    """Return the C function of one form with its types."""
    pointer, size = ctypes.c_void_p, ctypes.c_int64
    where = [size, pointer, size] if form else [size] * 3
    types = [pointer, *where, *[ctypes.c_double] * len(row.params), pointer, pointer]
    address = br.c_api_address(f"{row.name}{form}_{suffix}")
    return ctypes.CFUNCTYPE(ctypes.c_int, *types)(address)


def at(array):
    return None if array is None else array.ctypes.data


def result_like(row, x):
    return np.full(1, 9.0) if row.name in SLICE_PENALTIES else np.full_like(x, 9)


def same_as_python(row, call, x, arguments, same):
    """Compare with the Python function; call(x, out) calls the C function."""
    expected = getattr(br, row.name)(x, **row.sample_params, **arguments)
    out = result_like(row, x)
    assert call(x, out) == 0
    same(out[0] if row.name in SLICE_PENALTIES else out, expected, str(x.shape))
    if row.name in SLICES:
        assert call(x, x) == 0
        same(x, expected, f"in place, {x.shape}")


def array_of(row, length):
    return row.beside.make(length).astype(np.float64) if row.beside else None


@every_type
@every_row
def test_vectors_along_an_axis_have_the_bits_of_python(row, suffix, set_threads, assert_same_bits):
    set_threads(3)
    c_function = function(row, suffix)
    empty = [shape for shape in EMPTY if row.beside is not NORMAL or shape[1] > 0]
    for shape in [*SMALL, *LARGE, *empty]:
        x = vectors(np.dtype(TYPES[suffix]), shape)
        array = array_of(row, shape[1])

        def call(x, out, shape=shape, array=array):
            return c_function(at(x), *shape, *row.sample, at(array), at(out))

        arguments = {"axis": 1} | ({row.beside.name: array} if row.beside else {})
        same_as_python(row, call, x, arguments, assert_same_bits)


@every_type
@with_groups
def test_groups_have_the_bits_of_python(row, suffix, set_threads, assert_same_bits):
    set_threads(3)
    rng = np.random.default_rng(5)
    for n, count in ((0, 0), (0, 3), (1, 1), (97, 12), (100_000, 9000), (150_000, 3)):
        x = vectors(np.dtype(TYPES[suffix]), (n,))
        inner = np.sort(rng.integers(0, n + 1, max(count - 1, 0)))
        offsets = np.array([0, *inner, n] if count else [0], np.int64)
        labels = rng.integers(-1, count, n)
        for weights in (None, rng.random(count)):
            places = {"offsets": offsets, "labels": labels}
            if weights is None:
                labels[:1] = count - 1  # Python has as many groups as there are labels
            for name, where in places.items():
                c_function = function(row, suffix, f"_{name}")

                def call(x, out, c_function=c_function, where=where, size=(n, count), w=weights):
                    return c_function(
                        at(x), size[0], at(where), size[1], *row.sample, at(w), at(out)
                    )

                arguments = {name: where, "weights": weights}
                same_as_python(row, call, x.copy(), arguments, assert_same_bits)
    shape = (5, 6, 3)
    x, weights = vectors(np.dtype(TYPES[suffix]), shape), rng.random((5, 3))
    c_function = function(row, suffix)

    def call_axis(x, out):
        return c_function(at(x), *shape, *row.sample, at(weights), at(out))

    same_as_python(row, call_axis, x, {"axis": 1, "weights": weights}, assert_same_bits)


def refused(row, out, status):
    assert status == 1
    assert (out == 9).all()


@every_type
@every_row
def test_a_bad_number_is_refused_and_nothing_is_written(row, suffix):
    c_function = function(row, suffix)
    x = vectors(np.dtype(TYPES[suffix]), ROWS)
    out, array = result_like(row, x), array_of(row, ROWS[1])
    for index, domain in enumerate(row.params.values()):
        whole = {"k", "n", "m"} & {list(row.params)[index]}
        for bad in (*domain.bad, *([2.5, NAN, np.inf] if whole else [])):
            numbers = [*row.sample]
            numbers[index] = bad
            refused(row, out, c_function(at(x), *ROWS, *numbers, at(array), at(out)))
    if row.beside:
        for numbers in row.beside.bad.values():
            bad = np.array(numbers)
            refused(row, out, c_function(at(x), 28, 3, 1, *row.sample, at(bad), at(out)))


def test_the_length_is_a_multiple_of_m():
    row = SLICES["project_n_m"]
    c_function = function(row, "f32")
    x = vectors(np.dtype(np.float32), (84,))
    out = result_like(row, x)
    for length, n, m in ((6, 2, 4), (4, 0, 0), (0, 0, 0), (4, 2, 1), (4, 1, 1e300), (6, 0, -2)):
        refused(row, out, c_function(at(x), 14, length, 1, n, m, None, at(out)))
    assert c_function(at(x), 14, 6, 1, 1, 3, None, at(out)) == 0


@every_type
@every_row
def test_bad_arrays_are_refused_and_nothing_is_written(row, suffix):
    c_function = function(row, suffix)
    x = vectors(np.dtype(TYPES[suffix]), (84,))
    out, array = result_like(row, x), array_of(row, 12)
    first, second, third, item = at(x), at(out), at(array), x.itemsize
    calls = [
        (None, 7, 12, 1, third, second),
        (first, 7, 12, 1, third, None),
        (first + 1, 7, 12, 1, third, second),
        (first, 7, 12, 1, third, second + 1),
        (first, -7, 12, 1, third, second),
        (first, 7, -12, 1, third, second),
        (first, -7, -12, 1, third, second),
        (first, 7, 12, -1, third, second),
        (first, 2**40, 12, 2**40, third, second),
        (first, 2**62, 12, 1, third, second),
    ]
    if row.name in SLICES:
        calls += [
            (second, 6, 12, 1, third, second + item),
            (second + item, 6, 12, 1, third, second),
            (second, 6, 12, 1, third, second + 71 * item),
        ]
    if row.beside:
        calls += [(first, 7, 12, 1, None, second), (first, 7, 12, 1, third + 4, second)]
    elif row.groups:
        ones = np.ones(7)
        for bad in (-0.5, NAN):
            weights = np.ones(7)
            weights[5] = bad
            refused(row, out, c_function(first, 7, 12, 1, *row.sample, at(weights), second))
        calls += [(first, 7, 12, 1, at(ones) + 4, second)]
    else:
        ones = np.ones(84)
        calls += [(first, 7, 12, 1, at(ones), second)]
    for x_at, before, length, after, array_at, out_at in calls:
        status = c_function(x_at, before, length, after, *row.sample, array_at, out_at)
        refused(row, out, status)


@every_type
@with_groups
def test_bad_groups_are_refused_and_nothing_is_written(row, suffix):
    x = vectors(np.dtype(TYPES[suffix]), (12,))
    out, weights = result_like(row, x), np.ones(3)
    offsets, labels = np.array([0, 5, 5, 12]), np.arange(12) % 3
    bad_offsets = ([1, 5, 5, 12], [0, 5, 5, 11], [0, 5, 4, 12], [0, 5, 13, 12], [0, -1, 5, 12])
    bad_labels = [np.where(np.arange(12) == 7, label, labels) for label in (3, 4, 2**63 - 1)]
    for form, good, bad in (("_offsets", offsets, bad_offsets), ("_labels", labels, bad_labels)):
        c_function = function(row, suffix, form)

        def call(x_at, n, places, count, array, out_at, c_function=c_function):
            status = c_function(x_at, n, places, count, *row.sample, array, out_at)
            refused(row, out, status)

        for places in bad:
            call(at(x), 12, at(np.array(places)), 3, None, at(out))
        for array in (np.array([1, -0.5, 1]), np.array([1, 1, NAN])):
            call(at(x), 12, at(good), 3, at(array), at(out))
        call(at(x), 12, None, 3, at(weights), at(out))
        call(at(x), 12, at(good) + 4, 3, at(weights), at(out))
        call(at(x), 12, at(good), -3, at(weights), at(out))
        call(at(x), -12, at(good), 3, at(weights), at(out))
        call(None, 12, at(good), 3, at(weights), at(out))
        call(at(x), 12, at(good), 3, at(weights), None)


@pytest.mark.parametrize("name", ["group_soft_threshold", "prox_slope"])
def test_the_result_is_not_written_over_what_is_read(name):
    row = SLICES[name]
    shape = (12, 1, 1) if row.groups else (1, 12, 1)  # an array of twelve numbers
    memory = np.zeros(40)
    memory[20:32] = np.linspace(1, 0, 12)
    before = memory.copy()
    x, array, number = at(memory), at(memory) + 20 * 8, 0.5
    along = function(row, "f64")
    for out in (array, array - 8, array + 8):
        assert along(x, *shape, number, array, out) == 1
    assert along(array, *shape, number, array, array) == 1  # also in place
    if row.groups:
        places = memory[20:33].view(np.int64)
        places[:] = [0, *[12] * 12]
        for form in ("_offsets", "_labels"):
            assert function(row, "f64", form)(x, 12, array, 12, number, None, array) == 1
        places[:] = 0
        before = memory.copy()
        assert function(row, "f64", "_labels")(x, 12, array, 12, number, None, array + 8) == 1
    np.testing.assert_array_equal(memory, before)


def test_groups_for_which_there_is_no_memory_give_two():
    row = SLICES["group_soft_threshold"]
    x, labels = np.ones(3), np.zeros(3, np.int64)
    out = result_like(row, x)
    c_function = function(row, "f64", "_labels")
    assert c_function(at(x), 3, at(labels), 2**59, 0.5, None, at(out)) == 2
    assert (out == 9).all()
