"""Nothing was forgotten: the lists in C++, Python, cases.py, docstrings and documents agree."""

import inspect
import re
from importlib.metadata import version
from pathlib import Path

import pytest

import bridle as br
from bridle import _core
from bridle._operators import matrices

from .cases import ELEMENTWISE, PENALTIES
from .slice_cases import SLICE_PENALTIES, SlicePenalty
from .slice_cases import SLICES as SLICE_ROWS

REFERENCE = Path(__file__).parents[1] / "docs" / "reference.md"
LISTED = _core.elementwise_operators | _core.penalties
ROWS = ELEMENTWISE | PENALTIES
SLICES = _core.slice_operators
OPERATORS = {*LISTED, *SLICES, *matrices.__all__, "top_k_threshold"}
FUNCTIONS = [name for name in br.__all__ if inspect.isfunction(getattr(br, name))]


def positional(function):
    """Return the parameters before the options, the array first."""
    every = inspect.signature(function).parameters.values()
    return [p for p in every if p.kind is p.POSITIONAL_OR_KEYWORD and p.name != "out"]


def parameters_of(function):
    """Return the names of the parameters between the array and the options."""
    return tuple(parameter.name for parameter in positional(function)[1:])


def forgotten(name):
    """Return one line for each thing that an operator still needs."""
    lines = []
    if name not in LISTED:
        lines.append(f"{name}: not in the list of cpp/include/bridle/ops.hpp")
    if name not in ROWS:
        lines.append(f"{name}: no row in tests/cases.py")
    elif name not in (ELEMENTWISE if name in _core.elementwise_operators else PENALTIES):
        lines.append(f"{name}: its row in tests/cases.py is of the wrong kind")
    elif name in LISTED and tuple(ROWS[name].params) != LISTED[name]:
        lines.append(
            f"{name}: parameters {LISTED[name]}, in tests/cases.py {tuple(ROWS[name].params)}"
        )
    if name not in br.__all__ or not hasattr(br, name):
        lines.append(f"{name}: not a public name of python/bridle/__init__.py")
    elif name in LISTED and parameters_of(getattr(br, name)) != LISTED[name]:
        given = parameters_of(getattr(br, name))
        lines.append(f"{name}: parameters {LISTED[name]} in C++, {given} in Python")
    return lines


@pytest.mark.parametrize("name", sorted(LISTED | ROWS))
def test_every_operator_has_all_that_it_needs(name):
    assert not forgotten(name), "\n".join(forgotten(name))


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_function_that_looks_like_an_operator_is_in_a_list(name):
    operator = name.startswith(("prox_", "project_")) or name.endswith(("_penalty", "_threshold"))
    assert not operator or name in OPERATORS, f"{name}: not in cpp/include/bridle/ops.hpp"


@pytest.mark.parametrize("name", sorted(SLICES))
def test_every_operator_of_slices_has_its_function(name):
    assert name in br.__all__, f"{name}: not a public name of python/bridle/__init__.py"
    numbers, beside, measures = (SLICES[name][fact] for fact in ("params", "beside", "measures"))
    function = getattr(br, name)
    listed = ((beside,) if beside else ()) + numbers
    assert parameters_of(function) == listed, f"{name}: parameters {listed} in C++"
    options = {p.name for p in inspect.signature(function).parameters.values()} - {*listed}
    assert ("out" in options) != measures
    assert "axis" in options
    row = (SLICE_ROWS | SLICE_PENALTIES).get(name)
    assert row, f"{name}: no row in tests/slice_cases.py"
    assert tuple(row.params) == numbers
    assert (row.beside.name if row.beside else None) == beside
    assert isinstance(row, SlicePenalty) == measures
    assert row.groups == SLICES[name]["groups"] == ("labels" in options)


def test_the_public_names_are_there():
    assert len(set(br.__all__)) == len(br.__all__)
    public = {n for n in vars(br) if not n.startswith("_") and not inspect.ismodule(getattr(br, n))}
    assert public == set(br.__all__), "public names and __all__ differ"


def test_the_version_is_that_of_the_installed_package():
    assert br.__version__ == br.show_config("dicts")["version"] == version("bridle")
    cmake = Path(br.get_cmake_dir(), "bridleConfigVersion.cmake").read_text("utf-8")
    assert f'set(PACKAGE_VERSION "{br.__version__}")' in cmake


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_docstring_has_a_summary_and_an_example(name):
    text = inspect.getdoc(getattr(br, name)) or ""
    assert re.match(r".+\.\n\n", text), f"{name}: no summary of one line"
    for section in ("Returns", "Examples"):
        if (
            section == "Returns"
            and inspect.signature(getattr(br, name)).return_annotation == "None"
        ):
            continue
        assert f"{section}\n{'-' * len(section)}\n" in text, f"{name}: no section {section}"
    assert f"br.{name}(" in text, f"{name}: no example that calls it"


@pytest.mark.parametrize("name", sorted(OPERATORS))
def test_every_operator_documents_its_formula_and_its_parameters(name):
    text = inspect.getdoc(getattr(br, name))
    assert ".. math::" in text, f"{name}: no formula"
    documented = text[text.index("Parameters\n---") : text.index("Returns\n---")]
    for parameter in inspect.signature(getattr(br, name)).parameters:
        found = re.search(rf"^(\*\*|.*, )?{parameter}\b.*", documented, re.MULTILINE)
        assert found, f"{name}: parameter {parameter} is not documented"


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_parameter_may_be_given_by_name(name):
    for parameter in inspect.signature(getattr(br, name)).parameters.values():
        assert parameter.kind not in (parameter.POSITIONAL_ONLY, parameter.VAR_POSITIONAL), name


@pytest.mark.parametrize("name", FUNCTIONS)
def test_what_docstrings_share_is_in_them(name):
    left = re.findall(r"^\[[a-z ]+\]$", inspect.getdoc(getattr(br, name)), re.MULTILINE)
    assert not left, f"{name}: {left} stands for nothing"


def test_every_public_name_is_in_a_table_of_the_reference():
    rows = [line for line in REFERENCE.read_text("utf-8").splitlines() if line.startswith("|")]
    missing = {*br.__all__} - {name for row in rows for name in re.findall(r"`(\w+)", row)}
    assert not missing, f"not in a table of {REFERENCE.name}: {', '.join(sorted(missing))}"


def test_every_public_name_is_in_the_help_of_the_package():
    missing = {*br.__all__} - {*re.findall(r"\w+", br.__doc__)}
    assert not missing, f"not in the docstring of the package: {', '.join(sorted(missing))}"


@pytest.mark.parametrize("name", sorted(OPERATORS))
def test_the_reference_calls_every_operator_as_it_is(name):
    parameters = [str(p.replace(annotation=p.empty)) for p in positional(getattr(br, name))]
    call = f"`{name}({', '.join(parameters)})`"
    assert call in REFERENCE.read_text("utf-8"), f"no {call} in {REFERENCE.name}"
