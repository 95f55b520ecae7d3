"""The columns of the table of results: what they are called, and how they are written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from bridle._compare.results import Row
from bridle._compare.tasks import Task

NOTHING, MINUS = "\N{EN DASH}", "\N{MINUS SIGN}"


@dataclass(frozen=True)
class Column:
    """One number of a row.

    ``name`` is that in the files; ``heading``, ``unit`` and ``direction`` stand on the page,
    ``short`` in the terminal, where columns without one are left out. ``form`` is how a number is
    written. With ``spread``, the standard deviation over the repeats is shown.
    """

    name: str
    heading: str
    unit: str
    short: str
    form: str
    direction: Literal["higher is better", "lower is better", ""] = ""
    spread: bool = False
    signed: bool = False

    def text(self, row: Row) -> str:
        """Return the mean over the repeats as the table shows it."""
        mean = row.mean(self.name)
        if mean is None:
            return NOTHING
        text = f"{mean:{'+' if self.signed else ''}{self.form}}"
        return text.replace("-", MINUS)

    def spread_text(self, row: Row) -> str:
        """Return the standard deviation as the table shows it, or nothing."""
        spread = row.spread(self.name) if self.spread else None
        return "" if spread is None else f"{spread:{self.form}}"


def columns(task: Task) -> list[Column]:
    """Return the columns that a task has."""
    higher: Literal["higher is better"] = "higher is better"
    lower: Literal["lower is better"] = "lower is better"
    if task.name == "classification":
        score, unit, points, form = "accuracy", "%", "points", ",.1f"
        more = [Column("balanced_accuracy_percent", "balanced accuracy", "%", "", form, higher)]
        if task.outputs == 1:
            more.append(Column("roc_auc", "ROC AUC", "0.5 to 1", "AUC", ".3f", higher))
    else:
        score, unit, points, form = "R²", "at most 1", "of R²", ",.3f"
        more = [Column("rmse", "RMSE", "in the target's unit", "RMSE", "#,.4g", lower)]
    short = "test R²" if task.name == "regression" else "test %"
    return [
        Column("validation_score", f"validation {score}", unit, "", form, higher, spread=True),
        Column("test_score", f"test {score}", unit, short, form, higher, spread=True),
        Column(
            "difference", "against none", points, "vs none", form, higher, spread=True, signed=True
        ),
        Column("gap", "gap", points, "gap", form, lower),
        *more,
        Column("zeros_percent", "exact zeros", "%", "zeros\n%", ".1f"),
        Column("l2_norm", "L2 norm", "", "", ",.2f"),
        Column("epochs", "epochs run", "", "", ",.0f"),
        Column(
            "time_cost_percent", "time against none", "%", "time\n%", ",.0f", lower, signed=True
        ),
        Column("time_in_bridle_percent", "time in bridle", "%", "", ".1f"),
    ]
