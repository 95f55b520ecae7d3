"""Every module is imported without a warning, each adapter in a program of its own."""

import importlib.util
import pkgutil

import pytest

import bridle as br

SUBMODULES = [module.name for module in pkgutil.iter_modules(br.__path__)]
ADAPTERS = [name for name in SUBMODULES if not name.startswith("_")]
NEEDS = {"keras": ["keras", "torch"]}  # Keras without a backend cannot be imported
PRIVATE = """
import importlib
import pkgutil

import bridle

packages = [name for _, name, _ in pkgutil.iter_modules(bridle.__path__) if name.startswith("_")]
modules = [f"bridle.{name}" for name in packages if name != "__main__"]
for package in list(modules):
    paths = getattr(importlib.import_module(package), "__path__", [])
    modules += [name for _, name, _ in pkgutil.walk_packages(paths, f"{package}.")]
for name in modules:
    try:
        importlib.import_module(name)
    except ModuleNotFoundError as error:  # of a package that is optional
        assert not error.name.startswith("bridle"), error
print(len(modules))
"""


@pytest.mark.parametrize("name", ADAPTERS)
def test_an_adapter_is_imported_without_a_warning(name, run_python):
    for package in NEEDS.get(name, [name]):
        if importlib.util.find_spec(package) is None:
            pytest.skip(f"{package} is not installed")
    done = run_python(f"import bridle.{name}", PYTHONWARNINGS="error", KERAS_BACKEND="torch")
    assert (done.returncode, done.stderr) == (0, ""), done.stderr


def test_what_is_private_is_imported_without_a_warning(run_python):
    done = run_python(PRIVATE, PYTHONWARNINGS="error")
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    assert int(done.stdout) > 50
