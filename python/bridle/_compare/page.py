"""The page of the report, for people: what it says in words, and the pictures that it shows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib import resources

from bridle._compare import plots
from bridle._compare.columns import TIMES, columns, minus
from bridle._compare.comparison import Comparison
from bridle._compare.methods import ALL_DROPOUT, ALL_PATIENCE, L1_SHARE
from bridle._compare.report import Report
from bridle._compare.results import Feature, Results, Row
from bridle._compare.verdict import diverged, edge, verdict
from bridle._compare.words import listed

MOST_FEATURES, MOST_NAMES, MOST_CLASSES = 30, 12, 8
"""So many features are shown, names listed in a sentence, and classes given columns."""


@dataclass(frozen=True)
class Panel:
    """A method's picture, and what is said of it."""

    row: Row
    picture: str
    words: Sequence[str]


@dataclass(frozen=True)
class FeatureTable:
    """What one method made of the columns: the most important, and how many more there are."""

    row: Row
    repeats: int
    shown: Sequence[Feature]
    kept: int
    never: Sequence[Feature]

    @property
    def largest(self) -> float:
        """The largest of the weights shown, or one."""
        weights = [abs(w) for f in self.shown for w in (f.mean_weight, *f.by_class.values())]
        return max(weights, default=0.0) or 1.0

    @property
    def always(self) -> Sequence[Feature]:
        """The columns kept in every repeat."""
        return [feature for feature in self.shown if feature.kept == self.repeats]


def page(report: Report) -> str:
    """Return the page: one file that needs no other and no network."""
    from jinja2 import Environment, StrictUndefined

    environment = Environment(
        autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=StrictUndefined
    )
    environment.filters |= {"listed": names, "minus": minus, "weight": weight}
    text = resources.files("bridle._compare").joinpath("report.html.j2").read_text("utf-8")
    results = report.results
    together = minus(verdict(results)).replace(" ± ", "\N{NO-BREAK SPACE}±\N{NO-BREAK SPACE}")
    answer, _, rest = together.partition(". ")
    return environment.from_string(text).render(
        report=report,
        results=results,
        comparison=results.comparison,
        settings=results.comparison.settings,
        data=results.comparison.data,
        task=results.task,
        answer=answer.removesuffix(".") + ".",
        rest=rest,
        interrupted=interrupted(results.comparison),
        columns=columns(results.task),
        baseline=results.rows[0].title,
        differences=plots.difference_picture(results),
        scores=plots.score_picture(results),
        strengths=[_strengths(row, results) for row in results.methods],
        curves=[_curves(row, results) for row in results.rows if row.values("epochs")],
        without_curves=[row.title for row in results.rows if row.diverged == len(row.repeats)],
        features=[_features(row) for row in results.rows if row.features],
        chosen=chosen,
        diverged=diverged,
        strongest=strongest,
        most_classes=MOST_CLASSES,
        l1_share=L1_SHARE[results.comparison.settings.model],
        all_dropout=ALL_DROPOUT,
        all_patience=ALL_PATIENCE,
        training_color=plots.TRAINING,
        unseen_color=plots.UNSEEN,
    )


def names(values: Iterable[str]) -> str:
    """Return names as a sentence has them, the last of many only counted."""
    values = list(values)
    return listed(values[:MOST_NAMES], len(values))


def weight(value: float) -> str:
    """Return a weight with its sign; none that is exactly zero."""
    return minus(f"{value:+.3f}") if value else "0"


def interrupted(comparison: Comparison) -> str:
    """Return what was finished of a comparison that was interrupted; nothing of any other."""
    if comparison.complete:
        return ""
    planned = comparison.settings.repeats
    titles: dict[int, list[str]] = {}
    for trials in comparison.trials:
        titles.setdefault(comparison.repeats(trials), []).append(trials.method.title)
    if list(titles) == [planned]:
        return (
            "Interrupted: every repeat is finished, but not all strengths beyond the edges of "
            "the grids were tried."
        )
    parts = [f"{count} of {planned} by {listed(titles[count])}" for count in sorted(titles)[::-1]]
    return f"Interrupted. These repeats were finished: {'; '.join(parts)}."


def chosen(row: Row) -> str:
    """Return the strengths that validation chose, and how often."""
    counts = [(point.strength, point.chosen) for point in row.curve if point.chosen]
    if not row.strengths:
        return ""
    if len(counts) == 1:
        return f"{counts[0][0]:g}"
    return ", ".join(
        f"{strength:g}\N{NO-BREAK SPACE}({count}{TIMES})" for strength, count in counts
    )


def strongest(feature: Feature) -> list[tuple[str, float]]:
    """Return the three classes for or against which a column says most."""
    return sorted(feature.by_class.items(), key=lambda pair: -abs(pair[1]))[:3]


def _strengths(row: Row, results: Results) -> Panel:
    words = [text for text in (edge(row), diverged(row)) if text]
    return Panel(row, plots.strength_picture(row, results), words)


def _curves(row: Row, results: Results) -> Panel:
    words = [diverged(row)] if row.diverged else []
    return Panel(row, plots.curve_picture(row, results), words)


def _features(row: Row) -> FeatureTable:
    kept = [feature for feature in row.features if feature.kept]
    return FeatureTable(
        row=row,
        repeats=len(row.repeats) - row.diverged,
        shown=kept[:MOST_FEATURES],
        kept=len(kept),
        never=[feature for feature in row.features if not feature.kept],
    )
