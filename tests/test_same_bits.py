"""The same bits with any number of threads, instruction set, layout or split of a range."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import bridle as br
from bridle import _core

from .cases import DTYPES, ELEMENTWISE, PENALTIES, values
from .slice_cases import SLICE_PENALTIES, SLICES

SHAPE = (6, 40_001)  # more than five threads' worth


def elementwise(row, dtype):
    """Return what computes the operator of an array, with numbers and with arrays as parameters."""
    function = getattr(br, row.name)
    compute = np.promote_types(dtype, np.float32)
    rows = {name: row.spread(name, SHAPE[0], compute)[:, np.newaxis] for name in row.params}
    columns = {name: row.spread(name, SHAPE[1], compute) for name in row.params}
    samples = [row.sample_params, rows, columns]
    return lambda x: [function(x, **params) for params in samples]


def penalty(row):
    function = getattr(br, row.name)
    return lambda x: [function(x, **row.sample_params, axis=axis) for axis in (0, 1, (0, 1))]


def slices(row):
    """Return what computes the operator of long rows, of short ones and columns, and of groups."""
    function = getattr(br, row.name)

    def compute(x):
        x = x[:4, : SHAPE[1] - 1]  # whole blocks of any operator
        if row.name == "sparse_group_penalty":  # its l1 term is a sum over the whole array
            x = np.ascontiguousarray(x)
        short = x[:2, :4000].reshape(-1, 8)
        results = [function(x, **row.arguments(x.shape[1]), axis=1)]
        results += [function(a, **row.arguments(8), axis=n) for a, n in ((short, 1), (short.T, 0))]
        if row.groups:
            labels = np.arange(short.size).reshape(short.shape) % 101 - 1
            results.append(function(short, **row.sample_params, labels=labels))
            offsets = np.append(np.arange(0, x.shape[1], 999), x.shape[1])
            results.append(function(x[1], **row.sample_params, offsets=offsets))
        return results

    return compute


def drop(x):
    return [br.dropout(x, p, seed=3, offset=77) for p in (0.1, 0.5, 1 / 3)]


def masks(x):
    shape = (x.shape, 0.3)
    return [br.dropout_mask(*shape, seed=3, offset=5, packed=packed) for packed in (False, True)]


def computations():
    """Yield every function on every type, and an input."""
    for dtype in DTYPES.values():
        x = values(dtype, SHAPE[0] * SHAPE[1]).reshape(SHAPE)
        finite = values(dtype, x.size, finite=True).reshape(SHAPE)
        for name, row in ELEMENTWISE.items():
            yield pytest.param(elementwise(row, dtype), x, id=f"{name}-{dtype}")
        for name, row in PENALTIES.items():
            yield pytest.param(penalty(row), finite, id=f"{name}-{dtype}")
        mixed = finite.copy()
        mixed[0] = x[0]
        for name, row in SLICES.items():
            yield pytest.param(slices(row), mixed, id=f"{name}-{dtype}")
        for name, row in SLICE_PENALTIES.items():
            yield pytest.param(slices(row), finite, id=f"{name}-{dtype}")
        yield pytest.param(drop, x, id=f"dropout-{dtype}")
    yield pytest.param(masks, x, id="dropout_mask")


every_computation = pytest.mark.parametrize(("compute", "x"), list(computations()))


@every_computation
def test_threads_and_instruction_sets_change_no_bit(compute, x, set_threads, assert_same_bits):
    """Not even those of a NaN."""
    set_threads(1)
    before = _core.instruction_set()
    expected = compute(x)
    try:
        for instruction_set in _core.available_instruction_sets():
            _core.set_instruction_set(instruction_set)
            for threads in (1, 2, 3, 5, 64):
                set_threads(threads)
                for actual, wanted in zip(compute(x), expected, strict=True):
                    context = f"{instruction_set}, {threads} threads"
                    assert_same_bits(actual, wanted, context, nan_bits=True)
    finally:
        _core.set_instruction_set(before)


@every_computation
def test_the_layout_changes_no_bit(compute, x, layout, assert_same_bits):
    """A sum over both axes is excepted: it visits the array as it lies in memory."""
    several = 2 if compute.__qualname__.startswith("penalty") else None
    expected = compute(x)[:several]
    actual = compute(layout(x))[:several]
    for one, wanted in zip(actual, expected, strict=True):
        assert_same_bits(one, wanted, nan_bits=True)


@every_computation
def test_a_second_call_gives_the_same_bits(compute, x, set_threads, assert_same_bits):
    set_threads(3)
    for first, second in zip(compute(x), compute(x), strict=True):
        assert_same_bits(first, second, nan_bits=True)


def test_in_place_gives_the_bits_of_out_of_place(operator, dtype, threads, assert_same_bits):
    x = values(dtype, SHAPE[0] * SHAPE[1])
    function = getattr(br, operator.name)
    expected = function(x, **operator.sample_params)
    assert_same_bits(function(x, **operator.sample_params, out=x), expected, nan_bits=True)


@given(st.lists(st.integers(0, 40_000), max_size=6), st.sampled_from([0, 1, 511, 2**40 + 3]))
def test_any_split_of_a_range_gives_the_same_decisions(cuts, offset):
    x = np.arange(1.0, 40_001.0)
    whole = br.dropout(x, 0.3, seed=1, offset=offset)
    bounds = [0, *sorted(cuts), x.size]
    for begin, end in pairwise(bounds):
        key = {"seed": 1, "offset": offset + begin}
        np.testing.assert_array_equal(br.dropout(x[begin:end], 0.3, **key), whole[begin:end])
        mask = br.dropout_mask(end - begin, 0.3, **key)
        np.testing.assert_array_equal(mask, whole[begin:end] != 0)


def test_the_backward_pass_is_the_same_call_whatever_the_types():
    masks = [br.dropout(np.ones(30_000, d), 0.3, seed=1, stream=8) != 0 for d in DTYPES.values()]
    for mask in (*masks, br.dropout_mask(30_000, np.float64(0.3), seed=np.int8(1), stream=8)):
        np.testing.assert_array_equal(mask, masks[0])


def test_the_environment_chooses_the_instruction_set(run_python):
    program = "import bridle; print(bridle.show_config('dicts')['instruction_set'])"
    for name in _core.available_instruction_sets():
        result = run_python(program, BRIDLE_ISA=name)
        assert result.stdout.strip() == name, result.stderr


def test_an_instruction_set_that_is_not_here_is_an_import_error_that_lists_those_that_are(
    run_python,
):
    result = run_python("import bridle", BRIDLE_ISA="nonsense")
    assert result.returncode != 0
    message = result.stderr.strip().splitlines()[-1]
    assert message.startswith("ImportError: ")
    assert "nonsense" in message
    for name in _core.available_instruction_sets():
        assert name in message
