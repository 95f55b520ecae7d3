"""Checks of arguments, with messages of one line, and floats as strict JSON."""

from __future__ import annotations

import difflib
import math
import numbers
import operator
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from bridle._lazy import refuse as refuse_lazy

# What float() takes although it is no real number, or one that is missing.
_NO_NUMBERS = (
    *(bool, np.bool_, str, bytes, bytearray, np.complexfloating),
    *(np.ma.MaskedArray, np.datetime64, np.timedelta64),
)
_NOT_FINITE = {"inf": math.inf, "-inf": -math.inf, "nan": math.nan}


def count(owner: str, name: str, value: Any, least: int = 0) -> int:
    """Return an integer that is at least `least`."""
    try:
        if isinstance(value, _NO_NUMBERS):
            raise TypeError
        number = operator.index(value)
    except TypeError:
        fraction = isinstance(value, numbers.Real) and not isinstance(value, _NO_NUMBERS)
        error = ValueError if fraction else TypeError
        raise error(f"{owner}: {name} must be an integer, got {shown(value)}") from None
    if number < least:
        raise ValueError(f"{owner}: {name} must be >= {least}, got {number}")
    return number


def real(owner: str, name: str, value: Any) -> float:
    """Return as a float anything that ``float`` converts, if it is a real number."""
    one = isinstance(value, np.ndarray) and value.size == 1 and not is_masked(value)
    scalar = value.reshape(())[()] if one else value
    refuse_lazy(owner, name, value)
    try:
        if isinstance(scalar, _NO_NUMBERS):
            raise TypeError
        return float(scalar)
    except (TypeError, ValueError, RuntimeError) as error:
        raise TypeError(f"{owner}: {name} must be one number, got {shown(value)}") from error
    except OverflowError:
        return math.inf if scalar > 0 else -math.inf


def not_nan(owner: str, name: str, value: Any) -> float:
    """Return a number that is not NaN."""
    number = real(owner, name, value)
    if math.isnan(number):
        raise ValueError(f"{owner}: {name} must not be NaN, got {value}")
    return number


def non_negative(owner: str, name: str, value: Any) -> float:
    """Return a number that is zero or positive."""
    number = real(owner, name, value)
    if not number >= 0:
        raise ValueError(f"{owner}: {name} must be >= 0, got {value}")
    return number


def one_of(owner: str, name: str, value: Any, choices: tuple[str, ...]) -> Any:
    """Return one of the strings."""
    if not isinstance(value, str) or value not in choices:
        rule = " or ".join([", ".join(map(repr, choices[:-1])), repr(choices[-1])])
        raise ValueError(f"{owner}: {name} must be {rule}, got {value!r}")
    return value


def truth(owner: str, name: str, value: Any) -> bool:
    """Return a decision that a function of the user gave; a forgotten ``return`` is an error."""
    if value is None or isinstance(value, (str, bytes, list, tuple, Mapping)):
        raise TypeError(f"{owner}: {name} must return a bool, got {shown(value)}")
    return flag(owner, f"{name} must return", value)


def flag(owner: str, rule: str, value: Any) -> bool:
    """Return whether a value is true; one that is masked is neither true nor false."""
    if is_masked(value):
        raise TypeError(f"{owner}: {rule} a bool, got {shown(value)}")
    return bool(value)


def is_masked(value: object) -> bool:
    """Whether a value is a masked array, whose numbers may be missing."""
    return isinstance(value, np.ma.MaskedArray)


def names(found: Iterable[Any], wanted: str | None = None) -> str:
    """Return a list of names for a message, with the one that was meant, if it is clear."""
    given = [name for name in found if isinstance(name, str)]
    close = difflib.get_close_matches(wanted, given, n=1) if wanted is not None else []
    meant = f"; did you mean {close[0]!r}?" if close else ""
    return (", ".join(map(repr, given)) or "none") + meant


def shown(value: object) -> str:
    """Return how a message of one line shows a value."""
    if isinstance(value, np.ndarray):
        return f"{'a masked' if is_masked(value) else 'an'} array of shape {value.shape}"
    text = repr(value)
    short = len(text) <= 200 and "\n" not in text
    return text if short else f"an object of type {type(value).__name__}"


def as_json(owner: str, value: Any) -> Any:
    """Return a copy in which numbers that JSON lacks are the strings "inf", "-inf", "nan"."""
    if isinstance(value, Mapping) and all(isinstance(key, str) for key in value):
        return {key: as_json(owner, item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [as_json(owner, item) for item in value]
    if value is None or type(value) in (bool, int, str):
        return value
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else str(float(value))
    raise TypeError(f"{owner} must be made of what JSON has, got {shown(value)}")


def from_json(value: Any) -> Any:
    """Undo `as_json`, where no other string is one of its three."""
    if isinstance(value, Mapping):
        return {key: from_json(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [from_json(item) for item in value]
    return _NOT_FINITE.get(value, value) if isinstance(value, str) else value
