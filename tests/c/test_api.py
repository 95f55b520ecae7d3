"""The C functions, called through ctypes, are the Python functions."""

import ctypes
import re
import shutil
import subprocess
import threading
from pathlib import Path

import numpy as np
import pytest

import bridle as br
from bridle import _core

from ..cases import ELEMENTWISE, PENALTIES, SIZES, THREADED_SIZES, values
from ..slice_cases import ALL_SLICES, SLICE_PENALTIES
from .updates import NUMBERS, STATES

HEADER = Path(br.get_include(), "bridle", "c_api.h")
TYPES = {"f32": (np.float32, ctypes.c_float), "f64": (np.float64, ctypes.c_double)}
NAMES = [f"{name}_{suffix}" for name in (ELEMENTWISE | PENALTIES) for suffix in TYPES]
OF_SLICES = {row.name: row for row in ALL_SLICES}
FORMS = [(row.name, form) for row in ALL_SLICES for form in ("", "_offsets", "_labels")]
SLICE_NAMES = [
    f"{name}{form}_{suffix}"
    for name, form in FORMS
    for suffix in TYPES
    if not form or OF_SLICES[name].groups
]
WRITTEN_OUT = [f"{name}_{suffix}" for name in ("dropout", *STATES) for suffix in TYPES]
OF_LISTS = ["update", "global_norm", "clip_scale", "clip_by_global_norm", "last_error"]
OF_LISTS += ["accumulate", "average_update", "cast"]


def function(name):
    """Return the C function with its types, the row of its operator and its element type."""
    operator, suffix = name.rsplit("_", 1)
    dtype, number = TYPES[suffix]
    pointer, size = ctypes.c_void_p, ctypes.c_int64
    if operator in ELEMENTWISE:
        row = ELEMENTWISE[operator]
        types = [pointer, *[number] * len(row.params), pointer, size]
    else:
        row = PENALTIES[operator]
        types = [pointer, *[ctypes.c_double] * len(row.params), size, pointer]
    return ctypes.CFUNCTYPE(ctypes.c_int, *types)(br.c_api_address(name)), row, dtype


def call(c_function, row, x, parameters, out):
    """Call it with arrays; the result of a penalty goes to out[0]."""
    if row.name in ELEMENTWISE:
        return c_function(x.ctypes.data, *parameters, out.ctypes.data, x.size)
    return c_function(x.ctypes.data, *parameters, x.size, out.ctypes.data)


def result_like(row, x, fill):
    return np.full_like(x, fill) if row.name in ELEMENTWISE else np.full(1, float(fill))


@pytest.mark.parametrize("name", NAMES)
def test_a_c_function_gives_the_bits_of_the_python_function(name, threads, assert_same_bits):
    c_function, row, dtype = function(name)
    for size in (*SIZES, *THREADED_SIZES):
        x = values(np.dtype(dtype), size, finite=row.name in PENALTIES)
        out = result_like(row, x, 9)
        assert call(c_function, row, x, row.sample, out) == 0
        expected = getattr(br, row.name)(x, *row.sample)
        assert_same_bits(out if row.name in ELEMENTWISE else out[0], expected, f"size {size}")
        if row.name in ELEMENTWISE:
            assert call(c_function, row, x, row.sample, x) == 0
            assert_same_bits(x, expected, f"in place, size {size}")


@pytest.mark.parametrize("name", NAMES)
def test_a_bad_parameter_is_refused_and_nothing_is_written(name):
    c_function, row, dtype = function(name)
    x = np.ones(70, dtype)
    for index, domain in enumerate(row.params.values()):
        for bad in domain.bad:
            if row.name in ELEMENTWISE and np.isfinite(bad) and float(dtype(bad)) != bad:
                continue  # rounded to float32 it is allowed
            parameters = [*row.sample]
            parameters[index] = bad
            out = result_like(row, x, 9)
            assert call(c_function, row, x, parameters, out) != 0
            assert (out == 9).all()


@pytest.mark.parametrize("name", NAMES)
def test_bad_arrays_are_refused_and_nothing_is_written(name):
    c_function, row, dtype = function(name)
    x = np.ones(70, dtype)
    out = result_like(row, x, 9)
    first, second = x.ctypes.data, out.ctypes.data
    if row.name in ELEMENTWISE:
        calls = [(None, second, 70), (first, None, 70), (first, second, -1), (first, second + 1, 9)]
        calls += [(second, second + x.itemsize, 69), (second + 69 * x.itemsize, second, 70)]
        refused = [c_function(a, *row.sample, b, n) for a, b, n in calls]
        assert c_function(None, *row.sample, None, 0) == 0
    else:
        calls = [(None, 70, second), (first, 70, None), (first, -1, second), (first + 1, 9, second)]
        refused = [c_function(a, *row.sample, n, b) for a, n, b in calls]
    assert all(refused)
    assert (out == 9).all()


def test_every_operator_has_its_functions_by_name_and_the_table_keeps_its_members():
    text = HEADER.read_text("utf-8")
    begin = text.index("struct bridle_c_api {")
    table = text[begin : text.index("\n};", begin)]
    members = re.findall(r"\(\*(\w+)\)\(", table)
    every = [*NAMES, *SLICE_NAMES, *WRITTEN_OUT, "dropout_mask", *OF_LISTS]
    assert sorted(_core.c_functions) == sorted(every)
    assert set(members) <= set(every)
    assert {"soft_threshold_f32", "ftrl_update_f64", *OF_LISTS} <= set(members)
    get_pointer = ctypes.pythonapi.PyCapsule_GetPointer
    get_pointer.restype, get_pointer.argtypes = ctypes.c_void_p, [ctypes.py_object, ctypes.c_char_p]
    address = get_pointer(br.c_api(), b"bridle.c_api")
    version, size = (ctypes.c_uint32 * 2).from_address(address)
    assert (version, size) == (1, 8 + 8 * len(members))
    pointers = (ctypes.c_uint64 * len(members)).from_address(address + 8)
    assert list(pointers) == [br.c_api_address(name) for name in members]


class Found(ctypes.Structure):
    """struct bridle_operator."""

    _fields_ = (
        *[(name, ctypes.c_uint32) for name in ("size", "kind", "parameter_count", "reserved")],
        ("name", ctypes.c_char_p),
        ("parameter_names", ctypes.POINTER(ctypes.c_char_p)),
        ("f32", ctypes.c_void_p),
        ("f64", ctypes.c_void_p),
        ("array_name", ctypes.c_char_p),
        *[
            (f"{suffix}_{form}", ctypes.c_void_p)
            for form in ("offsets", "labels")
            for suffix in TYPES
        ],
        ("state_names", ctypes.POINTER(ctypes.c_char_p)),
    )


def find(name):
    library = ctypes.CDLL(str(next(Path(_core.__file__).parent.rglob("libbridle.so*"))))
    library.bridle_find.restype = ctypes.POINTER(Found)
    return library.bridle_find(name.encode())


@pytest.mark.parametrize("name", ELEMENTWISE | PENALTIES | OF_SLICES)
def test_every_operator_is_found_by_its_name(name):
    found = find(name).contents
    row = (ELEMENTWISE | PENALTIES | OF_SLICES)[name]
    assert (found.size, found.name) == (ctypes.sizeof(Found), name.encode())
    kinds = (ELEMENTWISE, PENALTIES, OF_SLICES.keys() - SLICE_PENALTIES.keys(), SLICE_PENALTIES)
    assert name in kinds[found.kind]
    names = found.parameter_names[: found.parameter_count + 1]
    assert names == [*[param.encode() for param in row.params], None]
    beside = getattr(row, "beside", None)
    groups = getattr(row, "groups", False)
    array = "weights" if groups else beside.name if beside else None
    assert found.array_name == (array.encode() if array else None)
    for suffix in TYPES:
        assert getattr(found, suffix) == br.c_api_address(f"{name}_{suffix}")
        for form in ("offsets", "labels"):
            address = br.c_api_address(f"{name}_{form}_{suffix}") if groups else None
            assert getattr(found, f"{suffix}_{form}") == address
    assert not found.state_names
    assert not find(f"{name}_f32")


@pytest.mark.parametrize("name", STATES)
def test_an_update_is_found_with_its_numbers_and_state(name):
    found = find(name).contents
    assert (found.kind, found.name, found.array_name) == (4, name.encode(), None)
    numbers = [
        re.sub(r"betas\[(\d)\]", lambda m: f"beta{int(m[1]) + 1}", n.decode())
        for n in found.parameter_names[: found.parameter_count]
    ]
    assert numbers == ["step" if name == "proximal_step" else "lr", *list(NUMBERS[name])[1:]]
    names = found.state_names[: len(STATES[name]) + 1]
    assert names == [*[state.encode() for state in STATES[name]], None]
    for suffix in TYPES:
        assert getattr(found, suffix) == br.c_api_address(f"{name}_{suffix}")


def test_the_table_says_with_which_version_each_member_came():
    text = HEADER.read_text("utf-8")
    table = text[text.index("struct bridle_c_api {") :]
    versions = [tuple(map(int, v)) for v in re.findall(r"/\* Since (\d+)\.(\d+)\. \*/", table)]
    assert table.index("/* Since ") < table.index("version;")
    assert versions == sorted(set(versions))
    assert versions[-1] <= tuple(map(int, br.__version__.split(".")[:2]))


@pytest.mark.parametrize("name", [None, 1, b"decay_f32", ["decay_f32"]], ids=repr)
def test_a_name_that_is_no_string_is_a_type_error(name):
    with pytest.raises(TypeError, match=r"^c_api_address: name must be a str, got ") as error:
        br.c_api_address(name)
    assert repr(name) in str(error.value)


def test_an_unknown_name_is_a_key_error_that_lists_the_names():
    with pytest.raises(
        KeyError, match=r"no function 'soft_threshold'.* decay_f32, .*_f64"
    ) as error:
        br.c_api_address("soft_threshold")
    assert "\n" not in str(error.value)


def test_threads_may_call_at_the_same_time(assert_same_bits):
    c_function, row, dtype = function("soft_threshold_f32")
    arrays = [values(np.dtype(dtype), 100_000) for _ in range(4)]
    expected = br.soft_threshold(arrays[0], 0.3)
    work = [threading.Thread(target=call, args=(c_function, row, a, (0.3,), a)) for a in arrays]
    for thread in work:
        thread.start()
    for thread in work:
        thread.join()
    for array in arrays:
        assert_same_bits(array, expected)


@pytest.mark.parametrize("language", ["c -std=c99", "c++ -std=c++20"])
def test_the_header_is_c_and_cpp(language, tmp_path):
    compiler = shutil.which("cc")
    if not compiler:
        pytest.skip("there is no cc")
    source = tmp_path / "source"
    source.write_text("#include <bridle/c_api.h>\nint size = (int)sizeof(struct bridle_c_api);\n")
    flags = f"-Wall -Wextra -pedantic -Werror -fsyntax-only -I {br.get_include()} -x {language}"
    done = subprocess.run([compiler, *flags.split(), source], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
