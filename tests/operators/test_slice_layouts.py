"""Operators of slices: the same bits wherever a vector lies, however groups are told."""

import itertools

import numpy as np
import pytest

import bridle as br
from bridle import _core

from ..conftest import LAYOUTS
from ..slice_cases import SLICE_PENALTIES, SLICES, vectors

FLOAT32 = np.dtype(np.float32)
GROUPED = [row for row in SLICES.values() if row.groups]
SUMS = [row for row in SLICE_PENALTIES.values() if row.groups]


def parametrize(rows):
    return pytest.mark.parametrize("row", rows, ids=[row.name for row in rows])


every_row = parametrize([*SLICES.values()])


def apply(row, x, size, **keywords):
    return getattr(br, row.name)(x, **row.arguments(size), **keywords)


def vector_by_vector(row, x, axis=-1):
    """Return the result of a call for each vector alone."""
    rows = np.moveaxis(x, axis, -1)
    size = rows.shape[-1]
    alone = [apply(row, v.copy(), size, axis=0) for v in rows.reshape(-1, size)]
    return np.moveaxis(np.array(alone, x.dtype).reshape(rows.shape), -1, axis)


@pytest.mark.parametrize("axis", [0, 1, -1])
@every_row
def test_every_axis_and_layout_gives_the_bits_of_a_vector_alone(row, axis, dtype, assert_same_bits):
    x = vectors(dtype, (8, 12, 4))
    size = x.shape[axis]
    expected = vector_by_vector(row, x, axis)
    for layout in LAYOUTS.values():
        given = layout(x)
        assert_same_bits(apply(row, given, size, axis=axis), expected)
        for out in (np.empty_like(x), np.empty(x.shape, dtype, order="F"), layout(x)):
            assert apply(row, given, size, axis=axis, out=out) is out
            assert_same_bits(out, expected)
        assert_same_bits(given, x)
        assert apply(row, given, size, axis=axis, out=given) is given
        assert_same_bits(given, expected)


@pytest.mark.parametrize("shape", [(3, 20_000), (300, 400), (20_000, 4)], ids=str)
@every_row
def test_rows_and_columns_of_large_matrices(row, shape, assert_same_bits):
    x = vectors(FLOAT32, shape)
    expected = vector_by_vector(row, x[:50])
    whole = apply(row, x, shape[1], axis=1)
    assert_same_bits(whole[:50], expected)
    columns = np.ascontiguousarray(x.T)
    assert_same_bits(apply(row, columns, shape[1], axis=0).T, whole)
    assert_same_bits(apply(row, columns, shape[1], axis=0, out=columns).T, whole)


@every_row
def test_the_default_axis(row, assert_same_bits):
    x = vectors(np.dtype(np.float64), (8, 4))
    assert_same_bits(
        apply(row, x, x.shape[row.axis]), apply(row, x, x.shape[row.axis], axis=row.axis)
    )


@every_row
def test_a_result_of_another_type_is_rounded_to_it(row, dtype, assert_same_bits):
    x = vectors(dtype, (4, 8))
    expected = apply(row, x, 8, axis=-1)
    for name in ("float16", "bfloat16", "float32", "float64"):
        if not np.can_cast(dtype, name, "same_kind"):
            continue
        out = np.empty(x.shape, name)
        assert apply(row, x, 8, axis=-1, out=out) is out
        assert_same_bits(out, expected.astype(name))


@every_row
def test_a_number_is_a_vector_of_one_element(row, assert_same_bits):
    if not row.fits(1):
        pytest.skip("has whole blocks")
    for axis in (0, -1):
        value = apply(row, np.float32(-0.75), 1, axis=axis)
        assert type(value) is np.float32
        assert value == apply(row, np.array([-0.75], np.float32), 1, axis=axis)[0]


@pytest.mark.parametrize("shift", [-5, -1, 1, 4, 8])
@every_row
def test_a_result_may_overlap_the_input(row, shift, dtype, assert_same_bits):
    memory = vectors(dtype, (12, 8))
    flat = np.concatenate([memory.ravel(), np.zeros(16, dtype)])
    begin, end = max(0, -shift), max(0, shift)
    x = flat[begin : begin + 96].reshape(12, 8)
    out = flat[end : end + 96].reshape(12, 8)
    expected = apply(row, x.copy(), 8, axis=-1)
    assert apply(row, x, 8, axis=-1, out=out) is out
    assert_same_bits(out, expected)
    square = vectors(dtype, (12, 12))
    expected = apply(row, square.copy(), 12, axis=-1)
    apply(row, square, 12, axis=-1, out=square.T)
    assert_same_bits(square.T, expected)


@every_row
def test_an_array_that_cannot_be_written_is_read(row, dtype, assert_same_bits):
    x = vectors(dtype, (4, 8))
    expected = apply(row, x, 8, axis=-1)
    x.flags.writeable = False
    assert_same_bits(apply(row, x, 8, axis=-1), expected)
    same = np.broadcast_to(x[0], (5, 8))
    assert_same_bits(apply(row, same, 8, axis=-1), np.broadcast_to(expected[0], (5, 8)))


@every_row
def test_integers_lists_and_foreign_byte_orders(row, assert_same_bits):
    numbers = [[3, -1, 0, 2], [1, 1, -4, 0]]
    expected = apply(row, np.array(numbers, np.float64), 4, axis=-1)
    for x in (numbers, np.array(numbers), np.array(numbers, np.int8), tuple(map(tuple, numbers))):
        assert_same_bits(apply(row, x, 4, axis=-1), expected)
    for name in ("float16", "float32", "float64"):
        x = np.array(numbers, name)
        swapped = x.astype(x.dtype.newbyteorder())
        result = apply(row, swapped, 4, axis=-1)
        assert_same_bits(result.astype(x.dtype), apply(row, x, 4, axis=-1))


@pytest.mark.parametrize("axes", [(0, 1), (2, 0), (-1, 0, 1)], ids=str)
@every_row
def test_several_axes_are_one_vector_in_their_order(row, axes, dtype, assert_same_bits):
    x = vectors(dtype, (8, 3, 4))
    inner = sorted(axis % 3 for axis in axes)
    kept = [axis for axis in range(3) if axis not in inner]
    moved = x.transpose(kept + inner)
    size = int(np.prod([x.shape[axis] for axis in inner]))
    flat = np.ascontiguousarray(moved).reshape(-1, size)
    expected = apply(row, flat, size, axis=-1).reshape(moved.shape)
    for layout in LAYOUTS.values():
        result = apply(row, layout(x), size, axis=axes)
        assert_same_bits(result.transpose(kept + inner), expected)


@parametrize(GROUPED)
def test_weights_have_the_shape_without_the_axes(row, assert_same_bits):
    x = vectors(np.dtype(np.float64), (6, 5, 4))
    weights = np.linspace(0, 3, 30).reshape(6, 5)
    expected = apply(row, x.reshape(30, 4), 4, weights=weights.ravel())
    assert_same_bits(apply(row, x, 4, weights=weights).reshape(30, 4), expected)
    own = weights[:, 0]
    each = [apply(row, v, 4, axis=(0, 1), weights=w) for v, w in zip(x, own, strict=True)]
    assert_same_bits(apply(row, x, 20, axis=(1, 2), weights=own), np.stack(each))
    whole = apply(row, x, 120, axis=(0, 1, 2), weights=0.5)
    assert_same_bits(whole, apply(row, x.ravel(), 120, weights=0.5).reshape(x.shape))


# How groups are told -----------------------------------------------------------------------------


def pieces(row, x, offsets, weights):
    """Return the result of one call for each group."""
    result = x.copy()
    for group, (begin, end) in enumerate(itertools.pairwise(offsets)):
        weight = {} if weights is None else {"weights": weights[group]}
        result[begin:end] = apply(row, x[begin:end].copy(), end - begin, **weight)
    return result


CUTS = {
    "of any length": (0, 3, 3, 4, 104, 104, 111, 5000, 5000),
    "none": (0,),
    "one": (0, 5000),
    "only empty ones": (0, 0, 0),
    "equal": tuple(range(0, 5001, 10)),
}


@pytest.mark.parametrize("cuts", CUTS.values(), ids=CUTS)
@pytest.mark.parametrize("weighted", [False, True])
@parametrize(GROUPED)
def test_offsets_labels_and_axes_tell_the_same_groups(row, cuts, weighted, dtype, assert_same_bits):
    x = vectors(dtype, (cuts[-1],))
    count = len(cuts) - 1
    weights = np.linspace(0.1, 3, count) if weighted else None
    expected = pieces(row, x, cuts, weights)
    for kind in (
        list,
        tuple,
        np.array,
        lambda c: np.array(c, np.int32),
        lambda c: np.array(c, "u8"),
    ):
        assert_same_bits(apply(row, x, 0, offsets=kind(cuts), weights=weights), expected)
    labels = np.repeat(np.arange(count), np.diff(cuts))
    own = weights
    if weighted and x.size > 0:
        own = weights[: labels.max() + 1]
    if x.size > 0 or not weighted:
        by_labels = apply(row, x, 0, labels=labels, weights=own)
        if dtype == np.float64:  # sums of labels have an order of their own
            np.testing.assert_allclose(by_labels, expected, rtol=1e-14)
        else:
            assert_same_bits(by_labels, expected)
        other = apply(row, x, 0, labels=labels.astype(np.int16), weights=own)
        assert_same_bits(other, by_labels)
    if cuts == CUTS["equal"]:
        by_axis = apply(row, x.reshape(-1, 10), 10, weights=weights)
        assert_same_bits(by_axis.ravel(), expected)
    place = x.copy()
    assert apply(row, place, 0, offsets=cuts, weights=weights, out=place) is place
    assert_same_bits(place, expected)


@pytest.mark.parametrize("shape", [(97,), (6, 7, 8), (20_000,)], ids=str)
@parametrize(GROUPED)
def test_the_elements_of_a_label_may_lie_anywhere(row, shape, dtype, layout, assert_same_bits):
    """Those of negative labels are in no group."""
    x = vectors(dtype, shape)
    labels = np.random.default_rng(1).integers(-2, 9, shape)
    labels[labels == 4] = 5  # a group without elements
    weights = np.linspace(0.2, 2, 9)
    expected = x.copy()
    if row.name == "prox_sparse_group":  # the l1 term is over all elements
        arguments = row.sample_params
        expected = br.soft_threshold(x, arguments["l1"] * arguments["step"])
    for group in range(9):
        inside = labels == group
        members = x[inside]
        expected[inside] = apply(row, members, members.size, weights=weights[group])
    given = layout(x)
    result = apply(row, given, 0, labels=labels, weights=weights)
    np.testing.assert_array_equal(result == 0, expected == 0)
    if dtype == np.float64:  # sums of labels have an order of their own
        np.testing.assert_allclose(result, expected, rtol=1e-14)
    else:
        assert_same_bits(result + dtype.type(0), expected + dtype.type(0))
    assert apply(row, given, 0, labels=labels, weights=weights, out=given) is given
    assert_same_bits(given, result)


def sums_by_labels(x, labels, groups):
    """Return the sums of squares in the order of docs/numerics.md."""
    size = max(16384, 16 * groups, min(256 * groups, -(-x.size // 128)))
    size = -(-size // 32) * 32
    sums = []
    for begin in range(0, x.size, size):
        own, terms = labels[begin : begin + size], x[begin : begin + size] ** 2
        whole = own.size // 32 * 32
        blocks = own[:whole].reshape(-1, 32)
        is_one = (blocks == blocks[:, :1]).all(axis=1)
        lanes = terms[:whole].reshape(-1, 32)[is_one]
        for half in (16, 8, 4, 2, 1):
            lanes = lanes[:, :half] + lanes[:, half:]
        taken = np.full(own.size, True)
        taken[:whole] = ~np.repeat(is_one, 32)
        terms[:whole:32][is_one], taken[:whole:32][is_one] = lanes[:, 0], True
        taken &= own >= 0
        sums.append(np.bincount(own[taken], terms[taken], groups))  # in order
    while len(sums) > 1:
        last = sums[len(sums) // 2 * 2 :]
        sums = [a + b for a, b in zip(sums[::2], sums[1::2], strict=False)] + last
    return sums[0]


def labels_of_a_kind(kind, size, groups):
    labels = np.random.default_rng(2).integers(-1, groups, size)
    if kind == "sorted":
        labels.sort()
    elif kind == "runs":
        labels[: size // 2] = np.arange(size // 2) // 50 % groups
    return labels


@pytest.mark.parametrize(
    ("size", "groups"), [(5, 3), (50_000, 7), (400_000, 12_000), (2_200_000, 100)]
)
@pytest.mark.parametrize("kind", ["random", "sorted", "runs"])
def test_sums_by_labels_have_the_order_of_the_documentation(kind, size, groups, set_threads):
    """Also where some groups are empty, of zeros, or want another scale."""
    x = np.random.default_rng(1).standard_normal(size)
    labels = labels_of_a_kind(kind, size, groups)
    labels[-1] = groups - 1
    labels[labels == 2] = 1
    expected = np.sqrt(sums_by_labels(x, labels, groups))
    for group, unit in {groups // 2: 0.0, groups // 3: 2.0**-600, groups // 4: 2.0**600}.items():
        x[labels == group] *= unit
        expected[group] *= unit
    before = _core.instruction_set()
    try:
        for instruction_set in _core.available_instruction_sets():
            _core.set_instruction_set(instruction_set)
            for threads in (1, 3):
                set_threads(threads)
                norms = np.full(groups, np.nan)
                _core.apply_by_labels("group_l2_penalty", x, norms, labels, [1.0], None, groups)
                np.testing.assert_array_equal(norms, expected, f"{instruction_set}, {threads}")
    finally:
        _core.set_instruction_set(before)


@parametrize(SUMS)
def test_penalties_of_groups_however_told(row, dtype):
    x = vectors(dtype, (5000,))
    cuts = CUTS["of any length"]
    labels = np.repeat(np.arange(len(cuts) - 1), np.diff(cuts))
    function, arguments = getattr(br, row.name), row.arguments(0)
    for weights in (None, np.linspace(0.1, 3, len(cuts) - 1)):
        own = itertools.repeat(None) if weights is None else weights
        groups = [x[a:b] for a, b in itertools.pairwise(cuts)]
        exact = sum((row.defined(g, w, **arguments) for g, w in zip(groups, own, strict=False)), 0)
        value = function(x, **arguments, offsets=cuts, weights=weights)
        assert value == pytest.approx(float(exact), rel=1e-14)
        if weights is not None:
            weights = weights[: labels.max() + 1]
        value = function(x, **arguments, labels=labels, weights=weights)
        assert value == pytest.approx(float(exact), rel=1e-14)
    outside = np.where(labels == 3, -1, labels)
    value = function(x, **arguments, labels=outside)
    rest = sum(row.defined(x[outside == g], **arguments) for g in range(7) if (outside == g).any())
    if row.name == "sparse_group_penalty":
        rest += np.longdouble(arguments["l1"]) * np.abs(x[outside < 0].astype(np.longdouble)).sum()
    assert value == pytest.approx(float(rest), rel=1e-14)


@parametrize(list(SLICE_PENALTIES.values()))
def test_a_penalty_does_not_depend_on_the_layout(row, dtype, layout):
    """But for the l1 term of the sparse group, which visits the array as it lies in memory."""
    w = vectors(dtype, (5, 12, 8))
    function = getattr(br, row.name)
    for axis in (0, 1, 2):
        arguments = row.arguments(w.shape[axis])
        plain = function(w, **arguments, axis=axis)
        value = function(layout(w), **arguments, axis=axis)
        assert value == pytest.approx(plain, rel=1e-15 if "sparse" in row.name else 0, abs=0)


def test_the_result_may_be_written_over_what_else_is_read():
    rng = np.random.default_rng(3)
    x, strengths = 3 * rng.standard_normal(50), np.linspace(2, 0, 50)
    expected = br.prox_slope(x, strengths)
    np.testing.assert_array_equal(br.prox_slope(x, strengths, out=strengths), expected)
    groups, place = rng.standard_normal((40, 3)), rng.random((40, 3))
    weights = place.reshape(-1)[:40]
    expected = br.group_soft_threshold(groups, 0.5, weights=weights.copy())
    br.group_soft_threshold(groups, 0.5, weights=weights, out=place)
    np.testing.assert_array_equal(place, expected)
    numbers = rng.standard_normal(6)
    for kind, cuts in (("offsets", [0, 1, 3, 4, 4, 6]), ("labels", [0, 1, 1, 0, 2, -1])):
        told = np.array(cuts)
        expected = br.group_soft_threshold(numbers, 0.5, **{kind: told.copy()})
        out = told.view(np.float64)
        br.group_soft_threshold(numbers, 0.5, out=out, **{kind: told})
        np.testing.assert_array_equal(out, expected)
