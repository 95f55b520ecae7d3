"""The tests of NumPy and Keras, from the installed packages, with bridle in place of their code."""

import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent / "foreign"
WITH_TESTS = {"numpy": (2, 0), "keras": (3, 15, 1)}
"""The first versions that have the tests which the adapters are for."""


@pytest.mark.parametrize("library", WITH_TESTS)
def test_another_librarys_own_tests_pass(library):
    try:
        installed = version(library)
    except PackageNotFoundError:
        pytest.skip(f"{library} is not installed")
    if tuple(int(part) for part in installed.split(".")[:3]) < WITH_TESTS[library]:
        pytest.skip(f"{library} {installed} has not the tests that the adapter is for")
    # A program of its own: Keras brings threads, warnings and global settings with it.
    done = subprocess.run(
        [sys.executable, str(FOLDER / f"{library}_suite.py"), "-q"],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
