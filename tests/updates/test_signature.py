"""Every keyword of an update is seen by whoever looks at its signature."""

import inspect
import pydoc
import re
import typing

import pytest

import bridle as br
from bridle._updates.call import Regularization, run

from .calls import REGULARIZED
from .oracle import UPDATES

COMMON = tuple(Regularization.__annotations__)
FUNCTIONS = sorted({row.function for row in UPDATES.values()})
WITH_COMMON = sorted({row.function for row in REGULARIZED.values()})


@pytest.mark.parametrize("name", FUNCTIONS)
def test_no_keyword_hides_behind_stars(name):
    parameters = inspect.signature(getattr(br, name)).parameters.values()
    assert not [p.name for p in parameters if p.kind is p.VAR_KEYWORD]


@pytest.mark.parametrize("name", WITH_COMMON)
def test_the_common_keywords_are_in_the_signature_with_their_defaults(name):
    parameters = inspect.signature(getattr(br, name)).parameters
    defaults = inspect.signature(run).parameters
    assert tuple(parameters)[-len(COMMON) :] == COMMON
    for keyword in COMMON:
        assert parameters[keyword].kind is inspect.Parameter.KEYWORD_ONLY
        assert parameters[keyword].default == defaults[keyword].default
    text = pydoc.plain(pydoc.render_doc(getattr(br, name)))
    assert all(re.search(rf"\b{keyword}: .* = ", text) for keyword in COMMON)


def test_the_keywords_are_those_that_type_checkers_see():
    """Both lists are written down: one has the defaults, the other is what `Unpack` needs."""
    parameters = inspect.signature(run).parameters.values()
    hints = typing.get_type_hints(run)
    assert {
        p.name: hints[p.name] for p in parameters if p.kind is p.KEYWORD_ONLY
    } == typing.get_type_hints(Regularization)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_docstring_names_every_keyword(name):
    function = getattr(br, name)
    text = inspect.getdoc(function)
    documented = text[text.index("Parameters\n---") : text.index("Returns\n---")]
    names = re.findall(r"^(\w+(?:, \w+)*)(?: :|$)", documented.split("---\n", 1)[1], re.MULTILINE)
    listed = [name for line in names for name in line.split(", ")]
    assert sorted(listed) == sorted(inspect.signature(function).parameters)
