"""A checkpoint puts back every bit, all or nothing, and runs that were killed go on from it."""

import json
import math
import random
import re
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import ml_dtypes
import numpy as np
import pytest

import bridle as br

GUIDE = Path(__file__).parents[2] / "docs" / "checkpoints.md"
BFLOAT16 = np.dtype(ml_dtypes.bfloat16)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "run.npz"


class Schedule:
    """An object of a user: its state has all that a state may have."""

    def __init__(self, state=None):
        self.state = state

    def state_dict(self):
        return self.state

    def load_state_dict(self, state):
        if isinstance(state, dict) and "refused" in state:
            raise KeyError("warm_up")
        self.state = state


def flat(tree, place=""):
    """Return the bits of a tree by their places."""
    if isinstance(tree, np.ndarray):
        return {place: (tree.dtype, tree.shape, np.ascontiguousarray(tree).tobytes())}
    if isinstance(tree, (list, tuple)):
        tree = dict(enumerate(tree)) | {"type": type(tree)}
    if isinstance(tree, dict):
        return {p: b for k, v in tree.items() for p, b in flat(v, f"{place}[{k!r}]").items()}
    return {place: (type(tree), repr(tree))}


rng = np.random.default_rng(0)
ARRAYS = {
    "float32": rng.standard_normal((3, 4)).astype("f4"),
    "float16": rng.standard_normal(5).astype("f2"),
    "bfloat16": rng.standard_normal(5).astype(BFLOAT16),
    "float8": rng.standard_normal(5).astype(ml_dtypes.float8_e4m3fn),
    "no dimension": np.array(7),
    "no element": np.zeros((0, 3)),
    "columns": np.asfortranarray(rng.standard_normal((3, 4))),
    "strided": rng.standard_normal((6, 8))[::2, ::-3],
    "not a number": np.array([np.nan, -0.0, np.inf]).view(np.ndarray),
    "flags": np.array([True, False]),
    "complex": np.array([1 + 2j]),
    "texts": np.array(["a", "bc"]),
    "swapped": np.arange(5, dtype=">f4"),
    "large": rng.standard_normal((600, 500)),
    "large columns": np.asfortranarray(rng.standard_normal((600, 500))),
    "large bfloat16": rng.standard_normal((1000, 800)).astype(BFLOAT16),
    "large strided": rng.standard_normal((600, 1000))[:, ::2],
}


@pytest.mark.parametrize("name", ARRAYS)
def test_arrays_come_back_bit_for_bit(path, name):
    array = ARRAYS[name]
    base = np.zeros((*array.shape, 2), array.dtype)
    for target in (np.zeros_like(array), np.zeros_like(array, order="C"), base[..., 1]):
        br.save_checkpoint(path, it=array)
        br.load_checkpoint(path, it=target)
        assert flat(target) == flat(array)
    assert not base[..., 0].any()


STATES = [
    None,
    {},
    {"numbers": [1, -2, 2**100, 0.1, math.inf, -math.inf, True], 3: "text", "none": (None, ())},
    {"deep": [{"a": (np.arange(3), [np.ones((2, 2), BFLOAT16)])}], "": {1: {2: {}}}},
]


@pytest.mark.parametrize("state", STATES)
def test_states_of_any_object(path, state):
    br.save_checkpoint(path, schedule=Schedule(state))
    new = Schedule()
    br.load_checkpoint(path, schedule=new)
    assert flat(new.state) == flat(state)
    if isinstance(new.state, dict) and "deep" in new.state:
        new.state["deep"][0]["a"][0][0] = 9  # the object's own


def test_scalars_of_numpy_are_numbers(path):
    br.save_checkpoint(path, schedule=Schedule([np.float32(0.5), np.int64(3), np.bool_(True)]))
    new = Schedule()
    br.load_checkpoint(path, schedule=new)
    assert flat(new.state) == flat([0.5, 3, True])


def test_nan_comes_back(path):
    br.save_checkpoint(path, schedule=Schedule(math.nan))
    new = Schedule()
    br.load_checkpoint(path, schedule=new)
    assert math.isnan(new.state)


def run_of(seed):
    """Return all that a run consists of, in a state that depends on the seed."""
    generator = np.random.default_rng(seed)
    weights = {
        "layers": [
            {"kernel": generator.standard_normal((600, 300)).astype("f4"), "bias": np.zeros(300)},
            (np.full(3, seed, BFLOAT16),),
        ],
        "count": np.array(seed),
    }
    flat_weights = {"kernel": weights["layers"][0]["kernel"], "bias": weights["layers"][0]["bias"]}
    optimizer = br.AdamW(flat_weights, 0.1, l1=0.01)
    half = br.SGD(
        weights["layers"][1][0],
        0.1,
        momentum=0.9,
        rounding="stochastic",
        seed=1,
        state_dtype="bfloat16",
    )
    dropout = br.Dropout(0.5, seed=1)
    criteria = [br.GeneralizationLoss(50.0)]
    stopping = br.EarlyStopping(
        5, mode="min", restore_best_weights=True, smoothing=0.3, criteria=criteria
    )
    mersenne = np.random.Generator(np.random.MT19937(seed))
    for t in range(seed):
        optimizer.step(
            {k: generator.standard_normal(w.shape) for k, w in flat_weights.items()}
            | {"kernel": generator.standard_normal((600, 300)).astype("f4")}
        )
        half.step(np.ones(3, "f4"))
        dropout(np.ones(3))
        stopping.update(1.0 / (t + 1), flat_weights)
        mersenne.permutation(5)
    return {
        "weights": weights,
        "prepared": br.prepare([np.full(4, seed, "f4")]),
        "optimizer": optimizer,
        "half": half,
        "dropout": dropout,
        "stopping": stopping,
        "shuffle": generator,
        "mersenne": mersenne,
        "bits": mersenne.bit_generator,
        "schedule": Schedule({"seed": seed}),
    }


def state_of(run):
    """Return the bits of a run."""
    return flat(
        {
            "weights": run["weights"],
            "prepared": list(run["prepared"]),
            "optimizers": [run[name].state_dict() for name in ("optimizer", "half")],
            "dropout": run["dropout"].state_dict(),
            "stopping": run["stopping"].state_dict(),
            "best": run["stopping"].best_weights() if run["stopping"].best_epoch is not None else 0,
            "generators": [run["shuffle"].bit_generator.state, run["mersenne"].bit_generator.state],
            "schedule": run["schedule"].state,
        }
    )


def test_a_whole_run_comes_back(path):
    first, second = run_of(3), run_of(1)
    br.save_checkpoint(path, **first)
    assert state_of(first) != state_of(second)
    br.load_checkpoint(path, **second)
    # Time passes in a tracker.
    assert state_of(second).keys() == state_of(first).keys()
    differing = {k for k, v in state_of(second).items() if v != state_of(first)[k]}
    assert all("seconds" in key for key in differing), differing
    best = second["stopping"].best_weights()
    second["stopping"].update(0.0, {k: w + 1 for k, w in best.items()})  # its own buffers
    br.load_checkpoint(path, weights=second["weights"])  # some of the parts


def test_equal_runs_make_equal_files_that_numpy_opens(path, tmp_path):
    other = tmp_path / "other.npz"
    for place in (path, other):
        br.save_checkpoint(place, weights=[np.ones(3), np.zeros(2)], rng=np.random.default_rng(1))
    assert path.read_bytes() == other.read_bytes()
    with np.load(path) as file:
        assert (file["0"] == 1).all()
        content = json.loads(file["checkpoint.json"])
    assert content["format"] == "bridle.checkpoint"


def test_tied_weights_are_stored_once(path):
    tied = np.ones(10_000)
    br.save_checkpoint(path, weights={"embedding": tied, "head": tied})
    assert path.stat().st_size < 1.2 * tied.nbytes
    target = np.zeros_like(tied)
    br.load_checkpoint(path, weights={"head": target, "embedding": target})
    assert (target == 1).all()


REFUSED = r"^load_checkpoint: .*run\.npz must be a complete file of save_checkpoint: "


def small():
    w = np.arange(6.0)
    optimizer = br.AdamW(w, 0.1)
    optimizer.step(np.ones(6))
    return {"weights": {"w": w}, "optimizer": optimizer, "schedule": Schedule({"a": 1.5})}


def bits_of(run):
    return flat([run["weights"], run["optimizer"].state_dict(), run["schedule"].state])


def test_damaged_files_are_refused_or_do_not_matter(path):
    br.save_checkpoint(path, **small())
    whole, saved = path.read_bytes(), bits_of(small())
    new = small()
    new["optimizer"].step(np.ones(6))
    before = bits_of(new)
    chance = random.Random(0)
    damaged = [whole[:length] for length in range(0, len(whole), 7)]
    for _ in range(400):
        flipped = bytearray(whole)
        flipped[chance.randrange(len(whole))] ^= 1 << chance.randrange(8)
        damaged.append(bytes(flipped))
    refused = 0
    for content in damaged:
        path.write_bytes(content)
        try:
            br.load_checkpoint(path, **new)
        except ValueError as error:
            refused += bool(re.match(REFUSED, str(error)))
            assert bits_of(new) == before
        else:
            assert bits_of(new) == saved
            new = small()
            new["optimizer"].step(np.ones(6))
    assert refused > 0.8 * len(damaged)


def test_a_large_array_that_is_damaged_changes_nothing(path):
    weights = {"a": np.ones(10), "b": np.ones(500_000)}
    br.save_checkpoint(path, weights=weights)
    content = bytearray(path.read_bytes())
    content[3_000_000] ^= 1
    path.write_bytes(content)
    target = {name: np.zeros_like(w) for name, w in weights.items()}
    with pytest.raises(ValueError, match=REFUSED):
        br.load_checkpoint(path, weights=target)
    assert not any(w.any() for w in target.values())


def test_files_of_others_are_refused(path):
    stopping = br.EarlyStopping(3, mode="min")
    stopping.save(path)
    with pytest.raises(ValueError, match=REFUSED):
        br.load_checkpoint(path, stopping=stopping)
    np.savez(path, a=np.ones(3))
    with pytest.raises(ValueError, match=REFUSED):
        br.load_checkpoint(path, weights=np.ones(3))
    br.save_checkpoint(path, stopping=stopping)
    with pytest.raises(ValueError, match=r"must be a complete file of EarlyStopping\.save"):
        br.EarlyStopping.load(path)
    with pytest.raises(FileNotFoundError):
        br.load_checkpoint(path.with_name("none"), weights=np.ones(3))


def changed(run, **parts):
    return run | parts


def read_only():
    w = np.zeros(6)
    w.flags.writeable = False
    return w


MISFITS = [
    (
        {"other": np.zeros(3)},
        "parts must be among those of PATH, weights, optimizer, schedule, got "
        "weights, optimizer, schedule, other",
    ),
    (
        {"weights": {"w": np.zeros(5)}},
        "weights['w'] must be as in the file, float64 of shape (6,), got float64 of shape (5,)",
    ),
    (
        {"weights": {"w": np.zeros(6, "f4")}},
        "weights['w'] must be as in the file, float64 of shape (6,), got float32 of shape (6,)",
    ),
    ({"weights": {"w": read_only()}}, "weights['w'] must be writeable, got read-only"),
    ({"weights": {"v": np.zeros(6)}}, "weights must have the keys of the file, got 'v' here alone"),
    (
        {"weights": {"w": [np.zeros(6)]}},
        "weights['w'] must be as in the file, float64 of shape (6,), got a list of 1",
    ),
    ({"weights": {}}, "weights must have the keys of the file, got none of 'w'"),
    ({"weights": [np.zeros(6)]}, "weights must be as in the file, a mapping, got a list of 1"),
    (
        {"optimizer": br.SGD(np.zeros(6), 0.1)},
        "optimizer must fit its state in the file: SGD: state must be that of SGD, got that of "
        "'AdamW'",
    ),
    (
        {"optimizer": br.AdamW(np.zeros(5), 0.1)},
        "optimizer must fit its state in the file: AdamW: first_moment must be float64 of shape "
        "(5,), got float64 of shape (6,)",
    ),
    (
        {"schedule": np.random.default_rng(0)},
        "schedule must fit its state in the file: state must be for a PCG64 RNG",
    ),
    (
        {"schedule": br.EarlyStopping(3, mode="min")},
        "schedule must fit its state in the file: KeyError('weights')",
    ),
    (
        {"schedule": np.zeros(3)},
        "schedule must be as in the file, a mapping, got float64 of shape (3,)",
    ),
]


@pytest.mark.parametrize(("parts", "message"), MISFITS)
def test_what_does_not_fit_is_named_and_changes_nothing(path, parts, message):
    br.save_checkpoint(path, **small())
    run = small()
    run["optimizer"].step(np.ones(6))
    run["schedule"].state = "before"
    before = bits_of(run)
    message = re.escape(f"load_checkpoint: {message}").replace("PATH", re.escape(str(path)))
    with pytest.raises(ValueError, match=f"^{message}$"):
        br.load_checkpoint(path, **run | parts)
    assert bits_of(run) == before


def test_objects_that_took_their_states_get_their_own_back(path):
    saved = {"a": Schedule("new"), "b": Schedule("new"), "c": Schedule({"refused": 1})}
    br.save_checkpoint(path, **saved, weights=np.ones(3))
    run = {"a": Schedule(["old"]), "b": Schedule("old"), "c": Schedule("old")}
    weights = np.zeros(3)
    rule = r"load_checkpoint: c must fit its state in the file: KeyError\('warm_up'\)"
    with pytest.raises(ValueError, match=f"^{rule}$"):
        br.load_checkpoint(path, **run, weights=weights)
    assert [each.state for each in run.values()] == [["old"], "old", "old"]
    assert not weights.any()


def test_objects_may_raise_anything_of_states_that_are_not_theirs(path):
    other = np.random.Generator(np.random.MT19937(0))
    before = flat(other.bit_generator.state)
    state = other.bit_generator.state
    state["state"]["key"] = state["state"]["key"][:3]
    br.save_checkpoint(path, generator=Schedule(state))
    rule = "load_checkpoint: generator must fit its state in the file: IndexError"
    with pytest.raises(ValueError, match=f"^{rule}"):
        br.load_checkpoint(path, generator=other)
    assert flat(other.bit_generator.state) == before


@pytest.mark.parametrize("parts", [[["a"]], "text", 3, None])
def test_parts_of_a_file_are_named(path, parts):
    with zipfile.ZipFile(path, "w") as file:
        whole = {"format": "bridle.checkpoint", "version": 1, "parts": parts}
        file.writestr("checkpoint.json", json.dumps(whole))
    with pytest.raises(
        ValueError, match="must be a complete file of save_checkpoint: AttributeError"
    ):
        br.load_checkpoint(path, w=np.zeros(1))


def test_names_in_a_file_do_not_break_the_line_of_the_message(path):
    br.save_checkpoint(path, **{"a\nb": np.zeros(3)})
    with pytest.raises(ValueError, match=r", a\\nb, got weights$"):
        br.load_checkpoint(path, weights=np.zeros(3))


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        (
            {"epoch": 3},
            "epoch must be arrays, also in lists and mappings, or have state_dict and "
            "load_state_dict, got int",
        ),
        (
            {"weights": {"a": [1.0, 2.0]}},
            "weights['a'][0] must be arrays, also in lists and mappings, or have state_dict and "
            "load_state_dict, got float",
        ),
        (
            {"w": np.array([None])},
            "w must be of a type that NumPy's files can describe, got dtype('O')",
        ),
        ({"w": {(1, 2): np.ones(2)}}, "keys of w must be texts or whole numbers, got (1, 2)"),
        (
            {"schedule": Schedule({"a": [object]})},
            "schedule['a'][0] must be an array, a number, a text, or a list, tuple or mapping of "
            "such, got <class 'object'>",
        ),
        (
            {"w": np.ma.masked_array([1.0, 2.0], [True, False])},
            "w must not be masked",
        ),
    ],
)
def test_what_cannot_be_stored_is_refused_before_anything_is_written(path, parts, message):
    path.write_text("before")
    with pytest.raises(TypeError, match=f"^{re.escape(f'save_checkpoint: {message}')}"):
        br.save_checkpoint(path, **parts)
    assert path.read_text() == "before"
    assert [p.name for p in path.parent.iterdir()] == ["run.npz"]


@pytest.mark.parametrize("function", [br.save_checkpoint, br.load_checkpoint])
def test_the_path_is_one(function):
    with pytest.raises(TypeError, match=r"path must be a str or os\.PathLike, got 3$"):
        function(3, weights=np.ones(1))


def guide():
    (program,) = re.findall(r"```python\n(.*?)```", GUIDE.read_text("utf-8"), re.DOTALL)
    return program


def test_a_killed_run_goes_on_to_the_bits_of_one_that_was_not(tmp_path):
    program = tmp_path / "train.py"
    program.write_text(guide(), "utf-8")

    def started(name):
        command = [sys.executable, "-u", str(program), str(tmp_path / name)]
        return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)

    whole, _ = started("whole.npz").communicate()
    assert whole.startswith("best epoch ")
    chance, longest, deaths = random.Random(1), 0.05, 0
    killed, step = tmp_path / "killed.npz", ""
    while True:
        process = started(killed.name)
        while not killed.exists():
            assert process.poll() is None
            time.sleep(0.001)
        before, step = step, process.stdout.readline() if deaths else ""
        if deaths and step == before:
            longest *= 1.5  # a slow machine, where an epoch takes longer
        time.sleep(chance.random() * longest)
        process.send_signal(chance.choice([signal.SIGKILL, signal.SIGTERM]))
        output, _ = process.communicate()
        if process.returncode != 0:
            deaths += 1
        elif deaths > 3:
            break
        else:  # a fast machine, where it ended too early
            killed.unlink()
            longest, deaths = longest / 4, 0
    assert output.splitlines()[-1] == whole.splitlines()[-1]
    stopped = [
        json.loads(np.load(tmp_path / n)["checkpoint.json"]) for n in ("whole.npz", "killed.npz")
    ]
    assert stopped[0]["parts"]["optimizer"] == stopped[1]["parts"]["optimizer"]
    with np.load(tmp_path / "whole.npz") as one, np.load(tmp_path / "killed.npz") as other:
        names = [name for name in one if name != "checkpoint.json"]
        assert len(names) > 4
        assert all(one[name].tobytes() == other[name].tobytes() for name in names)
