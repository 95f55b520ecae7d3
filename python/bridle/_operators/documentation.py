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
    # Of slices: groups, vectors, norms along axes, matrices.
    "groups": """\
axis : int or tuple of int, default -1
    Each slice of the array along this axis, or these axes together, is a group.
offsets : array_like of int, optional
    Instead of ``axis``, for an array of one axis: group ``g`` is the part
    ``offsets[g]:offsets[g + 1]``. They begin with 0, end with the size of the array, and do not
    decrease; a group may be empty.
labels : array_like of int, optional
    Instead of ``axis`` or ``offsets``, where the elements of a group do not lie side by side:
    the number of the group of each element, counted from 0, in the shape of the array. A
    negative one means: in no group.
weights : array_like, optional
    :math:`\\omega_g \\ge 0`, one number for each group that multiplies its strength, 1 by
    default; mostly the square root of the size of the group. With ``axis`` the shape is that of
    the array without these axes.
""",
    "vectors": """\
axis : int or tuple of int, default -1
    Each slice of the array along this axis, or these axes together, is a vector by itself.
""",
    "norms": """\
axis : int or tuple of int, default 0
    The axes along which norms are taken. For weights of shape (inputs, outputs), 0 is the norm
    of what goes into each output; for those of a convolution, (height, width, inputs, outputs),
    it is (0, 1, 2).
""",
    "slices out": """\
out : ndarray, optional
    Where the result is written, of the shape of the array and in any memory layout; may be the
    array itself. A new array by default.
""",
    "slices": """\
ndarray
    Of the shape and dtype of the array (float16, bfloat16, float32 or float64; integers become
    float64). Halves are rounded once. The bits are the same with any number of threads, on any
    machine, in every memory layout, in place or not. Every zero that is produced is +0.0, and a
    NaN makes its whole slice NaN.
""",
    "projection": """\
ndarray
    Of the shape and dtype of the array (float16, bfloat16, float32 or float64; integers become
    float64). What lies in the set already keeps every bit. The bits are the same with any
    number of threads, on any machine, in every memory layout, in place or not. Every zero that
    is produced is +0.0, and a NaN makes its whole slice NaN.
""",
    "slices penalty": """\
float64
    The sum over all slices, accumulated in float64 whatever the dtype of ``w``, in an order
    that depends on positions alone: the same bits with any number of threads, on any machine.
    Nothing overflows or underflows but the result. A NaN makes it NaN; an empty array costs 0.
""",
    "slices raises": """\
ValueError
    If a parameter is outside its range or NaN, or an array does not fit; nothing has been
    written then.
TypeError
    If a parameter is no real number, or an array is masked or of another type.
""",
}


def shares_documentation(function: Function) -> Function:
    """Put what operators share into the docstring, where its lines ask for it."""
    text = function.__doc__
    for name, shared in SHARED.items():
        text = text and text.replace(f"    [{name}]\n", textwrap.indent(shared, "    "))
    function.__doc__ = text
    return function
