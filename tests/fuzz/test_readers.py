"""What reads files, with files that are nearly right; `fuzz_readers` looks for more of them."""

import random

import pytest

from .readers import TARGETS, call

RUNS = {"checkpoint": 100, "stopping": 300, "states": 300, "table": 60}


@pytest.mark.parametrize("name", TARGETS)
def test_files_that_are_right_are_read(name):
    target, files, _ = TARGETS[name]
    for content in files():
        call(target, content)


@pytest.mark.parametrize("name", TARGETS)
def test_any_bytes_are_read_or_refused(name):
    target, files, mutated = TARGETS[name]
    rng = random.Random(0)
    found = list(files())
    for _ in range(RUNS[name]):
        data = rng.choice(found)
        for _ in range(rng.choice([1, 1, 3])):
            data = mutated(data, rng)
        call(target, data)
