"""Lists of arrays that have been looked at once, for as many updates as one likes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, TypeAlias

from numpy.typing import NDArray

from bridle import _core


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

    def __init__(self, arrays: tuple[NDArray[Any], ...], handle: object) -> None:
        self._arrays = arrays
        self._handle = handle

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
        return prepare, (self._arrays,)  # copies look at their own arrays


Arrays: TypeAlias = NDArray[Any] | Sequence[NDArray[Any]] | PreparedArrays


def prepare(arrays: Sequence[NDArray[Any]]) -> PreparedArrays:
    """Look up once what the updates need to know of a list of arrays.

    Pass the result wherever a list of arrays is taken, step after step: for lists of many small
    arrays, looking at each of them is most of the time.

    Parameters
    ----------
    arrays : list or tuple of ndarray
        Weights, gradients or state. The arrays stay the same objects; their values may change.

    Returns
    -------
    PreparedArrays
        A sequence of the arrays.

    Raises
    ------
    TypeError
        If it is no list or tuple of arrays.

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
    if not isinstance(arrays, (list, tuple)):
        got = type(arrays).__name__
        raise TypeError(f"prepare: arrays must be a list or tuple of arrays, got {got}")
    fixed = tuple(arrays)
    return PreparedArrays(fixed, _core.prepare(fixed, ("arrays",)))
