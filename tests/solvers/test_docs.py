"""The examples in docs/solving.md print what they say."""

import doctest
from pathlib import Path

GUIDE = Path(__file__).parents[2] / "docs" / "solving.md"


def test_the_examples_run():
    result = doctest.testfile(str(GUIDE), module_relative=False)
    assert result.attempted > 10
    assert not result.failed
