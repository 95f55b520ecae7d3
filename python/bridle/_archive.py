"""Arrays and plain data in one file: an uncompressed zip as ``numpy.savez`` writes it.

Each array is one ``.npy`` member, everything else is JSON in a member of its own. Arrays of types
that NumPy's format cannot describe, such as bfloat16, are stored as their bits.
"""

from __future__ import annotations

import contextlib
import errno
import json
import math
import os
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from typing import IO, Any, Literal

import ml_dtypes
import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from bridle._call import one_line
from bridle._files import replacing

_SIZE_OF_LOCAL_HEADER = 30
_LARGE = 2**20
"""Bytes of an array from which on it stays in the file until it is copied."""


def write(
    path: str | os.PathLike[str],
    member: str,
    content: Mapping[str, Any],
    arrays: Iterable[NDArray[Any]],
) -> None:
    """Write the file in place of an older one, which stays as it is until this one is complete."""
    with replacing(path) as file, zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as zf:
        # A member made from its name alone has a fixed date: equal contents are equal files.
        zf.writestr(zipfile.ZipInfo(member), json.dumps(content, allow_nan=False))
        for i, array in enumerate(arrays):
            with zf.open(zipfile.ZipInfo(f"{i}.npy"), "w", force_zip64=True) as to:
                _write_array(to, _bits(array))


class Archive:
    """A file that `write` wrote, open for reading; see `opened`."""

    def __init__(self, file: IO[bytes], member: str, refused: str) -> None:
        self._file, self._refused = file, refused
        with self.refusing():
            self._zf = zipfile.ZipFile(file)
            self._check_sizes()
            self.content: Any = json.loads(self._zf.read(member))
            """The plain data."""

    @contextlib.contextmanager
    def refusing(self) -> Iterator[None]:
        """Make what goes wrong in the block a ValueError that says that the file is no such one."""
        try:
            yield
        except Exception as error:  # a damaged zip, npy or JSON raises about anything
            if isinstance(error, OSError) and error.errno != errno.EINVAL:
                raise
            why = f"{type(error).__name__}: {one_line(str(error))}"
            raise ValueError(f"{self._refused}: {why}") from error

    def check(self) -> None:
        """Read all of it, and compare it with its checksums; `array` does so for what it reads."""
        damaged = self._zf.testzip()
        if damaged is not None:
            raise ValueError(f"{damaged} is damaged")

    def array(self, number: int, extension: str | None, *, mapped: bool = False) -> NDArray[Any]:
        """Return an array of NumPy's types, or of the extension's of that name.

        One that is `mapped` is read-only, and if it is large it lies in the file, which `check`
        must have passed.
        """
        name = f"{number}.npy"
        info = self._zf.getinfo(name)
        with self._zf.open(info) as member:
            shape, fortran, dtype = _header(member, name)
            begin = member.tell()
        size = math.prod(shape) * dtype.itemsize
        if dtype.hasobject or min(shape, default=0) < 0 or begin + size != info.file_size:
            raise ValueError(f"{name} is not of {dtype} and shape {shape}")
        if mapped and size >= _LARGE:
            file: Any = self._file
            order: Literal["C", "F"] = "F" if fortran else "C"
            array: NDArray[Any] = np.memmap(
                file, dtype, "r", self._begin(info) + begin, shape, order
            )
        else:
            with self._zf.open(info) as member:
                array = np.asarray(npy.read_array(member, allow_pickle=False))
        return array if extension is None else _typed(array, extension)

    def _check_sizes(self) -> None:
        # Memory is allocated for what a member claims to hold.
        members = self._zf.infolist()
        if any(info.compress_type != zipfile.ZIP_STORED for info in members):
            raise ValueError("a member is compressed")
        if any(info.compress_size != info.file_size for info in members):
            raise ValueError("a member has two sizes")
        if sum(info.file_size for info in members) > os.fstat(self._file.fileno()).st_size:
            raise ValueError("the members are larger than the file")

    def _begin(self, info: zipfile.ZipInfo) -> int:
        """Return where the content of a member begins, behind its header, name and extra field."""
        self._file.seek(info.header_offset)
        header = self._file.read(_SIZE_OF_LOCAL_HEADER)
        lengths = (int.from_bytes(header[i : i + 2], "little") for i in (26, 28))
        return info.header_offset + _SIZE_OF_LOCAL_HEADER + sum(lengths)


@contextlib.contextmanager
def opened(path: str, member: str, refused: str) -> Iterator[Archive]:
    """Open a file that `write` wrote, which has the plain data in a member of that name.

    Any other file is a ValueError that begins with `refused`.
    """
    with open(path, "rb") as file:
        yield Archive(file, member, refused)


def path_of(function: str, path: str | os.PathLike[str]) -> str:
    """Check what names a file."""
    if not isinstance(path, (str, os.PathLike)) or not isinstance(os.fspath(path), str):
        raise TypeError(f"{function}: path must be a str or os.PathLike, got {path!r}")
    return os.fspath(path)


def extension_of(dtype: np.dtype[Any]) -> str | None:
    """Return the name of a type that NumPy's format has no name for."""
    return dtype.name if dtype.isbuiltin == 2 else None


def is_storable(dtype: np.dtype[Any]) -> bool:
    """Whether NumPy's format describes a type completely, or it is one of an extension."""
    if extension_of(dtype) is not None:
        return True
    return not dtype.hasobject and bool(npy.descr_to_dtype(npy.dtype_to_descr(dtype)) == dtype)


def _bits(array: NDArray[Any]) -> NDArray[Any]:
    return array.view(f"u{array.itemsize}") if extension_of(array.dtype) else array


def _typed(bits: NDArray[Any], extension: str) -> NDArray[Any]:
    dtype: np.dtype[Any] = np.dtype(getattr(ml_dtypes, extension))
    if extension_of(dtype) is None or bits.dtype != f"u{dtype.itemsize}":
        raise ValueError(f"weights of type {extension} in {bits.dtype}")
    return bits.view(dtype)


def _write_array(to: IO[bytes], array: NDArray[Any]) -> None:
    if array.flags.forc:  # its memory as it lies, which NumPy would copy piece by piece
        npy.write_array_header_1_0(to, npy.header_data_from_array_1_0(array))
        to.write(np.asarray(array).reshape(-1, order="A").view(np.uint8).data)
    else:
        npy.write_array(to, array, version=(1, 0), allow_pickle=False)


def _header(member: IO[bytes], name: str) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    if npy.read_magic(member) != (1, 0):
        raise ValueError(f"{name} is of another version")
    return npy.read_array_header_1_0(member)
