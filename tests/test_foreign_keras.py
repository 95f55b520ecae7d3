"""Keras' own tests, from the installed package, with bridle in the place of its arithmetic."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("keras") is None, reason="Keras is not installed"
)

PROGRAM = Path(__file__).parent / "foreign" / "keras_suite.py"


def test_the_tests_of_keras_pass():
    # A program of its own: Keras brings threads, warnings and global settings with it.
    done = subprocess.run(
        [sys.executable, str(PROGRAM), "-q"],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
