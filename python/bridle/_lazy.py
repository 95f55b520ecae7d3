"""Arrays whose elements are yet to be computed: Dask's are taken over, all others are refused.

A shared function that meets a Dask array hands its checked arguments to the rule of its kind, in
`bridle.dask`; whatever would need elements at once refuses. Nothing of Dask is imported before
such an array arrives.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import Any

import numpy as np

INSTEAD = {
    "accumulate": "total + scale * gradient",
    "average_update": "average + (1 - decay) * (w - average)",
    "cast": "x.astype(dtype)",
    "clip_by_global_norm": "global_norm(arrays).clip_scale(max_norm), the grad_scale of an update",
}
"""What gives new arrays in place of functions that write to those they get."""


def is_dask(value: object) -> bool:
    """Whether a value is an array of Dask."""
    if type(value) is np.ndarray:
        return False
    module = sys.modules.get("dask.array")  # without it there are none
    return module is not None and isinstance(value, getattr(module, "Array", ()))


def any_dask(*values: object) -> bool:
    """Whether one of the values is an array of Dask, also in a tuple, list or mapping."""
    if "dask.array" not in sys.modules:
        return False
    return any(
        is_dask(value)
        or (isinstance(value, tuple | list) and any(map(is_dask, value)))
        or (isinstance(value, Mapping) and any(map(is_dask, value.values())))
        for value in values
    )


def rule(kind: str) -> Callable[..., Any]:
    """Return what is done with Dask arrays by a kind of functions.

    Adapters lie above what they adapt, so this one is looked up when it is needed.
    """
    found: Callable[..., Any] = getattr(import_module("bridle.dask._rules"), kind)
    return found


def is_collection(value: object) -> bool:
    """Whether NumPy would compute a value to convert it: Dask's collections, and what holds one."""
    if isinstance(value, list | tuple):
        return any(map(is_collection, value))
    graph = getattr(value, "__dask_graph__", None)
    return graph is not None and not isinstance(value, type) and graph() is not None


def refuse(name: str, parameter: str, value: object) -> None:
    """Raise TypeError for what would have to be computed."""
    if "dask" in sys.modules and is_collection(value):
        raise TypeError(
            f"{name}: {parameter} must be computed first, as by compute(), got {shown(value)}"
        )


def refuse_out(name: str, out: object) -> None:
    """Raise TypeError for a place to write to: results that are yet to be computed have none."""
    if out is not None:
        raise TypeError(
            f"{name}: out must be left alone for Dask arrays, take the result, got {shown(out)}"
        )


def refuse_in_place(name: str, parameters: Sequence[str], values: Sequence[object]) -> None:
    """Raise TypeError for Dask arrays of a function that writes, and say what does not.

    Several are in a tuple: looking at those of a list may let others change it.
    """
    if not any_dask(*values):
        return
    parameter, value = next(
        pair for pair in zip(parameters, values, strict=True) if any_dask(pair[1])
    )
    own = f"bridle.dask.{name}" if name.endswith(("_update", "_step")) else "compute()"
    raise TypeError(
        f"{name}: {parameter} must be in memory, where it can be written; for Dask arrays take "
        f"{INSTEAD.get(name, own)}, got {shown(value)}"
    )


def shown(value: object) -> str:
    """Return a value on one line of an error message."""
    text = " ".join(repr(value).split())
    return text if len(text) <= 100 else f"{text[:97]}..."
