"""Calls of updates with arrays by the names of their parameters, and calls that must fail."""

import re

import numpy as np
import pytest

import bridle as br

from .oracle import UPDATES

REGULARIZED = {name: row for name, row in UPDATES.items() if row.regularized}


def public_updates():
    """Return the names of the updates: not all functions that are called so are one."""
    every = {name: getattr(br, name) for name in br.__all__}
    return {n for n, f in every.items() if f.__module__ == "bridle._updates.functions"}


def parts(row, given):
    """Return the arrays by the names of their parameters."""
    named = {
        "w": given.w,
        "gradient": given.gradient,
        **dict(zip(row.states, given.state, strict=True)),
    }
    if row.function != "ftrl_update":
        named["toward"] = given.toward
    return {name: array for name, array in named.items() if array is not None}


def call(row, arrays, **keywords):
    arrays = dict(arrays)
    options = row.options | {"step" if row.function == "proximal_step" else "lr": row.lr}
    if row.counts:
        options["iteration"] = 1
    return getattr(br, row.function)(arrays.pop("w"), **options | arrays | keywords)


def refused(row, arrays, error, message, **keywords):
    """Check that a call fails with just this message and writes nothing."""
    every = [a for v in arrays.values() for a in (v if isinstance(v, (list, tuple)) else [v])]
    every = [array for array in every if isinstance(array, np.ndarray)]
    before = [array.tobytes() for array in every]
    with pytest.raises(error, match=f"^{re.escape(f'{row.function}: {message}')}$"):
        call(row, arrays, **keywords)
    assert [array.tobytes() for array in every] == before


def as_lists(arrays, count=4):
    return {name: [array.copy() for _ in range(count)] for name, array in arrays.items()}
