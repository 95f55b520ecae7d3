"""The examples in docs/estimators.md print what they say."""

import doctest
from pathlib import Path

import pytest

pytest.importorskip("sklearn")

GUIDE = Path(__file__).parents[2] / "docs" / "estimators.md"


def test_the_examples_run():
    result = doctest.testfile(str(GUIDE), module_relative=False)
    assert result.attempted > 10
    assert not result.failed
