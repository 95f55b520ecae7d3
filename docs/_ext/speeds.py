"""The benchmarks: a picture of the table, and the report of a run of your own.

``{speeds}`` draws the table of the page that it is in. ``{run}`` shows what ``python -m bench.peers
--out docs/run`` has written, if it has.
"""

import re
from pathlib import Path

import matplotlib
from docutils import nodes
from docutils.parsers.rst import Directive
from docutils.statemachine import StringList
from matplotlib.figure import Figure

COLORS = {"NumPy": "#999999", "Numba": "#6aa84f", "PyTorch": "#e69138"}
TIMES = re.compile(r"\(([\d.]+)\u00d7\)")
HALF = 0.25
"""Half the height that the bars of a row have in common."""


def rows_of(text):
    """Return the work of each row of the table, and how many times as long each peer takes."""
    for line in text.splitlines():
        if not line.startswith(("| `", "| the ")):
            continue
        cells = line.split("|")[1:-1]
        times = {
            name: float(found[1])
            for name, cell in zip(COLORS, cells[-3:], strict=True)
            if (found := TIMES.search(cell))
        }
        if times:
            yield cells[0].strip().replace("`", ""), times


def draw(text, path):
    """Draw how many times as long as bridle the others take."""
    rows = list(rows_of(text))
    figure = Figure(figsize=(8, 0.36 * len(rows) + 1), layout="constrained")
    ax = figure.subplots()
    for place, (name, color) in enumerate(COLORS.items()):
        times = [times.get(name, 1.0) for _, times in rows]
        where = [i + (place - 1) * HALF for i in range(len(rows))]
        ax.barh(where, [time - 1 for time in times], HALF, left=1, color=color, label=name)
    ax.axvline(1, color="#0b5394", linewidth=2, label="bridle")
    ax.set_yticks(range(len(rows)), [work for work, _ in rows], fontsize=8)
    ax.set(xscale="log", xlabel="time, bridle's is 1", ylim=(len(rows) - 0.4, -0.6))
    ax.xaxis.set_major_formatter("{x:g}")
    ax.spines[["top", "right"]].set_visible(False)
    figure.legend(*ax.get_legend_handles_labels(), loc="outside upper left", ncols=4, frameon=False)
    path.parent.mkdir(exist_ok=True)
    with matplotlib.rc_context({"svg.hashsalt": "bridle"}):
        figure.savefig(path, metadata={"Date": None})


class Speeds(Directive):
    """A picture of the table of this page."""

    def run(self):
        environment = self.state.document.settings.env
        page = Path(environment.doc2path(environment.docname))
        draw(page.read_text("utf-8"), page.parent / "_pictures" / "speeds.svg")
        return [nodes.image(uri="_pictures/speeds.svg", alt="the times of the table as bars")]


class Run(Directive):
    """The report of a run in the folder ``run``."""

    def run(self):
        environment = self.state.document.settings.env
        folder = Path(environment.srcdir) / "run"
        found = nodes.container()
        if not (folder / "peers.md").exists():
            return []
        lines = (folder / "peers.md").read_text("utf-8").splitlines()
        self.state.nested_parse(StringList(lines, "run/peers.md"), self.content_offset, found)
        for picture in sorted(folder.glob("*.png")):
            found += nodes.image(
                uri=f"run/{picture.name}", alt=f"speeds of the run: {picture.stem}"
            )
        return [found]


def setup(app):
    app.add_directive("speeds", Speeds)
    app.add_directive("run", Run)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
