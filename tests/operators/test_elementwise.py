"""Elementwise operators against their formulas: every type, size, value, layout and output."""

import numpy as np
import pytest

import bridle as br

from ..cases import DTYPES, INF, SIZES, THREADED_SIZES, hostile, values


def function_of(operator):
    return getattr(br, operator.name)


def test_every_size_agrees_with_the_formula(operator, dtype, instruction_set, assert_same_bits):
    sizes = (*SIZES, *THREADED_SIZES)
    x = values(dtype, max(sizes) + 1)
    expected = operator.expected(x, **operator.sample_params)
    for size in sizes:
        for begin in (0, 1):
            part = slice(begin, begin + size)
            actual = function_of(operator)(x[part], **operator.sample_params)
            assert_same_bits(actual, expected[part], f"for {size} elements")


def test_every_value_agrees_with_the_formula(operator, dtype, instruction_set, assert_same_bits):
    x = hostile(dtype)
    for params in operator.good_params:
        expected = operator.expected(x, **params)
        assert_same_bits(function_of(operator)(x, **params), expected, f"with {params}")
        some = slice(0, 3)  # shorter than any vector
        assert_same_bits(function_of(operator)(x[some], **params), expected[some], f"with {params}")


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_every_half_agrees_with_the_formula(operator, dtype, instruction_set, assert_same_bits):
    x = np.arange(2**16, dtype=np.uint16).view(DTYPES[dtype])
    actual = function_of(operator)(x, **operator.sample_params)
    assert_same_bits(actual, operator.expected(x, **operator.sample_params))


def test_parameters_may_differ_by_element(operator, dtype, instruction_set, assert_same_bits):
    compute = np.promote_types(dtype, np.float32)
    with np.errstate(all="ignore"):
        columns = {
            name: np.array([params[name] for params in operator.good_params]).astype(compute)
            for name in operator.params
        }
    x = np.resize(hostile(dtype), (len(operator.good_params), hostile(dtype).size))
    params = {name: column[:, np.newaxis] for name, column in columns.items()}
    expected = operator.expected(x, **params)
    assert_same_bits(function_of(operator)(x, **params), expected, "one number a row")
    flat = {name: np.repeat(column, x.shape[1]) for name, column in columns.items()}
    assert_same_bits(function_of(operator)(x.ravel(), **flat), expected.ravel(), "one an element")


def test_parameters_may_differ_by_row_and_by_column(operator, dtype, assert_same_bits):
    x = values(dtype, 70 * 1300).reshape(70, 1300)
    compute = np.promote_types(dtype, np.float32)
    if not operator.params:
        pytest.skip("there is none")
    first, *others = operator.params
    rows = operator.spread(first, 70, compute)[:, np.newaxis]
    columns = operator.spread(first, 1300, compute)
    for shape in (rows, columns, columns[::-1], np.broadcast_to(rows, x.shape)):
        params = operator.sample_params | {first: shape}
        expected = operator.expected(x, **params)
        assert_same_bits(function_of(operator)(x, **params), expected, str(shape.shape))
        for other in others:
            mixed = params | {other: operator.spread(other, 70, compute)[:, np.newaxis]}
            expected = operator.expected(x, **mixed)
            assert_same_bits(function_of(operator)(x, **mixed), expected, f"{other} by row")


def test_out_may_be_the_input_in_any_layout(operator, dtype, layout, assert_same_bits):
    for shape in ((4099,), (3, 1031), (2, 35000)):
        x = layout(values(dtype, int(np.prod(shape))).reshape(shape))
        expected = operator.expected(x.copy(), **operator.sample_params)
        assert function_of(operator)(x, **operator.sample_params, out=x) is x
        assert_same_bits(x, expected, f"shape {shape}")


def test_out_may_be_another_array_in_any_layout(operator, dtype, layout, assert_same_bits):
    for shape in ((4099,), (3, 1031), (2, 35000)):
        x = values(dtype, int(np.prod(shape))).reshape(shape)
        before = x.copy()
        out = layout(np.ones(shape, dtype))
        assert function_of(operator)(x, **operator.sample_params, out=out) is out
        assert_same_bits(out, operator.expected(x, **operator.sample_params), f"shape {shape}")
        assert_same_bits(x, before, "of the input", nan_bits=True)


@pytest.mark.parametrize("size", [1000, THREADED_SIZES[0]])
@pytest.mark.parametrize("shift", [-513, -33, -1, 1, 17, 512])
def test_out_may_overlap_the_input(operator, dtype, size, shift, assert_same_bits):
    memory = values(dtype, size + abs(shift))
    x, out = memory[max(shift, 0) :][:size], memory[max(-shift, 0) :][:size]
    expected = operator.expected(x.copy(), **operator.sample_params)
    function_of(operator)(x, **operator.sample_params, out=out)
    assert_same_bits(out, expected)


def test_out_may_be_the_input_backwards(operator, dtype, assert_same_bits):
    x = values(dtype, 4099)
    expected = operator.expected(x.copy(), **operator.sample_params)
    function_of(operator)(x, **operator.sample_params, out=x[::-1])
    assert_same_bits(x[::-1], expected)


@pytest.mark.parametrize("size", [1000, THREADED_SIZES[0]])
@pytest.mark.parametrize("shift", [0, 1, -1])
def test_out_may_be_memory_of_a_parameter(operator, dtype, size, shift, assert_same_bits):
    x = values(dtype, size)
    for name in operator.params:
        memory = operator.spread(name, x.size + 1, dtype)
        own = memory.copy()
        params = operator.sample_params | {name: own[max(-shift, 0) :][:size]}
        expected = operator.expected(x, **(params | {name: memory[max(-shift, 0) :][:size]}))
        out = own[max(shift, 0) :][:size]
        function_of(operator)(x, **params, out=out)
        assert_same_bits(out, expected, name)


def test_the_input_may_be_its_own_parameter(operator, assert_same_bits):
    for name in operator.params:
        x = operator.spread(name, 4099)
        params = operator.sample_params | {name: x}
        expected = operator.expected(x.copy(), **params)
        function_of(operator)(x, **params, out=x)
        assert_same_bits(x, expected, name)


def test_a_result_beyond_the_cache_agrees_with_the_formula(
    operator, large_float64, assert_same_bits
):
    x, memory, edges = large_float64
    for begin in (0, 3):  # at and between cache lines
        out = memory[begin:][: x.size]
        out[-1] = 7.0
        function_of(operator)(x, **operator.sample_params, out=out)
        for edge in edges:
            assert_same_bits(out[edge], operator.expected(x[edge], **operator.sample_params))


@pytest.mark.parametrize("at_end", [False, True])
def test_nothing_beyond_the_arrays_is_touched(
    operator, dtype, instruction_set, guarded_pages, at_end, assert_same_bits
):
    pages = iter(guarded_pages)
    x_page, out_page = next(pages), next(pages)
    compute = np.promote_types(dtype, np.float32)
    first = next(iter(operator.params), None)
    param_page = next(pages)
    everything = values(dtype, 141)
    for size in range(141):
        x = x_page.place(everything[:size], at_end=at_end)
        out = out_page.place(np.ones(size, dtype), at_end=at_end)
        own = {}
        if first is not None:
            array = operator.spread(first, size, compute)
            own = {first: param_page.place(array, at_end=at_end)}
        for params in (operator.sample_params, operator.sample_params | own):
            expected = operator.expected(x, **params)
            function_of(operator)(x, **params, out=out)
            assert_same_bits(out, expected, f"for {size} elements")
        function_of(operator)(x, **operator.sample_params, out=x)


def test_no_value_raises_a_floating_point_error(operator, dtype, threads):
    large, edges = values(dtype, 2 * THREADED_SIZES[0]), hostile(dtype)
    with np.errstate(all="raise"):
        for x in (large, large[::2], large.reshape(2, -1)[:, 1:]):
            function_of(operator)(x, **operator.sample_params)
        for params in operator.good_params:
            function_of(operator)(edges, **params)
            if all(value <= 2.0 or value == INF for value in params.values()):
                function_of(operator)(edges[::2], **params)


def test_an_infinite_threshold_leaves_only_what_is_infinite_undetermined():
    x = [INF, -INF, 1e308, -1.0, 0.0]
    np.testing.assert_array_equal(br.soft_threshold(x, INF), [np.nan, np.nan, 0, 0, 0])
    np.testing.assert_array_equal(br.soft_threshold(x, 1.0), [INF, -INF, 1e308, 0, 0])
    assert not np.signbit(br.soft_threshold(x, INF)[2:]).any()


@pytest.mark.parametrize(("strength", "step"), [(INF, 0.0), (0.0, INF)])
def test_no_step_and_no_strength_are_no_penalty_even_beside_infinity(dtype, strength, step):
    x = np.array([-3.0, 0.5, INF], dtype)
    np.testing.assert_array_equal(br.prox_l2(x, strength, step), x)
    np.testing.assert_array_equal(br.prox_elastic_net(x, strength, strength, step), x)
    np.testing.assert_array_equal(br.prox_l2(x, [strength] * 3, [step] * 3), x)
