"""Sums of floats that have the same bits on every Python."""

import operator
from collections.abc import Iterable
from functools import reduce


def sum_in_order(values: Iterable[float]) -> float:
    """Return the sum, rounded after each value; `sum` compensates from Python 3.12 on."""
    return reduce(operator.add, values, 0.0)
