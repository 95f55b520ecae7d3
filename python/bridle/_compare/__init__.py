"""``bridle compare``: the effect of each regularization on a small network, and its report.

Nothing here is imported by ``import bridle``. The packages of the extra ``compare`` are imported
where they are used, so that the modules can be imported without them.
"""

from importlib import import_module
from typing import Any, TypeAlias

from numpy.typing import NDArray

Array: TypeAlias = NDArray[Any]

EXTRA_PACKAGES = {
    "sklearn": "scikit-learn",
    "pandas": "pandas",
    "threadpoolctl": "threadpoolctl",
    "matplotlib": "matplotlib",
    "jinja2": "Jinja2",
    "rich": "rich",
}


PROBLEMS_SHOWN = 12


class CompareError(Exception):
    """Something that the user can put right; ``problems`` has a line for each."""

    def __init__(self, *problems: str) -> None:
        super().__init__(*problems)
        self.problems = problems

    def __str__(self) -> str:
        more = len(self.problems) - PROBLEMS_SHOWN
        rest = [f"and {more} more problem{'s' * (more > 1)}"] if more > 0 else []
        return "\n".join([*self.problems[:PROBLEMS_SHOWN], *rest])


def require_extra_packages() -> None:
    """Raise `CompareError` unless everything that a comparison will need can be imported."""
    missing = []
    for module, package in EXTRA_PACKAGES.items():
        try:
            import_module(module)
        except ImportError:
            missing.append(package)
    if missing:
        raise CompareError(
            f'this needs {", ".join(missing)}; install them with: pip install "bridle[compare]"'
        )
