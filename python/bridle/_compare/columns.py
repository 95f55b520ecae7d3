"""The table of results: what its columns are called, how they are written, which value is best."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Literal

from bridle._compare.training import Result


@dataclass(frozen=True)
class Column:
    """One number of a `Result`.

    ``name`` is its attribute and its name in the CSV file, ``heading`` and ``unit`` stand on the
    page, ``short`` in the terminal.
    """

    name: str
    heading: str
    unit: str
    short: str
    decimals: int
    best: Literal["highest", "lowest"] | None = None

    def value(self, result: Result) -> float:
        """Return the number with all its digits."""
        number: float = attrgetter(self.name)(result)
        return number

    def text(self, result: Result) -> str:
        """Return the number as the table shows it."""
        return f"{self.value(result):,.{self.decimals}f}"

    def best_texts(self, results: Sequence[Result]) -> set[str]:
        """Return what the best values look like; nothing where all look the same."""
        texts = {self.text(result) for result in results}
        if self.best is None or len(texts) < 2:
            return set()
        # Equal texts are equally good: readers see no other digits.
        choose = max if self.best == "highest" else min
        return {self.text(choose(results, key=self.value))}


COLUMNS = (
    Column("zeros_percent", "exact zeros", "%", "zeros\n%", 1, "highest"),
    Column("l1_norm", "L1 norm", "", "L1\nnorm", 0, "lowest"),
    Column("l2_norm", "L2 norm", "", "L2\nnorm", 1, "lowest"),
    Column("train_accuracy_percent", "training accuracy", "%", "train\n%", 1),
    Column("test_accuracy_percent", "test accuracy", "%", "test\n%", 1, "highest"),
    Column("gap_points", "gap", "points", "gap\npts", 1, "lowest"),
    Column("epochs", "epochs run", "", "epochs\nrun", 0, "lowest"),
    Column("time_per_epoch_ms", "time per epoch", "ms", "time\nms/ep.", 1),
    Column("time_in_bridle_percent", "time in bridle", "%", "bridle\n%", 1),
)
FILE_ONLY = ("train_loss", "test_loss", "best_epoch")


def file_row(result: Result) -> dict[str, str | float]:
    """Return a result as the CSV and JSON files hold it. Only names in ``time_`` vary by run."""
    row: dict[str, str | float] = {"method": result.method.name}
    shown = [column.name for column in COLUMNS]
    measured = [name for name in shown if name.startswith("time_")]
    for name in (*(name for name in shown if name not in measured), *FILE_ONLY, *measured):
        row[name] = attrgetter(name)(result)
    return row
