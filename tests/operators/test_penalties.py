"""Penalties against the order of summation of the contract, bit for bit, and exact sums."""

import math
import re
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import bridle as br

from ..cases import (
    DTYPES,
    INF,
    NAN,
    NON_NEGATIVE,
    PENALTIES,
    SIZES,
    THREADED_SIZES,
    sum_in_order,
    values,
)


def function_of(penalty):
    return getattr(br, penalty.name)


def exact(penalty, w):
    """Return the penalty from sums that were rounded once."""
    wide = w.astype(np.float64)
    sums = [math.fsum(term) for term in penalty.terms_of(wide, **penalty.sample_params)]
    return penalty.finish(*sums, **penalty.sample_params)


def test_every_size_agrees_with_the_order_of_summation(
    penalty, dtype, instruction_set, assert_same_bits
):
    w = values(dtype, max(THREADED_SIZES) + 1, finite=True)
    for size in (*SIZES, *THREADED_SIZES):
        for part in (w[:size], w[1 : 1 + size]):
            actual = function_of(penalty)(part, **penalty.sample_params)
            expected = penalty.expected(part, **penalty.sample_params)
            assert_same_bits(actual, expected, f"for {size} elements")


def test_sums_are_exact_to_fourteen_digits(penalty, dtype):
    ordinary = values(dtype, 300_001, finite=True)
    for w in (ordinary, np.abs(ordinary), np.full(300_001, 0.1).astype(dtype)):
        actual = function_of(penalty)(w, **penalty.sample_params)
        assert actual == pytest.approx(exact(penalty, w), rel=1e-14, abs=0)


def test_a_long_sum_of_one_value_keeps_fourteen_digits():
    w = np.broadcast_to(np.float32(0.1), 20_000_003)
    assert br.l1_penalty(w) == pytest.approx(w.size * float(np.float32(0.1)), rel=1e-14, abs=0)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_every_finite_half_is_summed_as_its_value(
    penalty, dtype, instruction_set, assert_same_bits
):
    w = np.arange(2**16, dtype=np.uint16).view(DTYPES[dtype])
    with np.errstate(invalid="ignore"):  # signalling NaNs
        w = w[np.isfinite(w)]
    expected = penalty.expected(w, **penalty.sample_params)
    assert_same_bits(function_of(penalty)(w, **penalty.sample_params), expected)


def test_a_vector_gives_the_same_bits_in_any_layout(penalty, dtype, layout, assert_same_bits):
    for size in (1, 4099, THREADED_SIZES[0]):
        w = values(dtype, size, finite=True)
        expected = penalty.expected(w, **penalty.sample_params)
        actual = function_of(penalty)(layout(w), **penalty.sample_params)
        assert_same_bits(actual, expected, f"for {size} elements")


def test_a_whole_array_is_visited_as_it_lies_in_memory(penalty, dtype, layout, assert_same_bits):
    w = layout(values(dtype, 3 * 7 * 1009, finite=True).reshape(3, 7, 1009))
    for view in (w, w.transpose(2, 0, 1), w.transpose(1, 0, 2), w[:, ::2], w[::-1]):
        expected = penalty.expected(view.ravel(order="K"), **penalty.sample_params)
        assert_same_bits(function_of(penalty)(view, **penalty.sample_params), expected)
        for axis in ((0, 1, 2), (2, -3, 1)):
            actual = function_of(penalty)(view, **penalty.sample_params, axis=axis)
            assert_same_bits(actual, expected, f"axis={axis}")


def test_an_array_and_its_transpose_agree(penalty, dtype, assert_same_bits):
    for shape in ((300, 500), (1, 5000), (17, 4, 133)):
        w = values(dtype, math.prod(shape), finite=True).reshape(shape)
        for view in (w, w[..., ::2], w[::-1], w[1:]):
            expected = function_of(penalty)(view, **penalty.sample_params)
            assert_same_bits(function_of(penalty)(view.T, **penalty.sample_params), expected)


def slices_expected(penalty, w, axis):
    """Return the penalty of each slice along the axes, visited as it lies in memory."""
    axes = np.lib.array_utils.normalize_axis_tuple(axis, w.ndim)
    kept = [a for a in range(w.ndim) if a not in axes]
    result = np.zeros([w.shape[a] for a in kept])
    for index in np.ndindex(result.shape):
        chosen = [slice(None)] * w.ndim
        for a, i in zip(kept, index, strict=True):
            chosen[a] = i
        part = w[tuple(chosen)].ravel(order="K")
        result[index] = penalty.expected(part, **penalty.sample_params)
    return result


@st.composite
def arrays_and_axes(draw):
    """Draw a shape, an order of axes in memory, steps, and the axes to sum over."""
    shape = draw(st.lists(st.integers(0, 9), min_size=1, max_size=4))
    order = draw(st.permutations(range(len(shape))))
    steps = draw(st.lists(st.sampled_from([1, 2, -1, -3]), min_size=4, max_size=4))
    memory = [shape[a] * abs(steps[a]) for a in order]
    w = values(DTYPES["float32"], math.prod(memory), finite=True).reshape(memory)
    w = w.transpose(np.argsort(order))[tuple(slice(None, None, s) for s in steps[: len(shape)])]
    axes = draw(st.lists(st.integers(0, w.ndim - 1), min_size=1, unique=True))
    axes = [a - w.ndim if draw(st.booleans()) else a for a in axes]
    return w, axes[0] if len(axes) == 1 else tuple(axes)


@given(arrays_and_axes())
def test_each_slice_along_the_axes_is_a_sum_of_its_own(penalty, assert_same_bits, drawn):
    w, axis = drawn
    expected = slices_expected(penalty, w, axis)
    actual = function_of(penalty)(w, **penalty.sample_params, axis=axis)
    assert_same_bits(actual, expected, f"axis={axis}")
    kept = function_of(penalty)(w, **penalty.sample_params, axis=axis, keepdims=True)
    assert_same_bits(kept, expected.reshape(np.sum(w, axis=axis, keepdims=True).shape))


def test_each_slice_of_a_broadcast_array_is_a_sum_of_its_own(penalty, dtype, assert_same_bits):
    row = values(dtype, 900, finite=True).reshape(300, 3)
    between = row.reshape(50, 6, 3).transpose(1, 0, 2)[:, np.newaxis]
    for w, axes in (
        (np.broadcast_to(row, (40, 300, 3)), (0, 1, (0, 1), (0, 2), (0, 1, 2))),
        (np.broadcast_to(row[:, np.newaxis], (300, 40, 3)), (0, 1, (0, 1), (0, 2), (0, 1, 2))),
        (np.broadcast_to(between, (6, 40, 50, 3)), ((0, 1, 2), (0, 1, 3), (1, 2), (0, 1, 2, 3))),
    ):
        for axis in axes:
            actual = function_of(penalty)(w, **penalty.sample_params, axis=axis)
            assert_same_bits(actual, slices_expected(penalty, w, axis), f"{w.strides} {axis}")


@pytest.mark.parametrize("rows", [3, 33, 4097])
def test_columns_beside_each_other_are_sums_of_their_own(
    penalty, dtype, rows, instruction_set, assert_same_bits
):
    for columns in (1, 2, 31, 63, 64, 65, 130):
        w = values(dtype, rows * columns, finite=True).reshape(rows, columns)
        for view in (w, w[:, 1:], w[::-1]):
            sample = range(0, view.shape[1], 29)
            actual = function_of(penalty)(view, **penalty.sample_params, axis=0)
            assert actual.shape == (view.shape[1],)
            for column in sample:
                expected = penalty.expected(view[:, column], **penalty.sample_params)
                assert_same_bits(actual[column], expected, f"column {column} of {columns}")


def test_strengths_may_differ_by_slice(penalty, dtype, assert_same_bits):
    w = values(dtype, 5 * 700, finite=True).reshape(5, 700)
    rows = {name: penalty.spread(name, 5) for name in penalty.checked}
    actual = function_of(penalty)(w, **(penalty.sample_params | rows), axis=1)
    for i in range(5):
        params = penalty.sample_params | {name: row[i] for name, row in rows.items()}
        assert_same_bits(actual[i], penalty.expected(w[i], **params), f"slice {i}")


def test_a_strength_of_zero_leaves_its_term_out_whatever_the_sum(penalty, dtype, assert_same_bits):
    infinite = np.full(3, 1e200 if dtype == np.float64 else INF, dtype)
    for w in (infinite, np.full((2, 3), NAN, dtype), values(dtype, 99, finite=True)):
        w = np.abs(w) if penalty.nonnegative else w
        for name in (name for name, domain in penalty.params.items() if domain == NON_NEGATIVE):
            nothing = function_of(penalty)(w, **penalty.nothing())
            assert_same_bits(nothing, np.float64(0))
            zeros = penalty.nothing() | {name: np.zeros(1)}
            by_slice = function_of(penalty)(w, **zeros, axis=-1)
            assert_same_bits(by_slice, np.zeros(np.sum(w, axis=-1).shape or 1))
    for w in (np.zeros(3, dtype), np.zeros(0, dtype)):  # nor is an infinite one of nothing a NaN
        params = {n: INF if n in penalty.checked else 0.0 for n in penalty.params}
        assert_same_bits(function_of(penalty)(w, **params), np.float64(0))


def test_the_elastic_net_agrees_with_its_terms(dtype, assert_same_bits):
    large = 1e200 if dtype == np.float64 else 1e4  # the sum of its squares is infinite
    hostile = [np.array(w).astype(dtype) for w in ([large, -2.0], [INF, -2.0], [NAN])]
    for w in (*hostile, values(dtype, 5001, finite=True)):
        summary = br.proximal_step(w.copy(), 0.0, l1=0.3)
        for strength in (0.3, np.full(w.size, 0.3)):
            l1 = br.l1_penalty(w, strength)
            assert_same_bits(br.elastic_net_penalty(w, strength, 0.0), l1)
            l2 = br.l2_penalty(w, strength)
            assert_same_bits(br.elastic_net_penalty(w, 0.0, strength), l2)
        assert_same_bits(np.float64(summary.penalty), br.elastic_net_penalty(w, 0.3, 0.0))


def strengths_of_elements(penalty, w):
    """Return strengths that differ from element to element, some of them zero or infinite."""
    strengths = {}
    for k, name in enumerate(penalty.params):
        own = penalty.spread(name, w.size)
        if penalty.params[name] == NON_NEGATIVE:
            own[k + 3 :: 5] = 0.0
        strengths[name] = own.reshape(w.shape)
    return strengths


def by_element(penalty, w, strengths):
    """Return the sum of the penalties of the elements, visited as they lie in memory."""
    order = np.argsort([-abs(stride) for stride in w.strides], kind="stable")
    wide = w.astype(np.float64).transpose(order)
    own = {n: np.broadcast_to(s, w.shape).transpose(order) for n, s in strengths.items()}
    with np.errstate(all="ignore"):
        each = penalty.finish(*penalty.terms_of(wide, **own), **own)
    return sum_in_order(np.ravel(each))


def test_strengths_may_differ_by_element(penalty, dtype, layout, assert_same_bits):
    for shape in ((1,), (4099,), (70, 65), (2, 3, 700)):
        w = layout(values(dtype, math.prod(shape), finite=True).reshape(shape))
        for view in (w, w.T, w[::-1]):
            own = strengths_of_elements(penalty, view)
            expected = by_element(penalty, view, own)
            assert_same_bits(function_of(penalty)(view, **own), expected, f"{shape}")
            kept = function_of(penalty)(view, **own, keepdims=True)
            assert_same_bits(kept, expected.reshape((1,) * w.ndim))
            for name in penalty.params:  # the others are numbers
                one = penalty.sample_params | {name: own[name]}
                expected = by_element(penalty, view, one)
                if name not in penalty.checked:  # it lies beside the weights; the strength is one
                    order = np.argsort([-abs(s) for s in view.strides], kind="stable")
                    beside = own[name].transpose(order).ravel()
                    flat = view.transpose(order).ravel()
                    expected = penalty.expected(flat, **(one | {name: beside}))
                assert_same_bits(function_of(penalty)(view, **one), expected, name)


def test_an_array_and_its_transpose_agree_with_strengths_of_their_own(penalty, assert_same_bits):
    w = values(DTYPES["float32"], 300 * 50, finite=True).reshape(300, 50)
    own = strengths_of_elements(penalty, w)
    turned = {name: strength.T for name, strength in own.items()}
    assert_same_bits(function_of(penalty)(w.T, **turned), function_of(penalty)(w, **own))


def test_strengths_of_elements_are_broadcast_to_the_weights_alone(penalty, assert_same_bits):
    w = values(DTYPES["float64"], 12, finite=True).reshape(3, 4)
    for shape in ((4,), (3, 1), (1, 4), (1,), (1, 1)):
        own = {
            name: penalty.spread(name, math.prod(shape)).reshape(shape) for name in penalty.params
        }
        expected = by_element(penalty, w, own)
        assert_same_bits(function_of(penalty)(w, **own), expected, f"{shape}")
    name = next(iter(penalty.params))
    for array, shape in ((w, (3,)), (w, (2, 3, 4)), (w[0], (3, 1)), (np.float64(3), (1,))):
        message = f"{penalty.name}: {name} must broadcast to the shape of the weights, "
        message += f"{array.shape}, got {shape}"
        with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
            function_of(penalty)(array, **(penalty.sample_params | {name: np.ones(shape)}))


def test_a_factor_that_is_infinite_costs_a_zero_weight_nothing():
    """So that a factor may keep a weight out, as users of such factors are used to."""
    assert br.l1_penalty([0.0, -2.0], [INF, 0.5]) == 1.0
    assert br.l1_penalty([1.0, -2.0], [INF, 0.5]) == INF


def test_a_number_is_summed_over_the_axes_that_numpy_gives_it(penalty, dtype, assert_same_bits):
    expected = penalty.expected(np.array([-3.0], dtype), **penalty.sample_params)
    for w in (dtype.type(-3.0), np.array(-3.0, dtype)):
        for axis in (None, 0, -1, (), np.int64(0)):
            for keepdims in (False, True):
                keywords = {"axis": axis, "keepdims": keepdims}
                actual = function_of(penalty)(w, **penalty.sample_params, **keywords)
                assert_same_bits(actual, expected, str(keywords))
        for axis in (1, -2, (0,), (0, 0)):
            with pytest.raises(ValueError, match="axis"):
                function_of(penalty)(w, **penalty.sample_params, axis=axis)


def test_strengths_of_any_number_type_multiply_in_float64(penalty, dtype, assert_same_bits):
    w = values(dtype, 100, finite=True)
    for kind in (int, np.float16, np.float32, np.float64, np.int8, np.array):
        params = {name: kind(value) for name, value in penalty.whole_params.items()}
        expected = penalty.expected(w, **penalty.whole_params)
        assert_same_bits(function_of(penalty)(w, **params), expected, str(kind))


def test_the_strength_is_one_by_default():
    w = [-3.0, 0.5]
    assert br.l1_penalty(w) == 3.5
    assert br.l2_penalty(w) == 9.25


@pytest.mark.parametrize("shape", [(0,), (0, 3), (3, 0), (2, 0, 3), (0, 3, 4)])
def test_an_empty_sum_is_zero(penalty, dtype, shape, assert_same_bits):
    w = np.zeros(shape, dtype)
    assert_same_bits(function_of(penalty)(w, **penalty.sample_params), np.float64(0))
    axes = [*range(w.ndim), *[(a, b) for a in range(w.ndim) for b in range(a)]]
    for axis in axes:
        actual = function_of(penalty)(w, **penalty.sample_params, axis=axis)
        assert_same_bits(actual, np.zeros(np.sum(w, axis=axis).shape), f"axis={axis}")


def test_a_sum_over_no_axis_is_the_penalty_of_each_element(penalty, dtype, assert_same_bits):
    for w in (values(dtype, 12, finite=True).reshape(3, 4), np.zeros((0, 3), dtype)):
        actual = function_of(penalty)(w, **penalty.sample_params, axis=())
        each = [
            penalty.expected(w[i, j, None], **penalty.sample_params) for i, j in np.ndindex(w.shape)
        ]
        assert_same_bits(actual, np.array(each, np.float64).reshape(w.shape))


def test_numbers_lists_and_integers_are_summed_as_float64(penalty, assert_same_bits):
    expected = penalty.expected(np.array([-3.0, 2.0]), **penalty.sample_params)
    for w in ([-3.0, 2.0], [-3, 2], (np.int8(-3), 2), np.array([-3, 2], np.int8)):
        assert_same_bits(function_of(penalty)(w, **penalty.sample_params), expected)
    one = penalty.expected(np.array([-3.0]), **penalty.sample_params)
    for w in (-3, np.float16(-3), np.array(-3.0, ">f4"), np.array(-3)):
        assert_same_bits(function_of(penalty)(w, **penalty.sample_params), one)


def test_byte_swapped_arrays_are_summed(penalty, assert_same_bits):
    w = values(DTYPES["float32"], 4099, finite=True)
    for swapped in (w.astype(">f4"), w.astype(">f4").reshape(4099, 1)):
        expected = penalty.expected(w, **penalty.sample_params)
        assert_same_bits(function_of(penalty)(swapped, **penalty.sample_params), expected)


@pytest.mark.parametrize("position", [0, 31, 4096, 5000])
def test_a_nan_poisons_its_own_sum_alone(penalty, dtype, position, threads):
    w = np.ones((14, 5001), dtype)
    w[9, position] = NAN
    expected = np.arange(14) == 9
    assert np.isnan(function_of(penalty)(w, **penalty.sample_params))
    by_row = function_of(penalty)(w, **penalty.sample_params, axis=1)
    np.testing.assert_array_equal(np.isnan(by_row), expected)
    by_column = function_of(penalty)(w.T.copy(), **penalty.sample_params, axis=0)
    np.testing.assert_array_equal(np.isnan(by_column), expected)


def test_infinity_and_overflow_follow_ieee_arithmetic_without_warnings(penalty, threads):
    long = np.ones(THREADED_SIZES[0])
    long[-1] = INF
    for w in (long, long.reshape(-1, 1), [[INF, 1.0]], [[-INF]], [[1e200, 1e200]]):
        for axis in (None, 0):
            for params in penalty.good_params:
                with np.errstate(all="ignore"):
                    array = np.asarray(w)
                    first = array if array.ndim == 1 or axis is None else array[:, 0]
                    expected = penalty.expected(first.ravel(), **params)
                with np.errstate(all="raise"):
                    actual = function_of(penalty)(w, **params, axis=axis)
                np.testing.assert_array_equal(
                    np.ravel(actual)[0], expected, f"{params} axis={axis}"
                )


@pytest.mark.parametrize("at_end", [False, True])
def test_nothing_beyond_the_array_is_read(
    penalty, dtype, instruction_set, guarded_pages, at_end, assert_same_bits
):
    everything = values(dtype, 141, finite=True)
    for size in range(141):
        w = guarded_pages[0].place(everything[:size], at_end=at_end)
        expected = penalty.expected(w, **penalty.sample_params)
        assert_same_bits(function_of(penalty)(w, **penalty.sample_params), expected)
        matrix = guarded_pages[1].place(everything[: size // 3 * 3].reshape(3, -1), at_end=at_end)
        for axis in (0, 1):
            function_of(penalty)(matrix, **penalty.sample_params, axis=axis)


def exact_mcp(w, strength, gamma):
    a = abs(w)
    return strength * a - a * a / (2 * gamma) if a <= gamma * strength else gamma * strength**2 / 2


def exact_scad(w, strength, gamma):
    a = abs(w)
    if a <= strength:
        return strength * a
    if a <= gamma * strength:
        return (2 * gamma * strength * a - a * a - strength**2) / (2 * (gamma - 1))
    return strength**2 * (gamma + 1) / 2


def exact_huber(w, strength, delta):
    a = abs(w)
    return strength * (a * a / 2 if a <= delta else delta * (a - delta / 2))


DEFINITIONS = {
    "l0_penalty": lambda w, strength: strength * (w != 0),
    "mcp_penalty": exact_mcp,
    "scad_penalty": exact_scad,
    "huber_penalty": exact_huber,
    "nonnegative_l1_penalty": lambda w, strength: strength * w,
    "nonnegative_l2_penalty": lambda w, strength: strength * w * w,
    "l2_sp_penalty": lambda w, reference, strength: strength * (w - reference) ** 2,
}


@pytest.mark.parametrize("name", DEFINITIONS)
def test_a_penalty_is_its_definition_in_exact_fractions(name, dtype):
    rng = np.random.default_rng(3)
    for _ in range(30):
        row = PENALTIES[name]
        params = {p: (2.0 if p == "gamma" else 0.0) + 2.0 ** rng.uniform(-4, 3) for p in row.params}
        w = (rng.normal(size=70) * 2.0 ** rng.integers(-6, 5, 70)).astype(dtype)
        w = np.abs(w) if row.nonnegative else w
        exactly = {p: Fraction(value) for p, value in params.items()}
        total = sum(DEFINITIONS[name](Fraction(float(x)), **exactly) for x in w)
        assert getattr(br, name)(w, **params) == pytest.approx(float(total), rel=1e-14, abs=0)


def test_what_lies_beside_the_weights_is_taken_element_by_element(dtype, layout, assert_same_bits):
    row = PENALTIES["l2_sp_penalty"]
    for shape in ((5, 700), (300, 65), (2, 3, 70_001)):
        w = layout(values(dtype, math.prod(shape), finite=True).reshape(shape))
        reference = row.spread("reference", w.size).reshape(shape).astype(np.float32)
        for axis in range(len(shape)):
            actual = br.l2_sp_penalty(w, reference, 0.3, axis=axis)
            columns = [np.moveaxis(a, axis, -1).reshape(-1, shape[axis]) for a in (w, reference)]
            for k in range(0, actual.size, 97):
                own = {"reference": columns[1][k].astype(np.float64), "strength": 0.3}
                assert_same_bits(actual.ravel()[k], row.expected(columns[0][k], **own))
        one_row = br.l2_sp_penalty(w, reference[..., :1], 0.3, axis=-1)
        assert_same_bits(
            one_row, br.l2_sp_penalty(w, reference[..., :1] + 0 * reference, 0.3, axis=-1)
        )


@pytest.mark.parametrize("name", [n for n, row in PENALTIES.items() if row.nonnegative])
def test_a_negative_weight_costs_infinity_and_a_negative_zero_nothing(name, dtype):
    function = getattr(br, name)
    w = np.ones(5000, dtype)
    w[4000] = -1e-4
    for strength in (0.0, 0.3, np.full(5000, 0.3), np.zeros(5000)):
        assert function(w, strength) == INF
        assert function(np.full(5000, -0.0, dtype), strength) == 0.0
    w[7] = NAN
    assert np.isnan(function(w, 0.3))
