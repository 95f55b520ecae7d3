"""`state_dict` and `load_state_dict` of `EarlyStopping`: plain JSON, all or nothing."""

import copy
import json
import math

import numpy as np
import pytest

import bridle as br
from bridle import StopReason

INF, NAN = math.inf, math.nan


def fed(stopping, *values):
    for value in values:
        stopping.update(value)
    return stopping


def full(**changes):
    """Return a tracker with something in every part of its state."""
    options = {
        "patience": 4,
        "mode": "min",
        "smoothing": 0.5,
        "criteria": [br.Plateau(3, 0.0), br.UnimprovedStrips(2, strip=2)],
        "target": -INF,
    }
    return br.EarlyStopping(**{**options, **changes})


def without_time(state):
    state = copy.deepcopy(state)
    state["state"]["seconds"] = None
    return state


def test_configuration_and_state_are_apart_and_strictly_json():
    stopping = fed(full(), 4.0, 2.0)
    state = stopping.state_dict()
    assert json.loads(json.dumps(state, allow_nan=False)) == state
    assert state["config"] == {
        "patience": 4,
        "mode": "min",
        "monitor": None,
        "min_delta": 0.0,
        "delta": "absolute",
        "baseline": None,
        "start_from_epoch": 0,
        "restore_best_weights": False,
        "nan": "stop",
        "target": "-inf",
        "divergence": None,
        "max_seconds": None,
        "smoothing": 0.5,
        "criteria": [
            {"type": "bridle.Plateau", "window": 3, "tolerance": 0.0},
            {"type": "bridle.UnimprovedStrips", "strips": 2, "strip": 2},
        ],
        "combine": "all",
    }
    assert 0 <= state["state"].pop("seconds") < 600
    assert state["state"] == {
        "next_epoch": 2,
        "stopped_epoch": None,
        "reason": "none",
        "improved": True,
        "metrics": [
            {
                "name": "value",
                "mode": "min",
                "best": 3.0,
                "best_epoch": 1,
                "wait": 0,
                "average": 3.0,
            }
        ],
        "criteria": [
            {"type": "bridle.Plateau", "state": {"values": [4.0, 3.0]}},
            {
                "type": "bridle.UnimprovedStrips",
                "state": {"previous": 3.0, "epochs": 0, "rises": 0},
            },
        ],
    }


def test_new_tracker_has_no_time_yet():
    assert full().state_dict()["state"]["seconds"] is None


def test_infinite_numbers_come_back():
    state = json.loads(json.dumps(fed(full(target=None), -INF).state_dict(), allow_nan=False))
    assert state["state"]["metrics"][0]["best"] == "-inf"
    other = full(target=None)
    other.load_state_dict(state)
    assert (other.best, other.criteria[0].state_dict()) == (-INF, {"values": [-INF]})


def test_state_does_not_change_afterwards():
    stopping = fed(full(), 4.0)
    state = stopping.state_dict()
    before = copy.deepcopy(state)
    fed(stopping, 3.0, 2.0)
    assert state == before
    other = full()
    other.load_state_dict(state)
    fed(other, 3.0, 2.0)
    assert state == before


def test_new_configuration_wins():
    stopping = fed(br.EarlyStopping(2, mode="min"), 1.0, 2.0)
    more_patient = br.EarlyStopping(4, mode="min")
    more_patient.load_state_dict(stopping.state_dict())
    assert more_patient.patience == 4
    assert [more_patient.update(2.0) for _ in range(3)] == [False, False, True]


def test_run_that_stopped_goes_on_only_with_another_configuration():
    stopping = fed(br.EarlyStopping(2, mode="min"), 1.0, 2.0, 2.0)
    state = stopping.state_dict()
    same = br.EarlyStopping(2, mode="min")
    same.load_state_dict(state)
    assert same.last == stopping.last
    assert (same.stopped_epoch, same.update(0.0), same.best) == (2, True, 1.0)
    more_patient = br.EarlyStopping(3, mode="min")
    more_patient.load_state_dict(state)
    assert (more_patient.reason, more_patient.stopped_epoch) == (StopReason.NONE, None)
    assert more_patient.update(2.0)
    assert more_patient.stopped_epoch == 3


def test_state_may_be_loaded_into_a_used_tracker():
    state = fed(full(), 4.0, 2.0).state_dict()
    used = fed(full(), 1.0, 0.0, NAN)
    used.load_state_dict(state)
    assert without_time(used.state_dict()) == without_time(state)


def test_criteria_find_their_state_by_class_and_new_ones_start_anew():
    state = fed(full(), 4.0, 2.0).state_dict()
    stopping = full(criteria=[br.GeneralizationLoss(5), br.Plateau(2, 9.0)])
    stopping.criteria[0].update(1.0)
    stopping.load_state_dict(state)
    states = [criterion.state_dict() for criterion in stopping.criteria]
    assert states == [{"best": None}, {"values": [4.0, 3.0]}]


def test_two_criteria_of_a_class_keep_their_order():
    criteria = [br.Plateau(2, 0.0), br.Plateau(3, 0.0)]
    state = fed(full(criteria=criteria), 4.0, 2.0, 1.0).state_dict()
    stopping = full(criteria=[br.Plateau(2, 0.0), br.Plateau(3, 0.0)])
    stopping.load_state_dict(state)
    lengths = [len(criterion.state_dict()["values"]) for criterion in stopping.criteria]
    assert lengths == [2, 3]


def test_weights_are_not_part_of_the_state():
    stopping = br.EarlyStopping(2, mode="min", restore_best_weights=True)
    stopping.update(1.0, np.ones(2))
    state = stopping.state_dict()
    stopping.load_state_dict(state)
    with pytest.raises(RuntimeError, match="not part of what load_state_dict took"):
        stopping.restore(np.ones(2))
    stopping.update(0.5, np.ones(3))
    assert stopping.best_weights().shape == (3,)


class Own:
    """A criterion with the state it is told to have."""

    def __init__(self, state=None):
        self.state = state

    def update(self, value, training):
        return False

    def reset(self): ...

    def state_dict(self):
        return {"own": self.state}

    def load_state_dict(self, state):
        if state["own"] == "refused":
            raise LookupError
        self.state = state["own"]


def test_own_state_may_hold_what_json_lacks():
    own = Own([1, INF, -INF, {"deep": (np.float64(0.5), True, None, "text")}])
    state = json.loads(json.dumps(full(criteria=[own]).state_dict(), allow_nan=False))
    other = Own()
    full(criteria=[other]).load_state_dict(state)
    assert other.state == [1, INF, -INF, {"deep": [0.5, True, None, "text"]}]


@pytest.mark.parametrize(
    "value", [np.zeros(2), np.float32(1), {1: 2}, object()], ids=lambda v: type(v).__name__
)
def test_own_state_that_is_not_json_is_a_type_error(value):
    with pytest.raises(TypeError, match=r"^EarlyStopping: state must be made of what JSON has"):
        full(criteria=[Own(value)]).state_dict()


def test_criterion_that_refuses_its_state_leaves_everything_as_it_was():
    state = fed(full(criteria=[br.Plateau(3, 0.0), Own("refused")]), 9.0).state_dict()
    stopping = fed(full(criteria=[br.Plateau(3, 0.0), Own("kept")]), 1.0)
    before = stopping.state_dict()
    with pytest.raises(LookupError):
        stopping.load_state_dict(state)
    assert without_time(stopping.state_dict()) == without_time(before)


def changed(state, path, value):
    """Return a copy in which the value at a path is another one."""
    state = copy.deepcopy(state)
    *parents, last = path
    place = state
    for key in parents:
        place = place[key]
    if value is KeyError:
        del place[last]
    else:
        place[last] = value
    return state


METRIC = ("state", "metrics", 0)
WRONG = [
    (("state",), KeyError),
    (("config",), KeyError),
    (("state",), 3),
    *[(("state", key), KeyError) for key in fed(full(), 1.0).state_dict()["state"]],
    (("state", "next_epoch"), -1),
    (("state", "next_epoch"), 1.0),
    (("state", "next_epoch"), True),
    (("state", "stopped_epoch"), 3),
    (("state", "reason"), "patience"),
    (("state", "reason"), "tired"),
    (("state", "reason"), []),
    (("state", "improved"), 1),
    (("state", "seconds"), -1.0),
    (("state", "seconds"), "nan"),
    (("state", "seconds"), "inf"),
    (("state", "metrics"), []),
    (("state", "metrics"), {}),
    (("state", "metrics"), 3),
    ((*METRIC, "name"), "loss"),
    ((*METRIC, "mode"), "max"),
    ((*METRIC, "best"), KeyError),
    ((*METRIC, "best"), "nan"),
    ((*METRIC, "best"), None),
    ((*METRIC, "best"), True),
    ((*METRIC, "best_epoch"), None),
    ((*METRIC, "best_epoch"), -1),
    ((*METRIC, "wait"), -1),
    ((*METRIC, "wait"), None),
    ((*METRIC, "average"), "inf"),
    ((*METRIC, "average"), "text"),
    (("state", "criteria"), None),
    (("state", "criteria"), [{"type": "bridle.Plateau"}]),
    (("state", "criteria", 0, "state"), {}),
    (("state", "criteria", 0, "state"), None),
    (("state", "criteria", 0, "state"), {"values": ["text"]}),
    (("state", "criteria", 1, "state", "rises"), -1),
]


@pytest.mark.parametrize(("path", "value"), WRONG)
def test_wrong_state_is_refused_and_nothing_has_changed(path, value):
    good = fed(full(), 9.0, 8.0).state_dict()
    weights = np.full(2, 3.0)
    stopping = full(restore_best_weights=True)
    stopping.update(1.0, weights)
    before = stopping.state_dict()
    with pytest.raises(ValueError, match=r"^(EarlyStopping|Plateau|UnimprovedStrips): ") as caught:
        stopping.load_state_dict(changed(good, path, value))
    assert "\n" not in str(caught.value)
    assert without_time(stopping.state_dict()) == without_time(before)
    assert (stopping.best_weights() == 3).all()


@pytest.mark.parametrize("state", [None, [], "text", {}, {"state": {}}])
def test_what_is_no_state_is_refused(state):
    with pytest.raises(ValueError, match=r"^EarlyStopping: state must be a mapping"):
        full().load_state_dict(state)
