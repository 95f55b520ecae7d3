"""What completion, help and type checkers see of the functions."""

import importlib.util
import inspect
import typing
from pathlib import Path

import numpy as np
import pytest

import bridle as br
from bridle import _core

from .cases import ELEMENTWISE, PENALTIES

TYPED = Path(__file__).parent / "typed" / "results.py"
FAMILY = ("dropout", "dropout_mask", "apply_dropout_mask", "dropout_inference", "alpha_dropout")
FAMILY += ("gaussian_dropout", "gaussian_noise")


@pytest.fixture(scope="module")
def typed():
    """Return the module of statements about types."""
    spec = importlib.util.spec_from_file_location("results", TYPED)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_keyword_of_ufuncs_is_in_the_signature(operator):
    parameters = inspect.signature(getattr(br, operator.name)).parameters
    assert [*parameters][1:] == [
        *operator.params,
        *("out", "where", "dtype", "casting", "order", "subok"),
    ]
    keywords = {name: p.default for name, p in parameters.items() if p.kind is p.KEYWORD_ONLY}
    function, x = getattr(br, operator.name), np.array([-2.0, 0.5])
    given = function(x, **operator.sample_params, **keywords)  # the defaults are what they say
    np.testing.assert_array_equal(given, function(x, **operator.sample_params))


SLICES = [name for name, (*_, measures) in _core.slice_operators.items() if not measures]
MATRICES = ("prox_nuclear", "orthogonal_gradient")


@pytest.mark.parametrize("name", [*ELEMENTWISE, *PENALTIES, *FAMILY, *SLICES, *MATRICES])
def test_type_checkers_know_more_than_any(name):
    overloads = typing.get_overloads(getattr(br, name))
    returned = [inspect.signature(overload).return_annotation for overload in overloads]
    assert len(returned) >= 2
    assert returned[0] != "Any"


def test_what_is_stated_for_type_checkers_is_true(typed, monkeypatch):
    """Whoever adds a statement sees here whether the functions keep it."""

    def check(value, stated):
        if stated is typing.Any:
            return value
        kinds = typing.get_args(stated) if isinstance(stated, type(int | str)) else (stated,)
        types = [np.ndarray if typing.get_origin(kind) else kind for kind in kinds]
        assert isinstance(value, tuple(types)), (value, stated)
        if isinstance(value, np.ndarray) and len(kinds) == 1:
            scalar = typing.get_args(stated)[-1]  # or a dtype of it, before NumPy 2.5
            assert value.dtype == (typing.get_args(scalar) or (scalar,))[0]
        return value

    monkeypatch.setattr(typed, "assert_type", check)
    groups = (typed.elementwise, typed.unknown, typed.penalties, typed.dropout, typed.slices)
    groups += (typed.models, typed.regularizers, typed.solvers)
    for function in groups:
        function()
    with pytest.raises(TypeError):
        typed.mistakes()


def test_mypy_finds_what_is_stated():
    api = pytest.importorskip("mypy.api")
    root = TYPED.parents[2]
    said, errors, status = api.run(["--config-file", str(root / "pyproject.toml"), str(TYPED)])
    assert status == 0, said + errors
