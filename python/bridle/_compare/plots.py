"""The pictures of the report: SVG text that takes its ink and its typeface from the page.

Every picture has axes that a single method cannot stretch: what lies outside is marked at the
edge. Repeats that diverged are never drawn.
"""

from __future__ import annotations

import html
import io
import math
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from statistics import fmean, median_low
from typing import TYPE_CHECKING, Any

import numpy as np

from bridle._compare.columns import NOTHING, TIMES, minus, score_text
from bridle._compare.methods import NONE, PROBABILITY
from bridle._compare.results import BASELINE, Point, Results, Row
from bridle._compare.tasks import Task
from bridle._compare.training import Outcome
from bridle._compare.verdict import diverged

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Stands for the page's text colour until the SVG is written: Matplotlib knows no `currentColor`.
INK = "#010203"
# Told apart by the colour-blind, and in black and white by their dashes and hollow marks.
TRAINING, UNSEEN = "#2f7fd6", "#e06c1f"
DASHED, DOTTED = (0, (5, 2.5)), (0, (1, 2))
# Any: the names of the settings are a type of their own, which differs between versions.
STYLE: Any = {
    "svg.fonttype": "none",
    "svg.hashsalt": "bridle",
    "font.size": 9.5,
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": INK,
    "axes.formatter.useoffset": False,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.6,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": INK,
    "grid.alpha": 0.12,
    "grid.linewidth": 0.6,
    "xtick.color": INK,
    "ytick.color": INK,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "lines.linewidth": 1.5,
    "lines.markersize": 5,
}
MOST_REPEATS, MOST_EPOCHS, LINEAR_EPOCHS = 10, 300, 100
"""So many repeats and epochs at most are drawn of a curve, and drawn evenly spaced."""


@dataclass(frozen=True)
class Window:
    """What an axis shows."""

    low: float
    high: float

    def __contains__(self, value: float) -> bool:
        return self.low <= value <= self.high

    def inside(self, value: float) -> float:
        """Return the value, or the end of the axis that it lies beyond."""
        return min(max(value, self.low), self.high)


def window(values: Iterable[float], least: float) -> Window:
    """Return an axis for the values, at least so wide, without those far from most of them."""
    known = sorted(value for value in values if math.isfinite(value))
    if not known:
        return Window(0.0, least)
    low, high = np.quantile(known, (0.25, 0.75)).tolist()
    reach = max(2 * (high - low), least)
    if len(known) > 3:
        known = [value for value in known if low - reach <= value <= high + reach]
    margin = max(0.08 * (known[-1] - known[0]), (least - known[-1] + known[0]) / 2)
    return Window(known[0] - margin, known[-1] + margin)


def _score_window(task: Task, *groups: Iterable[float]) -> Window:
    """Return an axis for groups of scores, that goes no further than scores do."""
    shown = [window(values, _least(task)) for values in groups] or [window([], _least(task))]
    low, high = min(one.low for one in shown), max(one.high for one in shown)
    most = 100.0 if task.unit else 1.0
    return Window(low, min(high, most + 0.02 * (most - low)))


def _least(task: Task) -> float:
    """Return a difference of scores that is not worth a picture of its own."""
    return 2.0 if task.unit else 0.04


# Strengths


def strength_picture(row: Row, results: Results) -> str:
    """Show the validation score of one method by its strength."""
    shown = _score_window(results.task, _validation_scores(results))

    def draw(axes: Axes) -> None:
        _strength_axis(axes, row)
        axes.set_ylim(shown.low, shown.high)
        _references(axes, results, shown)
        _strength_line(axes, row)
        for point in row.curve:
            _strength_mark(axes, point, row, shown)
        _choices(axes, row, shown)

    return _svg(draw, (3.7, 2.3), (0.55, 0.35), _strength_words(row, results))


def _validation_scores(results: Results) -> list[float]:
    """Return the scores, with the ends of their spreads, of every strength and of none."""
    ends = [
        point.score + sign * (point.spread or 0.0)
        for row in results.methods
        for point in row.curve
        if point.score is not None
        for sign in (-1, 1)
    ]
    plain = results.row(NONE.name)
    return ends + (plain.values("validation_score") if plain else [])


def _strength_axis(axes: Axes, row: Row) -> None:
    from matplotlib.ticker import MaxNLocator, NullLocator

    strengths = [point.strength for point in row.curve]
    logarithmic = row.method is None or row.method.scale is not PROBABILITY
    axes.set_xscale("log" if logarithmic else "linear")
    place = np.log10(strengths) if logarithmic else np.array(strengths)
    first, last = place[0], place[-1]
    margin = 0.08 * (last - first) or 0.3
    ends = np.array([first - margin, last + margin])
    axes.set_xlim(*(10**ends if logarithmic else ends))
    labelled = _apart(strengths, place.tolist())
    axes.set_xticks(labelled, [f"{strength:g}" for strength in labelled])
    axes.xaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_major_locator(MaxNLocator(5))


def _apart(strengths: Sequence[float], places: Sequence[float]) -> list[float]:
    """Return the strengths whose labels have room beside each other."""
    least = 0.17 * abs(places[-1] - places[0])
    chosen: list[int] = []
    for index, place in enumerate(places):
        if not chosen or abs(place - places[chosen[-1]]) >= least:
            chosen.append(index)
    return [strengths[index] for index in chosen]


def _references(axes: Axes, results: Results, shown: Window) -> None:
    """Draw the scores of the plain model and of the baseline across."""
    for name, dashes in ((NONE.name, DASHED), (BASELINE, DOTTED)):
        row = results.row(name)
        score = row.mean("validation_score") if row else None
        if row is None or score is None:
            continue
        if score in shown:
            axes.axhline(score, color=INK, linewidth=1.1, linestyle=dashes)
        else:
            end = 0.03 if score < shown.low else 0.97
            text = f"{'↓' if score < shown.low else '↑'} {row.title}: {_score(results, score)}"
            side = "bottom" if score < shown.low else "top"
            axes.text(0.02, end, text, transform=axes.transAxes, va=side, fontsize=8.5)


def _strength_line(axes: Axes, row: Row) -> None:
    points = [point for point in row.curve if point.score is not None]
    strengths = [point.strength for point in points]
    scores = np.array([point.score for point in points], float)
    spreads = np.array([point.spread or 0.0 for point in points])
    axes.fill_between(
        strengths, scores - spreads, scores + spreads, color=UNSEEN, alpha=0.2, linewidth=0
    )
    axes.plot(strengths, scores, color=UNSEEN)


def _strength_mark(axes: Axes, point: Point, row: Row, shown: Window) -> None:
    """Mark a strength: how often it was chosen, how often it diverged, or that it lies outside."""
    if point.score is not None:
        place = shown.inside(point.score)
        outside = "v" if point.score < shown.low else "^"
        marker = "o" if point.score in shown else outside
        size = 8 if point.chosen else 4
        axes.plot(point.strength, place, marker, color=UNSEEN, markersize=size, clip_on=False)
    if point.diverged:
        axes.plot(point.strength, shown.low, "x", color=INK, markersize=6, clip_on=False)
        _label(axes, f"{point.diverged}/{len(row.repeats)}", point.strength, shown.low, 5)


def _choices(axes: Axes, row: Row, shown: Window) -> None:
    """Write how often each strength was chosen; below the line where there is no room above."""
    last = -math.inf
    for point in row.curve:
        if point.chosen and point.score is not None:
            place = axes.transData.transform((point.strength, 0))[0]
            height = 7 if place - last > 28 else -14
            text = f"{point.chosen}{TIMES}"
            _label(axes, text, point.strength, shown.inside(point.score), height)
            last = place if height > 0 else -math.inf


def _label(axes: Axes, text: str, x: float, y: float, above: float) -> None:
    axes.annotate(text, (x, y), (0, above), textcoords="offset points", ha="center", fontsize=8.5)


def _strength_words(row: Row, results: Results) -> str:
    parts = []
    for point in row.curve:
        score = NOTHING if point.score is None else _score(results, point.score, point.spread)
        chosen = f", chosen in {point.chosen}" if point.chosen else ""
        failed = f", diverged in {point.diverged}" if point.diverged else ""
        parts.append(f"{point.strength:g}: {score}{chosen}{failed}")
    others = [
        f"{other.title} {_mean_score(results, other, 'validation_score')}"
        for other in (results.row(NONE.name), results.row(BASELINE))
        if other is not None
    ]
    return (
        f"Validation {_quantity(results)} of {row.title} by strength, of {len(row.repeats)} "
        f"repeats. {'; '.join(parts)}. For comparison: {', '.join(others)}."
    )


# Curves


def curve_picture(row: Row, results: Results) -> str:
    """Show the loss of one method by epoch, on axes that all methods share."""
    shown = _loss_window(results)
    runs = _runs(row)
    last = max(run.epochs for other in results.rows for run in _runs(other))

    def draw(axes: Axes) -> None:
        from matplotlib.ticker import MaxNLocator

        _epoch_axis(axes, last)
        axes.set_ylim(shown.low, shown.high)
        axes.yaxis.set_major_locator(MaxNLocator(5))
        lines = (("train_loss", TRAINING, DASHED), ("validation_loss", UNSEEN, "solid"))
        for (key, color, dashes), means in zip(lines, _loss_curves(row), strict=True):
            for run in runs[:MOST_REPEATS]:
                _curve(axes, run.history[key], color, linewidth=0.7, alpha=0.35)
            _curve(axes, means, color, linewidth=1.8, linestyle=dashes)
            _outside(axes, means, color, shown)
        for run in runs[:MOST_REPEATS]:
            if run.best_epoch < run.epochs:
                loss = run.history["validation_loss"][run.best_epoch - 1]
                axes.plot(run.best_epoch, shown.inside(loss), "o", color=UNSEEN, markersize=4)

    return _svg(draw, (3.7, 2.3), (0.55, 0.42), _curve_words(row, runs))


def _epoch_axis(axes: Axes, last: int) -> None:
    """Set the axis of epochs: logarithmic for many, of which the first are those that matter."""
    from matplotlib.ticker import FormatStrFormatter, MaxNLocator, NullLocator

    if last > LINEAR_EPOCHS:
        axes.set_xscale("log")
        axes.set_xlim(0.9, 1.1 * last)
        axes.xaxis.set_major_formatter(FormatStrFormatter("%d"))
        axes.xaxis.set_minor_locator(NullLocator())
    else:
        axes.set_xlim(0, last + 1)
        axes.xaxis.set_major_locator(MaxNLocator(5, integer=True))
    axes.set_xlabel("epoch", labelpad=2)


def _runs(row: Row) -> list[Outcome]:
    """Return the trainings that a method's curves are of."""
    return [r.outcome for r in row.repeats if r.outcome is not None and not r.diverged]


def _means(histories: Sequence[Sequence[float]]) -> list[float]:
    """Return the mean of the losses while every training goes on."""
    return [fmean(losses) for losses in zip(*histories, strict=False)]


def _curve(axes: Axes, losses: Sequence[float], color: str, **style: Any) -> None:
    last = len(losses)
    epochs = np.arange(1, last + 1)
    if last > MOST_EPOCHS:
        epochs = np.unique(np.geomspace(1, last, MOST_EPOCHS).round().astype(int))
    axes.plot(epochs, np.asarray(losses)[epochs - 1], color=color, **style)


def _loss_window(results: Results) -> Window:
    """Return the axis of losses: up to twice the median over the methods of their largest."""
    curves = [_loss_curves(row) for row in results.rows if _runs(row)]
    largest = max(loss for both in curves for curve in both for loss in curve)
    high = min(largest, 2 * median_low(map(_height, curves)))
    runs = [run for row in results.rows for run in _runs(row)]
    low = min(loss for run in runs for losses in run.history.values() for loss in losses)
    low = 0.0 if low < 0.5 * high else low
    return Window(low - 0.02 * (high - low), high + (0.06 * (high - low) or 1e-3))


def _loss_curves(row: Row) -> list[list[float]]:
    """Return the means of the training and of the validation losses."""
    histories = [run.history for run in _runs(row)]
    return [_means([one[key] for one in histories]) for key in ("train_loss", "validation_loss")]


def _height(curves: Sequence[Sequence[float]]) -> float:
    """Return the largest loss, without peaks of the validation loss at the beginning."""
    training, validation = curves
    return max(*training, *validation[len(validation) // 10 :])


def _outside(axes: Axes, means: Sequence[float], color: str, shown: Window) -> None:
    """Mark a mean curve that leaves the axes at the top, and say how far it goes."""
    if max(means) <= shown.high:
        return
    highest = means.index(max(means)) + 1
    axes.plot(highest, shown.high, "^", color=color, clip_on=False)
    left = axes.transAxes.inverted().transform(axes.transData.transform((highest, 0)))[0] < 0.5
    axes.annotate(
        f"up to {max(means):.3g}",
        (highest, shown.high),
        (6 if left else -6, 1),
        textcoords="offset points",
        ha="left" if left else "right",
        va="bottom",
        fontsize=8.5,
    )


def _curve_words(row: Row, runs: Sequence[Outcome]) -> str:
    words = [f"Loss of {row.title} by epoch, of {len(runs)} repeats."]
    for name, means in zip(("Training", "Validation"), _loss_curves(row), strict=True):
        lowest = min(means)
        words.append(
            f"{name}: {means[0]:.3g} after the first epoch, lowest {lowest:.3g} after epoch "
            f"{means.index(lowest) + 1}, {means[-1]:.3g} after epoch {len(means)}."
        )
    return " ".join(words)


# All methods together


def score_picture(results: Results) -> str:
    """Show the training and the test score of every method, and the gap between as a bar."""
    rows = [row for row in results.rows if row.name != BASELINE]
    groups = [
        [score for row in some for score in _ends(row, name)]
        for some in (rows, rows[:1])
        for name in ("train_score", "test_score")
    ]
    shown = _score_window(results.task, *filter(None, groups))
    baseline = results.row(BASELINE)
    beaten = baseline.mean("test_score") if baseline else None

    def draw(axes: Axes) -> None:
        _row_axis(axes, rows, shown)
        for place, row in enumerate(rows):
            train, test = row.mean("train_score"), row.mean("test_score")
            if train is None or test is None:
                _nothing(axes, row, place)
                continue
            inner = shown.inside(train), shown.inside(test)
            axes.hlines(place, min(inner), max(inner), color=INK, alpha=0.18, linewidth=6)
            _dot(axes, place - 0.12, train, row.spread("train_score"), TRAINING, "none", shown)
            _dot(axes, place + 0.12, test, row.spread("test_score"), UNSEEN, UNSEEN, shown)
        label = f"{_quantity(results)}{' in %' if results.task.unit else ''}"
        if baseline and beaten is not None:
            if beaten in shown:
                axes.axvline(beaten, color=INK, linewidth=1.1, linestyle=DOTTED)
            else:
                label += f" ({baseline.title}: {_score(results, beaten)})"
        axes.set_xlabel(label, labelpad=3)

    return _svg(draw, _row_size(rows), (1.0, 0.46), _score_words(results, rows))


def _row_size(rows: Sequence[Row]) -> tuple[float, float]:
    return 4.6, 0.8 + 0.34 * len(rows)


def _row_axis(axes: Axes, rows: Sequence[Row], shown: Window) -> None:
    from matplotlib.ticker import MaxNLocator

    axes.set_xlim(shown.low, shown.high)
    axes.set_ylim(len(rows) - 0.4, -0.6)
    axes.set_yticks(range(len(rows)), [row.title for row in rows])
    axes.tick_params(axis="y", length=0)
    axes.xaxis.set_major_locator(MaxNLocator(6))
    axes.grid(axis="y", visible=False)


def _dot(
    axes: Axes,
    place: float,
    mean: float,
    spread: float | None,
    color: str,
    filling: str,
    shown: Window,
) -> None:
    """Draw a mean with its standard deviation, or a mark at the edge that it lies beyond."""
    marker = "o" if mean in shown else "<" if mean < shown.low else ">"
    if spread is not None:
        ends = shown.inside(mean - spread), shown.inside(mean + spread)
        axes.hlines(place, *ends, color=color, linewidth=1.2)
    axes.plot(
        shown.inside(mean),
        place,
        marker,
        color=color,
        markerfacecolor=filling,
        markersize=6.5,
        clip_on=False,
    )


def _nothing(axes: Axes, row: Row, place: float) -> None:
    """Say in its place, clear of the zero, why a method has no number."""
    failed = row.diverged == len(row.repeats)
    text = diverged(row) if failed else "none diverged in these repeats"
    x, side = (0.98, "right") if sum(axes.get_xlim()) >= 0 else (0.02, "left")
    across = axes.get_yaxis_transform()
    axes.text(x, place, text, transform=across, ha=side, va="center", fontsize=8.5)


def _score_words(results: Results, rows: Sequence[Row]) -> str:
    parts = [
        f"{row.title}: {_mean_score(results, row, 'train_score')} and "
        f"{_mean_score(results, row, 'test_score')}"
        for row in rows
    ]
    return f"Training and test {_quantity(results)} of each method. {'; '.join(parts)}."


def difference_picture(results: Results) -> str:
    """Show how much better than the plain model each method is in every repeat; or nothing."""
    rows = results.methods
    values = [value for row in rows for value in row.values("difference")]
    if not values:
        return ""
    bars = [end for row in rows for end in _ends(row, "difference", 2)]
    shown = window([0.0, *values, *bars], _least(results.task))
    shown = Window(min(shown.low, -0.1 * shown.high), max(shown.high, -0.1 * shown.low))

    def draw(axes: Axes) -> None:
        _row_axis(axes, rows, shown)
        axes.axvline(0, color=INK, linewidth=1.1)
        for place, row in enumerate(rows):
            mean, spread = row.mean("difference"), row.spread("difference")
            if mean is None:
                _nothing(axes, row, place)
                continue
            if spread is not None:
                ends = shown.inside(mean - 2 * spread), shown.inside(mean + 2 * spread)
                axes.hlines(place, *ends, color=INK, alpha=0.18, linewidth=8)
            _dots(axes, row.values("difference"), place, shown)
            if mean in shown:
                axes.plot(mean, place, "|", color=INK, markersize=13, markeredgewidth=2)
        axes.set_xlabel(_difference_label(results), labelpad=3)

    return _svg(draw, _row_size(rows), (1.0, 0.46), _difference_words(results, rows))


def _ends(row: Row, name: str, times: float = 1.0) -> list[float]:
    """Return a mean and so many standard deviations to both sides; nothing where there is none."""
    mean, spread = row.mean(name), row.spread(name) or 0.0
    return [] if mean is None else [mean - times * spread, mean + times * spread]


def _dots(axes: Axes, values: Sequence[float], place: float, shown: Window) -> None:
    heights = place + np.linspace(-0.2, 0.2, len(values)) if len(values) > 1 else [place]
    for height, value in zip(heights, values, strict=True):
        marker = "o" if value in shown else "<" if value < shown.low else ">"
        axes.plot(shown.inside(value), height, marker, color=UNSEEN, markersize=4.5, clip_on=False)


def _difference_label(results: Results) -> str:
    unit = " in points" if results.task.unit else ""
    return f"test {_quantity(results)}{unit}, better →"


def _difference_words(results: Results, rows: Sequence[Row]) -> str:
    unit = " points" if results.task.unit else " of R²"
    parts = []
    for row in rows:
        values = row.values("difference")
        text = (
            ", ".join(minus(score_text(results.task, value, sign="+")) for value in values)
            or NOTHING
        )
        parts.append(f"{row.title}: {text}")
    return (
        f"Test {_quantity(results)} less that of none, in{unit}, of every repeat. "
        f"{'; '.join(parts)}."
    )


# Words and files


def _quantity(results: Results) -> str:
    return "accuracy" if results.task.unit else "R²"


def _score(results: Results, score: float, spread: float | None = None) -> str:
    return minus(score_text(results.task, score, spread)) + results.task.unit


def _mean_score(results: Results, row: Row, name: str) -> str:
    mean = row.mean(name)
    return NOTHING if mean is None else _score(results, mean, row.spread(name))


def _svg(
    draw: Callable[[Axes], None],
    inches: tuple[float, float],
    margins: tuple[float, float],
    words: str,
) -> str:
    """Return a picture that leaves so much room to the left and below for labels."""
    import matplotlib
    from matplotlib.figure import Figure

    width, height = inches
    left, bottom = margins
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=inches)
        axes = figure.add_axes(
            (left / width, bottom / height, 1 - (left + 0.12) / width, 1 - (bottom + 0.2) / height)
        )
        draw(axes)
        return _inline(figure, words)


def _inline(figure: Any, words: str) -> str:
    """Return the picture as an element for an HTML page, without the headers of a file."""
    file = io.StringIO()
    nothing = dict.fromkeys(("Date", "Creator", "Format", "Type"))
    figure.savefig(file, format="svg", transparent=True, metadata=nothing)
    svg = file.getvalue()
    view = re.search(r'viewBox="[^"]*"', svg)
    svg = re.sub(r"^.*?<svg[^>]*>", "", svg, count=1, flags=re.DOTALL)
    # Styles would reach the whole page, and names of groups would not be unique in it.
    svg = re.sub(r"<metadata>.*?</metadata>|<style.*?</style>", "", svg, flags=re.DOTALL)
    svg = re.sub(r'<g id="[^"]*"', "<g", svg)
    svg = re.sub(r"font: ([\d.]+px) [^;\"]*", r"font-size: \1", svg)  # Of Matplotlib before 3.9.
    svg = re.sub(r" font-family: [^;\"]*;?", "", svg)
    svg = re.sub(r"<[^>]*>", lambda tag: re.sub(r"(\.\d\d)\d+", r"\1", tag[0]), svg)
    svg = svg.replace(INK, "currentColor").strip()
    view_box = view[0] if view else ""
    return f'<svg role="img" aria-label="{html.escape(words)}" {view_box}>{svg}'
