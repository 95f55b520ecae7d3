"""The examples of the guides print what they say."""

import doctest
from pathlib import Path

import pytest

GUIDES = sorted((Path(__file__).parents[1] / "docs").glob("*.md"))
WITH_EXAMPLES = [guide for guide in GUIDES if ">>> " in guide.read_text("utf-8")]
NEEDS = {"sharding": "dask", "estimators": "sklearn"}


@pytest.mark.parametrize("guide", WITH_EXAMPLES, ids=lambda guide: guide.stem)
def test_the_examples_run(guide):
    if guide.stem in NEEDS:
        pytest.importorskip(NEEDS[guide.stem])
    assert doctest.testfile(str(guide), module_relative=False).failed == 0


def test_every_guide_is_in_the_contents():
    contents = "".join(p.read_text("utf-8") for p in GUIDES if p.stem in ("index", "guides"))
    lists = set(contents.split())
    for guide in GUIDES:
        assert guide.stem in {*lists, "index", "cpp", "c"}, f"{guide.name}: in no table of contents"
