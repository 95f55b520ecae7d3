"""What the terminal shows: a progress bar, or plain lines where there is none, and the table."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, TextIO

from bridle._compare.columns import COLUMNS
from bridle._compare.methods import Method
from bridle._compare.training import Result

if TYPE_CHECKING:
    from rich.console import Console

MINIMUM_WIDTH = 100

Train = Callable[[Method, Callable[[], None]], Result]
"""Trains one network, calling its second argument after every epoch."""


def print_table(results: Sequence[Result], file: TextIO) -> None:
    """Print one line per method, in at most 80 columns if no number is unusually long."""
    from rich import box
    from rich.console import Console
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column("method", no_wrap=True)
    for column in COLUMNS:
        table.add_column(column.short, justify="right", no_wrap=True)
    best = {column: column.best_texts(results) for column in COLUMNS}
    for result in results:
        texts = ((column.text(result), best[column]) for column in COLUMNS)
        cells = (f"[bold green]{text}[/]" if text in marked else text for text, marked in texts)
        table.add_row(result.method.title, *cells)
    console = Console(file=file, highlight=False)
    # Lines longer than a narrow terminal wrap there; Rich would cut numbers off.
    console.width = max(console.width, MINIMUM_WIDTH)
    console.print(table)


def train_with_progress(
    methods: Sequence[Method], epochs: int, train: Train, file: TextIO
) -> list[Result]:
    """Train a network per method and show how far it is."""
    from rich.console import Console

    screen = Console(file=file, highlight=False)
    if not screen.is_terminal:
        return [_train_with_line(method, train, screen) for method in methods]
    return _train_with_bars(methods, epochs, train, screen)


def _train_with_line(method: Method, train: Train, screen: Console) -> Result:
    result = train(method, lambda: None)
    screen.print(f"{method.title:<14}  {_outcome(result)}")
    return result


def _train_with_bars(
    methods: Sequence[Method], epochs: int, train: Train, screen: Console
) -> list[Result]:
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    results = []
    columns = (
        TextColumn("{task.description:<14}"),
        BarColumn(24),
        MofNCompleteColumn(),
        TextColumn("{task.fields[outcome]}"),
    )
    with Progress(*columns, console=screen, transient=True) as progress:
        tasks = [
            progress.add_task(method.title, total=epochs, start=False, outcome="")
            for method in methods
        ]
        for method, task in zip(methods, tasks, strict=True):
            progress.start_task(task)
            result = train(method, partial(progress.advance, task))
            progress.update(task, total=result.epochs, outcome=_outcome(result))
            results.append(result)
    return results


def _outcome(result: Result) -> str:
    epochs = "1 epoch" if result.epochs == 1 else f"{result.epochs} epochs"
    return f"{epochs}, test accuracy {result.test_accuracy_percent:.1f} %"
