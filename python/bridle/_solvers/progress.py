"""How far a run is, on the terminal."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic
from typing import TYPE_CHECKING

from bridle._extras import missing

if TYPE_CHECKING:
    import rich.progress

REFRESHED = 0.1
"""Seconds after which the line is drawn again."""

Show = Callable[[int, float, float], None]


@contextmanager
def progress_of(solver: str, is_wanted: bool) -> Iterator[Show]:
    """Give a function that shows the number, the residual and the limit of an iteration."""
    if not is_wanted:
        yield lambda iteration, residual, limit: None
        return
    try:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn
    except ImportError:
        raise missing(solver, "progress", "rich", "progress") from None
    columns = TextColumn("{task.description}"), BarColumn(20)
    screen = Console(stderr=True, highlight=False)
    with Progress(*columns, console=screen, auto_refresh=False) as bar:
        shown = _Bar(bar, solver)
        yield shown.show
        shown.draw()


class _Bar:
    """A bar that is full where the residual, on a logarithmic scale, is down to its limit."""

    def __init__(self, bar: rich.progress.Progress, solver: str) -> None:
        self._bar, self._task = bar, bar.add_task(solver, total=1.0)
        self._solver = solver
        self._first: float | None = None
        self._drawn = -math.inf
        self._state = 0, math.nan, math.nan

    def show(self, iteration: int, residual: float, limit: float) -> None:
        """Note an iteration, and draw it unless another one was drawn just before."""
        self._first = residual if self._first is None else self._first
        self._state = iteration, residual, limit
        if monotonic() - self._drawn > REFRESHED:
            self.draw()

    def draw(self) -> None:
        """Draw the last iteration."""
        iteration, residual, limit = self._state
        text = f"{self._solver} {iteration:>6}: residual {residual:.2e}, limit {limit:.2e}"
        done = self._share(residual, limit)
        self._bar.update(self._task, description=text, completed=done, refresh=True)
        self._drawn = monotonic()

    def _share(self, residual: float, limit: float) -> float:
        if not self._first or not limit > 0 or residual <= limit:
            return float(residual <= limit)
        way = math.log(self._first / limit)
        return min(max(math.log(self._first / residual) / way, 0.0), 1.0) if way > 0 else 0.0
