"""Every keyword of an update is seen by whoever looks at its signature."""

import inspect
import pydoc
import re
import typing

import pytest

import bridle as br
from bridle._updates.call import Regularization, Settings, run

from .calls import REGULARIZED
from .oracle import UPDATES

COMMON = tuple(Regularization.__annotations__)
SETTINGS = tuple(Settings.__annotations__)
OPTIMIZERS = ("SGD", "AdamW", "Adagrad", "RMSprop", "Lion", "FTRL")
FUNCTIONS = sorted({row.function for row in UPDATES.values()} | {*OPTIMIZERS})
WITH_COMMON = sorted({row.function for row in REGULARIZED.values()} | {*OPTIMIZERS} - {"FTRL"})


@pytest.mark.parametrize("name", FUNCTIONS)
def test_no_keyword_hides_behind_stars(name):
    parameters = inspect.signature(getattr(br, name)).parameters.values()
    assert not [p.name for p in parameters if p.kind is p.VAR_KEYWORD or p.name[0] == "_"]


@pytest.mark.parametrize("name", WITH_COMMON)
def test_the_common_keywords_are_in_the_signature_with_their_defaults(name):
    parameters = inspect.signature(getattr(br, name)).parameters
    defaults = inspect.signature(run).parameters
    common = SETTINGS if name in OPTIMIZERS else COMMON
    assert tuple(parameters)[-len(common) :] == common
    for keyword in common:
        assert parameters[keyword].kind is inspect.Parameter.KEYWORD_ONLY
        assert parameters[keyword].default == defaults[keyword].default
    text = pydoc.plain(pydoc.render_doc(getattr(br, name)))
    assert all(re.search(rf"\b{keyword}: .* = ", text) for keyword in common)


def test_the_keywords_are_those_that_type_checkers_see():
    """Both lists are written down: one has the defaults, the other is what `Unpack` needs."""
    parameters = inspect.signature(run).parameters.values()
    hints = typing.get_type_hints(run)
    keywords = [p.name for p in parameters if p.kind is p.KEYWORD_ONLY and p.name[0] != "_"]
    assert {name: hints[name] for name in keywords} == typing.get_type_hints(Regularization)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_docstring_names_every_keyword(name):
    function = getattr(br, name)
    text = inspect.getdoc(function)
    after = "Examples" if inspect.isclass(function) else "Returns"
    documented = text[text.index("Parameters\n---") : text.index(f"{after}\n---")]
    names = re.findall(r"^(\w+(?:, \w+)*)(?: :|$)", documented.split("---\n", 1)[1], re.MULTILINE)
    listed = [name for line in names for name in line.split(", ")]
    assert sorted(listed) == sorted(inspect.signature(function).parameters)
