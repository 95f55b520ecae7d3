"""Several processes that agree on the end of training through `reduce`."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = Path(__file__).with_name("stopping_processes.py")
RAISED = "EarlyStopping: value must be finite, got nan in epoch 2"


@pytest.mark.parametrize(
    ("case", "seen"),
    [
        (
            "patience",
            [
                [0, 3, "reduced", 4, None],
                [1, 3, "reduced", 4, None],
                [2, 3, "patience", 4, None],
            ],
        ),
        (
            "nan",
            [[0, None, "none", 3, RAISED], [1, 2, "reduced", 3, None], [2, 2, "reduced", 3, None]],
        ),
        (
            "two",
            [
                [0, 3, "patience", 4, None],
                [1, 3, "reduced", 4, None],
                [2, 3, "patience", 4, None],
            ],
        ),
    ],
)
def test_all_processes_stop_in_the_same_epoch(case, seen):
    done = subprocess.run(
        [sys.executable, str(PROGRAM), case],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == seen
