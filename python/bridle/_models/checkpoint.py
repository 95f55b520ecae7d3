"""Weights, optimizers and all else that a run needs to go on, in one file."""

from __future__ import annotations

import contextlib
import copy
import math
import os
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from bridle import _archive
from bridle._archive import Archive, extension_of, is_storable, path_of
from bridle._arrays import PreparedArrays, description
from bridle._call import one_line, refuse_masked, shown
from bridle._core import copy_arrays

__all__ = ["load_checkpoint", "save_checkpoint"]

FORMAT = "bridle.checkpoint"
VERSION = 1
JSON = "checkpoint.json"


def save_checkpoint(path: str | os.PathLike[str], **parts: Any) -> None:
    """Write all that a run needs to go on to one file, which is complete or not there.

    The file is written beside its place, flushed to disk and renamed: a process that is killed at
    any moment leaves the checkpoint before, and at most a ``.tmp`` beside it. It holds no pickles;
    it is an uncompressed ``.npz``, which `numpy.load` opens, too.

    Parameters
    ----------
    path : str or path-like
        The file. A symbolic link is followed, and the mode of an older file is kept.
    **parts : array, list, tuple or mapping of arrays, or object with a state
        What belongs together, by names of your choice: arrays, also in lists and mappings in one
        another; objects with `state_dict` and `load_state_dict`, such as `AdamW`, `Dropout` and
        `EarlyStopping`, whose best weights are stored, too; and `numpy.random.Generator`, so that
        the data come in the same order. States are arrays, numbers, texts, None, and lists, tuples
        and mappings of such.

    Raises
    ------
    TypeError
        If something cannot be stored; no file has been written then.
    OSError
        If `path` is something else than a regular file, or cannot be written. What was there is
        still there then.

    See Also
    --------
    load_checkpoint : Goes on from the file.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> import bridle as br
    >>> def start():
    ...     w = np.ones(3)
    ...     return {"weights": w, "optimizer": br.AdamW(w, 0.1)}
    >>> run = start()
    >>> for _ in range(2):
    ...     summary = run["optimizer"].step(np.ones(3))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     br.save_checkpoint(f"{folder}/run.npz", **run)
    ...     new = start()
    ...     br.load_checkpoint(f"{folder}/run.npz", **new)
    >>> new["optimizer"].iteration, bool((new["weights"] == run["weights"]).all())
    (2, True)
    """
    name = "save_checkpoint"
    path = path_of(name, path)
    writer = _Writer()
    saved = {}
    for part, value in parts.items():
        state = _state_of(value)
        content = _plain(name, part, value) if state is None else state.take()
        saved[part] = writer.encoded(part, content)
    whole = {"format": FORMAT, "version": VERSION, "parts": saved}
    _archive.write(path, JSON, whole, writer.arrays)


def load_checkpoint(path: str | os.PathLike[str], **parts: Any) -> None:
    """Go on from a file of `save_checkpoint`: fill arrays in place, and load states.

    Everything is read and compared before anything is written. Parts of the file that are not asked
    for are left alone. After an interruption, load again: arrays may be filled in part.

    Parameters
    ----------
    path : str or path-like
        The file.
    **parts : array, list, tuple or mapping of arrays, or object with a state
        What is filled, by the names under which it was saved. Arrays must have the shapes and types
        of those of the file; mappings must have the same keys, in any order.

    Raises
    ------
    ValueError
        If the file is damaged or another one, or a part is missing or differs; nothing has changed
        then.

    See Also
    --------
    save_checkpoint : Writes the file.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> import bridle as br
    >>> weights = {"kernel": np.zeros((2, 3)), "bias": np.zeros(3)}
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     br.save_checkpoint(f"{folder}/run.npz", weights={"kernel": np.ones((2, 3))})
    ...     br.load_checkpoint(f"{folder}/run.npz", weights=weights)
    Traceback (most recent call last):
    ValueError: load_checkpoint: weights must have the keys of the file, got 'bias' here alone
    """
    name = "load_checkpoint"
    path = path_of(name, path)
    refused = f"{name}: {path} must be a complete file of save_checkpoint"
    with _archive.opened(path, JSON, refused) as archive:
        with archive.refusing():
            content = archive.content
            if (content["format"], content["version"]) != (FORMAT, VERSION):
                raise ValueError(f"format {content['format']}, version {content['version']}")
            archive.check()
            nodes = dict(content["parts"].items())
            saved = {part: _decoded(archive, nodes[part]) for part in parts if part in nodes}
        if len(saved) < len(parts):
            has, wanted = ", ".join(map(one_line, nodes)) or "none", ", ".join(parts)
            raise ValueError(f"{name}: parts must be among those of {path}, {has}, got {wanted}")
        _load({part: (value, saved[part]) for part, value in parts.items()})


class _State(NamedTuple):
    """How the state of an object is taken and given, and checked where that can be told before."""

    take: Callable[[], Any]
    load: Callable[[Any], None]
    check: Callable[[Any], object] | None = None


def _state_of(part: Any) -> _State | None:
    """Return how an object keeps its state; None for what has none, such as arrays."""
    generator = part.bit_generator if isinstance(part, np.random.Generator) else part
    if isinstance(generator, np.random.BitGenerator):
        return _State(lambda: generator.state, lambda state: setattr(generator, "state", state))
    if hasattr(part, "_whole_state"):  # with what JSON cannot hold
        return _State(part._whole_state, part._load_whole_state)
    if hasattr(part, "state_dict") and hasattr(part, "load_state_dict"):
        return _State(part.state_dict, part.load_state_dict, getattr(part, "_check_state", None))
    return None


def _load(parts: dict[str, tuple[Any, Any]]) -> None:
    """Give each part what was saved of it: all of them or none."""
    fillings: list[_Filling] = []
    checked, others = {}, {}
    for part, (value, saved) in parts.items():
        state = _state_of(value)
        if state is None:
            fillings += _fillings(part, value, saved)
        elif state.check is None:
            others[part] = state, saved
        else:
            with _naming(part):
                state.check(saved)
            checked[part] = state, saved
    _load_or_undo(others)
    for state, saved in checked.values():
        state.load(saved)
    copy_arrays([to for to, _ in fillings], [array for _, array in fillings])


def _load_or_undo(states: dict[str, tuple[_State, Any]]) -> None:
    """Load states of which only loading tells whether they fit; undo it if one of them does not."""
    before = []
    try:
        for part, (state, saved) in states.items():
            before.append((state, copy.deepcopy(state.take())))
            with _naming(part):
                state.load(copy.deepcopy(saved))  # not what lies in the file
    except BaseException:
        for state, old in before:
            state.load(old)
        raise


@contextlib.contextmanager
def _naming(part: str) -> Iterator[None]:
    try:
        yield
    except Exception as error:  # objects raise about anything of a state that is not theirs
        why = one_line(str(error) if isinstance(error, ValueError) else repr(error))
        raise ValueError(
            f"load_checkpoint: {part} must fit its state in the file: {why}"
        ) from error


_Filling: TypeAlias = tuple[NDArray[Any], NDArray[Any]]
"""An array, and what fills it."""


def _fillings(place: str, target: Any, saved: Any) -> list[_Filling]:
    """Return what fills arrays, which must be like those that were saved."""
    target = _plain("load_checkpoint", place, target)
    if isinstance(target, np.ndarray):
        if not isinstance(saved, np.ndarray) or _description(saved) != _description(target):
            raise _differs(place, _description(target), _description(saved))
        if not target.flags.writeable:
            raise ValueError(f"load_checkpoint: {place} must be writeable, got read-only")
        return [(target, saved)]
    if _description(saved) != _description(target):
        raise _differs(place, _description(target), _description(saved))
    if isinstance(target, list):
        saved = dict(enumerate(saved))
        target = dict(enumerate(target))
    for key in [*target, *saved]:
        if key not in target or key not in saved:
            got = f"{shown(key)} here alone" if key in target else f"none of {shown(key)}"
            raise ValueError(f"load_checkpoint: {place} must have the keys of the file, got {got}")
    return [
        filling
        for key, each in target.items()
        for filling in _fillings(f"{place}[{key!r}]", each, saved[key])
    ]


def _differs(place: str, here: str, saved: str) -> ValueError:
    return ValueError(f"load_checkpoint: {place} must be as in the file, {saved}, got {here}")


def _description(value: Any) -> str:
    if isinstance(value, np.ndarray):
        return description(value)
    if isinstance(value, list):
        return f"a list of {len(value)}"
    return "a mapping" if isinstance(value, dict) else "the state of an object"


def _plain(function: str, place: str, value: Any) -> Any:
    """Return arrays in lists and dicts of such; TypeError for anything else."""
    if isinstance(value, PreparedArrays):
        value = value._arrays if value._keys is None else dict(zip(value._keys, value, strict=True))
    if isinstance(value, np.ndarray):
        refuse_masked(function, place, value)
        return value
    if isinstance(value, (list, tuple)):
        return [_plain(function, f"{place}[{i}]", each) for i, each in enumerate(value)]
    if isinstance(value, Mapping):
        return {key: _plain(function, f"{place}[{key!r}]", each) for key, each in value.items()}
    rule = "must be arrays, also in lists and mappings, or have state_dict and load_state_dict"
    raise TypeError(f"{function}: {place} {rule}, got {type(value).__name__}")


class _Writer:
    """Makes JSON of states, and collects their arrays, each once."""

    def __init__(self) -> None:
        self.arrays: list[NDArray[Any]] = []
        self._numbers: dict[int, int] = {}

    def encoded(self, place: str, value: Any) -> Any:
        """Return what `_decoded` makes the value of."""
        if isinstance(value, np.ndarray):
            return self._array(place, value)
        if isinstance(value, np.generic):
            value = value.item()
        if value is None or isinstance(value, (bool, int, str)):
            return value
        if isinstance(value, float):
            return value if math.isfinite(value) else {"number": str(value)}
        if isinstance(value, (list, tuple)):
            nodes = [self.encoded(f"{place}[{i}]", each) for i, each in enumerate(value)]
            return nodes if isinstance(value, list) else {"tuple": nodes}
        if isinstance(value, Mapping):
            return {"mapping": [self._entry(place, *entry) for entry in value.items()]}
        rule = "an array, a number, a text, or a list, tuple or mapping of such"
        raise self._refusal(place, rule, value)

    def _entry(self, place: str, key: Any, value: Any) -> list[Any]:
        if not isinstance(key, (str, int)):
            raise self._refusal(f"keys of {place}", "texts or whole numbers", key)
        return [key, self.encoded(f"{place}[{key!r}]", value)]

    def _array(self, place: str, array: NDArray[Any]) -> dict[str, Any]:
        refuse_masked("save_checkpoint", place, array)
        if not is_storable(array.dtype):
            raise self._refusal(place, "of a type that NumPy's files can describe", array.dtype)
        number = self._numbers.setdefault(id(array), len(self.arrays))
        if number == len(self.arrays):
            self.arrays.append(array)
        return {"array": number, "type": extension_of(array.dtype)}

    @staticmethod
    def _refusal(place: str, rule: str, value: Any) -> TypeError:
        return TypeError(f"save_checkpoint: {place} must be {rule}, got {shown(value)}")


def _decoded(archive: Archive, node: Any) -> Any:
    """Return what `_Writer.encoded` made the node of; large arrays lie in the file."""
    if isinstance(node, list):
        return [_decoded(archive, each) for each in node]
    if not isinstance(node, dict):
        return node
    if "array" in node:
        return archive.array(node["array"], node["type"], mapped=True)
    if "mapping" in node:
        return {key: _decoded(archive, each) for key, each in node["mapping"]}
    if "tuple" in node:
        return tuple(_decoded(archive, each) for each in node["tuple"])
    return float(node["number"])
