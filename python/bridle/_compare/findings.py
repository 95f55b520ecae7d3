"""What there is to say of a file, and how it is put."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from bridle._compare import Array
from bridle._compare.kinds import Column
from bridle._compare.reading import Source
from bridle._compare.words import listed, quoted

ITEMS_SHOWN, TEXTS_SHOWN = 8, 3


@dataclass(frozen=True)
class Findings:
    """What the user must put right, a line each, and what was guessed, a sentence each."""

    source: Source
    problems: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def lines(self, rows: Array) -> str:
        """Say on which lines the chosen rows stand."""
        return self.source.lines(np.flatnonzero(rows))

    def texts(self, column: Column, chosen: Array) -> str:
        """Say which of the column's texts were chosen, and on which lines they stand."""
        found = np.flatnonzero(chosen)
        return listed(
            [
                f"{quoted(column.texts[index])} in {self.lines(column.codes == index)}"
                for index in found[:TEXTS_SHOWN]
            ],
            len(found),
        )


def shown(items: Sequence[str]) -> str:
    """Return the first items of a list, and how many more there are."""
    return listed(items[:ITEMS_SHOWN], len(items))


def named(names: Sequence[str]) -> str:
    """Return the first names of a list as they stand in messages."""
    return shown([quoted(name) for name in names])


def ignoring(name: str) -> str:
    """Return the option that leaves a column out."""
    return f"--ignore {shlex.quote(name)}"


def counted(count: int, thing: str) -> str:
    """Return a number and what it counts, in the plural where there is not one."""
    return f"{count:,} {thing}{'' if count == 1 else 's'}"
