"""A copy of a model's weights that is put back in place, bit for bit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias, cast

import numpy as np
from numpy.typing import NDArray

from bridle._core import copy_arrays
from bridle._stopping.checks import is_masked, shown

Weights: TypeAlias = NDArray[Any] | Sequence[NDArray[Any]] | Mapping[str, NDArray[Any]]
Arrays: TypeAlias = dict[Any, NDArray[Any]]
KINDS: dict[str, type] = {"array": np.ndarray, "list": list, "tuple": tuple, "mapping": dict}


def container_of(weights: object) -> type:
    """Return what the arrays were given in: one of `KINDS`, or the class of a named tuple."""
    if isinstance(weights, tuple) and hasattr(weights, "_make"):
        return type(weights)
    return next((kind for kind in KINDS.values() if isinstance(weights, kind)), dict)


def arrays_of(weights: object) -> Arrays:
    """Return the arrays by name or by position, an array alone as a list of one."""
    if isinstance(weights, Mapping):
        arrays = dict(weights)
    elif isinstance(weights, (np.ndarray, list, tuple)):
        arrays = dict(enumerate([weights] if isinstance(weights, np.ndarray) else weights))
    else:
        raise TypeError(
            "EarlyStopping: weights must be an ndarray, a list or tuple of ndarrays or a mapping "
            f"of names to ndarrays, got {type(weights).__name__}"
        )
    for key, array in arrays.items():
        if not isinstance(array, np.ndarray):
            got = type(array).__name__
        elif is_masked(array):
            got = shown(array)
        elif array.dtype.hasobject:
            got = str(array.dtype)
        else:
            continue
        raise TypeError(f"EarlyStopping: weights[{key!r}] must be numbers in an ndarray, got {got}")
    return arrays


class Snapshot(NamedTuple):
    """Copies of some arrays, in buffers that later copies reuse.

    All arrays are copied by one native call, which no signal can break off in the middle: the
    buffers hold the weights of one epoch, never a mixture of two.
    """

    buffers: Arrays | None = None
    """By name or by position; None if nothing was copied yet."""
    container: type = list

    def place_for(self, arrays: Arrays, container: type) -> Snapshot:
        """Return the snapshot that arrays, which `check` has passed, would make; copy nothing."""
        buffers = self.buffers
        if buffers is None:
            buffers = {k: np.empty_like(a, subok=False) for k, a in arrays.items()}
        return Snapshot(buffers, container)

    @property
    def kind(self) -> str:
        """What the arrays were given in, as one of `KINDS`."""
        return next(kind for kind, type_ in KINDS.items() if issubclass(self.container, type_))

    def as_state(self) -> dict[str, Any] | None:
        """Return the buffers and the kind of their container, None if nothing was copied."""
        return None if self.buffers is None else {"kind": self.kind, "arrays": self.buffers}

    @classmethod
    def from_state(cls, state: Mapping[str, Any] | None) -> Snapshot:
        """Return the snapshot that `as_state` told of, with these buffers, or raise ValueError."""
        if state is None:
            return cls()
        kind, arrays = state["kind"], dict(state["arrays"])
        if kind not in KINDS:
            raise ValueError(f"weights of kind {kind}")
        if list(arrays) != list(range(len(arrays))) and kind != "mapping":
            raise ValueError(f"weights named {list(arrays)}")
        return cls(arrays, KINDS[kind])

    def take(self, arrays: Arrays, owner: object, name: str, value: object) -> None:
        """Copy the arrays and set an attribute that tells of it: both or neither."""
        buffers = self.buffers or {}
        copy_arrays(list(buffers.values()), [arrays[key] for key in buffers], owner, name, value)

    def copied(self) -> Weights:
        """Return new copies, in the structure in which the arrays were given."""
        buffers = self.buffers or {}
        copies = {name: buffer.copy(order="K") for name, buffer in buffers.items()}
        if self.container is dict:
            return copies
        if self.container is np.ndarray:
            return copies[0]
        make = getattr(self.container, "_make", self.container)
        return cast("Weights", make(copies.values()))

    def put(self, arrays: Arrays) -> None:
        """Copy back into the arrays, or raise ValueError with none of them written."""
        self.check(arrays)
        for key, array in arrays.items():
            if not array.flags.writeable:
                raise ValueError(
                    f"EarlyStopping: weights[{key!r}] must be writeable, got read-only"
                )
        buffers = self.buffers or {}
        copy_arrays([arrays[key] for key in buffers], list(buffers.values()))

    def check(self, arrays: Arrays) -> None:
        """Raise ValueError unless the arrays are like those of the first copy, if there was one."""
        buffers = self.buffers
        if buffers is None:
            return
        for key in [*buffers, *arrays]:
            if key not in arrays or key not in buffers:
                raise ValueError(
                    f"EarlyStopping: weights must be the {len(buffers)} arrays first kept, "
                    f"got {len(arrays)}: {key!r} is {'new' if key in arrays else 'missing'}"
                )
        for key, kept in buffers.items():
            given = arrays[key]
            if (given.shape, given.dtype) != (kept.shape, kept.dtype):
                raise ValueError(
                    f"EarlyStopping: weights[{key!r}] must be {kept.dtype} of shape {kept.shape} "
                    f"as first kept, got {given.dtype} of shape {given.shape}"
                )
