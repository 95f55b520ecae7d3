"""What regularizers of slices share: of groups, of vectors along axes."""

from __future__ import annotations

import operator
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bridle import _slices
from bridle._call import non_negative, shown
from bridle._lazy import refuse as refuse_lazy
from bridle._regularizers.base import BaseRegularizer
from bridle._regularizers.derivatives import Numbers
from bridle._regularizers.parameters import of_owner, read_only


class SliceRegularizer(BaseRegularizer):
    """Base of the regularizers of vectors or groups.

    A class names the operator of its ``prox`` and that of its penalty, of which its positional
    parameters are the numbers. A set has no penalty: its parameters are those of the projection.
    """

    __slots__ = ("_keywords",)
    _operator: ClassVar[str]
    _penalty: ClassVar[str | None] = None
    _factors: ClassVar[tuple[str, ...]] = ("strength",)
    is_convex: ClassVar[bool] = True
    _keywords: dict[str, Any]
    """What the functions take beside numbers: how the array is seen as slices."""

    def _set(self, *given: Any) -> None:
        owner, count = type(self).__name__, len(self.__match_args__)
        kept = dict(zip(self.__match_args__, self._numbers(given[:count]), strict=True))
        try:
            options = _checked(dict(zip(self._options, given[count:], strict=True)))
        except (TypeError, ValueError) as error:
            raise of_owner(error, "", owner) from None
        self._keep(**kept, **options, _keywords=options)

    def _numbers(self, given: tuple[Any, ...]) -> tuple[Any, ...]:
        """Check the positional parameters."""
        name = self._penalty or self._operator
        try:
            return tuple(_slices.checked_numbers(name, given))
        except (TypeError, ValueError) as error:
            raise of_owner(error, name, type(self).__name__) from None

    def _penalty_numbers(self) -> tuple[Any, ...]:
        """Return the numbers that the penalty takes."""
        return tuple(getattr(self, name) for name in self.__match_args__)

    def _prox_numbers(self, step: float) -> tuple[Any, ...]:
        """Return the numbers that the proximal operator takes."""
        return (*self._penalty_numbers(), step)

    def value(self, w: ArrayLike) -> float:
        name = self._penalty
        if name is None:
            return self._indicator(w)
        try:
            refuse_lazy(name, "w", w)
            return float(_slices.measure(name, w, self._penalty_numbers(), **self._keywords))
        except (TypeError, ValueError) as error:
            raise of_owner(error, name, type(self).__name__) from None

    def prox(self, w: Any, step: Any = 1.0, out: Any = None) -> Any:
        owner, name = type(self).__name__, self._operator
        if not isinstance(step, float) or not step >= 0:
            step = non_negative(owner, "step", step)
        numbers = self._prox_numbers(step)
        try:
            return _slices.apply(name, w, numbers, out, **self._keywords)
        except (TypeError, ValueError) as error:
            raise of_owner(error, name, owner) from None

    def _scaled(self, factor: float) -> BaseRegularizer:
        if self._is_set:
            return self
        return self._with(**{name: getattr(self, name) * factor for name in self._factors})


def _checked(given: dict[str, Any]) -> dict[str, Any]:
    """Check what says which elements are a slice, as far as it does not depend on the weights."""
    found = given | {"axis": _axis(given["axis"])}
    for name in ("offsets", "labels"):
        if given.get(name) is not None:
            found[name] = read_only(_slices.integers("", name, given[name]), np.int64)
    if given.get("weights") is not None:
        found["weights"] = read_only(_slices.checked_weights("", given["weights"]), np.float64)
    offsets, labels = found.get("offsets"), found.get("labels")
    if offsets is not None or labels is not None:
        shape = (max(0, *offsets.flat),) if offsets is not None else np.asarray(labels).shape
        like = np.broadcast_to(0.0, shape)
        _slices.Slices("", like, given["axis"], offsets, labels).weights("", given["weights"])
    return found


def _axis(axis: Any) -> Any:
    try:
        return tuple(map(operator.index, axis)) if isinstance(axis, tuple) else operator.index(axis)
    except TypeError:
        raise TypeError(
            f": axis must be an integer or a tuple of them, got {shown(axis)}"
        ) from None


class Seen:
    """An array seen as slices: what they measure, and numbers of slices spread over elements."""

    def __init__(self, owner: BaseRegularizer, w: NDArray[Any], keywords: dict[str, Any]) -> None:
        given = {"axis": -1, "offsets": None, "labels": None, "weights": None} | keywords
        name = type(owner).__name__
        weights = given.pop("weights")
        self._keywords = given
        self._shape = w.shape
        self._slices = _slices.Slices(name, w, **given)
        own = self._slices.weights(name, weights)
        self.count = self._slices.count
        self.weights = np.ones(self.count) if own is None else own

    def measured(self, penalty: str, array: Numbers, *numbers: float) -> Numbers:
        """Return a penalty of each slice, without the weights."""
        found = _slices.measured(penalty, array, numbers, **self._keywords)
        return np.concatenate([found, np.zeros(self.count - found.size)])

    def applied(self, name: str, array: Numbers, *numbers: float, weights: Numbers) -> Numbers:
        """Apply an operator of groups with a weight for each slice."""
        own = weights.reshape(self._slices.shape)
        return np.asarray(_slices.apply(name, array, numbers, weights=own, **self._keywords))

    def spread(self, values: NDArray[Any], outside: float = 0.0) -> NDArray[Any]:
        """Return for each element the number of its slice."""
        if self._slices.labels is not None:
            labels = self._slices.labels
            padded = np.concatenate([values, [outside]])
            return padded[np.where(labels < 0, self.count, labels)]
        if self._slices.offsets is not None:
            return np.repeat(values, np.diff(self._slices.offsets))
        kept = [1 if a in self._slices.axes else n for a, n in enumerate(self._shape)]
        return np.broadcast_to(values.reshape(kept), self._shape)

    def sums(self, values: NDArray[Any]) -> Numbers:
        """Return the sum over each slice."""
        places = self.spread(np.arange(self.count), self.count).astype(np.intp).ravel()
        counted = np.bincount(places, weights=values.ravel(), minlength=self.count + 1)
        return counted[: self.count].astype(np.float64)


def rows_of(owner: BaseRegularizer, array: NDArray[Any], axis: Any) -> NDArray[Any]:
    """Return the slices along an axis, or several, as the rows of a matrix."""
    axes = _slices.Slices(type(owner).__name__, array, axis, None, None).axes
    moved = np.moveaxis(array, axes, range(-len(axes), 0)) if axes else array.reshape(1)
    length = int(np.prod([array.shape[a] for a in axes], dtype=np.intp))
    return moved.reshape(-1 if length else 0, length)


def as_before(rows: NDArray[Any], like: NDArray[Any], axis: Any) -> NDArray[Any]:
    """Return the rows of a matrix as the slices along an axis that they were."""
    if like.ndim == 0:
        return rows.reshape(())
    axes = np.lib.array_utils.normalize_axis_tuple(axis, like.ndim)
    kept = [n for a, n in enumerate(like.shape) if a not in axes]
    shape = (*kept, *(like.shape[a] for a in axes))
    return np.moveaxis(rows.reshape(shape), range(-len(axes), 0), axes)
