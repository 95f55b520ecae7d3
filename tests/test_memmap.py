"""Arrays that are mapped from files are arrays: the same bits, in the files too, and no copies."""

import sys
from pathlib import Path

import numpy as np
import pytest

import bridle as br

from .conftest import by_name
from .memmap_calls import CALLS, IN_PLACE, WITHOUT_ARRAYS
from .test_registry import FUNCTIONS

ROOT = Path(__file__).parents[1]
# Operators of whole matrices need room for others of their size.
WITHIN = [name for name in IN_PLACE if "nuclear" not in name and "orthogonal" not in name]
AHEAD = 3  # elements of other things in front of an array in its file


@pytest.fixture(**by_name(CALLS))
def call(request):
    return request.param


class Files:
    """Arrays in files of their own, each somewhere behind its beginning."""

    def __init__(self, folder, arrays):
        self.folder, self.arrays = folder, arrays
        for name, array in arrays.items():
            ahead = np.full(AHEAD, 7, array.dtype)
            (folder / name).write_bytes(ahead.tobytes() + array.tobytes())

    def mapped(self, modes):
        """Return the arrays, each mapped in the mode of its name."""
        return {
            name: np.memmap(
                self.folder / name, array.dtype, modes[name], AHEAD * array.itemsize, array.shape
            )
            for name, array in self.arrays.items()
        }

    def read(self):
        """Return what the files hold now."""
        return {
            name: np.fromfile(self.folder / name, array.dtype)[AHEAD:].reshape(array.shape)
            for name, array in self.arrays.items()
        }


def in_memory(call):
    """Return the result of a call, and the arrays after it."""
    arrays = call.arrays(5)
    return call.run(arrays), arrays


def each(result):
    return result if type(result) is tuple else (result,)


def assert_same_results(actual, expected, arrays, assert_same_bits):
    """Compare; what is new is no memory map, as with the functions of NumPy."""
    for a, b in zip(each(actual), each(expected), strict=True):
        if isinstance(b, np.ndarray):
            assert_same_bits(a, b)
            assert type(a) is np.ndarray or any(a is array for array in arrays.values())
        elif not isinstance(b, br.PreparedArrays):
            assert a == b


def test_every_function_that_takes_arrays_is_here():
    assert {*FUNCTIONS} - {name.split()[0] for name in CALLS} == WITHOUT_ARRAYS


def test_the_file_gets_the_bits_that_memory_would(call, tmp_path, assert_same_bits):
    expected, after = in_memory(call)
    files = Files(tmp_path, call.arrays(5))
    mapped = files.mapped({name: "r+" if name in call.written else "r" for name in after})
    assert_same_results(call.run(mapped), expected, mapped, assert_same_bits)
    for name, content in files.read().items():
        assert_same_bits(content, after[name], name)


def test_a_private_map_leaves_the_file_alone(call, tmp_path, assert_same_bits):
    expected, after = in_memory(call)
    files = Files(tmp_path, call.arrays(5))
    mapped = files.mapped(dict.fromkeys(after, "c"))
    assert_same_results(call.run(mapped), expected, mapped, assert_same_bits)
    for name, content in files.read().items():
        assert_same_bits(mapped[name], after[name], name)
        assert_same_bits(content, files.arrays[name], name)


def test_a_file_that_may_only_be_read_is_never_written(call, tmp_path, assert_same_bits):
    for name in call.written:
        files = Files(tmp_path, call.arrays(5))
        mapped = files.mapped({n: "r" if n == name else "r+" for n in files.arrays})
        with pytest.raises(ValueError, match=r"writeable|read-only"):
            call.run(mapped)
        for other, content in files.read().items():
            assert_same_bits(content, files.arrays[other], other)


LIMITED = """
import resource, sys
sys.path.insert(0, {root!r})
import numpy as np
import bridle as br
from pathlib import Path
from tests.memmap_calls import CALLS
from tests.test_memmap import WITHIN, Files

def limit_memory(more):
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    wanted = pages * resource.getpagesize() + more if more else resource.RLIM_INFINITY
    resource.setrlimit(resource.RLIMIT_AS, (wanted, resource.RLIM_INFINITY))

br.set_num_threads(2)
for call in (CALLS[name] for name in WITHIN):
    call.run(call.arrays(2000))  # wakes the threads, which take some memory once
    files = Files(Path({folder!r}), call.arrays(8192))
    size = min(array.nbytes for array in files.arrays.values())
    mapped = files.mapped(dict.fromkeys(files.arrays, "r+"))
    files.arrays.clear()
    limit_memory(size // 2)
    try:
        np.copy(next(iter(mapped.values())))
        print("there is no limit")
    except MemoryError:
        pass
    call.run(mapped)
    limit_memory(0)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="limits memory as Linux does")
def test_no_array_is_copied_as_a_whole(tmp_path, run_python):
    program = LIMITED.format(root=str(ROOT), folder=str(tmp_path))
    # Memory that was freed goes back at once, or copies would fit into it.
    done = run_python(program, MALLOC_MMAP_THRESHOLD_="65536")
    assert done.returncode == 0, done.stderr
    assert done.stdout == ""
