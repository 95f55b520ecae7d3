"""What the terminal shows: how far the trainings are, and the results."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, TextIO

from bridle._compare.columns import Column, columns, minus
from bridle._compare.comparison import Progress
from bridle._compare.methods import Method
from bridle._compare.results import Results, Row
from bridle._compare.verdict import cost, edges, verdict

if TYPE_CHECKING:
    import rich.progress
    from rich.console import Console

WIDTH = 80
MINIMUM_WIDTH = 100


@contextmanager
def progress(file: TextIO, repeats: int) -> Iterator[Progress]:
    """Show a bar with the time left, or a line after each repeat where there is no terminal."""
    from rich.console import Console

    screen = Console(file=file, highlight=False)
    if screen.is_terminal:
        with _bar(screen) as bar:
            yield _Bar(bar, repeats)
    else:
        yield _Lines(screen, repeats)


def _bar(screen: Console) -> rich.progress.Progress:
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    return Progress(
        TextColumn("{task.description}"),
        BarColumn(20),
        TextColumn("{task.percentage:>3.0f} %, time left"),
        TimeRemainingColumn(),
        console=screen,
        transient=True,
    )


class _Bar:
    """A bar of epochs."""

    def __init__(self, bar: rich.progress.Progress, repeats: int) -> None:
        self.bar = bar
        self.repeats = repeats
        self.task = bar.add_task("preparing", total=0)
        self.total = 0

    def planned(self, epochs: int) -> None:
        self._change_total(epochs)

    def begin(self, repeat: int, method: Method, strength: float) -> None:
        what = f"{method.title} {strength:g}" if strength else method.title
        self.bar.update(
            self.task, description=f"{f'repeat {repeat + 1} of {self.repeats}, {what}':<36}"
        )

    def epoch(self) -> None:
        self.bar.advance(self.task)

    def end(self, skipped: int) -> None:
        self._change_total(-skipped)

    def _change_total(self, epochs: int) -> None:
        self.total += epochs
        self.bar.update(self.task, total=self.total)


class _Lines:
    """A line whenever another repeat has begun, so that a log shows that it goes on."""

    def __init__(self, screen: Console, repeats: int) -> None:
        self.screen = screen
        self.repeats = repeats
        self.start = monotonic()
        self.total = self.done = 0
        self.repeat: int | None = None
        self.stages = 0

    def planned(self, epochs: int) -> None:
        self.total += epochs
        self.stages += 1

    def begin(self, repeat: int, method: Method, strength: float) -> None:
        if repeat == self.repeat:
            return
        self.repeat = repeat
        left = ""
        if self.done:
            seconds = (monotonic() - self.start) / self.done * (self.total - self.done)
            left = f", about {seconds:.0f} s left"
        stage = "beyond the ends of the grids, " if self.stages > 1 else ""
        self.screen.print(f"{stage}repeat {repeat + 1} of {self.repeats}{left}")

    def epoch(self) -> None:
        self.done += 1

    def end(self, skipped: int) -> None:
        self.total -= skipped


def print_results(results: Results, page: Path, file: TextIO) -> None:
    """Print the verdict, a line per method in at most 80 columns, and where the report is."""
    if not results.comparison.complete:
        print("Interrupted: this is what was finished.\n", file=file)
    print(textwrap.fill(verdict(results), WIDTH - 1), end="\n\n", file=file)
    _print_table(results, file)
    for sentence in filter(None, [*edges(results), cost(results)]):
        print("", *textwrap.wrap(sentence, WIDTH - 1), sep="\n", file=file)
    print(f"\nReport: {page}", file=file)


def _print_table(results: Results, file: TextIO) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table

    shown = [column for column in columns(results.task) if column.short]
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column("method", no_wrap=True)
    table.add_column("usual\nstrength", justify="right", no_wrap=True)
    for column in shown:
        table.add_column(column.short, justify="right", no_wrap=True)
    some_diverged = any(row.diverged for row in results.rows)
    if some_diverged:
        table.add_column("di-\nverged", justify="right", no_wrap=True)
    for row in results.rows:
        strength = "" if row.usual_strength is None else f"{row.usual_strength:g}"
        cells = [row.title, strength, *(_cell(column, row) for column in shown)]
        if some_diverged:
            cells.append(f"{row.diverged} of {len(row.repeats)}" if row.diverged else "")
        table.add_row(*cells, style="bold green" if row is results.best else "")
    console = Console(file=file, highlight=False, markup=False)
    # Lines longer than a narrow terminal wrap there; Rich would cut numbers off.
    console.width = max(console.width, MINIMUM_WIDTH)
    console.print(table)


def _cell(column: Column, row: Row) -> str:
    spread = column.spread_text(row)
    return minus(f"{column.text(row)} ± {spread}" if spread else column.text(row))
