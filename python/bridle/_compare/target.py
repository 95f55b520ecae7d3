"""The column to predict: quantities or classes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from bridle._compare import Array
from bridle._compare.findings import Findings, shown
from bridle._compare.kinds import Column, Kind
from bridle._compare.words import quoted

Task = Literal["auto", "classification", "regression"]

MINIMUM_SAMPLES = 5
"""Of a class; rarer ones cannot be in all parts of the data."""
MAXIMUM_WHOLE_CLASSES = 20
"""With more different whole numbers than these a target is a quantity, not classes."""


@dataclass(frozen=True)
class Target:
    """The rows that have a target, and for each a value or the index of one of the classes."""

    rows: Array
    values: Array
    classes: tuple[str, ...]


def target_of(column: Column, rows: Array, task: Task, findings: Findings) -> Target:
    """Read the target in the given rows; what is wrong with it becomes a problem."""
    groups = _groups(column, rows)
    if task == "auto":
        task = _guessed_task(column, len(rows), groups, findings)
    problem = _problem(column, len(rows), len(groups), task, findings)
    if problem:
        findings.problems.append(f"column {quoted(column.name)} {problem}")
        return Target(rows, np.empty(0), ())
    if task == "regression":
        return Target(rows, column.values[rows], ())
    return _classified(column, rows, groups, findings)


def _groups(column: Column, rows: Array) -> dict[float | str, list[int]]:
    """Return which of the column's texts mean the same, in the order of the meanings."""
    groups: dict[float | str, list[int]] = {}
    for index in np.unique(column.codes[rows]):
        text = column.texts[index]
        key: float | str = text
        if column.kind is Kind.NUMBER:
            key = float(column.numbers[index])
        elif column.kind is Kind.BOOLEAN:
            key = text.casefold()
        groups.setdefault(key, []).append(int(index))
    return dict(sorted(groups.items()))


def _guessed_task(
    column: Column, rows: int, groups: dict[float | str, list[int]], findings: Findings
) -> Task:
    name = quoted(column.name)
    if column.kind in (Kind.TEXT, Kind.BOOLEAN):
        findings.notes.append(f"Column {name} holds texts, which are taken for classes.")
        return "classification"
    whole = column.kind is Kind.NUMBER and all(float(key).is_integer() for key in groups)
    if whole and len(groups) <= min(MAXIMUM_WHOLE_CLASSES, rows / 3):
        findings.notes.append(
            f"Column {name} holds {len(groups)} different whole numbers, which are taken for "
            "classes; --task regression takes them for quantities."
        )
        return "classification"
    findings.notes.append(
        f"Column {name} holds numbers, which are taken for quantities (regression); "
        "--task classification takes them for classes."
    )
    return "regression"


def _problem(column: Column, rows: int, groups: int, task: Task, findings: Findings) -> str:
    """Say what is wrong with the column as a target, if anything is."""
    if column.kind is Kind.EMPTY:
        return "is empty"
    if column.kind is Kind.DATE:
        return (
            f"holds dates or times such as {quoted(column.categories[0])}, which cannot be "
            "predicted"
        )
    if np.isinf(column.numbers).any():
        infinite = findings.texts(column, np.isinf(column.numbers))
        return f"holds what is not finite: {infinite}"
    if task == "regression" and column.kind is Kind.MIXED:
        words = findings.texts(column, column.words)
        return f"holds numbers, but also {words}; put it right, or leave it empty"
    if task == "regression" and column.kind is not Kind.NUMBER:
        return f"holds texts such as {quoted(column.categories[0])}; regression needs numbers"
    if groups == 1 and rows > 1:
        return "holds the same value in every row; there is nothing to predict"
    if task == "classification" and groups > rows / 3:
        advice = "--task regression" if column.kind is Kind.NUMBER else "a target must name classes"
        return f"holds {groups:,} different values in {rows:,} rows, too many for classes; {advice}"
    return ""


def _classified(
    column: Column, rows: Array, groups: dict[float | str, list[int]], findings: Findings
) -> Target:
    """Number the classes, leaving out those that are too rare."""
    numbers = np.full(len(column.texts), -1)
    for number, texts in enumerate(groups.values()):
        numbers[texts] = number
    names = [column.texts[texts[0]] for texts in groups.values()]
    labels = numbers[column.codes[rows]]
    counts = np.bincount(labels, minlength=len(names))
    frequent = counts >= MINIMUM_SAMPLES
    name = quoted(column.name)
    if frequent.sum() < 2:
        findings.problems.append(
            f"column {name} names {frequent.sum()} classes with at least {MINIMUM_SAMPLES} rows; "
            "two are needed"
        )
        return Target(rows, np.empty(0), ())
    if not frequent.all():
        rare = [f"{quoted(names[i])} ({counts[i]})" for i in np.flatnonzero(~frequent)]
        findings.notes.append(
            f"Left out {counts[~frequent].sum():,} rows whose class in column {name} has fewer "
            f"than {MINIMUM_SAMPLES}: {shown(rare)}."
        )
    kept = frequent[labels]
    places = np.cumsum(frequent) - 1
    classes = tuple(np.array(names, object)[frequent])
    return Target(rows[kept], places[labels[kept]].astype(np.int64), classes)
