"""State of an `EarlyStopping` as JSON, and in one file together with the best weights.

The file is an uncompressed zip as ``numpy.savez`` writes it, with one ``.npy`` member per array,
and the member ``stopping.json`` for everything else.
"""

from __future__ import annotations

import copy
import errno
import json
import math
import os
import zipfile
from collections.abc import Mapping, Sequence
from typing import Any, Self

import ml_dtypes
import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from bridle._files import replacing
from bridle._stopping.criteria import BUILT_IN, Criterion, states_of
from bridle._stopping.judgement import StopReason
from bridle._stopping.rules import OWNER, Reduce, Rules, arguments_from_json, rebuilt
from bridle._stopping.snapshot import KINDS, Arrays, Snapshot
from bridle._stopping.state import Changing, Record, State, load_criteria, parts

FORMAT = "bridle.EarlyStopping"
VERSION = 1
JSON = "stopping.json"


def write(path: str | os.PathLike[str], state: Mapping[str, Any], snapshot: Snapshot) -> None:
    """Write the file in place of an older one, which stays as it is until this one is complete."""
    content = {"format": FORMAT, "version": VERSION, **state, "weights": _contents(snapshot)}
    with replacing(_checked(path)) as file, zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as zf:
        # A member made from its name alone has a fixed date: equal states are equal files.
        zf.writestr(zipfile.ZipInfo(JSON), json.dumps(content, allow_nan=False))
        for i, array in enumerate((snapshot.buffers or {}).values()):
            with zf.open(zipfile.ZipInfo(f"{i}.npy"), "w", force_zip64=True) as member:
                npy.write_array(member, _bits(array), version=(1, 0), allow_pickle=False)


def read(path: str | os.PathLike[str]) -> tuple[dict[str, Any], Snapshot]:
    """Return what `write` wrote; ValueError for any other file."""
    path = _checked(path)
    with open(path, "rb") as file:
        try:
            with zipfile.ZipFile(file) as zf:
                _check_sizes(zf, os.fstat(file.fileno()).st_size)
                content = json.loads(zf.read(JSON))
                _check_content(content)
                return content, _snapshot(zf, content["weights"])
        except Exception as error:  # a damaged zip, npy or JSON raises about anything
            if isinstance(error, OSError) and error.errno != errno.EINVAL:
                raise
            raise ValueError(
                f"{OWNER}: {path} must be a complete file of EarlyStopping.save: "
                f"{type(error).__name__}: {error}"
            ) from error


def _checked(path: str | os.PathLike[str]) -> str:
    if not isinstance(path, (str, os.PathLike)) or not isinstance(os.fspath(path), str):
        raise TypeError(f"{OWNER}: path must be a str or os.PathLike, got {path!r}")
    return os.fspath(path)


def _contents(snapshot: Snapshot) -> dict[str, Any] | None:
    if snapshot.buffers is None:
        return None
    for name, array in snapshot.buffers.items():
        if type(name) not in (str, int):
            raise TypeError(f"{OWNER}: names of weights must be strings to be saved, got {name!r}")
        plain = npy.descr_to_dtype(npy.dtype_to_descr(_bits(array).dtype))
        if plain != _bits(array).dtype:
            raise TypeError(f"{OWNER}: weights[{name!r}] cannot be saved, its type is {plain}")
    entries = [
        {"name": name, "dtype": array.dtype.name if _is_extension(array.dtype) else None}
        for name, array in snapshot.buffers.items()
    ]
    kind = next(kind for kind, type_ in KINDS.items() if issubclass(snapshot.container, type_))
    return {"kind": kind, "arrays": entries}


def _is_extension(dtype: np.dtype[Any]) -> bool:
    return bool(dtype.isbuiltin == 2)


def _bits(array: NDArray[Any]) -> NDArray[Any]:
    """Return what numpy's format can describe: an array of an extension's type as its bits."""
    return array.view(f"u{array.itemsize}") if _is_extension(array.dtype) else array


def _check_sizes(zf: zipfile.ZipFile, size: int) -> None:
    # Memory is allocated for what a member claims to hold.
    members = zf.infolist()
    if any(info.compress_type != zipfile.ZIP_STORED for info in members):
        raise ValueError("a member is compressed")
    if sum(info.file_size for info in members) > size:
        raise ValueError("the members are larger than the file")


def _check_content(content: Mapping[str, Any]) -> None:
    if (content["format"], content["version"]) != (FORMAT, VERSION):
        raise ValueError(f"format {content['format']}, version {content['version']}")
    config, state = parts(content)
    rebuilt([entry for entry in config["criteria"] if entry["type"] in BUILT_IN])
    arguments = {**arguments_from_json(config), "criteria": (), "reduce": None}
    first, *_ = State.from_json(state, Rules.checked(arguments).metrics()).standings
    if content["weights"] is not None and first.best is None:
        raise ValueError("weights without a best value")


def _snapshot(zf: zipfile.ZipFile, weights: Mapping[str, Any] | None) -> Snapshot:
    if weights is None:
        return Snapshot()
    if weights["kind"] not in KINDS:
        raise ValueError(f"weights of kind {weights['kind']}")
    arrays: Arrays = {}
    for i, entry in enumerate(weights["arrays"]):
        array = _array(zf, f"{i}.npy")
        if entry["dtype"] is not None:
            array = _typed(array, entry["dtype"])
        arrays[entry["name"]] = array
    positions = list(range(len(weights["arrays"])))
    if list(arrays) != positions and weights["kind"] != "mapping":
        raise ValueError(f"weights named {list(arrays)}")
    return Snapshot(arrays, KINDS[weights["kind"]])


def _typed(bits: NDArray[Any], name: str) -> NDArray[Any]:
    dtype: np.dtype[Any] = np.dtype(getattr(ml_dtypes, name))
    if not _is_extension(dtype) or bits.dtype != f"u{dtype.itemsize}":
        raise ValueError(f"weights of type {name} in {bits.dtype}")
    return bits.view(dtype)


def _array(zf: zipfile.ZipFile, name: str) -> NDArray[Any]:
    info = zf.getinfo(name)
    with zf.open(info) as member:
        if npy.read_magic(member) != (1, 0):
            raise ValueError(f"{name} is of another version")
        shape, _, dtype = npy.read_array_header_1_0(member)
        size = math.prod(shape) * dtype.itemsize
        if dtype.hasobject or min(shape, default=0) < 0 or member.tell() + size != info.file_size:
            raise ValueError(f"{name} is not of {dtype} and shape {shape}")
    with zf.open(info) as member:
        return np.asarray(npy.read_array(member, allow_pickle=False))


class Resumable(Changing):
    """What lets an `EarlyStopping` go on where another one left off."""

    def __copy__(self) -> Self:
        # As deepcopy, but for `reduce`: of two that share buffers or criteria, both would be wrong.
        return copy.deepcopy(self, {id(self.reduce): self.reduce})

    def state_dict(self) -> dict[str, Any]:
        """Return the configuration and the state, without weights, as what JSON has.

        Numbers that JSON lacks are the strings "inf", "-inf" and "nan". The configuration has
        neither `reduce` nor more of your own criteria than the names of their classes.
        """
        return self._as_json(self._record)

    def _as_json(self, record: Record) -> dict[str, Any]:
        remembered = states_of(self.criteria) if record.before is None else record.before
        state = record.state.as_json(self._metrics, self.criteria, remembered)
        return {"config": self._rules.as_json(), "state": state}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take up the state that `state_dict` returned, but not its configuration.

        The metrics and their modes must be the same. A run that had stopped stays so unless the
        configuration is another one: then the next update judges anew. Each criterion takes
        the state of the one of its class, or starts anew. The weights of the best epoch are not
        part of the state.

        Raises
        ------
        ValueError
            If the state is not complete and consistent. Nothing has changed then.
        """
        config, saved = parts(state)
        loaded = State.from_json(saved, self._metrics)
        if config != self._rules.as_json():
            loaded = loaded._replace(reason=StopReason.NONE, stopped_epoch=None)

        def load() -> None:
            load_criteria(self.criteria, saved["criteria"])
            self._record = Record(loaded)

        self._change(load)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the state and the best weights to one file, an uncompressed ``.npz``.

        The file is complete or not there: it is written beside its place, flushed to disk and
        renamed. A process killed on the way leaves the older file, and one ``.tmp`` beside it.
        A symbolic link is followed, and the mode of an older file is kept.

        Raises
        ------
        OSError
            If `path` is something else than a regular file, or cannot be written. What was there
            is still there then.
        """
        record = self._record
        write(path, self._as_json(record), record.snapshot)

    @classmethod
    def load(
        cls,
        path: str | os.PathLike[str],
        *,
        criteria: Sequence[Criterion] | None = None,
        reduce: Reduce | None = None,
        **changes: Any,
    ) -> Self:
        """Return the tracker that `save` wrote, its weights included.

        Parameters
        ----------
        path : str or path-like
            The file.
        criteria : sequence of Criterion, optional
            Required if there were criteria of your own. By default those of the file.
        reduce : callable, optional
            As for the constructor; it is not in the file.
        **changes
            Other parameters of the constructor, in place of those of the file.

        Raises
        ------
        ValueError
            If the file is damaged or another one.
        """
        content, snapshot = read(path)
        arguments = arguments_from_json(content["config"])
        arguments["criteria"] = rebuilt(arguments["criteria"]) if criteria is None else criteria
        stopping = cls(**{**arguments, "reduce": reduce, **changes})
        stopping.load_state_dict(content)
        if stopping.restore_best_weights:
            stopping._record = stopping._record._replace(snapshot=snapshot)
        return stopping
