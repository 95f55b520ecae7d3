"""The examples of the guides print what they say."""

import doctest
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
GUIDES = sorted((ROOT / "docs").glob("*.md"))
OUTSIDE = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "bench" / "README.md"]
WITH_EXAMPLES = [guide for guide in GUIDES if ">>> " in guide.read_text("utf-8")]
NEEDS = {
    "beyond-one-machine": ["dask"],
    "estimators": ["sklearn"],
    "jax": ["jax", "optax"],
}


@pytest.mark.parametrize("guide", WITH_EXAMPLES, ids=lambda guide: guide.stem)
def test_the_examples_run(guide):
    for package in NEEDS.get(guide.stem, ()):
        pytest.importorskip(package)
    assert doctest.testfile(str(guide), module_relative=False).failed == 0


def test_every_guide_is_in_the_contents():
    contents = "".join(p.read_text("utf-8") for p in GUIDES if p.stem in ("index", "guides"))
    lists = set(contents.split())
    for guide in GUIDES:
        assert guide.stem in {*lists, "index", "cpp", "c"}, f"{guide.name}: in no table of contents"


@pytest.mark.parametrize("document", [*GUIDES, *OUTSIDE], ids=lambda path: path.stem)
def test_links_lead_to_files_and_headings(document):
    for path, place in re.findall(r"\]\(([^)\s#:]*)#?([^)\s:]*)\)", document.read_text("utf-8")):
        target = document.parent / path if path else document
        assert target.exists(), f"{document.name}: no {path}"
        if place:
            headings = re.findall(r"^#+ (.*)$", target.read_text("utf-8"), re.MULTILINE)
            slugs = {re.sub(r"[^\w -]", "", h).lower().replace(" ", "-") for h in headings}
            assert place in slugs, f"{document.name}: no heading {place} in {path}"
