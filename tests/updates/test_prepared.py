"""Prepared lists: a sequence of the same arrays, for as many steps as one likes."""

import contextlib
import copy
import gc
import pickle
import sys
import threading
import weakref
from collections.abc import Sequence

import numpy as np
import pytest

import bridle as br

with contextlib.suppress(ImportError):  # then its arrays are looked for in lists
    import dask.array  # noqa: F401

from ..cases import DTYPES, THREADED_SIZES, values
from ..threads.at_once import run_in_threads
from .data import operands
from .oracle import UPDATES, rich

ADAMW = UPDATES["adamw"]
SHAPES = [(3, 5), 0, 300, (), 5000]


def lists(dtype=DTYPES["float32"], seed=1, shapes=SHAPES):
    """Return weights, gradients, first and second moments."""
    each = [operands(ADAMW, dtype, shape, seed + k) for k, shape in enumerate(shapes)]
    return [[one.arrays[k] for one in each] for k in range(4)]


def test_it_is_a_sequence_of_the_arrays():
    arrays = [np.ones(3), np.zeros((2, 2)), np.ones(0)]
    prepared = br.prepare(arrays)
    assert isinstance(prepared, Sequence)
    assert len(prepared) == 3
    assert [one is other for one, other in zip(prepared, arrays, strict=True)] == [True] * 3
    assert prepared[-1] is arrays[2]
    assert prepared[:2][1] is arrays[1]
    assert prepared.index(arrays[0]) == 0
    with pytest.raises(IndexError):
        prepared[3]
    with pytest.raises(TypeError):
        prepared[0] = np.ones(3)
    assert br.prepare(prepared) is prepared
    assert len(br.prepare(())) == 0


@pytest.mark.parametrize("again", [copy.deepcopy, lambda a: pickle.loads(pickle.dumps(a))])
def test_copies_have_arrays_of_their_own(again):
    weights = br.prepare([np.ones(3), np.ones((2, 2), np.float32)])
    other = again({"weights": weights})["weights"]
    br.proximal_step(other, 1.0, l1=0.5)
    assert [float(w.max()) for w in weights] == [1.0, 1.0]
    assert [float(w.max()) for w in other] == [0.5, 0.5]
    assert copy.copy(weights)[0] is weights[0]


def test_it_shows_in_one_line_what_it_holds():
    for arrays, shown in (
        ((), "0 arrays, 0 elements"),
        ([np.ones(1)], "1 array, 1 element, float64"),
        (
            [np.ones((2, 3), "f4"), np.ones(5, "f8"), np.ones(0, "f4")] * 1000,
            "3000 arrays, 11000 elements, float32, float64",
        ),
    ):
        assert repr(br.prepare(arrays)) == f"<PreparedArrays: {shown}>"


def test_many_steps_give_the_bits_of_the_list(dtype, assert_same_bits):
    plain, other = lists(dtype), lists(dtype)
    prepared = [br.prepare(arrays) for arrays in other]
    for t in range(1, 6):
        for gradients in (plain[1], other[1]):
            for gradient in gradients:
                gradient *= 0.5
        mixed = prepared if t % 2 else [prepared[0], other[1], prepared[2], tuple(other[3])]
        keywords = rich(ADAMW) | {"l1": [0.1, 0.0, 0.2, 0.0, 0.3]}
        summaries = [ADAMW.call(a[0], a[1], a[2:], t, **keywords) for a in (plain, mixed)]
        assert summaries[0] == summaries[1]
    for one, two in zip(plain, other, strict=True):
        for array, wanted in zip(one, two, strict=True):
            assert_same_bits(array, wanted)


def test_strided_arrays_may_be_prepared(assert_same_bits):
    memory = np.ones((2, 10))
    prepared, gradient = br.prepare([memory[0, ::2], memory[1, ::-1]]), [np.ones(5), np.ones(10)]
    br.sgd_update(prepared, br.prepare(gradient), 0.25)
    np.testing.assert_array_equal(memory, [[0.75, 1] * 5, [0.75] * 10])


def test_the_list_may_change_afterwards():
    arrays = [np.ones(3), np.ones(2)]
    first = arrays[0]
    prepared = br.prepare(arrays)
    arrays.clear()
    gc.collect()
    assert br.proximal_step(prepared, 0.5, l1=1.0).nonzeros == 5
    np.testing.assert_array_equal(first, 0.5)


def test_it_keeps_its_arrays_alive_and_lets_them_go():
    class Array(np.ndarray):
        pass

    array = np.ones(1000).view(Array)
    alive = weakref.ref(array)
    prepared = br.prepare([array])
    del array
    gc.collect()
    assert alive() is not None
    assert br.proximal_step(prepared, 0.5, l1=1.0).penalty == 500.0
    del prepared
    gc.collect()
    assert alive() is None


def test_preparing_again_and_again_leaves_nothing_behind():
    array = np.ones(3)
    before = sys.getrefcount(array)
    for _ in range(100):
        br.proximal_step(br.prepare([array, np.ones(2)]), 0.0)
        with pytest.raises(TypeError):
            br.prepare([array, 3.0])
        with pytest.raises(ValueError, match="share no memory"):
            br.proximal_step(br.prepare([array, array]), 0.0)
    gc.collect()
    assert sys.getrefcount(array) == before


@pytest.mark.filterwarnings("ignore:Setting the:DeprecationWarning")  # by NumPy 2.5
def test_what_is_checked_of_arrays_is_checked_at_each_call():
    arrays = [np.ones(3), np.ones(4)]
    prepared = br.prepare(arrays)
    arrays[1].flags.writeable = False
    with pytest.raises(ValueError, match=r"^proximal_step: w\[1\] must be writeable, got "):
        br.proximal_step(prepared, 0.5)
    arrays[1].flags.writeable = True
    arrays[1].shape = (2, 2)
    with pytest.raises(ValueError, match=r"^sgd_update: gradient\[1\] must have the shape of w"):
        br.sgd_update(prepared, [np.ones(3), np.ones(4)], 0.5)


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (None, "arrays must be a list, tuple or mapping of arrays, got NoneType"),
        (np.ones((2, 2)), "arrays must be a list, tuple or mapping of arrays, got ndarray"),
        (iter([]), "arrays must be a list, tuple or mapping of arrays, got list_iterator"),
        ({"a": np.ones(1), "b": {}}, "arrays['b'] must be an array, got dict"),
        ([np.ones(1), None], "arrays[1] must be an array, got NoneType"),
        (([1.0],), "arrays[0] must be an array, got list"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",  # of an iterator it is an address
)
def test_what_is_no_list_of_arrays_is_a_type_error(bad, message):
    with pytest.raises(TypeError) as caught:
        br.prepare(bad)
    assert str(caught.value) == f"prepare: {message}"


def test_updates_from_several_threads_do_not_disturb_each_other(threads, assert_same_bits):
    size = THREADED_SIZES[0]
    shapes = [size, 10, 3000, 40_000]
    expected, actual = ([lists(seed=10 * k, shapes=shapes) for k in range(4)] for _ in range(2))
    for arrays in expected:
        for t in (1, 2, 3):
            ADAMW.call(arrays[0], arrays[1], arrays[2:], t, **rich(ADAMW))

    def steps(arrays):
        prepared = [br.prepare(group) for group in arrays]
        for t in (1, 2, 3):
            ADAMW.call(prepared[0], prepared[1], prepared[2:], t, **rich(ADAMW))

    run_in_threads([lambda arrays=arrays: steps(arrays) for arrays in actual])
    for one, other in zip(actual, expected, strict=True):
        for group, wanted in zip(one, other, strict=True):
            for array, value in zip(group, wanted, strict=True):
                assert_same_bits(array, value)


def test_a_list_may_be_emptied_while_another_thread_works_on_it(set_threads):
    set_threads(1)
    for _ in range(5):
        arrays = [np.ones(5_000_000)]  # so large that its memory goes back to the system
        run_in_threads([arrays.clear, lambda a=arrays: br.proximal_step(a, 0.1, l1=0.1)])


class Grows(np.ndarray):
    """An array of a type whose look-up lets other code run, which changes the list."""

    lists = ()

    @property
    def __class__(self):
        for arrays in Grows.lists:
            arrays.clear()
            arrays.extend(np.zeros(7) for _ in range(1000))
        return Grows


def test_a_list_that_changes_while_it_is_looked_at_is_taken_as_it_was(monkeypatch):
    """Whether an array is masked is asked of Python, where another thread may have its turn."""
    for call in (br.prepare, lambda arrays: br.proximal_step(arrays, 0.5, l1=1.0)):
        arrays = [np.ones(3).view(Grows) for _ in range(5)]
        before = list(arrays)
        monkeypatch.setattr(Grows, "lists", [arrays])
        result = call(arrays)
        assert len(arrays) == 1000
        monkeypatch.setattr(Grows, "lists", [])
        if isinstance(result, Sequence) and not isinstance(result, tuple):
            assert [one is other for one, other in zip(result, before, strict=True)] == [True] * 5
            result = br.proximal_step(result, 0.5, l1=1.0)
        assert result == (7.5, 15, True)


def test_copies_of_a_list_that_changes_are_written_back_to_the_arrays(monkeypatch):
    memory = np.ones((5, 6))
    arrays = [row[::2].view(Grows) for row in memory]
    monkeypatch.setattr(Grows, "lists", [arrays])
    assert br.proximal_step(arrays, 0.5, l1=1.0).nonzeros == 15
    np.testing.assert_array_equal(memory, [[0.5, 1.0] * 3] * 5)


def test_the_interpreter_runs_on_during_an_update(set_threads):
    """Another thread gets its turn, though nobody has to give way to it."""
    set_threads(1)
    w = values(DTYPES["float64"], 4_000_000, finite=True)
    start, ran = threading.Event(), []
    thread = threading.Thread(target=lambda: (start.wait(), ran.append(True)))
    thread.start()
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1000)
    try:
        start.set()
        calls = 0
        while not ran and calls < 200:
            br.proximal_step(w, 0.1, l1=1e-9)
            calls += 1
        ran_meanwhile = bool(ran)
    finally:
        sys.setswitchinterval(interval)
        thread.join()
    assert ran_meanwhile


@pytest.mark.filterwarnings("ignore:Setting the:DeprecationWarning")  # by NumPy 2.5
def test_an_array_that_has_lost_its_memory_or_type_since_is_an_error():
    for change in (lambda a: a.resize(50_000, refcheck=False), lambda a: setattr(a, "dtype", "i8")):
        arrays = [np.ones(3), np.ones(3)]
        prepared = br.prepare(arrays)
        change(arrays[1])
        rule = r"w\[1\] must be as it was when it was prepared, got .* that has changed"
        with pytest.raises(ValueError, match=f"^proximal_step: {rule}$"):
            br.proximal_step(prepared, 0.1, l1=0.1)
        np.testing.assert_array_equal(arrays[0], 1.0)


def test_the_type_is_kept_so_that_no_other_one_can_stand_at_its_place():
    array = np.ones(4, np.dtype(np.float32, metadata={"own": True}))
    dtype = array.dtype
    before = sys.getrefcount(dtype)
    prepared = br.prepare([array])
    assert sys.getrefcount(dtype) == before + 1
    del prepared
    assert sys.getrefcount(dtype) == before
