"""Selection by magnitude: the largest of a vector, of a list of arrays, of every few elements."""

from __future__ import annotations

import math
import operator
from collections.abc import Sequence
from typing import Any, SupportsIndex, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bridle import _core, _lazy
from bridle import _slices as slices
from bridle._arrays import is_list
from bridle._call import real_array, refuse_masked, shown
from bridle._operators.documentation import shares_documentation
from bridle._types import Axis, FloatArray, Out

__all__ = ["project_l0_ball", "project_n_m", "top_k_threshold"]


@overload
def project_l0_ball(x: ArrayLike, k: SupportsIndex, *, axis: Axis = -1, out: Out) -> Out: ...
@overload
def project_l0_ball(
    x: FloatArray, k: SupportsIndex, *, axis: Axis = -1, out: None = None
) -> FloatArray: ...
@overload
def project_l0_ball(
    x: Sequence[FloatArray], k: SupportsIndex, *, out: None = None
) -> list[FloatArray]: ...
@overload
def project_l0_ball(
    x: ArrayLike | Sequence[NDArray[Any]],
    k: SupportsIndex,
    *,
    axis: Axis = -1,
    out: Sequence[NDArray[Any]] | None = None,
) -> Any: ...
@shares_documentation
def project_l0_ball(
    x: ArrayLike | Sequence[NDArray[Any]],
    k: SupportsIndex,
    *,
    axis: Axis = -1,
    out: NDArray[Any] | Sequence[NDArray[Any]] | None = None,
) -> Any:
    r"""Keep the ``k`` elements of largest magnitude of each vector, or of a whole list of arrays.

    .. math::

        y = \arg\min_z \|z - x\|_2 \quad \text{where} \quad |\{i : z_i \ne 0\}| \le k

    With a list of arrays this is global magnitude pruning: the ``k`` largest of all weights of a
    model stay, wherever they are. The arrays are not joined for it.

    Parameters
    ----------
    x : array_like, or list or tuple of ndarray
        Weights.
    k : int
        :math:`k \ge 0`, the number of elements that stay. Of equal magnitudes the one of lower
        index stays, that of the earlier array in a list. What has no more than ``k`` elements
        stays as it is.
    axis : int or tuple of int, default -1
        Each slice of the array along this axis, or these axes together, is a vector by itself. A
        list of arrays is one vector, which takes no axis.
    out : ndarray, or list or tuple of ndarray, optional
        Where the result is written; may be ``x`` itself. New arrays by default.

    Returns
    -------
    ndarray, or list of ndarray
        Of the shape and dtype of each array (float16, bfloat16, float32 or float64; integers become
        float64). What stays keeps every bit, the rest is +0.0. A NaN makes its vector NaN; in a
        list that is all of it.

    Raises
    ------
    [slices raises]

    See Also
    --------
    top_k_threshold : The magnitude of the smallest element that stays.
    hard_threshold : The same with a given threshold.
    project_n_m : The same for every few elements.

    References
    ----------
    .. [1] T. Blumensath and M. E. Davies, "Iterative hard thresholding for compressed sensing",
       Appl. Comput. Harmon. Anal. 27 (2009).
    .. [2] S. Han, J. Pool, J. Tran and W. J. Dally, "Learning both weights and connections for
       efficient neural networks", NeurIPS 2015.

    Examples
    --------
    >>> import numpy as np
    >>> import bridle as br
    >>> br.project_l0_ball([3.0, -1.0, 0.5, 2.0], 2)
    array([3., 0., 0., 2.])
    >>> br.project_l0_ball([np.array([3.0, -1.0]), np.array([0.5, 2.0])], 2)
    [array([3., 0.]), array([0., 2.])]
    """
    name = "project_l0_ball"
    if not is_list(x):
        return slices.apply(name, x, (k,), out, axis=axis)
    count = _count(name, k)
    if axis != -1:
        raise ValueError(f"{name}: axis must be left alone for a list of arrays, got {axis!r}")
    arrays = [real_array(name, each) for each in x]
    _keep_largest(arrays, count, results := _results(name, arrays, out))
    return results if out is None else out


@overload
def project_n_m(
    x: ArrayLike, n: SupportsIndex = 2, m: SupportsIndex = 4, *, axis: Axis = -1, out: Out
) -> Out: ...
@overload
def project_n_m(
    x: FloatArray, n: SupportsIndex = 2, m: SupportsIndex = 4, *, axis: Axis = -1, out: None = None
) -> FloatArray: ...
@overload
def project_n_m(
    x: ArrayLike, n: SupportsIndex = 2, m: SupportsIndex = 4, *, axis: Axis = -1, out: None = None
) -> NDArray[Any]: ...
@shares_documentation
def project_n_m(
    x: ArrayLike,
    n: SupportsIndex = 2,
    m: SupportsIndex = 4,
    *,
    axis: Axis = -1,
    out: NDArray[Any] | None = None,
) -> Any:
    r"""Keep the ``n`` of largest magnitude of every ``m`` consecutive elements.

    .. math::

        y = \arg\min_z \|z - x\|_2 \quad \text{where} \quad
        |\{i : z_{jm + i} \ne 0,\; 0 \le i < m\}| \le n \; \text{ for all } j

    The default, 2:4, is the sparsity that tensor cores of GPUs make use of.

    Parameters
    ----------
    x : array_like
        Weights. The length of each vector is a multiple of ``m``.
    n, m : int, default 2 and 4
        :math:`0 \le n \le m`. Of equal magnitudes the one of lower index stays.
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
    project_l0_ball : The same for whole vectors.

    References
    ----------
    .. [1] A. Mishra et al., "Accelerating sparse deep neural networks", arXiv:2104.08378 (2021).

    Examples
    --------
    >>> import bridle as br
    >>> br.project_n_m([4.0, 1.0, -3.0, 2.0, 0.0, 5.0, 5.0, 5.0])
    array([ 4.,  0., -3.,  0.,  0.,  5.,  5.,  0.])
    """
    return slices.apply("project_n_m", x, (n, m), out, axis=axis)


def top_k_threshold(arrays: ArrayLike | Sequence[NDArray[Any]], k: SupportsIndex) -> float:
    r"""Find the ``k``-th largest magnitude, over one array or a whole list of them.

    .. math:: t = |x|_{(k)}, \quad |x|_{(1)} \ge |x|_{(2)} \ge \dots

    The value is exact, in a few passes over memory; a list of arrays is not joined for it.

    Parameters
    ----------
    arrays : array_like, or list or tuple of ndarray
        Weights, of any shape and memory layout; the arrays of a list may differ in dtype.
    k : int
        :math:`k \ge 0`, at most the number of all elements.

    Returns
    -------
    float
        Infinity for :math:`k = 0`; NaN if there is a NaN.

    Raises
    ------
    ValueError
        If ``k`` is negative or larger than the number of elements.
    TypeError
        If ``k`` is no integer, or an array is masked or of another type.

    See Also
    --------
    project_l0_ball : Sets all but the ``k`` largest to zero.
    hard_threshold : Sets to zero what is not above a threshold.

    References
    ----------
    .. [1] S. Han, J. Pool, J. Tran and W. J. Dally, "Learning both weights and connections for
       efficient neural networks", NeurIPS 2015.

    Examples
    --------
    >>> import numpy as np
    >>> import bridle as br
    >>> br.top_k_threshold([np.array([3.0, -1.0]), np.array([0.5, 2.0])], 2)
    2.0
    """
    name = "top_k_threshold"
    count = _count(name, k)
    if _lazy.is_dask(arrays):
        lazy: float = _lazy.rule("top_k")(name, real_array(name, arrays, lazy=True), count)
        return lazy
    listed = arrays if is_list(arrays) else [arrays]
    elements = [_contiguous(real_array(name, each)) for each in listed]
    size = sum(array.size for array in elements)
    check_count(name, count, size)
    nan, threshold, _ = _core.select_largest(elements, count)
    return math.nan if nan else threshold


def _count(name: str, k: Any) -> int:
    refuse_masked(name, "k", k)
    try:
        count = operator.index(k)
    except TypeError:
        raise TypeError(f"{name}: k must be an integer, got {shown(k)}") from None
    if count < 0:
        raise ValueError(f"{name}: k must be >= 0, got {count}")
    return count


def check_count(name: str, count: int, size: int) -> None:
    """Check that so many elements can be chosen of all."""
    if count > size:
        raise ValueError(f"{name}: k must be <= {size}, the number of elements, got {count}")


def _contiguous(array: NDArray[Any]) -> NDArray[Any]:
    return np.require(array, array.dtype.newbyteorder("="), ["C", "A"])


def _results(name: str, arrays: list[NDArray[Any]], out: Any) -> list[NDArray[Any]]:
    """Return the arrays that take the results, checked."""
    if out is None:
        return [slices.result_of(name, array, None) for array in arrays]
    refuse_masked(name, "out", out)
    if not isinstance(out, Sequence) or len(out) != len(arrays):
        got = f"{len(out)} of them" if isinstance(out, Sequence) else shown(out)
        raise ValueError(f"{name}: out must be a list of {len(arrays)} arrays, got {got}")
    for each in out:
        if not isinstance(each, np.ndarray):
            raise TypeError(f"{name}: out must be an array, got {shown(each)}")
    return [slices.result_of(name, array, each) for array, each in zip(arrays, out, strict=True)]


def _keep_largest(arrays: list[NDArray[Any]], k: int, results: list[NDArray[Any]]) -> None:
    """Write the k largest of all arrays to the results, and zeros elsewhere."""
    elements = [*map(_contiguous, arrays)]
    if _meet(elements, results):
        elements = [array.copy() for array in elements]
    size = sum(array.size for array in elements)
    nan, threshold, ties = _core.select_largest(elements, min(k, size))
    for array, result in zip(elements, results, strict=True):
        direct = slices.lies_as(array, result) and result.flags.c_contiguous
        place = result if direct else np.empty_like(array)
        if nan:
            place[...] = np.nan
        else:
            ties = _core.keep_selected(array, place, threshold, ties)
        if not direct:
            np.copyto(result, place, casting="same_kind")


def _meet(arrays: list[NDArray[Any]], results: list[NDArray[Any]]) -> bool:
    """Whether a result may share memory with an array of another place in the list."""
    bounds = [
        (*np.lib.array_utils.byte_bounds(array), place)
        for each in (arrays, results)
        for place, array in enumerate(each)
        if array.size > 0
    ]
    reach, owner = 0, -1
    for low, high, place in sorted(bounds):
        if low < reach and place != owner:
            return True
        if high > reach:
            reach, owner = high, place
    return False
