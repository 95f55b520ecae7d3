"""A file of separated values as features and a target: numbers, or what must be put right."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Literal

import numpy as np

from bridle._compare import Array, CompareError
from bridle._compare.findings import Findings, counted, ignoring, named, shown
from bridle._compare.kinds import DECIMAL_COMMA, PLAIN, THOUSANDS_COMMA, Column, Kind, recognised
from bridle._compare.reading import read_source
from bridle._compare.target import Target, Task, target_of
from bridle._compare.words import quoted

Missing = Literal["error", "drop", "mean"]

MINIMUM_ROWS = 30
MAXIMUM_CATEGORIES = 50
LARGEST_STANDARDIZED = 1e38
"""A power of ten below the largest float32."""


@dataclass(frozen=True)
class Table:
    """Features by row and column, and the target.

    ``features`` are float64 with NaN where a value is missing; ``indicator`` tells which columns
    hold only 0 and 1, one-hot columns (named ``column=value``) among them. ``target`` is float64,
    or int64 indices of ``classes``, which is empty for regression. ``notes`` say what was left
    out, converted or recognised.
    """

    names: tuple[str, ...]
    features: Array
    indicator: Array
    target: Array
    classes: tuple[str, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class _Feature:
    name: str
    values: Array
    indicator: bool


def read_table(
    path: Path,
    target: str,
    *,
    task: Task = "auto",
    missing: Missing = "error",
    ignore: Sequence[str] = (),
) -> Table:
    """Read all columns but those to `ignore`; text becomes one 0/1 column per value.

    Raises
    ------
    CompareError
        With all that the user must put right.
    """
    source = read_source(path)
    findings = Findings(source, list(source.problems), list(source.notes))
    chosen, position = _chosen(target, ignore, findings)
    names = [source.names[index] for index in chosen]
    columns = recognised(names, source.cells[:, chosen], source.delimiter)
    _note_commas(columns, findings)
    goal = None if position is None else columns.pop(chosen.index(position))
    usable = [column for column in columns if _is_usable(column, findings)]
    answer = Target(_complete_rows(goal, usable, missing, findings), np.empty(0), ())
    if goal is not None:
        answer = target_of(goal, answer.rows, task, findings)
        _check_size(goal.name, answer.values, findings)
    _check_rows(len(answer.rows), missing, findings)
    features = _features(usable, answer.rows, findings)
    if not features and len(usable) == len(columns):
        findings.problems.append("no feature is left besides the target")
    if findings.problems:
        raise CompareError(*(f"{path}: {problem}" for problem in findings.problems))
    return Table(
        tuple(feature.name for feature in features),
        np.stack([feature.values for feature in features], axis=1),
        np.array([feature.indicator for feature in features]),
        answer.values,
        answer.classes,
        tuple(findings.notes),
    )


# Which columns


def _chosen(target: str, ignore: Sequence[str], findings: Findings) -> tuple[list[int], int | None]:
    """Return the positions of all columns that are not to be ignored, and that of the target."""
    names = findings.source.names
    position = _position(target, "--target", findings)
    ignored = {_position(name, "--ignore", findings) for name in dict.fromkeys(ignore)}
    if position is not None and position in ignored:
        findings.problems.append(f"column {quoted(target)} is the target and cannot be ignored")
    if position is not None and all(map(_is_number, names)):
        findings.notes.append(
            "All columns are named by numbers: if the file has no line of names, add one."
        )
    return [i for i in range(len(names)) if i == position or i not in ignored], position


def _position(name: str, option: str, findings: Findings) -> int | None:
    """Return where the column of this name is; if there is not one, that is a problem."""
    names, name = findings.source.names, " ".join(name.split())
    if name in findings.source.repeated:
        findings.problems.append(f"{option}: several columns are named {quoted(name)}")
        return None
    if name in names:
        return names.index(name)
    problem = f"{option}: no column is named {quoted(name)}; the columns are {named(names)}"
    if sum(map(_is_number, names)) * 2 >= len(names):
        problem += ": is the line that names them missing?"
    else:
        folded = {other.casefold(): other for other in names}
        if near := difflib.get_close_matches(name.casefold(), folded, 1):
            problem += f"; did you mean {quoted(folded[near[0]])}?"
    findings.problems.append(problem)
    return None


def _is_number(text: str) -> bool:
    return not np.isnan(PLAIN.value(text))


def _is_usable(column: Column, findings: Findings) -> bool:
    """Tell whether the column can be made features; if it cannot, that is a problem."""
    option = ignoring(column.name)
    if column.kind is Kind.DATE:
        example = quoted(column.categories[0])
        problem = f"holds dates or times such as {example}; {option} leaves it out"
    elif column.kind is Kind.MIXED:
        words = findings.texts(column, column.words)
        problem = f"holds numbers, but also {words}; put it right, leave it empty, or {option}"
    elif np.isinf(column.numbers).any():
        infinite = findings.texts(column, np.isinf(column.numbers))
        problem = f"holds what is not finite: {infinite}; put it right, leave it empty, or {option}"
    elif column.kind is Kind.TEXT and len(column.categories) > MAXIMUM_CATEGORIES:
        problem = (
            f"holds {len(column.categories):,} different texts such as "
            f"{quoted(column.categories[0])}, more than the {MAXIMUM_CATEGORIES} that can become "
            f"features; {option} leaves it out"
        )
    else:
        return True
    findings.problems.append(f"column {quoted(column.name)} {problem}")
    return False


def _note_commas(columns: list[Column], findings: Findings) -> None:
    for convention, meaning in (
        (DECIMAL_COMMA, "decimal commas (1.234,5)"),
        (THOUSANDS_COMMA, "commas between thousands (1,234.5)"),
    ):
        names = [
            column.name
            for column in columns
            if column.kind is Kind.NUMBER and column.convention is convention
        ]
        if names:
            findings.notes.append(f"Numbers with {meaning} were found in {named(names)}.")


# Which rows


def _complete_rows(
    goal: Column | None, columns: list[Column], missing: Missing, findings: Findings
) -> Array:
    """Return the rows that have a target and, with "drop", every feature that any row has."""
    rows = np.arange(len(findings.source.cells))
    if missing == "error":
        for column in columns:
            _refuse_missing(column, " and --missing mean fills in the mean", findings)
    if goal is not None and goal.kind is not Kind.EMPTY:
        rows = np.flatnonzero(~goal.missing)
        if missing == "error":
            _refuse_missing(goal, "", findings)
        else:
            _note_rows(goal.missing.sum(), f"without a value in {quoted(goal.name)}", findings)
    if missing == "drop":
        return _without_gaps(columns, rows, findings)
    if missing == "mean":
        gaps = _gaps(columns, rows)
        found = [f"{quoted(name)} ({gap.sum():,})" for name, gap in gaps.items()]
        if found:
            findings.notes.append(f"The mean stands for missing values in {shown(found)}.")
    return rows


def _gaps(columns: list[Column], rows: Array) -> dict[str, Array]:
    """Return the rows that lack a value, for each column that lacks some but not all."""
    gaps = {column.name: column.missing[rows] for column in columns}
    return {name: gap for name, gap in gaps.items() if gap.any() and not gap.all()}


def _refuse_missing(column: Column, alternative: str, findings: Findings) -> None:
    missing = column.missing
    if column.kind is Kind.EMPTY:
        advice = f"is empty; {ignoring(column.name)} leaves it out"
    elif missing.any():
        first = np.flatnonzero(missing)[:1]
        spelling = column.texts[column.codes[first[0]]]
        advice = (
            f"lacks {counted(missing.sum(), 'value')}, the first in {findings.source.lines(first)}"
            f"{f' ({spelling!r})' if spelling else ''}; "
            f"--missing drop leaves out such rows{alternative}"
        )
    else:
        return
    findings.problems.append(f"column {quoted(column.name)} {advice}")


def _without_gaps(columns: list[Column], rows: Array, findings: Findings) -> Array:
    """Return the rows in which no column lacks a value that it has in other rows."""
    gaps = _gaps(columns, rows)
    if not gaps:
        return rows
    complete = ~np.logical_or.reduce(list(gaps.values()))
    most = max(gaps, key=lambda name: gaps[name].sum())
    _note_rows(
        (~complete).sum(),
        f"with missing values, most of them in {quoted(most)} ({gaps[most].sum():,})",
        findings,
    )
    return np.asarray(rows[complete])


def _check_rows(left: int, missing: Missing, findings: Findings) -> None:
    if left >= MINIMUM_ROWS:
        return
    total = len(findings.source.cells)
    found = f"{left} of {total:,} rows are left, which" if left < total else counted(left, "row")
    advice = "; --missing mean keeps those with missing values" if missing == "drop" else ""
    findings.problems.append(f"{found} are too few: at least {MINIMUM_ROWS} are needed{advice}")


def _note_rows(count: int, which: str, findings: Findings) -> None:
    if count:
        total = len(findings.source.cells)
        findings.notes.append(f"Left out {count:,} of {counted(total, 'row')} {which}.")


# What becomes of the columns


def _features(columns: list[Column], rows: Array, findings: Findings) -> list[_Feature]:
    """Make columns of numbers, and leave out those that tell nothing in the given rows."""
    features, one_hot = list[_Feature](), list[str]()
    empty, constant, numbering = list[str](), list[str](), list[str]()
    for column in columns:
        counts = np.bincount(column.codes[rows], minlength=len(column.texts))
        present = np.flatnonzero((counts > 0) & ~column.absent)
        if not len(present):
            empty.append(quoted(column.name))
            continue
        made = _made(column, present, rows)
        if not made:
            constant.append(quoted(column.name))
        features += made
        if column.kind is Kind.TEXT and made:
            one_hot.append(f"{quoted(column.name)} ({len(present)} values)")
        if _counts_rows(column):
            numbering.append(quoted(column.name))
    features = _different(features, findings)
    for feature in features:
        if not feature.indicator:
            _check_size(feature.name, feature.values, findings)
    for names, note in (
        (empty, "Left out columns without any value: {}."),
        (constant, "Left out columns with the same value in every row: {}."),
        (one_hot, "Texts became columns of 0 and 1: {}."),
        (
            numbering,
            "Columns that only number the rows predict nothing; --ignore leaves them out: {}.",
        ),
    ):
        if names:
            findings.notes.append(note.format(shown(names)))
    return features


def _made(column: Column, present: Array, rows: Array) -> list[_Feature]:
    """Return the features of a column that has the texts `present` in the rows, if it varies."""
    codes = column.codes[rows]
    if column.kind is not Kind.TEXT:
        numbers = column.numbers[present]
        if numbers.min() == numbers.max():
            return []
        is_indicator = bool(np.isin(numbers, (0, 1)).all())
        return [_Feature(column.name, column.numbers[codes], is_indicator)]
    values = sorted((column.texts[index], index) for index in present)
    if len(values) <= 2:
        del values[0]
    features = []
    for text, index in values:
        is_value = np.where(column.absent, np.nan, 0.0)
        is_value[index] = 1.0
        features.append(_Feature(f"{column.name}={text}", is_value[codes], True))
    return features


def _counts_rows(column: Column) -> bool:
    if column.kind is not Kind.NUMBER or len(column.texts) < len(column.codes):
        return False
    return bool((np.diff(column.values) == 1).all())


def _different(features: list[_Feature], findings: Findings) -> list[_Feature]:
    """Return the features without those that repeat the values of an earlier one."""
    first: dict[bytes, _Feature] = {}
    repeated = []
    for feature in features:
        # Zero is added, for -0.0 and 0.0 are equal and differ in their bytes.
        digest = blake2b((feature.values + 0.0).tobytes()).digest()
        if first.setdefault(digest, feature) is not feature:
            repeated.append(feature.name)
    if repeated:
        findings.notes.append(f"Left out columns equal to an earlier one: {named(repeated)}.")
    return list(first.values())


def _check_size(name: str, values: Array, findings: Findings) -> None:
    """Find values that overflow when they are standardized by a part of the rows.

    That part may lack the extreme values, so the rest of them must do as a measure.
    """
    values = values[~np.isnan(values)].astype(np.float64)
    if not len(values):
        return
    with np.errstate(all="ignore"):
        spread = values.std()
        low, high = np.percentile(values, (20, 80), method="nearest")
        middle = values[(values >= low) & (values <= high)].std()
        largest = np.abs(values - values.mean()).max() / min(spread, middle or 1.0)
    if not largest < LARGEST_STANDARDIZED:
        findings.problems.append(
            f"column {quoted(name)} holds values too large or too small to standardize"
        )
