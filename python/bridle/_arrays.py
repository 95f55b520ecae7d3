"""What functions of whole models take: one array, or a list, tuple or mapping of arrays.

`listed` makes of each what the core takes and what error messages call it; `companion` does it for
what goes with another one, array by array: a mapping by its keys.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias, TypeGuard

import numpy as np
from numpy.typing import NDArray

from bridle import _containers, _core, _lazy
from bridle._call import shown


class PreparedArrays(Sequence[NDArray[Any]]):
    """Arrays that `prepare` has looked at: a sequence of them that cannot change.

    Copies by ``copy.deepcopy`` or pickle have arrays of their own.

    Examples
    --------
    >>> import numpy as np
    >>> import bridle as br
    >>> br.prepare([np.ones(2), np.zeros(1)])
    <PreparedArrays: 2 arrays, 3 elements, float64>
    """

    def __init__(
        self,
        arrays: tuple[NDArray[Any], ...],
        handle: object,
        keys: tuple[Hashable, ...] | None = None,
    ) -> None:
        self._arrays = arrays
        self._handle = handle
        self._keys = keys

    def __len__(self) -> int:
        return len(self._arrays)

    def __getitem__(self, index: Any) -> Any:
        return self._arrays[index]

    def __iter__(self) -> Iterator[NDArray[Any]]:
        return iter(self._arrays)

    def __repr__(self) -> str:
        count, size = len(self._arrays), sum(array.size for array in self._arrays)
        text = f"{count} array{'s' * (count != 1)}, {size} element{'s' * (size != 1)}"
        types = ", ".join(dict.fromkeys(str(array.dtype) for array in self._arrays))
        return f"<PreparedArrays: {text}{', ' * bool(types)}{types}>"

    def __reduce__(self) -> tuple[Any, ...]:
        # Copies look at their own arrays.
        keys = self._keys
        arrays = self._arrays if keys is None else dict(zip(keys, self._arrays, strict=True))
        return prepare, (arrays,)


Arrays: TypeAlias = (
    NDArray[Any] | Sequence[NDArray[Any]] | Mapping[str, NDArray[Any]] | PreparedArrays
)


def prepare(arrays: Sequence[NDArray[Any]] | Mapping[str, NDArray[Any]]) -> PreparedArrays:
    """Look up once what the updates need to know of a list of arrays.

    Pass the result wherever a list of arrays is taken, step after step: for lists of many small
    arrays, looking at each of them is most of the time.

    Parameters
    ----------
    arrays : list or tuple of ndarray, or mapping of names to them
        Weights, gradients or state. The arrays stay the same objects; their values may change. Of a
        mapping the order counts, and the names are remembered for those that go with it.

    Returns
    -------
    PreparedArrays
        A sequence of the arrays.

    Raises
    ------
    TypeError
        If it is no list, tuple or mapping of arrays.

    Examples
    --------
    >>> import numpy as np
    >>> import bridle as br
    >>> weights = br.prepare([np.ones(3), np.ones((2, 2))])
    >>> br.proximal_step(weights, 0.5, l1=0.5)
    UpdateSummary(penalty=2.625, nonzeros=7, finite=True)
    """
    if isinstance(arrays, PreparedArrays):
        return arrays
    if not isinstance(arrays, (list, tuple, Mapping)):
        got = type(arrays).__name__
        raise TypeError(f"prepare: arrays must be a list, tuple or mapping of arrays, got {got}")
    group = listed("prepare", "arrays", arrays)
    return PreparedArrays(
        group.arrays, _core.prepare(group.arrays, ("arrays",), group.keys), group.keys
    )


@dataclass(frozen=True)
class Listed:
    """The arrays that a parameter of a function stands for."""

    function: str
    parameter: str
    arrays: tuple[NDArray[Any], ...]
    keys: tuple[Hashable, ...] | None
    """Those of a mapping."""
    handle: Any
    """What the core takes: the array, the tuple of them, or what it made of prepared ones."""

    @property
    def single(self) -> bool:
        """Whether it is one array by itself, and no list."""
        return isinstance(self.handle, np.ndarray)

    def name(self, index: int) -> str:
        """Return what error messages call an array: ``w``, ``w[3]``, ``w['layer.weight']``."""
        if self.single:
            return self.parameter
        key = index if self.keys is None else self.keys[index]
        return f"{self.parameter}[{key!r}]"


def description(array: Any) -> str:
    """Return type, whatever its byte order, and shape of an array; of something else, its class."""
    if not isinstance(array, np.ndarray):
        return type(array).__name__
    return f"{array.dtype.newbyteorder('=')} of shape {array.shape}"


def is_list(value: object) -> TypeGuard[Sequence[Any]]:
    """Whether a list of arrays is given, not one array that is written as a list of numbers."""
    return isinstance(value, Sequence) and any(
        hasattr(each, "__array__") and not isinstance(each, np.generic) for each in value
    )


def is_listed(value: object) -> bool:
    """Whether several arrays are given, in a list or otherwise."""
    return isinstance(value, (Mapping, PreparedArrays)) or is_list(value)


def listed(function: str, parameter: str, value: Any) -> Listed:
    """Look at one array, or a list, tuple or mapping of arrays; the core looks at each of them."""
    if isinstance(value, np.ndarray):
        return Listed(function, parameter, (value,), None, value)
    if isinstance(value, PreparedArrays):
        return Listed(function, parameter, value._arrays, value._keys, value._handle)
    if isinstance(value, (Mapping, list, tuple)):
        # Copies that nobody else can change meanwhile, names and arrays at once.
        given = dict(value) if isinstance(value, Mapping) else value
        keys = tuple(given) if isinstance(given, dict) else None
        arrays = tuple(given.values() if isinstance(given, dict) else given)
        _lazy.refuse_in_place(function, (parameter,), (arrays,))
        return Listed(function, parameter, arrays, keys, arrays)
    _lazy.refuse_in_place(function, (parameter,), (value,))
    raise TypeError(
        f"{function}: {parameter} must be an array, or a list, tuple or mapping of arrays, "
        f"got {type(value).__name__}{_containers.instead(value)}"
    )


def companion(function: str, parameter: str, value: Any, like: Listed) -> Listed:
    """Look at arrays that go with others, one by one; those of a mapping by their keys."""
    group = listed(function, parameter, value)
    if group.keys == like.keys:
        return group  # the core compares their number
    if like.keys is None or group.keys is None:
        kind = "an array" if like.single else "a list" if like.keys is None else "a mapping"
        got = type(value).__name__
        raise ValueError(
            f"{function}: {parameter} must be {kind}, as {like.parameter} is, got {got}"
        )
    place = {key: index for index, key in enumerate(group.keys)}
    _compare_keys(group, like, place)
    arrays = tuple(group.arrays[place[key]] for key in like.keys)
    return Listed(function, parameter, arrays, like.keys, arrays)


def _compare_keys(group: Listed, like: Listed, place: dict[Hashable, int]) -> None:
    assert like.keys is not None
    for key in like.keys:
        if key not in place:
            raise _other_keys(group, like, f"none of {shown(key)}")
    known = set(like.keys)
    for key in place:
        if key not in known:
            raise _other_keys(group, like, f"also {shown(key)}")


def _other_keys(group: Listed, like: Listed, got: str) -> ValueError:
    rule = f"must have the keys of {like.parameter}"
    return ValueError(f"{group.function}: {group.parameter} {rule}, got {got}")
