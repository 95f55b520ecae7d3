"""The report folder: a page for people, a table for spreadsheets, everything for programs."""

from __future__ import annotations

import csv
import io
import json
import math
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

from bridle._compare import CompareError
from bridle._compare.page import page
from bridle._compare.report import Report
from bridle._compare.results import Repeat, Results, Row
from bridle._compare.tasks import Task
from bridle._compare.verdict import verdict
from bridle._files import check_destination, write_text

PAGE, TABLE, EVERYTHING = "index.html", "results.csv", "results.json"


def prepare_folder(folder: Path) -> None:
    """Create the folder and make sure that the report can be written into it.

    Raises
    ------
    CompareError
        If it cannot.
    """
    place = folder
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
        for place in (folder / name for name in (PAGE, TABLE, EVERYTHING)):
            if check_destination(place):
                place.open("r+b").close()
    except OSError as error:
        raise CompareError(f"cannot write to {place}: {error.strerror or error}") from None


def write_report(report: Report, folder: Path) -> None:
    """Write all files, over those of an earlier report."""
    texts = {TABLE: _table(report), EVERYTHING: _json(report), PAGE: page(report)}
    try:
        for name, text in texts.items():
            # The command line may hold the name of a file that is not valid text.
            write_text(folder / name, text, errors="backslashreplace")
    except OSError as error:
        raise CompareError(f"cannot write to {folder}: {error.strerror or error}") from None


def _numbers(task: Task) -> list[str]:
    """Return the numbers of a row, in the order of the files; the times come last."""
    scores = (
        ["balanced_accuracy_percent", "roc_auc"]
        if task.name == "classification"
        else ["r2", "rmse"]
    )
    if task.name == "classification" and task.outputs != 1:
        scores.remove("roc_auc")
    return [
        *("validation_score", "test_score", "train_score", "gap", "difference"),
        *("difference_from_baseline", *scores, "zeros_percent", "l1_norm", "l2_norm"),
        *("epochs", "best_epoch"),
        *("time_per_epoch_ms", "time_cost_percent", "time_in_bridle_percent"),
    ]


def _row(row: Row, task: Task) -> dict[str, Any]:
    """Return a method as the CSV and JSON files hold it: every number's mean, and its spread."""
    cells: dict[str, Any] = {"method": row.name, "strengths": row.strengths}
    for name in _numbers(task):
        cells[name] = row.mean(name)
        cells[f"{name}_std"] = row.spread(name)
    return cells | {"diverged": row.diverged}


def _table(report: Report) -> str:
    task = report.results.task
    rows = [_row(row, task) for row in report.results.rows]
    file = io.StringIO()
    writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    for row in rows:
        writer.writerow(row | {"strengths": " ".join(f"{s:g}" for s in row["strengths"])})
    return file.getvalue()


def _json(report: Report) -> str:
    results = report.results
    comparison, task = results.comparison, results.task
    data = comparison.data
    everything = {
        "verdict": verdict(results),
        "best": results.best.name if results.best else None,
        "complete": comparison.complete,
        "command": report.command,
        "data": {
            "name": data.name,
            "notes": data.notes,
            "task": task.name,
            "features": list(data.table.names),
            "classes": list(data.table.classes),
            "samples": data.samples,
        },
        "settings": {
            **asdict(comparison.settings),
            "score": {
                "name": task.score,
                "unit": task.unit.strip(),
                "direction": "higher is better",
            },
            "threads": report.threads,
            "instruction_set": report.instruction_set,
        },
        "versions": report.versions,
        "results": [_detailed_row(row, results) for row in results.rows],
    }
    return json.dumps(_finite(everything), indent=1, allow_nan=False) + "\n"


def _detailed_row(row: Row, results: Results) -> dict[str, Any]:
    numbers = _numbers(results.task)
    detailed = _row(row, results.task)
    detailed["repeats"] = [_repeat(repeat, numbers) for repeat in row.repeats]
    detailed["curve"] = [
        {
            "strength": point.strength,
            "validation_score": point.score,
            "validation_score_std": point.spread,
            "chosen": point.chosen,
            "diverged": point.diverged,
        }
        for point in row.curve
    ]
    detailed["best_strength_at_edge"] = row.edge != 0
    detailed["grid_extended"] = row.extended
    if row.features:
        detailed["features"] = [asdict(feature) for feature in row.features]
    return detailed


def _repeat(repeat: Repeat, names: list[str]) -> dict[str, Any]:
    return {
        "strength": repeat.strength,
        "diverged": repeat.diverged,
        **{name: repeat.numbers.get(name) for name in names},
        **({"history": repeat.outcome.history} if repeat.outcome is not None else {}),
    }


def _finite(value: Any) -> Any:
    """Replace what JSON cannot hold, the infinite losses of a model that diverged, by null."""
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
