"""The picture: gigabytes per second of every contender, and the limit."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt

from bridle._files import replacing

if TYPE_CHECKING:
    from bench.peers.report import Row
    from matplotlib.axes import Axes

COLORS = {"bridle": "#0b5394", "PyTorch": "#e69138", "Numba": "#6aa84f", "NumPy": "#999999"}
GROUPS = {"memory": "in memory", "cache": "in cache"}


def plot(rows: list[Row], path: Path) -> None:
    """Draw the rows whose arrays are large enough for bytes per second to mean something.

    A family has a picture of its own, which has its name behind that of the file.
    """
    drawn = [r for r in rows if r.work.check not in ("none", "path") and not r.work.load]
    for family in {r.work.family: None for r in drawn}:
        name = f"{path.stem}-{family}{path.suffix}" if family else path.name
        _plot([r for r in drawn if r.work.family == family], path.with_name(name))


def _plot(rows: list[Row], path: Path) -> None:
    groups = {g: [r for r in rows if r.work.group == g] for g in GROUPS}
    groups = {group: chosen for group, chosen in groups.items() if chosen}
    if not groups:
        return
    most = max(len(chosen) for chosen in groups.values())
    size = (8 * len(groups), 0.5 * most + 1.5)
    figure, axes = plt.subplots(1, len(groups), figsize=size, squeeze=False, layout="constrained")
    for axis, (group, chosen) in zip(axes[0], groups.items(), strict=True):
        _draw(axis, chosen)
        axis.set_title(f"{GROUPS[group]}: GB/s (more is better)", loc="left")
    figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside upper left", ncols=5)
    with replacing(path) as file:
        figure.savefig(file, dpi=120, format="png")
    plt.close(figure)


def _draw(axis: Axes, rows: list[Row]) -> None:
    height = 0.8 / len(COLORS)
    for place, (contender, color) in enumerate(COLORS.items()):
        drawn = [(i, row) for i, row in enumerate(rows) if contender in row.timings]
        speeds = [row.work.bytes / row.timings[contender].median / 1e9 for _, row in drawn]
        offsets = [i + (place - 1.5) * height for i, _ in drawn]
        bars = axis.barh(offsets, speeds, height, color=color, label=contender)
        axis.bar_label(bars, [f"{speed:.3g}" for speed in speeds], padding=2, fontsize=6)
    for i, row in enumerate(rows):
        limit = row.work.bytes / row.timings[row.work.limit].median / 1e9
        label = "limit" if i == 0 else "_"  # once in the legend
        axis.vlines(limit, i - 0.45, i + 0.45, color="black", linewidth=1.5, label=label)
    axis.set_yticks(range(len(rows)), [row.work.name for row in rows], fontsize=8)
    axis.set_ylim(len(rows) - 0.5, -0.5)
    axis.spines[["top", "right"]].set_visible(False)
