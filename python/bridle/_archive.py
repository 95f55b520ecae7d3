"""Arrays and plain data in one file: an uncompressed zip as ``numpy.savez`` writes it.

Each array is one ``.npy`` member, everything else is JSON in a member of its own. Arrays of types
that NumPy's format cannot describe, such as bfloat16, are stored as their bits.
"""

from __future__ import annotations

import json
import math
import os
import zipfile
from collections.abc import Iterable, Mapping
from typing import IO, Any

import ml_dtypes
import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray


def is_extension(dtype: np.dtype[Any]) -> bool:
    """Whether NumPy's format has no name for the type."""
    return bool(dtype.isbuiltin == 2)


def bits(array: NDArray[Any]) -> NDArray[Any]:
    """Return what NumPy's format can describe: an array of an extension's type as its bits."""
    return array.view(f"u{array.itemsize}") if is_extension(array.dtype) else array


def typed(array: NDArray[Any], name: str | None) -> NDArray[Any]:
    """Return bits as an array of the extension's type of that name, if there is one."""
    if name is None:
        return array
    dtype: np.dtype[Any] = np.dtype(getattr(ml_dtypes, name))
    if not is_extension(dtype) or array.dtype != f"u{dtype.itemsize}":
        raise ValueError(f"weights of type {name} in {array.dtype}")
    return array.view(dtype)


def write(
    file: IO[bytes], member: str, content: Mapping[str, Any], arrays: Iterable[NDArray[Any]]
) -> None:
    """Write plain data and arrays, which are numbered; equal ones make equal files."""
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as zf:
        # A member made from its name alone has a fixed date.
        zf.writestr(zipfile.ZipInfo(member), json.dumps(content, allow_nan=False))
        for i, array in enumerate(arrays):
            with zf.open(zipfile.ZipInfo(f"{i}.npy"), "w", force_zip64=True) as to:
                npy.write_array(to, bits(array), version=(1, 0), allow_pickle=False)


def check_sizes(zf: zipfile.ZipFile, file: IO[bytes]) -> None:
    """Refuse members that are compressed or larger than the file: memory is allocated for them."""
    members = zf.infolist()
    if any(info.compress_type != zipfile.ZIP_STORED for info in members):
        raise ValueError("a member is compressed")
    if sum(info.file_size for info in members) > os.fstat(file.fileno()).st_size:
        raise ValueError("the members are larger than the file")


def read_array(zf: zipfile.ZipFile, number: int) -> NDArray[Any]:
    """Return an array, having compared its header with the size of the member."""
    name = f"{number}.npy"
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
