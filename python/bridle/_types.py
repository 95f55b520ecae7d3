"""Types that the signatures of the documented functions share."""

from __future__ import annotations

from typing import Any, Literal, SupportsIndex, TypeAlias, TypedDict, TypeVar

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

Number: TypeAlias = "float | np.floating[Any] | np.integer[Any] | np.bool"
"""One number as a parameter, which never changes the type of a result."""

Axis: TypeAlias = SupportsIndex | tuple[SupportsIndex, ...]
Casting: TypeAlias = Literal["no", "equiv", "safe", "same_kind", "unsafe"]
Order: TypeAlias = Literal["K", "A", "C", "F"]

Floats = TypeVar("Floats", bound="NDArray[np.floating[Any]] | np.floating[Any]")
Inexact = TypeVar("Inexact", bound="NDArray[np.inexact[Any]] | np.inexact[Any]")
Float = TypeVar("Float", bound=np.floating[Any])
FloatArray = TypeVar("FloatArray", bound=NDArray[np.floating[Any]])
Out = TypeVar("Out", bound=NDArray[Any])


class LoopKeywords(TypedDict, total=False):
    """The keywords of NumPy's ufuncs that leave the type of the result as it is."""

    where: ArrayLike
    casting: Casting
    order: Order


class UfuncKeywords(LoopKeywords, total=False):
    """All of them that every elementwise function hands on."""

    dtype: DTypeLike | None
    subok: bool


class Groups(TypedDict, total=False):
    """What says which elements are a group, for all functions of groups."""

    axis: Axis
    offsets: ArrayLike | None
    labels: ArrayLike | None
    weights: ArrayLike | None
