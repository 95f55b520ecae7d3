"""The trainings of a comparison, in an order that may be interrupted, and what they choose."""

from __future__ import annotations

import math
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from statistics import fmean
from typing import Protocol

from bridle._compare.data import PARTS, Dataset, Split
from bridle._compare.methods import Method
from bridle._compare.training import Outcome, Settings, train


class Progress(Protocol):
    """What is told of the trainings while they run, in epochs."""

    def planned(self, epochs: int) -> None:
        """So many epochs more are to come."""

    def begin(self, repeat: int, method: Method, strength: float) -> None:
        """A training begins."""

    def epoch(self) -> None:
        """An epoch is over."""

    def end(self, skipped: int) -> None:
        """The training ended by so many epochs early."""


@dataclass
class Baseline:
    """The scores of each part of a split that the best prediction without features has."""

    scores: dict[str, dict[str, float]]


@dataclass(frozen=True)
class Choice:
    """What a method does in one repeat: the strength that validation chose, and its outcome."""

    strength: float
    outcome: Outcome
    diverged: bool


@dataclass
class Trials:
    """All trainings of one method: an outcome per repeat, in order, for each strength."""

    method: Method
    grid: list[float]
    may_extend: bool
    outcomes: dict[float, list[Outcome]] = field(default_factory=dict)


@dataclass
class Comparison:
    """Trains every method with every strength in every repeat.

    Repeats come one after the other, each with all methods: what is finished when it is
    interrupted can be compared. ``complete`` tells whether everything was trained.
    """

    data: Dataset
    settings: Settings
    trials: list[Trials]
    baselines: list[Baseline] = field(default_factory=list)
    complete: bool = False

    def run(self, progress: Progress) -> None:
        """Train until everything is trained or Ctrl-C is pressed."""
        grids = {trials.method.name: trials.grid for trials in self.trials}
        with suppress(KeyboardInterrupt):
            self._train(grids, progress)
            further = {trials.method.name: self._further(trials) for trials in self.trials}
            self._train(further, progress)
            self.complete = True

    def _train(self, grids: Mapping[str, list[float]], progress: Progress) -> None:
        settings = self.settings
        progress.planned(settings.epochs * settings.repeats * sum(map(len, grids.values())))
        if not any(grids.values()):
            return
        for repeat in range(settings.repeats):
            split = self.data.split([settings.seed, 2, repeat])
            if repeat == len(self.baselines):
                self.baselines.append(_baseline(split))
            for trials in self.trials:
                for strength in grids[trials.method.name]:
                    progress.begin(repeat, trials.method, strength)
                    setting = trials.method.setting(strength, settings.model)
                    outcome = train(split, setting, settings, repeat, progress.epoch)
                    trials.outcomes.setdefault(strength, []).append(outcome)
                    progress.end(settings.epochs - outcome.epochs)

    def _further(self, trials: Trials) -> list[float]:
        """Return strengths beyond the grid of a method that is best at its edge."""
        direction = self.edge(trials)
        if direction == 0 or not trials.may_extend:
            return []
        end = trials.grid[0 if direction < 0 else -1]
        return trials.method.scale.further(end, direction)

    def repeats(self, trials: Trials) -> int:
        """Return in how many repeats every strength of the grid was trained."""
        return min(len(trials.outcomes.get(strength, ())) for strength in trials.grid)

    def tried(self, trials: Trials) -> list[float]:
        """Return the strengths trained in all of these repeats, weakest first."""
        repeats = self.repeats(trials)
        tried = (s for s, outcomes in trials.outcomes.items() if len(outcomes) >= repeats)
        return trials.method.scale.ordered(tried)

    def diverged(self, outcome: Outcome, repeat: int, part: str) -> bool:
        """Tell whether a model has become useless, judged by one part of the data."""
        task = self.data.task
        if not (outcome.finite and math.isfinite(outcome.losses[part])):
            return True
        floor = self.baselines[repeat].scores[part][task.score] - task.failed_below
        return not outcome.scores[part][task.score] >= floor

    def choice(self, trials: Trials, repeat: int) -> Choice:
        """Choose the best strength of a repeat by its validation samples, ties by their loss."""
        outcomes = [
            (strength, trials.outcomes[strength][repeat]) for strength in self.tried(trials)
        ]
        sound = [pair for pair in outcomes if not self.diverged(pair[1], repeat, "validation")]
        if not sound:
            return Choice(*outcomes[0], diverged=True)
        strength, outcome = max(sound, key=lambda pair: self._merit(pair[1]))
        return Choice(strength, outcome, self.diverged(outcome, repeat, "test"))

    def _merit(self, outcome: Outcome) -> tuple[float, float]:
        return outcome.scores["validation"][self.data.task.score], -outcome.losses["validation"]

    def validation_scores(self, trials: Trials, strength: float) -> list[float]:
        """Return the validation score of each repeat in which this strength did not diverge."""
        return [
            outcome.scores["validation"][self.data.task.score]
            for repeat, outcome in enumerate(trials.outcomes[strength][: self.repeats(trials)])
            if not self.diverged(outcome, repeat, "validation")
        ]

    def edge(self, trials: Trials) -> int:
        """Tell whether the best mean score is at the weakest (-1) or strongest (1) end only."""
        scores = [self.validation_scores(trials, strength) for strength in self.tried(trials)]
        means = [fmean(values) if values else -math.inf for values in scores]
        best = [index for index, mean in enumerate(means) if mean == max(means)]
        if len(means) < 2 or len(best) > 1:
            return 0
        return {0: -1, len(means) - 1: 1}.get(best[0], 0)


def _baseline(split: Split) -> Baseline:
    task, outputs = split.task, split.task.baseline(split.training.targets)
    scores = {}
    for name in PARTS:
        targets = getattr(split, name).targets
        scores[name] = task.scores(outputs.repeat(len(targets), axis=0), targets)
    return Baseline(scores)
