"""The tests of NumPy and Keras, from the installed packages, with bridle in place of their code."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent / "foreign"


@pytest.mark.parametrize("library", ["numpy", "keras"])
def test_another_librarys_own_tests_pass(library):
    if importlib.util.find_spec(library) is None:
        pytest.skip(f"{library} is not installed")
    # A program of its own: Keras brings threads, warnings and global settings with it.
    done = subprocess.run(
        [sys.executable, str(FOLDER / f"{library}_suite.py"), "-q"],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
