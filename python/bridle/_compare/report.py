"""The report folder: a page for people, a table for spreadsheets, everything for programs."""

from __future__ import annotations

import csv
import io
import json
import math
import platform
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from importlib import resources
from importlib.metadata import version
from pathlib import Path
from typing import Any

import bridle as br
from bridle._compare import CompareError, plots
from bridle._compare.columns import COLUMNS, file_row
from bridle._compare.data import Dataset
from bridle._compare.observations import observations
from bridle._compare.training import Result, Settings
from bridle._files import check_destination, write_text

PAGE, TABLE, EVERYTHING = "index.html", "results.csv", "results.json"


@dataclass(frozen=True)
class Report:
    """All that the files are made of; ``command`` repeats the comparison."""

    data: Dataset
    settings: Settings
    threads: int
    command: str
    results: Sequence[Result]


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
    texts = {TABLE: _table(report), EVERYTHING: _json(report), PAGE: _page(report)}
    try:
        for name, text in texts.items():
            # The command line may hold the name of a file that is not valid text.
            write_text(folder / name, text, errors="backslashreplace")
    except OSError as error:
        raise CompareError(f"cannot write to {folder}: {error.strerror or error}") from None


def versions() -> dict[str, str]:
    """Return the versions of everything that may change a result."""
    packages = ("bridle", "numpy", "scikit-learn", "matplotlib")
    return {"Python": platform.python_version()} | {name: version(name) for name in packages}


def _instruction_set() -> str:
    config = br.show_config(mode="dicts") or {}
    return str(config["instruction_set"])


def _table(report: Report) -> str:
    rows = [file_row(result) for result in report.results]
    file = io.StringIO()
    writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return file.getvalue()


def _json(report: Report) -> str:
    data = report.data
    parts = ("training", "validation", "test")
    everything = {
        "command": report.command,
        "data": {
            "name": data.name,
            "note": data.note,
            "features": data.features,
            "classes": data.classes,
            "samples": {part: len(getattr(data, part).labels) for part in parts},
        },
        "settings": {
            **asdict(report.settings),
            "threads": report.threads,
            "instruction_set": _instruction_set(),
        },
        "versions": versions(),
        "results": [
            {
                **file_row(result),
                "strengths": _strengths(result),
                "history": result.history,
            }
            for result in report.results
        ],
    }
    return json.dumps(_finite(everything), indent=1, allow_nan=False) + "\n"


def _strengths(result: Result) -> dict[str, float]:
    names = ("l1", "l2", "dropout", "patience")
    values = {name: getattr(result.method, name) for name in names}
    return {name: value for name, value in values.items() if value}


def _finite(value: Any) -> Any:
    """Replace what JSON cannot hold, the infinite losses of a network that diverged, by null."""
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def _page(report: Report) -> str:
    from jinja2 import Environment, StrictUndefined

    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    source = resources.files("bridle._compare").joinpath("report.html.j2")
    results = report.results
    return environment.from_string(source.read_text(encoding="utf-8")).render(
        report=report,
        columns=[(column, column.best_texts(results)) for column in COLUMNS],
        observations=observations(results, report.settings.epochs),
        overview=[plots.gap_picture(results), plots.overview_picture(results)],
        methods=[(result, _strengths(result), _pictures(result, results)) for result in results],
        versions=versions(),
        instruction_set=_instruction_set(),
    )


def _pictures(result: Result, results: Sequence[Result]) -> dict[str, str]:
    return {
        "Loss": plots.curve_picture(result, results, "loss"),
        "Accuracy in %": plots.curve_picture(result, results, "accuracy_percent"),
        "Weights": plots.histogram_picture(result, results),
    }
