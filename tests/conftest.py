"""What the tests share: types, layouts, threads, instruction sets, comparison bit for bit."""

import ctypes
import mmap
import os
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import settings

import bridle as br
from bridle import _core

from .cases import DTYPES, ELEMENTWISE, PENALTIES, values

settings.register_profile("bridle", deadline=None, derandomize=True)
settings.load_profile("bridle")

_core.require_all_threads(True)  # also where they do not pay


def by_name(mapping):
    """Parametrize a fixture by the values of a mapping, under their names."""
    return {"params": list(mapping.values()), "ids": list(mapping), "scope": "session"}


@pytest.fixture(**by_name(DTYPES))
def dtype(request):
    return request.param


@pytest.fixture(**by_name(ELEMENTWISE))
def operator(request):
    return request.param


@pytest.fixture(**by_name(PENALTIES))
def penalty(request):
    return request.param


@pytest.fixture(params=_core.available_instruction_sets())
def instruction_set(request):
    before = _core.instruction_set()
    _core.set_instruction_set(request.param)
    yield request.param
    _core.set_instruction_set(before)


@pytest.fixture
def set_threads():
    """Set the number of threads until the end of the test."""
    before = br.get_num_threads()
    yield br.set_num_threads
    br.set_num_threads(before)


@pytest.fixture(params=[1, 2, 3, 5])
def threads(request, set_threads):
    set_threads(request.param)
    return request.param


def placed(array, offset):
    """Copy an array into memory that starts `offset` bytes after an aligned address."""
    memory = np.empty(array.nbytes + offset + 64, np.uint8)
    begin = -memory.ctypes.data % 64 + offset
    copy = memory[begin : begin + array.nbytes].view(array.dtype).reshape(array.shape)
    copy[...] = array
    return copy


def every_other(array):
    copy = np.zeros((*array.shape[:-1], 2 * array.shape[-1]), array.dtype)[..., ::2]
    copy[...] = array
    return copy


def sliced(array):
    copy = np.zeros((*array.shape[:-1], array.shape[-1] + 3), array.dtype)[..., 1:-2]
    copy[...] = array
    return copy


LAYOUTS = {
    "C order": lambda a: placed(a, 0),
    "Fortran order": np.asfortranarray,
    "one element further": lambda a: placed(a, a.itemsize),
    "every other element": every_other,
    "reversed": lambda a: a[..., ::-1].copy()[..., ::-1],
    "sliced from wider rows": sliced,
    "unaligned": lambda a: placed(a, 1),
}


@pytest.fixture(**by_name(LAYOUTS))
def layout(request):
    """Return a function that gives an equal array in another layout."""
    return request.param


def bits(array):
    return np.ascontiguousarray(array).view(f"u{array.dtype.itemsize}")


@pytest.fixture(scope="session")
def assert_same_bits():
    """Compare type, shape and bits; a NaN equals any NaN unless `nan_bits`."""

    def compare(actual, expected, context="", *, nan_bits=False):
        actual, expected = np.asarray(actual), np.asarray(expected)
        assert actual.dtype == expected.dtype, context
        assert actual.shape == expected.shape, context
        actual, expected = np.atleast_1d(actual, expected)
        differ = bits(actual) != bits(expected)
        if not nan_bits:
            differ &= ~(np.isnan(actual) & np.isnan(expected))
        if differ.any():
            where = tuple(int(index[0]) for index in np.nonzero(differ))
            message = f"{differ.sum()} of {differ.size} elements differ, the first at {where}: "
            message += f"{actual[where]!r} instead of {expected[where]!r} {context}"
            pytest.fail(message)

    return compare


class GuardedPage:
    """A page of memory between two that must not be touched."""

    def __init__(self):
        page = mmap.PAGESIZE
        self.memory = mmap.mmap(-1, 3 * page)
        begin = ctypes.addressof(ctypes.c_char.from_buffer(self.memory))
        protect = ctypes.CDLL(None, use_errno=True).mprotect
        for address in (begin, begin + 2 * page):
            assert protect(ctypes.c_void_p(address), ctypes.c_size_t(page), 0) == 0

    def place(self, array, *, at_end):
        """Copy an array to one end of the page."""
        offset = 2 * mmap.PAGESIZE - array.nbytes if at_end else mmap.PAGESIZE
        copy = np.ndarray(array.shape, array.dtype, self.memory, offset)
        copy[...] = array
        return copy


@pytest.fixture
def guarded_pages():
    """Four pages, any access beyond which ends the process."""
    if os.name != "posix":
        pytest.skip("needs mprotect")
    return [GuardedPage() for _ in range(4)]


def last_level_cache():
    try:
        text = subprocess.check_output(["getconf", "LEVEL3_CACHE_SIZE"], text=True).strip()
    except (OSError, subprocess.CalledProcessError):
        text = ""
    return int(text) if text.isdigit() and int(text) > 0 else 32 * 2**20


@pytest.fixture(scope="module")
def large_float64():
    """Return an input and memory for a result, that bypasses the caches, and slices to look at."""
    cache = min(last_level_cache(), 64 * 2**20)  # of both: twice as much, or 128 MiB
    x = np.zeros(cache // 8 + 4103)  # pages that nobody writes cost no memory
    edges = [slice(begin, begin + 5000) for begin in (0, x.size // 2 - 2500, x.size - 5000)]
    for edge in edges:
        x[edge] = values(x.dtype, 5000)
    return x, np.empty(x.size + 8), edges


@pytest.fixture
def run_python():
    """Run a program in a fresh interpreter, some environment variables changed (None: unset)."""

    def run(program, **variables):
        environment = os.environ.copy()
        for name in ("BRIDLE_ISA", "BRIDLE_NUM_THREADS", "OMP_NUM_THREADS"):
            environment.pop(name, None)
        return subprocess.run(
            [sys.executable, "-c", program],
            env=environment | variables,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    return run
