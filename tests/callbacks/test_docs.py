"""The examples in docs/early-stopping-frameworks.md and in the docstrings print what they say."""

import contextlib
import doctest
import io
import re
from pathlib import Path

import pytest

from .frameworks import FRAMEWORKS, THEIR_WARNINGS, imported

pytestmark = THEIR_WARNINGS
TEXT = (Path(__file__).parents[2] / "docs" / "early-stopping-frameworks.md").read_text("utf-8")
BLOCKS = dict(re.findall(r"<!-- ([\w ]+) -->\n```python\n(.*?)```", TEXT, re.DOTALL))


def test_every_framework_has_its_example():
    assert list(BLOCKS) == ["for all", *FRAMEWORKS]
    assert TEXT.count("```python") == len(BLOCKS)


@pytest.mark.parametrize("name", FRAMEWORKS)
def test_examples_print_what_the_comments_say(name, tmp_path, monkeypatch):
    imported(name)
    monkeypatch.chdir(tmp_path)
    output, names = io.StringIO(), {"__name__": "example"}
    exec(BLOCKS["for all"], names)
    with contextlib.redirect_stdout(output):
        exec(BLOCKS[name], names)
    said = re.findall(r"^print\(.*\)  # (.*)$", BLOCKS[name], re.MULTILINE)
    assert [line for line in output.getvalue().splitlines() if line[:1] != "{"] == said


@pytest.mark.parametrize("name", FRAMEWORKS)
def test_examples_of_docstrings_print_what_they_say(name):
    cls = imported(name).EarlyStopping
    finder, runner = doctest.DocTestFinder(), doctest.DocTestRunner()
    (example,) = [test for test in finder.find(cls, cls.__name__, globs={}) if test.examples]
    assert runner.run(example).failed == 0
