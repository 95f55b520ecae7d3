"""`EarlyStopping` as the keeper of the best weights: bit for bit, in place, or not at all."""

import copy
import pickle
import types
from typing import NamedTuple

import ml_dtypes
import numpy as np
import pytest

import bridle as br
from bridle._stopping import snapshot

DTYPES = [np.float16, ml_dtypes.bfloat16, np.float32, np.float64, np.int64, np.complex64, ">f4"]


def keeper(patience=10, mode="min", **options):
    return br.EarlyStopping(patience, mode=mode, restore_best_weights=True, **options)


def random_bits(shape, dtype, seed=0):
    """Return an array of random bits, so with NaN payloads, and a -0.0 where there is room."""
    dtype = np.dtype(dtype)
    count = int(np.prod(shape)) * dtype.itemsize
    array = np.random.default_rng(seed).integers(0, 256, count, dtype=np.uint8).view(dtype)
    if array.size and dtype.kind != "i":
        array[0] = -0.0
    return array.reshape(shape)


def bits(array):
    return array.tobytes()


@pytest.fixture
def copies(monkeypatch):
    """Record the destination of every copy."""
    recorded = []
    copy_arrays = snapshot.copy_arrays

    def spy(destinations, sources, *further):
        recorded.extend(destinations)
        copy_arrays(destinations, sources, *further)

    monkeypatch.setattr(snapshot, "copy_arrays", spy)
    return recorded


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(), (0,), (1,), (3, 5), (1000, 130)])
def test_bits_come_back_in_place(dtype, shape):
    weights = random_bits(shape, dtype)
    kept, address = bits(weights), weights.ctypes.data
    stopping = keeper()
    stopping.update(1.0, weights)
    weights[...] = 0
    stopping.update(2.0, weights)
    stopping.restore(weights)
    assert (bits(weights), weights.ctypes.data) == (kept, address)


def test_array_above_the_threading_threshold_comes_back():
    weights = random_bits(3_000_001, np.float32)
    kept = weights.copy()
    stopping = keeper()
    stopping.update(1.0, weights)
    weights[...] = 7
    stopping.restore(weights)
    assert np.array_equal(weights.view(np.uint32), kept.view(np.uint32))


LAYOUTS = {
    "fortran": lambda base: base.T,
    "reversed": lambda base: base[::-1, ::-1],
    "every_other": lambda base: base[::2, ::2],
    "column": lambda base: base[:, 1],
    "offset": lambda base: base.reshape(-1)[1:],
    "swapped_axes": lambda base: base.reshape(3, 2, -1).transpose(2, 0, 1)[:, ::2],
}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("dtype", [np.float32, ml_dtypes.bfloat16])
def test_layout_does_not_matter_and_neighbours_are_left_alone(layout, dtype):
    base = random_bits((6, 10), dtype)
    weights = LAYOUTS[layout](base)
    original, kept = bits(base), bits(weights)
    stopping = keeper()
    stopping.update(1.0, weights)
    other = np.zeros_like(base)
    stopping.restore(LAYOUTS[layout](other))
    assert bits(LAYOUTS[layout](other)) == kept
    LAYOUTS[layout](other)[...] = 0
    assert not other.view(np.uint8).any()
    weights[...] = 0
    stopping.restore(weights)
    assert bits(base) == original
    contiguous = np.empty(weights.shape, dtype)
    stopping.restore(contiguous)
    assert bits(contiguous) == kept


@pytest.mark.parametrize("wrap", [list, tuple, lambda arrays: dict(zip("ab", arrays, strict=True))])
def test_collections_of_arrays_come_back(wrap):
    arrays = [random_bits((4, 3), np.float32), random_bits(5, np.float16, seed=1)]
    kept = [bits(a) for a in arrays]
    stopping = keeper()
    stopping.update(1.0, wrap(arrays))
    for array in arrays:
        array[...] = 1
    stopping.restore(wrap(arrays))
    assert [bits(a) for a in arrays] == kept


def test_names_count_and_not_their_order():
    a, b = np.full(2, 1.0), np.full(2, 2.0)
    stopping = keeper()
    stopping.update(1.0, {"a": a, "b": b})
    x, y = np.zeros(2), np.zeros(2)
    stopping.restore({"b": y, "a": x})
    assert (x[0], y[0]) == (1.0, 2.0)


def test_lists_tuples_and_an_array_alone_are_the_same():
    stopping = keeper()
    stopping.update(2.0, np.array([5.0]))
    stopping.update(1.0, [np.array([6.0])])
    weights = np.zeros(1)
    stopping.restore((weights,))
    assert weights[0] == 6.0


def test_weights_are_those_of_the_best_epoch():
    weights = np.zeros(3)
    stopping = keeper(patience=2, start_from_epoch=1)
    for value in [0, 9, 4, 6, 2, 5, 3, 1]:
        weights += 1
        if stopping.update(value, weights):
            break
    stopping.restore(weights)
    assert (weights[0], stopping.best_epoch, stopping.stopped_epoch) == (5.0, 4, 6)


def test_first_judged_epoch_is_kept_where_none_beats_it():
    weights = np.array([1.0])
    stopping = keeper(patience=2, baseline=0.5)
    while not stopping.update(weights[0], weights):
        weights += 1
    stopping.restore(weights)
    assert (weights[0], stopping.best_epoch) == (1.0, 0)


@pytest.mark.parametrize("mode", ["min", "max"])
def test_weights_of_a_bad_value_are_never_kept(mode):
    weights = np.array([1.0])
    stopping = keeper(mode=mode)
    stopping.update(3.0, weights)
    weights += 1
    assert stopping.update(np.nan, weights)
    stopping.restore(weights)
    assert weights[0] == 1.0


def test_restore_works_without_a_stop_and_training_may_go_on():
    weights = np.array([1.0])
    stopping = keeper()
    for value in [2.0, 3.0, 4.0]:
        stopping.update(value, weights)
        weights /= 2
        if value == 3.0:
            break
    stopping.restore(weights)
    assert (weights[0], stopping.reason) == (1.0, br.StopReason.NONE)
    weights[...] = 8
    assert not stopping.update(1.0, weights)
    weights[...] = 0
    stopping.restore(weights)
    assert (weights[0], stopping.best_epoch) == (8.0, 2)


def test_restore_may_be_repeated():
    weights = np.array([1.0])
    stopping = keeper()
    stopping.update(1.0, weights)
    for _ in range(2):
        weights[...] = 9
        stopping.restore(weights)
        assert weights[0] == 1.0


def test_copies_only_improvements_into_the_same_buffers(copies):
    weights = {"w": np.zeros((3, 4)), "b": np.zeros(2)}
    stopping = keeper()
    counts = []
    for value in [5.0, 6.0, 4.0, 4.0, 3.0]:
        stopping.update(value, weights)
        counts.append(len(copies))
    assert counts == [2, 2, 4, 4, 6]
    assert len({id(buffer) for buffer in copies}) == 2
    assert not any(np.shares_memory(b, w) for b in copies for w in weights.values())


@pytest.mark.parametrize("weights", [np.zeros(3), [], "anything"], ids=["array", "list", "str"])
def test_weights_that_would_be_lost_are_refused_at_the_first_update(copies, weights):
    plateau = br.Plateau(2, 0.0)
    stopping = br.EarlyStopping(2, mode="min", criteria=[plateau], start_from_epoch=1)
    message = "^EarlyStopping: weights must not be given if restore_best_weights is False, got "
    with pytest.raises(ValueError, match=message + type(weights).__name__):
        stopping.update(1.0, weights)
    assert (stopping.state_dict()["state"]["next_epoch"], copies) == (0, [])
    assert plateau.state_dict() == {"values": []}
    assert not stopping.update(1.0)


class Layer(NamedTuple):
    w: np.ndarray
    b: np.ndarray


STRUCTURES = [
    np.ones(2),
    [np.ones(2)],
    (np.ones(2), np.zeros(1)),
    Layer(np.ones(2), np.zeros(1)),
    {"b": np.ones(2), "a": np.zeros(1)},
    [],
    (),
    {},
]


@pytest.mark.parametrize("clone", [copy.deepcopy, lambda s: pickle.loads(pickle.dumps(s))])
@pytest.mark.parametrize("weights", STRUCTURES, ids=repr)
def test_best_weights_have_the_structure_given(weights, clone):
    stopping = keeper()
    stopping.update(1.0, weights)
    for tracker in (stopping, clone(stopping)):
        best = tracker.best_weights()
        assert type(best) is type(weights)
        assert repr(best) == repr(weights)


def test_mapping_of_another_kind_comes_back_as_a_dictionary():
    stopping = keeper()
    stopping.update(1.0, types.MappingProxyType({"w": np.ones(2)}))
    assert stopping.best_weights().keys() == {"w"}


def test_interrupted_update_leaves_the_weights_of_the_best_epoch(monkeypatch):
    weights = [np.full(2, 1.0), np.full(2, 1.0)]
    stopping = keeper()
    stopping.update(5.0, weights)

    def interrupted(*arguments):
        raise KeyboardInterrupt

    for array in weights:
        array += 1
    with monkeypatch.context() as patch:
        patch.setattr(snapshot, "copy_arrays", interrupted)
        with pytest.raises(KeyboardInterrupt):
            stopping.update(4.0, weights)
    assert (stopping.best, stopping.best_epoch, stopping.wait) == (5.0, 0, 0)
    stopping.restore(weights)
    assert [array[0] for array in weights] == [1.0, 1.0]


def test_missing_weights_are_refused_at_once():
    stopping = keeper(start_from_epoch=3)
    message = "^EarlyStopping: weights must be given if restore_best_weights is True, got None$"
    with pytest.raises(ValueError, match=message):
        stopping.update(1.0)


def used(stopping, *values):
    for value in values:
        stopping.update(value, np.zeros(2))
    return stopping


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (lambda: br.EarlyStopping(1, mode="min"), "restore_best_weights is False"),
        (lambda: used(keeper()), "update has taken no value"),
        (lambda: used(keeper(), np.nan), "the first value judged, of epoch 0, was not finite"),
        (
            lambda: used(keeper(start_from_epoch=2), 2.0, 1.0),
            r"epoch 2 \(start_from_epoch\) was not reached",
        ),
    ],
)
def test_restore_tells_why_there_is_nothing(make, why):
    with pytest.raises(RuntimeError, match=f"^EarlyStopping: no weights to restore: {why}$"):
        make().restore(np.zeros(2))


def test_reset_forgets_the_weights():
    stopping = used(keeper(), 1.0)
    stopping.reset()
    with pytest.raises(RuntimeError, match="update has taken no value"):
        stopping.restore(np.zeros(2))
    weights = np.full((4, 4), 3, dtype=np.float16)
    stopping.update(2.0, [weights])
    weights[...] = 0
    stopping.restore([weights])
    assert weights[0, 0] == 3


def read_only(array):
    array.flags.writeable = False
    return array


MISMATCHES = {
    "shape": (lambda a, b: [a, b[:2]], r"weights\[1\] must be float32 of shape \(3,\)"),
    "broadcastable": (lambda a, b: [a, b[:1]], r"got float32 of shape \(1,\)"),
    "dtype": (lambda a, b: [a, b.astype("f8")], r"got float64 of shape \(3,\)"),
    "byte_order": (lambda a, b: [a, b.astype(">f4")], "got >f4 of shape"),
    "too_few": (lambda a, b: [a], "must be the 2 arrays first kept, got 1: 1 is missing"),
    "too_many": (lambda a, b: [a, b, b], "must be the 2 arrays first kept, got 3: 2 is new"),
    "names": (lambda a, b: {"a": a, "b": b}, "got 2: 0 is missing"),
}


@pytest.mark.parametrize("case", MISMATCHES)
def test_other_arrays_are_refused_before_anything_is_written(case):
    change, message = MISMATCHES[case]
    first = np.full((2, 2), 1, np.float32), np.full(3, 1, np.float32)
    stopping = keeper()
    stopping.update(5.0, first)
    a, b = np.full((2, 2), 9, np.float32), np.full(3, 9, np.float32)
    with pytest.raises(ValueError, match=message):
        stopping.restore(change(a, b))
    assert (a == 9).all()
    assert (b == 9).all()
    for value in [6.0, 4.0]:
        with pytest.raises(ValueError, match=message):
            stopping.update(value, change(a, b))
    assert (stopping.best, stopping.best_epoch, stopping.wait) == (5.0, 0, 0)
    stopping.restore([a, b])
    assert (a == 1).all()


def test_other_names_are_refused():
    stopping = keeper()
    stopping.update(1.0, {"w": np.zeros(2)})
    with pytest.raises(ValueError, match="got 1: 'w' is missing"):
        stopping.restore({"v": np.zeros(2)})


def test_read_only_array_is_refused_before_anything_is_written():
    stopping = keeper()
    stopping.update(1.0, [np.zeros(2), read_only(np.zeros(2))])
    first = np.full(2, 9.0)
    with pytest.raises(ValueError, match=r"weights\[1\] must be writeable, got read-only"):
        stopping.restore([first, read_only(np.full(2, 9.0))])
    assert (first == 9).all()


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ([[1.0, 2.0]], r"weights\[0\] must be numbers in an ndarray, got list"),
        ({"w": np.float32(1)}, r"weights\['w'\] must be numbers in an ndarray, got float32"),
        (np.array([1, None]), r"weights\[0\] must be numbers in an ndarray, got object"),
        ({"w": np.zeros(2)}.values(), "weights must be an ndarray, .* got dict_values"),
        (3.0, "weights must be an ndarray, .* got float"),
    ],
)
def test_weights_that_are_no_arrays_are_a_type_error(weights, message):
    stopping = keeper()
    with pytest.raises(TypeError, match=f"^EarlyStopping: {message}$"):
        stopping.update(1.0, weights)
    assert stopping.best is None
    stopping.update(1.0, np.zeros(2))
    with pytest.raises(TypeError, match=f"^EarlyStopping: {message}$"):
        stopping.restore(weights)
