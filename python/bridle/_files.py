"""Files that are complete or not there."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import stat
from collections.abc import Iterator
from typing import IO

# On Windows the mode of a file says no more than whether it may be written, and what may not be
# written can neither be replaced nor removed.
_HAS_MODES = os.name == "posix"
_KINDS = {
    stat.S_IFIFO: "a FIFO",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


def check_destination(path: str | os.PathLike[str]) -> os.stat_result | None:
    """Return the status of the file to be replaced, None for a new one.

    Raises
    ------
    OSError
        If it is no regular file: renaming would put one in the place of a device.
    """
    try:
        status = os.stat(path)
    except FileNotFoundError:
        return None
    if stat.S_ISDIR(status.st_mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), os.fspath(path))
    if not stat.S_ISREG(status.st_mode):
        kind = _KINDS.get(stat.S_IFMT(status.st_mode), "special")
        raise OSError(errno.EINVAL, f"Is {kind}, not a regular file", os.fspath(path))
    return status


@contextlib.contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[IO[bytes]]:
    """Open a file that takes the place of an older one when the block ends without an exception.

    It is written beside its place, flushed to disk and renamed. A symbolic link is followed; the
    mode of the older file is kept, and its owner where this process may. Once the new file is in
    place, nothing raises any more. Windows refuses to replace a file that is open or mapped, by
    this process or another one: a PermissionError that leaves the older file as it is.
    """
    before = check_destination(path)
    place = os.path.realpath(path) if os.path.islink(path) else os.fspath(path)
    directory = os.path.dirname(place)
    # Its length does not depend on that of the file's name, which may be the longest possible.
    temporary = os.path.join(directory, f".bridle.{secrets.token_hex(8)}.tmp")
    try:
        with open(temporary, "xb", opener=_private if before else None) as file:
            if before and _HAS_MODES:
                _make_like(temporary, before)
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, place)
    except BaseException:
        with contextlib.suppress(OSError):
            os.remove(temporary)
        raise
    with contextlib.suppress(OSError):
        _flush_directory(directory or os.curdir)


def write_text(path: str | os.PathLike[str], text: str, errors: str = "strict") -> None:
    """Write a text in UTF-8 as `replacing` does."""
    content = text.encode(errors=errors)
    with replacing(path) as file:
        file.write(content)


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _make_like(path: str, status: os.stat_result) -> None:
    with contextlib.suppress(OSError):
        os.chown(path, status.st_uid, status.st_gid)
    os.chmod(path, stat.S_IMODE(status.st_mode))


def _flush_directory(directory: str) -> None:
    """Make sure that the name of a new file is on disk; Windows has no such call, and refuses."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
