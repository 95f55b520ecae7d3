"""One file with the state of an `EarlyStopping` and its best weights.

It is an uncompressed zip as ``numpy.savez`` writes it, with one ``.npy`` member per array, and the
member ``stopping.json`` for everything else.
"""

from __future__ import annotations

import errno
import json
import math
import os
import zipfile
from collections.abc import Mapping
from typing import Any

import ml_dtypes
import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from bridle._criteria import BUILT_IN
from bridle._files import replacing
from bridle._snapshot import KINDS, Arrays, Snapshot
from bridle._stopping_rules import OWNER, Rules, arguments_from_json, rebuilt
from bridle._stopping_state import State, parts

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
