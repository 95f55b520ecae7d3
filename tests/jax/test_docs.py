"""The examples in docs/jax.md and in the docstrings print what they say."""

import doctest
from pathlib import Path

import pytest

pytest.importorskip("jax")
pytest.importorskip("optax")

import bridle.jax as bj

GUIDE = Path(__file__).parents[2] / "docs" / "jax.md"


def test_the_guide_prints_what_it_says():
    assert doctest.testfile(str(GUIDE), module_relative=False).failed == 0


@pytest.mark.parametrize("name", bj.__all__)
def test_the_examples_print_what_the_docstrings_say(name):
    examples = doctest.DocTestParser().get_doctest(getattr(bj, name).__doc__, {}, name, None, None)
    results = doctest.DocTestRunner().run(examples)
    assert results.attempted > 0
    assert results.failed == 0
