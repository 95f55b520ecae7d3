"""What is written to disk is complete or not there, and nothing but files is replaced."""

import contextlib
import os
import socket
import stat
import sys

import numpy as np
import pytest

import bridle as br
from bridle import _files

ROOT = hasattr(os, "geteuid") and os.geteuid() == 0
pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="modes and links of POSIX")


def save_tracker(path):
    stopping = br.EarlyStopping(9, mode="min", restore_best_weights=True)
    stopping.update(1.0, np.ones(1))
    stopping.save(path)


def save_checkpoint(path):
    br.save_checkpoint(path, weights=np.ones(1))


def write_report(path):
    _files.write_text(path, "report\n")


@pytest.fixture(params=[save_tracker, save_checkpoint, write_report])
def write(request):
    return request.param


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def socket_at(path):
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(os.path.relpath(path))


def null_device(path):
    try:
        os.mknod(path, stat.S_IFCHR | 0o600, os.makedev(1, 3))
    except PermissionError:
        pytest.skip("needs the right to make a device")


PLACES = {"directory": os.mkdir, "FIFO": os.mkfifo, "socket": socket_at, "device": null_device}


@pytest.mark.parametrize("linked", [False, True])
@pytest.mark.parametrize("kind", PLACES)
def test_no_regular_file_is_refused_by_name_before_anything_is_written(
    tmp_path, monkeypatch, write, kind, linked
):
    monkeypatch.chdir(tmp_path)
    place = tmp_path / "place"
    PLACES[kind](place)
    if linked:
        (tmp_path / "link").symlink_to(place)
    path = tmp_path / ("link" if linked else "place")
    before = place.lstat()
    monkeypatch.setattr(_files, "open", None, raising=False)
    with pytest.raises(OSError, match=rf"Is a {kind}.*: '{path}'$"):
        write(path)
    assert place.lstat() == before
    assert len(os.listdir()) == 1 + linked


def test_directory_is_the_usual_error(tmp_path, write):
    with pytest.raises(IsADirectoryError):
        write(tmp_path)


@pytest.mark.parametrize("relative", [False, True])
@pytest.mark.parametrize("exists", [False, True])
def test_symbolic_link_is_followed(tmp_path, write, exists, relative):
    (tmp_path / "elsewhere").mkdir()
    target = tmp_path / "elsewhere" / "target"
    link, first = tmp_path / "link", tmp_path / "first"
    first.symlink_to("elsewhere/target" if relative else target)
    link.symlink_to("first")
    if exists:
        target.write_text("old")
    write(link)
    assert link.is_symlink()
    assert first.is_symlink()
    assert target.read_bytes()[:2] in (b"PK", b"re")
    assert os.listdir(target.parent) == ["target"]


@pytest.mark.parametrize("kept", [0o600, 0o444, 0o666, 0o750])
def test_mode_is_kept(tmp_path, write, kept):
    path = tmp_path / "file"
    path.touch()
    path.chmod(kept)
    write(path)
    assert mode(path) == kept
    assert path.stat().st_size > 0


def test_secret_content_is_never_readable_by_others(tmp_path, monkeypatch):
    path = tmp_path / "file"
    path.touch(mode=0o600)
    monkeypatch.setattr(_files.os, "chmod", lambda *arguments: None)
    with _files.replacing(path):
        (temporary,) = tmp_path.glob(".*")
        assert mode(temporary) == 0o600


@pytest.mark.parametrize("umask", [0o022, 0o077])
def test_new_file_has_the_mode_of_the_umask(tmp_path, write, umask):
    before = os.umask(umask)
    try:
        write(tmp_path / "file")
    finally:
        os.umask(before)
    assert mode(tmp_path / "file") == 0o666 & ~umask


@pytest.mark.skipif(not ROOT, reason="only root may give a file away")
def test_owner_is_kept(tmp_path, write):
    path = tmp_path / "file"
    path.touch()
    os.chown(path, 12345, 23456)
    write(path)
    assert (path.stat().st_uid, path.stat().st_gid) == (12345, 23456)


@pytest.mark.parametrize("name", ["x" * 255, "ß" * 127])
def test_longest_name_works(tmp_path, write, name):
    for _ in range(2):
        write(tmp_path / name)
    assert os.listdir(tmp_path) == [name]


@pytest.mark.parametrize("step", ["open", "fsync", "close"])
def test_nothing_raises_once_the_file_is_in_place(tmp_path, monkeypatch, write, step):
    replace, original = os.replace, getattr(os, step)
    placed = []

    def failing(*arguments, **options):
        if placed:
            raise OSError("refused")
        return original(*arguments, **options)

    with monkeypatch.context() as patch:
        patch.setattr(_files.os, "replace", lambda *paths: placed.append(replace(*paths)))
        patch.setattr(_files.os, step, failing)
        write(tmp_path / "file")
    assert os.listdir(tmp_path) == ["file"]


def test_failure_leaves_the_older_file_and_nothing_else(tmp_path):
    path = tmp_path / "file"
    path.write_text("old")
    with contextlib.suppress(RuntimeError), _files.replacing(path) as file:
        file.write(b"half")
        raise RuntimeError
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["file"]


@pytest.fixture
def as_on_windows(monkeypatch):
    """What may not be written can be neither replaced nor removed, and directories not opened."""
    monkeypatch.setattr(_files, "_HAS_MODES", False)
    originals = {name: getattr(os, name) for name in ("open", "replace", "remove")}

    def refusing(name):
        def call(*arguments, **options):
            last = arguments[-1 if name == "replace" else 0]
            refused = os.path.isdir(last) if name == "open" else not _writable(last)
            if refused:
                raise PermissionError(13, "Access is denied", last)
            return originals[name](*arguments, **options)

        return call

    for name in originals:
        monkeypatch.setattr(_files.os, name, refusing(name))


def _writable(path):
    return not os.path.exists(path) or bool(os.stat(path).st_mode & stat.S_IWUSR)


def test_windows_flushes_no_directory(tmp_path, write, as_on_windows):
    for _ in range(2):
        write(tmp_path / "file")
    assert os.listdir(tmp_path) == ["file"]


def test_windows_replaces_no_file_that_is_read_only_and_leaves_nothing(
    tmp_path, write, as_on_windows
):
    path = tmp_path / "file"
    path.write_text("old")
    path.chmod(0o444)
    with pytest.raises(PermissionError, match="denied"):
        write(path)
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["file"]
