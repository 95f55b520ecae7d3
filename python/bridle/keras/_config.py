"""Objects, functions and their parameters as JSON.

What belongs to bridle is looked up among its public names, and nowhere else, so that a file cannot
call anything it likes. What belongs to the user is Keras' to save, and to find again.
"""

from __future__ import annotations

import inspect
from typing import Any

import keras
import numpy as np

import bridle

KIND = "bridle"


def encoded(value: Any) -> Any:
    """Return a parameter, an object or a function as what JSON has."""
    if value is None or isinstance(value, str | bool | int | float):
        return value
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray):
        return {KIND: "array", "of": value.tolist(), "dtype": value.dtype.name}
    if isinstance(value, slice):
        return {KIND: "slice", "of": [value.start, value.stop, value.step]}
    if isinstance(value, tuple | list):
        return {KIND: type(value).__name__, "of": [encoded(each) for each in value]}
    if public(getattr(value, "__name__", "")) is value:
        return {KIND: "name", "of": value.__name__}
    name = type(value).__name__
    if public(name) is type(value):
        parameters = {
            n: encoded(getattr(value, n)) for n in inspect.signature(type(value)).parameters
        }
        return {KIND: "object", "of": name, "parameters": parameters}
    return keras.saving.serialize_keras_object(value)


def decoded(config: Any) -> Any:
    """Return what `encoded` was given."""
    if not isinstance(config, dict):
        return config
    if KIND not in config:
        return keras.saving.deserialize_keras_object(config)
    kind, content = config[KIND], config["of"]
    if kind == "array":
        return np.array(content, np.dtype(config["dtype"]))
    if kind in ("tuple", "list", "slice"):
        items = [decoded(each) for each in content]
        return slice(*items) if kind == "slice" else tuple(items) if kind == "tuple" else items
    found = public(content)
    if found is None:
        raise ValueError(f"bridle.keras: a file must name what bridle has, got {content!r}")
    if kind == "name":
        return found
    return found(**{name: decoded(each) for name, each in config["parameters"].items()})


def public(name: str) -> Any:
    """Return the regularizer's class, or the function of an array, of this name; else None."""
    found = getattr(bridle, name) if name in bridle.__all__ else None
    if isinstance(found, type):
        return found if hasattr(found, "prox") and hasattr(found, "value") else None
    takes_array = inspect.isfunction(found) and next(iter(inspect.signature(found).parameters))
    return found if takes_array in ("x", "w") else None
