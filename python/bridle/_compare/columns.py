"""The columns of the table of results: what they are called, and how they are written."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Literal

from bridle._compare.results import Row
from bridle._compare.tasks import Task

NOTHING, TIMES = "\N{EN DASH}", "\N{MULTIPLICATION SIGN}"
Direction = Literal["higher is better", "lower is better", ""]


@dataclass(frozen=True)
class Column:
    """One number of a row.

    ``name`` is that in the files; ``heading``, ``unit`` and ``direction`` stand on the page,
    ``short`` in the terminal, where columns without one are left out. Without ``decimals``, numbers
    of any size have four digits. With ``spread``, the standard deviation over the repeats is shown.
    """

    name: str
    heading: str
    unit: str
    short: str
    decimals: int | None
    direction: Direction = ""
    spread: bool = False
    signed: bool = False

    def text(self, row: Row) -> str:
        """Return the mean over the repeats as the table shows it."""
        mean = row.mean(self.name)
        if mean is None:
            return NOTHING
        return self._written(mean, "+" if self.signed else "")

    def spread_text(self, row: Row) -> str:
        """Return the standard deviation as the table shows it, or nothing."""
        spread = row.spread(self.name) if self.spread else None
        return "" if spread is None else self._written(spread)

    def _written(self, value: float, sign: str = "") -> str:
        return four_digits(value) if self.decimals is None else fixed(value, self.decimals, sign)


def fixed(value: float, decimals: int, sign: str = "") -> str:
    """Return a number with so many decimals; what is rounded to zero has no minus."""
    return f"{round(value, decimals) + 0.0:{sign},.{decimals}f}"


def four_digits(value: float) -> str:
    """Return a number of any size with four digits, or the whole of a larger one."""
    size = math.floor(math.log10(abs(value))) if value else 0
    return f"{value:,.{max(3 - size, 0)}f}" if -4 <= size < 12 else f"{value:.3e}"


def score_text(task: Task, mean: float, spread: float | None = None, *, sign: str = "") -> str:
    """Return a score, or a difference of scores, with its spread and without its unit."""
    decimals = task.decimals
    text = fixed(mean, decimals, sign)
    return text if spread is None else f"{text} ± {fixed(spread, decimals)}"


def minus(text: str) -> str:
    """Return a text whose negative numbers have the sign that is as wide as a plus."""
    return re.sub(r"(?<![\w-])-(?=\d)", "\N{MINUS SIGN}", text)


HIGHER: Direction = "higher is better"
LOWER: Direction = "lower is better"


def columns(task: Task) -> list[Column]:
    """Return the columns that a task has."""
    decimals = task.decimals
    if task.name == "classification":
        score, unit, points = "accuracy", "%", "points"
        more = [
            Column("balanced_accuracy_percent", "balanced accuracy", "%", "", 1, HIGHER),
        ]
        if task.outputs == 1:
            more.append(Column("roc_auc", "ROC AUC", "0 to 1", "AUC", 3, HIGHER))
    else:
        score, unit, points = "R²", "at most 1", "of R²"
        more = [Column("rmse", "RMSE", "in the target's unit", "RMSE", None, LOWER)]
    short = "test R²" if task.name == "regression" else "test %"
    return [
        Column("validation_score", f"validation {score}", unit, "", decimals, HIGHER, spread=True),
        Column("test_score", f"test {score}", unit, short, decimals, HIGHER, spread=True),
        Column(
            "difference", "against none", points, "vs none", decimals, HIGHER, True, signed=True
        ),
        Column("gap", "gap", points, "gap", decimals),
        *more,
        Column("zeros_percent", "exact zeros", "%", "zeros\n%", 1),
        Column("l2_norm", "L2 norm", "", "", 2),
        Column("epochs", "epochs run", "", "", 0),
        Column(
            "time_cost_percent",
            "time against none",
            "% per epoch",
            "time\n%",
            0,
            LOWER,
            signed=True,
        ),
        Column("time_in_bridle_percent", "time in bridle", "%", "", 1),
    ]
