"""What a copy, a pickle, a state and a file of an `EarlyStopping` hold: nothing of this process."""

import copy
import pickle

import numpy as np
import pytest

import bridle as br


class Monotonic:
    """A clock that somebody sets."""

    def __init__(self, monkeypatch):
        monkeypatch.setattr("bridle._stopping.state.time.monotonic", lambda: self.now)
        self.now = 0.0


@pytest.fixture
def clock(monkeypatch):
    return Monotonic(monkeypatch)


def trained(clock, boot):
    """Return a tracker after five seconds, on a machine that has run for some time."""
    clock.now = boot
    stopping = br.EarlyStopping(
        9, mode="min", max_seconds=8, restore_best_weights=True, criteria=[br.Plateau(9, 0.0)]
    )
    stopping.update(1.0, [np.ones(2)])
    clock.now += 5
    return stopping


def through_a_file(stopping, path):
    stopping.save(path)
    return path.read_bytes()


FORMS = {
    "pickle": lambda stopping, path: pickle.dumps(stopping),
    "state": lambda stopping, path: stopping.state_dict(),
    "file": through_a_file,
}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_the_same_run_on_two_machines_is_stored_alike(clock, tmp_path, form):
    path = tmp_path / "file"
    assert form(trained(clock, 1e6), path) == form(trained(clock, 64.0), path)


def loaded(stopping, path):
    stopping.save(path)
    return lambda: br.EarlyStopping.load(path)


def unpickled(stopping, path):
    text = pickle.dumps(stopping)
    return lambda: pickle.loads(text)


def resumed(stopping, path):
    state, other = stopping.state_dict(), copy.deepcopy(stopping)
    return lambda: other.load_state_dict(state) or other


@pytest.mark.parametrize("boot", [0.0, 1e9])
@pytest.mark.parametrize("store", [loaded, unpickled, resumed])
def test_seconds_go_on_from_where_they_were_on_another_machine(clock, tmp_path, store, boot):
    take_up = store(trained(clock, 1e6), tmp_path / "file")
    clock.now = boot
    stopping = take_up()
    for seconds, stops in ((2, False), (2, True)):
        clock.now += seconds
        assert stopping.update(0.5, [np.ones(2)]) is stops
    assert stopping.reason is br.StopReason.TIME


def test_shallow_copy_shares_only_what_cannot_be_copied():
    class Group:
        def __call__(self, stop):
            return stop

        def __deepcopy__(self, memo):
            raise TypeError("a handle")

    stopping = br.EarlyStopping(9, mode="min", reduce=Group())
    assert copy.copy(stopping).reduce is stopping.reduce
