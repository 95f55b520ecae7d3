"""A CSV file of numeric features and one column of class labels, read with clear errors."""

from __future__ import annotations

import csv
import io
import math
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

import numpy as np

from bridle._compare import CompareError
from bridle._compare.network import Array

MINIMUM_ROWS = 30


@dataclass(frozen=True)
class Table:
    """The columns of a CSV file: ``features`` has one row per line, ``labels`` one text."""

    names: list[str]
    features: Array
    labels: list[str]


def read_table(path: Path, target: str) -> Table:
    """Read a file with a header line; commas, semicolons or tabs separate the columns.

    Raises
    ------
    CompareError
        If the file is missing or malformed, a feature is not a finite number, or `target` is not
        a column of class labels.
    """
    try:
        # Read at once: a pipe cannot be read again after a look at its header.
        table = _parse(io.StringIO(path.read_text(encoding="utf-8-sig")), target)
    except OSError as error:
        raise CompareError(f"{path}: {error.strerror or error}") from None
    except UnicodeDecodeError:
        raise CompareError(f"{path}: not a text file in UTF-8") from None
    except (csv.Error, CompareError) as error:
        raise CompareError(f"{path}: {error}") from None
    return table


def _parse(file: TextIO, target: str) -> Table:
    header = file.readline()
    if not header.strip():
        raise CompareError("the first line must name the columns, but it is empty")
    file.seek(0)
    lines = csv.reader(file, delimiter=max(",;\t", key=header.count), strict=True)
    names = [name.strip() for name in next(lines)]
    position = _position(names, target)
    values, labels = array("d"), list[str]()
    for row in _rows(lines, names):
        labels.append(_label(row.pop(position), lines.line_num, target))
        for index, text in enumerate(row):
            name = names[index + (index >= position)]
            values.append(_number(text, lines.line_num, name))
    del names[position]
    _check_labels(labels, target)
    return Table(names, np.array(values).reshape(len(labels), len(names)), labels)


def _position(names: list[str], target: str) -> int:
    if len(names) < 2:
        raise CompareError(
            f"there is only one column, {names[0]!r}; features and a label are needed"
        )
    if names.count(target) > 1:
        raise CompareError(f"{names.count(target)} columns are named {target!r}")
    if target not in names:
        shown = ", ".join(repr(name) for name in names[:8])
        more = f" and {len(names) - 8} more" if len(names) > 8 else ""
        raise CompareError(f"no column named {target!r}; the columns are {shown}{more}")
    return names.index(target)


def _rows(lines: Iterator[list[str]], names: list[str]) -> Iterator[list[str]]:
    for number, row in enumerate(lines, start=1):
        if row and len(row) != len(names):
            raise CompareError(f"row {number} has {len(row)} values, the header {len(names)}")
        if row:
            yield row


def _label(text: str, line: int, name: str) -> str:
    if not text.strip():
        raise CompareError(f"line {line}: the label in column {name!r} is missing")
    return text.strip()


def _number(text: str, line: int, name: str) -> float:
    if not text.strip():
        raise CompareError(f"line {line}: the value in column {name!r} is missing")
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise CompareError(f"line {line}: column {name!r} holds {text!r}, which is not a number")
    return value


def _check_labels(labels: list[str], target: str) -> None:
    rows, classes = len(labels), len(set(labels))
    if rows < MINIMUM_ROWS:
        raise CompareError(f"{rows} rows of data are too few; at least {MINIMUM_ROWS} are needed")
    if classes == 1:
        raise CompareError(f"column {target!r} holds the same label in every row")
    if classes > rows // 3:
        raise CompareError(
            f"column {target!r} holds {classes:,} different labels in {rows:,} rows; "
            "it must name classes"
        )
