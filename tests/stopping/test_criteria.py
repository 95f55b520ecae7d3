"""The criteria beside patience: Prechelt's by examples computed by hand, and one's own."""

import json
import math
import statistics

import numpy as np
import pytest

import bridle as br
from bridle import StopReason

INF, NAN = math.inf, math.nan


def fired(criterion, values, training=None):
    """Return the index of the first value at which it fires."""
    losses = training or [1.0] * len(values)
    answers = [criterion.update(v, t) for v, t in zip(values, losses, strict=True)]
    assert all(type(answer) is bool for answer in answers)
    return answers.index(True) if True in answers else None


@pytest.mark.parametrize(
    ("values", "threshold", "index"),
    [
        ([2, 1, 1.25, 1.5], 25, 3),  # not more than 25 % at the third
        ([2, 1, 1.25], 24, 2),
        ([1, 1, 1], 0, None),
        ([1, 0.5, 0.25], 0, None),
        ([0, 0], 0, None),
        ([1, 0, 5e-324], 1e300, 2),  # infinitely far above zero
        ([-4, -3], 24, 1),  # 25 % of 4
        ([-4, -3], 25, None),
        ([-4, 4], 199, 1),
        ([-INF, -INF], 0, None),
        ([-INF, 1], 1e300, 1),
        ([1e-320, 1e308], 1e300, 1),
    ],
)
def test_generalization_loss(values, threshold, index):
    assert fired(br.GeneralizationLoss(threshold), values) == index


@pytest.mark.parametrize(
    ("values", "training", "threshold", "index"),
    [
        # Strips (4, 2): P = 1000 (6/4 - 1) = 500; GL = 100 (3/2 - 1) = 50; GL / P = 0.1.
        ([2, 3], [4, 2], 0.099, 1),
        ([2, 3], [4, 2], 0.1, None),
        # Only the training losses of the last strip count.
        ([2, 2, 3, 3], [99, 1, 4, 2], 0.099, 3),
        # Nothing happens inside a strip.
        ([2, 3, 9], [4, 4, 1], 0, 1),
        ([2, 1, 9], [4, 2, 1], 0, None),
        # Flat training: any loss of generalization is too much, none is not.
        ([2, 3], [0.1, 0.1], 1e300, 1),
        ([3, 2], [0.1, 0.1], 0, None),
        # Lowest training loss zero: infinite progress, unless all are.
        ([2, 3], [4, 0], 0, None),
        ([2, 3], [0, 0], 0, 1),
        # Negative training losses: progress in terms of their size, 1000 (1 - 6/8) = 250.
        ([2, 3], [-2, -4], 0.199, 1),
        ([2, 3], [-2, -4], 0.2, None),
        ([2, 3], [NAN, 1], 0, None),
        ([2, 3], [1, INF], 0, None),
        ([2, 3, 2, 3], [NAN, 1, 4, 2], 0.099, 3),
        ([2, 3], [1e308, 1.1e308], 1e300, None),
        # The lowest loss of an epoch inside a strip is remembered.
        ([4, 2, 1, 3], [4, 2, 4, 2], 0.399, 3),
    ],
)
def test_progress_quotient(values, training, threshold, index):
    assert fired(br.ProgressQuotient(threshold, strip=2), values, training) == index


def test_flat_training_is_flat_whatever_its_rounding():
    for k in range(2, 30):
        criterion = br.ProgressQuotient(1e300, strip=k)
        assert fired(criterion, [1.0, *[2.0] * (k - 1)], [0.1] * k) == k - 1


@pytest.mark.parametrize(
    ("values", "strips", "strip", "index"),
    [
        ([1, 2], 1, 1, 1),
        ([1, 1, 1], 1, 1, None),
        ([1, 2, 3, 4], 3, 1, 3),
        ([1, 2, 3, 2, 3, 4], 3, 1, None),
        ([1, 2, 3, 2, 3, 4, 5], 3, 1, 6),
        ([9, 1, 0, 2], 1, 2, 3),  # strip ends 1, 2
        ([9, 1, 0, 1, 8, 8], 1, 2, 5),
        ([1] * 4 + [2] + [9] * 4 + [3], 1, 5, 9),
    ],
)
def test_unimproved_strips(values, strips, strip, index):
    assert fired(br.UnimprovedStrips(strips, strip), values) == index


@pytest.mark.parametrize(
    ("values", "window", "tolerance", "index"),
    [
        ([1, 1], 2, 0, 1),
        ([5, 1, 1], 2, 0, 2),
        ([1, 3, 1], 2, 1, 1),  # deviation exactly 1
        ([1, 3, 1], 2, 0.999, None),
        ([0.1] * 10, 10, 0, 9),
        ([1] * 4, 5, 1e300, None),
        ([1, -INF, 1, 1], 2, INF, 3),
        ([-1e308, 1e308], 2, 1e307, None),
    ],
)
def test_plateau(values, window, tolerance, index):
    assert fired(br.Plateau(window, tolerance), values) == index


def test_plateau_is_the_population_deviation():
    values = np.random.default_rng(0).normal(size=40).tolist()
    deviations = [statistics.pstdev(values[i - 7 : i]) for i in range(7, 41)]
    limit = sorted(deviations)[3]
    expected = next(i for i, d in enumerate(deviations) if d <= limit) + 6
    assert fired(br.Plateau(7, limit), values) == expected


MADE = [
    br.GeneralizationLoss(5),
    br.ProgressQuotient(0.5, strip=3),
    br.UnimprovedStrips(2, strip=3),
    br.Plateau(3, tolerance=0.1),
]


@pytest.mark.parametrize("criterion", MADE, ids=repr)
def test_built_in_criterion_follows_the_protocol(criterion):
    assert isinstance(criterion, br.Criterion)
    criterion.reset()
    empty = criterion.state_dict()
    for value in [3.0, 2.0, 4.0, 1.0]:
        criterion.update(value, 1.0)
        state = criterion.state_dict()
        other = type(criterion)(**{name: getattr(criterion, name) for name in criterion.parameters})
        other.load_state_dict(json.loads(json.dumps(state)))
        assert other.state_dict() == state
        assert criterion.update(9.0, 2.0) == other.update(9.0, 2.0)
        criterion.load_state_dict(state)
        assert criterion.state_dict() == state  # what was handed out did not change
    criterion.reset()
    assert criterion.state_dict() == empty


@pytest.mark.parametrize("criterion", MADE, ids=repr)
def test_bad_state_is_refused(criterion):
    criterion.reset()
    before = criterion.state_dict()
    with pytest.raises(ValueError, match=f"^{type(criterion).__name__}: the state must have "):
        criterion.load_state_dict({})
    for name in before:
        with pytest.raises(ValueError, match=f"the state's {name} cannot be 'x'"):
            criterion.load_state_dict({**before, name: "x"})
    assert criterion.state_dict() == before


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: br.GeneralizationLoss(-1), ValueError, "threshold must be >= 0, got -1"),
        (lambda: br.GeneralizationLoss("1"), TypeError, "threshold must be one number, got '1'"),
        (lambda: br.ProgressQuotient(NAN), ValueError, "threshold must be >= 0, got nan"),
        (lambda: br.ProgressQuotient(1, 0), ValueError, "strip must be >= 1, got 0"),
        (lambda: br.UnimprovedStrips(0), ValueError, "strips must be >= 1, got 0"),
        (lambda: br.UnimprovedStrips(1.5), ValueError, "strips must be an integer, got 1.5"),
        (lambda: br.UnimprovedStrips(1, True), TypeError, "strip must be an integer, got True"),
        (lambda: br.Plateau(1, 0.1), ValueError, "window must be >= 2, got 1"),
        (lambda: br.Plateau(2, -0.1), ValueError, "tolerance must be >= 0, got -0.1"),
        (lambda: br.Plateau(2, 1).update(NAN), ValueError, "value must not be NaN, got nan"),
        (lambda: br.GeneralizationLoss(1).update("1"), TypeError, "value must be one number,"),
        (
            lambda: br.ProgressQuotient(1).update(1.0, None),
            ValueError,
            "training must be given to update, got None",
        ),
    ],
)
def test_bad_argument_is_refused(make, error, message):
    with pytest.raises(error, match=f"^(GeneralizationLoss|[PU]\\w+): {message}"):
        make()


def test_missing_training_loss_leaves_everything_as_it_was():
    plateau, quotient = br.Plateau(2, 0), br.ProgressQuotient(1)
    stopping = br.EarlyStopping(5, mode="min", criteria=[plateau, quotient])
    with pytest.raises(ValueError, match=r"^ProgressQuotient: training must be given"):
        stopping.update(1.0)
    assert (plateau.state_dict(), stopping.best) == ({"values": []}, None)
    assert not stopping.update(1.0, training=2.0)


class OverBudget:
    def __init__(self, budget):
        self.budget = budget

    def update(self, value, training):
        self.spent += value
        return self.spent > self.budget

    def reset(self):
        self.spent = 0.0

    def state_dict(self):
        return {"spent": self.spent}

    def load_state_dict(self, state):
        self.spent = state["spent"]


def test_own_criterion_stops_is_reset_and_resumed():
    stopping = br.EarlyStopping(9, mode="min", criteria=(OverBudget(10), br.Plateau(5, 0)))
    assert [stopping.update(v) for v in [5.0, 4.0]] == [False, False]
    state = json.loads(json.dumps(stopping.state_dict(), allow_nan=False))
    assert state["config"]["criteria"][0] == {"type": "OverBudget"}
    assert stopping.update(3.0)
    assert (stopping.reason, stopping.last.best) == (StopReason.CRITERION, 3.0)
    stopping.load_state_dict(state)
    assert stopping.update(3.0)
    stopping.reset()
    assert not stopping.update(3.0)


class Curious(OverBudget):
    """Remembers what it was shown."""

    def reset(self):
        self.seen = []

    def update(self, value, training):
        self.seen.append((value, training))
        return False

    def state_dict(self):
        return {"seen": self.seen}

    def load_state_dict(self, state):
        self.seen = state["seen"]


def test_criteria_see_what_is_judged_and_finite():
    own = Curious(0)
    stopping = br.EarlyStopping(
        9, mode="min", criteria=[own], start_from_epoch=1, nan="ignore", smoothing=0.5
    )
    for value in [8.0, 4.0, NAN, INF, 2.0, -INF]:
        stopping.update(value, training=np.float32(value))
    assert own.seen == [(6.0, 4.0), (4.0, 2.0), (-INF, -INF)]


class Broken(OverBudget):
    def update(self, value, training):
        super().update(value, training)
        if value == 2:
            raise LookupError
        return None if value == 3 else np.False_


@pytest.mark.parametrize(("value", "error"), [(2, LookupError), (3, TypeError)])
def test_criterion_that_raises_leaves_everything_as_it_was(value, error):
    plateau, broken = br.Plateau(2, 0), Broken(100)
    stopping = br.EarlyStopping(
        9, mode="min", criteria=[plateau, broken], restore_best_weights=True
    )
    stopping.update(5.0, np.full(1, 5.0))
    with pytest.raises(error):
        stopping.update(value, np.full(1, 9.0))
    assert (plateau.state_dict(), broken.state_dict()) == ({"values": [5.0]}, {"spent": 5.0})
    assert (stopping.last.best, stopping.best_weights()[0]) == (5.0, 5.0)
    stopping.update(4.0, np.full(1, 4.0))
    assert (stopping.best_epoch, stopping.best_weights()[0]) == (1, 4.0)


def test_forgotten_return_is_a_clear_error():
    stopping = br.EarlyStopping(9, mode="min", criteria=[Broken(1)])
    message = r"^EarlyStopping: criteria\[0\] \(Broken\) must return a bool, got None$"
    with pytest.raises(TypeError, match=message):
        stopping.update(3)
