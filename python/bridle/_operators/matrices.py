"""Operators of whole matrices, by NumPy's LAPACK and BLAS: the nuclear norm, orthogonal rows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal, NamedTuple, TypeAlias, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bridle import _lazy
from bridle import _singular_values as singular_values
from bridle import _slices as slices
from bridle._call import choice, non_negative, product, real_array
from bridle._operators.documentation import shares_documentation
from bridle._types import FloatArray, Number, Out

__all__ = ["nuclear_penalty", "orthogonal_gradient", "orthogonal_penalty", "prox_nuclear"]

Mode: TypeAlias = Literal["rows", "columns"]

BLOCK = 2**20
"""Number of cosines that are held at a time."""


@overload
def prox_nuclear(x: ArrayLike, strength: Number, step: Number = 1.0, *, out: Out) -> Out: ...
@overload
def prox_nuclear(
    x: FloatArray, strength: Number, step: Number = 1.0, *, out: None = None
) -> FloatArray: ...
@overload
def prox_nuclear(
    x: ArrayLike, strength: Number, step: Number = 1.0, *, out: None = None
) -> NDArray[Any]: ...
@shares_documentation
def prox_nuclear(
    x: ArrayLike, strength: Number, step: Number = 1.0, *, out: NDArray[Any] | None = None
) -> NDArray[Any]:
    r"""Shrink the singular values of matrices, so that small ones vanish and the rank falls.

    .. math::

        Y = \arg\min_Z \tfrac12 \|Z - X\|_F^2 + \eta \lambda \|Z\|_*
          = U \operatorname{diag}(\max(\sigma_i - \eta \lambda, 0))\, V^\top, \quad
        X = U \operatorname{diag}(\sigma)\, V^\top

    Parameters
    ----------
    x : array_like, shape (..., m, n)
        A matrix, or a stack of matrices: each one along the last two axes is shrunk by itself.
    strength : float
        :math:`\lambda \ge 0`.
    step : float, default 1.0
        :math:`\eta \ge 0`, the learning rate; it multiplies the whole penalty. Where
        :math:`\eta \lambda = 0`, ``x`` comes back bit for bit.
    [slices out]

    Returns
    -------
    ndarray
        Of the shape and dtype of ``x`` (float16, bfloat16, float32 or float64; integers become
        float64). Halves are computed in float32 and rounded once. Every zero that is produced is
        +0.0; what is zero in a whole row or column of a matrix is zero in the result. A matrix with
        a NaN becomes NaN, and so does one with an infinity, whose singular vectors nobody knows.

    Raises
    ------
    [slices raises]

    See Also
    --------
    nuclear_penalty : The penalty of which this is the proximal operator.
    soft_threshold : The same for elements instead of singular values.

    Notes
    -----
    The singular value decomposition is that of `numpy.linalg.svd`; so the last bits depend on
    NumPy's LAPACK, other than those of all operators that bridle computes by itself. Matrices are
    scaled by powers of two first, so that nothing overflows.

    References
    ----------
    .. [1] J.-F. Cai, E. J. Candès and Z. Shen, "A singular value thresholding algorithm for matrix
       completion", SIAM J. Optim. 20 (2010).

    Examples
    --------
    >>> import bridle as br
    >>> br.prox_nuclear([[3.0, 0.0], [0.0, 0.5]], 1.0)
    array([[2., 0.],
           [0., 0.]])
    """
    name = "prox_nuclear"
    threshold = product(non_negative(name, "strength", strength), non_negative(name, "step", step))
    return singular_values.shrunk(name, x, threshold, out)


@shares_documentation
def nuclear_penalty(w: ArrayLike, strength: Number = 1.0) -> np.float64:
    r"""Sum of the singular values of a matrix, the nuclear or trace norm.

    .. math:: P(W) = \lambda \|W\|_* = \lambda \sum_i \sigma_i(W)

    Parameters
    ----------
    w : array_like, shape (..., m, n)
        A matrix, or a stack of matrices whose penalties are added.
    strength : float, default 1.0
        :math:`\lambda \ge 0`. Zero makes the penalty zero, whatever the weights are.

    Returns
    -------
    float64
        Computed in float64 whatever the dtype of ``w``, by NumPy's LAPACK. A NaN makes it NaN, else
        an infinity infinite; a stack without elements costs 0.

    Raises
    ------
    [slices raises]

    See Also
    --------
    prox_nuclear : The proximal operator of this penalty.

    References
    ----------
    .. [1] B. Recht, M. Fazel and P. A. Parrilo, "Guaranteed minimum-rank solutions of linear
       matrix equations via nuclear norm minimization", SIAM Rev. 52 (2010).

    Examples
    --------
    >>> import bridle as br
    >>> br.nuclear_penalty([[3.0, 0.0], [0.0, -0.5]], 2.0)
    np.float64(7.0)
    """
    name = "nuclear_penalty"
    return singular_values.total(name, w, non_negative(name, "strength", strength))


@shares_documentation
def orthogonal_penalty(w: ArrayLike, strength: Number = 1.0, *, mode: Mode = "rows") -> np.float64:
    r"""Mean size of the cosines between the rows or columns of a matrix: zero if orthogonal.

    .. math::

        P(W) = \frac{2 \lambda}{n (n - 1)} \sum_{i < j}
            \frac{|\langle w_i, w_j \rangle|}{\|w_i\|_2 \|w_j\|_2}

    This is ``OrthogonalRegularizer(factor=strength, mode=mode)`` of Keras, without the small number
    that is added to the norms there.

    Parameters
    ----------
    w : array_like, shape (m, n)
        A matrix.
    strength : float, default 1.0
        :math:`\lambda \ge 0`. Zero makes the penalty zero, whatever the weights are.
    mode : {"rows", "columns"}
        What is to be orthogonal. With more rows than columns the rows cannot all be, and the other
        way round.

    Returns
    -------
    float64
        Computed in float64 whatever the dtype of ``w``; between 0 and ``strength``. A zero vector
        counts as orthogonal to all others; fewer than two vectors cost 0. A NaN or an infinity
        makes it NaN.

    Raises
    ------
    [slices raises]

    See Also
    --------
    orthogonal_gradient : The gradient of this penalty.

    Notes
    -----
    The cosines are computed by NumPy's BLAS, on which the last bits depend, a block of them at a
    time: beside one copy of ``w`` in float64, a few megabytes of memory are needed.

    References
    ----------
    .. [1] A. Brock, T. Lim, J. M. Ritchie and N. Weston, "Neural photo editing with introspective
       adversarial networks", ICLR 2017.

    Examples
    --------
    >>> import bridle as br
    >>> br.orthogonal_penalty([[3.0, 4.0], [0.0, -2.0]])
    np.float64(0.8)
    >>> br.orthogonal_penalty([[1.0, 0.0], [0.0, -2.0]])
    np.float64(0.0)
    """
    name = "orthogonal_penalty"
    factor = non_negative(name, "strength", strength)
    matrix = _vectors(name, w, mode)
    if _lazy.is_dask(matrix):
        cost: np.float64 = _lazy.rule("of_matrix")(orthogonal_penalty, matrix, factor)
        return cost
    count = len(matrix)
    if factor == 0.0 or count < 2:
        return np.float64(0.0)
    total = 0.0
    with np.errstate(all="ignore"):
        for start, cosines in _cosines(_directions(matrix).unit):
            np.abs(cosines, out=cosines)
            total += float(np.triu(cosines[:, start:], 1).sum())
    return np.float64(product(factor, total / (count * (count - 1) // 2)))


@overload
def orthogonal_gradient(
    w: ArrayLike, strength: Number = 1.0, *, mode: Mode = "rows", out: Out
) -> Out: ...
@overload
def orthogonal_gradient(
    w: FloatArray, strength: Number = 1.0, *, mode: Mode = "rows", out: None = None
) -> FloatArray: ...
@overload
def orthogonal_gradient(
    w: ArrayLike, strength: Number = 1.0, *, mode: Mode = "rows", out: None = None
) -> NDArray[Any]: ...
@shares_documentation
def orthogonal_gradient(
    w: ArrayLike,
    strength: Number = 1.0,
    *,
    mode: Mode = "rows",
    out: NDArray[Any] | None = None,
) -> NDArray[Any]:
    r"""Gradient of the penalty on cosines between rows or columns.

    .. math::

        g_i = \frac{2 \lambda}{n (n - 1) \|w_i\|_2} \sum_{j \ne i}
            \operatorname{sign}(c_{ij}) (u_j - c_{ij} u_i), \quad
        u_i = \frac{w_i}{\|w_i\|_2}, \quad c_{ij} = \langle u_i, u_j \rangle,
            \quad \operatorname{sign}(0) = 0

    Parameters
    ----------
    w : array_like, shape (m, n)
        A matrix.
    strength : float, default 1.0
        :math:`\lambda \ge 0`.
    mode : {"rows", "columns"}
        What is to be orthogonal.
    [slices out]

    Returns
    -------
    ndarray
        Of the shape and dtype of ``w``, to be added to the gradient of the loss; computed in
        float64 and rounded once. The gradient of a zero vector, and of fewer than two vectors, is
        zero. A NaN or an infinity makes all of it NaN.

    Raises
    ------
    [slices raises]

    See Also
    --------
    orthogonal_penalty : The penalty.

    Notes
    -----
    The cosines are computed by NumPy's BLAS, on which the last bits depend, a block of them at a
    time. Between vectors that are orthogonal the sign of the cosine is that of its rounding error,
    unless it is exactly zero.

    References
    ----------
    .. [1] A. Brock, T. Lim, J. M. Ritchie and N. Weston, "Neural photo editing with introspective
       adversarial networks", ICLR 2017.

    Examples
    --------
    >>> import bridle as br
    >>> br.orthogonal_gradient([[1.0, 0.0], [0.0, 2.0]])
    array([[0., 0.],
           [0., 0.]])
    >>> br.orthogonal_gradient([[2.0, 0.0], [3.0, 4.0]]).round(3)
    array([[ 0.   ,  0.4  ],
           [ 0.128, -0.096]])
    """
    name = "orthogonal_gradient"
    factor = non_negative(name, "strength", strength)
    matrix = _vectors(name, w, mode)
    if _lazy.is_dask(matrix):
        _lazy.refuse_out(name, out)
        lazy: NDArray[Any] = _lazy.rule("of_matrix")(orthogonal_gradient, matrix, factor)
        return lazy if mode == "rows" else lazy.T
    target = slices.result_of(name, matrix if mode == "rows" else matrix.T, out)
    with np.errstate(all="ignore"):
        slope = _slope_of_cosines(matrix, factor)
        result = singular_values.rounded(slope if mode == "rows" else slope.T, matrix.dtype)
    return singular_values.written(result, target)


class Directions(NamedTuple):
    """Vectors, the rows of a matrix, as direction and norm."""

    unit: NDArray[np.float64]
    """The vectors divided by their norms; a zero vector stays."""
    norms: NDArray[np.float64]
    """A column of the norms divided by powers of two; 1 for a zero vector."""
    exponents: NDArray[np.intc]
    """A column of the exponents of these powers."""


def _vectors(name: str, w: ArrayLike, mode: Mode) -> NDArray[Any]:
    """Return a matrix with the rows or columns of ``w`` as rows."""
    array = real_array(name, w, lazy=True)
    if array.ndim != 2:
        raise ValueError(f"{name}: w must be a matrix, got shape {array.shape}")
    return array if choice(name, "mode", mode, ("rows", "columns")) == "rows" else array.T


def _directions(matrix: NDArray[Any]) -> Directions:
    wide = np.array(matrix, dtype=np.float64, order="C")
    exponents = np.frexp(np.abs(wide).max(axis=1, keepdims=True, initial=0))[1]
    unit = np.ldexp(wide, -exponents, out=wide)
    norms = np.sqrt(np.einsum("ij,ij->i", unit, unit))[:, np.newaxis]
    norms[norms == 0] = 1
    unit /= norms
    return Directions(unit, norms, exponents)


def _cosines(unit: NDArray[np.float64]) -> Iterator[tuple[int, NDArray[np.float64]]]:
    """Yield the cosines of a few vectors with all of them, from which one on, zero with itself."""
    rows = max(1, BLOCK // len(unit))
    for start in range(0, len(unit), rows):
        cosines = unit[start : start + rows] @ unit.T
        np.fill_diagonal(cosines[:, start:], 0)
        yield start, cosines


def _slope_of_cosines(matrix: NDArray[Any], factor: float) -> NDArray[np.float64]:
    """Return the gradient with respect to the rows of the matrix."""
    count = len(matrix)
    slope = np.zeros(matrix.shape)
    if count < 2:
        return slope
    unit, norms, exponents = _directions(matrix)
    if not np.isfinite(norms).all():
        slope[...] = np.nan
        return slope
    for start, cosines in _cosines(unit):
        some = slice(start, start + len(cosines))
        signs = np.sign(cosines)
        along = np.abs(cosines).sum(axis=1, keepdims=True)
        slope[some] = signs @ unit - along * unit[some]
    changed = slope != 0
    np.multiply(slope, factor / (count * (count - 1) // 2), out=slope, where=changed)
    slope /= norms
    return np.ldexp(slope, -exponents, out=slope)
