"""The examples in the docstrings print what they say."""

import doctest

import pytest

pytest.importorskip("jax")
pytest.importorskip("optax")

import bridle.jax as bj


@pytest.mark.parametrize("name", bj.__all__)
def test_the_examples_print_what_the_docstrings_say(name):
    examples = doctest.DocTestParser().get_doctest(getattr(bj, name).__doc__, {}, name, None, None)
    results = doctest.DocTestRunner().run(examples)
    assert results.attempted > 0
    assert results.failed == 0
