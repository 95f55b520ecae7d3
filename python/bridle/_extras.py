"""What is said where a package of an extra is missing."""

from __future__ import annotations


def missing(name: str, feature: str, package: str, extra: str) -> ImportError:
    """Return the error of a function that needs a package: what for, and how to install it."""
    needs = f"{feature} needs" if feature else "needs"
    return ImportError(
        f"{name}: {needs} {package}, which is not installed; install it with: "
        f'pip install "bridle[{extra}]"'
    )
