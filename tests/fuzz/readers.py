"""What reads files, as functions of any bytes, which are read or refused as a whole.

A target writes the bytes to a file and reads it. What is refused is refused by the documented
exception, in one line, and has changed nothing; what is read can be used; neither takes memory
beyond a multiple of the file.
"""

import atexit
import json
import random
import re
import shutil
import tempfile
import tracemalloc
import warnings
from pathlib import Path
from zlib import crc32

import ml_dtypes
import numpy as np

import bridle as br
from bridle._compare import CompareError
from bridle._compare.data import load_file
from bridle._compare.reading import read_source
from bridle._compare.table import read_table

from .mutations import mutated_archive, mutated_json, mutated_table

LARGEST = 2**16
"""Bytes of an input."""
MEMORY = 2**26
"""Bytes that reading such a file may take."""

_path = Path(tempfile.mkdtemp()) / "file"
atexit.register(shutil.rmtree, _path.parent)


def _require_one_line(message, owner=r"\w+: "):
    assert re.match(owner, message), message
    assert len(message.splitlines()) == 1, message


def _arrays():
    return [np.ones((2, 3), np.float32), np.zeros(3, ml_dtypes.bfloat16)]


def _weights():
    return {"kernel": np.arange(6.0).reshape(2, 3), "bias": _arrays()}


def _tracker(**options):
    criteria = [br.GeneralizationLoss(50), br.ProgressQuotient(9, 2), br.Plateau(3, 0.0)]
    return br.EarlyStopping(9, mode="min", criteria=criteria, **options)


def _run():
    """All that a run consists of, after a step."""
    weights = _weights()
    optimizer = br.AdamW(weights["bias"], [0.1, 0.2])
    optimizer.step(_arrays())
    dropout = br.Dropout(0.5, seed=3)
    dropout(np.ones(4))
    stopping = _tracker(restore_best_weights=True)
    stopping.update(1.0, weights["bias"], training=2.0)
    generators = [np.random.Generator(kind(0)) for kind in (np.random.PCG64, np.random.MT19937)]
    return {
        "weights": weights,
        "optimizer": optimizer,
        "dropout": dropout,
        "stopping": stopping,
        "generator": generators[0],
        "twister": generators[1],
    }


def _content(value):
    """All that is in a value, to be compared."""
    if isinstance(value, np.ndarray):
        return str(value.dtype), value.shape, value.tobytes()
    if isinstance(value, dict):
        return {key: _content(each) for key, each in value.items() if key != "seconds"}
    if isinstance(value, (list, tuple)):
        return [_content(each) for each in value]
    if isinstance(value, np.random.Generator):
        return _content(value.bit_generator.state)
    if isinstance(value, br.EarlyStopping):
        return _content(value.state_dict()), _content(_kept(value))
    if hasattr(value, "state_dict"):
        return _content(value.state_dict())
    return repr(value)


def _kept(tracker):
    """The best weights, None if there are none."""
    try:
        return tracker.best_weights()
    except RuntimeError:
        return None


def checkpoint(data):
    """`load_checkpoint` into a run: all of it or nothing."""
    run = _run()
    before = _content(run)
    _path.write_bytes(data)
    try:
        br.load_checkpoint(_path, **run)
    except ValueError as error:
        _require_one_line(str(error), "load_checkpoint: ")
        assert _content(run) == before
        return
    loaded = _content(run)
    br.save_checkpoint(_path, **run)
    again = _run()
    br.load_checkpoint(_path, **again)
    assert _content(again) == loaded
    run["optimizer"].step(_arrays())
    run["dropout"](np.ones(3))
    run["generator"].random(), run["twister"].random()
    _use(run["stopping"])


def stopping(data):
    """`EarlyStopping.load`."""
    _path.write_bytes(data)
    try:
        loaded = br.EarlyStopping.load(_path)
    except ValueError as error:
        _require_one_line(str(error))
        return
    loaded.save(_path)
    again = br.EarlyStopping.load(_path)
    assert _content(again) == _content(loaded)
    _use(loaded)


def _value(tracker, number):
    """A value for each metric."""
    return number if tracker.monitor is None else dict.fromkeys(tracker.metrics, number)


def _use(tracker):
    repr(tracker), tracker.last, tracker.metrics
    kept = _kept(tracker)
    weights = _arrays() if kept is None and tracker.restore_best_weights else kept
    tracker.update(_value(tracker, 0.5), weights, training=1.0)
    json.dumps(tracker.state_dict(), allow_nan=False)


def states(data):
    """`load_state_dict` of what JSON holds: of a tracker, of dropout, of an optimizer."""
    try:
        state = json.loads(data)
    except (ValueError, RecursionError):
        return
    run = _run()
    for part in (run["stopping"], run["dropout"], run["optimizer"]):
        before = _content(part.state_dict())
        try:
            part.load_state_dict(state)
        except ValueError as error:
            _require_one_line(str(error))
            assert _content(part.state_dict()) == before
        else:
            json.dumps(part.state_dict(), allow_nan=False, default=np.ndarray.tolist)
            if part is run["stopping"]:
                _use(part)
    run["dropout"](np.ones(3))


def table(data):
    """The file of ``bridle compare``, and what it learns from."""
    _path.write_bytes(data)
    choice = random.Random(crc32(data))
    try:
        names = read_source(_path).names
        target = choice.choice([names[-1], names[0], "y"])
        options = {
            "task": choice.choice(["auto", "classification", "regression"]),
            "missing": choice.choice(["error", "drop", "mean"]),
            "ignore": choice.choice([[], [], names[1:2]]),
        }
        read = read_table(_path, target, **options)
    except CompareError as error:
        for problem in error.problems:
            _require_one_line(problem, re.escape(f"{_path}: "))
        return
    assert read.features.shape == (len(read.target), len(read.names))
    split = load_file(_path, target, read).split([0, 1])
    for part in (split.training, split.validation, split.test):
        assert np.isfinite(part.inputs).all()
        assert np.isfinite(part.targets).all()


def _checkpoint_files():
    br.save_checkpoint(_path, **_run())
    yield _path.read_bytes()
    run = _run()
    for part in run:
        br.save_checkpoint(_path, **{**_run(), part: run[part]})
    yield _path.read_bytes()


def _stopping_files():
    trackers = [
        _tracker(restore_best_weights=True),
        _tracker(target=0.1, max_seconds=9.0, smoothing=0.5),
        br.EarlyStopping(2, mode=None, monitor={"loss": "min", "f1": "max"}, min_delta={"f1": 0.1}),
    ]
    for tracker in trackers:
        tracker.save(_path)
        yield _path.read_bytes()
        weights = _arrays() if tracker.restore_best_weights else None
        tracker.update(_value(tracker, 1.0), weights, training=1.0)
        tracker.save(_path)
        yield _path.read_bytes()


def _state_files():
    run = _run()
    for part in (run["stopping"], run["dropout"], run["optimizer"]):
        yield json.dumps(part.state_dict(), default=np.ndarray.tolist).encode()


def _table_files():
    rng = random.Random(0)
    rows = [
        (
            rng.choice("ab c"),
            f"{rng.gauss(0, 9):.3f}",
            str(i),
            rng.choice(["yes", "no"]),
            str(i % 3),
        )
        for i in range(60)
    ]
    lines = [("kind", "x", "id", "flag", "y"), *rows]
    for delimiter, point in ((",", "."), (";", ","), ("\t", ".")):
        text = "\n".join(delimiter.join(line).replace(".", point) for line in lines) + "\n"
        yield text.encode()
    quoted = "\r\n".join(",".join(f'"{cell}"' for cell in line) for line in lines)
    yield b"\xef\xbb\xbf# a note\n" + quoted.encode()
    yield quoted.encode("utf-16")
    dates = "\n".join(f"2020-01-{i % 28 + 1:02},{i},NA,{i * i}.5" for i in range(1, 50))
    yield f"day,y,empty,square\n{dates}".encode()


TARGETS = {
    "checkpoint": (checkpoint, _checkpoint_files, mutated_archive),
    "stopping": (stopping, _stopping_files, mutated_archive),
    "states": (states, _state_files, mutated_json),
    "table": (table, _table_files, mutated_table),
}
"""By name: what takes bytes, what yields files that are right, and how to change one."""


def call(target, data):
    """Call a target, with warnings as errors, and see how much memory that took."""
    data = data[:LARGEST]
    tracemalloc.start()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            target(data)
        taken = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert taken < MEMORY, taken
