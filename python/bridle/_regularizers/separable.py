"""Different regularizers of different parts of the weights."""

from __future__ import annotations

import operator
from collections.abc import Iterator, Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bridle import _slices
from bridle._call import as_array, non_negative, real_array, refuse_masked, shown
from bridle._regularizers.base import BaseRegularizer, base_of, checked, is_smooth, scaled
from bridle._regularizers.derivatives import Numbers, ratio
from bridle._regularizers.parameters import of_owner, read_only
from bridle._regularizers.protocol import Regularizer
from bridle._sums import sum_in_order

__all__ = ["SeparableSum"]

Index: TypeAlias = slice | NDArray[np.intp]


class SeparableSum(BaseRegularizer):
    r"""Sum of regularizers of different parts of the weights; what is in no part costs nothing.

    .. math:: R(w) = \sum_k Q_k(w_{I_k}), \quad I_k \cap I_l = \emptyset

    Parameters
    ----------
    parts : list of (index, Regularizer)
        :math:`I_k` and :math:`Q_k`: slices or arrays of integers along the first axis. They must
        not overlap, and not reach beyond the weights, which is checked when these are given. In
        `get_params` the regularizers are named by their places, ``0__strength``.

    See Also
    --------
    Sum : Regularizers of the same weights.

    References
    ----------
    .. [1] N. Parikh and S. Boyd, "Proximal algorithms", Found. Trends Optim. 1 (2014).

    Examples
    --------
    >>> import bridle as br
    >>> parts = br.SeparableSum([(slice(2), br.L1(1.0)), ([3, 4], br.NonNegative())])
    >>> parts.value([3.0, -1.0, 9.0, 2.0, 0.0])
    4.0
    >>> parts.prox([3.0, -0.5, 9.0, -2.0, 1.0])
    array([2., 0., 9., 0., 1.])
    """

    __match_args__ = ("parts",)
    __slots__ = __match_args__
    parts: tuple[tuple[Index, Regularizer], ...]

    def __init__(self, parts: Sequence[tuple[slice | ArrayLike, Regularizer]]) -> None:
        self._set(parts)

    def _set(self, *given: Any) -> None:
        owner, (parts,) = type(self).__name__, given
        if not isinstance(parts, list | tuple):
            raise TypeError(f"{owner}: parts must be a list of pairs, got {shown(parts)}")
        kept = []
        for place, part in enumerate(parts):
            if not isinstance(part, list | tuple) or len(part) != 2:
                name = f"parts[{place}]"
                raise TypeError(f"{owner}: {name} must be (index, regularizer), got {shown(part)}")
            index = _index(owner, f"parts[{place}][0]", part[0])
            kept.append((index, checked(owner, f"parts[{place}][1]", part[1])))
        self._keep(parts=tuple(kept))

    def _components(self) -> dict[str, Any]:
        own = {str(place): regularizer for place, (_, regularizer) in enumerate(self.parts)}
        return {"parts": self.parts} | own

    def _composed(self, components: dict[str, Any]) -> tuple[Any, ...]:
        parts = list(components["parts"])
        for place, (_, regularizer) in enumerate(self.parts):
            if components[str(place)] is not regularizer:
                parts[place] = (parts[place][0], components[str(place)])
        return (parts,)

    @property
    def is_convex(self) -> bool:
        return all(regularizer.is_convex for _, regularizer in self.parts)

    @property
    def _is_smooth(self) -> bool:  # type: ignore[override]
        return all(is_smooth(regularizer) for _, regularizer in self.parts)

    @property
    def _is_set(self) -> bool:  # type: ignore[override]
        own = (r for _, r in self.parts)
        return all(isinstance(r, BaseRegularizer) and r._is_set for r in own)

    def value(self, w: ArrayLike) -> float:
        array = real_array(type(self).__name__, w)
        return sum_in_order(r.value(array[index]) for index, r in self._fitting(array))

    def prox(self, w: Any, step: Any = 1.0, out: Any = None) -> Any:
        owner = type(self).__name__
        array, number = real_array(owner, w), non_negative(owner, "step", step)
        found = [(index, r.prox(array[index], number)) for index, r in self._fitting(array)]
        try:
            result = _slices.result_of("", array, out)
        except (TypeError, ValueError) as error:
            raise of_owner(error, "", owner) from None
        if result is not w:
            np.copyto(result, array, casting="same_kind")
        for index, part in found:
            result[index] = part
        return result

    def _residual(self, w: NDArray[Any], target: Numbers) -> Numbers:
        result = target.copy()
        for index, regularizer in self._fitting(w):
            part = base_of(self, regularizer)
            result[index] = part._residual(w[index], target[index])
        return result

    def _least_factor(self, gradient: Numbers) -> float:
        is_free = np.ones(gradient.shape, np.bool)
        factors = [0.0]
        for index, regularizer in self._fitting(gradient):
            is_free[index] = False
            factors.append(base_of(self, regularizer)._least_factor(gradient[index]))
        return max(*factors, float(ratio(np.abs(gradient[is_free]), 0.0).max(initial=0)))

    def _scaled(self, factor: float) -> BaseRegularizer:
        return type(self)([(index, scaled(r, factor)) for index, r in self.parts])

    def _fitting(self, w: NDArray[Any]) -> Iterator[tuple[Index, Regularizer]]:
        """Return the parts, checked against the length of the weights."""
        owner = type(self).__name__
        if w.ndim == 0:
            raise ValueError(f"{owner}: w must have an axis, got {shown(w)}")
        places, count = np.arange(len(w)), np.zeros(len(w), np.intp)
        for place, (index, _) in enumerate(self.parts):
            _check_range(owner, f"parts[{place}][0]", index, len(w))
            count += np.bincount(places[index], minlength=len(w))
            if (twice := np.flatnonzero(count > 1)).size > 0:
                raise ValueError(
                    f"{owner}: parts must not overlap, got {twice[0]} again in parts[{place}]"
                )
        return iter(self.parts)


def _index(owner: str, name: str, index: Any) -> Index:
    """Check an index as far as that does not depend on the weights."""
    if isinstance(index, slice):
        ends = (index.start, index.stop, index.step)
        try:
            return slice(*(None if end is None else operator.index(end) for end in ends))
        except TypeError:
            raise TypeError(f"{owner}: {name} must be of integers, got {index}") from None
    refuse_masked(owner, name, index)
    array = as_array(index)
    if array.size == 0 and array.dtype == np.float64:
        array = array.astype(np.intp)  # of an empty list
    if array.dtype.kind not in "iu" or array.ndim != 1:
        raise ValueError(
            f"{owner}: {name} must be a slice or an array of integers of one axis, "
            f"got {shown(index)}"
        )
    return read_only(array, np.intp)


def _check_range(owner: str, name: str, index: Index, length: int) -> None:
    ends = (index.start, index.stop) if isinstance(index, slice) else (index,)
    for end in ends:
        given = np.asarray(0 if end is None else end)
        most = length if isinstance(index, slice) else length - 1
        if ((given < -length) | (given > most)).any() and given.size > 0:
            beyond = given[(given < -length) | (given > most)].flat[0]
            raise ValueError(f"{owner}: {name} must lie within {length} weights, got {beyond}")
