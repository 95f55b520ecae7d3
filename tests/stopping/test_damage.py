"""Damaged files, foreign files and killed writers: `EarlyStopping.load` takes all or nothing."""

import errno
import io
import json
import random
import subprocess
import sys
import time
import zipfile

import ml_dtypes
import numpy as np
import pytest

import bridle as br


def kept(weights):
    stopping = br.EarlyStopping(9, mode="min", restore_best_weights=True)
    stopping.update(1.0, weights)
    return stopping


def bits(array):
    return array.dtype, array.shape, array.tobytes()


@pytest.fixture
def path(tmp_path):
    return tmp_path / "best"


REFUSED = r"^EarlyStopping: .*best must be a complete file of EarlyStopping.save: "


def test_truncated_file_is_refused_at_every_length(path):
    kept({"w": np.ones(3), "b": np.zeros(2, ml_dtypes.bfloat16)}).save(path)
    whole = path.read_bytes()
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        with pytest.raises(ValueError, match=REFUSED):
            br.EarlyStopping.load(path)


def test_flipped_bits_are_refused_or_do_not_matter(path):
    weights = np.arange(5.0)
    stopping = kept(weights)
    stopping.save(path)
    whole, last = path.read_bytes(), stopping.last
    rng = random.Random(0)
    refused = 0
    for _ in range(1500):
        damaged = bytearray(whole)
        damaged[rng.randrange(len(whole))] ^= 1 << rng.randrange(8)
        path.write_bytes(damaged)
        try:
            loaded = br.EarlyStopping.load(path)
        except ValueError:
            refused += 1
            continue
        assert loaded.last == last
        assert bits(loaded.best_weights()) == bits(weights)
    assert refused > 1000


def rewritten(path, change):
    """Change the members of a file: a mapping of names to bytes."""
    with zipfile.ZipFile(path) as file:
        members = {info.filename: file.read(info) for info in file.infolist()}
    change(members)
    with zipfile.ZipFile(path, "w") as file:
        for name, content in members.items():
            file.writestr(name, content)


def with_json(change):
    def rewrite(members):
        content = json.loads(members["stopping.json"])
        change(content)
        members["stopping.json"] = json.dumps(content)

    return rewrite


def npy(array, **options):
    file = io.BytesIO()
    np.lib.format.write_array(file, array, **options)
    return file.getvalue()


def header(text):
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text


HOSTILE = {
    "another zip": lambda m: m.clear(),
    "no JSON": lambda m: m.update({"stopping.json": b"{"}),
    "a list": lambda m: m.update({"stopping.json": b"[]"}),
    "deep JSON": lambda m: m.update({"stopping.json": b"[" * 10**6}),
    "another format": with_json(lambda c: c.update(format="x")),
    "a later version": with_json(lambda c: c.update(version=2)),
    "bad patience": with_json(lambda c: c["config"].update(patience=-1)),
    "unknown parameter": with_json(lambda c: c["config"].update(other=1)),
    "missing parameter": with_json(lambda c: c["config"].pop("mode")),
    "bad criterion": with_json(
        lambda c: c["config"].update(criteria=[{"type": "bridle.Plateau", "window": 0}])
    ),
    "bad state": with_json(lambda c: c["state"].update(next_epoch=-1)),
    "no best value": with_json(
        lambda c: c["state"]["metrics"][0].update(best=None, best_epoch=None)
    ),
    "weights of another kind": with_json(lambda c: c["weights"].update(kind="set")),
    "weights of another type": with_json(lambda c: c["weights"]["arrays"][0].update(dtype="finfo")),
    "a type of another size": with_json(lambda c: c["weights"]["arrays"][0].update(dtype="int4")),
    "a list with names": with_json(lambda c: c["weights"]["arrays"][0].update(name="x")),
    "names twice": with_json(lambda c: c["weights"].update(arrays=c["weights"]["arrays"] * 2)),
    "missing member": lambda m: m.pop("0.npy"),
    "a pickle": lambda m: m.update({"0.npy": npy(np.array([{}]), allow_pickle=True)}),
    "a huge shape": lambda m: m.update(
        {"0.npy": header(b"{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000000000,)}")}
    ),
    "a negative shape": lambda m: m.update(
        {"0.npy": header(b"{'descr': '<f8', 'fortran_order': False, 'shape': (-1,)}") + bytes(8)}
    ),
    "an overflowing shape": lambda m: m.update(
        {
            "0.npy": header(
                b"{'descr': '<f8', 'fortran_order': False, 'shape': (4294967296, 4294967296)}"
            )
        }
    ),
    "code": lambda m: m.update({"0.npy": header(b"__import__('os').abort()")}),
    "another version of npy": lambda m: m.update({"0.npy": npy(np.ones(1), version=(2, 0))}),
    "too many bytes": lambda m: m.update({"0.npy": m["0.npy"] + b"\0"}),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_foreign_file_is_refused(path, case):
    kept(np.ones(1)).save(path)
    rewritten(path, HOSTILE[case])
    with pytest.raises(ValueError, match=REFUSED):
        br.EarlyStopping.load(path)


def test_compressed_file_is_refused_unread(path):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("stopping.json", b" " * 10**7)
    with pytest.raises(ValueError, match=f"{REFUSED}ValueError: a member is compressed"):
        br.EarlyStopping.load(path)


def test_member_that_claims_more_than_the_file_holds_is_refused(path):
    kept(np.ones(1)).save(path)
    whole = path.read_bytes()
    directory = whole.rindex(b"PK\x01\x02")  # the entry of the last member
    for sizes, reason in ((2, "the members are larger than"), (1, "a member has two sizes")):
        content = bytearray(whole)
        content[directory + 20 : directory + 20 + 4 * sizes] = sizes * (2**30).to_bytes(4, "little")
        path.write_bytes(content)
        with pytest.raises(ValueError, match=f"{REFUSED}ValueError: {reason}"):
            br.EarlyStopping.load(path)


def test_what_a_file_says_does_not_break_the_line_of_the_message(path):
    kept(np.ones(1)).save(path)
    rewritten(path, with_json(lambda c: c.update(format="a\nb\u2028c\ud800")))
    with pytest.raises(ValueError, match=REFUSED) as error:
        br.EarlyStopping.load(path)
    assert str(error.value).endswith(r"ValueError: format a\nb\u2028c\ud800, version 1")


@pytest.mark.parametrize("content", [b"", b"text", b"PK\x05\x06" + bytes(18), b"\x93NUMPY"])
def test_file_that_is_no_zip_is_refused(path, content):
    path.write_bytes(content)
    with pytest.raises(ValueError, match=REFUSED):
        br.EarlyStopping.load(path)


def test_error_of_the_disk_is_not_taken_for_a_damaged_file(path, monkeypatch):
    def fail(*arguments):
        raise OSError(errno.EIO, "broken")

    kept(np.ones(1)).save(path)
    monkeypatch.setattr("bridle._archive.zipfile.ZipFile", fail)
    with pytest.raises(OSError, match="broken"):
        br.EarlyStopping.load(path)


WRITER = """
import sys
import numpy as np
import bridle as br

weights = [np.zeros(20_000), np.zeros((3, 5), np.float32), np.zeros(3)]
stopping = br.EarlyStopping(10**9, mode="max", restore_best_weights=True)
for epoch in range(10**9):
    for array in weights:
        array += 1
    stopping.update(float(epoch), weights)
    stopping.save(sys.argv[1])
    print(epoch, flush=True)
"""


def test_killed_process_leaves_a_file_of_one_epoch(path):
    rng = random.Random(0)
    for _ in range(25):
        writer = subprocess.Popen([sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE)
        saved = [int(writer.stdout.readline()) for _ in range(rng.randint(1, 9))]
        during = br.EarlyStopping.load(path)
        time.sleep(rng.random() * 0.01)
        writer.kill()
        writer.wait()
        writer.stdout.close()
        after = br.EarlyStopping.load(path)
        assert saved[-1] <= during.best_epoch <= after.best_epoch
        for loaded in (during, after):
            values = {float(v) for array in loaded.best_weights() for v in array.flat}
            assert (loaded.best, values) == (loaded.best_epoch, {loaded.best_epoch + 1})
    assert {p.suffix for p in path.parent.iterdir()} <= {"", ".tmp"}
