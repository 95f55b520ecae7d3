from __future__ import annotations

from dataclasses import dataclass

from bridle._compare import Array


@dataclass(frozen=True)
class Table:
    names: tuple[str, ...]
    features: Array
    indicator: Array
    target: Array
    classes: tuple[str, ...]
    notes: tuple[str, ...]


def read_table(path, target, *, task="auto", missing="error", ignore=()):
    raise NotImplementedError
