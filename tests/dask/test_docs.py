"""The examples in docs/beyond-one-machine.md and in `bridle.dask` print what they say."""

import doctest
from pathlib import Path

from bridle.dask import _masks

GUIDE = Path(__file__).parents[2] / "docs" / "beyond-one-machine.md"


def test_the_examples_of_the_guide_run():
    result = doctest.testfile(str(GUIDE), module_relative=False)
    assert result.attempted > 15
    assert not result.failed


def test_the_examples_of_the_module_run():
    result = doctest.testmod(_masks)
    assert result.attempted > 2
    assert not result.failed
