"""A masked or missing number is no number: every entry point of early stopping refuses it."""

import numpy as np
import pytest

import bridle as br


def hidden_in_an_object_array():
    array = np.empty((), object)
    array[()] = np.ma.masked
    return array


VALUES = {
    "constant": np.ma.masked,
    "masked": np.ma.array(3, mask=True),
    "masked one": np.ma.array([3], mask=[True]),
    "not masked": np.ma.array(3),
    "object": hidden_in_an_object_array(),
    "NaT": np.timedelta64("NaT", "ns"),
    "array of NaT": np.array("NaT", "datetime64[ns]"),
}
NUMBERS = ["patience", "start_from_epoch", "min_delta", "baseline", "target", "divergence"]
NUMBERS += ["max_seconds", "smoothing"]


def tracker(**options):
    return br.EarlyStopping(**{"patience": 9, "mode": "min", **options})


class Answers(br.Plateau):
    """Answers what it is told to."""

    def __init__(self, answer):
        super().__init__(3, 0.0)
        self.answer = answer

    def update(self, value, training=None):
        return self.answer


USES = {
    "update": lambda value: tracker().update(value),
    "mapping": lambda value: tracker(monitor="loss").update({"loss": value}),
    "training": lambda value: tracker().update(1.0, training=value),
    "epoch": lambda value: tracker().update(1.0, epoch=value),
    **{name: lambda value, name=name: tracker(**{name: value}) for name in NUMBERS},
    **{
        f"{name} by metric": lambda value, name=name: tracker(monitor="x", **{name: {"x": value}})
        for name in ("min_delta", "baseline", "target", "divergence")
    },
    "threshold": br.GeneralizationLoss,
    "quotient": br.ProgressQuotient,
    "strip": lambda value: br.ProgressQuotient(1.0, value),
    "strips": br.UnimprovedStrips,
    "window": lambda value: br.Plateau(value, 0.0),
    "tolerance": lambda value: br.Plateau(2, value),
    "loss": lambda value: br.GeneralizationLoss(1.0).update(value),
    "loss of a strip": lambda value: br.UnimprovedStrips(1).update(value),
    "plateau": lambda value: br.Plateau(2, 0.0).update(value),
    "training loss": lambda value: br.ProgressQuotient(1.0).update(1.0, value),
}
DECISIONS = {
    "restore_best_weights": lambda value: tracker(restore_best_weights=value),
    "reduce": lambda value: tracker(reduce=lambda stop: value).update(1.0),
    "criterion": lambda value: tracker(criteria=[Answers(value)]).update(1.0),
}


@pytest.mark.parametrize("value", VALUES.values(), ids=VALUES)
@pytest.mark.parametrize("use", USES.values(), ids=USES)
def test_masked_number_is_a_type_error(use, value):
    with pytest.raises(TypeError, match=r"must be (one number|an integer), got"):
        use(value)


@pytest.mark.parametrize("value", [np.ma.masked, np.ma.array(True, mask=True), np.ma.array(1)])
@pytest.mark.parametrize("use", DECISIONS.values(), ids=DECISIONS)
def test_masked_decision_is_a_type_error(use, value):
    with pytest.raises(TypeError, match=r"bool, got a masked array of shape \(\)$"):
        use(value)


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("wrap", [lambda w: w, lambda w: [w], lambda w: {"w": w}])
def test_masked_weights_are_a_type_error_and_nothing_changes(wrap, masked):
    stopping = tracker(restore_best_weights=True)
    stopping.update(5.0, wrap(np.ones(3)))
    weights = np.ma.array(np.full(3, 9.0), mask=masked)
    message = r"^EarlyStopping: weights\[.*\] must be numbers in an ndarray, got a masked array"
    with pytest.raises(TypeError, match=message):
        stopping.update(1.0, wrap(weights))
    assert (stopping.best, stopping.wait) == (5.0, 0)
    with pytest.raises(TypeError, match=message):
        stopping.restore(wrap(weights))
    assert (weights.data == 9).all()


def test_message_says_what_was_given():
    with pytest.raises(TypeError, match=r"^EarlyStopping: value must be .*, got a masked array of"):
        tracker().update(np.ma.masked)
