"""Projections of each element on an interval."""

from __future__ import annotations

from typing import Any, Unpack, overload

import numpy as np
from numpy.typing import ArrayLike

from bridle import _core
from bridle._call import shows_ufunc_keywords
from bridle._operators.documentation import shares_documentation
from bridle._types import Floats, LoopKeywords, Number, Out, UfuncKeywords

__all__ = ["project_box", "project_nonnegative"]


@overload
def project_box(
    x: ArrayLike,
    lower: ArrayLike,
    upper: ArrayLike,
    out: Out | tuple[Out],
    **ufunc_kwargs: Unpack[UfuncKeywords],
) -> Out: ...
@overload
def project_box(
    x: Floats,
    lower: Number,
    upper: Number,
    out: None = None,
    **ufunc_kwargs: Unpack[LoopKeywords],
) -> Floats: ...
@overload
def project_box(
    x: float,
    lower: Number,
    upper: Number,
    out: None = None,
    **ufunc_kwargs: Unpack[LoopKeywords],
) -> np.float64: ...
@overload
def project_box(
    x: ArrayLike,
    lower: ArrayLike,
    upper: ArrayLike,
    out: Any = None,
    **ufunc_kwargs: Unpack[UfuncKeywords],
) -> Any: ...
@shows_ufunc_keywords
@shares_documentation
def project_box(
    x: ArrayLike,
    lower: ArrayLike,
    upper: ArrayLike,
    out: Any = None,
    **ufunc_kwargs: Unpack[UfuncKeywords],
) -> Any:
    r"""Move every element to the nearest number between two bounds.

    .. math:: y = \min(\max(x, l), u)

    What lies between them keeps its bits; so does -0.0.

    Parameters
    ----------
    x : array_like
        Weights, of any shape and memory layout.
    lower, upper : array_like
        :math:`l \le u`, infinite ones too; numbers, or arrays that are broadcast against
        ``x``.
    [out]

    Returns
    -------
    [elementwise]

    Raises
    ------
    [raises]

    See Also
    --------
    project_nonnegative : The same without an upper bound, the lower one being zero.

    References
    ----------
    .. [1] N. Parikh and S. Boyd, "Proximal algorithms", Found. Trends Optim. 1 (2014).

    Examples
    --------
    >>> import bridle as br
    >>> br.project_box([-3.0, 0.5, 2.0], 0.0, 1.0)
    array([0. , 0.5, 1. ])
    """
    return _core.project_box(x, lower, upper, out, ufunc_kwargs)


@overload
def project_nonnegative(
    x: ArrayLike,
    out: Out | tuple[Out],
    **ufunc_kwargs: Unpack[UfuncKeywords],
) -> Out: ...
@overload
def project_nonnegative(
    x: Floats,
    out: None = None,
    **ufunc_kwargs: Unpack[LoopKeywords],
) -> Floats: ...
@overload
def project_nonnegative(
    x: float,
    out: None = None,
    **ufunc_kwargs: Unpack[LoopKeywords],
) -> np.float64: ...
@overload
def project_nonnegative(
    x: ArrayLike,
    out: Any = None,
    **ufunc_kwargs: Unpack[UfuncKeywords],
) -> Any: ...
@shows_ufunc_keywords
@shares_documentation
def project_nonnegative(
    x: ArrayLike,
    out: Any = None,
    **ufunc_kwargs: Unpack[UfuncKeywords],
) -> Any:
    r"""Set negative elements to zero.

    .. math:: y = \max(x, 0)

    What is not negative keeps its bits; so does -0.0.

    Parameters
    ----------
    x : array_like
        Weights, of any shape and memory layout.
    [out]

    Returns
    -------
    [elementwise]

    See Also
    --------
    project_box : The same for any bounds.

    References
    ----------
    .. [1] N. Parikh and S. Boyd, "Proximal algorithms", Found. Trends Optim. 1 (2014).

    Examples
    --------
    >>> import bridle as br
    >>> br.project_nonnegative([-3.0, 0.5])
    array([0. , 0.5])
    """
    return _core.project_nonnegative(x, out, ufunc_kwargs)
