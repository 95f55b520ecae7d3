"""Data with a known truth, and comparisons that were never trained, for the tests of `compare`."""

import numpy as np

from bridle._compare.comparison import Baseline, Comparison, Trials
from bridle._compare.data import PARTS, Dataset
from bridle._compare.methods import METHODS
from bridle._compare.table import Table
from bridle._compare.training import Outcome, plan, reproducible

BY_NAME = {method.name: method for method in METHODS}


class Silent:
    """Progress that nobody looks at."""

    def __getattr__(self, name):
        return lambda *_: None


def dataset(features, target, classes=None, *, indicator=None):
    """A data set of columns x0, x1, …; whole numbers are classes, named by themselves."""
    columns = features.shape[1]
    if classes is None:
        whole = target.dtype.kind in "iub"
        classes = tuple(str(label) for label in range(target.max() + 1)) if whole else ()
    table = Table(
        names=tuple(f"x{index}" for index in range(columns)),
        features=np.ascontiguousarray(features, float),
        indicator=np.zeros(columns, bool) if indicator is None else np.array(indicator),
        target=target,
        classes=classes,
        notes=(),
    )
    return Dataset("made", (), table, (round(0.6 * len(target)), round(0.2 * len(target))))


def trials(grids):
    """Trials of methods by name: their own grid for None, else the strengths given."""
    return [
        Trials(BY_NAME[name], list(grid or BY_NAME[name].network), may_extend=False)
        for name, grid in grids.items()
    ]


def compare(data, model="network", grids=None, *, seed=0, repeats=5, epochs=None, quick=True):
    """Train a comparison; without `grids`, all methods as the command would."""
    settings = plan(model, data.samples["training"], seed, repeats, epochs, quick)
    if grids is None:
        chosen = [Trials(m, list(m.grid(model)), may_extend=m.name != "none") for m in METHODS]
    else:
        chosen = trials({"none": None} | grids)
    comparison = Comparison(data, settings, chosen)
    with reproducible(1):
        comparison.run(Silent())
    return comparison


def outcome(validation, test, *, training=90.0, loss=0.5, finite=True, weights=(1.0, 0.0)):
    """The outcome of a training with these scores, or a dictionary of them each."""
    scores = {"training": training, "validation": validation, "test": test}
    keys = "accuracy_percent", "balanced_accuracy_percent", "roc_auc"
    weights = np.array(weights, np.float32)
    return Outcome(
        finite=finite,
        losses=dict.fromkeys(PARTS, loss),
        scores={part: dict.fromkeys(keys, score) for part, score in scores.items()},
        zeros_percent=100 * float(np.mean(weights == 0)),
        l1_norm=float(np.abs(weights).sum()),
        l2_norm=float(np.sqrt(np.sum(weights**2))),
        epochs=2,
        best_epoch=2,
        time_per_epoch_ms=1.5,
        fastest_epoch_ms=1.0,
        time_in_bridle_percent=3.0,
        history={"train_loss": [0.7, loss], "validation_loss": [0.8, loss]},
        weights=weights,
    )


def fake(outcomes, *, baseline=50.0, model="network"):
    """A comparison of two classes with the outcomes given by method, strength and repeat."""
    rows = 100
    data = dataset(np.zeros((rows, 2)), np.arange(rows) % 2)
    settings = plan(model, data.samples["training"], 0, None, None, False)
    chosen = trials({name: list(by_strength) for name, by_strength in outcomes.items()})
    for one in chosen:
        one.outcomes = {
            strength: list(runs) for strength, runs in outcomes[one.method.name].items()
        }
    repeats = max(len(runs) for by_strength in outcomes.values() for runs in by_strength.values())
    scores = dict.fromkeys(("accuracy_percent", "balanced_accuracy_percent", "roc_auc"), baseline)
    baselines = [Baseline(dict.fromkeys(PARTS, scores)) for _ in range(repeats)]
    return Comparison(data, settings, chosen, baselines, complete=True)
