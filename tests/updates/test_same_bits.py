"""The bits of an update do not depend on threads, instruction sets, layout or lists."""

import numpy as np
import pytest

import bridle as br
from bridle import _core

from ..cases import DTYPES, values
from ..conftest import LAYOUTS, by_name, placed
from .data import SQUARES, Operands, gradient_types, is_half, operands, state_dtype
from .oracle import UPDATES, rich

RANDOM = {"rounding": "stochastic", "seed": 3, "stream": 5, "offset": 77}
SHAPE = (4, 20_003)  # more than two threads' worth
LARGE = np.ones(SHAPE)
ALIGNED = [name for name in LAYOUTS if name != "unaligned"]


@pytest.fixture(**by_name(UPDATES))
def row(request):
    return request.param


def hostile(row, dtype, shape=SHAPE, gradient=None):
    """Return operands with values at every edge."""
    size = int(np.prod(shape))
    wide = state_dtype(dtype)
    state = [values(wide, size + k)[k:].reshape(shape) for k in range(len(row.states))]
    for k, name in enumerate(row.states):
        if name in SQUARES:
            state[k] = np.abs(state[k])
    g = values(gradient or dtype, size + 7)[7:].reshape(shape) if row.has_gradient else None
    toward = values(dtype, size + 5, finite=True)[5:].reshape(shape)
    return Operands(values(dtype, size).reshape(shape), g, state, toward)


def wake_threads():
    """Threads that have slept for a while are not woken for work of medium size but once."""
    for _ in range(2):
        br.l1_penalty(LARGE)


def ways(row, dtype):
    """Return keywords: one plain call, one with everything, and at random for halves."""
    everything = rich(row) | ({} if row.function == "ftrl_update" else {"toward": True})
    scalar = {"prox_step": "scalar", "l1": 0.1, "decay": "coupled", "weight_decay": 0.3}
    result = [{}, everything, scalar if row.regularized else {}]
    if is_half(dtype) and row.regularized:
        result += [RANDOM, everything | RANDOM]
    return result


def results(row, given, keywords, iteration=2):
    """Return all that a call writes and says."""
    mine = given.copy()
    if given.w.size >= LARGE.size and br.get_num_threads() > 1:
        wake_threads()
    summary = mine.call(row, iteration, **keywords)
    return [mine.w, *mine.state], summary


def assert_equal_results(assert_same_bits, actual, wanted, context="", *, summaries=True):
    for one, other in zip(actual[0], wanted[0], strict=True):
        assert_same_bits(one, other, context)
    if summaries:
        np.testing.assert_array_equal(actual[1], wanted[1], str(context))


def test_threads_and_instruction_sets_change_no_bit(row, dtype, set_threads, assert_same_bits):
    """Not even those of a NaN."""
    before = _core.instruction_set()
    for gradient in gradient_types(dtype):
        given = hostile(row, dtype, gradient=gradient)
        for keywords in ways(row, dtype):
            set_threads(1)
            _core.set_instruction_set("baseline")
            wanted = results(row, given, keywords)
            try:
                sets = _core.available_instruction_sets()
                for instruction_set in sets:
                    _core.set_instruction_set(instruction_set)
                    for threads in (1, 3) if instruction_set == sets[-1] else (1,):
                        set_threads(threads)
                        actual = results(row, given, keywords)
                        context = (instruction_set, threads, keywords)
                        assert_equal_results(assert_same_bits, actual, wanted, context)
            finally:
                _core.set_instruction_set(before)


@pytest.mark.parametrize("layout", ALIGNED)
def test_the_layout_changes_no_bit(row, dtype, layout, assert_same_bits):
    given = hostile(row, dtype, (9, 131))
    for keywords in ways(row, dtype):
        wanted = results(row, given, keywords)
        for operand in ("all", "w", "gradient"):
            mine = given.copy()
            if operand == "all":
                mine = mine.map(LAYOUTS[layout])
            elif getattr(mine, operand) is not None:
                mine = mine._replace(**{operand: LAYOUTS[layout](getattr(mine, operand))})
            summary = mine.call(row, 2, **keywords)
            actual = [mine.w, *mine.state], summary
            assert_equal_results(assert_same_bits, actual, wanted, keywords, summaries=False)
            assert actual[1][1:] == wanted[1][1:]


def test_what_lies_between_the_elements_is_left_alone(row):
    given = hostile(row, DTYPES["float32"], (9, 131))
    wide = [np.full((9, 270), 7.0, np.float32) for _ in given.arrays]
    mine = [array[:, 1:263:2] for array in wide]
    for view, array in zip(mine, given.arrays, strict=True):
        view[...] = array
    state = mine[-1 - len(row.states) : -1]
    row.call(mine[0], mine[1] if row.has_gradient else None, state, 2, **rich(row))
    for array in wide:
        array[:, 1:263:2] = 7.0
        assert (array == 7.0).all()


@pytest.mark.parametrize("form", ["list", "tuple", "prepared"])
def test_a_list_gives_the_bits_of_its_arrays(row, dtype, form, set_threads, assert_same_bits):
    wrap = {"list": list, "tuple": tuple, "prepared": br.prepare}[form]
    sizes = [5, 0, 1023, 40_001, 1, 70_003, 4096, 17, 30_000]
    each = [hostile(row, dtype, size) for size in sizes]
    wanted = [results(row, one, rich(row)) for one in each]
    for threads in (1, 2, 3):
        set_threads(threads)
        mine = [one.copy() for one in each]
        gradient = wrap([one.gradient for one in mine]) if row.has_gradient else None
        state = [wrap([one.state[s] for one in mine]) for s in range(len(row.states))]
        wake_threads()
        summary = row.call(wrap([one.w for one in mine]), gradient, state, 2, **rich(row))
        for one, (arrays, _) in zip(mine, wanted, strict=True):
            for actual, array in zip([one.w, *one.state], arrays, strict=True):
                assert_same_bits(actual, array, threads)
        assert summary.nonzeros == sum(said.nonzeros for _, said in wanted)


@pytest.mark.parametrize(
    "sizes",
    [np.random.default_rng(1).integers(0, 300, size=1000), np.full(12, 40_000), np.full(1000, 300)],
    ids=["a thousand", "each begins where a thread may end", "a thousand alike"],
)
def test_small_arrays_are_shared_among_threads_without_a_trace(
    sizes, set_threads, assert_same_bits
):
    row = UPDATES["adamw"]
    flat = operands(row, DTYPES["float32"], int(sizes.sum()))
    cuts = np.cumsum(sizes)[:-1]
    wanted, _ = results(row, flat, rich(row))
    for threads in (1, 2, 3, 7):
        set_threads(threads)
        mine = flat.copy()
        w, gradient, *state = (np.split(a, cuts) for a in (mine.w, mine.gradient, *mine.state))
        wake_threads()
        row.call(w, gradient, state, 2, **rich(row))
        for actual, array in zip([mine.w, *mine.state], wanted, strict=True):
            assert_same_bits(actual, array)


@pytest.mark.parametrize("size", [1, 17, 1000])
@pytest.mark.parametrize("at_end", [False, True], ids=["begin", "end"])
def test_nothing_outside_the_arrays_is_touched(row, dtype, guarded_pages, size, at_end):
    given = hostile(row, dtype, min(size, 4096 // 8))
    pages = iter(guarded_pages)
    state = [next(pages).place(array, at_end=at_end) for array in given.state[:2]]
    state += given.state[2:]
    w = next(pages).place(given.w, at_end=at_end)
    g = next(pages).place(given.gradient, at_end=at_end) if row.has_gradient else None
    for keywords in ways(row, dtype):
        if "toward" not in keywords:
            row.call(w, g, state, 2, **keywords)
            row.call([w], None if g is None else [g], [[s] for s in state], 2, **keywords)


def test_every_offset_of_the_memory_gives_the_same_bits(row, dtype, assert_same_bits):
    given = hostile(row, dtype, 200)
    wanted = results(row, given, rich(row))
    for k in range(1, 9):
        mine = given.map(lambda array, k=k: placed(array, k * array.itemsize))
        summary = mine.call(row, 2, **rich(row))
        actual = [mine.w, *mine.state], summary
        assert_equal_results(assert_same_bits, actual, wanted, k)
