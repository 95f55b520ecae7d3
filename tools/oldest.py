"""Test a wheel with the oldest versions of other packages that pyproject.toml promises.

python tools/oldest.py small WHEEL             some tests, without the large packages
python tools/oldest.py all WHEEL               the adapters to all packages
python tools/oldest.py all WHEEL tests -n 2    any arguments of pytest instead, here all tests

Packages go to build/oldest-small or build/oldest-all, an environment that is made anew.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import tomllib
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SMALL = (
    *("numpy", "ml_dtypes", "scipy", "scikit-learn", "pandas", "polars", "xarray"),
    *("dask", "distributed", "lightgbm", "matplotlib", "jinja2", "rich", "threadpoolctl"),
    *("pytest", "hypothesis", "mpmath"),
)
LARGE = (
    *("torch", "keras", "lightning", "transformers"),
    *("jax", "optax", "xgboost-cpu", "catboost"),
)
OF_THEIR_TIME = ("pyparsing<3.2",)  # of a later one, matplotlib's oldest makes warnings
TOOLS = ("pytest-xdist",)

SMALL_TESTS = (
    *("tests/test_imports.py", "tests/operators/test_ufunc_behaviour.py"),
    *("tests/models/test_arrays.py", "tests/containers", "tests/dask/test_updates.py"),
    *("tests/regularizers/test_picture.py", "tests/sklearn/test_paths.py"),
    *("tests/compare/test_files.py", "tests/callbacks/test_boosters.py"),
)
ALL_TESTS = (
    *("tests/torch", "tests/updates/test_torch.py", "tests/keras", "tests/stopping/test_keras.py"),
    *("tests/dropout/test_copies.py", "tests/operators/test_slice_peers.py", "tests/callbacks"),
    *("tests/jax", "tests/sklearn", "tests/dask", "tests/compare", "tests/test_foreign.py"),
)
# pytest's oldest leaves the rest of a folder out where one of its files is named, too.
REST = tuple(test for test in SMALL_TESTS if not test.startswith(tuple(f"{t}/" for t in ALL_TESTS)))
SETS = {
    "small": (SMALL, (*SMALL_TESTS, "-n", "2")),
    "all": ((*SMALL, *LARGE), (*REST, *ALL_TESTS, "-n", "2")),
}


def floors() -> dict[str, str]:
    """Return the oldest version of each package, as ``name==version``, from pyproject.toml."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    found: dict[str, str] = {}
    for requirements in (project["dependencies"], *project["optional-dependencies"].values()):
        for requirement in requirements:
            floor = re.fullmatch(r"(([\w-]+)(?:\[\w+\])?)>=([\d.]+)", requirement)
            if floor is not None:
                pin = f"{floor[1]}=={floor[3]}"
                if found.setdefault(floor[2], pin) != pin:
                    raise ValueError(f"pyproject.toml: both {found[floor[2]]} and {pin}")
    return found


def main() -> None:
    """Make the environment, and run the tests in it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("packages", choices=SETS)
    parser.add_argument("wheel", type=Path)
    parser.add_argument("tests", nargs=argparse.REMAINDER, help="arguments of pytest")
    arguments = parser.parse_args()
    packages, tests = SETS[arguments.packages]
    pins = [floors()[package] for package in packages]
    folder = ROOT / "build" / f"oldest-{arguments.packages}"
    venv.create(folder, clear=True, with_pip=True)
    python = folder / "bin" / "python"
    install = (python, "-m", "pip", "install", "--only-binary=:all:")
    run(*install, arguments.wheel.resolve(), *pins, *OF_THEIR_TIME, *TOOLS)
    print("\n".join(pins), flush=True)
    run(python, "-m", "pytest", "-q", *(arguments.tests or tests))


def run(*command: object) -> None:
    """Run a command in the folder of the sources; where it fails, this program does."""
    code = subprocess.run([str(word) for word in command], cwd=ROOT, check=False).returncode
    if code != 0:
        raise SystemExit(code)


if __name__ == "__main__":
    main()
