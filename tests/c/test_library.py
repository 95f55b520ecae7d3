"""The shared library: what it and the extension show, and that no other one takes its place."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import bridle as br
from bridle import _core

EXTENSION = Path(_core.__file__)
LIBRARY = next(Path(br.get_cmake_dir()).parents[1].glob("libbridle.so.*"))


def run(code, **environment):
    """Run code in a process of its own, with `import bridle` to be done there."""
    environment = os.environ | {name: str(value) for name, value in environment.items()}
    command = [sys.executable, "-c", code]
    return subprocess.run(command, capture_output=True, text=True, check=False, env=environment)


def exported(path):
    """Return the symbols that a file defines for others."""
    if not shutil.which("nm"):
        pytest.skip("there is no nm")
    command = ["nm", "--dynamic", "--defined-only", "--format=posix", path]
    lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    return {line.split()[0] for line in lines}


@pytest.fixture
def other_library(tmp_path):
    """Return a function that makes a library of that name with all functions but the missing."""

    def make(soname=LIBRARY.name, layout="0.1.0-0123456789abcdef", missing=()):
        if not shutil.which("cc"):
            pytest.skip("there is no cc")
        lines = ['const char* layout(void) __asm__("bridle_layout");']
        lines += [f'const char* layout(void) {{ return "{layout}"; }}'] * (layout is not None)
        for i, name in enumerate(sorted(exported(LIBRARY) - {"bridle_layout", *missing})):
            lines.append(f'void f{i}(void) __asm__("{name}"); void f{i}(void) {{}}')
        source, library = tmp_path / "other.c", tmp_path / "elsewhere" / soname
        source.write_text("\n".join(lines))
        library.parent.mkdir()
        command = ["cc", "-shared", "-fPIC", source, "-o", library, f"-Wl,-soname,{soname}"]
        subprocess.run(command, check=True)
        return library

    return make


def check_refused(done, library, layout):
    assert done.returncode == 1
    error = done.stderr.splitlines()[-1]
    assert error.startswith("ImportError: bridle: "), done.stderr
    assert f"{EXTENSION} ({br.__version__}-" in error
    assert f"{library} ({layout})" in error


@pytest.mark.parametrize("soname", [LIBRARY.name, "libbridle.so.9.9"])
def test_a_library_that_is_preloaded_is_refused(soname, other_library):
    library = other_library(soname)
    check_refused(run("import bridle", LD_PRELOAD=library), library, "0.1.0-0123456789abcdef")


@pytest.mark.parametrize("soname", [LIBRARY.name, "libbridle.so.9.9"])
def test_a_library_that_was_loaded_before_is_refused(soname, other_library):
    library = other_library(soname)
    code = f"import ctypes; ctypes.CDLL({str(library)!r}, ctypes.RTLD_GLOBAL); import bridle"
    check_refused(run(code), library, "0.1.0-0123456789abcdef")


def test_a_library_of_the_same_name_in_nobodys_scope_is_refused(other_library):
    library = other_library()
    code = f"import ctypes; ctypes.CDLL({str(library)!r}, ctypes.RTLD_LOCAL); import bridle"
    check_refused(run(code), library, "0.1.0-0123456789abcdef")


@pytest.mark.parametrize("soname", [LIBRARY.name, "libbridle.so.9.9"])
def test_an_older_library_that_does_not_tell_its_layout_is_refused(soname, other_library):
    library = other_library(soname, layout=None, missing={"bridle_set_num_threads"})
    code = f"import ctypes; ctypes.CDLL({str(library)!r}, ctypes.RTLD_GLOBAL); import bridle"
    check_refused(run(code), library, "an older version")


def test_a_search_path_does_not_lead_to_another_library(other_library):
    library = other_library()
    done = run(
        "import bridle; print(bridle.soft_threshold(3.0, 1.0))", LD_LIBRARY_PATH=library.parent
    )
    assert done.stdout == "2.0\n", done.stderr


def test_a_library_of_another_name_in_nobodys_scope_does_not_matter(other_library):
    library = other_library("libbridle.so.9.9")
    code = f"import ctypes; ctypes.CDLL({str(library)!r}, ctypes.RTLD_LOCAL); import bridle"
    assert run(code).returncode == 0


def test_the_library_carries_its_version_and_lies_there_once():
    version = br.__version__.rsplit(".", 1)[0]
    assert LIBRARY.name == f"libbridle.so.{version}"
    files = [path for path in LIBRARY.parent.glob("libbridle*") if not path.is_symlink()]
    assert files == [LIBRARY]


def test_the_library_stays_when_it_is_closed():
    """A worker may still be in it, or in the runtime that only it needed."""
    code = f"""if True:
        import _ctypes, ctypes
        library = ctypes.CDLL({str(LIBRARY)!r})
        BODY = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_size_t, ctypes.c_size_t)
        library.bridle_set_num_threads(3)
        size = ctypes.c_size_t(3)
        library.bridle_parallel_for(size, size, ctypes.c_size_t(1), BODY(lambda *_: None), None)
        _ctypes.dlclose(library._handle)
        print({LIBRARY.name!r} in open("/proc/self/maps").read())
    """
    assert run(code).stdout == "True\n"


def test_the_extension_shows_its_entry_alone():
    assert exported(EXTENSION) == {"PyInit__core"}


def test_the_library_shows_nothing_but_its_own_functions():
    functions = exported(LIBRARY)
    assert {"bridle_get_c_api", "bridle_layout"} <= functions
    assert all(name.startswith(("bridle_", "_ZN6bridle")) for name in functions), functions
