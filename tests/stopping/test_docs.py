"""The examples in docs/early-stopping.md print what they say."""

import contextlib
import io
import re
from pathlib import Path

TEXT = (Path(__file__).parents[2] / "docs" / "early-stopping.md").read_text("utf-8")


def test_examples_print_what_the_comments_say(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = {}
    blocks = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
    assert len(blocks) == 5
    for block in blocks:
        output = io.StringIO()
        with contextlib.redirect_stdout(output):
            exec(block, names)
        said = re.findall(r"^print\(.*\)  # (.*)$", block, re.MULTILINE)
        assert output.getvalue().splitlines() == said
