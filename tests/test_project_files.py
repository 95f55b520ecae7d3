"""CITATION.cff, SECURITY.md and the templates of issues agree with what there is."""

import re
from pathlib import Path

import pytest

import bridle as br
from bridle import _cli

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "SECURITY.md", *sorted((ROOT / ".github" / "ISSUE_TEMPLATE").glob("*.md"))]
IN_BACKQUOTES = [
    pytest.param(code, id=f"{page.name}: {code}")
    for page in PAGES
    for code in re.findall("`([^`\n]+)`", page.read_text())
]


def found(name, pattern):
    """Return what a pattern of lines finds in a file."""
    return re.findall(pattern, (ROOT / name).read_text(), re.MULTILINE)


def entries():
    """Return the keys of the citation, and what stands behind each in its line."""
    return dict(found("CITATION.cff", r"^([\w-]+): *(.*)$"))


def test_the_citation_has_what_its_format_wants():
    """Its version 1.2.0: these four, and an author with a name."""
    citation = entries()
    assert citation["cff-version"] == "1.2.0"
    assert {"message", "title", "authors"} <= citation.keys()
    assert found("CITATION.cff", r"^authors:\n  - name: \S")


def test_the_citation_is_of_this_version_and_licence():
    citation = entries()
    (version,) = found("CMakeLists.txt", r"^project\(bridle VERSION (\S+)")
    assert citation["version"] == version
    (licence,) = found("pyproject.toml", '^license = "(.*)"')
    assert citation["license"] == licence


@pytest.mark.parametrize("code", IN_BACKQUOTES)
def test_what_a_page_names_exists(code):
    """A command of bridle, a module with its option, or a public name."""
    first, *rest = code.split()
    if first == "bridle":
        assert _cli.main([rest[0], "--help"]) == 0
    elif first == "python":
        flag, module, option, *_ = rest
        assert flag == "-m"
        main = ROOT / module.replace(".", "/") / "__main__.py"
        assert f'"{option}"' in main.read_text()
    else:
        assert hasattr(br, code)
