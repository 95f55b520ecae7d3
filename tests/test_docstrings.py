"""The examples in the docstrings run as they stand."""

import doctest

import pytest

import bridle as br


def examples():
    finder = doctest.DocTestFinder(exclude_empty=True)
    for name in br.__all__:
        for test in finder.find(getattr(br, name), name, globs={}):
            if test.examples:
                yield pytest.param(test, id=test.name)


@pytest.mark.parametrize("example", list(examples()))
def test_example_prints_what_the_docstring_says(example):
    report = []
    runner = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE)
    runner.run(example, out=report.append)
    assert not runner.summarize(verbose=False).failed, "".join(report)
