"""What is timed of paths of the lasso, beside those of other solvers.

Statements see ``lasso``, a problem of `problems`, and return the coefficients of all strengths.
"""

from __future__ import annotations

import importlib.util
import math
from collections.abc import Iterator

from bench.peers.works import Goal, Work

PACKAGES = {"bridle": "sklearn", "scikit-learn": "sklearn", "skglm": "skglm"}
PACKAGES |= {"pyproximal": "pyproximal"}
WORDS = 50  # in each text, of a sparse matrix
LIMIT = "product with X for each strength"  # what it takes to look at all features


def paths(n: int) -> Iterator[Work]:
    """Every row of the family: a matrix of n / 5 numbers, one of a quarter, a sparse one."""
    features = max(math.isqrt(n // 25), 20)
    skglm, pyproximal = Goal("skglm", 0.5), Goal("pyproximal", 10.0)
    yield from _rows("Dense", 5 * features, features, 100, skglm)
    features = max(features // 2, 20)
    yield from _rows("Dense", 5 * features, features, 100, skglm, pyproximal)
    features = max(n // 2000, 20)
    yield from _rows("Sparse", 2 * features, features, 20, skglm)


def _rows(kind: str, samples: int, features: int, strengths: int, *goals: Goal) -> Iterator[Work]:
    peers = {"scikit-learn", "skglm"} | {goal.against for goal in goals}
    code = {
        name: f"lasso.{name.replace('-', '_')}()"
        for name, package in PACKAGES.items()
        if name in {"bridle", *peers} and importlib.util.find_spec(package)
    }
    if "bridle" not in code:
        return
    title = f"lasso path, {kind.lower()} {samples} x {features}, {strengths} strengths"
    code[LIMIT] = "lasso.limit()"
    prepare = (
        f"from bench.peers.problems import {kind};"
        f" lasso = {kind}({samples}, {features}, {strengths})"
    )
    reachable = tuple(goal for goal in goals if goal.against in code)
    numbers = samples * (features if kind == "Dense" else WORDS)
    yield Work(title, numbers, "value", "path", code, LIMIT, reachable, None, prepare, "paths")
