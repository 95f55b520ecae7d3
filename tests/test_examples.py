"""The examples do what they say, with the package that is installed."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import bridle as br

EXAMPLES = Path(__file__).parents[1] / "examples"


def run(*command, cwd=None):
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def needs_programs(*names):
    missing = [name for name in names if not shutil.which(name)]
    if missing:
        pytest.skip(f"there is no {', '.join(missing)}")


def test_the_kernel_in_numba():
    pytest.importorskip("numba")
    assert "zeros" in run(sys.executable, EXAMPLES / "numba_kernel.py")


def test_the_kernel_in_cython(tmp_path):
    pytest.importorskip("Cython")
    pytest.importorskip("setuptools")
    needs_programs("cc")
    copy = shutil.copytree(EXAMPLES / "cython_kernel", tmp_path / "kernel")
    run(sys.executable, "setup.py", "build_ext", "--inplace", cwd=copy)
    assert "zeros" in run(sys.executable, "check.py", cwd=copy)


def test_the_optimizer_in_cpp(tmp_path):
    needs_programs("cmake", "ctest", "c++", "make")
    package = f"-Dbridle_DIR={br.get_cmake_dir()}"
    run("cmake", "-S", EXAMPLES / "cpp", "-B", tmp_path, "-G", "Unix Makefiles", package)
    run("cmake", "--build", tmp_path)
    assert "100% tests passed" in run("ctest", "--test-dir", tmp_path)
