"""What a comparison says: a row of numbers per method, and the verdict."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from statistics import fmean, stdev

import numpy as np

from bridle._compare.comparison import Baseline, Choice, Comparison, Trials
from bridle._compare.methods import NONE, Method
from bridle._compare.tasks import Task
from bridle._compare.training import Outcome

BASELINE = "baseline"


@dataclass(frozen=True)
class Repeat:
    """The numbers of a method in one repeat; None where there is none."""

    numbers: dict[str, float | None]
    strength: float | None = None
    diverged: bool = False
    outcome: Outcome | None = None


@dataclass(frozen=True)
class Point:
    """One strength of a method: its validation score over the repeats, and how it fared."""

    strength: float
    score: float | None
    spread: float | None
    chosen: int
    diverged: int


@dataclass(frozen=True)
class Feature:
    """What a linear model made of one column: in how many repeats it kept it, with what weight.

    ``mean_weight`` is that of the second of two classes or of the number, and else the mean over
    all classes without signs; ``by_class`` has the weights of more than two classes.
    """

    name: str
    kept: int
    mean_weight: float
    by_class: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Row:
    """One method: its repeats, and what they have in common."""

    name: str
    title: str
    repeats: Sequence[Repeat]
    method: Method | None = None
    curve: Sequence[Point] = ()
    edge: int = 0
    extended: bool = False
    features: Sequence[Feature] = ()

    @property
    def diverged(self) -> int:
        """In how many repeats the method diverged."""
        return sum(repeat.diverged for repeat in self.repeats)

    @property
    def strengths(self) -> list[float]:
        """The strengths that validation chose, each once, weakest first."""
        if self.method is None:
            return []
        chosen = (r.strength for r in self.repeats if r.strength is not None and not r.diverged)
        return self.method.scale.ordered(chosen)

    @property
    def usual_strength(self) -> float | None:
        """The strength that validation chose most often, the weakest of several."""
        counts = {point.strength: point.chosen for point in self.curve}
        return max(self.strengths, key=counts.__getitem__, default=None)

    def values(self, name: str) -> list[float]:
        """Return a number of every repeat that did not diverge and has it."""
        values = (repeat.numbers.get(name) for repeat in self.repeats if not repeat.diverged)
        return [value for value in values if value is not None and math.isfinite(value)]

    def mean(self, name: str) -> float | None:
        """Return the mean of a number over these repeats."""
        values = self.values(name)
        return fmean(values) if values else None

    def spread(self, name: str) -> float | None:
        """Return its standard deviation over them."""
        values = self.values(name)
        return stdev(values) if len(values) > 1 else None

    def clearly(self, name: str, *, below: bool = False) -> bool:
        """Tell whether a paired difference is above (or below) 0 by more than twice its spread."""
        mean, spread = self.mean(name), self.spread(name)
        return mean is not None and spread is not None and (-mean if below else mean) > 2 * spread


@dataclass(frozen=True)
class Results:
    """The rows of all methods that were finished in at least one repeat, the baseline's first."""

    comparison: Comparison

    @cached_property
    def rows(self) -> list[Row]:
        """The baseline, the plain model, and the methods."""
        comparison = self.comparison
        finished = [trials for trials in comparison.trials if comparison.repeats(trials) > 0]
        rows = [_baseline_row(comparison, max(map(comparison.repeats, finished), default=0))]
        for trials in finished:
            plain = next((row for row in rows if row.name == NONE.name), None)
            rows.append(_row(comparison, trials, plain))
        return rows

    @property
    def task(self) -> Task:
        """What was learned."""
        return self.comparison.data.task

    def row(self, name: str) -> Row | None:
        """Return the row of a method, or None if it was not finished."""
        return next((row for row in self.rows if row.name == name), None)

    @property
    def methods(self) -> list[Row]:
        """The rows of the methods that regularize."""
        return [row for row in self.rows if row.name not in (BASELINE, NONE.name)]

    @cached_property
    def clear(self) -> list[Row]:
        """The methods that are clearly better than the plain model and than the baseline.

        A difference that is written as zero is none. Best first, by their validation score: the
        test samples are not to be chosen by.
        """
        clear = [
            row
            for row in self.methods
            if row.clearly("difference")
            and row.clearly("difference_from_baseline")
            and round(row.mean("difference") or 0.0, self.task.decimals) > 0
        ]
        return sorted(clear, key=lambda row: -(row.mean("validation_score") or -math.inf))

    @property
    def best(self) -> Row | None:
        """The best of them."""
        return self.clear[0] if self.clear else None


def _row(comparison: Comparison, trials: Trials, plain: Row | None) -> Row:
    choices = [comparison.choice(trials, r) for r in range(comparison.repeats(trials))]
    repeats = [_repeat(comparison, choice, repeat, plain) for repeat, choice in enumerate(choices)]
    method, tried = trials.method, comparison.tried(trials)
    return Row(
        name=method.name,
        title=method.title,
        repeats=repeats,
        method=method,
        curve=[_point(comparison, trials, strength, choices) for strength in tried],
        edge=comparison.edge(trials),
        extended=len(tried) > len(trials.grid),
        features=_features(comparison, choices) if method.name in ("l1", "elastic_net") else (),
    )


def _repeat(comparison: Comparison, choice: Choice, index: int, plain: Row | None) -> Repeat:
    outcome, task = choice.outcome, comparison.data.task
    numbers = _scores(task, outcome.scores)
    for name in ("zeros_percent", "l1_norm", "l2_norm", "time_per_epoch_ms"):
        numbers[name] = getattr(outcome, name)
    numbers["time_in_bridle_percent"] = outcome.time_in_bridle_percent
    numbers["epochs"], numbers["best_epoch"] = float(outcome.epochs), float(outcome.best_epoch)
    score = outcome.scores["test"][task.score]
    baseline = comparison.baselines[index].scores["test"][task.score]
    numbers["difference_from_baseline"] = score - baseline
    other = plain.repeats[index] if plain is not None else None
    if other is not None and not other.diverged:
        numbers["difference"] = score - _outcome(other).scores["test"][task.score]
        # Other processes may slow down one of the two: the fastest epochs are compared.
        fastest = _outcome(other).fastest_epoch_ms
        numbers["time_cost_percent"] = 100 * (outcome.fastest_epoch_ms / fastest - 1)
    return Repeat(numbers, choice.strength or None, choice.diverged, outcome)


def _outcome(repeat: Repeat) -> Outcome:
    assert repeat.outcome is not None
    return repeat.outcome


def _scores(task: Task, scores: dict[str, dict[str, float]]) -> dict[str, float | None]:
    """Return the numbers that say how well a model, or the baseline, predicts."""
    training, validation, test = (
        scores[part][task.score] for part in ("training", "validation", "test")
    )
    return {
        "validation_score": validation,
        "test_score": test,
        "train_score": training,
        "gap": training - test,
        # The score of classification has its own columns.
        **{name: value for name, value in scores["test"].items() if name != "accuracy_percent"},
        "validation_roc_auc": scores["validation"].get("roc_auc"),
    }


def _baseline_row(comparison: Comparison, repeats: int) -> Row:
    task = comparison.data.task
    baselines: Iterable[Baseline] = comparison.baselines[:repeats]
    title = "majority class" if task.name == "classification" else "target's mean"
    return Row(BASELINE, title, [Repeat(_scores(task, one.scores)) for one in baselines])


def _point(
    comparison: Comparison, trials: Trials, strength: float, choices: Sequence[Choice]
) -> Point:
    scores = comparison.validation_scores(trials, strength)
    return Point(
        strength=strength,
        score=fmean(scores) if scores else None,
        spread=stdev(scores) if len(scores) > 1 else None,
        chosen=sum(choice.strength == strength and not choice.diverged for choice in choices),
        diverged=len(choices) - len(scores),
    )


def _features(comparison: Comparison, choices: Sequence[Choice]) -> list[Feature]:
    """Return what became of every column, the most important first; nothing of a network."""
    sound = [choice.outcome for choice in choices if not choice.diverged]
    if comparison.settings.model != "linear" or not sound:
        return []
    names, classes = comparison.data.table.names, comparison.data.table.classes
    weights = np.array([outcome.weights.reshape(len(names), -1) for outcome in sound], float)
    kept = (weights != 0).any(axis=2).sum(axis=0)
    means = weights.mean(axis=0)
    features = []
    for name, count, mean in zip(names, kept.tolist(), means.tolist(), strict=True):
        if len(mean) == 1:
            features.append(Feature(name, count, mean[0]))
        else:
            size = fmean(map(abs, mean))
            features.append(Feature(name, count, size, dict(zip(classes, mean, strict=True))))
    return sorted(features, key=lambda one: (-one.kept, -abs(one.mean_weight)))
