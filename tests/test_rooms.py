"""Imports run downhill: a room takes from what lies below it, never from another room beside it."""

import ast
from graphlib import TopologicalSorter
from importlib.util import resolve_name
from pathlib import Path

import pytest

import bridle as br

PACKAGE = Path(br.__file__).parent


def name_of(path):
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {name_of(path): path for path in sorted(PACKAGE.rglob("*.py"))}
MODULES["bridle._core"] = PACKAGE / "_core.pyi"
PROGRAMS = ("bridle._cli", "bridle.__main__")


def imported(module):
    """Return the modules of bridle that one imports, wherever in it."""
    path = MODULES[module]
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    found = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = resolve_name("." * node.level + (node.module or ""), package)
            full = {f"{base}.{alias.name}" for alias in node.names}
            modules = full & MODULES.keys()
            found.update(modules if modules == full else modules | {base})
    return {name for name in found if name.split(".")[0] == "bridle"}


def room(module):
    """Return the folder in which a module lies, "" for the topmost; an adapter is its own."""
    parts = module.split(".")
    in_folder = len(parts) > 2 or MODULES[module].parent.name == parts[-1]
    return parts[1] if module != "bridle" and (in_folder or parts[1][0] != "_") else ""


def height(module):
    """Return on which floor a module lies."""
    if module == "bridle":
        return 2  # the list of public names, above all that it lists
    if not room(module):
        return 4 if module in PROGRAMS else 0  # what the rooms share
    is_client = room(module) == "_compare" or not room(module).startswith("_")
    return 3 if is_client else 1


@pytest.mark.parametrize("module", MODULES)
def test_a_module_imports_from_its_room_or_from_below(module):
    for other in imported(module):
        inside = room(other) == room(module) and height(other) == height(module)
        assert inside or height(other) < height(module), f"{module} imports {other}"


def test_imports_run_in_no_circle():
    TopologicalSorter({module: imported(module) for module in MODULES}).prepare()
