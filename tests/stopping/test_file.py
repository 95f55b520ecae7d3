"""`save` and `load` of `EarlyStopping`: everything comes back."""

import io
import json
import os
import stat
import zipfile
from pathlib import Path
from typing import NamedTuple

import ml_dtypes
import numpy as np
import pytest

import bridle as br
from bridle import _files

DTYPES = [
    np.float16,
    ml_dtypes.bfloat16,
    ml_dtypes.float8_e4m3fn,
    ml_dtypes.int4,
    np.float32,
    np.float64,
    np.longdouble,
    np.int64,
    np.bool_,
    np.complex64,
    ">f4",
    "S3",
]


def kept(weights, **options):
    stopping = br.EarlyStopping(
        **{"patience": 9, "mode": "min", "restore_best_weights": True, **options}
    )
    stopping.update(1.0, weights)
    return stopping


def bits(array):
    return array.dtype, array.shape, array.tobytes()


def random_bits(shape, dtype):
    dtype = np.dtype(dtype)
    count = int(np.prod(shape)) * dtype.itemsize
    top = 2 if dtype.kind == "b" else 16 if dtype.name == "int4" else 256
    raw = np.random.default_rng(0).integers(0, top, count, dtype=np.uint8)
    return raw.view(dtype).reshape(shape)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "best"  # no ending: none is added


@pytest.mark.parametrize("shape", [(), (0,), (3, 0, 2), (5,), (3, 4)])
@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_weights_come_back_bit_for_bit(path, dtype, shape):
    weights = random_bits(shape, dtype)
    kept(weights).save(path)
    loaded = br.EarlyStopping.load(path)
    assert bits(loaded.best_weights()) == bits(weights)
    other = np.zeros_like(weights)
    loaded.restore(other)
    assert bits(other) == bits(weights)


@pytest.mark.parametrize(
    "weights",
    [
        np.ones(2),
        [np.ones(2)],
        (np.ones(2), np.zeros(1)),
        (),
        [np.ones(2), np.zeros((2, 2), ml_dtypes.bfloat16)],
        [],
        {"w": np.ones(2), "b": np.zeros(1, np.float32)},
        {"../strange\n/name": np.ones(2), "": np.ones(1), 3: np.ones(1)},
        {},
    ],
    ids=repr,
)
def test_structure_comes_back(path, weights):
    kept(weights).save(path)
    loaded = br.EarlyStopping.load(path).best_weights()
    assert type(loaded) is type(weights)
    if isinstance(weights, np.ndarray):
        loaded, weights = [loaded], [weights]
    if isinstance(weights, dict):
        assert list(loaded) == list(weights)
        loaded, weights = loaded.values(), weights.values()
    assert [bits(array) for array in loaded] == [bits(array) for array in weights]


class Layer(NamedTuple):
    w: np.ndarray


def test_named_tuple_comes_back_as_a_plain_one(path):
    kept(Layer(np.ones(2))).save(path)
    loaded = br.EarlyStopping.load(path).best_weights()
    assert type(loaded) is tuple
    assert loaded[0].tolist() == [1, 1]


@pytest.mark.parametrize("dtype", [np.float32, ml_dtypes.bfloat16])
def test_fortran_order_comes_back(path, dtype):
    weights = random_bits((3, 4), dtype).T
    kept(weights).save(path)
    loaded = br.EarlyStopping.load(path).best_weights()
    assert loaded.flags.f_contiguous
    assert not loaded.flags.c_contiguous
    assert bits(loaded) == bits(weights)


def test_non_contiguous_weights_come_back(path):
    weights = random_bits((4, 6, 8), np.float32)[::2, :, 1:].transpose(1, 2, 0)
    kept(weights).save(path)
    assert bits(br.EarlyStopping.load(path).best_weights()) == bits(weights)


def test_loaded_tracker_goes_on_where_the_saved_one_was(path):
    weights = np.zeros(2)
    options = {"smoothing": 0.5, "criteria": [br.Plateau(3, 0.0)], "baseline": -np.inf}
    stopping = kept(weights, **options)
    stopping.update(2.0, weights + 1)
    stopping.save(path)
    loaded = br.EarlyStopping.load(path)
    for value in [0.0, 4.0, 0.5, 0.0]:
        weights += 1
        assert stopping.update(value, weights) == loaded.update(value, weights)
        assert stopping.last == loaded.last
        assert (stopping.best_weights() == loaded.best_weights()).all()
        mine, theirs = stopping.state_dict(), loaded.state_dict()
        mine["state"]["seconds"] = theirs["state"]["seconds"] = None
        assert mine == theirs


def test_changes_win_over_the_file(path):
    kept(np.ones(1), criteria=[br.Plateau(3, 0.5)], patience=1).save(path)
    asked = []
    loaded = br.EarlyStopping.load(
        path, patience=7, min_delta=0.5, reduce=lambda stop: asked.append(stop) or stop
    )
    assert (loaded.patience, loaded.min_delta, loaded.best) == (7, 0.5, 1.0)
    assert repr(loaded.criteria) == "(Plateau(window=3, tolerance=0.5),)"
    loaded.update(0.8, np.ones(1))
    assert (loaded.best, asked) == (1.0, [False])
    assert br.EarlyStopping.load(path, criteria=[]).criteria == ()
    with pytest.raises(ValueError, match="patience must be >= 0, got -1"):
        br.EarlyStopping.load(path, patience=-1)
    with pytest.raises(TypeError, match="patienc"):
        br.EarlyStopping.load(path, patienc=1)


class Own(br.Plateau): ...


def test_own_criteria_must_be_given(path):
    kept(np.ones(1), criteria=[br.Plateau(2, 0.0), Own(3, 0.0)]).save(path)
    with pytest.raises(
        ValueError, match=r"criteria must be given to load, .* the file's have 'Own'"
    ):
        br.EarlyStopping.load(path)
    loaded = br.EarlyStopping.load(path, criteria=[Own(3, 0.0)])
    assert loaded.criteria[0].state_dict() == {"values": [1.0]}


def test_weights_are_dropped_where_the_new_configuration_keeps_none(path):
    kept(np.ones(1)).save(path)
    loaded = br.EarlyStopping.load(path, restore_best_weights=False)
    with pytest.raises(RuntimeError, match="restore_best_weights is False"):
        loaded.restore(np.ones(1))


def test_state_without_weights_is_saved_too(path):
    br.EarlyStopping(3, mode="max", restore_best_weights=True).save(path)
    loaded = br.EarlyStopping.load(path)
    assert (loaded.patience, loaded.best) == (3, None)
    with pytest.raises(RuntimeError, match="update has taken no value"):
        loaded.best_weights()


def test_subclass_loads_itself(path):
    class Mine(br.EarlyStopping): ...

    kept(np.ones(1)).save(path)
    assert type(Mine.load(path)) is Mine


def test_file_is_an_uncompressed_npz_without_pickles(path):
    stopping = kept({"w": np.ones(2)})
    stopping.save(path)
    with np.load(path, allow_pickle=False) as file:
        assert file["0"].tolist() == [1, 1]
        assert json.loads(file["stopping.json"])["format"] == "bridle.EarlyStopping"
    with zipfile.ZipFile(path) as file:
        assert {info.compress_type for info in file.infolist()} == {zipfile.ZIP_STORED}


@pytest.mark.parametrize("kind", [str, Path, os.fspath])
def test_path_is_used_as_given(tmp_path, monkeypatch, kind):
    monkeypatch.chdir(tmp_path)
    for name in ["weights.npz", "weights.ckpt", ".hidden"]:
        kept(np.ones(1)).save(kind(Path(name)))
        assert br.EarlyStopping.load(kind(tmp_path / name)).best == 1.0
    assert sorted(os.listdir()) == [".hidden", "weights.ckpt", "weights.npz"]


@pytest.mark.parametrize("path", [3, None, b"weights", io.BytesIO()])
def test_path_that_is_none_is_a_type_error(path):
    for use in (kept(np.ones(1)).save, br.EarlyStopping.load):
        with pytest.raises(
            TypeError, match=r"^EarlyStopping: path must be a str or os.PathLike, got"
        ):
            use(path)


def test_file_has_the_permissions_of_any_new_file(path, tmp_path):
    kept(np.ones(1)).save(path)
    (tmp_path / "other").touch()
    assert stat.S_IMODE(path.stat().st_mode) == stat.S_IMODE((tmp_path / "other").stat().st_mode)


def test_missing_file_and_folder_are_the_usual_errors(tmp_path):
    with pytest.raises(FileNotFoundError):
        br.EarlyStopping.load(tmp_path / "missing")
    with pytest.raises(FileNotFoundError):
        kept(np.ones(1)).save(tmp_path / "missing" / "file")
    with pytest.raises(IsADirectoryError):
        br.EarlyStopping.load(tmp_path)


@pytest.mark.parametrize("error", [OSError("disk full"), KeyboardInterrupt()], ids=repr)
@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_failed_save_leaves_the_old_file_and_nothing_else(path, monkeypatch, step, error):
    stopping = kept(np.ones(1))
    stopping.save(path)
    before = path.read_bytes()
    stopping.update(0.5, np.zeros(1))

    def fail(*arguments):
        raise error

    with monkeypatch.context() as patch:
        patch.setattr(_files.os, step, fail)
        with pytest.raises(type(error)):
            stopping.save(path)
    assert path.read_bytes() == before
    assert os.listdir(path.parent) == [path.name]


def test_file_is_flushed_before_it_is_renamed_and_the_folder_after(path, monkeypatch):
    steps = []
    fsync, replace = os.fsync, os.replace

    def spy_fsync(descriptor):
        kind = "folder" if stat.S_ISDIR(os.fstat(descriptor).st_mode) else "file"
        steps.append(kind)
        fsync(descriptor)

    def spy_replace(source, target):
        assert os.path.dirname(source) == os.path.dirname(target)
        steps.append("rename")
        replace(source, target)

    monkeypatch.setattr(_files.os, "fsync", spy_fsync)
    monkeypatch.setattr(_files.os, "replace", spy_replace)
    kept(np.ones(1)).save(path)
    assert steps == ["file", "rename", "folder"]


def test_weights_that_cannot_be_described_are_refused(path):
    structured = np.zeros(2, [("x", ml_dtypes.bfloat16), ("y", "f4")])
    with pytest.raises(TypeError, match=r"weights\[0\] cannot be saved"):
        kept(structured).save(path)
    with pytest.raises(
        TypeError, match=r"names of weights must be strings to be saved, got \(1,\)"
    ):
        kept({(1,): np.ones(1)}).save(path)
    assert os.listdir(path.parent) == []
