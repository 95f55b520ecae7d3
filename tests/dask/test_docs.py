"""The examples in `bridle.dask` print what they say."""

import doctest

from bridle.dask import _masks


def test_the_examples_of_the_module_run():
    result = doctest.testmod(_masks)
    assert result.attempted > 2
    assert not result.failed
