"""The pictures of the report: SVG text that takes its ink and its typeface from the page."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from bridle._compare.training import Result

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Stands for the page's text colour until the SVG is written: Matplotlib knows no `currentColor`.
INK = "#010203"
TRAINING, VALIDATION, TEST = "#2f7fd6", "#8a8f98", "#e06c1f"
METHOD_COLORS = ("#8a8f98", "#2f7fd6", "#16a08a", "#9b6bdf", "#d9487d", "#e06c1f", "#5a9e2f")
# Any: the names of the settings are a type of their own, which differs between versions.
STYLE: Any = {
    "svg.fonttype": "none",
    "svg.hashsalt": "bridle",
    "font.size": 9.5,
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": INK,
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
    "legend.frameon": False,
    "legend.handlelength": 1.4,
}
BINS = 61


def gap_picture(results: Sequence[Result]) -> str:
    """Show the training and test accuracy of every method, and the gap between them as a bar."""

    def draw(axes: Axes) -> None:
        titles = [result.method.title for result in results]
        train = [result.train_accuracy_percent for result in results]
        test = [result.test_accuracy_percent for result in results]
        axes.hlines(titles, test, train, color=INK, alpha=0.22, linewidth=7)
        axes.plot(train, titles, "o", color=TRAINING, label="training", markersize=7)
        axes.plot(test, titles, "o", color=TEST, label="test", markersize=7)
        axes.invert_yaxis()
        axes.margins(y=0.09)
        axes.grid(axis="y", visible=False)
        axes.set_xlabel("accuracy in %")
        _legend_above(axes, 2)

    return _svg(draw, (5.6, 3.2), "Training and test accuracy of each method")


def overview_picture(results: Sequence[Result]) -> str:
    """Show the test loss of all methods in one picture."""

    def draw(axes: Axes) -> None:
        for result, color in zip(results, METHOD_COLORS, strict=True):
            losses = result.history["test_loss"]
            axes.plot(_epochs(result), losses, color=color, label=result.method.title)
            axes.plot(result.epochs, losses[-1], "o", color=color, markersize=4)
        axes.set_xlabel("epoch")
        axes.set_ylabel("test loss")
        _legend_above(axes, 4)

    return _svg(draw, (5.6, 3.2), "Test loss of all methods by epoch")


def curve_picture(result: Result, results: Sequence[Result], kind: str) -> str:
    """Show one method's ``loss`` or ``accuracy_percent``, on axes that all methods share."""
    parts = (("train", TRAINING), ("validation", VALIDATION), ("test", TEST))
    bottom, top = _limits(results, [f"{part}_{kind}" for part, _ in parts])

    def draw(axes: Axes) -> None:
        for part, color in parts:
            label = "training" if part == "train" else part
            axes.plot(_epochs(result), result.history[f"{part}_{kind}"], color=color, label=label)
        if result.best_epoch < result.epochs:
            axes.axvline(result.best_epoch, color=INK, linewidth=0.9, linestyle=(0, (3, 2)))
        axes.set_xlim(0, max(other.epochs for other in results) + 1)
        axes.set_ylim(0 if kind == "loss" else bottom, top)
        axes.set_xlabel("epoch")
        _legend_above(axes, 3)

    name = "Loss" if kind == "loss" else "Accuracy in %"
    return _svg(draw, (3.7, 2.5), f"{name} by epoch: {result.method.title}")


def histogram_picture(result: Result, results: Sequence[Result]) -> str:
    """Show how the weights are spread; those that are exactly zero get a bar of their own."""
    finite = [other.weights[np.isfinite(other.weights)] for other in results]
    limit = max(float(np.abs(weights).max(initial=1e-6)) for weights in finite)
    most = max(weights.size for weights in finite)

    def draw(axes: Axes) -> None:
        weights = result.weights[np.isfinite(result.weights)]
        if not weights.size:
            axes.text(0.5, 0.5, "none is finite", ha="center", transform=axes.transAxes)
            return
        counts, edges = np.histogram(weights[weights != 0], BINS, (-limit, limit))
        width = edges[1] - edges[0]
        axes.bar(edges[:-1], counts, width, align="edge", color=TRAINING, label="not zero")
        zeros = int(np.count_nonzero(weights == 0))
        label = f"exactly zero: {result.zeros_percent:.1f} %"
        axes.bar([0], [zeros], 1.6 * width, color=TEST, label=label)
        axes.set_yscale("log")
        axes.set_ylim(0.7, 2 * most)
        axes.set_xlim(-limit, limit)
        axes.set_xlabel("weight")
        _legend_above(axes, 2)

    return _svg(draw, (3.7, 2.5), f"Histogram of the weights: {result.method.title}")


def _epochs(result: Result) -> range:
    return range(1, result.epochs + 1)


def _limits(results: Sequence[Result], names: Sequence[str]) -> tuple[float, float]:
    values = np.concatenate([result.history[name] for result in results for name in names])
    values = values[np.isfinite(values)]
    if not values.size:
        return 0.0, 1.0
    low, high = float(values.min()), float(values.max())
    margin = 0.04 * (high - low) or 0.5
    return low - margin, high + margin


def _legend_above(axes: Axes, columns: int) -> None:
    axes.legend(
        loc="lower left",
        bbox_to_anchor=(0, 1),
        ncols=columns,
        borderaxespad=0.2,
        borderpad=0,
        columnspacing=1.2,
        handletextpad=0.5,
    )


def _svg(draw: Callable[[Axes], None], inches: tuple[float, float], description: str) -> str:
    import matplotlib
    from matplotlib.figure import Figure

    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=inches, layout="constrained")
        draw(figure.subplots())
        return _inline(figure, description)


def _inline(figure: Figure, description: str) -> str:
    """Return the picture as an element for an HTML page, without the headers of a file."""
    file = io.StringIO()
    nothing = dict.fromkeys(("Date", "Creator", "Format", "Type"))
    figure.savefig(file, format="svg", transparent=True, metadata=nothing)
    svg = file.getvalue()
    view = re.search(r'viewBox="[^"]*"', svg)
    opening = f'<svg role="img" aria-label="{description}" {view[0] if view else ""}>'
    svg = re.sub(r"^.*?<svg[^>]*>", lambda _: opening, svg, count=1, flags=re.DOTALL)
    # Styles would reach the whole page, and names of groups would not be unique in it.
    svg = re.sub(r"<metadata>.*?</metadata>|<style.*?</style>", "", svg, flags=re.DOTALL)
    svg = re.sub(r'<g id="[^"]*"', "<g", svg)
    svg = re.sub(r" font-family: [^;]*;", "", svg)
    svg = re.sub(r"(\.\d\d)\d+", r"\1", svg)
    return svg.replace(INK, "currentColor").strip()
