"""Objects and files that several threads use at once: what is promised of each."""

import copy

import numpy as np
import pytest

import bridle as br

from .at_once import meanwhile, run_in_threads, switching_often

THREADS, CALLS = 6, 40
X = np.ones(200, np.float32)


def masks(layer, streams):
    """Return the results of these streams, as they are without threads."""
    options = {"seed": layer.seed, "p": layer.p}
    return sorted(br.dropout(X, stream=stream, **options).tobytes() for stream in streams)


def test_no_two_calls_of_a_dropout_layer_share_a_mask():
    layer = br.Dropout(0.5, seed=3, stream=7)
    found = []

    def call():
        for _ in range(CALLS):
            found.append(layer(X).tobytes())
            found.extend(sample.tobytes() for sample in layer.sample(X, 3))

    with switching_often():
        run_in_threads([call] * THREADS)
    every = range(7, 7 + 4 * THREADS * CALLS)
    assert layer.stream == every.stop
    assert sorted(found) == masks(layer, every)


def test_a_failed_call_of_a_dropout_layer_disturbs_no_other_one():
    layer = br.Dropout(0.5, seed=3)
    found = []

    def call():
        for _ in range(CALLS):
            found.append(layer(X).tobytes())

    def fail():
        for _ in range(CALLS):
            with pytest.raises(ValueError, match="out must have the shape"):
                layer(X, out=np.ones(3, np.float32))

    with switching_often():
        run_in_threads([call, fail] * (THREADS // 2))
    assert len(set(found)) == len(found)
    before = layer.stream
    fail()
    assert layer.stream == before


def test_no_two_copies_of_a_dropout_layer_share_a_stream():
    layer = br.Dropout(0.5, seed=3)
    copies = []

    def take():
        for _ in range(CALLS):
            copies.extend([copy.copy(layer), copy.deepcopy(layer)])

    with switching_often():
        run_in_threads([take] * THREADS)
    assert len({each.stream for each in copies}) == 2 * THREADS * CALLS


def test_a_checkpoint_that_several_threads_save_is_always_a_whole_one(tmp_path):
    path = tmp_path / "run.npz"

    def save(number):
        br.save_checkpoint(path, w=np.full(30_000, number), state=np.full(7, number))

    def load():
        w, state = np.zeros(30_000, int), np.zeros(7, int)
        br.load_checkpoint(path, w=w, state=state)
        return {*w.tolist(), *state.tolist()}

    save(1)
    with switching_often(), meanwhile(*[lambda n=n: save(n) for n in (2, 3, 4)]):
        found = [load() for _ in range(20)]
    assert all(len(numbers) == 1 for numbers in found)
    assert [each.name for each in tmp_path.iterdir()] == ["run.npz"]  # nothing half written


def test_an_early_stopping_that_several_threads_save_is_always_a_whole_one(tmp_path):
    trackers = []
    for number in (1.0, 2.0, 3.0):
        tracker = br.EarlyStopping(5, mode="min", restore_best_weights=True)
        tracker.update(number, [np.full(20_000, number)])
        trackers.append(tracker)

    def load():
        loaded = br.EarlyStopping.load(tmp_path / "best")
        return {loaded.best, *loaded.best_weights()[0].tolist()}

    trackers[0].save(tmp_path / "best")
    saves = [lambda t=tracker: t.save(tmp_path / "best") for tracker in trackers]
    with switching_often(), meanwhile(*saves):
        assert all(len(load()) == 1 for _ in range(20))


def test_objects_of_a_run_are_right_where_threads_take_turns(tmp_path):
    """Each of them under a lock, or handed on from thread to thread."""
    w = np.full(40, 2.0)
    optimizer = br.SGD(w, 0.5)
    stopping = br.EarlyStopping(10_000, mode="max", restore_best_weights=True)

    def turn():
        optimizer.step(np.full(40, 0.125))
        stopping.update(float(optimizer.iteration), w)

    for _ in range(THREADS):
        run_in_threads([turn])
    assert optimizer.iteration == stopping.best == THREADS
    np.testing.assert_array_equal(stopping.best_weights(), 2.0 - THREADS * 0.5 * 0.125)


def test_an_optimizer_that_threads_share_without_a_lock_still_works():
    """It may lose a step, and nothing worse."""
    w = np.full(5000, 100.0)
    optimizer = br.SGD(w, 0.5)

    def step():
        for _ in range(CALLS):
            optimizer.step(np.full(5000, 0.25))

    with switching_often():
        run_in_threads([step] * THREADS)
    assert CALLS <= optimizer.iteration <= THREADS * CALLS
    steps = (100.0 - w) / 0.125
    assert np.array_equal(steps, steps.round())
    assert steps.min() >= CALLS
    assert steps.max() <= THREADS * CALLS
