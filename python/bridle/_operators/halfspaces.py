"""Projections of vectors on a half-space and on a plane."""

from __future__ import annotations

from typing import Any, overload

from numpy.typing import ArrayLike, NDArray

from bridle import _slices as slices
from bridle._operators.documentation import shares_documentation
from bridle._types import Axis, FloatArray, Number, Out

__all__ = ["project_halfspace", "project_hyperplane"]


@overload
def project_halfspace(
    x: ArrayLike, normal: ArrayLike, offset: Number, *, axis: Axis = -1, out: Out
) -> Out: ...
@overload
def project_halfspace(
    x: FloatArray, normal: ArrayLike, offset: Number, *, axis: Axis = -1, out: None = None
) -> FloatArray: ...
@overload
def project_halfspace(
    x: ArrayLike, normal: ArrayLike, offset: Number, *, axis: Axis = -1, out: None = None
) -> NDArray[Any]: ...
@shares_documentation
def project_halfspace(
    x: ArrayLike,
    normal: ArrayLike,
    offset: Number,
    *,
    axis: Axis = -1,
    out: NDArray[Any] | None = None,
) -> Any:
    r"""Move each vector to the nearest one on one side of a plane.

    .. math::

        y = \arg\min_z \|z - x\|_2 \quad \text{where} \quad \langle a, z \rangle \le b; \qquad
        y = x - \frac{\max(\langle a, x \rangle - b,\, 0)}{\|a\|_2^2}\, a

    Parameters
    ----------
    x : array_like
        Weights.
    normal : array_like
        :math:`a \ne 0`, one number for each element of a vector.
    offset : float
        :math:`b`, of either sign.
    [vectors]
    [slices out]

    Returns
    -------
    [projection]

    Raises
    ------
    [slices raises]

    See Also
    --------
    project_hyperplane : The same on the plane itself.

    References
    ----------
    .. [1] H. H. Bauschke and P. L. Combettes, "Convex analysis and monotone operator theory in
       Hilbert spaces", Springer, 2nd edition (2017).

    Examples
    --------
    >>> import bridle as br
    >>> br.project_halfspace([[2.0, 2.0], [0.0, 1.0]], [1.0, 1.0], 2.0)
    array([[1., 1.],
           [0., 1.]])
    """
    return slices.apply("project_halfspace", x, (offset,), out, axis=axis, beside=normal)


@overload
def project_hyperplane(
    x: ArrayLike, normal: ArrayLike, offset: Number, *, axis: Axis = -1, out: Out
) -> Out: ...
@overload
def project_hyperplane(
    x: FloatArray, normal: ArrayLike, offset: Number, *, axis: Axis = -1, out: None = None
) -> FloatArray: ...
@overload
def project_hyperplane(
    x: ArrayLike, normal: ArrayLike, offset: Number, *, axis: Axis = -1, out: None = None
) -> NDArray[Any]: ...
@shares_documentation
def project_hyperplane(
    x: ArrayLike,
    normal: ArrayLike,
    offset: Number,
    *,
    axis: Axis = -1,
    out: NDArray[Any] | None = None,
) -> Any:
    r"""Move each vector to the nearest one on a plane.

    .. math::

        y = \arg\min_z \|z - x\|_2 \quad \text{where} \quad \langle a, z \rangle = b; \qquad
        y = x - \frac{\langle a, x \rangle - b}{\|a\|_2^2}\, a

    Parameters
    ----------
    x : array_like
        Weights.
    normal : array_like
        :math:`a \ne 0`, one number for each element of a vector.
    offset : float
        :math:`b`, of either sign.
    [vectors]
    [slices out]

    Returns
    -------
    [projection]

    Raises
    ------
    [slices raises]

    See Also
    --------
    project_halfspace : The same for all that lies on one side.

    References
    ----------
    .. [1] H. H. Bauschke and P. L. Combettes, "Convex analysis and monotone operator theory in
       Hilbert spaces", Springer, 2nd edition (2017).

    Examples
    --------
    >>> import bridle as br
    >>> br.project_hyperplane([[2.0, 2.0], [0.0, 1.0]], [1.0, 1.0], 2.0)
    array([[1. , 1. ],
           [0.5, 1.5]])
    """
    return slices.apply("project_hyperplane", x, (offset,), out, axis=axis, beside=normal)
