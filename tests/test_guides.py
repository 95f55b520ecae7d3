"""The examples of the guides print what they say."""

import doctest
from pathlib import Path

import pytest

GUIDES = sorted((Path(__file__).parents[1] / "docs").glob("*.md"))
NEEDS = {"sharding": "dask", "estimators": "sklearn"}


@pytest.mark.parametrize("guide", GUIDES, ids=lambda guide: guide.stem)
def test_the_examples_run(guide):
    text = guide.read_text("utf-8")
    if ">>> " not in text:
        pytest.skip("no examples of this kind")
    if guide.stem in NEEDS:
        pytest.importorskip(NEEDS[guide.stem])
    assert doctest.testfile(str(guide), module_relative=False).failed == 0


def test_every_guide_is_in_the_contents():
    contents = "".join(p.read_text("utf-8") for p in GUIDES if p.stem in ("index", "guides"))
    lists = set(contents.split())
    for guide in GUIDES:
        assert guide.stem in {*lists, "index", "cpp", "c"}, f"{guide.name}: in no table of contents"
