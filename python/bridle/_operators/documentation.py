"""What the docstrings of the operators share, written once and inserted."""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from typing import Any, TypeVar

Function = TypeVar("Function", bound=Callable[..., Any])

# By the line that stands for each in a docstring: its name in brackets.
SHARED = {
    "out": """\
out : ndarray, optional
    Where the result is written; may be ``x`` itself.
where, dtype, casting, order, subok
    As for any NumPy ufunc.
""",
    "elementwise": """\
ndarray or scalar
    Of the dtype of ``x`` (float16, bfloat16, float32 or float64; integers are promoted as NumPy
    does). Halves are computed in float32 and rounded once. Every zero that is produced is +0.0, and
    a NaN stays NaN.
""",
    "axis": """\
axis : int or tuple of int, optional
    The axes to sum over; all of them by default.
keepdims : bool, default False
    Keep the axes that were summed over, with length one.
""",
    "penalty": """\
float64 or ndarray of float64
    Accumulated in float64 whatever the dtype of ``w``, in an order that depends on the positions of
    the elements alone: the same bits with any number of threads, on any machine, for ``w`` and
    ``w.T``. A NaN makes its sum NaN; an empty sum is 0.
""",
    "raises": """\
ValueError
    If a parameter is outside its range or NaN, or an array of them does not fit; nothing has been
    written then.
TypeError
    If a parameter is no real number, or a masked array.
""",
}


def shares_documentation(function: Function) -> Function:
    """Put what operators share into the docstring, where its lines ask for it."""
    text = function.__doc__
    for name, shared in SHARED.items():
        text = text and text.replace(f"    [{name}]\n", textwrap.indent(shared, "    "))
    function.__doc__ = text
    return function
