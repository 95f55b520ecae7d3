"""What a report is made of."""

from __future__ import annotations

import platform
from dataclasses import dataclass
from importlib.metadata import version

import bridle as br
from bridle._compare.results import Results

PACKAGES = ("bridle", "numpy", "pandas", "scikit-learn", "matplotlib")


@dataclass(frozen=True)
class Report:
    """All that the files are made of; ``command`` repeats the comparison."""

    results: Results
    threads: int
    command: str

    @property
    def versions(self) -> dict[str, str]:
        """The versions of everything that may change a result."""
        return {"Python": platform.python_version()} | {name: version(name) for name in PACKAGES}

    @property
    def instruction_set(self) -> str:
        """The instruction set that bridle has chosen."""
        config = br.show_config(mode="dicts") or {}
        return str(config["instruction_set"])
